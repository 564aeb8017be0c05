//! The project's own commands, each of which does its set-up first: `cargo xtask demo`, `test`, …

mod bench;
mod check;
mod ci;
mod demo;
mod deny;
mod fuzz;
mod guest;
mod install;
mod nightly;
mod packages;
mod parts;
mod program;
mod recipes;
mod runner;
mod setup;
mod soak;
mod suite;
mod test;
mod tool;
mod vm;
mod words;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The project's own commands")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what is missing, and run the macvlan practice in a lab
    Demo,
    /// Install the program for this user, into cargo's bin folder
    Install {
        /// passed on to `cargo install`, such as `--root /usr/local`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Formatting, clippy, the tests inside the crates and one lab: some three minutes, for every day
    Check,
    /// Install what is missing, and run all tests; the machine must be afterwards as it was before
    Test {
        #[command(flatten)]
        choice: parts::Choice,
        /// passed on to `cargo test`, such as `-p netwright` or a test's name
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// What a change must pass: formatting, clippy, docs, forbidden words,
    /// dependencies, fuzzers, and all tests
    Ci {
        #[command(flatten)]
        choice: parts::Choice,
    },
    /// Run the tests of link kinds and of the tutorial on a second, complete kernel in qemu, and a
    /// few on a third one
    VmTest {
        /// run only the trials whose names hold one of these
        filters: Vec<String>,
    },
    /// A shell on that kernel, with the runner and the scenarios
    VmShell,
    /// Measure netwright beside limit.c, ip(8) and pyroute2, and print tables
    Bench,
    /// Make a network and take it back many times, and show what the machine holds before and after
    Soak {
        #[arg(default_value_t = 10_000)]
        times: u32,
    },
    /// All that is too long for CI, whatever fails: the tests with stress-ng's load beside them, their
    /// long forms, the soak, the fuzzers for a quarter of an hour each; target/nightly.log ends with a
    /// summary
    Nightly {
        /// only these parts: stress, long, soak, fuzz
        parts: Vec<String>,
        /// passed on to `cargo test`, such as `-p netwright-tests --test limits`
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Run each fuzzer from its kept corpus, and show how often it ran
    Fuzz {
        /// of each
        #[arg(default_value_t = 30)]
        seconds: u32,
        /// only the fuzzers whose names hold one of these
        targets: Vec<String>,
    },
    /// Hold dependencies to deny.toml: licences, sources, duplicates, and advisories
    Deny,
    /// Install what is missing to build and test, and ask before: guest toolchain, iproute2, ping,
    /// tcpdump, util-linux, Docker's Engine
    Setup {
        #[command(flatten)]
        choice: parts::Choice,
    },
    /// Build the recipes in scenarios/recipes into target/recipes/components
    Recipes,
}

fn main() -> std::process::ExitCode {
    match dispatch(Arguments::parse().task) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}

fn dispatch(task: Task) -> Result<()> {
    match task {
        Task::Demo => demo::run_demo(),
        Task::Install { arguments } => install::run_install(&arguments),
        Task::Check => check::run_quick(),
        Task::Test { choice, arguments } => test::run_tests(&choice, &arguments),
        Task::Ci { choice } => ci::run_all(&choice),
        Task::VmTest { filters } => vm::run_tests(&filters),
        Task::VmShell => vm::shell(),
        Task::Bench => bench::run(),
        Task::Soak { times } => soak::run(times),
        Task::Nightly { parts, arguments } => nightly::run(&parts, &arguments),
        Task::Fuzz { seconds, targets } => fuzz::run_all(seconds, &targets),
        Task::Deny => deny::check(),
        Task::Setup { choice } => setup::run(&choice).map(drop),
        Task::Recipes => recipes::build(&guest::find_or_install()?),
    }
}
