//! `cargo xtask ci`: all that a change must pass, the cheap checks first.

use crate::parts::Choice;
use crate::program::{cargo, run, say};
use crate::{deny, fuzz, recipes, setup, test, words};
use anyhow::Result;
use std::time::{Duration, Instant};

/// Of each fuzzer.
const FUZZ_SECONDS: u32 = 30;

pub(crate) fn run_all(choice: &Choice) -> Result<()> {
    let mut clock = Clock::default();
    let outcome = check_all(choice, &mut clock);
    clock.tell();
    outcome?;
    // What it says comes last.
    test::run_tests(choice, &[])
}

fn check_all(choice: &Choice, clock: &mut Clock) -> Result<()> {
    clock.time("format and words", || {
        run(cargo().args(["fmt", "--all", "--check"]))?;
        run(cargo().args(["fmt", "--manifest-path", "tests/fuzz/Cargo.toml", "--check"]))?;
        words::check()
    })?;
    clock.time("dependencies", deny::check)?;
    clock.time("set-up and recipes", || recipes::build(&setup::run(choice)?))?;
    clock.time("clippy", || {
        run(cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
    })?;
    clock.time("clippy of the fuzzers", fuzz::lint)?;
    clock.time("documentation", || {
        let mut docs = cargo();
        docs.env("RUSTDOCFLAGS", "-D warnings");
        run(docs.args(["doc", "--workspace", "--no-deps"]))
    })?;
    clock.time("fuzzers", || fuzz::run_all(FUZZ_SECONDS, &[]))
}

/// What each part takes, for whoever wants it to take less.
#[derive(Default)]
struct Clock(Vec<(&'static str, Duration)>);

impl Clock {
    fn time(&mut self, part: &'static str, work: impl FnOnce() -> Result<()>) -> Result<()> {
        let start = Instant::now();
        let outcome = work();
        self.0.push((part, start.elapsed()));
        outcome
    }

    fn tell(&self) {
        let all: Vec<String> =
            self.0.iter().map(|(part, took)| format!("{part} {} s", took.as_secs())).collect();
        say(all.join(", "));
    }
}
