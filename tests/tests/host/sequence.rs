//! What of a link's addresses is more than the addresses: their order, by which the kernel chooses a
//! source, their labels, and the token that its own end with.

use netwright_tests::{Host, Output};

const GRANTS: [&str; 4] = [
    "host.link.read",
    "host.namespace name=lab-*",
    "host.link.move name=eth1",
    "host.link.modify name=eth1,eth7",
];

const LINKS: &str = "link add eth1 type veth peer name sw1
    link set sw1 up
    link set eth1 up
    address add 192.0.2.2/24 dev eth1 label eth1:x
    address add 203.0.113.4/24 dev eth1 label eth1
    address add 192.0.2.3/24 dev eth1
    address add 192.0.2.4/24 dev eth1 label eth1:y
    address add 198.51.100.1/32 dev eth1
    route add 10.0.0.0/8 via 192.0.2.9
    route add 172.16.0.0/12 dev eth1 scope global
    route add 10.9.0.0/16 via 203.0.113.9 src 192.0.2.3";

/// With and without the promotion of secondary addresses.
const LOSING: [&str; 9] = [
    "ip address delete 192.0.2.2/24 dev eth1",
    "ip address delete 203.0.113.4/24 dev eth1",
    "ip address delete 192.0.2.3/24 dev eth1",
    "ip address delete 192.0.2.4/24 dev eth1\nip address delete 192.0.2.2/24 dev eth1",
    "ip link set eth1 down\nip link set eth1 name eth7",
    "ip link set eth1 down\nip link set eth1 name eth7\nip link set eth7 up",
    "ip link set eth1 mtu 1000",
    "ip link set eth1 down",
    "ip netns add lab-n\nip link set eth1 netns lab-n",
];

fn host(promote: &str) -> Host {
    let host = Host::with("link add eth0 type veth peer name sw0");
    let set = format!("echo {promote} > /proc/sys/net/ipv4/conf/default/promote_secondaries");
    host.run("sh", ["-c", &set]).expect_code(0);
    host.ip_lines(LINKS);
    host.settle();
    host.run("ip", ["token", "set", "::77", "dev", "eth1"]).expect_code(0);
    host
}

fn told(host: &Host) -> String {
    let script = "ip -o -4 address show dev eth1 | sed 's/^[0-9]*: //'; ip route show
        ip route get 172.16.5.5 | sed 's/ uid.*//'; ip token show dev eth1";
    host.run("sh", ["-c", script]).expect_code(0).stdout
}

fn apply(host: &Host, script: &str) -> Output {
    host.apply_ip("lent", script, &GRANTS, &[])
}

#[test]
fn addresses_come_back_in_their_order_under_their_labels() {
    for promote in ["0", "1"] {
        for script in LOSING {
            let host = host(promote);
            let before = (told(&host), host.state());
            assert!(before.0.contains("token ::77"), "{}", before.0);
            apply(&host, script).expect_code(0);
            host.netwright(["destroy", "lent"], &[]).expect_code(0);
            assert_eq!(host.differences(&before.1), [""; 0], "{script}, {promote}");
            assert_eq!(told(&host), before.0, "{script}, {promote}");
        }
    }
}

#[test]
fn a_killed_run_gives_addresses_their_order_back() {
    const KILLED: i32 = 128 + 9;
    let host = host("1");
    let before = told(&host);
    for script in [LOSING[0], LOSING[1], LOSING[5]] {
        for moment in (3..).step_by(2) {
            let variables =
                [("NETWRIGHT_CRASH", "both"), ("NETWRIGHT_CRASH_AT", &moment.to_string())];
            let output = host.run_ip_with(script, &GRANTS, &variables);
            assert!(matches!(output.code, 0 | KILLED), "{script} at {moment}: {output:#?}");
            host.netwright(["gc"], &[]).expect_code(0);
            assert_eq!(told(&host), before, "{script} at {moment}");
            if output.code == 0 {
                break;
            }
        }
    }
}

/// A bridge's MTU follows its ports', and more follows that.
#[test]
fn a_port_alters_no_mtu_that_would_not_come_back() {
    const BRIDGE: &str = "link add br0 type bridge
        link add e2 type veth peer name w2
        link add e3 mtu 1400 type veth peer name w3
        link set e2 master br0 up
        link set w2 up
        link set br0 up";
    let own = "ip netns add lab-n
        ip link add lab-a mtu 1400 type veth peer name p netns lab-n
        ip link set lab-a master br0 up";
    let grants = [
        "host.link.read",
        "host.namespace name=lab-*",
        "host.link.move name=e2,e3",
        "host.link.create kind=veth name=lab-* mtu=1400",
        "host.link.modify name=br0,e2,e3",
    ];
    let followers = [
        "sysctl -qw net.ipv6.conf.br0.mtu=1290",
        "ip -6 address add fd00:b::1/64 dev br0 nodad; ip -6 route add fd00:c::/64 via fd00:b::9 mtu 1450",
        "ip link add mv0 link br0 type macvlan",
    ];
    for follower in followers {
        let host = Host::with(BRIDGE);
        host.run("sh", ["-c", follower]).expect_code(0);
        host.settle();
        let state = || {
            let mtu = host.run("sh", ["-c", "cat /proc/sys/net/ipv6/conf/*/mtu"]).expect_code(0);
            (mtu.stdout, host.state())
        };
        let before = state();
        for script in [own, "ip link set e3 master br0", "ip link set e2 mtu 1400"] {
            let output = host.run_ip(script, &grants);
            assert_eq!(output.code, 5, "{script}: {output:#?}");
            let said = output.stdout.clone() + &output.stderr;
            assert!(said.contains("would not come back"), "{script}: {output:#?}");
            assert_eq!(host.differences(&before.1), [""; 0], "{script}");
            assert_eq!(state().0, before.0, "{script}");
        }
        // No narrower than the others.
        let wide = own.replace("mtu 1400 ", "");
        let grants = [&grants[..], &["host.link.create kind=veth name=lab-*"]].concat();
        let output = host.run_ip(&wide, &grants);
        assert_eq!(output.code, 0, "{output:#?}");
        assert_eq!(state().0, before.0);
    }
    let host = Host::with(BRIDGE);
    let before = host.state();
    let output = host.run_ip(own, &grants);
    assert_eq!(output.code, 0, "{output:#?}");
    assert_eq!(host.differences(&before), [""; 0]);
}
