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
