//! What no grant lifts.

use netwright_tests::Host;

const EVERYTHING: [&str; 7] = [
    "host.link.read",
    "host.link.modify name=lo,eth1,docker0,vpn0,vethx,wg0,eth2,br0",
    "host.link.move name=lo,eth1,docker0,vethx",
    "host.address.add cidr=0.0.0.0/1,128.0.0.0/1 link=lo,eth1,docker0,eth2,lab-*",
    "host.route.add cidr=0.0.0.0/1,128.0.0.0/1 link=lo,eth1,docker0,eth2,lab-*",
    "host.route.default link=eth1,eth2,lab-m table=main",
    "host.link.create kind=macvlan name=lab-* parent=lo,eth1,docker0,eth2",
];

/// The machine of an operator who works over eth1, with his peer behind a router.
const REMOTE: &str = "link add eth1 type veth peer name sw1
                      link set sw1 up
                      address add 192.0.2.1/24 dev eth1
                      link set eth1 up
                      route add default via 192.0.2.254 dev eth1 metric 50
                      link add br0 type bridge
                      link add eth2 type veth peer name sw2
                      link set sw2 up
                      address add 203.0.113.1/24 dev eth2
                      link set eth2 up";

const NEAR: (&str, &str) = ("SSH_CONNECTION", "192.0.2.9 50000 192.0.2.1 22");
const FAR: (&str, &str) = ("SSH_CONNECTION", "198.51.100.9 50000 192.0.2.1 22");

#[track_caller]
fn refused(host: &Host, line: &str, session: &[(&str, &str)]) {
    let before = host.state();
    let output = host.run_ip_with(line, &EVERYTHING, session).expect_code(4);
    assert!(output.stderr.contains("no grant allows this"), "{line}: {}", output.stderr);
    assert_eq!(host.differences(&before), [""; 0], "{line}");
}

#[test]
fn the_loopback_and_links_of_other_programs_stay_as_they_are() {
    let host = Host::with(
        "link add docker0 type bridge
         link add vethx type veth peer name inside
         link set vethx master docker0
         tuntap add vpn0 mode tun
         link add eth1 type veth peer name sw1
         link set eth1 alias docker-network-7",
    );
    for line in [
        "ip link set lo down",
        "ip address add 10.0.0.1/8 dev lo",
        "ip link set docker0 down",
        "ip link add link docker0 lab-m type macvlan mode bridge",
        "ip link set vethx nomaster",
        "ip link set vpn0 up",
        "ip link set eth1 mtu 1400",
    ] {
        refused(&host, line, &[]);
    }
}

#[test]
fn objects_of_another_run_stay_as_they_are() {
    let host = Host::with(
        "link add eth1 type veth peer name sw1
         link set eth1 group 1845493760",
    );
    refused(&host, "ip link set eth1 up", &[]);
    refused(&host, "ip link delete eth1", &[]);
}

#[test]
fn the_link_of_the_operators_session_stays_as_it_is() {
    let host = Host::with(REMOTE);
    for session in [NEAR, FAR] {
        for line in [
            "ip link set eth1 down",
            "ip link set eth1 mtu 1400",
            "ip address delete 192.0.2.1/24 dev eth1",
            "ip address add 192.0.2.7/24 dev eth1",
            "ip link set eth1 master br0",
        ] {
            refused(&host, line, &[session]);
        }
        host.run_ip_with("ip link set eth2 mtu 1400", &EVERYTHING, &[session]).expect_code(0);
        // A child takes nothing from it.
        let child = "ip link add link eth1 lab-m type macvlan mode bridge";
        host.run_ip_with(child, &EVERYTHING, &[session]).expect_code(0);
    }
}

#[test]
fn the_route_of_the_operators_session_stays_as_it_is() {
    let host = Host::with(REMOTE);
    for line in [
        "ip route delete default",
        "ip route replace default via 203.0.113.254 dev eth2 metric 50",
        "ip route add default via 203.0.113.254 dev eth2",
        "ip route add 198.51.100.0/24 via 203.0.113.254 dev eth2",
        "ip route add 198.51.100.9/32 dev eth2",
        "ip address add 198.51.100.1/24 dev eth2",
        "ip address add 10.0.0.1 peer 198.51.100.9 dev eth2",
        "ip address add 10.0.0.1/24 broadcast 198.51.100.9 dev eth2",
        "ip route add 198.51.100.0/24 dev eth2 table 0",
        "ip rule add from 192.0.2.0/24 table 100",
    ] {
        let grants = [&EVERYTHING[..], &["host.route.add cidr=192.0.2.0/24 table=100"]].concat();
        let before = host.state();
        let output = host.run_ip_with(line, &grants, &[FAR]).expect_code(4);
        assert!(output.stderr.contains("no grant allows this"), "{line}: {}", output.stderr);
        assert_eq!(host.differences(&before), [""; 0], "{line}");
    }
    // Whose session goes another way may change it.
    for line in ["ip route delete default", "ip route add default via 203.0.113.254 dev eth2"] {
        host.run_ip_with(line, &EVERYTHING, &[NEAR]).expect_code(0);
    }
}

