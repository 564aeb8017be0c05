//! The project's own recipes: the crates of its workspace whose names begin with `recipe-`.

use std::fs;
use std::path::Path;

use crate::{Toolchain, compile, encode};

/// Every recipe crate of the workspace is called so, and its component by what follows.
const PREFIX: &str = "recipe-";

/// What cargo hands down to a build script, or a user sets, for the program that is built there.
/// Recipes are the same whatever that is: no lint, no instrumentation and no flag of it is theirs.
const OF_THE_PROGRAM: [&str; 5] = [
    "RUSTFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_BUILD_RUSTFLAGS",
    "RUSTC_WORKSPACE_WRAPPER",
    "CARGO_BUILD_TARGET",
];

/// A recipe as it is run.
#[derive(Debug)]
pub struct Recipe {
    pub name: String,
    pub component: Vec<u8>,
}

/// Compiles recipes of a workspace and makes components of them; `*` for a name is all of them.
/// `shown` is told the command before it runs.
pub fn build_recipes(
    workspace: &Path,
    toolchain: Toolchain,
    names: &[&str],
    shown: impl FnOnce(&std::process::Command),
) -> Result<Vec<Recipe>, String> {
    let mut command = toolchain.cargo_build(workspace);
    command.args(["--locked", "--lib", "--profile", "recipe"]);
    for name in names {
        command.arg("--package").arg(format!("{PREFIX}{name}"));
    }
    command.arg("--target-dir").arg(workspace.join("target/recipes"));
    for variable in OF_THE_PROGRAM {
        command.env_remove(variable);
    }
    shown(&command);
    let compiled = compile(command)?;
    if compiled.is_empty() {
        return Err(format!("cargo made no WebAssembly module of the crates `{PREFIX}*`"));
    }
    compiled
        .into_iter()
        .map(|recipe| {
            let module = fs::read(&recipe.module)
                .map_err(|error| format!("can't read `{}`: {error}", recipe.module.display()))?;
            let component = encode(&recipe.package, &module)?;
            let name = recipe.package.strip_prefix(PREFIX).unwrap_or(&recipe.package).to_owned();
            Ok(Recipe { name, component })
        })
        .collect()
}
