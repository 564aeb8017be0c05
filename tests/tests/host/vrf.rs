//! The tables of VRFs, which get the routes of their ports.

use netwright_tests::{Host, Output, is_complete_kernel};

/// An operator's machine whose session goes by eth1; its rule 100 looks into table 77, and table 78
/// has a route.
const REMOTE: &str = "link add eth1 type veth peer name sw1
                      link set sw1 up
                      address add 192.0.2.2/24 dev eth1
                      link set eth1 up
                      route add 203.0.113.0/24 via 192.0.2.1
                      rule add pref 100 lookup 77
                      -6 rule add pref 100 lookup 79
                      route add 10.8.0.0/16 dev eth1 table 78
                      -6 route add fd00:8::/64 dev eth1 table 80";
const SESSION: (&str, &str) = ("SSH_CONNECTION", "203.0.113.9 50000 192.0.2.2 22");

const LINKS: [&str; 3] = [
    "host.link.read",
    "host.link.create kind=veth,vrf name=lab-*",
    "host.address.add cidr=10.0.0.0/8,203.0.0.0/16,fd00::/16 link=lab-*,red0",
];
const EVERY_TABLE: &str = "host.route.add cidr=10.0.0.0/8,203.0.0.0/16,fd00::/16 link=lab-*,red0 table=10,77,78,79,80,90,local,main,default";

/// What makes a port of a VRF with an address, in the orders in which that can be said.
fn orders(kind: &str, address: &str) -> [String; 3] {
    let port = "ip link add lab-a type veth peer name lab-b";
    [
        format!(
            "ip link add lab-v up type {kind}
             {port}
             ip link set lab-a master lab-v
             ip link set lab-a up
             ip address add {address} dev lab-a"
        ),
        format!(
            "{port}
             ip link set lab-a up
             ip address add {address} dev lab-a
             ip link add lab-v up type {kind}
             ip link set lab-a master lab-v"
        ),
        format!(
            "ip link add lab-v up type {kind}
             ip link add lab-a up master lab-v type veth peer name lab-b
             ip address add {address} dev lab-a"
        ),
    ]
}

#[track_caller]
fn refused(host: &Host, script: &str, grants: &[&str], why: &str) {
    let before = host.state();
    let output = host.run_ip_with(script, grants, &[SESSION]);
    if is_complete_kernel() || !script.contains("vrf") {
        assert_eq!(output.code, 4, "{script}: {}", output.stderr);
        assert!(output.stderr.contains(why), "{script}: {}", output.stderr);
    } else {
        lacking(&output);
    }
    let left = host.differences(&before);
    assert!(left.iter().all(|line| line.contains("l3mdev")), "{script}: {left:?}");
}

/// What the kernel lacks is told before anything is decided.
#[track_caller]
fn lacking(output: &Output) {
    assert_eq!(output.code, 8, "{}", output.stderr);
    assert!(output.stderr.contains("CONFIG_NET_VRF"), "{}", output.stderr);
}

#[test]
fn a_vrf_has_no_table_that_others_use() {
    let host = Host::with(REMOTE);
    let grants = [&LINKS[..], &[EVERY_TABLE]].concat();
    for table in ["255", "254", "253", "local", "main", "default", "0xff", "77", "78", "79", "80"] {
        let line = format!("ip link add lab-v type vrf table {table}");
        refused(&host, &line, &grants, "no grant allows this");
    }
}

#[test]
fn a_vrf_needs_the_right_to_its_table() {
    let host = Host::with(REMOTE);
    for more in [&[][..], &["host.route.add cidr=10.0.0.0/8 link=lab-* table=91"]] {
        let grants = [&LINKS[..], more].concat();
        refused(&host, "ip link add lab-v type vrf table 90", &grants, "table=90");
    }
    for script in orders("vrf table 90", "10.1.0.1/16") {
        let before = host.state();
        let grants =
            [LINKS[0], LINKS[1], LINKS[2], "host.route.add cidr=10.1.0.0/16 link=lab-* table=90"];
        let output = host.run_ip_with(&script, &grants, &[SESSION]);
        if !is_complete_kernel() {
            lacking(&output);
            continue;
        }
        output.expect_code(0);
        // The rule by which VRFs are found stays with the first one.
        let left = host.differences_now(&before);
        assert!(left.iter().all(|line| line.contains("l3mdev")), "{left:?}");
        // Of another network, and of another table, it has none.
        for other in ["cidr=10.2.0.0/16 link=lab-* table=90", "cidr=10.1.0.0/16 table=90"] {
            let other = format!("host.route.add {other}");
            refused(&host, &script, &[LINKS[0], LINKS[1], LINKS[2], &other], "host.route.add");
        }
    }
}

