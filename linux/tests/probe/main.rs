//! Probes and taps on the real kernel, each test in a process and a lab of its own.
//!
//! A lab can only be entered by a process with one thread, so this program runs itself once for
//! each test. Needs to be root, as opening a macvtap does, and iproute2.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod arp;
mod capture;
mod connect;
mod lab;
mod opener;
mod ping;
mod tap;
mod wait;

use std::process::Command;

use lab::Lab;
use libtest_mimic::{Arguments, Failed, Trial};

/// Names the test that this process is to run.
const VARIABLE: &str = "NETWRIGHT_PROBE_TEST";

/// Who a test runs as.
#[derive(Clone, Copy, PartialEq)]
enum User {
    Root,
    Nobody,
    /// root, left without a lab
    Outside,
}

struct Test {
    name: &'static str,
    user: User,
    run: fn(Lab),
}

/// Makes a test of each function, named after it.
macro_rules! tests {
    ($user:ident: $($module:ident::$name:ident),* $(,)?) => {
        vec![$(crate::Test {
            name: concat!(stringify!($module), "::", stringify!($name)),
            user: crate::User::$user,
            run: crate::$module::$name,
        }),*]
    };
}
pub(crate) use tests;

fn all() -> Vec<Test> {
    [
        ping::all(),
        arp::all(),
        connect::all(),
        wait::all(),
        tap::all(),
        capture::all(),
        opener::all(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn main() {
    if let Ok(name) = std::env::var(VARIABLE) {
        let test = all().into_iter().find(|test| test.name == name).expect("no such test");
        (test.run)(Lab::enter(test.user));
        return;
    }
    let arguments = Arguments::from_args();
    let trials = all().into_iter().map(|test| Trial::test(test.name, move || run(test.name)));
    libtest_mimic::run(&arguments, trials.collect()).exit();
}

fn run(name: &str) -> Result<(), Failed> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new(program).env(VARIABLE, name).output();
    let output = output.map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{}\n{}", output.status, String::from_utf8_lossy(&output.stderr)).into())
}