/// Refused with these grants for this session, and nothing altered.
#[track_caller]
fn refused_with(host: &Host, line: &str, grants: &[&str], session: (&str, &str)) {
    let before = host.state();
    let output = host.run_ip_with(line, grants, &[session]).expect_code(4);
    assert!(output.stderr.contains("no grant allows this"), "{line}: {}", output.stderr);
    assert_eq!(host.differences(&before), [""; 0], "{line}");
}

/// A machine with two uplinks, of which rules choose by the source, in both families; the session
/// goes over eth1, which no lookup without its own address would tell.
const BY_SOURCE: &str = "link add eth0 type veth peer name sw0
                         link set sw0 up
                         address add 192.0.2.2/24 dev eth0
                         address add 2001:db8:a::2/64 dev eth0 nodad
                         link set eth0 up
                         route add default via 192.0.2.1
                         -6 route add default via 2001:db8:a::1 dev eth0
                         link add eth1 type veth peer name sw1
                         link set sw1 up
                         address add 198.51.100.2/24 dev eth1
                         address add 2001:db8:b::2/64 dev eth1 nodad
                         link set eth1 up
                         route add default via 198.51.100.1 table 77
                         rule add from 198.51.100.2 lookup 77
                         -6 route add default via 2001:db8:b::1 dev eth1 table 77
                         -6 rule add from 2001:db8:b::2 lookup 77
                         link add eth2 type veth peer name sw2
                         link set sw2 up
                         link set eth2 up";

const ALL: [&str; 9] = [
    "host.link.read",
    "host.link.modify name=eth0,eth1,eth2",
    "host.link.create kind=veth name=lab-*",
    "host.address.add cidr=0.0.0.0/1,128.0.0.0/1,::/1 link=eth2,lab-*",
    "host.route.add cidr=0.0.0.0/1,128.0.0.0/1,::/1",
    "host.route.add cidr=0.0.0.0/1,128.0.0.0/1,::/1 table=77,78,local",
    "host.route.add cidr=0.0.0.0/1,128.0.0.0/1,::/1 link=eth2 table=77,local",
    "host.route.default link=eth2 table=77",
    "host.route.add cidr=0.0.0.0/1,128.0.0.0/1,::/1 link=eth2",
];

