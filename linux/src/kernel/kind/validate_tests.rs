//! One table of what is refused, with the whole sentence, and one of what is not.

use serde_json::json;

use super::{validate, validate_settings};
use crate::change::{
    Attribute, Ipvlan, Kind, LinkName, Macvlan, MacvlanMode, Options, Setting, Spec, Veth, Vlan,
    VlanProtocol,
};

fn spec(kind: Kind, parent: Option<&str>, settings: Vec<Setting>) -> Spec {
    let parent = parent.map(|name| LinkName { namespace: None, name: name.to_owned() });
    Spec { name: "x0".parse().expect("a name"), kind, parent, settings }
}

fn options(all: &[(&str, &str)]) -> Vec<Attribute> {
    let option = |(name, value): &(&str, &str)| Attribute {
        name: (*name).to_owned(),
        value: (*value).to_owned(),
    };
    all.iter().map(option).collect()
}

fn other(kind: &str, all: &[(&str, &str)]) -> Kind {
    Kind::Other(Options { kind: kind.to_owned(), options: options(all) })
}

fn macvlan(mode: Option<MacvlanMode>) -> Macvlan {
    Macvlan { mode, ..Macvlan::default() }
}

fn veth(peer: &str) -> Kind {
    let peer = LinkName { namespace: None, name: peer.to_owned() };
    Kind::Veth(Veth { peer, peer_settings: Vec::new() })
}

fn vlan(id: u16, all: &[(&str, &str)]) -> Kind {
    Kind::Vlan(Vlan { id, protocol: VlanProtocol::Dot1q, options: options(all) })
}

fn mac(text: &str) -> crate::change::MacAddress {
    text.parse().expect("a MAC address")
}

/// A link, and what is said of it.
type Case = (Spec, &'static [&'static str]);

