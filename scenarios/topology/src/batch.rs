//! Turns a topology into one batch: namespaces, links, ports, addresses, and what refers to them.

use std::collections::{BTreeMap, BTreeSet};

use netwright_sdk::host::batch::Batch;
use netwright_sdk::host::{
    addresses, links, namespaces, neighbours, qdisc, routes, rules, sysctls, vlans,
};
use netwright_sdk::wit::netwright::host::addresses::{Address, AddressFlags};
use netwright_sdk::wit::netwright::host::links::{Kind, LinkName, Other, Setting, Spec, Veth};
use netwright_sdk::wit::netwright::host::neighbours::Neighbour;
use netwright_sdk::wit::netwright::host::qdisc::Qdisc;
use netwright_sdk::wit::netwright::host::routes::Route;
use netwright_sdk::wit::netwright::host::rules::Rule;
use netwright_sdk::wit::netwright::host::types::Write;
use netwright_sdk::wit::netwright::host::vlans::Vlan;

use crate::check::Stack;
use crate::fault::Place;
use crate::kind::attributes;
use crate::model::{Key, Link, LinkAddress, Topology};
use crate::values::{prefix_to_wit, to_wit};

/// What a topology asks for, where an absent namespace is the root one.
#[derive(Debug)]
pub enum Change {
    Namespace(String),
    Link(Option<String>, Spec),
    Settings(LinkName, Vec<Setting>),
    Address(LinkName, Address),
    Sysctl(Option<String>, String, String),
    Route(Option<String>, Route),
    Rule(Option<String>, Rule),
    Neighbour(LinkName, Neighbour),
    Qdisc(LinkName, Qdisc),
    Vlans(LinkName, Vec<Vlan>),
}

impl Change {
    /// Puts it into a batch.
    pub fn add(&self, batch: &Batch) {
        match self {
            Self::Namespace(name) => namespaces::add_namespace(batch, name),
            Self::Link(space, spec) => links::add_link(batch, space.as_deref(), spec),
            Self::Settings(link, settings) => links::add_settings(batch, link, settings),
            Self::Address(link, address) => {
                addresses::add_address(batch, link, address, Write::Add);
            }
            Self::Sysctl(space, key, value) => {
                sysctls::add_sysctl(batch, space.as_deref(), key, value);
            }
            Self::Route(space, route) => {
                routes::add_route(batch, space.as_deref(), route, Write::Add);
            }
            Self::Rule(space, rule) => rules::add_rule(batch, space.as_deref(), rule),
            Self::Neighbour(link, neighbour) => {
                neighbours::add_neighbour(batch, link, *neighbour, Write::Add);
            }
            Self::Qdisc(link, given) => qdisc::add_qdisc(batch, link, given, Write::Add),
            Self::Vlans(link, vlans) => vlans::add_vlans(batch, link, vlans),
        }
    }
}

/// The changes in an order in which they could be made one by one, each with the place that asks
/// for it.
pub fn changes(topology: &Topology) -> Vec<(Change, Place)> {
    let mut changes = Vec::new();
    for (name, place) in &topology.namespaces {
        changes.push((Change::Namespace(name.clone()), place.clone()));
    }
    let stack = Stack::new(topology);
    let bonded = bonded(topology);
    for link in lower_first(topology, &stack) {
        let create = Change::Link(space(&link.key.0), spec(link, &stack, &bonded));
        changes.push((create, link.place.clone()));
    }
    topology.links.iter().for_each(|link| masters(link, &mut changes));
    for link in &topology.altered {
        let mut settings = settings(&link.mtu, &link.mac, &link.settings);
        let master = link.master.iter().map(|(name, _)| Setting::Master(Some(name.clone())));
        let raise = settings.iter().position(|one| *one == Setting::Up(true));
        settings.splice(raise.unwrap_or(settings.len())..raise.unwrap_or(settings.len()), master);
        if !settings.is_empty() {
            let set = Change::Settings(link_name(&link.key), settings);
            changes.push((set, link.place.clone()));
        }
    }
    for address in &topology.addresses {
        let put = Change::Address(link_name(&address.link), wit(address));
        changes.push((put, address.place.clone()));
    }
    for (namespace, key, value, place) in &topology.sysctls {
        let set = Change::Sysctl(space(namespace), key.clone(), value.clone());
        changes.push((set, place.clone()));
    }
    for route in &topology.routes {
        let put = Change::Route(space(&route.namespace), route.route.clone());
        changes.push((put, route.place.clone()));
    }
    for (namespace, rule, place) in &topology.rules {
        changes.push((Change::Rule(space(namespace), rule.clone()), place.clone()));
    }
    for (link, neighbour, place) in &topology.neighbours {
        let put = Change::Neighbour(link_name(link), *neighbour);
        changes.push((put, place.clone()));
    }
    for (link, qdisc, place) in &topology.qdiscs {
        let put = Change::Qdisc(link_name(link), qdisc.clone());
        changes.push((put, place.clone()));
    }
    for link in &topology.links {
        for port in &link.ports {
            let key = (link.key.0.clone(), port.name.clone());
            let set = |vlans| (Change::Vlans(link_name(&key), vlans), port.place.clone());
            changes.extend(port.vlans.clone().map(set));
        }
    }
    changes
}

