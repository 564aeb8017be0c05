//! Reads namespaces and links.

use netwright_sdk::wit::netwright::host::links::Setting;
use serde_json::Value;

use crate::fault::Place;
use crate::kind;
use crate::model::{
    Altered, Existing, Key, Link, LinkAddress, Lower, Peer, Port, Topology, of_peer, shown,
};
use crate::qdisc;
use crate::read::{At, Fields, Reader};
use crate::values::{self, LinkText};

/// The lowest MTU of an Ethernet device, include/uapi/linux/if_ether.h (ETH_MIN_MTU), and the
/// highest of veth and dummy (ETH_MAX_MTU).
const MTU: (u32, u32) = (68, 65_535);
/// 64 KiB, drivers/net/loopback.c.
const LOOPBACK_MTU: u32 = 65_536;
/// The link that every namespace has from the start.
const LOOPBACK: &str = "lo";

/// The `namespaces` parameter: names.
pub fn namespaces(at: &At<'_>, topology: &mut Topology, reader: &mut Reader) {
    for item in reader.list(at) {
        if let Some(name) = reader.parsed(&item, values::new_namespace) {
            topology.namespaces.push((name, item.place));
        }
    }
}

/// The `existing` parameter: what is there before, so that it may be referred to.
pub fn existing(at: &At<'_>, reader: &mut Reader) -> Existing {
    let mut existing = Existing::default();
    let Some(mut fields) = reader.fields(at, "`existing`") else { return existing };
    for item in fields.get("namespaces").map(|at| reader.list(&at)).unwrap_or_default() {
        existing.namespaces.extend(reader.parsed(&item, values::namespace));
    }
    for item in fields.get("links").map(|at| reader.list(&at)).unwrap_or_default() {
        if let Some(link) = reader.parsed(&item, values::link) {
            let namespace = link.namespace.unwrap_or_default();
            if !namespace.is_empty() {
                existing.namespaces.insert(namespace.clone());
            }
            existing.links.insert((namespace, link.name));
        }
    }
    reader.close(fields);
    existing
}

/// The `links` parameter.
pub fn links(at: &At<'_>, topology: &mut Topology, reader: &mut Reader) {
    for item in reader.list(at) {
        if let Some(link) = link(&item, topology, reader) {
            topology.links.push(link);
        }
    }
}

fn link(at: &At<'_>, topology: &mut Topology, reader: &mut Reader) -> Option<Link> {
    let mut fields = reader.fields(at, "a link")?;
    let namespace = namespace(&mut fields, reader);
    let name = fields.need(reader, "name").and_then(|at| reader.parsed(&at, values::name));
    let key = (namespace.unwrap_or_default(), name.unwrap_or_default());
    if is_there(&mut fields, &key, topology, reader) {
        let link = altered(fields, key, topology, reader);
        topology.altered.push(link);
        return None;
    }
    let kind_word = kind_word(&mut fields, &key, topology, reader);
    let parts = kind_word.and_then(|word| kind::read(word, &mut fields, &key.0, topology, reader));
    let settings = settings(&mut fields, reader, Some(true));
    let (mtu, mac) = (mtu(&mut fields, MTU.1, reader), mac(&mut fields, reader));
    let master = master(&mut fields, reader);
    read_addresses(&mut fields, &key, &mut topology.addresses, reader);
    qdisc::qdisc(&mut fields, &key, topology, reader);
    if kind_word.is_none() {
        fields.forgive(kind::KEYS);
    }
    reader.close(fields);
    let Some(parts) = parts.filter(|_| !key.1.is_empty()) else {
        topology.faulty.insert(key);
        return None;
    };
    let peer = parts.peer.map(|(peer, addresses)| {
        topology.addresses.extend(addresses);
        peer
    });
    let place = at.place.clone();
    let (kind, lower, ports) = (parts.kind, parts.lower, parts.ports);
    Some(Link { key, place, kind, lower, peer, ports, master, mtu, mac, settings })
}

