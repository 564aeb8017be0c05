//! `cargo xtask test`: all tests, on this kernel and on the second one, and the machine as it was
//! before them.

use crate::parts::{Choice, Part};
use crate::program::{cargo, run, say};
use crate::suite::Suite;
use crate::{recipes, runner, setup, vm};
use anyhow::{Result, bail};
use netwright_tests::machine::{Machine, RUN_VARIABLE, Run};
use std::path::Path;

/// All tests, or those that `arguments` choose of cargo's: a choice says nothing about the second
/// kernel, whose vm-test has a choice of its own.
pub(crate) fn run_tests(choice: &Choice, arguments: &[String]) -> Result<()> {
    recipes::build(&setup::run(choice)?)?;
    if arguments.is_empty() { run_all(choice) } else { run_chosen(arguments) }
}

fn run_all(choice: &Choice) -> Result<()> {
    let mut suite = Suite::build(choice)?;
    let program = suite.program.clone();
    let mut left_out = std::mem::take(&mut suite.left_out);
    let outcome = leaving_nothing(&program, |run| {
        let first = suite.run(run);
        let second = if choice.has(Part::Vm) { vm::run_tests_of(&program) } else { Ok(()) };
        match (first, second) {
            (Err(first), Err(second)) => bail!("{first:#}\nerror: {second:#}"),
            (first, second) => first.and(second),
        }
    });
    if !choice.has(Part::Vm) {
        left_out.add(Part::Vm, vm::count_tests()?);
    }
    left_out.tell();
    outcome
}

fn run_chosen(arguments: &[String]) -> Result<()> {
    let program = runner::build("dev")?;
    leaving_nothing(&program, |run_name| {
        let mut tests = cargo();
        tests.args(["test", "--no-fail-fast"]).args(arguments);
        run(tests.env("NETWRIGHT_BIN", &program).env(RUN_VARIABLE, run_name))
    })
}

/// What tests do, and whether the machine is as before afterwards.
fn leaving_nothing(program: &Path, tests: impl FnOnce(&str) -> Result<()>) -> Result<()> {
    let marked = Run::new();
    let before = Machine::now()?;
    let outcome = tests(marked.name());
    let mut differences = before.differences_that_stay();
    differences.extend(marked.processes_that_stay(program));
    report(&differences);
    outcome?;
    if !differences.is_empty() {
        bail!("the tests left {} traces on this machine", differences.len());
    }
    Ok(())
}

fn report(differences: &[String]) {
    if differences.is_empty() {
        say(
            "links, addresses, routes, rules, namespaces, taps, mounts and processes are as before",
        );
    }
    for difference in differences {
        say(format_args!("left behind: {difference}"));
    }
}
