//! What the operator's session needs besides its ends: the routers that it is handed to, and the
//! addresses that its routes have for their source.

use netwright_tests::Host;

const MACHINE: &str = "link add eth0 type veth peer name sw0
    link set sw0 up
    link set eth0 up
    address add 192.0.2.2/24 dev eth0
    address add 2001:db8:a::2/64 dev eth0 nodad
    link add eth1 type veth peer name sw1
    link set sw1 up
    link set eth1 up
    address add 198.51.100.2/24 dev eth1
    address add 2001:db8:b::2/64 dev eth1 nodad
    link add eth2 type veth peer name sw2
    link set sw2 up
    link set eth2 up";

const FOUR: (&str, &str) = ("SSH_CONNECTION", "203.0.113.9 50000 192.0.2.2 22");
const SIX: (&str, &str) = ("SSH_CONNECTION", "2001:db8:f::9 50000 2001:db8:a::2 22");

const GRANTS: [&str; 9] = [
    "host.link.read",
    "host.link.create kind=bridge name=lab-*",
    "host.namespace name=lab-*",
    "host.link.modify name=eth1,m1,br0",
    "host.link.move name=eth1,m1,br0",
    "host.address.add cidr=0.0.0.0/1,128.0.0.0/1,::/1,8000::/1 link=eth2,lab-*",
    "host.route.add cidr=0.0.0.0/1,128.0.0.0/1,::/1,8000::/1",
    "host.route.add cidr=0.0.0.0/1,128.0.0.0/1,::/1,8000::/1 link=eth2,lab-*",
    "host.route.add cidr=0.0.0.0/1,128.0.0.0/1,::/1,8000::/1 link=eth2 table=local",
];

fn machine(more: &str) -> Host {
    Host::with(&format!("{MACHINE}\n{more}"))
}

#[track_caller]
fn refused(host: &Host, script: &str, session: (&str, &str)) {
    let before = host.state();
    let output = host.run_ip_with(script, &GRANTS, &[session]);
    assert_eq!(output.code, 4, "{script}: {output:#?}");
    assert!(output.stderr.contains("no grant allows this"), "{script}: {output:#?}");
    assert_eq!(host.differences(&before), [""; 0], "{script}");
}

#[track_caller]
fn allowed(host: &Host, script: &str, session: (&str, &str)) {
    let before = host.state();
    let output = host.run_ip_with(script, &GRANTS, &[session]);
    assert_eq!(output.code, 0, "{script}: {output:#?}");
    assert_eq!(host.differences(&before), [""; 0], "{script}");
}

/// What would take a router's address, or hide where it is.
fn takes(router: &str) -> Vec<String> {
    let lines: &[&str] = if router.contains(':') {
        &[
            "ip address add ROUTER/128 dev eth2 nodad",
            "ip link add lab-a type bridge\nip address add ROUTER/64 dev lab-a nodad",
            "ip -6 route add local ROUTER dev eth2",
            "ip -6 route add ROUTER/128 dev eth2",
            "ip -6 route add blackhole ROUTER/127",
            "ip -6 rule add to ROUTER unreachable",
        ]
    } else {
        &[
            "ip address add ROUTER/32 dev eth2",
            "ip link add lab-a type bridge\nip link set lab-a up\nip address add ROUTER/32 dev lab-a",
            "ip address add 10.0.0.1/24 broadcast ROUTER dev eth2",
            "ip address add 10.0.0.1 peer ROUTER dev eth2",
            "ip address add ROUTER/24 dev eth2",
            "ip route add local ROUTER dev eth2",
            "ip route add broadcast ROUTER dev eth2",
            "ip route add ROUTER/32 dev eth2",
            "ip route add blackhole ROUTER/32 metric 7",
            "ip route add unreachable ROUTER/32",
            "ip rule add to ROUTER blackhole",
        ]
    };
    lines.iter().map(|line| line.replace("ROUTER", router)).collect()
}

