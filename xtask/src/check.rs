//! `cargo xtask check`: what is worth to be asked again and again while a change is written.

use crate::program::{cargo, in_workspace, run, say};
use crate::runner;
use anyhow::Result;

/// Made of links that every kernel has.
const SCENARIO: &str = "scenarios/macvlan-bridge.yaml";

/// Formatting, clippy, the tests inside the crates, and one lab. It installs nothing, and needs root
/// or a kernel that gives ordinary users namespaces.
pub(crate) fn run_quick() -> Result<()> {
    run(cargo().args(["fmt", "--all", "--check"]))?;
    run(cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    run(cargo().args(["test", "--workspace", "--lib"]))?;
    let program = runner::build("dev")?;
    run(in_workspace(program).args(["run", SCENARIO]))?;
    say("this is what can be asked quickly; `cargo xtask ci` asks everything");
    Ok(())
}
