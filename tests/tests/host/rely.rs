//! Changes that build on each other: what one of them took comes back only once an earlier one is
//! taken back, and links have other names by then. Whoever takes it back, all of it is as before.

use std::time::Duration;

use netwright_tests::{Host, Output};

const GRANTS: [&str; 7] = [
    "host.link.read",
    "host.namespace name=lab-*",
    "host.link.move name=eth1,eth7",
    "host.link.modify name=eth1,eth7",
    "host.link.create kind=bridge name=lab-*",
    "host.route.add cidr=10.0.0.0/8,fd00::/16",
    "host.sysctl key=net/ipv6/conf/eth1/disable_ipv6",
];

const LINKS: &str = "link add eth1 type veth peer name sw1
    link set sw1 up
    link set eth1 up
    address add 192.0.2.2/24 dev eth1
    address add 203.0.113.4/24 dev eth1
    -6 address add fd00:1::1/64 dev eth1 nodad
    route add 10.8.0.0/24 dev eth1
    route add 10.50.0.0/16 via 192.0.2.9 mtu 1300
    route add 10.51.0.0/16 dev eth1
    route add 10.52.0.0/16 via 10.8.0.9 dev eth1
    -6 route add fd00:8::/64 dev eth1
    -6 route add fd00:50::/64 via fd00:1::9
    -6 route add fd00:52::/64 via fd00:8::9 dev eth1
    neighbour add 192.0.2.9 lladdr 02:00:00:00:00:09 dev eth1 nud permanent";

const RELYING: [&str; 11] = [
    "ip address delete 192.0.2.2/24 dev eth1\nip link set eth1 down",
    "ip address delete 192.0.2.2/24 dev eth1\nip netns add lab-n\nip link set eth1 netns lab-n",
    "ip address delete 192.0.2.2/24 dev eth1\nip link set eth1 down\nip link set eth1 name eth7\nip link set eth7 up\nip link set eth7 down",
    "ip link set eth1 name eth7\nip address delete 192.0.2.2/24 dev eth7\nip link set eth7 down",
    "ip -6 address delete fd00:1::1/64 dev eth1\nip link set eth1 down\nip link set eth1 name eth7\nip link set eth7 up\nip link set eth7 down",
    "ip address delete 192.0.2.2/24 dev eth1\nip -6 address delete fd00:1::1/64 dev eth1\nip link set eth1 name eth7\nip link set eth7 down",
    "ip route delete 10.8.0.0/24 dev eth1\nip link set eth1 down",
    "ip -6 route delete fd00:8::/64 dev eth1\nip link set eth1 mtu 1000",
    "ip -6 address delete fd00:1::1/64 dev eth1\nsysctl -w net.ipv6.conf.eth1.disable_ipv6=1",
    "ip address delete 192.0.2.2/24 dev eth1\nip link add lab-b type bridge\nip link set eth1 master lab-b\nip link set eth1 down",
    "ip address delete 192.0.2.2/24 dev eth1\nip link set eth1 mtu 1400 down\nip link set eth1 mtu 1300\nip link set eth1 up\nip link set eth1 mtu 1350 down",
];

fn told(host: &Host) -> String {
    let script =
        "ip -o address show dev eth1 | sed 's/^[0-9]*: //; s/tentative //; s/valid_lft.*//'
        ip link show dev eth1 | grep -o 'mtu [0-9]*'; ip route show; ip -6 route show | grep -v fe80
        ip neighbour show nud permanent";
    host.run("sh", ["-c", script]).expect_code(0).stdout
}

fn apply(host: &Host, script: &str) -> Output {
    host.apply_ip("lent", script, &GRANTS, &[])
}

#[test]
fn what_fails_at_its_turn_is_taken_back_once_it_can_be() {
    for script in RELYING {
        let host = Host::with(LINKS);
        let before = (told(&host), host.state());
        let output = host.run_ip(script, &GRANTS);
        assert_eq!(output.code, 0, "{script}: {output:#?}");
        assert_eq!(host.differences(&before.1), [""; 0], "{script}");
        assert_eq!(told(&host), before.0, "{script}");
        apply(&host, script).expect_code(0);
        let output = host.netwright(["destroy", "lent"], &[]);
        assert_eq!(output.code, 0, "{script}: {output:#?}");
        assert_eq!(host.differences(&before.1), [""; 0], "{script}");
        assert_eq!(told(&host), before.0, "{script}");
    }
}

/// At moments all over the run, and with and without its watcher.
#[test]
fn what_fails_at_its_turn_comes_back_from_a_run_that_is_killed() {
    const KILLED: i32 = 128 + 9;
    for script in [RELYING[2], RELYING[5]] {
        let host = Host::with(LINKS);
        let before = (told(&host), host.state());
        for moment in (5..80).step_by(3) {
            let who = if moment % 2 == 0 { "both" } else { "runner" };
            let variables = [("NETWRIGHT_CRASH", who), ("NETWRIGHT_CRASH_AT", &moment.to_string())];
            let output = host.run_ip_with(script, &GRANTS, &variables);
            assert!(matches!(output.code, 0 | KILLED), "{script} at {moment}: {output:#?}");
            host.collect(netwright_tests::machine::patience(Duration::from_secs(60)));
            assert_eq!(host.differences(&before.1), [""; 0], "{script} at {moment}");
            assert_eq!(told(&host), before.0, "{script} at {moment}");
            if output.code == 0 {
                break;
            }
        }
    }
}

/// A step that nobody can carry out is told, and what an older change has put back stays so when it
/// is tried once more.
#[test]
fn what_cannot_be_put_back_is_told_until_it_can_be() {
    let host = Host::with(LINKS);
    let before = (told(&host), host.state());
    let script = "ip link set eth1 mtu 1400\nip link set eth1 mtu 1300 down";
    apply(&host, script).expect_code(0);
    host.ip_lines("address delete 192.0.2.2/24 dev eth1");
    for _ in 0..2 {
        let output = host.netwright(["destroy", "lent"], &[]);
        assert_eq!(output.code, 6, "{output:#?}");
        assert!((output.stdout + &output.stderr).contains("10.50.0.0/16"));
        assert!(told(&host).contains("mtu 1500"), "{}", told(&host));
    }
    host.ip_lines("address add 192.0.2.2/24 dev eth1");
    host.netwright(["destroy", "lent"], &[]).expect_code(0);
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&told(&host)), sorted(&before.0));
}

/// By whatever name somebody has given it meanwhile; and with the link goes what was of it.
#[test]
fn routes_are_by_a_link_whatever_that_is_called() {
    for script in ["ip link set eth1 down", "ip route delete 10.51.0.0/16 dev eth1"] {
        let host = Host::with(LINKS);
        let before = told(&host);
        apply(&host, script).expect_code(0);
        host.ip_lines(
            "link set eth1 down
            link set eth1 name wan
            link add eth1 type veth peer name sw2",
        );
        if !script.ends_with("down") {
            host.ip_lines("link set wan up");
        }
        host.netwright(["destroy", "lent"], &[]).expect_code(0);
        let route = host.run("ip", ["route", "show", "10.51.0.0/16"]).expect_code(0).stdout;
        assert!(route.contains("dev wan"), "{script}: {route}");
        assert!(before.contains("10.51.0.0/16 dev eth1"), "{before}");

        let host = Host::with(LINKS);
        apply(&host, script).expect_code(0);
        host.ip_lines("link delete eth1");
        let output = host.netwright(["destroy", "lent"], &[]);
        assert_eq!(output.code, 0, "{script}: {output:#?}");
    }
}
