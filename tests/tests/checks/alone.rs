//! Which checks wait side by side, and which don't.

use std::time::Duration;

use super::{PAIR, run, scenario, timed, verdicts};

/// Twenty that fail take as long as one, whatever they ask for.
#[test]
fn checks_that_fail_wait_side_by_side() {
    let mut checks = Vec::new();
    for number in 100..110 {
        checks.push(format!("ping: {{ from: n1, to: 10.0.0.{number}, within: 8s }}"));
        checks.push(format!("tcp: {{ from: n1, to: 10.0.0.{number}, port: 9, within: 8s }}"));
        checks.push(format!("link: {{ namespace: n1, name: e{number}, within: 8s }}"));
        checks.push(format!(
            "route: {{ namespace: n1, destination: 10.{number}.0.0/16, within: 8s }}"
        ));
    }
    let checks: Vec<&str> = checks.iter().map(String::as_str).collect();
    let (output, took) = timed(|| run(&scenario(PAIR, &checks, "limits: { time: 10min }\n")));
    let result = output.clone().expect_code(1).json();
    assert!(took < Duration::from_secs(60), "{took:?}");
    // In the order of the scenario, whichever was decided first.
    let names: Vec<&str> = result["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|one| one["name"].as_str())
        .collect();
    assert_eq!(names.len(), 40);
    for (number, name) in names.iter().enumerate() {
        let kind = ["ping", "tcp", "link", "route"][number % 4];
        assert!(name.starts_with(kind), "{number}: {name}");
    }
}

/// Frames of earlier probes are counted whole, those of later ones not at all, though some wait.
#[test]
fn probes_and_frames_keep_their_order() {
    let checks = [
        "frames: { namespace: n2, link: eth0, protocol: icmp, count: 0 }",
        "ping: { from: n1, to: 10.0.0.2 }",
        "ping: { from: n1, to: 10.0.0.2 }",
        "frames: { namespace: n2, link: eth0, protocol: icmp, count: 4 }",
        "link: { namespace: n1, name: eth9, within: 3s }",
        "neighbour: { namespace: n1, address: 10.0.0.3, absent: true }",
        "ping: { from: n1, to: 10.0.0.3, within: 1s }",
        "frames: { namespace: n2, link: eth0, protocol: icmp, count: 2, during: { ping: { from: n1, to: 10.0.0.2 } } }",
        "ping: { from: n1, to: 10.0.0.2 }",
        "frames: { namespace: n2, link: eth0, protocol: icmp, count: 8 }",
    ];
    let output = run(&scenario(PAIR, &checks, "")).expect_code(1);
    let verdicts = verdicts(&output);
    let words: Vec<&str> = verdicts.iter().map(|(verdict, ..)| verdict.as_str()).collect();
    let expected = ["pass", "pass", "pass", "pass", "fail", "pass", "fail", "pass", "pass", "pass"];
    assert_eq!(words, expected, "{verdicts:#?}");
}

/// What an earlier check waits for may bring about what a later one says is missing.
#[test]
fn what_must_be_missing_is_looked_for_when_all_before_it_is_there() {
    let lines =
        format!("{PAIR}ip -n n1 address add 10.0.0.50/24 dev eth0 valid_lft 3 preferred_lft 3\n");
    let checks = [
        // Holds when the address has gone, which the check behind it would see too early.
        "ping: { from: n2, to: 10.0.0.50, stays: 300ms }",
        "address: { namespace: n1, link: eth0, is: 10.0.0.50/24, absent: true, within: 20s }",
        "ping: { from: n2, to: 10.0.0.50, expect: unreachable, within: 20s }",
    ];
    let output = run(&scenario(&lines, &checks, "")).expect_code(0);
    assert_eq!(verdicts(&output).len(), 3);
}