#[test]
fn the_routers_of_the_operators_session_are_nobody_elses() {
    for (routes, session, routers) in [
        ("route add default via 192.0.2.1", FOUR, &["192.0.2.1"][..]),
        (
            "route add default nexthop via 192.0.2.1 weight 200 nexthop via 198.51.100.1",
            FOUR,
            &["192.0.2.1", "198.51.100.1"],
        ),
        ("route add default via 10.9.9.9 dev eth0 onlink", FOUR, &["10.9.9.9"]),
        ("-4 route add default via inet6 fe80::77 dev eth0", FOUR, &["fe80::77"]),
        ("-6 route add default via fe80::1 dev eth0", SIX, &["fe80::1"]),
        (
            "-6 route add default nexthop via 2001:db8:a::1 dev eth0 nexthop via fe80::2 dev eth1",
            SIX,
            &["2001:db8:a::1", "fe80::2"],
        ),
    ] {
        let host = machine(routes);
        for router in routers {
            for script in takes(router) {
                refused(&host, &script, session);
            }
        }
        for script in [
            "ip address add 203.0.113.129/25 dev eth2",
            "ip address add 192.0.2.99/32 dev eth2",
            "ip address add fe80::99/64 dev eth2 nodad",
            "ip -6 route add blackhole 2001:db8:a:1::/64",
        ] {
            allowed(&host, script, session);
        }
    }
}

/// A rule has a router looked for in another table, whatever table main says.
#[test]
fn routers_are_found_as_the_rules_have_them_looked_up() {
    let host = machine(
        "route add default via 192.0.2.7
         route add default via 198.51.100.3 table 7
         rule add from 192.0.2.2 lookup 7",
    );
    for script in takes("198.51.100.3") {
        let main = script.contains("peer") || script.contains("/32 metric");
        if main || script.ends_with("unreachable 198.51.100.3/32") {
            allowed(&host, &script, FOUR);
        } else if !script.starts_with("ip route add 198") {
            refused(&host, &script, FOUR);
        }
    }
    allowed(&host, "ip address add 192.0.2.7/32 dev eth2", FOUR);
}

/// The kernel deletes a route with the address that it has for its source.
#[test]
fn the_source_of_the_sessions_route_stays_wherever_it_is() {
    let four = "route add default via 192.0.2.1 dev eth0 src";
    let six = "-6 route add default via 2001:db8:a::1 dev eth0 src";
    let on_eth1 = ["ip link set eth1 down", "ip netns add lab-n\nip link set eth1 netns lab-n"];
    for (routes, session, scripts) in [
        (
            format!("{four} 198.51.100.2"),
            FOUR,
            ["ip address delete 198.51.100.2/24 dev eth1", on_eth1[0], on_eth1[1]],
        ),
        (
            format!("{six} 2001:db8:b::2"),
            SIX,
            ["ip -6 address delete 2001:db8:b::2/64 dev eth1", on_eth1[0], on_eth1[1]],
        ),
        (
            format!(
                "link add link eth1 name m1 type macvlan mode bridge\nlink set m1 up
                 address add 10.9.0.1/24 dev m1\n{four} 10.9.0.1"
            ),
            FOUR,
            ["ip address flush dev m1", "ip link set eth1 mtu 1000", on_eth1[1]],
        ),
        (
            format!(
                "link add br0 type bridge\nlink set br0 up\nlink set eth1 master br0
                 address add 10.9.0.1/24 dev br0\n{four} 10.9.0.1"
            ),
            FOUR,
            ["ip address flush dev br0", "ip link set br0 down", on_eth1[1]],
        ),
        // The way to the router has one of its own.
        (
            "route replace 192.0.2.0/24 dev eth0 src 198.51.100.2\nroute add default via 192.0.2.1"
                .to_owned(),
            FOUR,
            ["ip address delete 198.51.100.2/24 dev eth1", on_eth1[0], on_eth1[1]],
        ),
    ] {
        let host = machine(&routes);
        for script in scripts {
            refused(&host, script, session);
        }
    }
    // It is no source of what the session takes.
    let host = machine(
        "route add default via 192.0.2.1 dev eth0
         route add 10.0.0.0/8 via 192.0.2.1 src 198.51.100.2",
    );
    allowed(&host, "ip link set eth1 mtu 1400", FOUR);
    let lost = "ip address delete 198.51.100.2/24 dev eth1";
    allowed(&host, lost, FOUR);
}
