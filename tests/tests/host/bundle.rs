//! Bonds of others', on a kernel that has them: what a run alters of one, or takes out of it or puts
//! into it, alters its ports as well. All of that takes a grant, and is put back.

use netwright_tests::{Host, Output, is_complete_kernel};
use serde_json::{Value, json};

const MADE: [&str; 4] = [
    "host.link.read",
    "host.namespace name=lab-*",
    "host.link.create kind=veth,bridge,bond name=lab-*",
    "host.link.create kind=veth,bridge,bond name=lab-* mtu=1000-9000",
];
const ALL: [&str; 2] = ["host.link.modify name=bd,eth1,eth2", "host.link.move name=eth1,eth2"];

/// Two cables, both ends of which are here.
const CABLES: &str = "link add eth1 type veth peer name sw1
    link add eth2 type veth peer name sw2
    link set sw1 up
    link set sw2 up";
const PORTS: &str = "link set eth1 master bd
    link set eth2 master bd
    link set bd up
    address add 192.0.2.1/24 dev bd";

/// Bonds, and what is set once they have their ports.
const BONDS: [(&str, &str); 6] = [
    ("mode active-backup miimon 100 primary eth1", "link set eth1 type bond_slave queue_id 3"),
    ("mode active-backup miimon 100", "link set bd type bond active_slave eth2"),
    ("mode active-backup arp_interval 600000 arp_ip_target 192.0.2.9", ""),
    ("mode active-backup fail_over_mac follow miimon 100", ""),
    ("mode balance-alb miimon 100 updelay 200", "link set bd type bond active_slave eth2"),
    ("mode balance-rr miimon 100", "link set bd address 02:00:00:00:00:66\nlink set eth2 mtu 1400"),
];

const SCRIPTS: [&str; 13] = [
    "ip link set eth1 nomaster",
    "ip link set eth2 nomaster",
    "ip link set eth1 nomaster\nip link set eth2 nomaster",
    "ip link set eth2 nomaster\nip link set eth1 nomaster",
    "ip netns add lab-n\nip link set eth1 netns lab-n",
    "ip netns add lab-n\nip link set eth2 netns lab-n\nip -n lab-n link set eth2 up",
    "ip link set bd mtu 1400",
    "ip link set bd mtu 1000",
    "ip link set bd address 02:00:00:00:00:77",
    "ip link set bd promisc on allmulticast on",
    "ip link set bd type bond miimon 0\nip link set bd type bond arp_interval 500000 arp_ip_target 192.0.2.8",
    "ip link set eth2 down",
    "ip link add lab-a type veth peer name lab-b\nip link set lab-b up\nip link set lab-a master bd",
];

/// Of the bond and its ports: what somebody chose, and what the kernel makes of that.
fn bundle(host: &Host) -> Vec<Value> {
    let all = host.ip_json(&["-d", "link", "show"]);
    let one = |name: &str| {
        let link = all.as_array().into_iter().flatten().find(|one| one["ifname"] == name);
        let Some(link) = link else { return json!(null) };
        let flag = |flag: &str| link["flags"].to_string().contains(&format!("\"{flag}\""));
        let port = &link["linkinfo"]["info_slave_data"];
        json!({
            "name": name, "mtu": link["mtu"], "mac": link["address"], "master": link["master"],
            "up": flag("UP"), "promiscuity": link["promiscuity"], "promisc": flag("PROMISC"),
            "allmulti": flag("ALLMULTI"), "index": link["ifindex"], "queue": port["queue_id"],
            "prio": port["prio"], "bond": link["linkinfo"]["info_data"],
        })
    };
    ["bd", "eth1", "eth2"].map(one).to_vec()
}

fn machine(bond: &str, after: &str) -> Option<Host> {
    let host = Host::with(CABLES);
    if host.run("sh", ["-c", &format!("ip link add bd type bond {bond}")]).code != 0 {
        assert!(!is_complete_kernel(), "{bond}");
        return None;
    }
    host.ip_lines(PORTS);
    host.settle();
    for line in after.lines() {
        // A port is chosen once the bond has found out that it works.
        let refused = || match host.run("ip", line.split_whitespace()) {
            Output { code: 0, .. } => Vec::new(),
            Output { stderr, .. } => vec![stderr],
        };
        assert_eq!(netwright_tests::machine::until_empty(refused), [""; 0], "{line}");
    }
    host.settle();
    Some(host)
}

