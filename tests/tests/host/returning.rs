//! A link of others' that was down, was moved or left its master gets back what it lost by that: the
//! neighbours that somebody put there, and its place in its master as it was.

use netwright_tests::{Host, Output, is_complete_kernel};

const GRANTS: [&str; 8] = [
    "host.link.read",
    "host.namespace name=lab-*",
    "host.link.move name=eth1",
    "host.link.modify name=bd,eth1,eth7,br0",
    "host.link.create kind=bridge name=lab-*",
    "host.link.create kind=bridge name=lab-* mtu=1000",
    "host.link.create kind=bond,team,vrf name=lab-*",
    "host.route.add cidr=10.0.0.0/8",
];

const NEIGHBOURS: &str = "link add eth1 type veth peer name sw1
    link set sw1 up
    address add 192.0.2.1/24 dev eth1
    -6 address add 2001:db8::1/64 dev eth1 nodad
    link set eth1 up
    neighbour add 192.0.2.9 lladdr 02:00:00:00:00:09 dev eth1 nud permanent protocol static
    neighbour add 192.0.2.10 lladdr 02:00:00:00:00:10 dev eth1 nud noarp
    neighbour add 192.0.2.11 lladdr 02:00:00:00:00:11 dev eth1 extern_learn
    neighbour add proxy 192.0.2.8 dev eth1
    -6 neighbour add 2001:db8::9 lladdr 02:00:00:00:00:09 dev eth1 nud permanent router
    -6 neighbour add proxy 2001:db8::8 dev eth1
    link add link eth1 name m1 type macvlan mode bridge
    address add 203.0.113.1/24 dev m1
    link set m1 up
    neighbour add 203.0.113.9 lladdr 02:00:00:00:00:19 dev m1 nud permanent
    neighbour add proxy 203.0.113.8 dev m1";

/// What this kernel may lack.
const VLAN: &str = "link add link eth1 name eth1.5 type vlan id 5
    address add 198.51.100.1/24 dev eth1.5
    link set eth1.5 up
    neighbour add 198.51.100.9 lladdr 02:00:00:00:00:29 dev eth1.5 nud permanent
    neighbour add proxy 198.51.100.8 dev eth1.5";

const LOSING: [&str; 10] = [
    "ip link set eth1 down",
    "ip link set eth1 down\nip link set eth1 up",
    "ip link set eth1 address 02:00:00:00:00:77",
    "ip link set eth1 address 02:00:00:00:00:77\nip link set eth1 address 02:00:00:00:00:78",
    "ip link set eth1 arp off",
    "ip link set eth1 arp off\nip link set eth1 arp on",
    "ip link set eth1 down\nip link set eth1 name eth7\nip link set eth7 up",
    "ip link set eth1 mtu 1000",
    "ip netns add lab-n\nip link set eth1 netns lab-n",
    "ip link set eth1 address 02:00:00:00:00:77 down\nip netns add lab-n\nip link set eth1 netns lab-n
     ip -n lab-n link set eth1 address 02:00:00:00:00:78 up",
];

/// Neighbours that somebody put there; the kernel makes those for groups.
fn neighbours(host: &Host) -> Vec<String> {
    let script = "ip neighbour show nud permanent; ip neighbour show nud noarp; \
                  ip neighbour show proxy; ip neighbour show | grep extern_learn";
    let output = host.run("sh", ["-c", script]);
    let made = |line: &&str| {
        line.starts_with("ff0")
            || line.starts_with("22")
            || line.contains(" lladdr 00:00:00:00:00:00")
    };
    // Whether it was used is the kernel's.
    let line = |line: &str| line.replace(" REACHABLE", "").replace(" STALE", "").trim().to_owned();
    let mut lines: Vec<String> = output.stdout.lines().filter(|one| !made(one)).map(line).collect();
    lines.sort();
    lines.dedup();
    lines
}

fn apply(host: &Host, script: &str) -> Output {
    host.apply_ip("lent", script, &GRANTS, &[])
}

fn with_neighbours() -> Host {
    let host = Host::with(NEIGHBOURS);
    for line in VLAN.lines().map(str::trim) {
        let output = host.run("ip", line.split(' '));
        if output.code != 0 {
            assert!(!is_complete_kernel(), "{line}: {output:#?}");
            break;
        }
    }
    host.settle();
    host
}

#[test]
fn neighbours_that_somebody_put_come_back() {
    for script in LOSING {
        let host = with_neighbours();
        let before = (host.state(), neighbours(&host));
        assert!(before.1.len() >= 8, "{:#?}", before.1);
        let output = host.run_ip(script, &GRANTS);
        assert_eq!(output.code, 0, "{script}: {output:#?}");
        assert_eq!(neighbours(&host), before.1, "{script}");
        assert_eq!(host.differences(&before.0), [""; 0], "{script}");
        apply(&host, script).expect_code(0);
        let output = host.netwright(["destroy", "lent"], &[]);
        assert_eq!(output.code, 0, "{script}: {output:#?}");
        assert_eq!(neighbours(&host), before.1, "{script}");
        assert_eq!(host.differences(&before.0), [""; 0], "{script}");
    }
}