#[test]
fn the_way_of_the_session_is_found_by_its_own_address() {
    let host = Host::with(BY_SOURCE);
    let four = ("SSH_CONNECTION", "203.0.113.9 50000 198.51.100.2 22");
    let mapped = ("SSH_CONNECTION", "::ffff:203.0.113.9 50000 ::ffff:198.51.100.2 22");
    let six = ("SSH_CONNECTION", "2001:db8:f::9 50000 2001:db8:b::2 22");
    for session in [four, mapped, six] {
        refused_with(&host, "ip link set eth1 down", &ALL, session);
        host.run_ip_with("ip link set eth0 mtu 1400", &ALL, &[session]).expect_code(0);
    }
    for line in [
        // In the table that is used, and in those that are looked into before.
        "ip route add blackhole 203.0.113.0/25 table 77",
        "ip route add blackhole 128.0.0.0/1 table local",
        "ip route add unreachable 128.0.0.0/1 table 77",
        "ip route add prohibit 203.0.113.9 table 77",
        "ip route replace default dev eth2 table 77",
        "ip route add local 203.0.113.9 dev eth2",
        "ip route add broadcast 203.0.113.9 dev eth2",
        // The machine's own end of it.
        "ip route replace blackhole 198.51.100.2/32 table local",
        "ip route add blackhole 198.51.100.2/32 table local metric 0",
        "ip route del local 198.51.100.2 table local",
        // All that an address is given makes a route.
        "ip address add 10.0.0.1/24 broadcast 203.0.113.9 dev eth2",
        "ip address add 10.0.0.1/24 broadcast 198.51.100.2 dev eth2",
        "ip address add 198.51.100.2/32 dev eth2",
        // Rules that may meet what goes there, or what comes back.
        "ip rule add to 203.0.113.9 blackhole",
        "ip rule add iif lo to 203.0.113.9 blackhole",
        "ip rule add from 198.51.100.0/24 to 128.0.0.0/1 prohibit",
        "ip rule add not to 10.0.0.0/8 unreachable",
        "ip rule add to 203.0.113.0/24 sport 22 blackhole",
        "ip rule add to 203.0.113.0/24 ipproto tcp lookup 78",
        "ip rule add to 203.0.113.0/24 uidrange 0-0 lookup 78",
        "ip rule add to 203.0.113.0/24 tos 0x10 lookup main",
        "ip rule add to 203.0.113.0/24 oif eth1 goto 32766",
        "ip rule add to 203.0.113.0/24 pref 0 prohibit",
    ] {
        refused_with(&host, line, &ALL, four);
    }
    for line in [
        "ip -6 route add blackhole 2001:db8:f::/64 table 77",
        "ip -6 route add blackhole 2001:db8:f::/48 table local",
        "ip address add 2001:db8:f::9/128 dev eth2",
        "ip -6 rule add iif lo to 2001:db8:f::9 blackhole",
    ] {
        refused_with(&host, line, &ALL, six);
    }
    // What it does not take is the grants' alone.
    for line in [
        "ip route add blackhole 203.0.113.0/24",
        "ip rule add to 203.0.113.0/24 pref 32766 blackhole",
        "ip rule add iif eth2 to 203.0.113.9 prohibit",
        "ip rule add to 203.0.113.0/24 from 10.0.0.0/8 blackhole",
        // Its own address is looked up in table 77, which comes before main.
        "ip address add 10.0.0.1 peer 203.0.113.9 dev eth2",
    ] {
        host.run_ip_with(line, &ALL, &[four]).expect_code(0);
    }
}

/// Programs give their packets a type of service as they like: ssh(1) has one for a terminal and
/// another for the rest.
#[test]
fn the_way_of_the_session_is_found_for_every_type_of_service() {
    let grants = [&EVERYTHING[..], &["host.route.add cidr=0.0.0.0/1,128.0.0.0/1"]].concat();
    let refused = |host: &Host, line: &str| refused_with(host, line, &grants, FAR);
    let host = Host::with(REMOTE);
    // Some of the session goes over eth2, though plain packets don't.
    host.ip_lines("route add 198.51.100.0/24 tos 0x10 via 203.0.113.254 dev eth2");
    refused(&host, "ip link set eth2 down");
    refused(&host, "ip route delete 198.51.100.0/24 tos 0x10 dev eth2");
    refused(&host, "ip route replace blackhole 198.51.100.0/24 tos 0x10");
    refused(&host, "ip route add blackhole 203.0.113.254");
    // Some of it finds nothing where the rest is decided, and is looked up in main.
    let host = Host::with(REMOTE);
    host.ip_lines(
        "route add default via 192.0.2.254 dev eth1 table 77
         route add throw 198.51.100.0/24 tos 0x08 table 77
         rule add from 192.0.2.1 lookup 77",
    );
    for line in [
        "ip route add blackhole 198.51.100.0/25",
        "ip route add 198.51.100.9 dev eth2",
        "ip address add 10.0.0.1/24 peer 198.51.100.0/24 dev eth2",
        "ip rule add to 198.51.100.0/24 pref 32765 blackhole",
    ] {
        refused(&host, line);
    }
    // What stands for another type of service alone takes nothing from it.
    host.run_ip_with("ip route add blackhole 198.51.101.0/24 tos 0x10", &grants, &[FAR])
        .expect_code(0);
}

#[test]
fn what_the_machine_says_to_itself_stays_as_it_is() {
    let host = Host::with(BY_SOURCE);
    let nobody = ("SSH_CONNECTION", "");
    for line in [
        "ip address add 127.0.0.5/8 dev eth2",
        "ip address add 10.0.0.1/24 broadcast 127.0.0.1 dev eth2",
        "ip route add blackhole 127.0.0.2/32",
        "ip route add blackhole 127.3.0.0/16 table local",
        "ip route add 127.0.0.5/32 dev eth2",
        "ip -6 route add blackhole ::1 metric 7 table local",
    ] {
        refused_with(&host, line, &ALL, nobody);
    }
    host.ip_lines(
        "rule add pref 500 lookup local
                   rule del pref 0",
    );
    refused_with(&host, "ip rule add pref 100 to 0.0.0.0/1 blackhole", &ALL, nobody);
    host.run_ip("ip rule add pref 600 to 0.0.0.0/1 blackhole", &ALL).expect_code(0);
}