fn refused() -> Vec<Case> {
    let bridge = |name, value| spec(Kind::Bridge(options(&[(name, value)])), None, Vec::new());
    let vxlan = |all: &[(&str, &str)]| spec(Kind::Vxlan(options(all)), None, Vec::new());
    let plain = |kind| spec(kind, None, Vec::new());
    let on = |kind| spec(kind, Some("p0"), Vec::new());
    let with = |setting| spec(Kind::Dummy, None, vec![setting]);
    let source = Macvlan { sources: vec![mac("02:00:00:00:00:01")], ..macvlan(None) };
    let group =
        Macvlan { sources: vec![mac("01:00:00:00:00:01")], ..macvlan(Some(MacvlanMode::Source)) };
    let quiet = Macvlan { nopromisc: true, ..macvlan(Some(MacvlanMode::Bridge)) };
    let nodst = Macvlan { nodst: true, ..macvlan(None) };
    let setting = |name: &str, value: &str| {
        Setting::Other(Attribute { name: name.to_owned(), value: value.to_owned() })
    };
    vec![
        (plain(Kind::Macvlan(macvlan(None))), &["`x0`: kind `macvlan` needs a parent link"]),
        (plain(vlan(5, &[])), &["`x0`: kind `vlan` needs a parent link"]),
        (
            on(Kind::Dummy),
            &["`x0`: kind `dummy` stands on no other link, but parent `p0` is given"],
        ),
        (
            spec(Kind::Macvtap(macvlan(None)), Some("lo"), Vec::new()),
            &["`x0`: `lo` can't be the parent of a `macvtap`"],
        ),
        (
            spec(Kind::Macvlan(macvlan(None)), Some("x0"), Vec::new()),
            &["`x0` can't be its own parent"],
        ),
        (on(Kind::Macvlan(quiet)), &["`nopromisc` needs mode passthru, not bridge"]),
        (on(Kind::Macvlan(nodst)), &["`nodst` needs mode source, not vepa, the default"]),
        (
            on(Kind::Macvlan(source)),
            &["a list of source addresses needs mode source, not vepa, the default"],
        ),
        (
            on(Kind::Macvlan(group)),
            &["source address 01:00:00:00:00:01 is a multicast address; a station's is needed"],
        ),
        (plain(veth("x0")), &["`x0` can't have a peer of its own name beside it"]),
        (
            plain(veth("a-name-of-sixteen")),
            &["peer of `x0`: name `a-name-of-sixteen` has 17 bytes; the kernel allows 15"],
        ),
        (on(vlan(0, &[])), &["VLAN id is 0; 1 to 4094 are allowed"]),
        (on(vlan(4095, &[])), &["VLAN id is 4095; 1 to 4094 are allowed"]),
        (
            on(vlan(5, &[("reorder_hdr", "maybe")])),
            &["`reorder_hdr` must be `on` or `off`, not `maybe`"],
        ),
        (
            on(vlan(5, &[("ingress-qos-map", "1-2")])),
            &["`ingress-qos-map` must be pairs FROM:TO, not `1-2`"],
        ),
        (
            on(vlan(5, &[("gvpr", "on")])),
            &["`vlan` has no option `gvpr`\n  help: did you mean `gvrp`?"],
        ),
        (vxlan(&[]), &["`x0`: a vxlan needs `id`, or `external`"]),
        (vxlan(&[("id", "16777216")]), &["`id` is 16777216; 0 to 16777215 are allowed"]),
        (vxlan(&[("id", "five")]), &["`id` must be a number from 0 to 16777215, not `five`"]),
        (
            vxlan(&[("id", "5"), ("remote", "10.0.0.1"), ("group", "239.1.1.1"), ("dev", "p0")]),
            &["`x0`: a vxlan has either `remote` or `group`"],
        ),
        (
            vxlan(&[("id", "5"), ("group", "239.1.1.1")]),
            &["`x0`: a vxlan with a multicast `group` needs `dev`"],
        ),
        (
            vxlan(&[("id", "5"), ("dstport", "65536")]),
            &["`dstport` is 65536; 0 to 65535 are allowed"],
        ),
        (
            vxlan(&[("id", "5"), ("local", "10.0.0")]),
            &["`local` must be an IP address of its family, not `10.0.0`"],
        ),
        (
            vxlan(&[("id", "5"), ("srcport", "9 3")]),
            &["`srcport` must be two ports, LOW HIGH, not `9 3`"],
        ),
        (
            vxlan(&[("id", "5"), ("df", "never")]),
            &["`df` is `never`; `unset`, `set`, `inherit` are allowed"],
        ),
        (vxlan(&[("id", "5"), ("gbp", "3")]), &["`gbp` takes no value, but has `3`"]),
        (bridge("stp_state", "2"), &["`stp_state` is 2; 0 to 1 are allowed"]),
        (bridge("priority", "-1"), &["`priority` must be a number from 0 to 65535, not `-1`"]),
        (
            bridge("vlan_filterin", "1"),
            &["`bridge` has no option `vlan_filterin`\n  help: did you mean `vlan_filtering`?"],
        ),
        (
            bridge("vlan_protocol", "802.1x"),
            &["`vlan_protocol` is `802.1x`; `802.1Q`, `802.1ad` are allowed"],
        ),
        (
            bridge("group_address", "01:80"),
            &[
                "`group_address`: `01:80` is not a MAC address; six pairs of hexadecimal digits are expected, as in 02:00:00:00:00:01",
            ],
        ),
        (plain(Kind::Vrf(0)), &["`x0`: the table of a vrf can't be 0"]),
        (plain(other("", &[])), &["`x0`: `` can't be a link kind"]),
        (plain(other("a b", &[])), &["`x0`: `a b` can't be a link kind"]),
        (
            plain(other("nosuch", &[("x", "1")])),
            &["options of kind `nosuch` are not known here, so not `x` either"],
        ),
        (
            on(other("macvlan", &[("mode", "bridge")])),
            &["`x0`: kind `macvlan` has a form of its own for its options"],
        ),
        (
            plain(other("veth", &[("peer", "y")])),
            &["`x0`: kind `veth` is not made from plain options"],
        ),
        (
            plain(other("bond", &[("mode", "fast")])),
            &[
                "`mode` is `fast`; `balance-rr`, `active-backup`, `balance-xor`, `broadcast`, `802.3ad`, `balance-tlb`, `balance-alb` are allowed",
            ],
        ),
        (plain(other("dummy", &[("x", "1")])), &["`dummy` takes no options, but has `x`"]),
        (
            plain(other("gre", &[("key", "x")])),
            &["`key` must be a number from 0 to 4294967295, not `x`"],
        ),
        (with(Setting::Mtu(67)), &["mtu is 67; 68 to 65535 are allowed"]),
        (with(Setting::Mtu(65536)), &["mtu is 65536; 68 to 65535 are allowed"]),
        (
            with(Setting::Mac(mac("01:00:5e:00:00:01"))),
            &["link address 01:00:5e:00:00:01 is a multicast address; a station's is needed"],
        ),
        (
            with(Setting::Mac(mac("00:00:00:00:00:00"))),
            &["link address 00:00:00:00:00:00 is all zeros; a station's is needed"],
        ),
        (
            with(Setting::Name("y".parse().expect("a name"))),
            &["`x0` is new: its name can't be set twice"],
        ),
        (with(Setting::Alias("x".repeat(256))), &["alias has 256 bytes; the kernel allows 255"]),
        (with(Setting::Alias("a\0b".to_owned())), &["alias must not hold a NUL"]),
        (with(setting("index", "0")), &["`index` must be a positive number, not `0`"]),
        (
            with(setting("addrgenmode", "eui48")),
            &["`addrgenmode` is `eui48`; `eui64`, `none`, `stable_secret`, `random` are allowed"],
        ),
        (
            with(setting("numtxqueue", "1")),
            &["a link has no setting `numtxqueue`\n  help: did you mean `numtxqueues`?"],
        ),
        (
            with(setting("gso_max_segs", "65536")),
            &["`gso_max_segs` is 65536; 0 to 65535 are allowed"],
        ),
        (
            with(Setting::Options(Options { kind: "vlan".to_owned(), options: Vec::new() })),
            &["options of kind `vlan` don't fit a link of kind `dummy`"],
        ),
        (
            with(Setting::Options(Options {
                kind: "bridge_slave".to_owned(),
                options: options(&[("cost", "0")]),
            })),
            &["`cost` is 0; 1 to 65535 are allowed"],
        ),
        (
            with(Setting::Macvlan(crate::change::MacvlanChange::FlushSources)),
            &["macvlan settings don't fit a link of kind `dummy`"],
        ),
    ]
}

