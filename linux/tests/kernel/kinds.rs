//! Kinds with their options and settings, each beside what `ip` does with the same words in a
//! namespace of its own.

use netwright_linux::change::{
    Change, Kind, Macvlan, MacvlanChange, MacvlanMode, Options, Setting, Spec, Tuntap,
};

use crate::Named;
use crate::lab::{Lab, assert_same, create, link, macvlan, named, option, options, set, space};
use crate::twins::{compare, steady, twins};

pub(crate) const TRIALS: &[Named] = &[
    ("links of every kind are as `ip link add` makes them, and undone", kinds),
    ("settings are as `ip link set` makes them, and undone", settings),
    ("bridge options are as `ip link` sets them, and undone", bridge_options),
    ("port options are as `ip link` sets them, and undone", port_options),
    ("vxlan options are as `ip link` sets them", vxlan_options),
    ("macvlan sources are as `ip link` sets them, and undone", sources),
    ("kinds that this kernel lacks are unsupported by name", unsupported),
];

const MAC: &str = "02:00:00:00:00:0c";

fn address() -> Setting {
    Setting::Mac(MAC.parse().expect("a MAC address"))
}

/// `ip`'s words, the link's name, and the same as a change.
type Case<'a> = (&'a str, &'a str, Kind, Option<&'a str>, &'a [Setting]);

fn kinds() {
    let mut lab = twins();
    let before = lab.state("ours");
    let passthru = Macvlan { nopromisc: true, ..macvlan(MacvlanMode::Passthru) };
    let source = Macvlan {
        nodst: true,
        sources: vec!["02:00:00:00:00:01".parse().expect("a MAC address")],
        broadcast_queue_length: Some(2000),
        ..macvlan(MacvlanMode::Source)
    };
    let tuntap = Tuntap { vnet_header: true, user: Some(1000), ..Tuntap::default() };
    let multi = Tuntap { multi_queue: true, packet_information: true, ..Tuntap::default() };
    let settings = [address(), Setting::Mtu(1400), Setting::Up(true)];
    let vxlan = options(&[("id", "42"), ("remote", "10.0.0.2"), ("dev", "a"), ("dstport", "4789")]);
    let cases: [Case<'_>; 7] = [
        (
            "link a name m0 address MAC mtu 1400 up type macvlan mode bridge",
            "m0",
            Kind::Macvlan(macvlan(MacvlanMode::Bridge)),
            Some("a"),
            &settings,
        ),
        (
            "link a name m0 address MAC type macvlan",
            "m0",
            Kind::Macvlan(Macvlan::default()),
            Some("a"),
            &settings[..1],
        ),
        (
            "link a name m0 up type macvlan mode passthru nopromisc",
            "m0",
            Kind::Macvlan(passthru),
            Some("a"),
            &settings[2..],
        ),
        (
            "link a name m0 address MAC type macvtap mode source nodst macaddr set 02:00:00:00:00:01 bcqueuelen 2000",
            "m0",
            Kind::Macvtap(source),
            Some("a"),
            &settings[..1],
        ),
        ("name i0 address MAC mtu 1400 up type ifb", "i0", Kind::Ifb, None, &settings),
        (
            "name x0 address MAC type vxlan id 42 remote 10.0.0.2 dev a dstport 4789",
            "x0",
            Kind::Vxlan(vxlan),
            None,
            &settings[..1],
        ),
        ("name r0 address MAC type bridge", "r0", Kind::Bridge(Vec::new()), None, &settings[..1]),
    ];
    for (words, name, kind, parent, settings) in cases {
        let words = words.replace("MAC", MAC);
        lab.output("theirs", &format!("ip link add {words}"));
        let undo = lab.apply(create(&format!("ours/{name}"), kind, parent, settings));
        let state = |lab: &Lab, space: &str| steady(&lab.output(space, "ip -d link"));
        assert_same(|| state(&lab, "ours"), || state(&lab, "theirs"), &words);
        lab.revert(&undo);
        lab.output("theirs", &format!("ip link delete {name}"));
        assert_same(|| lab.state("ours"), || before.clone(), &words);
    }
    let tuns = [
        ("mode tap user 1000 vnet_hdr", Kind::Tap(tuntap)),
        ("mode tun multi_queue pi", Kind::Tun(multi)),
    ];
    for (words, kind) in tuns {
        lab.output("theirs", &format!("ip tuntap add name t0 {words}"));
        let undo = lab.apply(create("ours/t0", kind, None, &[]));
        let state = |lab: &Lab, space: &str| {
            let text = steady(&lab.output(space, "ip -d link show dev t0"));
            let lines = text.lines().filter(|line| !line.contains("link/ether"));
            // The index is the kernel's choice here.
            let lines = lines.map(|line| line.split_once(": ").map_or(line, |(_, rest)| rest));
            lines.collect::<Vec<_>>().join("\n")
        };
        assert_same(|| state(&lab, "ours"), || state(&lab, "theirs"), words);
        lab.revert(&undo);
        lab.output("theirs", "ip link delete t0");
    }
}

