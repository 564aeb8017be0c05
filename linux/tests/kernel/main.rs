//! The kernel layer against the real kernel: each trial in a lab of its own, its outcome asked of
//! `ip`, not of our own queries.

mod answers;
mod batch;
mod in_place;
mod kind_row;
mod kind_table;
mod kinds;
mod lab;
mod links;
mod network;
mod port_vlans;
mod qdisc;
mod routes;
mod tutorial;
mod twins;

use std::process::{Command, ExitCode};

use libtest_mimic::{Arguments, Failed, Trial};

/// Names the trial that a child process is to carry out.
const TRIAL: &str = "NETWRIGHT_TRIAL";

/// A trial and what it is called.
type Named = (&'static str, fn());

fn all() -> impl Iterator<Item = Named> {
    let all = [
        links::TRIALS,
        kinds::TRIALS,
        kind_table::TRIALS,
        in_place::TRIALS,
        network::TRIALS,
        routes::TRIALS,
        answers::TRIALS,
        batch::TRIALS,
        qdisc::TRIALS,
        port_vlans::TRIALS,
        tutorial::TRIALS,
    ];
    all.into_iter().flatten().copied()
}

fn main() -> ExitCode {
    if let Ok(wanted) = std::env::var(TRIAL) {
        let (_, trial) = all().find(|(name, _)| *name == wanted).expect("a known trial");
        netwright_linux::kernel::netns::enter_lab().expect("a lab");
        trial();
        return ExitCode::SUCCESS;
    }
    let trials = all().map(|(name, _)| Trial::test(name, move || in_child(name))).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// A lab can only be entered by a process without other threads.
fn in_child(name: &str) -> Result<(), Failed> {
    let child = Command::new(std::env::current_exe()?).env(TRIAL, name).output()?;
    if child.status.success() {
        return Ok(());
    }
    Err(format!(
        "{}\n{}{}",
        child.status,
        String::from_utf8_lossy(&child.stdout),
        String::from_utf8_lossy(&child.stderr)
    )
    .into())
}
