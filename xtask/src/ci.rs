//! `cargo xtask ci`: all that a change must pass, the cheap checks first.

use crate::program::{cargo, run};
use crate::{recipes, setup, test, words};
use anyhow::Result;

pub(crate) fn run_all() -> Result<()> {
    run(cargo().args(["fmt", "--all", "--check"]))?;
    words::check()?;
    // The runner embeds the recipes, so that even clippy needs them.
    recipes::build(&setup::run()?)?;
    run(cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    let mut docs = cargo();
    docs.env("RUSTDOCFLAGS", "-D warnings");
    run(docs.args(["doc", "--workspace", "--no-deps"]))?;
    test::run_tests(&[])
}
