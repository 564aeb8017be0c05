//! What the operator has done since with what a deployment altered: his stays, and what is gone with
//! his link is nothing that could come back.

use netwright_tests::{Host, Output};

const GRANTS: [&str; 6] = [
    "host.link.read",
    "host.namespace name=lab-*",
    "host.link.move name=eth1",
    "host.link.modify name=eth1",
    "host.route.add cidr=10.0.0.0/8",
    "host.sysctl key=net/ipv4/ip_local_reserved_ports,net/ipv4/conf/eth1/arp_ignore,net/ipv6/conf/eth1/disable_ipv6",
];

const LINKS: &str = "link add eth1 type veth peer name sw1
    link add eth2 type veth peer name sw2
    link set sw1 up
    link set eth1 up
    link set sw2 up
    link set eth2 up
    address add 192.0.2.2/24 dev eth1
    address add 203.0.113.2/24 dev eth2
    route add 10.50.0.0/16 via 192.0.2.9";

fn apply(host: &Host, script: &str) -> Output {
    host.apply_ip("lent", script, &GRANTS, &[]).expect_code(0)
}

fn destroy(host: &Host) -> Output {
    host.netwright(["destroy", "lent"], &[])
}

fn shown(host: &Host, script: &str) -> String {
    host.run("sh", ["-c", script]).expect_code(0).stdout
}

/// However it came about, by another run or with SIGKILL at moments all over it.
#[test]
fn a_setting_that_was_empty_is_empty_again() {
    const KILLED: i32 = 128 + 9;
    let host = Host::with(LINKS);
    let ports = || shown(&host, "cat /proc/sys/net/ipv4/ip_local_reserved_ports");
    let script = "sysctl -w net.ipv4.ip_local_reserved_ports=8080";
    assert_eq!(ports(), "\n");
    apply(&host, script);
    assert_eq!(ports(), "8080\n");
    destroy(&host).expect_code(0);
    assert_eq!(ports(), "\n");
    for moment in (3..40).step_by(4) {
        let variables = [("NETWRIGHT_CRASH", "both"), ("NETWRIGHT_CRASH_AT", &moment.to_string())];
        let output = host.run_ip_with(script, &GRANTS, &variables);
        assert!(matches!(output.code, 0 | KILLED), "{moment}: {output:#?}");
        host.netwright(["gc"], &[]).expect_code(0);
        assert_eq!(ports(), "\n", "{moment}");
    }
    // And one that is to be empty is.
    shown(&host, "echo 9090 > /proc/sys/net/ipv4/ip_local_reserved_ports");
    apply(&host, "sysctl -w net.ipv4.ip_local_reserved_ports=");
    assert_eq!(ports(), "\n");
    destroy(&host).expect_code(0);
    assert_eq!(ports(), "9090\n");
}

/// Whether it was deleted by itself, or went with its link.
#[test]
fn a_route_that_somebody_has_put_in_the_place_of_one_stays() {
    let theirs = ["via 192.0.2.8", "via 203.0.113.9 dev eth2 mtu 1300", "dev eth2"];
    for script in ["ip route delete 10.50.0.0/16", "ip link set eth1 down"] {
        for put in theirs.iter().filter(|put| put.contains("eth2") || script.contains("route")) {
            let host = Host::with(LINKS);
            apply(&host, script);
            host.ip_lines(&format!("route add 10.50.0.0/16 {put}"));
            let output = destroy(&host);
            assert_eq!(output.code, 0, "{script}, {put}: {output:#?}");
            let routes = shown(&host, "ip route show 10.50.0.0/16");
            let expected = put.split(' ').take(2).collect::<Vec<_>>().join(" ");
            assert!(routes.contains(&expected), "{script}, {put}: {routes}");
            assert_eq!(routes.lines().count(), 1, "{script}, {put}: {routes}");
        }
    }
    // What has another metric is no other route's place.
    let host = Host::with(LINKS);
    apply(&host, "ip route delete 10.50.0.0/16");
    host.ip_lines("route add 10.50.0.0/16 via 192.0.2.8 metric 7");
    destroy(&host).expect_code(0);
    let routes = shown(&host, "ip route show 10.50.0.0/16");
    assert!(routes.contains("192.0.2.9") && routes.contains("192.0.2.8"), "{routes}");
}

/// One that nobody has touched goes back, and so does what is beside it.
#[test]
fn a_value_that_somebody_has_set_anew_stays_and_is_told() {
    let cases = [
        ("ip link set eth1 mtu 1400", "ip link set eth1 mtu 1450", "mtu 1450"),
        (
            "ip link set eth1 mtu 1300\nip link set eth1 mtu 1400",
            "ip link set eth1 mtu 1450",
            "mtu 1450",
        ),
        ("ip link set eth1 txqueuelen 50", "ip link set eth1 txqueuelen 70", "qlen 70"),
        ("ip link set eth1 alias a", "ip link set eth1 alias theirs", "alias theirs"),
        (
            "ip link set eth1 address 02:00:00:00:00:77",
            "ip link set eth1 address 02:00:00:00:00:88",
            "02:00:00:00:00:88",
        ),
        (
            "sysctl -w net.ipv4.conf.eth1.arp_ignore=2",
            "echo 1 > /proc/sys/net/ipv4/conf/eth1/arp_ignore",
            "arp_ignore 1",
        ),
    ];
    let state =
        "ip -d link show dev eth1; echo arp_ignore $(cat /proc/sys/net/ipv4/conf/eth1/arp_ignore)";
    for (script, theirs, expected) in cases {
        let host = Host::with(LINKS);
        let before = shown(&host, state);
        apply(&host, script);
        destroy(&host).expect_code(0);
        assert_eq!(shown(&host, state), before, "{script}");
        apply(&host, &format!("{script}\nip link set eth1 allmulticast on"));
        shown(&host, theirs);
        let output = destroy(&host);
        assert_eq!(output.code, 0, "{script}: {output:#?}");
        let after = shown(&host, state);
        assert!(after.contains(expected), "{script}: {after}");
        assert!(!after.contains("ALLMULTI"), "{script}: {after}");
        let told = "stays: somebody has set it since";
        assert!(output.stderr.contains(told), "{script}: {output:#?}");
    }
}

