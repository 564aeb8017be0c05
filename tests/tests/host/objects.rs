//! Next hop objects of others' (ip-nexthop(8)), which the kernel deletes with their link's carrier:
//! none is lost.

use netwright_tests::{Host, is_complete_kernel};

const GRANTS: [&str; 8] = [
    "host.link.read",
    "host.namespace name=lab-*",
    "host.link.move name=eth1,m1",
    "host.link.modify name=eth1,m1,br0,sw1,eth7",
    "host.link.create kind=bridge,vrf name=lab-*",
    "host.route.add cidr=10.0.0.0/8 table=77",
    "host.sysctl key=net.ipv6.conf.eth1.disable_ipv6",
    "host.address.add cidr=10.0.0.0/8 link=eth1",
];

const MACHINE: &str = "link add eth1 type veth peer name sw1
    link set sw1 up
    link set eth1 up
    address add 198.51.100.2/24 dev eth1
    address add fd00:1::1/64 dev eth1 nodad
    link add link eth1 name m1 type macvlan mode bridge
    link set m1 up
    address add 203.0.113.2/24 dev m1";

fn objects(host: &Host) -> Vec<String> {
    let script = "ip nexthop show; ip route show table all | grep nhid; \
                  ip -6 route show table all | grep nhid; true";
    let output = host.run("sh", ["-c", script]).expect_code(0);
    output.stdout.lines().map(|line| line.trim().to_owned()).collect()
}

/// Refused before anything is touched, or as before when it is over.
#[track_caller]
fn none_is_lost(host: &Host, script: &str, refused: bool) {
    let before = (host.state(), objects(host));
    assert!(!before.1.is_empty());
    let output = host.run_ip(script, &GRANTS);
    if output.code == 8 && !is_complete_kernel() {
        return;
    }
    assert_eq!(output.code, if refused { 5 } else { 0 }, "{script}: {output:#?}");
    if refused {
        assert!(output.stderr.contains("next hop object"), "{script}: {output:#?}");
        assert!(output.stderr.contains("ip nexthop delete id"), "{script}: {output:#?}");
    }
    assert_eq!(objects(host), before.1, "{script}");
    assert_eq!(host.differences(&before.0), [""; 0], "{script}");
}

#[test]
fn next_hop_objects_of_others_are_never_lost() {
    let move_it = "ip netns add lab-n\nip link set eth1 netns lab-n";
    for (more, refused, allowed) in [
        (
            "nexthop add id 6 dev eth1\nnexthop add id 9 via 198.51.100.7 dev eth1
             nexthop add id 8 via fd00:1::9 dev eth1\nnexthop add id 7 group 6/9
             route add 10.5.0.0/16 nhid 7\n-6 route add fd00:5::/64 nhid 8",
            &[
                "ip link set eth1 down",
                "ip link set eth1 down mtu 1400\nip link set eth1 up",
                move_it,
                "ip link set sw1 down",
                "ip link add lab-v type vrf table 77\nip link set eth1 master lab-v",
            ][..],
            &[
                "ip link set eth1 mtu 1400",
                "ip link set eth1 mtu 1000",
                "ip link set eth1 address 02:00:00:00:00:77",
                "ip address delete 198.51.100.2/24 dev eth1",
                "ip -6 address delete fd00:1::1/64 dev eth1",
                "ip address flush dev eth1",
                "sysctl -w net.ipv6.conf.eth1.disable_ipv6=1",
                "ip link set m1 down",
            ][..],
        ),
        // What stands on it loses its carrier with it.
        (
            "nexthop add id 6 dev m1",
            &["ip link set eth1 down", "ip link set m1 down", "ip link set sw1 down"],
            &["ip link set eth1 mtu 1400"],
        ),
        (
            "link delete m1\nlink add br0 type bridge\nlink set br0 up\nlink set eth1 master br0
             address add 10.9.0.1/24 dev br0\nnexthop add id 6 dev br0",
            &[
                "ip link set eth1 down",
                "ip link set eth1 nomaster",
                "ip link set br0 down",
                move_it,
            ],
            &["ip link set br0 mtu 1400"],
        ),
        (
            "link delete m1\nlink add br0 type bridge\nlink set br0 up\nlink set eth1 master br0
             link add eth2 type veth peer name sw2\nlink set sw2 up\nlink set eth2 up
             link set eth2 master br0
             address add 10.9.0.1/24 dev br0\nnexthop add id 6 dev br0",
            &["ip link set br0 down"],
            &["ip link set eth1 down", "ip link set eth1 nomaster", move_it],
        ),
    ] {
        let host = Host::with(MACHINE);
        lines(&host, more);
        host.settle();
        for script in refused {
            none_is_lost(&host, script, true);
        }
        for script in allowed {
            none_is_lost(&host, script, false);
        }
    }
}

/// A bridge has its carrier a moment after its port.
#[track_caller]
fn lines(host: &Host, lines: &str) {
    for line in lines.lines().map(str::trim) {
        let failed = || {
            let output = host.run("ip", line.split_whitespace());
            if output.code == 0 { Vec::new() } else { vec![output.stderr] }
        };
        assert_eq!(netwright_tests::machine::until_empty(failed), [""; 0], "{line}");
    }
}

/// Somebody hangs one on what a deployment set up, or made.
#[test]
fn next_hop_objects_that_came_later_keep_their_link() {
    for (script, link) in [
        ("ip link set eth1 up", "eth1"),
        (
            "ip link add lab-b type bridge\nip link set eth1 master lab-b up\nip link set lab-b up",
            "lab-b",
        ),
    ] {
        let host = Host::with("link add eth1 type veth peer name sw1\nlink set sw1 up");
        host.apply_ip("lent", script, &GRANTS, &[]).expect_code(0);
        lines(&host, &format!("nexthop add id 6 dev {link}"));
        let before = objects(&host);
        for _ in 0..2 {
            let output = host.netwright(["destroy", "lent"], &[]).expect_code(6);
            assert!(output.stderr.contains("next hop object 6"), "{output:#?}");
            assert_eq!(objects(&host), before, "{script}");
        }
        host.ip_lines("nexthop delete id 6");
        host.netwright(["destroy", "lent"], &[]).expect_code(0);
    }
}
