//! `cargo xtask demo`: the macvlan practice, from nothing to its pings.

use crate::program::{in_workspace, run, say};
use crate::{guest, runner};
use anyhow::Result;

const SCENARIO: &str = "scenarios/macvlan-bridge.yaml";

pub(crate) fn run_demo() -> Result<()> {
    guest::find_or_install()?;
    let program = runner::build("dev")?;
    say("the macvlan practice, in a lab that nothing of this machine is reachable from:");
    run(in_workspace(program).args(["run", SCENARIO]))
}