/// Also what stands on the link that was meant, at moments all over the run.
#[test]
fn neighbours_come_back_from_a_run_that_is_killed() {
    const KILLED: i32 = 128 + 9;
    for script in [LOSING[0], LOSING[2], LOSING[8]] {
        let host = with_neighbours();
        let before = (host.state(), neighbours(&host));
        for moment in (3..50).step_by(3) {
            let variables =
                [("NETWRIGHT_CRASH", "both"), ("NETWRIGHT_CRASH_AT", &moment.to_string())];
            let output = host.run_ip_with(script, &GRANTS, &variables);
            assert!(matches!(output.code, 0 | KILLED), "{script} at {moment}: {output:#?}");
            host.netwright(["gc"], &[]).expect_code(0);
            assert_eq!(neighbours(&host), before.1, "{script} at {moment}");
            assert_eq!(host.differences(&before.0), [""; 0], "{script} at {moment}");
            if output.code == 0 {
                break;
            }
        }
    }
}

/// What somebody puts there while the run lasts stays.
#[test]
fn neighbours_that_came_later_stay() {
    for script in [LOSING[2], LOSING[4]] {
        let host = with_neighbours();
        let mut before = neighbours(&host);
        apply(&host, script).expect_code(0);
        host.ip_lines("neighbour add 192.0.2.77 lladdr 02:00:00:00:00:77 dev eth1 nud permanent");
        before.push("192.0.2.77 dev eth1 lladdr 02:00:00:00:00:77 PERMANENT".to_owned());
        before.sort();
        host.netwright(["destroy", "lent"], &[]).expect_code(0);
        assert_eq!(neighbours(&host), before, "{script}");
    }
}

#[test]
fn a_neighbour_that_is_not_back_is_told() {
    let host = with_neighbours();
    let before = neighbours(&host);
    apply(&host, LOSING[0]).expect_code(0);
    let turn = |value: &str| {
        let word = format!("net.ipv6.conf.eth1.disable_ipv6={value}");
        host.run("sysctl", ["-qw", &word]).expect_code(0);
    };
    turn("1");
    for _ in 0..2 {
        let output = host.netwright(["destroy", "lent"], &[]).expect_code(6);
        let words = "neighbour `2001:db8::9 lladdr 02:00:00:00:00:09 nud permanent router` is not back on `eth1`";
        assert!(output.stderr.contains(words), "{output:#?}");
    }
    turn("0");
    host.netwright(["destroy", "lent"], &[]).expect_code(0);
    assert_eq!(neighbours(&host), before);
}

const PORT: &str = "link add br0 type bridge
    link set br0 up
    link add eth1 type veth peer name sw1
    link set sw1 up
    link set eth1 master br0
    link set eth1 up
    link set eth1 type bridge_slave cost 77 priority 5 hairpin on isolated on learning off
    address add 192.0.2.1/24 dev br0
    neighbour add 192.0.2.9 lladdr 02:00:00:00:00:09 dev br0 nud permanent";

const PLACE: &str = "bridge fdb add 02:00:00:00:00:97 dev eth1 self
    ip link set br0 type bridge vlan_filtering 1
    bridge vlan add dev eth1 vid 10 pvid untagged
    bridge vlan add dev eth1 vid 20-30
    bridge vlan del dev eth1 vid 1
    bridge fdb add 02:00:00:00:00:99 dev eth1 master static vlan 20
    bridge fdb add 02:00:00:00:00:98 dev eth1 master permanent vlan 10";

const LEAVING: [&str; 3] = [
    "ip netns add lab-n\nip link set eth1 netns lab-n",
    "ip link add lab-br type bridge\nip link set eth1 master lab-br",
    "ip link set eth1 nomaster\nip link set eth1 down\nip link set eth1 master br0",
];

/// Runs lines of programs; false at the first that this kernel won't have.
fn lines(host: &Host, lines: &str) -> bool {
    lines.lines().map(str::trim).all(|line| {
        let mut words = line.split(' ');
        let program = words.next().expect("a program's name");
        host.run(program, words).code == 0
    })
}

/// What bridge(8) tells of eth1, but for what is learned.
fn place(host: &Host) -> Vec<String> {
    let script = "ip -d link show eth1 | grep -o -e 'master [^ ]*' -e 'bridge_slave.*' -e 'bond_slave.*' \
                  | sed -E 's/(state|[a-z_]*timer|message_age|hold|forward_delay) +[^ ]+//g; s/designated_[a-z]* [^ ]*//g'; \
                  bridge vlan show dev eth1; bridge fdb show dev eth1 | grep -e static -e permanent | sort";
    let output = host.run("sh", ["-c", script]);
    output.stdout.lines().map(str::to_owned).collect()
}

