//! Links on links: parents, ports and masters, and what their kernel modules refuse.

use std::collections::{BTreeMap, BTreeSet};

use netwright_sdk::wit::netwright::host::links::{Kind, MacvlanMode, VlanProtocol};
use netwright_sdk::wit::netwright::host::types::MacAddress;

use super::Names;
use crate::fault::Place;
use crate::model::{Key, Link, Topology, shown};
use crate::read::Reader;
use crate::values::mac_text;

pub(super) fn check(topology: &Topology, names: &Names<'_>, reader: &mut Reader) {
    let stack = Stack::new(topology);
    for link in &topology.links {
        if let Some(lower) = stack.lower(link) {
            let place = &link.lower.as_ref().map_or(&link.place, |lower| &lower.place).clone();
            names.need_link(&lower, "parent", place, reader);
            same_namespace(link, &lower, place, reader);
        }
        masters(link, &stack, names, reader);
    }
    cycles(topology, &stack, reader);
    if reader.faults.is_empty() {
        mtus(topology, &stack, reader);
        children(topology, &stack, reader);
        vlans(topology, &stack, reader);
        handlers(topology, &stack, reader);
    }
}

/// Which link stands on which.
pub(crate) struct Stack<'a> {
    links: BTreeMap<&'a Key, &'a Link>,
    /// veth peers, by the link that declares them
    peers: BTreeMap<&'a Key, &'a Link>,
    existing: &'a BTreeSet<Key>,
}

impl<'a> Stack<'a> {
    pub(crate) fn new(topology: &'a Topology) -> Self {
        let links = topology.links.iter().map(|link| (&link.key, link)).collect();
        let peers = topology.links.iter();
        let peers = peers.filter_map(|link| link.peer.as_ref().map(|peer| (&peer.key, link)));
        Self { links, peers: peers.collect(), existing: &topology.existing.links }
    }

    /// The lower link: a plain name is one of the same namespace, or else of the root.
    pub(crate) fn lower(&self, link: &Link) -> Option<Key> {
        let text = &link.lower.as_ref()?.text;
        let key = |space: &str| (space.to_owned(), text.name.clone());
        if let Some(namespace) = &text.namespace {
            return Some(key(namespace));
        }
        let own = key(&link.key.0);
        let here = self.links.contains_key(&own)
            || self.peers.contains_key(&own)
            || self.existing.contains(&own);
        Some(if here && (own != link.key || link.key.0.is_empty()) { own } else { key("") })
    }

    /// The device that a macvlan really stands on: the kernel takes a macvlan's own parent.
    fn base(&self, link: &Link) -> Option<Key> {
        let mut lower = self.lower(link)?;
        for _ in 0..self.links.len() {
            match self.links.get(&lower) {
                Some(below) if is_macvlan(&below.kind) => lower = self.lower(below)?,
                Some(_) | None => break,
            }
        }
        Some(lower)
    }

    fn mac(&self, key: &Key) -> Option<MacAddress> {
        let own = self.links.get(key).and_then(|link| link.mac.as_ref());
        let peer = || self.peers.get(key)?.peer.as_ref()?.mac.as_ref();
        own.or_else(peer).map(|(mac, _)| *mac)
    }

    /// `None` where only the kernel knows it.
    fn mtu(&self, key: &Key) -> Option<u32> {
        if let Some(link) = self.peers.get(key) {
            return Some(link.peer.as_ref()?.mtu.as_ref().map_or(1500, |(mtu, _)| *mtu));
        }
        let link = self.links.get(key)?;
        if let Some((mtu, _)) = &link.mtu {
            return Some(*mtu);
        }
        match &link.kind {
            Kind::Macvlan(_) | Kind::Macvtap(_) | Kind::Vlan(_) => {
                self.lower(link).and_then(|lower| self.mtu(&lower))
            }
            Kind::Veth(_) | Kind::Dummy | Kind::Ifb | Kind::Tun(_) | Kind::Tap(_) => Some(1500),
            Kind::Bridge(_)
            | Kind::Vxlan(_)
            | Kind::Ipvlan(_)
            | Kind::Ipvtap(_)
            | Kind::Vrf(_)
            | Kind::Other(_) => None,
        }
    }
}

fn is_macvlan(kind: &Kind) -> bool {
    matches!(kind, Kind::Macvlan(_) | Kind::Macvtap(_))
}

