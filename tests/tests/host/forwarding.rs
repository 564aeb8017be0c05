//! Entries of forwarding databases that somebody has put: of a bridge, where a station of a VLAN is on
//! one port, and of a vxlan. They come back in all that the kernel tells of them, and a right to one
//! port takes nothing from another.

use netwright_tests::{Host, Output, is_complete_kernel};

const READ: &str = "host.link.read";
const PORTS: &str = "host.link.modify name=e2,e3,br0,v5";

const LINKS: &str = "link add eth1 type veth peer name sw1
    link set sw1 up
    address add 192.0.2.2/24 dev eth1
    link set eth1 up
    link add br0 type bridge
    link add e2 address 02:00:00:00:00:e2 type veth peer name w2
    link add e3 address 02:00:00:00:00:e3 type veth peer name w3
    link set e2 master br0 up
    link set e3 master br0 up
    link set w2 up
    link set w3 up
    link set br0 up";

/// A vxlan never says that it is up.
const VXLAN: &str = "link add v5 type vxlan id 5 dstport 4789 remote 192.0.2.50 local 192.0.2.2
    link set v5 up";

const ENTRIES: &str = "add 02:00:00:00:00:01 dev e2 master static
    add 02:00:00:00:00:02 dev e2 master permanent
    add 02:00:00:00:00:03 dev e2 master extern_learn
    add 02:00:00:00:00:04 dev e2 master static sticky
    add 02:00:00:00:00:06 dev br0 self permanent
    add 02:00:00:00:00:11 dev v5 dst 192.0.2.53 port 9999 vni 77 via eth1
    add 02:00:00:00:00:12 dev v5 dst 192.0.2.54 extern_learn
    add 02:00:00:00:00:13 dev v5 dst 192.0.2.55 static
    append 00:00:00:00:00:00 dev v5 dst 192.0.2.51
    append 00:00:00:00:00:00 dev v5 dst 192.0.2.52 port 9998";

/// What this kernel may lack.
const OF_A_VLAN: &str = "add 02:00:00:00:00:05 dev e2 master static vlan 1";

/// Each takes an entry from `e2` or the bridge, for which a right to `e3` is not enough.
const TAKING: [&str; 9] = [
    "bridge fdb replace 02:00:00:00:00:01 dev e3 master static",
    "bridge fdb append 02:00:00:00:00:01 dev e3 master static",
    "bridge fdb replace 02:00:00:00:00:01 vlan 1 dev e3 master static",
    "bridge fdb replace 02:00:00:00:00:02 dev e3 master static",
    "bridge fdb replace 02:00:00:00:00:03 dev e3 master static",
    "bridge fdb replace 02:00:00:00:00:04 dev e3 master permanent",
    "bridge fdb replace 02:00:00:00:00:05 dev e3 master static",
    "bridge fdb replace 02:00:00:00:00:06 dev e3 master static",
    "bridge fdb replace 02:00:00:00:00:e2 dev e3 master static",
];

const ALTERING: [&str; 13] = [
    "bridge fdb replace 02:00:00:00:00:01 dev e2 master permanent",
    "bridge fdb replace 02:00:00:00:00:03 dev e2 master static",
    "bridge fdb delete 02:00:00:00:00:01 dev e2 master",
    "bridge fdb delete 02:00:00:00:00:01 vlan 1 dev e2 master",
    "bridge fdb delete 02:00:00:00:00:03 dev e2 master",
    "bridge fdb add 02:00:00:00:00:77 dev e3 master static",
    "bridge fdb replace 02:00:00:00:00:11 dev v5 dst 192.0.2.99",
    "bridge fdb replace 02:00:00:00:00:12 dev v5 dst 192.0.2.99",
    "bridge fdb delete 02:00:00:00:00:12 dev v5 dst 192.0.2.54",
    "bridge fdb replace 02:00:00:00:00:13 dev v5 dst 192.0.2.98\nbridge fdb replace 02:00:00:00:00:13 dev v5 dst 192.0.2.99",
    "bridge fdb append 00:00:00:00:00:00 dev v5 dst 192.0.2.60",
    "ip link set v5 type vxlan remote 192.0.2.51",
    "ip link set v5 type vxlan remote 192.0.2.99",
];

fn host() -> Host {
    let host = Host::with(LINKS);
    host.ip_lines(VXLAN);
    for line in ENTRIES.lines() {
        let output = put(&host, line);
        assert_eq!(output.code, 0, "{line}: {output:#?}");
    }
    let output = put(&host, OF_A_VLAN);
    assert!(output.code == 0 || !is_complete_kernel(), "{output:#?}");
    host
}

fn put(host: &Host, line: &str) -> Output {
    host.run("bridge", ["fdb"].into_iter().chain(line.split_whitespace()))
}

/// Whether this kernel can make what a script asks for.
fn is_possible(host: &Host, script: &str) -> bool {
    let vlans = || entries(host).iter().any(|line| line.contains("vlan"));
    !(script.contains("vlan") || script.contains("00:05 ")) || vlans()
}

/// All that bridge(8) tells of the stations above.
fn entries(host: &Host) -> Vec<String> {
    let output = host.run("bridge", ["-d", "fdb", "show"]).expect_code(0);
    let meant = |line: &&str| line.starts_with("02:00:00:00:00:") || line.starts_with("00:00:");
    let mut lines: Vec<String> =
        output.stdout.lines().filter(meant).map(|line| line.trim().to_owned()).collect();
    lines.sort();
    lines
}

fn apply(host: &Host, script: &str, grants: &[&str]) -> Output {
    host.apply_ip("lent", script, grants, &[])
}

