//! A link of somebody else's that a run moved comes home whatever became of it meanwhile, and is never
//! deleted.

use std::thread;
use std::time::{Duration, Instant};

use netwright_tests::{Host, Output};

const KILLED: i32 = 128 + 9;

/// The link that is lent is `eth1`, whatever it is.
const KINDS: [(&str, &str); 3] = [
    (
        "veth",
        "link add eth1 type veth peer name sw0
         link set sw0 up
         address add 192.0.2.1/24 dev eth1
         link set eth1 up
         route add default via 192.0.2.254 dev eth1",
    ),
    (
        "macvlan",
        "link add up0 type veth peer name up1
         link set up0 up
         link set up1 up
         link add link up0 name eth1 type macvlan mode bridge
         link set eth1 up",
    ),
    ("ifb", "link add eth1 type ifb"),
];

const GRANTS: [&str; 4] = [
    "host.link.read",
    "host.namespace name=f-*",
    "host.link.move name=eth1,lan0,lan1",
    "host.link.modify name=eth1,lan0,lan1",
];

struct Case {
    /// what the run does
    script: &'static [&'static str],
    /// what somebody else does then, who has ip(8)
    meddling: &'static str,
}

const CASES: [Case; 12] = [
    Case {
        script: &[
            "ip netns add f-c1",
            "ip link set eth1 netns f-c1",
            "ip -n f-c1 link set eth1 name lan0",
        ],
        meddling: "",
    },
    Case { script: &["ip netns add f-c1", "ip link set eth1 netns f-c1 name lan0"], meddling: "" },
    Case {
        script: &["ip netns add f-c1", "ip link set eth1 netns f-c1"],
        meddling: "-n f-c1 link set eth1 name net1",
    },
    Case {
        script: &[
            "ip netns add f-c1",
            "ip link set eth1 netns f-c1",
            "ip -n f-c1 link set eth1 name lan0",
            "ip -n f-c1 link set lan0 mtu 1300",
            "ip -n f-c1 link set lan0 address 02:00:00:00:00:09",
            "ip -n f-c1 address add 10.0.0.1/24 dev lan0",
            "ip -n f-c1 link set lan0 up",
        ],
        meddling: "-n f-c1 link set lan0 down
                   -n f-c1 link set lan0 name net1
                   -n f-c1 link set net1 up",
    },
    Case {
        script: &[
            "ip netns add f-c1",
            "ip netns add f-c2",
            "ip link set eth1 netns f-c1",
            "ip -n f-c1 link set eth1 name lan0",
            "ip -n f-c1 link set lan0 netns f-c2",
            "ip -n f-c2 link set lan0 name lan1",
        ],
        meddling: "",
    },
    Case {
        script: &["ip netns add f-c1", "ip netns add f-c2", "ip link set eth1 netns f-c1"],
        meddling: "-n f-c1 link set eth1 netns f-c2
                   -n f-c2 link set eth1 name net1",
    },
    // Something else has its name where it is.
    Case {
        script: &["ip netns add f-c1", "ip link set eth1 netns f-c1 name lan0"],
        meddling: "-n f-c1 link add eth1 type bridge",
    },
    // A link that the run did not make, and that looks as if it were the lent one.
    Case {
        script: &["ip netns add f-c1", "ip link set eth1 netns f-c1"],
        meddling: "-n f-c1 link set eth1 name net1
                   -n f-c1 link add eth1 type bridge",
    },
    Case {
        script: &[
            "ip link set eth1 down",
            "ip link set eth1 name lan0",
            "ip netns add f-c1",
            "ip link set lan0 netns f-c1",
            "ip -n f-c1 link set lan0 name lan1",
        ],
        meddling: "",
    },
    // Altered by somebody else alone; without IPv6, too.
    Case {
        script: &["ip netns add f-c1", "ip link set eth1 netns f-c1"],
        meddling: "-n f-c1 link set eth1 address 02:00:00:00:00:77
                   -n f-c1 link set eth1 mtu 1400 txqueuelen 77 alias theirs promisc on
                   -n f-c1 link set eth1 arp off
                   -n f-c1 link set eth1 multicast off allmulticast on gso_max_size 30000",
    },
    Case {
        script: &["ip netns add f-c1", "ip link set eth1 netns f-c1"],
        meddling: "-n f-c1 link set eth1 mtu 900
                   -n f-c1 link set eth1 name net1
                   -n f-c1 link set net1 address 02:00:00:00:00:77 up",
    },
    // After the run had altered it, too.
    Case {
        script: &[
            "ip netns add f-c1",
            "ip netns add f-c2",
            "ip link set eth1 mtu 1350 alias ours",
            "ip link set eth1 netns f-c1",
            "ip -n f-c1 link set eth1 mtu 1300 alias more",
            "ip -n f-c1 link set eth1 netns f-c2",
        ],
        meddling: "-n f-c2 link set eth1 mtu 900 alias theirs
                   -n f-c2 link set eth1 address 02:00:00:00:00:77",
    },
];

