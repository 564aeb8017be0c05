//! What checks mean: when one that something isn't there holds, when silence counts, what is told
//! of it, and what becomes of checks that are not decided. The real kernel makes each case.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod alone;
mod causes;
mod denied;
mod limits;
mod missing;
mod settled;

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use netwright_tests::{Output, Session};
use serde_json::Value;

/// Two stations, each other's neighbours, and a route in each of two tables.
const PAIR: &str = "\
ip netns add n1
ip netns add n2
ip link add eth0 netns n1 type veth peer name eth0 netns n2
ip -n n1 address add 10.0.0.1/24 dev eth0
ip -n n2 address add 10.0.0.2/24 dev eth0
ip -n n1 link set lo up
ip -n n2 link set lo up
ip -n n1 link set eth0 up
ip -n n2 link set eth0 up
ip -n n1 route add 10.9.0.0/16 via 10.0.0.2
ip -n n1 route add 10.8.0.0/16 via 10.0.0.2 table 100
";

/// A switch between two stations; its ports take twice two seconds to forward.
const SWITCH: &str = "\
ip netns add n1
ip netns add n2
ip netns add sw
ip -n sw link add br0 type bridge stp_state 1 forward_delay 200
ip link add eth0 netns n1 type veth peer name p1 netns sw
ip link add eth0 netns n2 type veth peer name p2 netns sw
ip -n sw link set p1 master br0
ip -n sw link set p2 master br0
ip -n n1 address add 10.0.0.1/24 dev eth0
ip -n n2 address add 10.0.0.2/24 dev eth0
ip -n n1 link set eth0 up
ip -n n2 link set eth0 up
ip -n sw link set p1 up
ip -n sw link set p2 up
ip -n sw link set br0 up
";

/// A scenario of these lines, with what else stands in its file.
fn scenario(lines: &str, checks: &[&str], more: &str) -> String {
    let mut text =
        "name: checked\nsteps:\n  - recipe: builtin:ip\n    params:\n      script: |\n".to_owned();
    for line in lines.lines() {
        let _ = writeln!(text, "        {line}");
    }
    text.push_str("checks:\n");
    for check in checks {
        let _ = writeln!(text, "  - {check}");
    }
    text + more
}

/// Runs it as JSON.
fn run(text: &str) -> Output {
    let session = Session::new();
    let file = session.file("scenario.yaml", text);
    session.netwright(["run".into(), "--json".into(), file.into_os_string()])
}

/// What became of each check: `pass`, `fail` or `skip`, its cause, and what was seen.
fn verdicts(output: &Output) -> Vec<(String, String, String)> {
    let word = |check: &Value, key: &str| check[key].as_str().unwrap_or_default().to_owned();
    let result = output.json();
    let checks = result["checks"].as_array().unwrap();
    checks
        .iter()
        .map(|check| (word(check, "verdict"), word(check, "cause"), word(check, "detail")))
        .collect()
}

/// Every check of the table fails; what was seen of it holds the text.
#[track_caller]
fn all_fail(lines: &str, table: &[(&str, &str)], more: &str) {
    let checks: Vec<&str> = table.iter().map(|(check, _)| *check).collect();
    let output = run(&scenario(lines, &checks, more)).expect_code(1);
    for ((check, text), (verdict, _, detail)) in table.iter().zip(verdicts(&output)) {
        assert_eq!(verdict, "fail", "{check}: {detail}");
        assert!(detail.contains(text), "{check}: {detail}");
    }
}

/// Every check of the table holds.
#[track_caller]
fn all_hold(lines: &str, checks: &[&str], more: &str) {
    let output = run(&scenario(lines, checks, more));
    for (check, (verdict, _, detail)) in checks.iter().zip(verdicts(&output)) {
        assert_eq!(verdict, "pass", "{check}: {detail}");
    }
    output.expect_code(0);
}

/// How long it took.
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let started = Instant::now();
    (work(), started.elapsed())
}