#[test]
fn no_port_of_a_vrf_draws_the_operators_session() {
    let host = Host::with(REMOTE);
    let grants = [&LINKS[..], &[EVERY_TABLE]].concat();
    for table in [255, 254, 77, 90] {
        for script in orders(&format!("vrf table {table}"), "203.0.1.1/16") {
            refused(&host, &script, &grants, "no grant allows this");
        }
    }
}

#[test]
fn a_port_of_others_vrf_needs_the_right_to_its_table() {
    if !is_complete_kernel() {
        let host = Host::with(REMOTE);
        let made = host.run("ip", ["link", "add", "red", "type", "vrf", "table", "10"]);
        assert_ne!(made.code, 0, "this kernel has VRFs");
        return;
    }
    let host = Host::with(REMOTE);
    host.ip_lines(
        "link add red up type vrf table 10
         link add red0 type veth peer name red1
         link set red0 master red
         link set red0 up
         link set red1 up
         address add 10.7.1.1/24 dev red0",
    );
    host.settle();
    let modify = "host.link.modify name=red,red0";
    let all = [LINKS[0], LINKS[1], LINKS[2], modify, EVERY_TABLE];
    let some = [LINKS[0], LINKS[1], LINKS[2], modify];
    refused(&host, "ip link add lab-v type vrf table 10", &all, "no grant allows this");
    refused(&host, "ip address add 10.7.0.1/16 dev red0", &some, "table=10");
    host.run_ip_with("ip address add 10.7.0.1/16 dev red0", &all, &[SESSION]).expect_code(0);
    for script in [
        "ip link add lab-a type veth peer name lab-b
         ip link set lab-a master red
         ip address add 10.7.0.1/16 dev lab-a",
        "ip link add lab-a type veth peer name lab-b
         ip address add 10.7.0.1/16 dev lab-a
         ip link set lab-a master red",
    ] {
        refused(&host, script, &some, "table=10");
    }
    // A session inside the VRF is found by the rule for all of them.
    let inside = ("SSH_CONNECTION", "10.7.9.9 50000 10.7.1.1 22");
    host.ip_lines("route add 10.7.0.0/16 via 10.7.1.9 dev red0 table 10");
    for line in [
        "ip link add lab-a type veth peer name lab-b
         ip link set lab-a master red
         ip address add 10.7.9.1/24 dev lab-a",
        "ip link add lab-a type veth peer name lab-b
         ip link set lab-a up
         ip route add 10.7.9.0/24 dev lab-a table 10",
    ] {
        let before = host.state();
        let output = host.run_ip_with(line, &all, &[inside]).expect_code(4);
        assert!(output.stderr.contains("no grant allows this"), "{line}: {}", output.stderr);
        assert_eq!(host.differences(&before), [""; 0], "{line}");
    }
}

/// Others' links whose addresses would lead the session astray outside of their VRF, or once what
/// they stand on is up.
#[test]
fn what_waits_in_a_vrf_or_on_a_vlan_is_not_woken_against_the_session() {
    let host = Host::with(REMOTE);
    let made = host.run("ip", ["link", "add", "red", "type", "vrf", "table", "10"]);
    if !is_complete_kernel() {
        assert_ne!(made.code, 0, "this kernel has VRFs");
        return;
    }
    host.ip_lines(
        "link set red up
         link add red0 type veth peer name red1
         link set red0 addrgenmode none
         link set red1 addrgenmode none
         link set red1 up
         link set red0 master red
         address add 203.0.113.1/24 dev red0
         link set red0 up
         link add eth2 type veth peer name sw2
         link set sw2 addrgenmode none
         link set sw2 up
         link add link eth2 name eth2.5 type vlan id 5
         address add 203.0.113.2/24 dev eth2.5",
    );
    let grants = [
        "host.link.read",
        "host.link.modify name=red,red0,eth2",
        "host.link.modify name=eth2.5",
        "host.link.create kind=bridge name=lab-*",
    ];
    for script in [
        "ip link set red0 nomaster",
        "ip link add lab-d up type bridge\nip link set red0 master lab-d",
        "ip link set eth2 up\nip link set eth2.5 up",
    ] {
        let before = host.state();
        let output = host.run_ip_with(script, &grants, &[SESSION]).expect_code(4);
        assert!(output.stderr.contains("operator's session"), "{script}: {}", output.stderr);
        assert_eq!(host.differences(&before), [""; 0], "{script}");
    }
}
