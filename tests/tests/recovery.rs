//! A run on the host that is killed leaves nothing: its watcher takes everything back, and where
//! that was killed as well, `gc` or the next run does.

use netwright_tests::{Host, Output};
use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

/// Heeded by builds with debug assertions: the moment of the run at which it ends, and who ends.
const MOMENT: &str = "NETWRIGHT_CRASH_AT";
const VICTIM: &str = "NETWRIGHT_CRASH";
/// Runs side by side: the machines that this is made for have two cores.
const WORKERS: usize = 2;
const KILLED: i32 = 128 + 9;
/// For a watcher to take back a run of a few changes.
const PATIENCE: Duration = Duration::from_secs(10);

/// A machine with a link in use, and beside it what looks like a run's own: its names, an alias that
/// claims to be, the group of some run.
const MACHINE: &str = "link add eth1 type veth peer name sw1
                       link set sw1 up
                       address add 192.0.2.1/24 dev eth1
                       address add 192.0.2.2/24 dev eth1
                       link set eth1 up
                       route add default via 192.0.2.254 dev eth1 metric 50
                       link add eth2 type veth peer name sw2
                       address add 2001:db8:2::1/64 dev eth2 nodad
                       link set sw2 up
                       link set eth2 up
                       link add lab-other type bridge
                       link set lab-other alias netwright
                       link add lab-w type veth peer name lab-x
                       link set lab-w group 1845493761
                       netns add other";

/// Makes, alters, replaces, moves and removes.
const SCRIPT: &str = "netns add n1
                      link add lab-v type veth peer name eth0 netns n1
                      link set lab-v up
                      address add 10.9.0.1/24 dev lab-v
                      link add link eth1 name lab-m type macvlan mode bridge
                      link add lab-br type bridge
                      link set lab-v master lab-br
                      link set eth1 mtu 1400
                      address add 192.0.2.77/24 dev eth1
                      address del 192.0.2.2/24 dev eth1
                      route replace default via 192.0.2.253 dev eth1 metric 50
                      route add 10.77.0.0/16 via 192.0.2.9 dev eth1
                      rule add from 10.9.0.0/16 table 100
                      tuntap add dev lab-t mode tap
                      -n n1 address add 10.9.0.2/24 dev eth0
                      -n n1 link set eth0 up
                      link set eth2 netns n1
                      -n n1 link set eth2 up
                      link set eth1 down
                      netns add n2
                      netns del n2";

const GRANTS: [&str; 10] = [
    "host.link.read",
    "host.namespace name=n*",
    "host.link.create kind=veth,macvlan,bridge,tap name=lab-*,eth0",
    "host.link.create kind=macvlan name=lab-* parent=eth1",
    "host.address.add cidr=10.9.0.0/16,192.0.2.0/24 link=lab-*,eth1",
    "host.link.modify name=eth1",
    "host.link.move name=eth2",
    "host.route.default link=eth1 table=main",
    "host.route.add cidr=10.0.0.0/8 link=eth1,lab-*",
    "host.route.add cidr=10.9.0.0/16 table=100",
];

fn run(host: &Host, variables: &[(&str, &str)]) -> Output {
    host.run_ip_with(SCRIPT, &GRANTS, variables)
}

/// Waits until no journal is left.
#[track_caller]
fn until_recovered(host: &Host, place: &str) {
    host.until_recovered(netwright_tests::machine::patience(PATIENCE), place);
}

/// Calls `at` with each moment, on several hosts at a time, until it answers that the moment never
/// came. Returns how many there were.
fn each_moment(at: impl Fn(&Host, usize) -> bool + Sync) -> usize {
    let next = Mutex::new(1);
    let last = Mutex::new(usize::MAX);
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                let host = Host::with(MACHINE);
                loop {
                    let moment = {
                        let mut next = next.lock().expect("no worker panics with it");
                        *next += 1;
                        *next - 1
                    };
                    if moment >= *last.lock().expect("no worker panics with it") {
                        break;
                    }
                    if !at(&host, moment) {
                        let mut last = last.lock().expect("no worker panics with it");
                        *last = moment.min(*last);
                    }
                }
            });
        }
    });
    last.into_inner().expect("no worker panicked") - 1
}

