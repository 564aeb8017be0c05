//! `cargo xtask install`: the program with its built-in recipes, by `cargo install`.

use crate::guest;
use crate::program::{cargo, run};
use anyhow::Result;

pub(crate) fn run_install(arguments: &[String]) -> Result<()> {
    // Asked here, for cargo asks the build script of the program last.
    guest::find_or_install()?;
    // With the versions that are tested.
    run(cargo().args(["install", "--path", "runner", "--locked"]).args(arguments))
}