fn mode(kind: &Kind) -> Option<MacvlanMode> {
    match kind {
        Kind::Macvlan(own) | Kind::Macvtap(own) => own.mode,
        Kind::Veth(_)
        | Kind::Bridge(_)
        | Kind::Vlan(_)
        | Kind::Vxlan(_)
        | Kind::Dummy
        | Kind::Ifb
        | Kind::Ipvlan(_)
        | Kind::Ipvtap(_)
        | Kind::Tun(_)
        | Kind::Tap(_)
        | Kind::Vrf(_)
        | Kind::Other(_) => None,
    }
}

/// A tunnel's underlay is named by its index in the tunnel's own namespace.
fn same_namespace(link: &Link, lower: &Key, place: &Place, reader: &mut Reader) {
    if matches!(link.kind, Kind::Vxlan(_)) && lower.0 != link.key.0 {
        let message = format!("a vxlan's parent is in its own namespace; this is {}", shown(lower));
        reader.fault(place, message);
    }
}

/// Ports and `master`: in one namespace, of a fitting kind, and one master each.
fn masters(link: &Link, stack: &Stack<'_>, names: &Names<'_>, reader: &mut Reader) {
    let sibling = |name: &str| (link.key.0.clone(), name.to_owned());
    let mut seen = BTreeSet::new();
    for port in &link.ports {
        let key = sibling(&port.name);
        if port.name == "lo" {
            reader.fault(&port.place, "`lo` can't be a port: the kernel bridges no loopback");
        } else if !names.need_link(&key, "port", &port.place, reader) {
        } else if !seen.insert(&port.name) {
            reader.fault(&port.place, format!("port {} comes twice", shown(&key)));
        } else if stack.links.get(&key).is_some_and(|port| matches!(port.kind, Kind::Bridge(_))) {
            reader.fault(&port.place, "a bridge can't be a port of a bridge");
        }
    }
    let Some((name, place)) = &link.master else { return };
    let key = sibling(name);
    if names.need_link(&key, "master", place, reader)
        && let Some(master) = stack.links.get(&key)
        && !matches!(master.kind, Kind::Bridge(_) | Kind::Vrf(_) | Kind::Other(_))
    {
        reader.fault(place, format!("{} is no bridge, bond or VRF", shown(&key)));
    }
}

/// Each loop of parents once, at its first link.
fn cycles(topology: &Topology, stack: &Stack<'_>, reader: &mut Reader) {
    let mut done: BTreeSet<&Key> = BTreeSet::new();
    for start in &topology.links {
        let mut chain: Vec<&Link> = Vec::new();
        let mut next = Some(start);
        while let Some(link) = next {
            if let Some(at) = chain.iter().position(|other| other.key == link.key) {
                let names: Vec<_> = chain[at..].iter().map(|link| shown(&link.key)).collect();
                let place = link.lower.as_ref().map_or(&link.place, |lower| &lower.place);
                let message = match names.as_slice() {
                    [only] => format!("link {only} can't be its own parent"),
                    _ => format!("parents go in a circle: {} and back", names.join(" on ")),
                };
                reader.fault(place, message);
                break;
            }
            if done.contains(&link.key) {
                break;
            }
            chain.push(link);
            next = stack.lower(link).and_then(|lower| stack.links.get(&lower).copied());
        }
        done.extend(chain.iter().map(|link| &link.key));
    }
}

/// drivers/net/macvlan.c and net/8021q: not above the parent's.
fn mtus(topology: &Topology, stack: &Stack<'_>, reader: &mut Reader) {
    for link in &topology.links {
        let stacked = is_macvlan(&link.kind) || matches!(link.kind, Kind::Vlan(_));
        let (Some((mtu, place)), true) = (&link.mtu, stacked) else { continue };
        let Some(lower) = stack.lower(link) else { continue };
        if let Some(most) = stack.mtu(&lower).filter(|most| mtu > most) {
            let message = format!("mtu {mtu} is above the {most} of parent {}", shown(&lower));
            let help = format!("give {} that `mtu` first, or lower this one", shown(&lower));
            reader.fault_with(place, message, Some(help));
        }
    }
}

