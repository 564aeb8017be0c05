//! The order of a link's addresses of IPv6, by which the kernel chooses a source: the newest comes
//! first.

use netwright_tests::{Host, Output};

const GRANTS: [&str; 5] = [
    "host.link.read",
    "host.namespace name=lab-*",
    "host.link.move name=eth1",
    "host.link.modify name=eth1",
    "host.sysctl key=net/ipv6/conf/eth1/disable_ipv6",
];

const ORDERED: &str = "link add eth1 type veth peer name sw1
    link set sw1 up
    link set eth1 up
    -6 address add 2001:db8::1/64 dev eth1 nodad
    -6 address add 2001:db8::2/64 dev eth1 nodad
    -6 address add 2001:db8:7::1/64 dev eth1 nodad
    -6 address add 2001:db8::3/64 dev eth1 nodad
    -6 address add fe80::77/64 dev eth1 nodad
    -6 route add default via 2001:db8::9 dev eth1
    -6 route add fd00:9::/64 via 2001:db8::9 src 2001:db8::2
    neighbour add 2001:db8::9 lladdr 02:00:00:00:00:09 dev eth1 nud permanent";

const LOSING: [&str; 10] = [
    "ip -6 address delete 2001:db8::1/64 dev eth1",
    "ip -6 address delete 2001:db8::2/64 dev eth1",
    "ip -6 address delete 2001:db8::3/64 dev eth1",
    "ip -6 address delete 2001:db8::1/64 dev eth1\nip -6 address delete 2001:db8::3/64 dev eth1",
    "ip -6 address delete fe80::77/64 dev eth1",
    "ip link set eth1 mtu 1000",
    "ip link set eth1 down",
    "ip netns add lab-n\nip link set eth1 netns lab-n",
    "sysctl -w net.ipv6.conf.eth1.disable_ipv6=1",
    "ip -6 address delete 2001:db8::1/64 dev eth1\nip link set eth1 down\nip link set eth1 up",
];

fn order(host: &Host) -> String {
    let script = "ip -o -6 address show dev eth1 | sed 's/^[0-9]*: //; s/valid_lft.*//'
        ip -6 route get 2001:db8:99::1 | sed 's/ uid.*//'";
    host.run("sh", ["-c", script]).expect_code(0).stdout
}

fn apply(host: &Host, script: &str) -> Output {
    host.apply_ip("lent", script, &GRANTS, &[])
}

#[test]
fn addresses_of_ipv6_come_back_in_their_order() {
    for script in LOSING {
        let host = Host::with(ORDERED);
        let before = (order(&host), host.state());
        assert!(before.0.contains("src 2001:db8::3"), "{}", before.0);
        let output = host.run_ip(script, &GRANTS);
        assert_eq!(output.code, 0, "{script}: {output:#?}");
        assert_eq!(host.differences(&before.1), [""; 0], "{script}");
        assert_eq!(order(&host), before.0, "{script}");
        apply(&host, script).expect_code(0);
        let output = host.netwright(["destroy", "lent"], &[]);
        assert_eq!(output.code, 0, "{script}: {output:#?}");
        assert_eq!(host.differences(&before.1), [""; 0], "{script}");
        assert_eq!(order(&host), before.0, "{script}");
    }
}

#[test]
fn addresses_of_ipv6_come_back_in_their_order_from_a_run_that_is_killed() {
    const KILLED: i32 = 128 + 9;
    let host = Host::with(ORDERED);
    let before = (order(&host), host.state());
    for script in [LOSING[0], LOSING[6]] {
        for moment in (3..60).step_by(2) {
            let variables =
                [("NETWRIGHT_CRASH", "both"), ("NETWRIGHT_CRASH_AT", &moment.to_string())];
            let output = host.run_ip_with(script, &GRANTS, &variables);
            assert!(matches!(output.code, 0 | KILLED), "{script} at {moment}: {output:#?}");
            host.netwright(["gc"], &[]).expect_code(0);
            assert_eq!(host.differences(&before.1), [""; 0], "{script} at {moment}");
            assert_eq!(order(&host), before.0, "{script} at {moment}");
            if output.code == 0 {
                break;
            }
        }
    }
}

/// Of several routes at one place IPv4 takes the first.
#[test]
fn routes_that_are_removed_come_back_in_their_order() {
    const MACHINE: &str = "link add eth1 type veth peer name sw1
                           link set sw1 up
                           link set eth1 up
                           address add 198.51.100.2/24 dev eth1
                           route add 10.51.0.0/16 dev eth1
                           route append 10.51.0.0/16 via 198.51.100.8
                           route append 10.51.0.0/16 via 198.51.100.7";
    const GRANTS: [&str; 3] = [
        "host.link.read",
        "host.link.modify name=eth1,eth7",
        "host.route.add cidr=10.0.0.0/8 link=eth1,eth7",
    ];
    let told = |host: &Host| host.run("ip", ["route", "show", "10.51.0.0/16"]).stdout;
    let host = Host::with(MACHINE);
    let before = (told(&host), host.state());
    let first = "ip route del 10.51.0.0/16";
    let last = "ip route del 10.51.0.0/16 via 198.51.100.7";
    let second = "ip route del 10.51.0.0/16 via 198.51.100.8";
    for lines in [
        vec![first],
        vec!["ip route del 10.51.0.0/16 dev eth1"],
        vec![last],
        vec![first, first],
        vec![first, first, first],
        vec![last, second],
        vec![first, last],
        vec![first, "ip link set eth1 name eth7"],
        vec![first, "ip link set eth1 down"],
        vec![first, "ip link set eth1 down", "ip link set eth1 up"],
        vec!["ip route replace 10.51.0.0/16 via 198.51.100.6"],
        vec![
            "ip route prepend 10.51.0.0/16 via 198.51.100.6",
            "ip route del 10.51.0.0/16 dev eth1",
        ],
    ] {
        let script = lines.join("\n");
        let output = host.run_ip(&script, &GRANTS);
        if output.code == 5 {
            // The run's own is before it, so that it is between others.
            assert!(script.contains("prepend"), "{script}: {output:#?}");
        } else {
            assert_eq!(output.code, 0, "{script}: {output:#?}");
        }
        assert_eq!(
            (told(&host), host.differences(&before.1)),
            (before.0.clone(), vec![]),
            "{script}"
        );
    }
    // Between others no route can be put back.
    let output = host.run_ip(second, &GRANTS).expect_code(5);
    assert!(output.stderr.contains("stands between others"), "{output:#?}");
    assert!(output.stderr.contains("help: remove those behind it first"), "{output:#?}");
    for moment in (2..32).step_by(3) {
        for who in ["runner", "both"] {
            let variables = [("NETWRIGHT_CRASH", who), ("NETWRIGHT_CRASH_AT", &moment.to_string())];
            host.run_ip_with(first, &GRANTS, &variables);
            host.collect(netwright_tests::machine::patience(std::time::Duration::from_secs(60)));
            assert_eq!(told(&host), before.0, "{moment}, {who}");
        }
    }
}