/// The run, killed at this moment; whether it lived to see it.
#[track_caller]
fn killed(host: &Host, victim: &str, moment: usize) -> bool {
    let output = run(host, &[(VICTIM, victim), (MOMENT, &moment.to_string())]);
    assert!(matches!(output.code, 0 | KILLED), "{victim} at {moment}: {output:#?}");
    output.code == KILLED
}

#[test]
fn the_watcher_takes_back_what_a_killed_run_left() {
    let moments = each_moment(|host, moment| {
        let before = host.state();
        let came = killed(host, "runner", moment);
        until_recovered(host, &format!("moment {moment}"));
        assert_eq!(host.differences(&before), [""; 0], "moment {moment}");
        came
    });
    assert!(moments > 100, "only {moments} moments");
}

#[test]
fn without_its_watcher_gc_does() {
    let moments = each_moment(|host, moment| {
        let before = host.state();
        let came = killed(host, "both", moment);
        host.netwright(["gc"], &[]).expect_code(0);
        until_recovered(host, &format!("moment {moment}"));
        assert_eq!(host.differences(&before), [""; 0], "moment {moment}");
        came
    });
    assert!(moments > 100, "only {moments} moments");
}

#[test]
fn a_run_goes_on_without_its_watcher() {
    let host = Host::with(MACHINE);
    let before = host.state();
    for moment in [3, 40, 90, 140] {
        let variables = [(VICTIM, "watcher"), (MOMENT, &moment.to_string())];
        let variables = variables.map(|(name, value)| (name, value));
        run(&host, &variables).expect_code(0);
        assert_eq!(host.journals(), Vec::<PathBuf>::new());
        assert_eq!(host.differences(&before), [""; 0], "moment {moment}");
    }
}

#[test]
fn recovery_that_is_killed_itself_is_taken_up_again() {
    // Late in the run, when much is there to be taken back.
    let late = 120;
    let moments = each_moment(|host, moment| {
        let before = host.state();
        assert!(killed(host, "both", late));
        let output = host.netwright(["gc"], &[(MOMENT, &moment.to_string())]);
        assert!(matches!(output.code, 0 | KILLED), "gc at {moment}: {output:#?}");
        host.netwright(["gc"], &[]).expect_code(0);
        until_recovered(host, &format!("gc at {moment}"));
        assert_eq!(host.differences(&before), [""; 0], "gc at {moment}");
        output.code == KILLED
    });
    assert!(moments > 20, "only {moments} moments");
}

/// A run that ends between deleting a link and noting that finds its index with somebody else.
#[test]
fn an_index_that_was_given_away_is_another_link() {
    let host = Host::with(MACHINE);
    let before = host.state();
    let indexes = |host: &Host| -> Vec<u64> {
        let links = host.ip_json(&["link", "show"]);
        let links = links.as_array().cloned().unwrap_or_default();
        links.iter().filter_map(|link| link["ifindex"].as_u64()).collect()
    };
    let highest = indexes(&host).into_iter().max().unwrap_or(1);
    let mut strangers = 0;
    for moment in (100..).step_by(3) {
        if !killed(&host, "both", moment) {
            break;
        }
        let used = indexes(&host);
        let free: Vec<u64> = (highest + 1..highest + 8).filter(|one| !used.contains(one)).collect();
        for index in &free {
            host.ip_lines(&format!("link add st{index} index {index} type bridge"));
        }
        host.netwright(["gc"], &[]).expect_code(0);
        for index in &free {
            // Fails where it is gone.
            host.ip_lines(&format!("link del st{index}"));
        }
        strangers += free.len();
        assert_eq!(host.differences(&before), [""; 0], "moment {moment}");
    }
    assert!(strangers > 50, "only {strangers} strangers");
}

#[test]
fn the_next_run_takes_back_what_the_last_one_left() {
    let host = Host::with(MACHINE);
    let before = host.state();
    assert!(killed(&host, "both", 100));
    assert_ne!(
        host.differences_now(&before),
        [""; 0],
        "nothing was left, so that nothing is tested"
    );
    let output = run(&host, &[]).expect_code(0);
    assert!(output.stderr.contains("undone"), "{output:#?}");
    assert_eq!(host.differences(&before), [""; 0]);
}

