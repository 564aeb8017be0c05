//! A setting may alter more than itself, and a link may lose its settings with something else: all of
//! it is as before after a run, whichever way that ended; and no two runs have the same one.

use netwright_tests::{Host, Output};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const KILLED: i32 = 128 + 9;

/// Two links in use.
const MACHINE: &str = "link add eth1 type veth peer name sw1
                       link set sw1 up
                       link set eth1 up
                       address add 192.0.2.1/24 dev eth1
                       -6 address add 2001:db8:1::1/64 dev eth1 nodad
                       route add 10.40.0.0/16 via 192.0.2.254 dev eth1
                       -6 route add 2001:db8:40::/48 via 2001:db8:1::9 dev eth1
                       -6 route add 2001:db8:41::/48 via 2001:db8:1::9 dev eth1 mtu 1450
                       link add eth2 type veth peer name sw2
                       link set sw2 up
                       link set eth2 up";

/// A child of one of them, whose MTU goes with its parent's.
const CHILD: &str = "link add link eth1 name child type macvlan mode bridge
                     link set child up
                     -6 address add 2001:db8:3::1/64 dev child nodad";

const GRANTS: [&str; 6] = [
    "host.link.read",
    "host.link.modify name=eth1,eth7",
    "host.link.move name=eth1",
    "host.namespace name=lab-*",
    "host.forwarding key=net.ipv4.ip_forward,net.ipv4.conf.all.forwarding,net.ipv4.conf.default.forwarding,net.ipv4.conf.eth1.forwarding,net.ipv6.conf.all.forwarding,net.ipv6.conf.eth1.forwarding",
    "host.sysctl key=net.ipv4.conf.eth1.arp_ignore,net.ipv6.conf.eth1.disable_ipv6,net.ipv6.conf.eth1.addr_gen_mode,net.ipv6.conf.eth1.stable_secret,net.ipv4.neigh.eth1.base_reachable_time,net.ipv4.neigh.eth1.base_reachable_time_ms,net.ipv6.neigh.eth1.retrans_time,net.ipv4.neigh.eth1.unres_qlen,net.ipv4.neigh.eth1.unres_qlen_bytes,net.ipv6.route.gc_min_interval",
];

/// What the operator has set, below /proc/sys/net.
const CHOSEN: [(&str, &str); 22] = [
    ("ipv4/conf/all/accept_redirects", "0"),
    ("ipv4/conf/eth1/forwarding", "1"),
    ("ipv4/conf/eth1/rp_filter", "2"),
    ("ipv4/conf/eth1/arp_ignore", "1"),
    ("ipv4/conf/eth1/accept_redirects", "0"),
    ("ipv4/conf/default/forwarding", "1"),
    ("ipv6/conf/eth2/forwarding", "1"),
    ("ipv6/conf/eth1/accept_ra", "0"),
    ("ipv6/conf/eth1/accept_redirects", "0"),
    ("ipv6/conf/eth1/autoconf", "0"),
    ("ipv6/conf/eth1/use_tempaddr", "2"),
    ("ipv6/conf/eth1/mtu", "1400"),
    ("ipv6/conf/eth1/hop_limit", "61"),
    ("ipv4/neigh/eth1/base_reachable_time_ms", "40500"),
    ("ipv4/neigh/eth1/unres_qlen_bytes", "212000"),
    ("ipv4/neigh/eth1/gc_stale_time", "61"),
    ("ipv6/neigh/eth1/retrans_time_ms", "1500"),
    ("ipv6/neigh/eth1/mcast_solicit", "5"),
    ("ipv6/route/gc_min_interval_ms", "700"),
    ("ipv6/conf/sw1/disable_ipv6", "1"),
    ("ipv6/conf/sw2/disable_ipv6", "1"),
    ("ipv4/conf/lo/forwarding", "1"),
];

const CHOSEN_OF_CHILD: [(&str, &str); 4] = [
    ("ipv6/conf/child/accept_ra", "0"),
    ("ipv6/conf/child/mtu", "1350"),
    ("ipv6/conf/child/hop_limit", "62"),
    ("ipv6/neigh/child/mcast_solicit", "6"),
];

