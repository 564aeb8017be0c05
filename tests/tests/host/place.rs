//! Ports of others': their place in a master that they leave comes back whole, or they don't leave.

use netwright_tests::{Host, is_complete_kernel};

const GRANTS: [&str; 5] = [
    "host.link.read",
    "host.namespace name=lab-*",
    "host.link.create kind=bridge,vrf name=lab-*",
    "host.link.modify name=eth1,br0",
    "host.link.move name=eth1",
];

/// A port whose every setting is another than the usual one.
const PORT: &str = "link add br0 type bridge
                    link set br0 up
                    link add eth1 type veth peer name sw1
                    link set sw1 up
                    link set eth1 master br0
                    link set eth1 up
                    link set eth1 type bridge_slave isolated on guard on hairpin on learning off
                    link set eth1 type bridge_slave flood off mcast_flood off cost 77 priority 9";

/// The ways in which a port leaves its bridge.
const LEAVING: [&str; 4] = [
    "ip link set eth1 nomaster",
    "ip link add lab-b type bridge\nip link set eth1 master lab-b",
    "ip netns add lab-n\nip link set eth1 netns lab-n",
    "ip link set eth1 nomaster\nip link set eth1 down",
];

fn bridge(host: &Host, line: &str) {
    host.run("bridge", line.split_whitespace()).expect_code(0);
}

/// What iproute2 tells of ports beside `Host::state`.
fn ports(host: &Host) -> String {
    let script = "bridge vlan show; bridge fdb show dev eth1 | grep static | sort
                  bridge mdb show | grep permanent";
    host.run("sh", ["-c", script]).stdout
}

fn port() -> Host {
    let host = Host::with(PORT);
    if is_complete_kernel() {
        host.ip_lines("link set br0 type bridge vlan_filtering 1");
        bridge(&host, "vlan add dev eth1 vid 100 pvid untagged");
        bridge(&host, "vlan add dev eth1 vid 200-210");
        bridge(&host, "vlan del dev eth1 vid 1");
        bridge(&host, "fdb add 02:00:00:00:00:96 dev eth1 master static vlan 100");
    }
    bridge(&host, "fdb add 02:00:00:00:00:99 dev eth1 master static");
    bridge(&host, "fdb add 02:00:00:00:00:97 dev eth1 master permanent");
    host
}

/// A deployment of these lines of ip(8), kept until it is destroyed.
#[track_caller]
fn keep(host: &Host, script: &str) {
    let script = format!("script={script}");
    let mut words = vec!["run", "builtin:ip", "-p", &script, "--target", "host", "--keep", "place"];
    words.extend(GRANTS.iter().flat_map(|grant| ["--grant", grant]));
    host.netwright(words, &[]).expect_code(0);
}

#[test]
fn a_port_that_leaves_its_bridge_has_all_of_its_place_again() {
    let host = port();
    let before = (host.state(), ports(&host));
    for script in LEAVING {
        host.run_ip(script, &GRANTS).expect_code(0);
        assert_eq!(host.differences(&before.0), [""; 0], "{script}");
        assert_eq!(ports(&host), before.1, "{script}");
        keep(&host, script);
        host.netwright(["destroy", "place"], &[]).expect_code(0);
        assert_eq!(host.differences(&before.0), [""; 0], "{script}");
        assert_eq!(ports(&host), before.1, "{script}");
    }
}

#[test]
fn a_port_whose_place_could_not_be_put_back_stays() {
    let host = Host::with(PORT);
    for (line, why) in [
        ("mdb add dev br0 port eth1 grp 239.1.1.1 permanent", "multicast groups"),
        ("fdb add 02:00:00:00:00:98 dev eth1 master sticky static", "sticky entries"),
    ] {
        bridge(&host, line);
        let before = (host.state(), ports(&host));
        for script in LEAVING {
            let output = host.run_ip(script, &GRANTS).expect_code(5);
            assert!(output.stderr.contains(why), "{script}: {}", output.stderr);
            assert_eq!(host.differences(&before.0), [""; 0], "{script}");
            assert_eq!(ports(&host), before.1, "{script}");
        }
        bridge(&host, &line.replace(" add ", " del ").replace("sticky static", ""));
    }
}

#[test]
fn what_a_bridge_alters_of_its_ports_is_put_back() {
    let host = port();
    let before = (host.state(), ports(&host));
    let script = "ip link set br0 type bridge vlan_default_pvid 0";
    let output = host.run_ip(script, &GRANTS);
    if is_complete_kernel() {
        output.expect_code(0);
    } else {
        assert_ne!(output.code, 0, "{}", output.stdout);
    }
    assert_eq!(host.differences(&before.0), [""; 0]);
    assert_eq!(ports(&host), before.1);
}

#[test]
fn a_port_of_a_vrf_keeps_addresses_and_routes() {
    let host = Host::with(
        "link add eth1 type veth peer name sw1
         link set sw1 up
         address add 198.51.100.2/24 dev eth1
         address add fd00:1::2/64 dev eth1 nodad
         link set eth1 up
         route add 10.40.0.0/16 via 198.51.100.1
         route add 10.41.0.0/16 via 198.51.100.1 table 77
         -6 route add fd00:40::/64 via fd00:1::1",
    );
    if is_complete_kernel() {
        // The rules of VRFs come with the first one, and stay.
        host.ip_lines("link add red type vrf table 10\nlink delete red");
    }
    let before = host.state();
    let script = "ip link add lab-v up type vrf table 99\nip link set eth1 master lab-v";
    let grants = [
        &GRANTS[..],
        &["host.route.add cidr=0.0.0.0/1,128.0.0.0/1,::/1,8000::/1 link=lab-v,eth1 table=99"],
    ]
    .concat();
    let output = host.run_ip(script, &grants);
    if is_complete_kernel() {
        output.expect_code(0);
    } else {
        output.expect_code(8);
    }
    assert_eq!(host.differences(&before), [""; 0]);
}