#[test]
fn gc_tells_what_it_did() {
    let host = Host::with(MACHINE);
    let output = host.netwright(["gc"], &[]).expect_code(0);
    assert_eq!(output.stdout, "nothing was left behind\n");
    assert!(killed(&host, "both", 100));
    let answer: Value = host.netwright(["gc", "--json"], &[]).expect_code(0).json();
    let recovered = &answer["recovered"][0];
    assert_eq!(recovered["name"], "ip", "{answer:#}");
    assert!(recovered["undone"].as_u64().is_some_and(|undone| undone > 5), "{answer:#}");
    assert_eq!(recovered["left"], serde_json::json!([]), "{answer:#}");
}

/// Between none and this long a run lives, which is longer than it takes.
const LONGEST_LIFE: u64 = 400;
/// At night ten times as many.
fn random_kills() -> u64 {
    netwright_tests::machine::times(200, 2000) as u64
}

/// Watchers of this host's journals.
fn watchers(host: &Host) -> Vec<u32> {
    let own = host.session().path("runtime").display().to_string();
    let processes = fs::read_dir("/proc").expect("procfs").flatten();
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let is_watcher = |process: &u32| {
        let read = |file: &str| fs::read(format!("/proc/{process}/{file}")).unwrap_or_default();
        let has = |text: Vec<u8>, wanted: &str| {
            String::from_utf8_lossy(&text).split('\0').any(|word| word.ends_with(wanted))
        };
        has(read("cmdline"), "__watch") && has(read("environ"), &own)
    };
    numbers.filter(is_watcher).collect()
}

/// Not at the moments that we thought of, but whenever it comes: the runner alone, or with its
/// watcher.
#[test]
fn random_kills_leave_nothing() {
    let next = Mutex::new(0);
    let killed_runs = Mutex::new(0);
    let work = || {
        let host = Host::with(MACHINE);
        let before = host.state();
        loop {
            let number = {
                let mut next = next.lock().expect("no worker panics with it");
                *next += 1;
                *next
            };
            if number > random_kills() {
                break;
            }
            // Spread over the whole life; the machine's own timing is random enough.
            let life = number * 7919 % LONGEST_LIFE;
            let both = number % 3 == 0;
            let mut run = start(&host);
            thread::sleep(Duration::from_millis(life));
            if both {
                for watcher in watchers(&host) {
                    end(watcher);
                }
            }
            let early = run.try_wait().expect("it is this test's own").is_none();
            run.kill().expect("it is this test's own");
            run.wait().expect("it was killed");
            *killed_runs.lock().expect("no worker panics with it") += u64::from(early);
            if both {
                host.netwright(["gc"], &[]).expect_code(0);
            }
            let place = format!("kill {number} after {life} ms");
            // Before its watcher is on guard a run has changed nothing, and its journal is the next
            // one's to find.
            if !both && watchers(&host).is_empty() && host.differences(&before).is_empty() {
                host.netwright(["gc"], &[]).expect_code(0);
            }
            until_recovered(&host, &place);
            assert_eq!(host.differences(&before), [""; 0], "{place}");
        }
    };
    thread::scope(|scope| (0..WORKERS).for_each(|_| drop(scope.spawn(work))));
    let killed_runs = killed_runs.into_inner().expect("no worker panicked");
    assert!(killed_runs > random_kills() / 4, "only {killed_runs} runs were still going on");
}

fn start(host: &Host) -> Child {
    let lines: Vec<&str> = SCRIPT.lines().map(str::trim).collect();
    let script = format!("script={}", lines.join("\n"));
    let mut words = vec!["run", "builtin:ip", "--target", "host", "--quiet", "-p", &script];
    words.extend(GRANTS.iter().flat_map(|grant| ["--grant", grant]));
    let mut command = host.command(&host.session().command(words));
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("nsenter is installed: cargo xtask setup")
}

fn end(process: u32) {
    // It may have ended by itself.
    let mut kill = Command::new("kill");
    kill.args(["-KILL", &process.to_string()]).stderr(Stdio::null());
    kill.status().expect("kill(1) is installed: cargo xtask setup");
}