/// Lines that alter more than they say.
const SCRIPTS: [&str; 17] = [
    "sysctl -w net.ipv4.ip_forward=1",
    "sysctl -w net.ipv4.conf.all.forwarding=1",
    "sysctl -w net/ipv4/conf/all/forwarding=1",
    "sysctl -w net.ipv4.conf.default.forwarding=0",
    "sysctl -w net.ipv4.ip_forward=1\nsysctl -w net.ipv4.ip_forward=0",
    "sysctl -w net.ipv4.ip_forward=0",
    "sysctl -w net.ipv6.conf.all.forwarding=1",
    "sysctl -w net.ipv6.conf.all.forwarding=1\nsysctl -w net.ipv6.conf.eth1.forwarding=0",
    "sysctl -w net.ipv6.conf.eth1.disable_ipv6=1",
    "sysctl -w net.ipv6.conf.eth1.addr_gen_mode=1",
    "sysctl -w net.ipv4.neigh.eth1.base_reachable_time=10\nsysctl -w net.ipv4.neigh.eth1.unres_qlen=7",
    "sysctl -w net.ipv6.neigh.eth1.retrans_time=7\nsysctl -w net.ipv6.route.gc_min_interval=9",
    "ip link set eth1 mtu 1000",
    "ip link set eth1 mtu 1300",
    "ip link set eth1 down",
    "ip netns add lab-1\nip link set eth1 netns lab-1\nip -n lab-1 link set eth1 name lan0 up",
    "sysctl -w net.ipv4.conf.eth1.arp_ignore=2\nip link set eth1 down\nip link set eth1 name eth7\nip link set eth7 name eth1",
];

fn machine() -> Host {
    let host = Host::with(MACHINE);
    set(&host, &CHOSEN);
    host
}

fn with_child() -> Host {
    let host = machine();
    host.ip_lines(CHILD);
    host.settle();
    set(&host, &CHOSEN_OF_CHILD);
    host
}

#[track_caller]
fn set(host: &Host, settings: &[(&str, &str)]) {
    for (key, value) in settings {
        let line = format!("echo '{value}' > /proc/sys/net/{key}");
        host.run("sh", ["-c", &line]).expect_code(0);
    }
}

/// Of the whole network; neighbours are another matter.
fn everything(host: &Host) -> Vec<String> {
    let script =
        "cd /proc/sys/net; grep -rs . core/somaxconn */conf */neigh */route ipv4/ip_forward";
    let settings = host.run("sh", ["-c", script]);
    let mut lines = host.state();
    lines.extend(settings.stdout.lines().map(str::to_owned));
    lines
}

/// Waits until nothing differs.
fn differences(host: &Host, before: &[String]) -> Vec<String> {
    netwright_tests::machine::until_empty(|| {
        let after = everything(host);
        let new = after.iter().filter(|line| !before.contains(line));
        let lost = before.iter().filter(|line| !after.contains(line));
        let new = new.map(|line| format!("new {line}"));
        new.chain(lost.map(|line| format!("lost {line}"))).collect()
    })
}

fn read(host: &Host, key: &str) -> String {
    let path = format!("/proc/sys/net/{key}");
    host.run("cat", [&path]).expect_code(0).stdout.trim().to_owned()
}

fn apply(host: &Host, name: &str, script: &str) -> Output {
    let lines: String = script.lines().map(|line| format!("        {line}\n")).collect();
    let text = format!(
        "name: {name}\ntarget: host\nsteps:\n  - recipe: builtin:ip\n    params:\n      script: |\n{lines}"
    );
    let file = host.session().file(&format!("{name}.yaml"), text).display().to_string();
    let mut words = vec!["apply", &file];
    words.extend(GRANTS.iter().flat_map(|grant| ["--grant", grant]));
    host.netwright(words, &[])
}

fn destroy(host: &Host, name: &str) -> Output {
    host.netwright(["destroy", name], &[])
}

#[track_caller]
fn until_recovered(host: &Host, what: &str) {
    let patience = netwright_tests::machine::patience(Duration::from_secs(20));
    host.until_recovered(patience, what);
}

#[test]
fn what_a_run_alters_with_a_setting_is_as_before() {
    let host = machine();
    let before = everything(&host);
    for script in SCRIPTS {
        host.run_ip(script, &GRANTS).expect_code(0);
        assert_eq!(differences(&host, &before), [""; 0], "{script}");
    }
    set(&host, &[("ipv4/ip_forward", "1"), ("ipv4/conf/eth1/forwarding", "0")]);
    set(&host, &[("ipv6/conf/all/forwarding", "1"), ("ipv6/conf/eth2/forwarding", "0")]);
    let before = everything(&host);
    for script in SCRIPTS.into_iter().take(8) {
        for script in [script.to_owned(), script.replace("=1", "=0")] {
            host.run_ip(&script, &GRANTS).expect_code(0);
            assert_eq!(differences(&host, &before), [""; 0], "{script}, of a router");
        }
    }
}

