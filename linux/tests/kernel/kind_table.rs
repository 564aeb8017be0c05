//! The table of link kinds that a kernel may lack.

use netwright_linux::change::{
    Ipvlan, IpvlanFlag, IpvlanMode, Kind, Options, Setting, Vlan, VlanProtocol,
};
use serde_json::json;

use crate::Named;
use crate::kind_row::Row;
use crate::lab::{named, options};

pub(crate) const TRIALS: &[Named] = &[
    ("kind vlan, 802.1Q", vlan),
    ("kind vlan, 802.1ad", service_vlan),
    ("kind vlan, the ends of its range", vlan_range),
    ("kind dummy", dummy),
    ("kind ipvlan", ipvlan),
    ("kind ipvtap", ipvtap),
    ("kind vrf, with a port", vrf),
    ("kind bond, with ports", bond),
    ("kind gre", gre),
    ("kind gretap", gretap),
    ("kind ipip", ipip),
    ("kind sit", sit),
    ("kind ip6gre", ip6gre),
    ("kind ip6tnl", ip6tnl),
    ("kind geneve", geneve),
    ("kind wireguard", wireguard),
];

const MAC: &str = "02:00:00:00:00:0c";

fn mac() -> Setting {
    Setting::Mac(MAC.parse().expect("a MAC address"))
}

fn other(kind: &str, given: &[(&str, &str)]) -> Kind {
    Kind::Other(Options { kind: kind.to_owned(), options: options(given) })
}

const VLAN: (&str, &str) = ("CONFIG_VLAN_8021Q", "8021q");

fn vlan() {
    let made = Vlan { id: 200, protocol: VlanProtocol::Dot1q, options: Vec::new() };
    Row {
        kind: "vlan",
        provider: VLAN,
        prepared: &[],
        words: "link a mtu 1400 type vlan id 200",
        made: Kind::Vlan(made),
        parent: Some("a"),
        settings: &[Setting::Mtu(1400)],
        seen: json!({"protocol": "802.1Q", "id": 200, "flags": ["REORDER_HDR"]}),
        options: &[
            &[("reorder_hdr", "off")],
            &[("gvrp", "on")],
            &[("mvrp", "on")],
            &[("loose_binding", "on")],
            &[("gvrp", "off"), ("loose_binding", "off")],
        ],
        changes: &[
            ("x0", "mtu 1300", Setting::Mtu(1300)),
            ("x0", "address 02:00:00:00:00:0c", mac()),
            ("x0", "promisc on", Setting::Promiscuous(true)),
        ],
    }
    .run();
}

fn service_vlan() {
    let given = options(&[
        ("reorder_hdr", "off"),
        ("gvrp", "on"),
        ("mvrp", "on"),
        ("loose_binding", "on"),
        ("ingress-qos-map", "1:2"),
        ("egress-qos-map", "3:4"),
    ]);
    Row {
        kind: "vlan",
        provider: VLAN,
        prepared: &[],
        words: "link a type vlan protocol 802.1ad id 300 reorder_hdr off gvrp on mvrp on \
                loose_binding on ingress-qos-map 1:2 egress-qos-map 3:4",
        made: Kind::Vlan(Vlan { id: 300, protocol: VlanProtocol::Dot1ad, options: given }),
        parent: Some("a"),
        settings: &[],
        seen: json!({
            "protocol": "802.1ad",
            "id": 300,
            "flags": ["GVRP", "MVRP", "LOOSE_BINDING"],
            "ingress_qos": [{"from": 1, "to": 2}],
            "egress_qos": [{"from": 3, "to": 4}],
        }),
        options: &[],
        changes: &[],
    }
    .run();
}

fn vlan_range() {
    for id in [1_u16, 4094] {
        let made = Vlan { id, protocol: VlanProtocol::Dot1q, options: Vec::new() };
        Row {
            kind: "vlan",
            provider: VLAN,
            prepared: &[],
            words: &format!("link a type vlan id {id}"),
            made: Kind::Vlan(made),
            parent: Some("a"),
            settings: &[],
            seen: json!({"id": id}),
            options: &[],
            changes: &[],
        }
        .run();
    }
}

