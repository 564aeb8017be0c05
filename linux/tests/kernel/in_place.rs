//! What is changed on links that exist: the index stays, and undoing puts the old value back.

use netwright_linux::change::{
    AddressFlags, Change, Kind, MacAddress, MacvlanChange, MacvlanMode, Options, Setting, Write,
};

use crate::Named;
use crate::lab::{
    Lab, address, assert_same, create, link, macvlan, option, options, prefix, put, set, space,
    veth,
};

pub(crate) const TRIALS: &[Named] = &[
    ("a setting changed in place keeps the index, and undoing puts the old value back", settings),
    ("macvlan modes but passthru change into each other and back", modes),
    ("a macvlan's list of stations changes in place and back", stations),
    ("leaving mode source and undoing that restores the list of stations", leaving_source),
    ("becoming passthru needs a replacement", becoming_passthru),
    ("ceasing to be passthru needs a replacement", leaving_passthru),
    ("a setting that the kernel fixes at birth needs a replacement", fixed),
    ("lowering a parent's mtu and undoing that restores its children's", mtu_of_parent),
    ("an mtu too small for IPv6 loses its addresses, which undoing restores", small_mtu),
    ("an address changed in place has its old attributes again when undone", addresses),
];

/// A parent and a macvlan child in namespace `ns1`, up, in this mode; without IPv6, whose addresses
/// come and go by themselves.
fn child(lab: &mut Lab, mode: MacvlanMode) {
    lab.namespace("ns1");
    for namespace in ["", "ns1"] {
        let (key, value) = ("net.ipv6.conf.default.disable_ipv6".to_owned(), "1".to_owned());
        lab.apply(Change::SetSysctl { namespace: space(namespace), key, value });
    }
    child_with_ipv6(lab, mode);
    lab.settle("");
}

fn child_with_ipv6(lab: &mut Lab, mode: MacvlanMode) {
    lab.apply(veth("p0", "p1"));
    lab.apply(create("ns1/m0", Kind::Macvlan(macvlan(mode)), Some("/p0"), &[Setting::Up(true)]));
}

fn mode(mode: MacvlanMode) -> Setting {
    Setting::Macvlan(MacvlanChange::Mode(mode))
}

fn mac(last: u8) -> MacAddress {
    MacAddress([2, 0, 0, 0, 0, last])
}

/// Applies a change to `ns1/m0`, which keeps its index; then takes it back, and all is as before.
#[track_caller]
fn there_and_back(lab: &mut Lab, settings: &[Setting]) {
    let states = |lab: &Lab| known(&(lab.state("") + &lab.state("ns1")));
    let (before, index) = (states(lab), lab.link("ns1", "m0")["ifindex"].clone());
    let undo = lab.apply(set("ns1/m0", settings));
    assert_eq!(lab.link("ns1", "m0")["ifindex"], index, "{settings:?}");
    assert_ne!(states(lab), before, "{settings:?} changed nothing");
    lab.revert(&undo);
    assert_same(|| states(lab), || before.clone(), &format!("{settings:?}"));
}

fn settings() {
    let mut lab = Lab::new();
    child(&mut lab, MacvlanMode::Bridge);
    // A bridge without an address of its own takes its port's, and has none when that has left; it
    // takes a port's limits of segments too, and keeps them. So it has both beforehand.
    lab.apply(create("ns1/br0", Kind::Bridge(Vec::new()), None, &[Setting::Mac(mac(0xb0))]));
    let kind = Kind::Macvlan(macvlan(MacvlanMode::Bridge));
    let port = [Setting::Up(true), Setting::Master(Some("br0".to_owned()))];
    lab.apply(create("ns1/m9", kind, Some("/p0"), &port));
    lab.apply(put("ns1/m0", "10.0.0.1/24"));
    lab.settle("");
    for setting in [
        Setting::Mtu(1400),
        Setting::Mac(mac(7)),
        Setting::Alias("uplink".to_owned()),
        Setting::Group(7),
        Setting::TransmitQueueLength(77),
        Setting::Promiscuous(true),
        Setting::AllMulticast(true),
        Setting::Multicast(false),
        Setting::Arp(false),
        Setting::Master(Some("br0".to_owned())),
        Setting::Macvlan(MacvlanChange::BroadcastQueueLength(500)),
        Setting::Up(false),
    ] {
        there_and_back(&mut lab, &[setting]);
    }
    there_and_back(&mut lab, &[Setting::Mtu(1300), mode(MacvlanMode::Vepa), Setting::Mac(mac(8))]);
}

fn modes() {
    use MacvlanMode::{Bridge, Private, Source, Vepa};
    let mut lab = Lab::new();
    child(&mut lab, Vepa);
    for from in [Vepa, Bridge, Private, Source] {
        if from != Vepa {
            lab.apply(set("ns1/m0", &[mode(from)]));
        }
        for to in [Private, Vepa, Bridge, Source] {
            if from != to {
                there_and_back(&mut lab, &[mode(to)]);
            }
        }
    }
}

fn stations() {
    let mut lab = Lab::new();
    child(&mut lab, MacvlanMode::Source);
    lab.apply(set("ns1/m0", &[Setting::Macvlan(MacvlanChange::AddSource(mac(1)))]));
    lab.settle("");
    for change in [
        MacvlanChange::AddSource(mac(2)),
        MacvlanChange::RemoveSource(mac(1)),
        MacvlanChange::SetSources(vec![mac(3), mac(4)]),
        MacvlanChange::FlushSources,
    ] {
        there_and_back(&mut lab, &[Setting::Macvlan(change)]);
    }
}