#[test]
fn entries_that_somebody_put_come_back_as_they_were() {
    for script in TAKING.iter().chain(&ALTERING) {
        let host = host();
        if !is_possible(&host, script) {
            continue;
        }
        let before = entries(&host);
        assert!(before.len() >= 13, "{before:#?}");
        let output = host.run_ip(script, &[READ, PORTS]);
        assert_eq!(output.code, 0, "{script}: {output:#?}");
        assert_eq!(entries(&host), before, "{script}");
        apply(&host, script, &[READ, PORTS]).expect_code(0);
        assert_ne!(entries(&host), before, "{script}");
        host.netwright(["destroy", "lent"], &[]).expect_code(0);
        assert_eq!(entries(&host), before, "{script}");
    }
}

#[test]
fn entries_come_back_from_a_run_that_is_killed() {
    const KILLED: i32 = 128 + 9;
    let host = host();
    let before = entries(&host);
    for script in [TAKING[0], TAKING[4], ALTERING[2], ALTERING[6], ALTERING[11]] {
        for moment in 3.. {
            let variables =
                [("NETWRIGHT_CRASH", "both"), ("NETWRIGHT_CRASH_AT", &moment.to_string())];
            let output = host.run_ip_with(script, &[READ, PORTS], &variables);
            assert!(matches!(output.code, 0 | KILLED), "{script} at {moment}: {output:#?}");
            host.netwright(["gc"], &[]).expect_code(0);
            assert_eq!(entries(&host), before, "{script} at {moment}");
            if output.code == 0 {
                break;
            }
        }
    }
}

/// Also in one batch with what makes the port one of that bridge.
#[test]
fn a_right_to_one_port_takes_no_entry_from_another() {
    let host = host();
    let before = entries(&host);
    for script in TAKING.into_iter().filter(|script| is_possible(&host, script)) {
        let output = host.run_ip(script, &[READ, "host.link.modify name=e3"]);
        assert_eq!(output.code, 4, "{script}: {output:#?}");
        assert_eq!(entries(&host), before, "{script}");
    }
    let own = "ip link add lab-a type veth peer name lab-b
        ip link set lab-a master br0 up
        bridge fdb replace 02:00:00:00:00:01 dev lab-a master static";
    let grants = [READ, "host.link.create kind=veth name=lab-*", "host.link.modify name=br0"];
    let output = host.run_ip(own, &grants);
    assert_eq!(output.code, 4, "{output:#?}");
    assert_eq!(entries(&host), before);
    let output = host.run_ip(own, &[grants[0], grants[1], PORTS]);
    assert_eq!(output.code, 0, "{output:#?}");
    assert_eq!(entries(&host), before);
}

/// What somebody makes of an entry while the run lasts is his.
#[test]
fn entries_and_neighbours_that_somebody_replaced_since_stay() {
    let replacing = "bridge fdb replace 02:00:00:00:00:01 dev e2 master permanent
        bridge fdb add 02:00:00:00:00:77 dev e3 master static
        bridge fdb replace 02:00:00:00:00:13 dev v5 dst 192.0.2.99
        ip neighbour add 192.0.2.7 lladdr 02:00:00:00:00:07 dev eth1 nud permanent
        ip neighbour add 192.0.2.8 lladdr 02:00:00:00:00:08 dev eth1 nud permanent";
    let host = host();
    let grants = [READ, "host.link.modify name=e2,e3,br0,v5,eth1"];
    apply(&host, replacing, &grants).expect_code(0);
    for line in [
        "bridge fdb replace 02:00:00:00:00:01 dev e3 master static",
        "bridge fdb replace 02:00:00:00:00:77 dev e2 master static",
        "bridge fdb replace 02:00:00:00:00:13 dev v5 dst 192.0.2.97",
        "ip neighbour replace 192.0.2.7 lladdr 02:00:00:00:00:97 dev eth1 nud permanent",
    ] {
        let mut words = line.split_whitespace();
        let program = words.next().expect("a program");
        host.run(program, words).expect_code(0);
    }
    let neighbours =
        || host.run("ip", ["neighbour", "show", "nud", "permanent"]).expect_code(0).stdout;
    let (before, mut beside) = (entries(&host), neighbours());
    host.netwright(["destroy", "lent"], &[]).expect_code(0);
    assert_eq!(entries(&host), before);
    beside = beside
        .lines()
        .filter(|line| !line.starts_with("192.0.2.8 "))
        .fold(String::new(), |all, line| format!("{all}{line}\n"));
    assert_eq!(neighbours(), beside);
    assert!(beside.contains("02:00:00:00:00:97"), "{beside}");
}

/// The port has none before and after.
#[test]
fn a_port_without_a_backup_port_is_as_before() {
    let host = host();
    let script = "ip link set e3 type bridge_slave backup_port e2";
    apply(&host, script, &[READ, PORTS]).expect_code(0);
    host.netwright(["destroy", "lent"], &[]).expect_code(0);
    host.run("ip", ["link", "set", "e3", "type", "bridge_slave", "backup_port", "e2"])
        .expect_code(0);
    let backup = || {
        let data = &host.ip_json(&["link", "show", "e3"])[0]["linkinfo"]["info_slave_data"];
        data["backup_port"].clone()
    };
    let before = backup();
    assert_eq!(before, "e2");
    let output = host.run_ip("ip link set e3 type bridge_slave nobackup_port", &[READ, PORTS]);
    assert_eq!(output.code, 0, "{output:#?}");
    assert_eq!(backup(), before);
}