const DOWN: &str = "link add eth1 type veth peer name sw1
    link set sw1 up
    address add 192.0.2.2/24 dev eth1
    -6 address add fd00:1::1/64 dev eth1 nodad";

/// As far as a link that is down can have it.
#[test]
fn what_somebody_has_put_on_a_link_stays_when_that_goes_down_again() {
    let host = Host::with(DOWN);
    apply(&host, "ip link set eth1 up");
    host.ip_lines(
        "-6 address add fd00:7::5/64 dev eth1 nodad
        -6 address add fe80::77/64 dev eth1 nodad
        address add 198.51.100.5/24 dev eth1
        neighbour add 192.0.2.9 lladdr 02:00:00:00:00:09 dev eth1 nud permanent
        -6 neighbour add proxy fd00:7::8 dev eth1",
    );
    host.settle();
    destroy(&host).expect_code(0);
    let state =
        "ip address show dev eth1; ip neighbour show nud permanent; ip -6 neighbour show proxy";
    let after = shown(&host, state);
    let wanted = [
        "state DOWN",
        "fd00:1::1",
        "fd00:7::5",
        "fe80::77",
        "198.51.100.5",
        "192.0.2.9",
        "fd00:7::8",
    ];
    for wanted in wanted {
        assert!(after.contains(wanted), "{wanted}: {after}");
    }
    assert_eq!(after.matches("fe80").count(), 1, "{after}");
}

#[test]
fn what_somebody_has_put_on_a_link_that_would_be_lost_for_good_keeps_it() {
    let narrow = format!("{DOWN}\nlink set eth1 mtu 1000 up").replace(
        "-6 address add fd00:1::1/64 dev eth1 nodad",
        "neighbour add proxy 192.0.2.8 dev eth1",
    );
    let off = "sysctl -w net.ipv6.conf.eth1.disable_ipv6=0";
    let six = "-6 address add fd00:7::5/64 dev eth1 nodad";
    let cases = [
        (
            DOWN,
            "ip link set eth1 up",
            "route add 10.60.0.0/16 via 192.0.2.9",
            "route delete 10.60.0.0/16",
        ),
        (
            DOWN,
            "ip link set eth1 up",
            "-6 route add fd00:9::/64 via fd00:1::9 dev eth1",
            "-6 route delete fd00:9::/64",
        ),
        (&narrow, "ip link set eth1 mtu 1500", six, "-6 address delete fd00:7::5/64 dev eth1"),
        (DOWN, off, six, "-6 address delete fd00:7::5/64 dev eth1"),
    ];
    for (links, script, put, delete) in cases {
        let host = Host::with(links);
        if script == off {
            host.ip_lines("link set eth1 up");
            shown(&host, "echo 1 > /proc/sys/net/ipv6/conf/eth1/disable_ipv6");
        }
        apply(&host, script);
        host.ip_lines(put);
        let state = "ip address show dev eth1; ip route; ip -6 route";
        for _ in 0..2 {
            let output = destroy(&host);
            assert_eq!(output.code, 6, "{script}: {output:#?}");
            let said = output.stdout + &output.stderr;
            assert!(said.contains("was put there since"), "{script}: {said}");
            let what = put.split(' ').find(|word| word.contains('/')).unwrap_or_default();
            let after = shown(&host, state);
            assert!(after.contains(what.trim_end_matches("/64")), "{script}: {after}");
        }
        host.ip_lines(delete);
        let output = destroy(&host);
        assert_eq!(output.code, 0, "{script}: {output:#?}");
        let after = shown(
            &host,
            "ip link show dev eth1; cat /proc/sys/net/ipv6/conf/eth1/disable_ipv6 || true",
        );
        let back =
            after.contains("state DOWN") || after.contains("mtu 1000") || after.ends_with("1\n");
        assert!(back, "{script}: {after}");
    }
}

/// A deployment that was mended is mended: what it was before is what comes back.
#[test]
fn a_value_that_was_mended_is_nobodys() {
    let host = Host::with(LINKS);
    let before = shown(&host, "ip -d link show dev eth1");
    apply(&host, "ip link set eth1 mtu 1400");
    host.ip_lines("link set eth1 mtu 1450");
    apply(&host, "ip link set eth1 mtu 1400");
    destroy(&host).expect_code(0);
    let after = shown(&host, "ip -d link show dev eth1");
    assert!(before.contains("mtu 1500") && after.contains("mtu 1500"), "{after}");
}
