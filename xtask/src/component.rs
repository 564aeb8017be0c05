//! The workspace's recipe crates, compiled.

use crate::program::{say, shown, workspace};
use anyhow::{Result, anyhow};
use netwright_building::{Compiled, Toolchain};
use std::path::Path;

/// What to build, and where cargo shall put what it makes on the way.
pub(crate) struct Crates<'a> {
    /// a package of the workspace, or a pattern such as `recipe-*`
    pub(crate) packages: &'a str,
    pub(crate) profile: &'a str,
    pub(crate) target_folder: &'a Path,
}

/// Compiles recipe crates to core modules; cargo decides what has to be compiled anew.
pub(crate) fn compile(toolchain: Toolchain, crates: &Crates<'_>) -> Result<Vec<Compiled>> {
    let mut command = toolchain.cargo_build(&workspace());
    command.args(["--lib", "--package", crates.packages, "--profile", crates.profile]);
    command.arg("--target-dir").arg(crates.target_folder);
    say(format_args!("$ {}", shown(&command)));
    netwright_building::compile(command).map_err(|error| anyhow!(error))
}

/// The component of one.
pub(crate) fn encode(compiled: &Compiled) -> Result<Vec<u8>> {
    let module = std::fs::read(&compiled.module)?;
    netwright_building::encode(&compiled.package, &module).map_err(|error| anyhow!(error))
}