/// Whether a link is there before and is only altered: one of `existing` that has no kind, or the
/// `lo` that every namespace has, whose kind may be said.
fn is_there(fields: &mut Fields<'_>, key: &Key, topology: &Topology, reader: &mut Reader) -> bool {
    let Some(kind) = fields.get("kind") else {
        return key.1 == LOOPBACK || topology.existing.links.contains(key);
    };
    if kind.value.as_str() != Some("loopback") {
        return false;
    }
    if key.1 != LOOPBACK && !key.1.is_empty() {
        let help = Some(
            "a namespace has one, `name: lo`; another link for addresses is a `kind: dummy`"
                .to_owned(),
        );
        reader.fault_with(&kind.place, "a loopback is called `lo`", help);
    }
    true
}

/// What is set on a link that is there: of `lo` that it is up, unless it says otherwise, of others
/// nothing that it does not say.
fn altered(
    mut fields: Fields<'_>,
    key: Key,
    topology: &mut Topology,
    reader: &mut Reader,
) -> Altered {
    let place = fields.place().clone();
    let loopback = key.1 == LOOPBACK;
    let settings = settings(&mut fields, reader, loopback.then_some(true));
    let most = if loopback { LOOPBACK_MTU } else { MTU.1 };
    let (mtu, mac) = (mtu(&mut fields, most, reader), mac(&mut fields, reader));
    let master = master(&mut fields, reader);
    read_addresses(&mut fields, &key, &mut topology.addresses, reader);
    qdisc::qdisc(&mut fields, &key, topology, reader);
    for (own, place) in fields.given(kind::KEYS) {
        let message = format!("link {} is there before; it has no `{own}`", shown(&key));
        reader.fault(&place, message);
    }
    fields.forgive(kind::KEYS);
    reader.close(fields);
    Altered { key, place, master, mtu, mac, settings }
}

/// The `kind` key. Whoever is used to name both ends of a cable leaves it out of the second.
fn kind_word(
    fields: &mut Fields<'_>,
    key: &Key,
    topology: &Topology,
    reader: &mut Reader,
) -> Option<kind::Word> {
    if let Some(at) = fields.get("kind") {
        return kind::word(&at, reader);
    }
    let ends_here = |link: &&Link| link.peer.as_ref().is_some_and(|peer| peer.key == *key);
    match topology.links.iter().find(ends_here) {
        Some(other) => {
            let message = format!("link {} is the other end of {}", shown(key), shown(&other.key));
            reader.fault_with(fields.place(), message, Some(of_peer(key)));
        }
        // It says what is missing.
        None => drop(fields.need(reader, "kind")),
    }
    None
}

/// The `namespace` key: a name; absent for the root namespace, which is the empty one.
pub(crate) fn namespace(fields: &mut Fields<'_>, reader: &mut Reader) -> Option<String> {
    fields.get("namespace").and_then(|at| reader.parsed(&at, values::namespace))
}

fn master(fields: &mut Fields<'_>, reader: &mut Reader) -> Option<(String, Place)> {
    let at = fields.get("master")?;
    reader.parsed(&at, values::neighbouring).map(|name| (name, at.place))
}

fn mtu(fields: &mut Fields<'_>, most: u32, reader: &mut Reader) -> Option<(u32, Place)> {
    let at = fields.get("mtu")?;
    reader.number(&at, MTU.0, most).map(|mtu| (mtu, at.place))
}

fn mac(
    fields: &mut Fields<'_>,
    reader: &mut Reader,
) -> Option<(netwright_sdk::wit::netwright::host::types::MacAddress, Place)> {
    let at = fields.get("mac")?;
    reader.parsed(&at, values::mac).map(|mac| (mac, at.place))
}

