//! `cargo xtask recipes`: the crates in scenarios/recipes and tests/recipes, each as a component.

use crate::program::{say, shown, workspace};
use anyhow::{Context, Result, anyhow};
use netwright_building::{Toolchain, build_recipes};
use std::path::{Path, PathBuf};

/// Where the components are. The folder is the same wherever cargo's own target folder is.
pub(crate) fn folder() -> PathBuf {
    workspace().join("target/recipes/components")
}

pub(crate) fn build(toolchain: &Toolchain) -> Result<()> {
    let say_so = |command: &std::process::Command| say(format_args!("$ {}", shown(command)));
    let recipes = build_recipes(&workspace(), *toolchain, &["*"], say_so);
    std::fs::create_dir_all(folder())
        .with_context(|| format!("`{}` can't be made", folder().display()))?;
    for recipe in recipes.map_err(|error| anyhow!(error))? {
        write_if_different(&folder().join(format!("{}.wasm", recipe.name)), &recipe.component)?;
    }
    Ok(())
}

/// An untouched file keeps its time: who watches it has nothing to do.
fn write_if_different(file: &Path, component: &[u8]) -> Result<()> {
    if std::fs::read(file).is_ok_and(|present| present == component) {
        return Ok(());
    }
    let shown = file.strip_prefix(workspace()).unwrap_or(file).display();
    std::fs::write(file, component).with_context(|| format!("`{shown}` can't be written"))?;
    say(format_args!("{shown}, {} KiB", component.len().div_ceil(1024)));
    Ok(())
}