/// Once the bond has found out which of its ports work.
fn until_same(host: &Host, before: &[Value], what: &str) {
    let differs = || {
        let now = bundle(host);
        let pairs = before.iter().zip(now).filter(|(before, now)| *before != now);
        pairs.map(|(before, now)| format!("{before}\n{now}")).collect::<Vec<_>>()
    };
    let left = netwright_tests::machine::until_empty(differs);
    assert_eq!(left, [""; 0], "{what}");
}

fn apply(host: &Host, script: &str, grants: &[&str], variables: &[(&str, &str)]) -> Output {
    host.apply_ip("lent", script, &[&MADE[..], grants].concat(), variables)
}

#[test]
fn what_a_bond_alters_of_its_ports_is_put_back() {
    let mut met = 0;
    for (number, (bond, after)) in BONDS.into_iter().enumerate() {
        // Not all of each: the machine may be slow.
        let chosen = |place: &usize| number == 0 || number == 4 || place % 5 == number % 5;
        let scripts = SCRIPTS.iter().enumerate().filter(|(place, _)| chosen(place));
        for (_, script) in scripts {
            if bond.contains("fail_over_mac") && script.contains(" address ") {
                // The kernel does nothing then, and says that it did (bond_set_mac_address).
                continue;
            }
            let what = format!("{bond}; {after}; {script}");
            let Some(host) = machine(bond, after) else { continue };
            met += 1;
            let before = (host.state(), bundle(&host));
            let grants: Vec<&str> = MADE.iter().chain(&ALL).copied().collect();
            let output = host.run_ip(script, &grants);
            assert_eq!(output.code, 0, "{what}: {output:#?}");
            until_same(&host, &before.1, &what);
            assert_eq!(host.differences(&before.0), [""; 0], "{what}");
            apply(&host, script, &ALL, &[]).expect_code(0);
            let output = host.netwright(["destroy", "lent"], &[]);
            assert_eq!(output.code, 0, "{what}: {output:#?}");
            until_same(&host, &before.1, &what);
            assert_eq!(host.differences(&before.0), [""; 0], "{what}");
        }
    }
    assert!(met > 0 || !is_complete_kernel(), "this kernel has no bonds");
}

#[test]
fn a_killed_run_leaves_a_bond_as_it_was() {
    for (number, script) in [(0, 0), (1, 4), (4, 1), (2, 10)] {
        let ((bond, after), script) = (BONDS[number], SCRIPTS[script]);
        let Some(host) = machine(bond, after) else { continue };
        let before = (host.state(), bundle(&host));
        for moment in (3..60).step_by(7) {
            let moment = moment.to_string();
            let variables = [("NETWRIGHT_CRASH", "both"), ("NETWRIGHT_CRASH_AT", moment.as_str())];
            let grants: Vec<&str> = MADE.iter().chain(&ALL).copied().collect();
            let output = host.run_ip_with(script, &grants, &variables);
            assert!(matches!(output.code, 0 | 137), "{script} at {moment}: {output:#?}");
            host.netwright(["gc"], &[]).expect_code(0);
            let what = format!("{bond}; {script} at {moment}");
            until_same(&host, &before.1, &what);
            assert_eq!(host.differences(&before.0), [""; 0], "{what}");
            if output.code == 0 {
                break;
            }
        }
    }
}

/// What is done to one of them is done to all.
#[test]
fn a_bond_is_altered_only_with_the_right_to_all_of_it() {
    let reached = SCRIPTS.iter().filter(|script| **script != "ip link set eth2 down");
    for script in reached {
        let Some(host) = machine(BONDS[0].0, BONDS[0].1) else { continue };
        let before = (host.state(), bundle(&host));
        for grants in [
            ["host.link.modify name=bd", "host.link.move name=eth1,eth2"],
            ["host.link.modify name=eth1,eth2", "host.link.move name=eth1,eth2"],
            ["host.link.modify name=bd,eth1", "host.link.move name=eth1"],
            ["host.link.modify name=bd,eth2", "host.link.move name=eth2"],
        ] {
            // Whoever takes one out, or moves it, needs no right to alter that one.
            let enough = |port: &str| script.contains(&format!("set {port} netns"));
            let other = if enough("eth1") { "name=bd,eth2" } else { "name=bd,eth1" };
            if (enough("eth1") || enough("eth2")) && grants[0].ends_with(other) {
                continue;
            }
            let output = apply(&host, script, &grants, &[]);
            assert_eq!(output.code, 4, "{script}, {grants:?}: {output:#?}");
            assert_eq!(host.differences(&before.0), [""; 0], "{script}, {grants:?}");
        }
    }
    // On a kernel without bonds there is nothing to alter.
}