#[test]
fn what_a_deployment_alters_with_a_setting_is_as_before() {
    let host = machine();
    let before = everything(&host);
    for script in SCRIPTS {
        apply(&host, "dep", script).expect_code(0);
        destroy(&host, "dep").expect_code(0);
        assert_eq!(differences(&host, &before), [""; 0], "{script}");
    }
}

#[test]
fn settings_of_a_child_that_grows_narrow_with_its_parent_are_as_before() {
    let host = with_child();
    let before = everything(&host);
    for script in ["ip link set eth1 mtu 1000", "ip link set eth1 mtu 1300"] {
        host.run_ip(script, &GRANTS).expect_code(0);
        assert_eq!(differences(&host, &before), [""; 0], "{script}");
        let variables = [("NETWRIGHT_CRASH", "runner"), ("NETWRIGHT_CRASH_AT", "12")];
        let output = host.run_ip_with(script, &GRANTS, &variables);
        assert_eq!(output.code, KILLED, "{output:#?}");
        until_recovered(&host, script);
        assert_eq!(differences(&host, &before), [""; 0], "{script}, killed");
    }
}

/// At moments all over the run: the watcher puts it back, or `gc` where that was killed too.
#[test]
fn what_a_killed_run_alters_with_a_setting_is_as_before() {
    let host = machine();
    let before = everything(&host);
    for script in [0, 6, 8, 9, 12, 15].map(|number| SCRIPTS[number]) {
        for victim in ["runner", "both"] {
            for moment in (4..40).step_by(2) {
                let variables =
                    [("NETWRIGHT_CRASH", victim), ("NETWRIGHT_CRASH_AT", &moment.to_string())];
                let output = host.run_ip_with(script, &GRANTS, &variables);
                let place = format!("{script}, {victim} at {moment}");
                assert!(matches!(output.code, 0 | KILLED), "{place}: {output:#?}");
                if victim == "both" {
                    host.netwright(["gc"], &[]).expect_code(0);
                }
                until_recovered(&host, &place);
                assert_eq!(differences(&host, &before), [""; 0], "{place}");
                if output.code == 0 {
                    break;
                }
            }
        }
    }
}

#[test]
fn a_setting_is_of_a_link_whatever_that_is_called() {
    let host = machine();
    for script in ["sysctl -w net.ipv4.conf.eth1.arp_ignore=2", "sysctl -w net.ipv4.ip_forward=1"] {
        apply(&host, "dep", script).expect_code(0);
        host.ip_lines(
            "link set eth1 down
             link set eth1 name eth7
             link set eth7 up
             link add eth1 type bridge",
        );
        set(&host, &[("ipv4/conf/eth1/arp_ignore", "1"), ("ipv4/conf/eth1/rp_filter", "1")]);
        destroy(&host, "dep").expect_code(0);
        for (key, value) in [
            ("ipv4/conf/eth7/arp_ignore", "1"),
            ("ipv4/conf/eth7/forwarding", "1"),
            ("ipv4/conf/eth1/arp_ignore", "1"),
            ("ipv4/conf/eth1/rp_filter", "1"),
        ] {
            assert_eq!(read(&host, key), value, "{key} after {script}");
        }
        host.ip_lines(
            "link del eth1
             link set eth7 down
             link set eth7 name eth1
             link set eth1 up",
        );
    }
    // What was of a link goes with it.
    apply(&host, "dep", "sysctl -w net.ipv4.conf.eth1.arp_ignore=2").expect_code(0);
    host.ip_lines("link del eth1\nlink add eth1 type bridge");
    set(&host, &[("ipv4/conf/eth1/arp_ignore", "8")]);
    destroy(&host, "dep").expect_code(0);
    assert_eq!(read(&host, "ipv4/conf/eth1/arp_ignore"), "8");
}

