//! All that a topology knows of each kind of link: its keys and what they mean.

use netwright_network::kind;
use netwright_sdk::wit::netwright::host::links::{
    Ipvlan, IpvlanFlag, IpvlanMode, Kind, LinkName, Macvlan, MacvlanMode, Other, Tuntap, Veth,
    Vlan, VlanProtocol,
};
use netwright_sdk::wit::netwright::host::types::{Attribute, MacAddress};

use crate::fault::{quote, suggestion};
use crate::links;
use crate::model::{LinkAddress, Lower, Peer, Port, Topology};
use crate::read::{At, Fields, Reader};
use crate::values;

/// Kinds with a meaning of their own here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word {
    Macvlan,
    Macvtap,
    Veth,
    Bridge,
    Vlan,
    Vxlan,
    Dummy,
    Ifb,
    Ipvlan,
    Ipvtap,
    Tun,
    Tap,
    Vrf,
    /// known by name only, with options as in ip-link(8)
    Other(&'static str),
}

const WORDS: &[(&str, Word)] = &[
    ("macvlan", Word::Macvlan),
    ("macvtap", Word::Macvtap),
    ("veth", Word::Veth),
    ("bridge", Word::Bridge),
    ("vlan", Word::Vlan),
    ("vxlan", Word::Vxlan),
    ("dummy", Word::Dummy),
    ("ifb", Word::Ifb),
    ("ipvlan", Word::Ipvlan),
    ("ipvtap", Word::Ipvtap),
    ("tun", Word::Tun),
    ("tap", Word::Tap),
    ("vrf", Word::Vrf),
];

/// Every key that some kind has and others don't.
pub(crate) const KEYS: &[&str] = &[
    "parent",
    "mode",
    "flags",
    "flag",
    "sources",
    "broadcast-queue-length",
    "peer",
    "ports",
    "options",
    "id",
    "protocol",
    "table",
    "user",
    "group",
    "packet-information",
    "vnet-header",
    "multi-queue",
];

/// What a kind's own keys say.
pub(crate) struct Parts {
    pub(crate) kind: Kind,
    pub(crate) lower: Option<Lower>,
    pub(crate) peer: Option<(Peer, Vec<LinkAddress>)>,
    pub(crate) ports: Vec<Port>,
}

pub(crate) fn word(at: &At<'_>, reader: &mut Reader) -> Option<Word> {
    let text = reader.text(at)?;
    if let Some((_, word)) = WORDS.iter().find(|(word, _)| *word == text) {
        return Some(*word);
    }
    if let Some(other) = kind::find(text) {
        return Some(Word::Other(other.name));
    }
    let known = WORDS.iter().map(|(word, _)| *word);
    let help = suggestion(text, kind::names())
        .unwrap_or_else(|| format!("there are {}", known.collect::<Vec<_>>().join(", ")));
    reader.fault_with(&at.place, format!("unknown kind {}", quote(text)), Some(help));
    None
}

impl Word {
    fn name(self) -> &'static str {
        match self {
            Self::Other(name) => name,
            word => WORDS.iter().find(|(_, known)| *known == word).map_or("", |(name, _)| name),
        }
    }

    /// The keys of [`KEYS`] that this kind has.
    fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Macvlan | Self::Macvtap => {
                &["parent", "mode", "flags", "sources", "broadcast-queue-length"]
            }
            Self::Veth => &["peer", "parent"],
            Self::Bridge => &["ports", "options"],
            Self::Vlan => &["parent", "id", "protocol", "options"],
            Self::Vxlan => &["parent", "id", "options"],
            Self::Dummy | Self::Ifb => &[],
            Self::Ipvlan | Self::Ipvtap => &["parent", "mode", "flag"],
            Self::Tun | Self::Tap => {
                &["user", "group", "packet-information", "vnet-header", "multi-queue"]
            }
            Self::Vrf => &["table"],
            Self::Other(_) => &["parent", "options"],
        }
    }
}

/// Which kinds have a key, for help.
fn having(key: &str) -> String {
    let names: Vec<_> = WORDS
        .iter()
        .filter(|(_, word)| word.keys().contains(&key))
        .map(|(name, _)| *name)
        .collect();
    format!("{} {} it", names.join(", "), if names.len() == 1 { "has" } else { "have" })
}

