//! Links of each kind that this kernel has.

use netwright_linux::change::{Change, Kind, MacvlanChange, MacvlanMode, Options, Setting};

use crate::Named;
use crate::lab::{Lab, assert_same, create, link, macvlan, named, option, put, set, veth};

pub(crate) const TRIALS: &[Named] = &[
    ("a macvlan is born in its namespace with its parent in the root", macvlan_across),
    ("every macvlan and macvtap mode reads back as asked for", modes),
    ("a veth's peer is born in another namespace and put up", veth_across),
    ("a bridge has its options and its ports theirs", bridge),
    ("deleting what was made leaves the state as it was", undo_create),
];

fn macvlan_across() {
    let mut lab = Lab::new();
    lab.apply(veth("p0", "p1"));
    lab.namespace("ns1");
    let kind = Kind::Macvlan(macvlan(MacvlanMode::Bridge));
    lab.apply(create("ns1/mac1", kind, Some("/p0"), &[Setting::Up(true)]));
    lab.apply(put("ns1/mac1", "192.168.56.122/24"));
    let (child, parent) = (lab.link("ns1", "mac1"), lab.link("", "p0"));
    assert_eq!(child["link_index"], parent["ifindex"]);
    assert_eq!(child["linkinfo"]["info_data"]["mode"], "bridge");
    assert_same(
        || lab.link("ns1", "mac1")["operstate"].to_string(),
        || "\"UP\"".to_owned(),
        "a child of a link that is up",
    );
    assert!(child["link_netnsid"].is_number());
    let address = lab.ip("ns1", "address show dev mac1");
    assert_eq!(address["addr_info"][0]["local"], "192.168.56.122");
    assert_eq!(address["addr_info"][0]["prefixlen"], 24);
    assert!(address["addr_info"][0]["broadcast"].is_null());
    assert_eq!(lab.names(""), ["lo", "p1", "p0"]);
}

fn modes() {
    let mut lab = Lab::new();
    for (place, mode) in ["private", "vepa", "bridge", "passthru", "source"].iter().enumerate() {
        lab.apply(veth(&format!("p{place}"), &format!("q{place}")));
        let asked = serde_json::from_value(serde_json::json!(mode)).expect("a mode");
        for (tap, word) in [(false, "macvlan"), (true, "macvtap")] {
            let data = macvlan(asked);
            let kind = if tap { Kind::Macvtap(data) } else { Kind::Macvlan(data) };
            let name = format!("m{place}");
            let undo = lab.apply(create(&name, kind, Some(&format!("p{place}")), &[]));
            let shown = lab.link("", &name);
            assert_eq!(shown["linkinfo"]["info_kind"], word);
            assert_eq!(shown["linkinfo"]["info_data"]["mode"], *mode);
            lab.revert(&undo);
        }
    }
}

fn veth_across() {
    let mut lab = Lab::new();
    lab.namespace("ns1");
    lab.namespace("ns2");
    lab.apply(veth("ns1/a", "ns2/b"));
    for (namespace, name) in [("ns1", "a"), ("ns2", "b")] {
        assert_same(
            || lab.link(namespace, name)["operstate"].to_string(),
            || "\"UP\"".to_owned(),
            name,
        );
    }
    assert_eq!(lab.link("ns1", "a")["link_index"], lab.link("ns2", "b")["ifindex"]);
    assert_eq!(lab.names(""), ["lo"]);
}

fn bridge() {
    let mut lab = Lab::new();
    let options = vec![option("forward_delay", "200"), option("mcast_snooping", "0")];
    lab.apply(create("br0", Kind::Bridge(options), None, &[Setting::Up(true)]));
    lab.apply(veth("p0", "p1"));
    let hairpin =
        Options { kind: "bridge_slave".to_owned(), options: vec![option("hairpin", "on")] };
    lab.apply(set("p1", &[Setting::Master(Some("br0".to_owned())), Setting::Options(hairpin)]));
    let (bridge, port) = (lab.link("", "br0"), lab.link("", "p1"));
    assert_eq!(bridge["linkinfo"]["info_data"]["forward_delay"], 200);
    assert_eq!(bridge["linkinfo"]["info_data"]["mcast_snooping"], 0);
    assert_eq!(port["master"], "br0");
    assert_eq!(port["linkinfo"]["info_slave_data"]["hairpin"], true);
}

fn undo_create() {
    let mut lab = Lab::new();
    let before = lab.state("");
    let one = lab.apply(veth("p0", "p1"));
    let kind = Kind::Macvlan(macvlan(MacvlanMode::Vepa));
    let two = lab.apply(create("m0", kind, Some("p0"), &[]));
    let three = lab.apply(set(
        "m0",
        &[Setting::Name(named("m1")), Setting::Macvlan(MacvlanChange::Mode(MacvlanMode::Bridge))],
    ));
    assert_eq!(lab.link("", "m1")["linkinfo"]["info_data"]["mode"], "bridge");
    lab.revert(&three);
    assert_eq!(lab.link("", "m0")["linkinfo"]["info_data"]["mode"], "vepa");
    lab.revert(&two);
    lab.revert(&one);
    assert_eq!(lab.state(""), before);
    let gone = Change::DeleteLink { link: link("m0") };
    assert_eq!(lab.refused(gone), "the root namespace has no link `m0`\n  help: it has `lo`");
}
