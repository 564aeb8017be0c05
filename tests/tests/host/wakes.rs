//! What others have put on links that are down, and what a run makes live of it.

use netwright_tests::Host;

const SESSION: (&str, &str) = ("SSH_CONNECTION", "203.0.113.9 50000 192.0.2.2 22");
const SIX: (&str, &str) = ("SSH_CONNECTION", "2001:db8:f::9 50000 2001:db8:a::2 22");

const GRANTS: [&str; 6] = [
    "host.link.read",
    "host.link.modify name=eth1,eth2,wire2,br9,eth5,up5",
    "host.link.create kind=veth name=lab-*",
    "host.link.create kind=bridge name=lab-*",
    "host.sysctl key=net.ipv4.conf.eth2.ignore_routes_with_linkdown",
    "host.link.create kind=macvlan name=lab-* parent=eth1",
];

/// The session goes over eth0. On other links its peer's network is, for when they are up.
const MACHINE: &str = "link add eth0 type veth peer name sw0
                       link set sw0 up
                       link set eth0 up
                       address add 192.0.2.2/24 dev eth0
                       address add 2001:db8:a::2/64 dev eth0 nodad
                       route add default via 192.0.2.1 metric 100
                       -6 route add default via 2001:db8:a::1 dev eth0
                       link add eth1 type veth peer name sw1
                       link set sw1 up
                       address add 203.0.113.1/24 dev eth1
                       address add 2001:db8:f::1/64 dev eth1 nodad
                       link add br9 type bridge
                       address add 203.0.113.1/24 dev br9
                       link add eth2 type veth peer name wire2
                       address add 198.51.100.2/24 dev eth2
                       link set eth2 up";

#[track_caller]
fn refused(host: &Host, script: &str, session: (&str, &str)) {
    let before = host.state();
    let output = host.run_ip_with(script, &GRANTS, &[session]).expect_code(4);
    assert!(output.stderr.contains("no grant allows this"), "{script}: {}", output.stderr);
    assert!(output.stderr.contains("operator's session"), "{script}: {}", output.stderr);
    assert_eq!(host.differences(&before), [""; 0], "{script}");
}

#[test]
fn an_address_that_waits_on_a_link_is_not_woken_against_the_session() {
    let host = Host::with(MACHINE);
    for script in [
        "ip link set eth1 up",
        "ip link set br9 up",
        // By another change of the same run.
        "ip link set eth1 mtu 1400\nip link set eth1 up",
        "ip link add lab-a type veth peer name lab-b\nip link set br9 up",
    ] {
        refused(&host, script, SESSION);
    }
    refused(&host, "ip link set eth1 up", SIX);
    // Whoever works from elsewhere may.
    let elsewhere = ("SSH_CONNECTION", "8.8.8.8 50000 192.0.2.2 22");
    host.run_ip_with("ip link set eth1 up", &GRANTS, &[elsewhere]).expect_code(0);
    // What is up already takes nothing more.
    host.ip_lines("link set eth2 down");
    host.run_ip_with("ip link set eth2 up", &GRANTS, &[SESSION]).expect_code(0);
}

/// Routes that do not count without a carrier.
#[test]
fn a_route_that_waits_for_a_carrier_is_not_woken_against_the_session() {
    let host = Host::with(MACHINE);
    host.run("sysctl", ["-qw", "net.ipv4.conf.eth2.ignore_routes_with_linkdown=1"]).expect_code(0);
    host.ip_lines("route add 203.0.113.0/24 via 198.51.100.9 dev eth2");
    for script in
        ["ip link set wire2 up", "sysctl -w net.ipv4.conf.eth2.ignore_routes_with_linkdown=0"]
    {
        refused(&host, script, SESSION);
    }
    // By what a link stands on.
    let host = Host::with(MACHINE);
    host.ip_lines(
        "link add up5 type veth peer name sw5
         link set sw5 up
         link add link up5 name eth5 type macvlan mode bridge",
    );
    host.run("sysctl", ["-qw", "net.ipv4.conf.eth5.ignore_routes_with_linkdown=1"]).expect_code(0);
    host.ip_lines(
        "link set eth5 up
         address add 203.0.113.1/24 dev eth5",
    );
    refused(&host, "ip link set up5 up", SESSION);
}