/// What can be set on a link of any kind; `up` where it does not say.
fn settings(fields: &mut Fields<'_>, reader: &mut Reader, up: Option<bool>) -> Vec<Setting> {
    let mut settings = Vec::new();
    let mut flag = |key, make: fn(bool) -> Setting, default: Option<bool>| {
        let given = fields.get(key).and_then(|at| reader.boolean(&at));
        settings.extend(given.or(default).map(make));
    };
    flag("promiscuous", Setting::Promiscuous, None);
    flag("all-multicast", Setting::AllMulticast, None);
    flag("multicast", Setting::Multicast, None);
    flag("arp", Setting::Arp, None);
    flag("up", Setting::Up, up);
    if let Some(length) =
        fields.get("transmit-queue-length").and_then(|at| reader.number(&at, 0, 1_000_000))
    {
        settings.push(Setting::TransmitQueueLength(length));
    }
    if let Some(alias) = fields.get("alias").and_then(|at| reader.parsed(&at, alias)) {
        settings.push(Setting::Alias(alias));
    }
    settings
}

/// IFALIASZ is 256 with its NUL.
fn alias(text: &str) -> Result<String, String> {
    if text.len() > 255 {
        return Err(format!("an alias of {} bytes; the kernel allows 255", text.len()));
    }
    Ok(text.to_owned())
}

/// The `addresses` of a link.
fn read_addresses(
    fields: &mut Fields<'_>,
    link: &Key,
    into: &mut Vec<LinkAddress>,
    reader: &mut Reader,
) {
    for item in fields.get("addresses").map(|at| reader.list(&at)).unwrap_or_default() {
        if item.value.is_object() {
            let Some(mut fields) = reader.fields(&item, "an address") else { continue };
            into.extend(address(&mut fields, link.clone(), reader));
            reader.close(fields);
        } else if let Some(prefix) = reader.parsed(&item, values::host) {
            into.push(LinkAddress {
                link: link.clone(),
                prefix,
                peer: None,
                broadcast: None,
                label: None,
                nodad: false,
                place: item.place,
                link_place: None,
            });
        }
    }
}

/// An address given as a map.
pub(crate) fn address(
    fields: &mut Fields<'_>,
    link: Key,
    reader: &mut Reader,
) -> Option<LinkAddress> {
    let at = fields.need(reader, "address");
    let prefix = at.as_ref().and_then(|at| reader.parsed(at, values::host));
    let peer_at = fields.get("peer");
    let peer = peer_at.as_ref().and_then(|at| reader.parsed(at, values::host));
    let broadcast_at = fields.get("broadcast");
    let broadcast = broadcast_at.as_ref().and_then(|at| reader.parsed(at, values::address));
    let label = fields.get("label").and_then(|at| reader.text(&at).map(str::to_owned));
    let nodad = fields.get("nodad").and_then(|at| reader.boolean(&at)).unwrap_or(false);
    let prefix = prefix?;
    let mut same_family = |at: Option<At<'_>>, address: Option<std::net::IpAddr>| {
        if let (Some(at), Some(address)) = (at, address)
            && address.is_ipv4() != prefix.address.is_ipv4()
        {
            let (other, own) = (values::family_word(address), values::family_word(prefix.address));
            reader.fault(&at.place, format!("{address} is {other}, the address {prefix} is {own}"));
        }
    };
    same_family(peer_at, peer.map(|peer| peer.address));
    same_family(broadcast_at, broadcast);
    let place = at.map_or_else(|| fields.place().clone(), |at| at.place);
    Some(LinkAddress { link, prefix, peer, broadcast, label, nodad, place, link_place: None })
}

/// The `parent` of a stacked kind.
pub(crate) fn lower(fields: &mut Fields<'_>, reader: &mut Reader, needed: bool) -> Option<Lower> {
    let at = if needed { fields.need(reader, "parent") } else { fields.get("parent") }?;
    let text = reader.parsed(&at, values::link)?;
    if text.name == "lo" {
        reader.fault(&at.place, "`lo` can't be a parent: the kernel stacks nothing on a loopback");
        return None;
    }
    Some(Lower { text, place: at.place })
}