#[test]
fn faults_are_told_in_whole_sentences() {
    for (spec, faults) in refused() {
        assert_eq!(validate(&spec), faults, "{}", json!(spec));
    }
}

#[test]
fn what_the_kernel_would_take_is_let_through() {
    let quiet = Macvlan { nopromisc: true, ..macvlan(Some(MacvlanMode::Passthru)) };
    let ipvlan = Ipvlan { mode: None, flag: None };
    let vxlan = [("vni", "0x10"), ("ttl", "inherit"), ("tos", "inherit"), ("nolearning", "")];
    let gre = [("key", "10.0.0.1"), ("seq", ""), ("ttl", "inherit"), ("remote", "any")];
    let fine = [
        spec(Kind::Macvlan(quiet), Some("p0"), vec![Setting::Mtu(68), Setting::Mtu(65535)]),
        spec(Kind::Ipvlan(ipvlan), Some("p0"), Vec::new()),
        spec(Kind::Vxlan(options(&vxlan)), Some("p0"), Vec::new()),
        spec(other("gre", &gre), None, Vec::new()),
        spec(other("nosuch", &[]), Some("p0"), Vec::new()),
        spec(veth("y0"), None, Vec::new()),
    ];
    for spec in fine {
        assert_eq!(validate(&spec), Vec::<String>::new());
    }
    let loopback = [Setting::Mtu(65536)];
    assert_eq!(validate_settings(&loopback), Vec::<String>::new());
}
