//! `cargo xtask bench`: netwright beside other ways to the same network, as whole processes.
//!
//! The job is N nodes of namespace + macvlan + address + up, made and taken down. In every round
//! each way does it once, one after the other, so that what disturbs the machine disturbs all.

mod table;
mod ways;

use crate::guest;
use crate::program::{say, shown};
use crate::{recipes, runner};
use anyhow::{Context, Result, bail};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use table::Row;
use ways::{Way, Ways};

/// Nodes, and rounds of them: the fewer the nodes, the more a disturbance weighs.
const SIZES: [(u32, u32); 3] = [(50, 9), (200, 7), (1000, 5)];
/// What a run that does nothing is measured by.
const START_ROUNDS: u32 = 25;
/// How many calls make the cost of one visible, and rounds of that.
const CALLS: u32 = 100_000;
const CALL_ROUNDS: u32 = 5;

pub(crate) fn run() -> Result<()> {
    recipes::build(&guest::find_or_install()?)?;
    let ways = Ways::prepare(runner::build("release")?)?;
    let mut tables = Vec::new();
    for (nodes, rounds) in SIZES {
        say(format_args!("{nodes} nodes, {rounds} rounds"));
        tables.push((nodes, measure(&ways, nodes, rounds)?));
    }
    let start = measure_start(&ways)?;
    let calls = measure_calls(&ways)?;
    for (nodes, rows) in &tables {
        print!("{}", table::lab(*nodes, rows));
    }
    print!("{}{}", table::start(&start), table::call(&start, &calls, CALLS));
    Ok(())
}

/// The first round fills caches and is not counted.
fn measure(ways: &Ways, nodes: u32, rounds: u32) -> Result<Vec<Row>> {
    let able = Way::ALL.into_iter().filter(|way| nodes <= way.most_nodes());
    let mut rows: Vec<Row> = able.map(|way| Row { way, times: Vec::new() }).collect();
    for round in 0..=rounds {
        for row in &mut rows {
            let time = time(&mut ways.command(row.way, nodes)?)?;
            if round > 0 {
                row.times.push(time);
            }
            thread::sleep(rest(nodes));
        }
    }
    Ok(rows)
}

/// A recipe that does nothing.
fn measure_start(ways: &Ways) -> Result<Vec<Duration>> {
    say(format_args!("a recipe that does nothing, {START_ROUNDS} rounds"));
    time(&mut ways.nothing(0))?;
    (0..START_ROUNDS).map(|_| time(&mut ways.nothing(0))).collect()
}

/// The same recipe with calls that end in the host.
fn measure_calls(ways: &Ways) -> Result<Vec<Duration>> {
    say(format_args!("{CALLS} calls that don't reach the kernel, {CALL_ROUNDS} rounds"));
    (0..CALL_ROUNDS).map(|_| time(&mut ways.nothing(CALLS))).collect()
}

/// The kernel takes namespaces apart after their last user has gone, and the next way must not
/// pay for that.
fn rest(nodes: u32) -> Duration {
    Duration::from_millis(100 + 3 * u64::from(nodes))
}

/// From the start of the process to its end, which must be a success.
fn time(command: &mut Command) -> Result<Duration> {
    let shown = shown(command);
    command.stdin(Stdio::null());
    let start = Instant::now();
    let output = command.output().with_context(|| format!("`{shown}` did not start"))?;
    let elapsed = start.elapsed();
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        bail!("`{shown}` failed: {}\n{}", output.status, words.trim_end());
    }
    Ok(elapsed)
}