fn dummy() {
    Row {
        kind: "dummy",
        provider: ("CONFIG_DUMMY", "dummy"),
        prepared: &[],
        words: "address 02:00:00:00:00:0c mtu 9000 type dummy",
        made: Kind::Dummy,
        parent: None,
        settings: &[mac(), Setting::Mtu(9000)],
        seen: json!({}),
        options: &[],
        changes: &[
            ("x0", "mtu 1500", Setting::Mtu(1500)),
            ("x0", "name x1", Setting::Name(named("x1"))),
            ("x1", "name x0", Setting::Name(named("x0"))),
        ],
    }
    .run();
}

fn ipvlan() {
    let made = Ipvlan { mode: Some(IpvlanMode::L2), flag: None };
    Row {
        kind: "ipvlan",
        provider: ("CONFIG_IPVLAN", "ipvlan"),
        prepared: &[],
        words: "link a type ipvlan mode l2",
        made: Kind::Ipvlan(made),
        parent: Some("a"),
        settings: &[],
        seen: json!({"mode": "l2", "bridge": true}),
        options: &[&[("mode", "l3")], &[("mode", "l3s")]],
        changes: &[("x0", "type ipvlan vepa", ipvlan_flag("ipvlan", "vepa"))],
    }
    .run();
}

fn ipvtap() {
    let made = Ipvlan { mode: Some(IpvlanMode::L2), flag: Some(IpvlanFlag::Private) };
    Row {
        kind: "ipvtap",
        provider: ("CONFIG_IPVTAP", "ipvtap"),
        prepared: &[],
        words: "link a type ipvtap mode l2 private",
        made: Kind::Ipvtap(made),
        parent: Some("a"),
        settings: &[],
        seen: json!({"mode": "l2", "private": true}),
        options: &[],
        changes: &[("x0", "type ipvtap vepa", ipvlan_flag("ipvtap", "vepa"))],
    }
    .run();
}

/// `ip` writes the flag alone.
fn ipvlan_flag(kind: &str, flag: &str) -> Setting {
    Setting::Options(Options { kind: kind.to_owned(), options: options(&[("flag", flag)]) })
}

fn vrf() {
    Row {
        kind: "vrf",
        provider: ("CONFIG_NET_VRF", "vrf"),
        prepared: &[],
        words: "address 02:00:00:00:00:0c type vrf table 10",
        made: Kind::Vrf(10),
        parent: None,
        settings: &[mac()],
        seen: json!({"table": 10}),
        options: &[],
        changes: &[("b", "master x0", Setting::Master(Some("x0".to_owned())))],
    }
    .run();
}

fn bond() {
    let queue = Options { kind: "bond_slave".to_owned(), options: options(&[("queue_id", "2")]) };
    Row {
        kind: "bond",
        provider: ("CONFIG_BONDING", "bonding"),
        prepared: &["ip link set dev a down", "ip link set dev b down"],
        words: "address 02:00:00:00:00:0c type bond mode active-backup miimon 100 fail_over_mac none",
        made: other(
            "bond",
            &[("mode", "active-backup"), ("miimon", "100"), ("fail_over_mac", "none")],
        ),
        parent: None,
        settings: &[mac()],
        seen: json!({"mode": "active-backup", "miimon": 100, "fail_over_mac": "none"}),
        options: &[
            &[("miimon", "200")],
            &[("updelay", "400")],
            &[("num_grat_arp", "3")],
            &[("xmit_hash_policy", "layer2+3")],
            &[("mode", "802.3ad"), ("lacp_rate", "fast"), ("ad_select", "bandwidth")],
            &[("mode", "active-backup")],
        ],
        changes: &[
            ("a", "master x0", Setting::Master(Some("x0".to_owned()))),
            ("b", "master x0", Setting::Master(Some("x0".to_owned()))),
            ("a", "type bond_slave queue_id 2", Setting::Options(queue)),
        ],
    }
    .run();
}

