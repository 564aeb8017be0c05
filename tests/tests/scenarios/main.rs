//! Every scenario file, run by the real program; then the kernel is asked by iproute2, in the
//! kept lab, whether it is so. The names begin with the row of the acceptance list.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod around;
mod frames;
mod in_place;
mod modes;
mod networks;
mod tunnels;
mod vlans;

use netwright_tests::{Lab, Session, workspace};
use serde_json::Value;
use std::time::{Duration, Instant};

/// A scenario file's path.
fn file(name: &str) -> String {
    workspace().join("scenarios").join(format!("{name}.yaml")).display().to_string()
}

/// Runs a scenario file with parameters; every check must hold.
#[track_caller]
fn run(name: &str, parameters: &[&str]) {
    let mut arguments = vec!["run".to_owned(), file(name)];
    for parameter in parameters {
        arguments.extend(["-p".to_owned(), (*parameter).to_owned()]);
    }
    Session::new().netwright(arguments).expect_code(0);
}

/// Runs a scenario and keeps its lab; a lab's name is the user's, so each test has its own.
#[track_caller]
fn keep<'a>(session: &'a Session, lab: &str, name: &str, parameters: &[&str]) -> Lab<'a> {
    let mut arguments = vec![file(name)];
    for parameter in parameters {
        arguments.extend(["-p".to_owned(), (*parameter).to_owned()]);
    }
    session.keep(lab, arguments)
}

/// Runs a scenario text that must end with this code; gives what it wrote on stderr and stdout.
#[track_caller]
fn ends(text: &str, code: i32) -> String {
    let session = Session::new();
    let path = session.file("scenario.yaml", text);
    let output = session.netwright(["run".into(), path.into_os_string()]).expect_code(code);
    output.stdout + &output.stderr
}

/// One link as iproute2 shows it.
#[track_caller]
fn link(lab: &Lab<'_>, namespace: Option<&str>, name: &str) -> Value {
    lab.ip_json(namespace, ["link", "show", "dev", name])[0].clone()
}

/// Packets or bytes received and sent by a link.
#[track_caller]
fn counted(lab: &Lab<'_>, namespace: Option<&str>, name: &str, what: &str) -> (u64, u64) {
    let shown = lab.ip_json(namespace, ["-s", "link", "show", "dev", name]);
    let count = |way: &str| shown[0]["stats64"][way][what].as_u64().unwrap();
    (count("rx"), count("tx"))
}

/// Whether one echo is answered within a second.
fn answers(lab: &Lab<'_>, from: &str, to: &str) -> bool {
    lab.exec(Some(from), ["ping", "-n", "-q", "-c", "1", "-W", "1", to]).code == 0
}

/// Whether an echo is answered within ten seconds. A carrier that comes back is told to those above
/// by a worker of the kernel's (net/core/link_watch.c, once a second), and neighbours that were
/// asked for in vain meanwhile are asked for again a second later.
fn reaches(lab: &Lab<'_>, from: &str, to: &str) -> bool {
    let patience = Instant::now() + netwright_tests::machine::patience(Duration::from_secs(10));
    while Instant::now() < patience {
        if answers(lab, from, to) {
            return true;
        }
    }
    false
}

/// How many large frames' worth of bytes a link received and sent while ten large echoes went
/// from one namespace to an address. The small frames of neighbour and listener discovery, which
/// a fresh lab is full of, don't count so.
fn frames_of_ten_echoes(lab: &Lab<'_>, from: &str, to: &str, port: (&str, &str)) -> (u64, u64) {
    let before = counted(lab, Some(port.0), port.1, "bytes");
    let words = ["ping", "-n", "-q", "-c", "10", "-i", "0.2", "-W", "1", "-s", "1400", to];
    lab.exec(Some(from), words).expect_code(0);
    let after = counted(lab, Some(port.0), port.1, "bytes");
    // 1400 bytes behind the headers of ICMP (8), IPv4 (20) and Ethernet (14).
    ((after.0 - before.0) / 1442, (after.1 - before.1) / 1442)
}

/// A test that a new file would otherwise be forgotten by.
#[test]
fn every_scenario_file_is_valid_and_named_as_its_file() {
    let folder = std::fs::read_dir(workspace().join("scenarios")).unwrap();
    let mut found = 0;
    for entry in folder {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "yaml") {
            continue;
        }
        found += 1;
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().next(), Some(format!("name: {stem}").as_str()));
        let path = path.display().to_string();
        Session::new().netwright(["validate", &path]).expect_code(0);
    }
    assert!(found >= 22, "only {found} files");
}
