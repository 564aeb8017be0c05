//! What the layer knows beyond the kernel's bare answers, and how it tells links apart.

use std::os::fd::AsFd;

use netwright_linux::change::{
    Answer, Change, Kind, LinkInfo, LinkName, LinkRef, MacvlanMode, NamespaceRef, Options, Query,
    Setting, Undo, Vlan, VlanProtocol,
};
use netwright_linux::kernel::netlink::Netlink;
use netwright_linux::kernel::{Kernel, netns};

use crate::Named;
use crate::lab::{
    Lab, create, link, link_name, macvlan, named, option, options, put, query, set, space, veth,
};

pub(crate) const TRIALS: &[Named] = &[
    ("refusals name what stands in the way", hints),
    ("what can be told beforehand is refused before the kernel is asked", invalid),
    ("all faults of a link come at once", faults),
    ("a duplicate address names who has it, and the batch leaves nothing", duplicate),
    ("an index that others took is chosen anew", index_taken),
    ("a link that is moved comes back as it was", moved),
    ("undoing never touches another link of that index", look_alike),
    ("what is gone is undone", gone),
    ("a failed follow-up removes the link", follow_up),
    ("links are described across namespaces", described),
    ("a kept lab is adopted by its descriptors", adopted),
    ("namespaces are found by name and cookie", namespaces),
];

fn bridge_child(path: &str, parent: &str, settings: &[Setting]) -> Change {
    create(path, Kind::Macvlan(macvlan(MacvlanMode::Bridge)), Some(parent), settings)
}

fn help(text: &str) -> &str {
    text.split_once("\n  help: ").map_or("", |(_, help)| help)
}

fn hints() {
    let mut lab = Lab::new();
    lab.apply(veth("p0", "p1"));
    lab.namespace("ns1");
    let passthru = || Kind::Macvlan(macvlan(MacvlanMode::Passthru));
    let first = lab.apply(create("ns1/mac1", passthru(), Some("/p0"), &[]));
    let text = lab.refused(bridge_child("mac2", "p0", &[]));
    assert!(text.starts_with("kernel refused `link add link p0 name mac2 type macvlan mode bridge`: EINVAL (Invalid argument)"));
    assert_eq!(
        help(&text),
        "parent `p0` has the passthru child `mac1` in namespace `ns1`, which tolerates no other"
    );
    lab.revert(&first);
    lab.apply(bridge_child("ns1/mac1", "/p0", &[]));
    let text = lab.refused(create("mac2", passthru(), Some("p0"), &[]));
    assert_eq!(
        help(&text),
        "a passthru child must be its parent's only one, and `p0` has `mac1` in namespace `ns1`"
    );
    let text = lab.refused(bridge_child("ns1/mac1", "/p0", &[]));
    assert!(text.starts_with(
        "kernel refused `-n ns1 link add link root/p0 name mac1 type macvlan mode bridge`: EEXIST"
    ));
    assert!(
        help(&text).starts_with("namespace `ns1` has a link `mac1` already (kind macvlan, index ")
    );
    let text = lab.refused(veth("a", "ns1/mac1"));
    assert!(help(&text).starts_with("namespace `ns1` has a link `mac1` already"), "{text}");
    let text = lab.refused(Change::CreateNamespace { name: named("ns1") });
    assert_eq!(
        text,
        "kernel refused `netns add ns1`: EEXIST (File exists)\n  help: this run has a namespace `ns1` already"
    );
    let mode = netwright_linux::change::MacvlanChange::Mode(MacvlanMode::Passthru);
    let text = lab.refused(set("ns1/mac1", &[Setting::Macvlan(mode)]));
    assert_eq!(
        help(&text),
        "it needs a replacement: delete `mac1` and make it anew with mode passthru"
    );
}