fn settings() {
    let mut lab = twins();
    let one = |setting: Setting| set("ours/a", &[setting]);
    let on = |setting: fn(bool) -> Setting| one(setting(true));
    compare(
        &mut lab,
        &[
            ("ip link set dev a down", one(Setting::Up(false))),
            ("ip link set dev a name c", one(Setting::Name(named("c")))),
            ("ip link set c mtu 1400", set("ours/c", &[Setting::Mtu(1400)])),
            ("ip link set c name a", set("ours/c", &[Setting::Name(named("a"))])),
            ("ip link set dev a alias x-y", one(Setting::Alias("x-y".to_owned()))),
            ("ip link set dev a group 7", one(Setting::Group(7))),
            ("ip link set dev a txqueuelen 77", one(Setting::TransmitQueueLength(77))),
            ("ip link set dev a promisc on", on(Setting::Promiscuous)),
            ("ip link set dev a allmulticast on", on(Setting::AllMulticast)),
            ("ip link set dev a multicast off", one(Setting::Multicast(false))),
            ("ip link set dev a arp off", one(Setting::Arp(false))),
            ("ip link set dev a dynamic on", on(Setting::Dynamic)),
            ("ip link set dev a trailers off", one(Setting::Trailers(false))),
            (
                "ip link set dev a address 02:00:00:00:00:77",
                one(Setting::Mac("02:00:00:00:00:77".parse().expect("a MAC address"))),
            ),
            ("ip link set dev a up", on(Setting::Up)),
            (
                "ip link set dev a gso_max_size 32768",
                one(Setting::Other(option("gso_max_size", "32768"))),
            ),
            (
                "ip link set dev a gso_max_segs 100",
                one(Setting::Other(option("gso_max_segs", "100"))),
            ),
            (
                "ip link set dev a addrgenmode random",
                one(Setting::Other(option("addrgenmode", "random"))),
            ),
        ],
    );
}

fn bridge_options() {
    let mut lab = twins();
    for name in ["ours", "theirs"] {
        let bridge = Kind::Bridge(Vec::new());
        let settings = [Setting::Other(option("addrgenmode", "none")), address()];
        lab.apply(create(&format!("{name}/br0"), bridge, None, &settings));
    }
    let words = [
        ("forward_delay", "400"),
        ("hello_time", "300"),
        ("max_age", "1000"),
        ("ageing_time", "1000"),
        ("stp_state", "1"),
        ("priority", "100"),
        ("group_fwd_mask", "8"),
        ("group_address", "01:80:c2:00:00:04"),
        ("mcast_router", "2"),
        ("mcast_snooping", "0"),
        ("mcast_query_use_ifaddr", "1"),
        ("mcast_querier", "1"),
        ("mcast_hash_max", "1024"),
        ("mcast_last_member_count", "3"),
        ("mcast_startup_query_count", "3"),
        ("mcast_last_member_interval", "200"),
        ("mcast_membership_interval", "30000"),
        ("mcast_querier_interval", "30000"),
        ("mcast_query_interval", "13000"),
        ("mcast_query_response_interval", "1100"),
        ("mcast_startup_query_interval", "3200"),
        ("mcast_stats_enabled", "1"),
        ("mcast_igmp_version", "3"),
        ("mcast_mld_version", "2"),
    ];
    let cases: Vec<_> = words
        .iter()
        .map(|(name, value)| {
            let given = Options { kind: "bridge".to_owned(), options: options(&[(name, value)]) };
            (
                format!("ip link set br0 type bridge {name} {value}"),
                set("ours/br0", &[Setting::Options(given)]),
            )
        })
        .collect();
    let cases: Vec<_> = cases.iter().map(|(words, one)| (words.as_str(), one.clone())).collect();
    compare(&mut lab, &cases);
}

fn port_options() {
    let mut lab = twins();
    for name in ["ours", "theirs"] {
        let bridge = Kind::Bridge(Vec::new());
        let settings = [Setting::Other(option("addrgenmode", "none")), address()];
        lab.apply(create(&format!("{name}/br0"), bridge, None, &settings));
        lab.apply(set(&format!("{name}/a"), &[Setting::Master(Some("br0".to_owned()))]));
        lab.apply(set(&format!("{name}/b"), &[Setting::Master(Some("br0".to_owned()))]));
    }
    let words = [
        ("priority", "10"),
        ("cost", "77"),
        ("hairpin", "on"),
        ("guard", "on"),
        ("root_block", "on"),
        ("fastleave", "on"),
        ("learning", "off"),
        ("flood", "off"),
        ("proxy_arp", "on"),
        ("proxy_arp_wifi", "on"),
        ("mcast_router", "2"),
        ("mcast_flood", "off"),
        ("bcast_flood", "off"),
        ("mcast_to_unicast", "on"),
        ("group_fwd_mask", "8"),
        ("neigh_suppress", "on"),
        ("isolated", "on"),
        ("backup_port", "b"),
        ("locked", "on"),
    ];
    let cases: Vec<_> = words
        .iter()
        .map(|(name, value)| {
            let kind = "bridge_slave".to_owned();
            let given = Options { kind, options: options(&[(name, value)]) };
            (
                format!("ip link set dev a type bridge_slave {name} {value}"),
                set("ours/a", &[Setting::Options(given)]),
            )
        })
        .collect();
    let cases: Vec<_> = cases.iter().map(|(words, one)| (words.as_str(), one.clone())).collect();
    compare(&mut lab, &cases);
    let alone = Options { kind: "bridge_slave".to_owned(), options: options(&[("hairpin", "on")]) };
    lab.apply(set("ours/a", &[Setting::Master(None)]));
    assert_eq!(
        lab.refused(set("ours/a", &[Setting::Options(alone)])),
        "`a` has no master, so it can't have options of `bridge_slave`"
    );
}

