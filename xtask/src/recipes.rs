//! `cargo xtask recipes`: the crates in scenarios/recipes, each as a component.

use crate::program::{say, shown, workspace};
use anyhow::{Context, Result, anyhow, bail};
use netwright_building::{Toolchain, compile, encode};
use std::path::{Path, PathBuf};

/// Every recipe crate of the workspace is called so, and its component by what follows.
const PREFIX: &str = "recipe-";

/// Where the components are; the runner's build script takes the built-in ones from here.
/// The folder is the same wherever cargo's own target folder is.
pub(crate) fn folder() -> PathBuf {
    workspace().join("target/recipes/components")
}

pub(crate) fn build(toolchain: &Toolchain) -> Result<()> {
    let mut command = toolchain.cargo_build(&workspace());
    command.args(["--lib", "--package", "recipe-*", "--profile", "recipe"]);
    command.arg("--target-dir").arg(workspace().join("target/recipes"));
    say(format_args!("$ {}", shown(&command)));
    let compiled = compile(command).map_err(|error| anyhow!(error))?;
    if compiled.is_empty() {
        bail!("cargo made no WebAssembly module of the crates `{PREFIX}*`");
    }
    std::fs::create_dir_all(folder())
        .with_context(|| format!("`{}` can't be made", folder().display()))?;
    for recipe in &compiled {
        let module = std::fs::read(&recipe.module)
            .with_context(|| format!("`{}` can't be read", recipe.module.display()))?;
        let component = encode(&recipe.package, &module).map_err(|error| anyhow!(error))?;
        let name = recipe.package.strip_prefix(PREFIX).unwrap_or(&recipe.package);
        write_if_different(&folder().join(format!("{name}.wasm")), &component)?;
    }
    Ok(())
}

/// An untouched file keeps its time, so that the runner is not built again for nothing.
fn write_if_different(file: &Path, component: &[u8]) -> Result<()> {
    if std::fs::read(file).is_ok_and(|present| present == component) {
        return Ok(());
    }
    let shown = file.strip_prefix(workspace()).unwrap_or(file).display();
    std::fs::write(file, component).with_context(|| format!("`{shown}` can't be written"))?;
    say(format_args!("{shown}, {} KiB", component.len().div_ceil(1024)));
    Ok(())
}