fn invalid() {
    let mut lab = Lab::new();
    lab.apply(veth("p0", "p1"));
    lab.namespace("ns1");
    let text = lab.refused(bridge_child("m0", "p0", &[Setting::Mtu(9000)]));
    assert_eq!(text, "mtu of `m0` is 9000, above the 1500 of its parent `p0`");
    lab.apply(bridge_child("ns1/m0", "/p0", &[]));
    let text = lab.refused(set("ns1/m0", &[Setting::Mtu(9000)]));
    assert_eq!(text, "mtu of `m0` is 9000, above the 1500 of its parent `p0`");
    let text = lab.refused(bridge_child("m1", "p2", &[]));
    assert_eq!(text, "the root namespace has no link `p2`\n  help: did you mean `p1`?");
    let text = lab.refused(bridge_child("m1", "ns2/p0", &[]));
    assert_eq!(text, "there is no namespace `ns2`\n  help: did you mean `ns1`?");
    let text = lab.refused(bridge_child("m1", "lo", &[]));
    assert_eq!(text, "`m1`: `lo` can't be the parent of a `macvlan`");
    let port = Setting::Master(Some("br0".to_owned()));
    let text = lab.refused(set("p0", &[port]));
    assert_eq!(text, "the root namespace has no link `br0`\n  help: it has `lo`, `p1`, `p0`");
    let wrong = Options { kind: "vxlan".to_owned(), options: options(&[("id", "5")]) };
    let text = lab.refused(set("p0", &[Setting::Options(wrong)]));
    assert_eq!(text, "`p0` is of kind `veth`, not `vxlan`");
    assert_eq!(lab.names(""), ["lo", "p1", "p0"]);
}

fn faults() {
    let mut lab = Lab::new();
    let given = options(&[("forward_dely", "3"), ("stp_state", "2")]);
    let mac = "01:00:5e:00:00:01".parse().expect("a MAC address");
    let settings = [Setting::Mtu(67), Setting::Mac(mac)];
    let text = lab.refused(create("br0", Kind::Bridge(given), Some("lo"), &settings));
    assert_eq!(
        text,
        "`br0`: kind `bridge` stands on no other link, but parent `lo` is given\n\
         `bridge` has no option `forward_dely`\n  help: did you mean `forward_delay`?\n\
         `stp_state` is 2; 0 to 1 are allowed\n\
         mtu is 67; 68 to 65535 are allowed\n\
         link address 01:00:5e:00:00:01 is a multicast address; a station's is needed"
    );
    let vlan = Vlan { id: 4095, protocol: VlanProtocol::Dot1q, options: Vec::new() };
    let text = lab.refused(create("v0", Kind::Vlan(vlan), Some("p0"), &[]));
    assert_eq!(text, "VLAN id is 4095; 1 to 4094 are allowed");
}

fn duplicate() {
    let mut lab = Lab::new();
    lab.apply(veth("p0", "p1"));
    lab.namespace("ns1");
    let mac = Setting::Mac("02:00:00:00:00:0c".parse().expect("a MAC address"));
    lab.apply(bridge_child("ns1/m1", "/p0", &[mac.clone(), Setting::Up(true)]));
    let undo = lab.apply(bridge_child("m2", "p0", std::slice::from_ref(&mac)));
    let text = lab.refused(set("m2", &[Setting::Up(true)]));
    assert!(text.starts_with("kernel refused `link set m2 up`: EADDRINUSE"), "{text}");
    let wanted = "`m1` in namespace `ns1` has address 02:00:00:00:00:0c on the same parent already";
    assert_eq!(help(&text), wanted);
    lab.revert(&undo);
    let error = lab
        .batch(vec![
            Change::CreateNamespace { name: named("ns2") },
            bridge_child("ns2/m3", "/p0", &[mac, Setting::Up(true)]),
        ])
        .expect_err("an address twice");
    assert_eq!(error.index, 1);
    assert_eq!(help(&error.error.to_string()), wanted);
    assert_eq!(lab.names(""), ["lo", "p1", "p0"]);
    assert_eq!(lab.kernel.namespaces().len(), 1);
}

