//! Checks that the end of the run's time, or a signal, leaves undecided.

use std::process::{Command, Stdio};
use std::time::Duration;

use super::{PAIR, run, scenario, timed, verdicts};
use netwright_tests::machine::patience;
use netwright_tests::{Output, Session};

/// Runs that use up all of their time take no longer, however busy the machine is.
const MOST: Duration = Duration::from_secs(40);

/// Undecided ones were cut short or not asked, and the run ends with 7.
#[test]
fn the_limit_ends_checks() {
    let checks = [
        "ping: { from: n1, to: 10.0.0.2 }",
        "ping: { from: n1, to: 10.0.0.3, within: 30min }",
        "ping: { from: n1, to: 10.0.0.4, count: 1000, within: 30min }",
        "neighbour: { namespace: n1, address: 10.0.0.77 }",
        "frames: { namespace: n1, link: eth0, during: { ping: { from: n1, to: 10.0.0.2 } } }",
    ];
    // The steps take some of it, on a busy machine more.
    let time = patience(Duration::from_secs(12)).min(MOST);
    let limits = format!("limits: {{ time: {}s }}\n", time.as_secs());
    let text = scenario(PAIR, &checks, &limits);
    let (output, took) = timed(|| run(&text));
    let verdicts = verdicts(&output.clone().expect_code(7));
    let words: Vec<&str> = verdicts.iter().map(|(verdict, ..)| verdict.as_str()).collect();
    assert_eq!(words, ["pass", "fail", "fail", "skip", "skip"], "{verdicts:#?}");
    for (_, cause, detail) in &verdicts[1..] {
        assert_eq!(cause, "limit", "{detail}");
    }
    assert!(verdicts[1].2.starts_with("cut short after "), "{verdicts:#?}");
    assert!(verdicts[1].2.contains("nobody answers ARP for 10.0.0.3"), "{verdicts:#?}");
    assert_eq!(verdicts[3].2, "not asked: the time of the run was over");
    let result = output.json();
    let name = result["checks"][1]["name"].as_str().unwrap();
    assert!(!name.contains("within"), "it did not have the time that it says: {name}");
    assert_eq!(result["result"], "limit");
    assert!(took < time + patience(Duration::from_secs(48)), "{took:?}");
}

/// The same in words and in JUnit's.
#[test]
fn what_did_not_run_is_skipped_in_every_form() {
    let checks = [
        "ping: { from: n1, to: 10.0.0.3, within: 30min }",
        "neighbour: { namespace: n1, address: 10.0.0.77 }",
    ];
    let session = Session::new();
    // The steps take some of it, on a busy machine more.
    let limits =
        format!("limits: {{ time: {}s }}\n", patience(Duration::from_secs(12)).min(MOST).as_secs());
    let file = session.file("s.yaml", scenario(PAIR, &checks, &limits));
    let junit = session.path("result.xml");
    let arguments = ["run".into(), file.into_os_string(), "--junit".into(), junit.clone().into()];
    let output = session.netwright(arguments).expect_code(7);
    assert!(output.stdout.contains("FAILED ping 10.0.0.3 from n1 is answered: cut short"));
    assert!(output.stdout.contains("skipped neighbour 10.0.0.77 in n1: not asked"), "{output:#?}");
    assert!(output.stdout.contains("1 of 2 checks failed, 1 skipped"), "{output:#?}");
    assert!(output.stderr.contains("error: limit reached: the time of the run"), "{output:#?}");
    assert!(output.stderr.contains("help: `limits` in the scenario, or --timeout"), "{output:#?}");
    let xml = std::fs::read_to_string(junit).unwrap();
    assert!(xml.contains("<skipped message=\"not asked"), "{xml}");
    assert!(xml.contains("skipped=\"1\""), "{xml}");
}

/// Whatever the checks are doing.
#[test]
fn a_signal_is_heard_in_the_middle_of_checks() {
    let waits: &[&[&str]] = &[
        &["ping: { from: n1, to: 10.0.0.3, count: 1000, within: 10min }"],
        &["link: { namespace: n1, name: eth1, within: 10min }"; 200],
        &["ping: { from: n1, to: 10.0.0.2, expect: unreachable, within: 10min }"],
        &["frames: { namespace: n1, link: eth0, protocol: tcp, within: 10min }"],
    ];
    for checks in waits {
        let session = Session::new();
        let file = session.file("s.yaml", scenario(PAIR, checks, "limits: { time: 10min }\n"));
        let events = session.path("events");
        let mut command = session.command(["run".into(), file.into_os_string()]);
        command.arg("--events").arg(&events).stdout(Stdio::piped()).stderr(Stdio::piped());
        let run = command.spawn().unwrap();
        // The checks begin when the last change was made.
        let (_, _) = timed(|| until_last_change(&events));
        std::thread::sleep(Duration::from_millis(500));
        let (output, took) = timed(|| {
            let kill = Command::new("kill").args(["-INT", &run.id().to_string()]).status();
            assert!(kill.unwrap().success());
            Output::from(run.wait_with_output().unwrap())
        });
        output.expect_code(130);
        // Undoing and a busy machine are in it; the checks would take minutes.
        assert!(took < patience(Duration::from_secs(20)), "{took:?} for {}", checks[0]);
    }
}

fn until_last_change(events: &std::path::Path) {
    let until = std::time::Instant::now() + patience(Duration::from_secs(120));
    let last = PAIR.lines().last().unwrap().trim_start_matches("ip ");
    while !std::fs::read_to_string(events).unwrap_or_default().contains("table 100") {
        assert!(std::time::Instant::now() < until, "`{last}` was not done");
        std::thread::sleep(Duration::from_millis(50));
    }
}
