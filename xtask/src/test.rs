//! `cargo xtask test`: all tests, on this kernel and on the second one, and the machine as it was
//! before them.

use crate::program::{cargo, run, say};
use crate::{recipes, runner, setup, vm};
use anyhow::{Result, bail};
use netwright_tests::machine::{Machine, RUN_VARIABLE, Run};

pub(crate) fn run_tests(arguments: &[String]) -> Result<()> {
    let toolchain = setup::run()?;
    recipes::build(&toolchain)?;
    let program =
        if arguments.is_empty() { runner::build_with_tests()? } else { runner::build("dev")? };

    let marked = Run::new();
    let before = Machine::now()?;
    let mut tests = cargo();
    tests.args(["test", "--no-fail-fast"]);
    if arguments.is_empty() {
        tests.arg("--workspace");
    }
    tests.args(arguments).env("NETWRIGHT_BIN", &program).env(RUN_VARIABLE, marked.name());
    let outcome = run(&mut tests);
    // A choice of cargo's tests says nothing about the second kernel; vm-test has a choice of its own.
    let second = if arguments.is_empty() { vm::run_tests_of(&program) } else { Ok(()) };

    let mut differences = before.differences_that_stay();
    differences.extend(marked.processes_that_stay(&program));
    report(&differences);
    match (outcome, second) {
        (Err(first), Err(second)) => bail!("{first:#}\nerror: {second:#}"),
        (outcome, second) => outcome.and(second)?,
    }
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
