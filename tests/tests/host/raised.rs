//! A link of others' that was down, was set up by the run and is down again: what it had all the same
//! is there again, also on what stands on it.

use std::thread;
use std::time::Duration;

use netwright_tests::machine::until_empty;
use netwright_tests::{Host, Output, is_complete_kernel};

const GRANTS: [&str; 3] = [
    "host.link.read",
    "host.link.modify name=eth1,m1",
    "host.address.add cidr=198.51.100.0/24,2001:db8::/32 link=eth1,m1",
];

/// Once a link was up it has its discipline, and the groups of IPv6.
const ONCE: &str = "link add eth1 type veth peer name sw1
    link set sw1 up
    link set eth1 up
    link add link eth1 name m1 type macvlan mode bridge
    link set m1 up";

const DOWN: &str = "link set m1 down
    link set eth1 down
    address add 192.0.2.1/24 dev eth1
    -6 address add 2001:db8::1/64 dev eth1 nodad
    -6 address add 2001:db8::2/64 dev eth1 nodad valid_lft 3000 preferred_lft 2000
    -6 address add fe80::77/64 dev eth1 nodad
    neighbour add 192.0.2.9 lladdr 02:00:00:00:00:09 dev eth1 nud permanent
    -6 neighbour add 2001:db8::9 lladdr 02:00:00:00:00:09 dev eth1 nud permanent
    neighbour add proxy 192.0.2.8 dev eth1
    -6 neighbour add proxy 2001:db8::8 dev eth1
    -6 address add 2001:db8:1::1/64 dev m1 nodad
    neighbour add 203.0.113.9 lladdr 02:00:00:00:00:19 dev m1 nud permanent
    -6 neighbour add proxy 2001:db8:1::8 dev m1";

/// What this kernel may lack. It goes up with the link that it stands on.
const VLAN: &str = "link add link eth1 name eth1.5 type vlan id 5
    -6 address add fd00:5::1/64 dev eth1.5 nodad
    -6 neighbour add fd00:5::9 lladdr 02:00:00:00:00:29 dev eth1.5 nud permanent
    neighbour add proxy 198.51.100.8 dev eth1.5";

const RAISED: [&str; 6] = [
    "ip link set eth1 up",
    "ip link set eth1 mtu 1400 up",
    "ip link set eth1 up\nip link set eth1 down",
    "ip link set eth1 address 02:00:00:00:00:77 up\nip link set m1 up",
    "ip link set eth1 up\nip -6 address delete 2001:db8::1/64 dev eth1\nip -6 address add 2001:db8::5/64 dev eth1 nodad",
    "ip link set eth1 up\nip link set eth1 mtu 1000",
];

fn down() -> Host {
    let host = Host::with(ONCE);
    host.ip_lines(DOWN);
    for line in VLAN.lines().map(str::trim) {
        let output = host.run("ip", line.split(' '));
        if output.code != 0 {
            assert!(!is_complete_kernel(), "{line}: {output:#?}");
            break;
        }
    }
    // What the kernel makes of an address it makes a moment later.
    let calm = until_empty(|| {
        let before = host.state();
        thread::sleep(Duration::from_millis(500));
        host.differences_now(&before)
    });
    assert_eq!(calm, [""; 0]);
    host
}

/// All that a link has while it is down, in its order; its neighbours by themselves, for their order
/// is of no account.
fn held(host: &Host) -> (String, Vec<String>) {
    let addresses = "ip -o address show | sed 's/^[0-9]*: //; s/valid_lft.*//'";
    let neighbours =
        "ip neighbour show nud permanent; ip neighbour show proxy; ip -6 neighbour show proxy";
    let told = |script| host.run("sh", ["-c", script]).expect_code(0).stdout;
    let kernels = |line: &&str| line.starts_with("ff0") || line.starts_with("224");
    let all = told(neighbours);
    let mut lines: Vec<String> =
        all.lines().filter(|line| !kernels(line)).map(|line| line.trim().to_owned()).collect();
    lines.sort();
    lines.dedup();
    (told(addresses), lines)
}

/// What differs from a state before, but for the group of all stations: the kernel joins that again
/// for whatever stands on a link that went up.
fn differences(host: &Host, before: &[String]) -> Vec<String> {
    let of_all = |line: &String| line.contains("\"mac\":\"33:33:00:00:00:01\"");
    let mut all = host.differences_now(before);
    all.retain(|line| !of_all(line));
    if all.is_empty() {
        return all;
    }
    all = host.differences(before);
    all.retain(|line| !of_all(line));
    all
}

fn apply(host: &Host, script: &str) -> Output {
    host.apply_ip("lent", script, &GRANTS, &[])
}

#[test]
fn what_a_link_had_while_it_was_down_comes_back() {
    for script in RAISED {
        let host = down();
        let before = (host.state(), held(&host));
        assert!(before.1.1.len() >= 6, "{:#?}", before.1);
        let output = host.run_ip(script, &GRANTS);
        assert_eq!(output.code, 0, "{script}: {output:#?}");
        assert_eq!(differences(&host, &before.0), [""; 0], "{script}");
        assert_eq!(held(&host), before.1, "{script}");
        apply(&host, script).expect_code(0);
        let output = host.netwright(["destroy", "lent"], &[]);
        assert_eq!(output.code, 0, "{script}: {output:#?}");
        assert_eq!(differences(&host, &before.0), [""; 0], "{script}");
        assert_eq!(held(&host), before.1, "{script}");
    }
}

/// At moments all over the run, with its watcher and without.
#[test]
fn what_a_link_had_while_it_was_down_comes_back_from_a_run_that_is_killed() {
    const KILLED: i32 = 128 + 9;
    for script in [RAISED[0], RAISED[2]] {
        let host = down();
        let before = (host.state(), held(&host));
        for moment in (3..60).step_by(2) {
            for who in ["both", "runner"] {
                let variables =
                    [("NETWRIGHT_CRASH", who), ("NETWRIGHT_CRASH_AT", &moment.to_string())];
                let output = host.run_ip_with(script, &GRANTS, &variables);
                assert!(matches!(output.code, 0 | KILLED), "{script} at {moment}: {output:#?}");
                host.collect(netwright_tests::machine::patience(Duration::from_secs(60)));
                assert_eq!(differences(&host, &before.0), [""; 0], "{script} at {moment}, {who}");
                assert_eq!(held(&host), before.1, "{script} at {moment}, {who}");
                if output.code == 0 {
                    break;
                }
            }
        }
    }
}
