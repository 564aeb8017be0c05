//! `cargo xtask ci`: all that a change must pass, the cheap checks first.

use crate::parts::Choice;
use crate::program::{cargo, run};
use crate::{deny, fuzz, recipes, setup, test, words};
use anyhow::Result;

/// Of each fuzzer.
const FUZZ_SECONDS: u32 = 30;

pub(crate) fn run_all(choice: &Choice) -> Result<()> {
    run(cargo().args(["fmt", "--all", "--check"]))?;
    run(cargo().args(["fmt", "--manifest-path", "tests/fuzz/Cargo.toml", "--check"]))?;
    words::check()?;
    deny::check()?;
    recipes::build(&setup::run(choice)?)?;
    run(cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    fuzz::lint()?;
    let mut docs = cargo();
    docs.env("RUSTDOCFLAGS", "-D warnings");
    run(docs.args(["doc", "--workspace", "--no-deps"]))?;
    fuzz::run_all(FUZZ_SECONDS, &[])?;
    test::run_tests(choice, &[])
}