fn leaving_source() {
    let mut lab = Lab::new();
    child(&mut lab, MacvlanMode::Source);
    let list = MacvlanChange::SetSources(vec![mac(1), mac(2)]);
    lab.apply(set("ns1/m0", &[Setting::Macvlan(list)]));
    lab.settle("");
    there_and_back(&mut lab, &[mode(MacvlanMode::Bridge)]);
    assert_eq!(lab.link("ns1", "m0")["linkinfo"]["info_data"]["macaddr_count"], 2);
}

fn becoming_passthru() {
    needs_replacement(MacvlanMode::Bridge, MacvlanMode::Passthru);
}

fn leaving_passthru() {
    needs_replacement(MacvlanMode::Passthru, MacvlanMode::Vepa);
}

fn needs_replacement(from: MacvlanMode, to: MacvlanMode) {
    let mut lab = Lab::new();
    child(&mut lab, from);
    let before = lab.state("ns1");
    let text = lab.refused(set("ns1/m0", &[Setting::Mtu(1400), mode(to)]));
    let (from, to) = (from.word(), to.word());
    assert_eq!(
        text,
        format!(
            "mode of macvlan `m0` is {from} and can't become {to} in place: the kernel sets and \
             clears passthru only when the link is made (drivers/net/macvlan.c, \
             macvlan_changelink)\n  help: it needs a replacement: delete `m0` and make it anew \
             with mode {to}"
        )
    );
    assert_same(|| known(&lab.state("ns1")), || known(&before), "a refusal");
}

/// The kernel hears of a child's carrier a moment late.
fn known(state: &str) -> String {
    state.replace("state UNKNOWN", "state UP")
}

fn fixed() {
    let mut lab = Lab::new();
    let data = options(&[("id", "42"), ("dstport", "4789"), ("remote", "10.0.0.9")]);
    lab.apply(veth("p0", "p1"));
    lab.apply(create("vx0", Kind::Vxlan(data), Some("p0"), &[]));
    let vxlan = |name: &str, value: &str| {
        let options = vec![option(name, value)];
        set("vx0", &[Setting::Options(Options { kind: "vxlan".to_owned(), options })])
    };
    let text = lab.refused(vxlan("id", "43"));
    assert!(text.starts_with("id of vxlan `vx0` is 42 and can't become 43 in place: "), "{text}");
    assert!(text.ends_with("delete `vx0` and make it anew with id 43"), "{text}");
    let undo = lab.apply(vxlan("ageing", "77"));
    assert_eq!(lab.link("", "vx0")["linkinfo"]["info_data"]["ageing"], 77);
    lab.revert(&undo);
    assert_eq!(lab.link("", "vx0")["linkinfo"]["info_data"]["ageing"], 300);
}

fn mtu_of_parent() {
    let mut lab = Lab::new();
    child(&mut lab, MacvlanMode::Bridge);
    lab.apply(create("m1", Kind::Macvlan(macvlan(MacvlanMode::Bridge)), Some("p0"), &[]));
    lab.settle("");
    let states = |lab: &Lab| known(&(lab.state("") + &lab.state("ns1")));
    let before = states(&lab);
    let undo = lab.apply(set("p0", &[Setting::Mtu(1400)]));
    assert_eq!(lab.link("ns1", "m0")["mtu"], 1400);
    assert_eq!(lab.link("", "m1")["mtu"], 1400);
    lab.revert(&undo);
    assert_same(|| states(&lab), || before.clone(), "the parent's mtu");
}

fn small_mtu() {
    let mut lab = Lab::new();
    lab.namespace("ns1");
    child_with_ipv6(&mut lab, MacvlanMode::Bridge);
    let mut given = address("fd00::1/64");
    given.flags = AddressFlags { nodad: true, ..AddressFlags::default() };
    lab.apply(Change::PutAddress { link: link("ns1/m0"), address: given, how: Write::Add });
    lab.settle("");
    let shown = |lab: &Lab| known(&lab.output("ns1", "ip -6 address show dev m0 scope global"));
    let before = shown(&lab);
    assert!(before.contains("fd00::1/64"));
    let undo = lab.apply(set("ns1/m0", &[Setting::Mtu(1000)]));
    assert!(!lab.output("ns1", "ip -6 address show dev m0").contains("fd00::1"));
    lab.revert(&undo);
    assert_same(|| shown(&lab), || before.clone(), "a small mtu");
}

fn addresses() {
    let mut lab = Lab::new();
    child(&mut lab, MacvlanMode::Bridge);
    lab.apply(put("ns1/m0", "10.0.0.1/24"));
    let states = |lab: &Lab| known(&lab.state("ns1"));
    let before = states(&lab);
    let mut other = address("10.0.0.1/24");
    (other.metric, other.scope) = (Some(77), Some(253));
    for how in [Write::Change, Write::Replace] {
        let address = other.clone();
        let undo = lab.apply(Change::PutAddress { link: link("ns1/m0"), address, how });
        assert!(lab.output("ns1", "ip address show dev m0").contains("metric 77"));
        lab.revert(&undo);
        assert_same(|| states(&lab), || before.clone(), &format!("{how:?}"));
    }
    let prefix = prefix("10.0.0.1/24");
    let undo = lab.apply(Change::RemoveAddress { link: link("ns1/m0"), prefix, peer: None });
    assert!(!lab.output("ns1", "ip address show dev m0").contains("10.0.0.1"));
    lab.revert(&undo);
    assert_same(|| states(&lab), || before.clone(), "removed");
}