fn file(host: &Host, lines: &[&str]) -> String {
    let script: String = lines.iter().map(|line| format!("        {line}\n")).collect();
    let text = format!(
        "name: f-nic\ntarget: host\nsteps:\n  - recipe: builtin:ip\n    params:\n      script: |\n{script}"
    );
    host.session().file("f-nic.yaml", text).display().to_string()
}

fn apply(host: &Host, lines: &[&str]) -> Output {
    let file = file(host, lines);
    let mut words = vec!["apply", &file];
    words.extend(GRANTS.iter().flat_map(|grant| ["--grant", grant]));
    host.netwright(words, &[])
}

#[test]
fn a_deployment_gives_it_back() {
    for (kind, machine) in KINDS {
        for (number, Case { script, meddling }) in CASES.iter().enumerate() {
            let host = Host::with(machine);
            let before = host.state();
            // An ifb's MAC address can't be set (drivers/net/ifb.c).
            let takes = |line: &&str| kind != "ifb" || !line.contains(" address 02:");
            let script: Vec<&str> = script.iter().copied().filter(takes).collect();
            apply(&host, &script).expect_code(0);
            let meddling: Vec<&str> = meddling.lines().filter(takes).collect();
            host.ip_lines(&meddling.join("\n"));
            let output = host.netwright(["destroy", "f-nic"], &[]);
            assert_eq!(output.code, 0, "{kind}, {number}: {output:#?}");
            assert_eq!(host.differences(&before), [""; 0], "{kind}, {number}");
            assert_eq!(host.journals().len(), 0);
        }
    }
}

#[test]
fn a_run_that_ends_gives_it_back() {
    let host = Host::with(KINDS[0].1);
    let before = host.state();
    for (number, Case { script, .. }) in CASES.iter().enumerate() {
        let output = host.run_ip(&script.join("\n"), &GRANTS);
        assert_eq!(output.code, 0, "{number}: {output:#?}");
        assert_eq!(host.differences(&before), [""; 0], "{number}");
    }
}

/// At moments all over the run: the watcher gives it back, or `gc` where that was killed too.
#[test]
fn a_run_that_is_killed_gives_it_back() {
    let host = Host::with(KINDS[0].1);
    let before = host.state();
    for (number, Case { script, .. }) in
        CASES.iter().enumerate().filter(|(number, _)| [0, 1, 4, 8].contains(number))
    {
        for victim in ["runner", "both"] {
            for moment in (4..60).step_by(3) {
                let variables =
                    [("NETWRIGHT_CRASH", victim), ("NETWRIGHT_CRASH_AT", &moment.to_string())];
                let output = host.run_ip_with(&script.join("\n"), &GRANTS, &variables);
                let place = format!("{number}, {victim} at {moment}");
                assert!(matches!(output.code, 0 | KILLED), "{place}: {output:#?}");
                if victim == "both" {
                    host.netwright(["gc"], &[]).expect_code(0);
                }
                host.until_recovered(Duration::from_secs(60), &place);
                assert_eq!(host.differences(&before), [""; 0], "{place}");
                if output.code == 0 {
                    break;
                }
            }
        }
    }
}