/// A tunnel between two IPv4 addresses.
fn tunnel(kind: &str, provider: (&str, &str), flags: &str) {
    let keyed = kind.starts_with("gre");
    let mut given = vec![("local", "10.0.0.1"), ("remote", "10.0.0.2"), ("ttl", "64")];
    let mut words = format!("type {kind} local 10.0.0.1 remote 10.0.0.2 ttl 64");
    if keyed {
        given.extend([("key", "42"), ("csum", "")]);
        words += " key 42 csum";
    }
    let settings = if kind == "gretap" { vec![mac()] } else { Vec::new() };
    if kind == "gretap" {
        words = format!("address {MAC} {words}");
    }
    let mut seen = json!({"local": "10.0.0.1", "remote": "10.0.0.2", "ttl": 64});
    if keyed {
        seen[flags] = json!("0.0.0.42");
    }
    Row {
        kind,
        provider,
        prepared: &[],
        words: &words,
        made: other(kind, &given),
        parent: None,
        settings: &settings,
        seen,
        options: if keyed { KEYED } else { PLAIN },
        changes: &[("x0", "mtu 1300", Setting::Mtu(1300))],
    }
    .run();
}

/// Options of a tunnel, each altered in place by itself.
const PLAIN: &[&[(&str, &str)]] =
    &[&[("ttl", "32")], &[("remote", "10.0.0.3")], &[("tos", "inherit")]];
/// Flags and keys share attributes, and what is not altered of them stays.
const KEYED: &[&[(&str, &str)]] = &[
    &[("ttl", "32")],
    &[("remote", "10.0.0.3")],
    &[("tos", "inherit")],
    &[("key", "7")],
    &[("okey", "8")],
];

fn gre() {
    tunnel("gre", ("CONFIG_NET_IPGRE", "ip_gre"), "ikey");
}

fn gretap() {
    tunnel("gretap", ("CONFIG_NET_IPGRE", "ip_gre"), "okey");
}

fn ipip() {
    tunnel("ipip", ("CONFIG_NET_IPIP", "ipip"), "");
}

fn sit() {
    tunnel("sit", ("CONFIG_IPV6_SIT", "sit"), "");
}

/// A tunnel between two IPv6 addresses.
fn tunnel6(kind: &str, provider: (&str, &str)) {
    let given = [("local", "2001:db8::1"), ("remote", "2001:db8::2"), ("hoplimit", "64")];
    Row {
        kind,
        provider,
        prepared: &[],
        words: &format!("type {kind} local 2001:db8::1 remote 2001:db8::2 hoplimit 64"),
        made: other(kind, &given),
        parent: None,
        settings: &[],
        seen: json!({"local": "2001:db8::1", "remote": "2001:db8::2", "ttl": 64}),
        options: &[&[("hoplimit", "32")], &[("remote", "2001:db8::3")]],
        changes: &[("x0", "mtu 1300", Setting::Mtu(1300))],
    }
    .run();
}

fn ip6gre() {
    tunnel6("ip6gre", ("CONFIG_IPV6_GRE", "ip6_gre"));
}

fn ip6tnl() {
    tunnel6("ip6tnl", ("CONFIG_IPV6_TUNNEL", "ip6_tunnel"));
}

fn geneve() {
    let given = [("id", "77"), ("remote", "10.0.0.2"), ("ttl", "64"), ("dstport", "6081")];
    Row {
        kind: "geneve",
        provider: ("CONFIG_GENEVE", "geneve"),
        prepared: &[],
        words: "address 02:00:00:00:00:0c type geneve id 77 remote 10.0.0.2 ttl 64 dstport 6081",
        made: other("geneve", &given),
        parent: None,
        settings: &[mac()],
        seen: json!({"id": 77, "remote": "10.0.0.2", "ttl": 64, "port": 6081}),
        options: &[&[("id", "77"), ("remote", "10.0.0.2"), ("ttl", "32")]],
        changes: &[("x0", "mtu 1300", Setting::Mtu(1300))],
    }
    .run();
}

fn wireguard() {
    Row {
        kind: "wireguard",
        provider: ("CONFIG_WIREGUARD", "wireguard"),
        prepared: &[],
        words: "type wireguard",
        made: other("wireguard", &[]),
        parent: None,
        settings: &[],
        seen: json!({}),
        options: &[],
        changes: &[("x0", "mtu 1280", Setting::Mtu(1280))],
    }
    .run();
}
