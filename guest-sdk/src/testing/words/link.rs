//! Links in ip(8)'s words: how they are made and what they are told.

use netwright_network::shell::Word;

use super::Words;
use crate::MacAddress;
use crate::wit::links::{
    Kind, LinkName, Macvlan, MacvlanChange, Setting, Spec, Tuntap, VlanProtocol,
};

pub(super) fn create_link(namespace: &str, spec: &Spec) -> Words {
    let mut words = Words::inside(namespace);
    words.add("link add").option("link", spec.parent.as_ref().map(link_name));
    words.add("name").add(&spec.name);
    spec.settings.iter().for_each(|one| setting(&mut words, one));
    words.add("type").add(spec.kind.word());
    kind(&mut words, &spec.kind);
    words
}

fn link_name(link: &LinkName) -> String {
    match link.namespace.as_deref() {
        None => link.name.clone(),
        Some("") => format!("root/{}", link.name),
        Some(namespace) => format!("{namespace}/{}", link.name),
    }
}

fn kind(words: &mut Words, kind: &Kind) {
    match kind {
        Kind::Macvlan(data) | Kind::Macvtap(data) => macvlan(words, data),
        Kind::Veth(veth) => {
            words.add("peer name").add(link_name(&veth.peer));
            veth.peer_settings.iter().for_each(|one| setting(words, one));
        }
        Kind::Bridge(options) | Kind::Vxlan(options) => {
            words.attributes(options);
        }
        Kind::Vlan(vlan) => {
            words.flag(vlan.protocol == VlanProtocol::Dot1ad, "protocol 802.1ad");
            words.add("id").add(vlan.id).attributes(&vlan.options);
        }
        Kind::Dummy | Kind::Ifb => {}
        Kind::Ipvlan(data) | Kind::Ipvtap(data) => {
            words.option("mode", data.mode);
            data.flag.iter().for_each(|flag| {
                words.add(flag);
            });
        }
        Kind::Tun(data) | Kind::Tap(data) => tuntap(words, data),
        Kind::Vrf(table) => {
            words.add("table").add(table);
        }
        Kind::Other(other) => {
            words.attributes(&other.options);
        }
    }
}

fn macvlan(words: &mut Words, data: &Macvlan) {
    words
        .option("mode", data.mode)
        .flag(data.nopromisc, "nopromisc")
        .flag(data.nodst, "nodst")
        .option("bcqueuelen", data.broadcast_queue_length)
        .flag(!data.sources.is_empty(), "macaddr set");
    data.sources.iter().for_each(|mac| {
        words.add(MacAddress::from(*mac));
    });
}

fn tuntap(words: &mut Words, data: &Tuntap) {
    words
        .flag(data.packet_information, "pi")
        .flag(data.vnet_header, "vnet_hdr")
        .flag(data.multi_queue, "multi_queue")
        .flag(data.one_queue, "one_queue")
        .option("user", data.user)
        .option("group", data.group);
}

pub(super) fn setting(words: &mut Words, setting: &Setting) {
    let on_off = |on: &bool| if *on { "on" } else { "off" };
    match setting {
        Setting::Up(on) => words.add(if *on { "up" } else { "down" }),
        Setting::Mtu(bytes) => words.add("mtu").add(bytes),
        Setting::Mac(mac) => words.add("address").add(MacAddress::from(*mac)),
        Setting::Broadcast(mac) => words.add("broadcast").add(MacAddress::from(*mac)),
        Setting::Name(name) => words.add("name").add(name),
        Setting::Alias(text) => words.add("alias").add(Word(text)),
        Setting::Group(group) => words.add("group").add(group),
        Setting::TransmitQueueLength(length) => words.add("txqueuelen").add(length),
        Setting::Promiscuous(on) => words.add("promisc").add(on_off(on)),
        Setting::AllMulticast(on) => words.add("allmulticast").add(on_off(on)),
        Setting::Multicast(on) => words.add("multicast").add(on_off(on)),
        Setting::Arp(on) => words.add("arp").add(on_off(on)),
        Setting::Dynamic(on) => words.add("dynamic").add(on_off(on)),
        Setting::Trailers(on) => words.add("trailers").add(on_off(on)),
        Setting::Carrier(on) => words.add("carrier").add(on_off(on)),
        Setting::ProtocolDown(on) => words.add("protodown").add(on_off(on)),
        Setting::Master(Some(master)) => words.add("master").add(master),
        Setting::Master(None) => words.add("nomaster"),
        Setting::Macvlan(change) => {
            macvlan_change(words.add("type macvlan"), change);
            words
        }
        Setting::Options(options) => {
            words.add("type").add(&options.kind).attributes(&options.options)
        }
        Setting::Other(attribute) => words.attributes(std::slice::from_ref(attribute)),
    };
}

fn macvlan_change(words: &mut Words, change: &MacvlanChange) {
    match change {
        MacvlanChange::Mode(mode) => words.add("mode").add(mode),
        MacvlanChange::Nopromisc(on) => {
            words.add("mode passthru").add(if *on { "nopromisc" } else { "promisc" })
        }
        MacvlanChange::Nodst(on) => words.add("mode source").add(if *on { "nodst" } else { "dst" }),
        MacvlanChange::BroadcastQueueLength(length) => words.add("bcqueuelen").add(length),
        MacvlanChange::AddSource(mac) => words.add("macaddr add").add(MacAddress::from(*mac)),
        MacvlanChange::RemoveSource(mac) => words.add("macaddr del").add(MacAddress::from(*mac)),
        MacvlanChange::SetSources(all) => {
            words.add("macaddr set");
            all.iter().fold(words, |words, mac| words.add(MacAddress::from(*mac)))
        }
        MacvlanChange::FlushSources => words.add("macaddr flush"),
    };
}