/// The `peer` of a veth: NAME, NAMESPACE/NAME, or a map with what can be set on a link.
pub(crate) fn peer(
    fields: &mut Fields<'_>,
    own: &str,
    topology: &mut Topology,
    reader: &mut Reader,
) -> Option<(Peer, Vec<LinkAddress>)> {
    let at = fields.need(reader, "peer")?;
    let inherit = |text: LinkText| (text.namespace.unwrap_or_else(|| own.to_owned()), text.name);
    if !matches!(at.value, Value::Object(_)) {
        let key = inherit(reader.parsed(&at, values::link)?);
        let settings = vec![Setting::Up(true)];
        return Some((Peer { key, place: at.place, mtu: None, mac: None, settings }, Vec::new()));
    }
    let mut fields = reader.fields(&at, "a peer")?;
    let namespace = namespace(&mut fields, reader);
    let name = fields.need(reader, "name").and_then(|at| reader.parsed(&at, values::name));
    let settings = settings(&mut fields, reader, Some(true));
    let (mtu, mac) = (mtu(&mut fields, MTU.1, reader), mac(&mut fields, reader));
    let mut addresses = Vec::new();
    let key = inherit(LinkText { namespace, name: name.clone().unwrap_or_default() });
    read_addresses(&mut fields, &key, &mut addresses, reader);
    qdisc::qdisc(&mut fields, &key, topology, reader);
    reader.close(fields);
    name?;
    Some((Peer { key, place: at.place, mtu, mac, settings }, addresses))
}

/// The `ports` of a bridge: names, or maps with options of the port.
pub(crate) fn ports(fields: &mut Fields<'_>, reader: &mut Reader) -> Vec<Port> {
    let mut ports = Vec::new();
    for item in fields.get("ports").map(|at| reader.list(&at)).unwrap_or_default() {
        if !item.value.is_object() {
            let name = reader.parsed(&item, values::neighbouring);
            let (options, vlans) = (Vec::new(), None);
            ports.extend(name.map(|name| Port { name, place: item.place, options, vlans }));
            continue;
        }
        let Some(mut fields) = reader.fields(&item, "a port") else { continue };
        let name = fields.need(reader, "name");
        let name = name.and_then(|at| reader.parsed(&at, values::neighbouring));
        let mut options = Vec::new();
        for (key, word) in PORT_FLAGS {
            let given = fields.get(key).and_then(|at| reader.boolean(&at));
            let on = |given| if given { "on" } else { "off" };
            options.extend(given.map(|given| ((*word).to_owned(), on(given).to_owned())));
        }
        let vlans = qdisc::vlans(&mut fields, reader);
        reader.close(fields);
        ports.extend(name.map(|name| Port { name, place: item.place, options, vlans }));
    }
    ports
}

/// ip-link(8), Bridge Slave Support.
const PORT_FLAGS: &[(&str, &str)] = &[
    ("hairpin", "hairpin"),
    ("isolated", "isolated"),
    ("learning", "learning"),
    ("flood", "flood"),
    ("guard", "guard"),
    ("root-block", "root_block"),
    ("fastleave", "fastleave"),
];

/// A kind's `options`: a map of words as in ip-link(8), each held to what the kernel takes.
pub(crate) fn options(
    kind: &str,
    fields: &mut Fields<'_>,
    reader: &mut Reader,
) -> Vec<(String, String)> {
    let Some(at) = fields.get("options") else { return Vec::new() };
    let Value::Object(entries) = at.value else {
        return reader.wrong(&at, "a map of options as in ip-link(8)").unwrap_or_default();
    };
    let mut options = Vec::new();
    for (key, value) in entries {
        let place = at.place.step(key);
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(true) => "on".to_owned(),
            Value::Bool(false) => "off".to_owned(),
            // An option without a value.
            Value::Null => String::new(),
            Value::Array(_) | Value::Object(_) => {
                let _: Option<String> =
                    reader.wrong(&At { value, place }, "text, a number, true or false");
                continue;
            }
        };
        if let Some(fault) = netwright_options::fault(kind, key, &text) {
            reader.fault_with(&place, fault.message, fault.remedy);
        }
        options.push((key.clone(), text));
    }
    options
}
