//! Whenever netwright is killed, the kernel takes the lab apart by itself.

use netwright_tests::Session;
use netwright_tests::machine::{Machine, RUN_VARIABLE, Run};
use serde_json::{Value, json};
use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const NODES: u32 = 200;

#[test]
fn nothing_remains_of_roots_lab_killed_at_any_of_50_moments() {
    kill_at_any_moment(&Session::new(), 50);
}

#[test]
fn nothing_remains_of_an_ordinary_users_lab_killed_at_any_of_25_moments() {
    kill_at_any_moment(&Session::as_ordinary_user(), 25);
}

/// Moments are spread over a whole run, each by chance within its part.
fn kill_at_any_moment(session: &Session, moments: u32) {
    let run = Run::new();
    let scenario = session.file("nodes.yaml", scenario().to_string());
    let command = || {
        let mut command = session.command(["run", "-q"].map(Path::new));
        command.arg(&scenario).env(RUN_VARIABLE, run.name());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let before = Machine::now().expect("iproute2 is installed");
    let whole = whole_run(&mut command());
    for moment in 0..moments {
        let after = whole * moment / moments + whole.mul_f64(chance() / f64::from(moments));
        let mut child = command().spawn().expect("the program is there");
        thread::sleep(after);
        child.kill().expect("it is ours");
        child.wait().expect("it was killed");
        let stay = run.processes_that_stay(Path::new("/nonexistent"));
        assert_eq!(stay, [""; 0], "killed after {after:?} of {whole:?}");
    }
    assert_eq!(before.differences_that_stay(), [""; 0]);
}

/// How long it takes when nobody kills it, once its cache is filled.
fn whole_run(command: &mut Command) -> Duration {
    let mut last = Duration::ZERO;
    for _ in 0..2 {
        let start = Instant::now();
        let status = command.status().expect("the program is there");
        last = start.elapsed();
        assert!(status.success(), "{status}");
    }
    last
}

/// From 0 to 1; each hasher has keys of its own.
fn chance() -> f64 {
    RandomState::new().hash_one(0) as f64 / u64::MAX as f64
}

fn scenario() -> Value {
    let nodes = 1..=NODES;
    let names: Vec<String> = nodes.clone().map(|node| format!("n{node}")).collect();
    let mut links = vec![json!({ "name": "p0", "kind": "veth", "peer": "p1" })];
    links.extend(nodes.map(|node| {
        json!({
            "name": "eth0", "namespace": format!("n{node}"), "kind": "macvlan", "mode": "bridge",
            "parent": "p0", "addresses": [format!("10.1.0.{node}/16")],
        })
    }));
    json!({
        "name": "nodes",
        "steps": [{
            "name": "nodes",
            "recipe": "builtin:topology",
            "params": { "namespaces": names, "links": links },
        }],
        "limits": { "namespaces": NODES, "links": NODES + 2 },
    })
}