/// What was renamed by somebody else while nobody watched.
#[test]
fn gc_gives_it_back_whatever_it_is_called() {
    let host = Host::with(KINDS[0].1);
    let before = host.state();
    let mut met = 0;
    for moment in (10..40).step_by(2) {
        let variables = [("NETWRIGHT_CRASH", "both"), ("NETWRIGHT_CRASH_AT", &moment.to_string())];
        host.run_ip_with(&CASES[2].script.join("\n"), &GRANTS, &variables);
        met += usize::from(
            host.run("ip", ["-n", "f-c1", "link", "set", "eth1", "name", "net1"]).code == 0,
        );
        host.netwright(["gc"], &[]).expect_code(0);
        assert_eq!(host.differences(&before), [""; 0], "moment {moment}");
    }
    assert!(met > 0, "it was never away");
}

/// Where nobody but root can have made a link of its index.
#[test]
fn it_comes_home_from_a_namespace_that_the_run_does_not_know() {
    for (kind, machine) in &KINDS[..2] {
        let host = Host::with(machine);
        host.ip_lines("netns add theirs");
        let before = host.state();
        for name in ["eth1", "net1"] {
            apply(&host, CASES[2].script).expect_code(0);
            host.ip_lines(&format!(
                "-n f-c1 link set eth1 netns theirs name {name}
                 -n theirs link set {name} mtu 1300"
            ));
            host.netwright(["destroy", "f-nic"], &[]).expect_code(0);
            assert_eq!(host.differences(&before), [""; 0], "{kind}, {name}");
        }
    }
}

#[test]
fn where_its_name_is_taken_it_stays_and_so_does_its_namespace() {
    let host = Host::with(KINDS[0].1);
    let before = host.state();
    apply(&host, CASES[0].script).expect_code(0);
    host.ip_lines("link add eth1 type bridge");
    for _ in 0..2 {
        let output = host.netwright(["destroy", "f-nic"], &[]).expect_code(6);
        let words = "link `eth1` can't go back: the root namespace has another link of that name by now\n  help: rename that one, and take this back again";
        assert!(output.stderr.contains(words), "{output:#?}");
        assert!(output.stderr.contains("namespace `f-c1` stays"), "{output:#?}");
        host.run("ip", ["-n", "f-c1", "link", "show", "lan0"]).expect_code(0);
        assert_eq!(host.journals().len(), 1);
    }
    host.ip_lines("link del eth1");
    host.netwright(["destroy", "f-nic"], &[]).expect_code(0);
    assert_eq!(host.differences(&before), [""; 0]);
}

#[test]
fn a_namespace_that_somebody_deleted_takes_it_along_and_that_is_said() {
    let host = Host::with(KINDS[0].1);
    apply(&host, CASES[0].script).expect_code(0);
    host.ip_lines("netns del f-c1");
    // The kernel takes its time.
    let start = Instant::now();
    while host.run("ip", ["link", "show", "sw0"]).code == 0 {
        assert!(start.elapsed() < Duration::from_secs(60), "sw0 stays");
        thread::sleep(Duration::from_millis(20));
    }
    let output = host.netwright(["destroy", "f-nic"], &[]).expect_code(6);
    let words = "`eth1` is not back in the root namespace: it is no longer in namespace `f-c1`; somebody deleted it, or namespace `f-c1`, and the kernel deletes virtual links with their namespace";
    assert!(output.stderr.contains(words), "{output:#?}");
    assert_eq!(host.journals().len(), 1);
    host.netwright(["gc", "--forget", "f-nic"], &[]).expect_code(0);
}