/// The root namespace is the absent one.
fn space(namespace: &str) -> Option<String> {
    (!namespace.is_empty()).then(|| namespace.to_owned())
}

fn link_name(key: &Key) -> LinkName {
    LinkName { namespace: space(&key.0), name: key.1.clone() }
}

/// Parents before their children, otherwise as they were written.
fn lower_first<'a>(topology: &'a Topology, stack: &Stack<'_>) -> Vec<&'a Link> {
    let by_key: BTreeMap<&Key, &Link> =
        topology.links.iter().map(|link| (&link.key, link)).collect();
    let peers = topology.links.iter();
    let by_peer: BTreeMap<&Key, &Link> =
        peers.filter_map(|link| link.peer.as_ref().map(|peer| (&peer.key, link))).collect();
    let mut depths: Vec<(usize, &Link)> = Vec::new();
    for link in &topology.links {
        let (mut depth, mut current) = (0, link);
        while let Some(lower) = stack.lower(current)
            && let Some(below) = by_key.get(&lower).or_else(|| by_peer.get(&lower))
            && depth < topology.links.len()
        {
            (depth, current) = (depth + 1, below);
        }
        depths.push((depth, link));
    }
    depths.sort_by_key(|(depth, _)| *depth);
    depths.into_iter().map(|(_, link)| link).collect()
}

/// The links that become ports of a bond that is made here. Bonding takes what is down alone, and raises
/// it (drivers/net/bonding/bond_main.c, bond_enslave).
fn bonded(topology: &Topology) -> BTreeSet<Key> {
    let is_bond = |link: &&Link| matches!(&link.kind, Kind::Other(other) if other.kind == "bond");
    let bonds: BTreeSet<&Key> =
        topology.links.iter().filter(is_bond).map(|link| &link.key).collect();
    let joined = topology.links.iter().filter_map(|link| {
        let (name, _) = link.master.as_ref()?;
        bonds.contains(&(link.key.0.clone(), name.clone())).then(|| link.key.clone())
    });
    joined.collect()
}

/// What is left to do for a port of a bond once it is one.
fn unraised(mut settings: Vec<Setting>, key: &Key, bonded: &BTreeSet<Key>) -> Vec<Setting> {
    settings.retain(|one| *one != Setting::Up(true) || !bonded.contains(key));
    settings
}

fn spec(link: &Link, stack: &Stack<'_>, bonded: &BTreeSet<Key>) -> Spec {
    let parent = stack.lower(link).map(|(namespace, name)| {
        let elsewhere = namespace != link.key.0;
        LinkName { namespace: elsewhere.then_some(namespace), name }
    });
    let kind = match (&link.kind, &link.peer) {
        (Kind::Veth(_), Some(peer)) => Kind::Veth(Veth {
            peer: LinkName {
                namespace: (peer.key.0 != link.key.0).then(|| peer.key.0.clone()),
                name: peer.key.1.clone(),
            },
            peer_settings: unraised(
                settings(&peer.mtu, &peer.mac, &peer.settings),
                &peer.key,
                bonded,
            ),
        }),
        (kind, _) => kind.clone(),
    };
    let settings = unraised(settings(&link.mtu, &link.mac, &link.settings), &link.key, bonded);
    Spec { name: link.key.1.clone(), kind, parent, settings }
}

fn settings(
    mtu: &Option<(u32, Place)>,
    mac: &Option<(netwright_sdk::wit::netwright::host::types::MacAddress, Place)>,
    others: &[Setting],
) -> Vec<Setting> {
    let mtu = mtu.as_ref().map(|(mtu, _)| Setting::Mtu(*mtu));
    let mac = mac.as_ref().map(|(mac, _)| Setting::Mac(*mac));
    mtu.into_iter().chain(mac).chain(others.iter().cloned()).collect()
}

/// Puts a link into its master, and a bridge's ports into the bridge.
fn masters(link: &Link, changes: &mut Vec<(Change, Place)>) {
    if let Some((master, place)) = &link.master {
        let settings = vec![Setting::Master(Some(master.clone()))];
        changes.push((Change::Settings(link_name(&link.key), settings), place.clone()));
    }
    for port in &link.ports {
        let key = (link.key.0.clone(), port.name.clone());
        let mut settings = vec![Setting::Master(Some(link.key.1.clone()))];
        if !port.options.is_empty() {
            let options = attributes(port.options.clone());
            settings.push(Setting::Options(Other { kind: "bridge_slave".to_owned(), options }));
        }
        changes.push((Change::Settings(link_name(&key), settings), port.place.clone()));
    }
}

fn wit(address: &LinkAddress) -> Address {
    let flags = if address.nodad { AddressFlags::NODAD } else { AddressFlags::empty() };
    Address {
        prefix: prefix_to_wit(address.prefix),
        peer: address.peer.map(prefix_to_wit),
        broadcast: address.broadcast.map(to_wit),
        anycast: None,
        label: address.label.clone(),
        scope: None,
        flags,
        valid_lifetime: None,
        preferred_lifetime: None,
        metric: None,
        protocol: None,
    }
}