/// What one run has altered by whichever name, no other one alters.
#[test]
fn settings_that_go_together_are_one_runs() {
    let host = machine();
    let before = everything(&host);
    let forward = "sysctl -w net.ipv4.ip_forward=1";
    for (first, others) in [
        (
            forward,
            &[
                "sysctl -w net.ipv4.conf.all.forwarding=1",
                "sysctl -w net/ipv4/ip_forward=1",
                "sysctl -w net.ipv4.conf.default.forwarding=1",
                "sysctl -w net.ipv4.conf.eth1.forwarding=1",
                "ip netns add lab-2\nip link set eth1 netns lab-2",
                "ip link set eth1 mtu 1000",
            ][..],
        ),
        ("sysctl -w net.ipv4.conf.eth1.forwarding=1", &[forward]),
        ("ip netns add lab-1\nip link set eth1 netns lab-1", &[forward]),
        ("ip link set eth1 mtu 1000", &[forward, "sysctl -w net.ipv4.conf.eth1.arp_ignore=2"]),
        ("sysctl -w net.ipv4.conf.eth1.arp_ignore=2", &["ip link set eth1 mtu 1000"]),
        (
            "sysctl -w net.ipv4.neigh.eth1.base_reachable_time=10",
            &["sysctl -w net.ipv4.neigh.eth1.base_reachable_time_ms=7000"],
        ),
        (
            "sysctl -w net.ipv4.neigh.eth1.unres_qlen_bytes=7000",
            &["sysctl -w net/ipv4/neigh/eth1/unres_qlen=7"],
        ),
    ] {
        apply(&host, "one", first).expect_code(0);
        for other in others {
            let output = apply(&host, "two", other).expect_code(5);
            assert!(output.stderr.contains("by deployment `one`"), "{other}: {output:#?}");
        }
        destroy(&host, "one").expect_code(0);
        assert_eq!(differences(&host, &before), [""; 0], "{first}");
    }
    // Of different links, or of another family.
    apply(&host, "one", forward).expect_code(0);
    for other in ["sysctl -w net.ipv6.conf.all.forwarding=1", "ip link set eth1 mtu 1400"] {
        apply(&host, "two", other).expect_code(0);
        destroy(&host, "two").expect_code(0);
    }
    destroy(&host, "one").expect_code(0);
    assert_eq!(differences(&host, &before), [""; 0]);
}

/// A router forgets what other routers told it, whichever of its links began to forward.
#[test]
fn routes_that_a_router_forgets_come_back() {
    let host = machine();
    // One router that said it once, and went: nobody says it again.
    set(&host, &[("ipv6/conf/eth1/accept_ra", "1")]);
    let mut inner = Command::new(env!("CARGO_BIN_EXE_advertise"));
    inner.arg("sw1");
    let mut router = host.command(&inner).stderr(Stdio::null()).spawn().expect("nsenter is there");
    let told = || host.run("ip", ["-6", "route", "show", "default"]).stdout.contains("proto ra");
    let start = Instant::now();
    while !told() && start.elapsed() < netwright_tests::machine::patience(Duration::from_secs(20)) {
        thread::sleep(Duration::from_millis(20));
    }
    let _ = router.kill();
    let _ = router.wait();
    assert!(told(), "no route came of the advertisement");
    set(&host, &[("ipv6/conf/eth1/accept_ra", "0")]);
    let before = everything(&host);
    for key in ["all", "eth1", "eth2"] {
        let script = format!("sysctl -w net.ipv6.conf.{key}.forwarding=1");
        let grant = format!("host.forwarding key=net.ipv6.conf.{key}.forwarding");
        host.run_ip(&script, &[&grant]).expect_code(0);
        assert_eq!(differences(&host, &before), [""; 0], "{script}");
    }
}

/// Addresses that the kernel makes up with a setting are none of the operator's.
#[test]
fn what_a_link_makes_up_by_a_setting_goes() {
    let host = machine();
    set(&host, &[("ipv6/conf/eth1/stable_secret", "2001:db8::7")]);
    set(&host, &[("ipv6/conf/eth1/addr_gen_mode", "1")]);
    host.run("ip", ["-6", "address", "flush", "dev", "eth1", "scope", "link"]).expect_code(0);
    let before = everything(&host);
    for script in [
        "sysctl -w net.ipv6.conf.eth1.addr_gen_mode=0",
        "sysctl -w net.ipv6.conf.eth1.addr_gen_mode=2",
        "sysctl -w net.ipv6.conf.eth1.stable_secret=2001:0db8:0000:0000:0000:0000:0000:0001",
        "sysctl -w net.ipv6.conf.eth1.disable_ipv6=1",
        "ip link set eth1 mtu 1000",
    ] {
        host.run_ip(script, &GRANTS).expect_code(0);
        assert_eq!(differences(&host, &before), [""; 0], "{script}");
    }
    // What nobody can read nobody can put back.
    host.ip_lines("link add eth7 type veth peer name sw7");
    let grant = "host.sysctl key=net.ipv6.conf.eth7.stable_secret";
    let script = "sysctl -w net.ipv6.conf.eth7.stable_secret=2001:db8::1";
    let output = host.run_ip(script, &[grant]).expect_code(5);
    assert!(output.stderr.contains("it could not be put back"), "{output:#?}");
}