fn vxlan_options() {
    let mut lab = twins();
    let cases = [
        "id 42 local 10.0.0.1 ttl 64 tos 0x10 dstport 4789 nolearning proxy rsc l2miss l3miss",
        "id 42 group 239.1.1.1 dev a ageing 100 maxaddress 50 srcport 1000 2000 dstport 4789",
        "id 42 remote 2001:db8::2 local 2001:db8::1 flowlabel 0x1234 udp6zerocsumtx udp6zerocsumrx dstport 4789",
        "id 42 remote 10.0.0.2 noudpcsum gbp df set ttl inherit dstport 4789",
        "external dstport 4789",
    ];
    for words in cases {
        let mut all: Vec<(String, String)> = Vec::new();
        let mut rest = words.split_whitespace().peekable();
        while let Some(word) = rest.next() {
            let mut value = String::new();
            let bare = matches!(
                word,
                "nolearning"
                    | "proxy"
                    | "rsc"
                    | "l2miss"
                    | "l3miss"
                    | "udp6zerocsumtx"
                    | "udp6zerocsumrx"
                    | "noudpcsum"
                    | "gbp"
                    | "external"
            );
            if !bare {
                value = rest.next().expect("a value").to_owned();
            }
            if word == "srcport" {
                value = format!("{value} {}", rest.next().expect("a port"));
            }
            let value = value.strip_prefix("0x10").map_or(value.clone(), |_| "16".to_owned());
            all.push((word.to_owned(), value));
        }
        let given: Vec<_> = all.iter().map(|(name, value)| option(name, value)).collect();
        let quiet = Setting::Other(option("addrgenmode", "none"));
        lab.output("theirs", &format!("ip link add x0 address {MAC} type vxlan {words}"));
        lab.output("theirs", "ip link set x0 addrgenmode none");
        let undo = lab.apply(create("ours/x0", Kind::Vxlan(given), None, &[address(), quiet]));
        assert_same(|| lab.state("ours"), || lab.state("theirs"), words);
        lab.revert(&undo);
        lab.output("theirs", "ip link delete x0");
    }
}

fn sources() {
    let mut lab = twins();
    for name in ["ours", "theirs"] {
        let quiet = Setting::Other(option("addrgenmode", "none"));
        let kind = Kind::Macvlan(macvlan(MacvlanMode::Source));
        lab.apply(create(&format!("{name}/m0"), kind, Some("a"), &[address(), quiet]));
    }
    let mac = |last: u8| format!("02:00:00:00:01:0{last}").parse().expect("a MAC address");
    let change = |one| set("ours/m0", &[Setting::Macvlan(one)]);
    compare(
        &mut lab,
        &[
            (
                "ip link set m0 type macvlan macaddr add 02:00:00:00:01:01",
                change(MacvlanChange::AddSource(mac(1))),
            ),
            (
                "ip link set m0 type macvlan macaddr set 02:00:00:00:01:02 02:00:00:00:01:03",
                change(MacvlanChange::SetSources(vec![mac(2), mac(3)])),
            ),
            (
                "ip link set m0 type macvlan macaddr del 02:00:00:00:01:02",
                change(MacvlanChange::RemoveSource(mac(2))),
            ),
            (
                "ip link set m0 type macvlan bcqueuelen 3000",
                change(MacvlanChange::BroadcastQueueLength(3000)),
            ),
            ("ip link set m0 type macvlan macaddr flush", change(MacvlanChange::FlushSources)),
            (
                "ip link set m0 type macvlan mode vepa",
                change(MacvlanChange::Mode(MacvlanMode::Vepa)),
            ),
        ],
    );
    let link = link("ours/a");
    let wrong =
        Change::ChangeLink { link, settings: vec![Setting::Macvlan(MacvlanChange::FlushSources)] };
    assert_eq!(lab.refused(wrong), "`a` is of kind `veth`, not `macvlan`");
}

fn unsupported() {
    let mut lab = Lab::new();
    let kind = Kind::Other(Options { kind: "nosuch".to_owned(), options: Vec::new() });
    let spec = Spec { name: named("x0"), kind, parent: None, settings: Vec::new() };
    let change = Change::CreateLink { namespace: space(""), spec };
    assert_eq!(
        lab.refused(change),
        "not supported here: links of kind `nosuch`: the kernel does not know them"
    );
}