fn index_taken() {
    let mut lab = Lab::new();
    lab.output("", "ip link add name p0 type veth peer name p1");
    lab.apply(veth("a", "b"));
    lab.output("", "ip link add name p2 type veth peer name p3");
    lab.apply(veth("c", "d"));
    assert_eq!(lab.names("").len(), 9);
    let asked = Setting::Other(option("index", "77"));
    lab.apply(create("br0", Kind::Bridge(Vec::new()), None, &[asked]));
    assert_eq!(lab.link("", "br0")["ifindex"], 77);
}

fn moved() {
    let mut lab = Lab::new();
    lab.namespace("ns1");
    let one = lab.apply(veth("p0", "p1"));
    let full = lab.apply(put("p0", "10.0.0.1/24"));
    lab.settle("");
    let before = lab.output("", "ip -4 address show dev p0");
    // Its index is taken there.
    lab.apply(veth("ns1/a", "b"));
    let undo = lab.apply(Change::MoveLink { link: link("p0"), to: space("ns1") });
    assert_eq!(lab.names("").len(), 2);
    assert!(lab.names("ns1").contains(&"p0".to_owned()));
    lab.revert(&undo);
    lab.settle("");
    assert_eq!(lab.output("", "ip -4 address show dev p0"), before);
    lab.revert(&full);
    lab.revert(&one);
    assert_eq!(lab.names(""), ["lo"]);
}

fn look_alike() {
    let mut lab = Lab::new();
    let undo = lab.apply(veth("p0", "p1"));
    let index = lab.link("", "p0")["ifindex"].to_string();
    lab.output("", "ip link delete p0");
    lab.output("", &format!("ip link add name other index {index} type bridge"));
    lab.revert(&undo);
    assert_eq!(lab.names(""), ["lo", "other"]);
}

fn gone() {
    let mut lab = Lab::new();
    lab.namespace("ns1");
    lab.apply(veth("p0", "p1"));
    let child = lab.apply(bridge_child("ns1/m0", "/p0", &[]));
    let address = lab.apply(put("ns1/m0", "10.0.0.1/24"));
    let Some(Change::DeleteLink { link: full }) = child.steps.first() else { panic!("a link") };
    let full = full.clone();
    lab.output("", "ip link delete p0");
    lab.revert(&address);
    lab.revert(&child);
    let late = Change::ChangeLink { link: full, settings: vec![Setting::Up(true)] };
    assert_eq!(lab.refused(late), "link `m0` of namespace `ns1` is gone");
    lab.apply(Change::DeleteNamespace { namespace: space("ns1") });
    lab.revert(&child);
    lab.revert(&Undo { steps: address.steps });
}

fn follow_up() {
    let mut lab = Lab::new();
    let carrier = Setting::Carrier(false);
    let ports = Options { kind: "bridge_slave".to_owned(), options: options(&[("hairpin", "on")]) };
    for setting in [carrier, Setting::Options(ports)] {
        assert!(lab.try_apply(create("br0", Kind::Bridge(Vec::new()), None, &[setting])).is_err());
        assert_eq!(lab.names(""), ["lo"]);
    }
}

fn info(lab: &Lab, path: &str) -> LinkInfo {
    let Answer::Links(found) = query(&lab.kernel, Query::Link { link: link(path) }) else {
        panic!("links")
    };
    found.into_iter().next().expect("a link")
}