#[test]
fn link_local_stations_are_behind_the_link_of_their_own_address() {
    let host = Host::with(
        "link add eth1 address 02:00:00:00:00:01 type veth peer name sw1
         link set sw1 up
         link set eth1 up
         link add lan.5 address 02:00:00:00:00:05 type veth peer name sw5
         link set sw5 up
         link set lan.5 up",
    );
    let session = ("SSH_CONNECTION", "fe80::9%lan.5 50000 fe80::ff:fe00:5%lan.5 22");
    let grants = ["host.link.read", "host.link.modify name=eth1,lan.5"];
    refused_with(&host, "ip link set lan.5 down", &grants, session);
    host.run_ip_with("ip link set eth1 mtu 1400", &grants, &[session]).expect_code(0);
}

#[test]
fn settings_of_a_link_are_known_in_every_spelling() {
    let host = Host::with(
        "link add lan.5 type veth peer name sw5
         link set sw5 up
         link set lan.5 up
         address add 198.18.0.2/24 dev lan.5
         link add free.5 type veth peer name sw6
         link add docker0 type bridge",
    );
    let session = ("SSH_CONNECTION", "198.18.0.9 50000 198.18.0.2 22");
    for key in [
        "net/ipv4/conf/lan.5/arp_ignore",
        "net.ipv4.conf.lan/5.arp_ignore",
        "net/ipv4/neigh/lan.5/mcast_solicit",
        "net.ipv6.neigh.lan/5.mcast_solicit",
        "net/ipv6/conf/lan.5/disable_ipv6",
        "net.ipv4.conf.docker0.arp_ignore",
        "net.ipv4.conf.lo.arp_ignore",
        "net/ipv4/conf/lan.5/forwarding",
        // Of every link.
        "net/ipv6/conf/all/disable_ipv6",
        "net.ipv6.conf.all.disable_ipv6",
        "net.ipv6.conf.default.disable_ipv6",
        "net.ipv4.conf.all.rp_filter",
        "net.ipv4.conf.default.rp_filter",
        "net.ipv4.neigh.default.mcast_solicit",
    ] {
        let capability = if key.ends_with("forwarding") { "forwarding" } else { "sysctl" };
        let grant = format!("host.{capability} key={key}");
        refused_with(&host, &format!("sysctl -w {key}=1"), &[&grant], session);
    }
    // Granted in one spelling, asked for in the other.
    for (granted, asked) in [
        ("net.ipv4.conf.free/5.arp_ignore", "net/ipv4/conf/free.5/arp_ignore"),
        ("net/ipv4/conf/free.5/arp_ignore", "net.ipv4.conf.free/5.arp_ignore"),
    ] {
        let grant = format!("host.sysctl key={granted}");
        let line = format!("sysctl -w {asked}=1");
        host.run_ip_with(&line, &[&grant], &[session]).expect_code(0);
    }
    let router = ["host.forwarding key=net.ipv4.ip_forward,net.ipv6.conf.all.forwarding"];
    let lines = "sysctl -w net.ipv4.ip_forward=1\nsysctl -w net.ipv6.conf.all.forwarding=1";
    host.run_ip_with(lines, &router, &[session]).expect_code(0);
    // The dots of a name that were taken for separators.
    let dots = "sysctl -w net.ipv4.conf.free.5.arp_ignore=1";
    let grant = ["host.sysctl key=net.ipv4.conf.free.5.arp_ignore"];
    let output = host.run_ip_with(dots, &grant, &[session]).expect_code(5);
    let help = "write `net.ipv4.conf.free/5.arp_ignore` or `net/ipv4/conf/free.5/arp_ignore`";
    assert!(output.stderr.contains(help), "{}", output.stderr);
}

#[test]
fn a_session_by_an_advertised_route_is_not_made_to_forget_it() {
    let host = Host::with(BY_SOURCE);
    host.ip_lines("-6 route replace default via 2001:db8:b::1 dev eth1 table 77 proto ra");
    let router = ["host.forwarding key=net.ipv6.conf.all.forwarding"];
    let line = "sysctl -w net.ipv6.conf.all.forwarding=1";
    let by_eth1 = ("SSH_CONNECTION", "2001:db8:f::9 50000 2001:db8:b::2 22");
    refused_with(&host, line, &router, by_eth1);
    let by_eth0 = ("SSH_CONNECTION", "2001:db8:f::9 50000 2001:db8:a::2 22");
    host.run_ip_with(line, &router, &[by_eth0]).expect_code(0);
}