/// What its routers tell a link stays with it, and a secret that the kernel makes up as well.
#[test]
fn a_setting_that_could_not_be_taken_back_is_refused() {
    let host = machine();
    set(&host, &[("ipv6/conf/eth1/use_tempaddr", "0")]);
    let before = everything(&host);
    let refused = |key: &str, value: &str| {
        let grant = format!("host.sysctl key=net/ipv6/conf/eth1/{key}");
        let script = format!("sysctl -w net.ipv6.conf.eth1.{key}={value}");
        let output = host.run_ip(&script, &[&grant]);
        assert_eq!(differences(&host, &before), [""; 0], "{script}");
        output.stderr.contains("can't be taken back")
    };
    for (key, value) in
        [("accept_ra", "1"), ("accept_ra", "2"), ("autoconf", "1"), ("use_tempaddr", "2")]
    {
        assert!(refused(key, value), "{key}={value}");
    }
    assert!(refused("addr_gen_mode", "3"));
    // What it may already, and what tells it less.
    for (key, value) in [("accept_ra", "0"), ("accept_ra_defrtr", "0"), ("accept_ra_pinfo", "1")] {
        assert!(!refused(key, value), "{key}={value}");
    }
}

/// A bridge has its narrowest port's MTU, and below 1280 no IPv6: which of it nobody would put back.
#[test]
fn a_bridge_of_others_grows_not_too_narrow_for_ipv6() {
    let host = Host::with(
        "link add eth1 type veth peer name sw1
         link set sw1 up
         link add br0 type bridge
         link set br0 up
         link set eth1 master br0
         link set eth1 up
         -6 address add 2001:db8:9::1/64 dev br0 nodad",
    );
    let before = everything(&host);
    let grants = [
        "host.link.read",
        "host.link.modify name=eth1,br0",
        "host.link.create kind=veth,tap name=lab-*",
        "host.link.create kind=veth,tap name=lab-* mtu=68-1500",
    ];
    for script in [
        "ip link set eth1 mtu 1000",
        "ip link add lab-v mtu 1000 master br0 type veth peer name lab-w",
        "ip link add lab-v type veth peer name lab-w mtu 1000 master br0",
        "ip link add lab-v mtu 1000 type veth peer name lab-w\nip link set lab-v master br0",
        "ip link add lab-v master br0 type veth peer name lab-w\nip link set lab-v mtu 1000",
    ] {
        let output = host.run_ip(script, &grants).expect_code(5);
        assert!(output.stderr.contains("too narrow for IPv6"), "{script}: {output:#?}");
        assert_eq!(differences(&host, &before), [""; 0], "{script}");
    }
    let script = "ip link add lab-v mtu 1280 master br0 type veth peer name lab-w";
    host.run_ip(script, &grants).expect_code(0);
    assert_eq!(differences(&host, &before), [""; 0], "{script}");
}

/// What can't be put back now is told by whoever looks, until it is.
#[test]
fn what_is_left_of_a_deployment_is_told_until_it_is_back() {
    let host = machine();
    apply(&host, "dep", "sysctl -w net.ipv6.neigh.eth1.retrans_time=7").expect_code(0);
    // Without IPv6 there is no such setting.
    host.ip_lines("link set eth1 mtu 1000");
    for words in [&["destroy", "dep"][..], &["gc"], &["destroy", "dep"], &["gc"]] {
        let output = host.netwright(words, &[]).expect_code(6);
        let said = format!("{}{}", output.stdout, output.stderr);
        assert!(said.contains("net/ipv6/neigh/eth1/retrans_time_ms"), "{words:?}: {output:#?}");
    }
    host.ip_lines("link set eth1 mtu 1500");
    host.netwright(["gc"], &[]).expect_code(0);
    let output = host.netwright(["gc"], &[]).expect_code(0);
    assert_eq!(output.stdout, "nothing was left behind\n");
    assert_eq!(read(&host, "ipv6/neigh/eth1/retrans_time_ms"), "1500");
}