/// The children of one parent: passthru is alone, and no MAC address comes twice.
fn children(topology: &Topology, stack: &Stack<'_>, reader: &mut Reader) {
    let mut families: BTreeMap<Key, Vec<&Link>> = BTreeMap::new();
    for link in topology.links.iter().filter(|link| is_macvlan(&link.kind)) {
        families.entry(stack.base(link).unwrap_or_default()).or_default().push(link);
    }
    for (parent, children) in &families {
        let passthru = children.iter().find(|link| mode(&link.kind) == Some(MacvlanMode::Passthru));
        if let Some(passthru) = passthru {
            for child in children.iter().filter(|child| child.key != passthru.key) {
                let message = format!(
                    "parent {} has the passthru child {}, which tolerates no other",
                    shown(parent),
                    shown(&passthru.key)
                );
                reader.fault(&place_of_parent(child), message);
            }
            continue;
        }
        let mut owners: BTreeMap<MacAddress, String> = BTreeMap::new();
        owners.extend(stack.mac(parent).map(|mac| (mac, format!("parent {}", shown(parent)))));
        for child in children {
            let Some((mac, place)) = &child.mac else { continue };
            if let Some(owner) = owners.get(mac) {
                let message = format!("{} is the address of {owner} already", mac_text(*mac));
                let help = "children of one parent are told apart by their addresses".to_owned();
                reader.fault_with(place, message, Some(help));
            }
            owners.entry(*mac).or_insert_with(|| shown(&child.key));
        }
    }
}

fn place_of_parent(link: &Link) -> Place {
    link.lower.as_ref().map_or_else(|| link.place.clone(), |lower| lower.place.clone())
}

/// One VLAN of a protocol once on a parent.
fn vlans(topology: &Topology, stack: &Stack<'_>, reader: &mut Reader) {
    let mut seen: BTreeMap<(Key, u16, bool), &Key> = BTreeMap::new();
    for link in &topology.links {
        let Kind::Vlan(vlan) = &link.kind else { continue };
        let Some(lower) = stack.lower(link) else { continue };
        let provider = vlan.protocol == VlanProtocol::Dot1ad;
        if let Some(first) = seen.get(&(lower.clone(), vlan.id, provider)) {
            let message =
                format!("VLAN {} of {} is {} already", vlan.id, shown(&lower), shown(first));
            reader.fault(&link.place.step("id"), message);
            continue;
        }
        seen.insert((lower, vlan.id, provider), &link.key);
    }
}

/// A device hands its frames to one taker only: a bridge, macvlan or ipvlan (net/core/dev.c,
/// netdev_rx_handler_register).
fn handlers(topology: &Topology, stack: &Stack<'_>, reader: &mut Reader) {
    let mut takers: BTreeMap<Key, String> = BTreeMap::new();
    for link in &topology.links {
        for port in &link.ports {
            let key = (link.key.0.clone(), port.name.clone());
            take(&mut takers, key, format!("a port of {}", shown(&link.key)), &port.place, reader);
        }
        if let Some((master, place)) = &link.master {
            let master = (link.key.0.clone(), master.clone());
            if matches!(stack.links.get(&master).map(|link| &link.kind), Some(Kind::Bridge(_))) {
                let what = format!("a port of {}", shown(&master));
                take(&mut takers, link.key.clone(), what, place, reader);
            }
        }
    }
    for link in &topology.links {
        let what = match &link.kind {
            Kind::Macvlan(_) | Kind::Macvtap(_) => "the parent of macvlan links",
            Kind::Ipvlan(_) | Kind::Ipvtap(_) => "the parent of ipvlan links",
            Kind::Veth(_)
            | Kind::Bridge(_)
            | Kind::Vlan(_)
            | Kind::Vxlan(_)
            | Kind::Dummy
            | Kind::Ifb
            | Kind::Tun(_)
            | Kind::Tap(_)
            | Kind::Vrf(_)
            | Kind::Other(_) => continue,
        };
        let Some(lower) = stack.base(link) else { continue };
        take(&mut takers, lower, what.to_owned(), &place_of_parent(link), reader);
    }
}

fn take(
    takers: &mut BTreeMap<Key, String>,
    key: Key,
    what: String,
    place: &Place,
    reader: &mut Reader,
) {
    match takers.get(&key) {
        Some(taken) if *taken != what => {
            reader.fault(place, format!("{} is {taken}; it can't be {what} too", shown(&key)));
        }
        Some(_) => {}
        None => {
            takers.insert(key, what);
        }
    }
}