/// Reads the keys that belong to the kind, and refuses those of other kinds.
pub(crate) fn read(
    word: Word,
    fields: &mut Fields<'_>,
    namespace: &str,
    topology: &mut Topology,
    reader: &mut Reader,
) -> Option<Parts> {
    for (key, place) in fields.given(KEYS) {
        if !word.keys().contains(&key) {
            let article =
                if word.name().starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
            let message = format!("{article} {} has no `{key}`", word.name());
            reader.fault_with(&place, message, Some(having(key)));
        }
    }
    fields.forgive(KEYS);
    match word {
        Word::Macvlan => {
            macvlan(fields, reader).map(|(lower, own)| stacked(Kind::Macvlan(own), lower))
        }
        Word::Macvtap => {
            macvlan(fields, reader).map(|(lower, own)| stacked(Kind::Macvtap(own), lower))
        }
        Word::Veth => veth(fields, namespace, topology, reader),
        Word::Bridge => {
            let ports = links::ports(fields, reader);
            let kind = Kind::Bridge(attributes(bridge_options(&ports, fields, reader)));
            Some(Parts { kind, lower: None, peer: None, ports })
        }
        Word::Vlan => vlan(fields, reader),
        Word::Vxlan => vxlan(fields, reader),
        Word::Dummy => Some(alone(Kind::Dummy)),
        Word::Ifb => Some(alone(Kind::Ifb)),
        Word::Ipvlan => {
            ipvlan(fields, reader).map(|(lower, own)| stacked(Kind::Ipvlan(own), lower))
        }
        Word::Ipvtap => {
            ipvlan(fields, reader).map(|(lower, own)| stacked(Kind::Ipvtap(own), lower))
        }
        Word::Tun => Some(alone(Kind::Tun(tuntap(fields, reader)))),
        Word::Tap => Some(alone(Kind::Tap(tuntap(fields, reader)))),
        Word::Vrf => {
            let table = fields.need(reader, "table");
            table
                .and_then(|at| reader.number(&at, 1, u32::MAX))
                .map(|table| alone(Kind::Vrf(table)))
        }
        Word::Other(name) => {
            let lower = links::lower(fields, reader, false);
            let options = attributes(links::options(name, fields, reader));
            let kind = Kind::Other(Other { kind: name.to_owned(), options });
            Some(Parts { lower, ..alone(kind) })
        }
    }
}

/// A bridge with a port whose VLANs are told filters by them, unless its options say otherwise.
fn bridge_options(
    ports: &[Port],
    fields: &mut Fields<'_>,
    reader: &mut Reader,
) -> Vec<(String, String)> {
    let mut options = links::options("bridge", fields, reader);
    let told = options.iter().any(|(name, _)| name == "vlan_filtering");
    if !told && ports.iter().any(|port| port.vlans.is_some()) {
        options.push(("vlan_filtering".to_owned(), "1".to_owned()));
    }
    options
}

fn alone(kind: Kind) -> Parts {
    Parts { kind, lower: None, peer: None, ports: Vec::new() }
}

fn stacked(kind: Kind, lower: Lower) -> Parts {
    Parts { lower: Some(lower), ..alone(kind) }
}

pub(crate) fn attributes(options: Vec<(String, String)>) -> Vec<Attribute> {
    options.into_iter().map(|(name, value)| Attribute { name, value }).collect()
}

const MODES: &[(&str, MacvlanMode)] = &[
    ("private", MacvlanMode::Private),
    ("vepa", MacvlanMode::Vepa),
    ("bridge", MacvlanMode::Bridge),
    ("passthru", MacvlanMode::Passthru),
    ("source", MacvlanMode::Source),
];

/// The mode of a macvlan, by its word.
pub(crate) fn macvlan_mode(at: &At<'_>, reader: &mut Reader) -> Option<MacvlanMode> {
    reader.word(at, "mode", MODES)
}

fn macvlan(fields: &mut Fields<'_>, reader: &mut Reader) -> Option<(Lower, Macvlan)> {
    let lower = links::lower(fields, reader, true);
    let mode_at = fields.get("mode");
    let mode = mode_at.as_ref().map(|at| macvlan_mode(at, reader));
    let (mut nopromisc, mut nodst) = (false, false);
    for item in fields.get("flags").map(|at| reader.list(&at)).unwrap_or_default() {
        match reader.word(&item, "flag", &[("nopromisc", true), ("nodst", false)]) {
            Some(true) if mode.flatten() == Some(MacvlanMode::Passthru) => nopromisc = true,
            Some(true) if mode == Some(None) => {}
            Some(true) => {
                let help = "add `mode: passthru`, or leave the flag out".to_owned();
                reader.fault_with(&item.place, "`nopromisc` belongs to mode passthru", Some(help));
            }
            Some(false) => nodst = true,
            None => {}
        }
    }
    let sources = sources(fields, mode, reader);
    let queue = fields.get("broadcast-queue-length");
    let queue = queue.and_then(|at| reader.number(&at, 0, u32::MAX));
    let mode = match mode {
        Some(None) => return None,
        Some(Some(mode)) => Some(mode),
        None => None,
    };
    let own = Macvlan { mode, nopromisc, nodst, sources, broadcast_queue_length: queue };
    Some((lower?, own))
}