fn described() {
    let mut lab = Lab::new();
    lab.namespace("ns1");
    lab.namespace("ns2");
    lab.apply(veth("p0", "ns2/p1"));
    lab.apply(bridge_child("ns1/m0", "/p0", &[Setting::Up(true)]));
    lab.apply(set("p0", &[Setting::Alias("up link".to_owned())]));
    lab.settle("");
    let child = info(&lab, "ns1/m0");
    assert_eq!(child.parent, Some(LinkName { namespace: Some(None), name: "p0".to_owned() }));
    assert_eq!((child.kind.as_str(), child.peer), ("macvlan", None));
    assert_eq!(child.data[0], option("mode", "bridge"));
    let parent = info(&lab, "p0");
    assert_eq!(parent.peer, Some(link_name("ns2/p1")));
    assert_eq!(parent.alias.as_deref(), Some("up link"));
    assert_eq!((parent.mtu, parent.up, parent.carrier), (1500, true, true));
    assert_eq!(
        parent.mac.map(|mac| mac.to_string()).as_deref(),
        lab.link("", "p0")["address"].as_str()
    );
    assert_eq!(parent.flags, ["BROADCAST", "MULTICAST", "UP", "LOWER_UP"]);
    lab.apply(create("br0", Kind::Bridge(Vec::new()), None, &[]));
    let hairpin =
        Options { kind: "bridge_slave".to_owned(), options: options(&[("hairpin", "on")]) };
    let port = [Setting::Master(Some("br0".to_owned())), Setting::Options(hairpin)];
    assert_eq!(
        help(&lab.refused(set("p0", &port))),
        "`p0` is the parent of `m0` in namespace `ns1`; it can't be a port too"
    );
    lab.apply(veth("q0", "q1"));
    lab.apply(set("q0", &port));
    let port = info(&lab, "q0");
    assert_eq!(port.master.as_deref(), Some("br0"));
    assert!(port.data.contains(&option("bridge_slave hairpin", "on")));
    let Answer::Links(all) = query(&lab.kernel, Query::Links { namespace: space("") }) else {
        panic!("links")
    };
    assert_eq!(
        all.iter().map(|link| link.kind.as_str()).collect::<Vec<_>>(),
        ["loopback", "veth", "bridge", "veth", "veth"]
    );
    let Answer::Statistics(counted) =
        query(&lab.kernel, Query::Statistics { link: link("ns2/p1") })
    else {
        panic!("statistics")
    };
    let shown = lab.ip("ns2", "-s link show dev p1");
    assert_eq!(Some(counted.received_errors), shown["stats64"]["rx"]["errors"].as_u64());
}

fn adopted() {
    let mut lab = Lab::new();
    lab.namespace("ns1");
    lab.apply(veth("p0", "ns1/p1"));
    let named = lab.kernel.namespaces().into_iter().map(|(name, descriptor)| {
        (Some(name), descriptor.as_fd().try_clone_to_owned().expect("a descriptor"))
    });
    let root = (None, netns::current().expect("the root"));
    let other = Netlink::adopt(std::iter::once(root).chain(named).collect()).expect("a kernel");
    assert_eq!(query(&other, Query::Namespaces), Answer::Names(vec!["ns1".to_owned()]));
    let Answer::Links(found) = query(&other, Query::Links { namespace: space("ns1") }) else {
        panic!("links")
    };
    assert_eq!(found[1].peer, Some(LinkName { namespace: Some(None), name: "p0".to_owned() }));
    let mut lab = Lab { kernel: other };
    lab.apply(veth("a", "ns1/b"));
    assert_eq!(lab.names("").len(), 3);
}

fn namespaces() {
    let mut lab = Lab::new();
    lab.namespace("ns1");
    let Answer::Namespace(found) = query(&lab.kernel, Query::Namespace { namespace: space("ns1") })
    else {
        panic!("a namespace")
    };
    assert!(lab.kernel.namespace_descriptor(&found).is_ok());
    lab.apply(Change::DeleteNamespace { namespace: space("ns1") });
    lab.namespace("ns1");
    let stale = Change::DeleteNamespace { namespace: found };
    assert_eq!(lab.refused(stale), "namespace `ns1` is gone");
    let root = Change::DeleteNamespace { namespace: NamespaceRef::named(None) };
    assert_eq!(lab.refused(root), "the root namespace can't be deleted");
    let by_index = LinkRef { index: Some(99), ..link("lo") };
    assert_eq!(
        lab.refused(Change::DeleteLink { link: by_index }),
        "link `lo` of the root namespace is gone"
    );
}
