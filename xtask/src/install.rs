//! `cargo xtask install`: the program with its built-in recipes, by `cargo install`.

use crate::program::{cargo, run};
use crate::{guest, recipes};
use anyhow::Result;

pub(crate) fn run_install(arguments: &[String]) -> Result<()> {
    recipes::build(&guest::find_or_install()?)?;
    // With the versions that are tested.
    run(cargo().args(["install", "--path", "runner", "--locked"]).args(arguments))
}
