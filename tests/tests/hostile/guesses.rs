//! A recipe that guesses: generated names and arguments, on a host where a little is granted.

use std::fs;
use std::thread;
use std::time::Duration;

use netwright_tests::{machine, workspace};

use crate::canary::Canary;
use crate::files::with_section;

/// Of each half: ten thousand, and at night five times as many.
fn calls() -> usize {
    machine::times(10_000, 50_000)
}

/// Everything is asked for, so that it is the operator who says no.
const ASKS: &str = r#"{"name": "guess", "version": "1.0.0", "api": "0.2.0",
    "parameters": [{"name": "how", "type": "text"}, {"name": "seed", "type": "integer"},
                   {"name": "calls", "type": "integer"}],
    "capabilities": [{"capability": "host.link.read"}, {"capability": "host.link.create"},
                     {"capability": "host.link.modify"}, {"capability": "host.link.move"},
                     {"capability": "host.namespace"}, {"capability": "host.address.add"},
                     {"capability": "host.route.add"}, {"capability": "host.route.default"},
                     {"capability": "host.forwarding"}, {"capability": "host.sysctl"}]}"#;

/// With these, some guesses reach the kernel.
const GRANTS: [&str; 5] = [
    "host.link.read",
    "host.namespace name=lab*",
    "host.link.create kind=bridge,veth,macvlan name=lab-* parent=eth1",
    "host.address.add cidr=10.99.0.0/16 link=lab-*",
    "host.route.add cidr=10.99.0.0/16 link=lab-*",
];

fn guess(seed: usize, calls: usize) {
    let canary = Canary::new();
    let before = canary.dump();
    let recipe = workspace().join("target/recipes/components/hostile.wasm");
    let recipe = fs::read(recipe).expect("`cargo xtask recipes` built it");
    let recipe = with_section(recipe, "netwright:manifest", ASKS.as_bytes());
    canary.session().file("guess.wasm", recipe);
    let time = machine::patience(Duration::from_secs(600)).as_secs();
    let scenario = format!(
        "name: guess\ntarget: host\nsteps:\n  - recipe: ./guess.wasm\n    params: {{ how: guess, seed: {seed}, calls: {calls} }}\nlimits: {{ time: {time}s, log: 1GiB }}\n",
    );
    let file = canary.session().file("guess.yaml", scenario);
    let mut words = vec!["run".as_ref(), file.as_os_str()];
    words.extend(GRANTS.iter().flat_map(|grant| ["--grant", grant]).map(std::ffi::OsStr::new));
    let output = canary.host().netwright(words, &[]);
    let tail: String =
        output.stderr.chars().rev().take(2000).collect::<Vec<_>>().iter().rev().collect();
    // What the kernel takes of nonsense without doing it is a failed check.
    let strange = output.stdout.lines().filter(|line| line.contains("FAILED"));
    let strange: Vec<&str> = strange.filter(|line| !line.contains(" came about: ")).collect();
    assert_eq!(strange, [""; 0], "seed {seed}");
    assert!(matches!(output.code, 0 | 1), "seed {seed}: {tail}");
    assert!(
        output.stdout.contains(&format!("| {calls} calls, some taken\n")),
        "seed {seed}: {tail}"
    );
    assert!(!output.stderr.contains('\u{1b}') && !output.stdout.contains('\u{1b}'));
    assert_eq!(canary.dump(), before, "seed {seed}");
}

/// The seeds are fixed, so that what fails once fails again.
#[test]
fn thousands_of_guesses_leave_the_canary_alone() {
    thread::scope(|scope| {
        let halves = [1, 2].map(|seed| scope.spawn(move || guess(seed, calls())));
        for half in halves {
            half.join().expect("the assertions hold");
        }
    });
}
