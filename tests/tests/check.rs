//! `netwright check`: the checks of what is deployed, whenever somebody asks.

use std::fs;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use netwright_tests::{Host, Output, Session};

const PATIENCE: Duration = Duration::from_secs(120);

const LAB: &str = "\
name: lan
params: { mtu: 1400 }
steps:
  - recipe: builtin:topology
    params:
      namespaces: [a]
      links: [{ name: d0, namespace: a, kind: bridge, mtu: \"${mtu}\", addresses: [10.0.0.1/24] }]
checks:
  - link: { namespace: a, name: d0, up: true, mtu: \"${mtu}\", within: 200ms }
  - address: { namespace: a, link: d0, is: 10.0.0.1/24, within: 200ms }
  - frames: { namespace: a, link: d0, at-most: 10 }
";

/// Kept by `words`, checked, broken, checked, mended, checked.
fn a_lab_is_checked(session: &Session, words: &[&str]) {
    let file = session.file("lan.yaml", LAB).display().to_string();
    let words: Vec<&str> =
        words.iter().map(|word| if *word == "FILE" { &file } else { *word }).collect();
    session.netwright(&words).expect_code(0);
    let lab = session.deployed("lan");
    // What the file says by now is another matter.
    session.file("lan.yaml", "nothing\n");
    let checked = session.netwright(["check", "lan", "--json"]).expect_code(0).json();
    assert_eq!(checked["result"], "passed");
    assert_eq!(checked["target"], "lab");
    let verdicts: Vec<_> = checked["checks"].as_array().expect("a list").iter().collect();
    assert_eq!(verdicts[0]["verdict"], "pass");
    assert!(verdicts[0]["name"].as_str().expect("a text").contains("1300"), "{verdicts:?}");
    assert_eq!(verdicts[1]["verdict"], "pass");
    assert_eq!(verdicts[2]["verdict"], "skip", "{verdicts:?}");
    assert!(verdicts[2]["detail"].as_str().expect("a text").contains("during"), "{verdicts:?}");
    lab.exec(Some("a"), ["ip", "link", "set", "d0", "down"]).expect_code(0);
    let out = session.folder("out");
    let (events, xml) = (out.join("events"), out.join("junit.xml"));
    let failed = session.netwright([
        "check",
        "lan",
        "--events",
        &events.display().to_string(),
        "--junit",
        &xml.display().to_string(),
    ]);
    let failed = failed.expect_code(1);
    let told = failed.stdout + &failed.stderr;
    assert!(told.contains("d0"), "{told}");
    let events = fs::read_to_string(events).expect("it was written");
    assert!(events.contains("\"fail\""), "{events}");
    let xml = fs::read_to_string(xml).expect("it was written");
    assert!(xml.contains("<failure"), "{xml}");
    lab.exec(Some("a"), ["ip", "link", "set", "d0", "up"]).expect_code(0);
    // Where the command was given, as everything that is typed.
    let mut command =
        session.command(["check", "lan", "--events", "here", "--junit", "./here.xml"]);
    Output::from(command.current_dir(&out).output().expect("it is there")).expect_code(0);
    let written = |path| fs::read_to_string(session.path(path)).expect("it was written");
    assert!(written("out/here").contains("\"pass\""));
    assert!(written("out/here.xml").contains("<testcase"));
    let unknown = session.netwright(["check", "lam"]).expect_code(2);
    assert_eq!(unknown.stderr, "error: nothing is kept as `lam`\n  help: did you mean `lan`?\n");
}

#[test]
fn a_lab_that_root_deployed_is_checked() {
    a_lab_is_checked(&Session::new(), &["apply", "FILE", "-p", "mtu=1300"]);
}

#[test]
fn a_lab_that_an_ordinary_user_deployed_is_checked() {
    a_lab_is_checked(&Session::as_ordinary_user(), &["apply", "FILE", "-p", "mtu=1300"]);
}

#[test]
fn a_lab_that_a_run_kept_is_checked() {
    let words = ["run", "FILE", "-p", "mtu=1300", "--keep", "lan"];
    a_lab_is_checked(&Session::new(), &words);
}

/// The checks are those of the last `apply`, whether it mended or made anew or did as was saved.
#[test]
fn checks_are_those_of_the_last_apply() {
    let session = Session::new();
    // In a lab that is mended nothing is captured from the start.
    let text = LAB.replace("  - frames: { namespace: a, link: d0, at-most: 10 }\n", "");
    let file = session.file("lan.yaml", &text).display().to_string();
    session.netwright(["apply", &file]).expect_code(0);
    let _lab = session.deployed("lan");
    let mtu = |output: netwright_tests::Output| {
        let name = output.json()["checks"][0]["name"].to_string();
        ["1300", "1400", "1500"].into_iter().find(|mtu| name.contains(mtu))
    };
    session.netwright(["apply", &file, "-p", "mtu=1300"]).expect_code(0);
    assert_eq!(mtu(session.netwright(["check", "lan", "--json"]).expect_code(0)), Some("1300"));
    let plan = session.path("plan").display().to_string();
    session.netwright(["plan", &file, "-p", "mtu=1500", "--out", &plan]).expect_code(0);
    session.netwright(["apply", "--plan", &plan]).expect_code(0);
    assert_eq!(mtu(session.netwright(["check", "lan", "--json"]).expect_code(0)), Some("1500"));
    // Also where there was nothing else to change.
    let text = text.replace("is: 10.0.0.1/24, within: 200ms", "is: 10.0.0.1/24, within: 300ms");
    let other = session.file("lan.yaml", text).display().to_string();
    let applied = session.netwright(["apply", &other, "-p", "mtu=1500"]).expect_code(0);
    assert!(applied.stdout.contains("0 changes"), "{applied:#?}");
    let checked = session.netwright(["check", "lan", "--json"]).expect_code(0).json();
    assert!(checked["checks"][1]["name"].to_string().contains("300ms"), "{checked}");
}

#[test]
fn a_lab_without_a_scenario_has_no_checks() {
    let session = Session::new();
    let _lab = session.keep("bare", ["builtin:ip", "-p", "script="]);
    let told = session.netwright(["check", "bare"]).expect_code(2);
    assert!(told.stderr.starts_with("error: no checks are remembered with `bare`"), "{told:#?}");
}

#[test]
fn what_is_being_made_is_not_checked_yet() {
    let host = Host::with_processes();
    let file = host.session().file("lan.yaml", LAB).display().to_string();
    let mut inner = host.session().command(["run", &file, "--keep", "lan"]);
    inner.env("NETWRIGHT_CRASH_AT", "1").env("NETWRIGHT_CRASH", "pause");
    let mut command = host.command(&inner);
    let mut run = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("nsenter");
    let start = Instant::now();
    while !is_stopped(&run) {
        assert!(start.elapsed() < PATIENCE, "it doesn't stop");
        thread::sleep(Duration::from_millis(10));
    }
    let told = host.netwright(["check", "lan"], &[]).expect_code(5);
    assert!(told.stderr.contains("another process works on `lan`"), "{told:#?}");
    let id = run.id().to_string();
    let sent = std::process::Command::new("kill").args(["-CONT", &id]).status();
    assert!(sent.expect("kill(1) is installed").success());
    assert!(run.wait().expect("it is ours").success());
    host.netwright(["check", "lan"], &[]).expect_code(0);
    host.netwright(["destroy", "lan"], &[]).expect_code(0);
}

fn is_stopped(process: &Child) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", process.id())).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|after| after.trim_start().starts_with('T'))
}

const EDGE: &str = "\
name: edge
target: host
steps:
  - recipe: builtin:ip
    params: { script: 'ip link add lab-b type bridge' }
checks:
  - link: { name: lab-b, kind: bridge, up: false, within: 200ms }
";

#[test]
fn a_deployment_on_the_host_is_checked_with_the_grants_of_then() {
    let host = Host::new();
    let file = host.session().file("edge.yaml", EDGE).display().to_string();
    let read = ["--grant", "host.link.read"];
    let make = ["--grant", "host.link.create kind=bridge name=lab-*"];
    host.netwright([&["apply", &file][..], &read, &make].concat(), &[]).expect_code(0);
    let check = |more: &[&str]| host.netwright([&["check", "edge", "--json"], more].concat(), &[]);
    let checked = check(&read).expect_code(0).json();
    assert_eq!((&checked["target"], &checked["result"]), (&"host".into(), &"passed".into()));
    host.ip_lines("link set lab-b up");
    assert_eq!(check(&read).expect_code(1).json()["checks"][0]["verdict"], "fail");
    host.ip_lines("link set lab-b down");
    check(&read).expect_code(0);
    // Nothing was altered, and it is a deployment as before.
    host.netwright([&["plan", &file, "--exit-code"][..], &read, &make].concat(), &[])
        .expect_code(0);
    host.netwright(["destroy", "edge"], &[]).expect_code(0);
    host.netwright(["check", "edge"], &[]).expect_code(2);
}