fn comes_back(host: &Host, script: &str) {
    let before = (host.state(), place(host));
    let output = host.run_ip(script, &GRANTS);
    assert_eq!(output.code, 0, "{script}: {output:#?}");
    assert_eq!(place(host), before.1, "{script}");
    assert_eq!(host.differences(&before.0), [""; 0], "{script}");
    apply(host, script).expect_code(0);
    let output = host.netwright(["destroy", "lent"], &[]);
    assert_eq!(output.code, 0, "{script}: {output:#?}");
    assert_eq!(place(host), before.1, "{script}");
    assert_eq!(host.differences(&before.0), [""; 0], "{script}");
}

#[test]
fn a_port_of_a_bridge_comes_back_as_it_was() {
    for script in LEAVING {
        let host = Host::with(PORT);
        assert!(lines(&host, PLACE) || !is_complete_kernel());
        comes_back(&host, script);
    }
}

/// A master that takes a port only while it is down.
const BUNDLES: [(&str, &str); 1] = [(
    "bond",
    "link add eth1 type veth peer name sw1
         link add bd type bond mode active-backup primary eth1 miimon 100
         link set sw1 up
         link set eth1 master bd
         link set bd up
         link set eth1 type bond_slave queue_id 3
         address add 192.0.2.1/24 dev bd",
)];

const OUT: [&str; 4] = [
    "ip link set eth1 nomaster",
    "ip link set eth1 nomaster\nip link set eth1 up",
    "ip link add lab-br type bridge\nip link set eth1 master lab-br\nip link set eth1 up",
    "ip link add lab-b type bond\nip link set eth1 nomaster\nip link set eth1 master lab-b\nip link delete lab-b",
];

fn bundle(kind: &str, machine: &str) -> Option<Host> {
    let host = Host::new();
    if host.run("ip", ["link", "add", "bd", "type", kind]).code != 0 {
        assert!(!is_complete_kernel(), "{kind}");
        return None;
    }
    host.ip_lines("link delete bd");
    host.ip_lines(machine);
    host.settle();
    Some(host)
}

#[test]
fn a_port_of_a_bond_comes_home_as_a_port() {
    let mut met = 0;
    for (kind, machine) in BUNDLES {
        for script in OUT {
            let Some(host) = bundle(kind, machine) else { continue };
            met += 1;
            let before = (host.state(), place(&host));
            assert!(before.1.iter().any(|line| line.contains("master bd")), "{:?}", before.1);
            comes_back(&host, script);
        }
    }
    assert!(met > 0 || !is_complete_kernel(), "this kernel has no bonds");
}

/// Somebody sets it up in the meantime, wherever it is.
#[test]
fn a_port_of_a_bond_that_somebody_set_up_comes_home_as_a_port() {
    for (script, meddling) in [
        (OUT[0], "link set eth1 up"),
        (OUT[2], "link set eth1 nomaster\nlink set eth1 up"),
        (
            OUT[0],
            "link delete bd\nlink add bd type bond mode active-backup primary eth1 miimon 100
                  link set bd up\naddress add 192.0.2.1/24 dev bd",
        ),
    ] {
        let Some(host) = bundle("bond", BUNDLES[0].1) else { continue };
        let before = place(&host);
        apply(&host, script).expect_code(0);
        host.ip_lines(meddling);
        let output = host.netwright(["destroy", "lent"], &[]);
        assert_eq!(output.code, 0, "{script}, {meddling}: {output:#?}");
        assert_eq!(place(&host), before, "{script}, {meddling}");
    }
}

/// Its master is gone: what is left is told each time, until it is there again.
#[test]
fn a_port_without_its_master_is_told_and_goes_there_once_it_can() {
    let cases = [("bridge", PORT, "br0"), ("bond", BUNDLES[0].1, "bd")];
    for (kind, machine, master) in cases {
        let host = match kind {
            "bridge" => Some(Host::with(machine)),
            _ => bundle(kind, machine),
        };
        let Some(host) = host else { continue };
        let before = place(&host);
        apply(&host, OUT[0]).expect_code(0);
        host.ip_lines(&format!("link set {master} down\nlink set {master} name away"));
        for _ in 0..2 {
            let output = host.netwright(["destroy", "lent"], &[]).expect_code(6);
            let words = format!("`eth1` is not back at `master {master}`");
            assert!(output.stderr.contains(&words), "{output:#?}");
            assert!(!output.stderr.contains("somebody deleted"), "{output:#?}");
        }
        host.ip_lines(&format!("link set away name {master}\nlink set {master} up"));
        host.netwright(["destroy", "lent"], &[]).expect_code(0);
        assert_eq!(place(&host), before, "{kind}");
    }
}
