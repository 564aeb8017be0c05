//! Runs on one host at the same time, some of them killed, with `gc` at work meanwhile: no run loses
//! what it made, and nothing is left.

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use netwright_tests::{Host, Output};

const RUNS: usize = 32;
/// At night ten times as many.
fn rounds() -> usize {
    netwright_tests::machine::times(10, 100)
}

const KILLED: i32 = 128 + 9;

const MACHINE: &str = "link add eth1 type veth peer name sw1
                       link set sw1 up
                       link set eth1 up
                       link add lab-other type bridge
                       link set lab-other alias netwright
                       netns add other";

const GRANTS: [&str; 4] = [
    "host.link.read",
    "host.namespace name=run*",
    "host.link.create kind=macvlan name=lab-* parent=eth1",
    "host.address.add cidr=10.9.0.0/16 link=lab-*",
];

/// Every fourth run is killed, each round at another moment, with or without its watcher.
fn one_run(host: &Host, round: usize, number: usize) -> Output {
    let script = format!(
        "netns add run{number}
         link add link eth1 name lab-m{number} netns run{number} type macvlan mode bridge
         -n run{number} address add 10.9.{number}.1/24 dev lab-m{number}
         -n run{number} link set lab-m{number} up
         -n run{number} link show lab-m{number}
         link add link eth1 name lab-r{number} type macvlan mode bridge
         link set lab-r{number} up"
    );
    let moment = (1 + (round * 7 + number * 3) % 60).to_string();
    let victim = if round.is_multiple_of(2) { "runner" } else { "both" };
    let killed = [("NETWRIGHT_CRASH_AT", moment.as_str()), ("NETWRIGHT_CRASH", victim)];
    host.run_ip_with(&script, &GRANTS, if number.is_multiple_of(4) { &killed } else { &[] })
}

/// Says so when it goes.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn nothing_is_lost_and_nothing_is_left() {
    let host = Host::with(MACHINE);
    let before = host.state();
    let over = AtomicBool::new(false);
    let killed = thread::scope(|scope| {
        // However the rounds end: the scope waits for what it has started.
        let _over = Over(&over);
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                host.netwright(["gc"], &[]).expect_code(0);
                thread::sleep(Duration::from_millis(50));
            }
        });
        let mut killed = 0;
        for round in 0..rounds() {
            let host = &host;
            let runs: Vec<_> = (0..RUNS)
                .map(|number| (number, scope.spawn(move || one_run(host, round, number))))
                .collect();
            for (number, run) in runs {
                let output = run.join().expect("a run that was started");
                let may_die = number.is_multiple_of(4) && output.code == KILLED;
                assert!(may_die || output.code == 0, "{number} in round {round}: {output:#?}");
                killed += usize::from(may_die);
            }
            // What a round left is taken back before the names are used again.
            let start = Instant::now();
            while !host.journals().is_empty() {
                assert!(
                    start.elapsed() < netwright_tests::machine::patience(Duration::from_secs(30)),
                    "journals stay after {round}"
                );
                thread::sleep(Duration::from_millis(20));
            }
        }
        killed
    });
    assert!(killed > rounds(), "only {killed} were killed");
    assert_eq!(host.differences(&before), [""; 0]);
}

#[test]
fn two_runs_do_not_alter_the_same_link() {
    let host = Host::with(MACHINE);
    let grants = ["host.link.read", "host.link.modify name=eth1"];
    // A run that was killed with its watcher has what it altered until it is taken back.
    let victim = [("NETWRIGHT_CRASH_AT", "12"), ("NETWRIGHT_CRASH", "both")];
    let before = host.state();
    assert_eq!(host.run_ip_with("link set eth1 mtu 1400", &grants, &victim).code, KILLED);
    assert_eq!(host.journals().len(), 1);
    host.run_ip("link set eth1 mtu 1300", &grants).expect_code(0);
    assert_eq!((host.journals().len(), host.differences(&before)), (0, Vec::new()));
}

#[test]
fn what_is_no_journal_is_not_followed() {
    let host = Host::with(MACHINE);
    host.run_ip("link show", &["host.link.read"]).expect_code(0);
    let runs = host.session().path("runtime").join("runs");
    let canary = host.session().path("canary");
    fs::write(&canary, "canary").expect("the folder is the test's own");
    symlink(&canary, runs.join("6e000001.journal")).expect("a symlink");
    fs::hard_link(&canary, runs.join("6e000002.journal")).expect("a hard link");
    host.run("mkfifo", [runs.join("6e000003.journal")]).expect_code(0);
    let before = host.state();
    let output = host.netwright(["gc"], &[]).expect_code(0);
    assert_eq!(output.stdout, "nothing was left behind\n");
    // What this user wrote there, and no run did, tells nothing.
    for (text, name) in [("", "6e000004"), ("\u{1}\0\0\0nonsense", "6e000005")] {
        let file = runs.join(format!("{name}.journal"));
        fs::write(&file, text).expect("the folder is the test's own");
        let output = host.netwright(["gc"], &[]).expect_code(0);
        assert_eq!(output.stdout, "nothing was left behind\n");
        assert!(!file.exists(), "{name} stays");
    }
    assert_eq!(fs::read_to_string(&canary).expect("it is there"), "canary");
    assert_eq!(host.differences(&before), [""; 0]);
}

#[test]
fn a_folder_that_others_can_write_is_refused() {
    let host = Host::with(MACHINE);
    let runtime = host.session().path("runtime");
    host.run("chmod", ["777", &runtime.display().to_string()]).expect_code(0);
    let before = host.state();
    let output = host.run_ip("link show", &["host.link.read"]).expect_code(8);
    assert!(output.stderr.contains("it belongs to or is open to others"), "{output:#?}");
    assert!(output.stderr.contains("help: set NETWRIGHT_RUNTIME_DIR"), "{output:#?}");
    assert_eq!(host.differences(&before), [""; 0]);
}