/// `mode` is `Some(None)` where it has been complained of.
fn sources(
    fields: &mut Fields<'_>,
    mode: Option<Option<MacvlanMode>>,
    reader: &mut Reader,
) -> Vec<MacAddress> {
    let Some(at) = fields.get("sources") else { return Vec::new() };
    if !matches!(mode, Some(None | Some(MacvlanMode::Source))) {
        let help = "add `mode: source`, or leave the list out".to_owned();
        reader.fault_with(&at.place, "`sources` belongs to mode source", Some(help));
        return Vec::new();
    }
    let mut sources = Vec::new();
    for item in reader.list(&at) {
        let Some(mac) = reader.parsed(&item, values::mac) else { continue };
        if sources.contains(&mac) {
            reader.fault(&item.place, format!("{} comes twice", values::mac_text(mac)));
        }
        sources.push(mac);
    }
    sources
}

fn veth(
    fields: &mut Fields<'_>,
    namespace: &str,
    topology: &mut Topology,
    reader: &mut Reader,
) -> Option<Parts> {
    if let Some(bridge) = links::lower(fields, reader, false) {
        if fields.get("peer").is_some() {
            let message = "a veth has a `peer`, or is a port of its `parent`, a bridge outside";
            reader.fault(&bridge.place, message);
            return None;
        }
        // The other end is named outside.
        let peer = LinkName { namespace: None, name: String::new() };
        return Some(stacked(Kind::Veth(Veth { peer, peer_settings: Vec::new() }), bridge));
    }
    let (peer, addresses) = links::peer(fields, namespace, topology, reader)?;
    let name = LinkName { namespace: Some(peer.key.0.clone()), name: peer.key.1.clone() };
    let kind = Kind::Veth(Veth { peer: name, peer_settings: Vec::new() });
    Some(Parts { peer: Some((peer, addresses)), ..alone(kind) })
}

fn vlan(fields: &mut Fields<'_>, reader: &mut Reader) -> Option<Parts> {
    let lower = links::lower(fields, reader, true);
    // IEEE 802.1Q, 9.6: 0 is no VLAN, 4095 is reserved.
    let id = fields.need(reader, "id").and_then(|at| reader.number(&at, 1, 4094));
    let protocols = [("802.1Q", VlanProtocol::Dot1q), ("802.1ad", VlanProtocol::Dot1ad)];
    let protocol = fields
        .get("protocol")
        .map_or(Some(VlanProtocol::Dot1q), |at| reader.word(&at, "protocol", &protocols));
    let options = attributes(links::options("vlan", fields, reader));
    let id = u16::try_from(id?).ok()?;
    Some(stacked(Kind::Vlan(Vlan { id, protocol: protocol?, options }), lower?))
}

fn vxlan(fields: &mut Fields<'_>, reader: &mut Reader) -> Option<Parts> {
    let lower = links::lower(fields, reader, false);
    // RFC 7348, 5: 24 bits.
    let id = fields.need(reader, "id").and_then(|at| reader.number(&at, 0, (1 << 24) - 1));
    let mut options = vec![("id".to_owned(), id?.to_string())];
    options.extend(links::options("vxlan", fields, reader));
    Some(Parts { lower, ..alone(Kind::Vxlan(attributes(options))) })
}

fn ipvlan(fields: &mut Fields<'_>, reader: &mut Reader) -> Option<(Lower, Ipvlan)> {
    let lower = links::lower(fields, reader, true);
    let modes = [("l2", IpvlanMode::L2), ("l3", IpvlanMode::L3), ("l3s", IpvlanMode::L3s)];
    let flags = [
        ("private", IpvlanFlag::Private),
        ("vepa", IpvlanFlag::Vepa),
        ("bridge", IpvlanFlag::Bridge),
    ];
    let mode = fields.get("mode").map(|at| reader.word(&at, "mode", &modes));
    let flag = fields.get("flag").map(|at| reader.word(&at, "flag", &flags));
    if mode == Some(None) || flag == Some(None) {
        return None;
    }
    Some((lower?, Ipvlan { mode: mode.flatten(), flag: flag.flatten() }))
}

fn tuntap(fields: &mut Fields<'_>, reader: &mut Reader) -> Tuntap {
    let mut flag = |key| fields.get(key).and_then(|at| reader.boolean(&at)).unwrap_or(false);
    let (packet_information, vnet_header, multi_queue) =
        (flag("packet-information"), flag("vnet-header"), flag("multi-queue"));
    let mut id = |key| fields.get(key).and_then(|at| reader.number(&at, 0, u32::MAX - 1));
    let (user, group) = (id("user"), id("group"));
    Tuntap { packet_information, vnet_header, multi_queue, one_queue: false, user, group }
}
