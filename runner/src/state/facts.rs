//! The facts of a state that matter when it is compared: what somebody asked for, or what the
//! kernel answers the same each time. Not what it counts, times or draws by lot.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{NamespaceState, State};
use crate::change::{
    AddressInfo, Change, Kind, LinkInfo, LinkName, MacAddress, Name, NamespaceRef, Neighbour,
    NeighbourState, PROTOCOL_KERNEL, Prefix, Route, Rule, Setting, Spec, TABLE_LOCAL, Word,
};
use crate::kernel::mark::{Mark, PROTOCOL};

/// RTPROT_BOOT, RTPROT_STATIC and netwright's own: what people and scenarios put by ip(8)'s or
/// netwright's hand. Every other number is that of a daemon (zebra, bird, ospf …), of a lease or of
/// a router's advertisement, which put, change and remove it as they please.
const BY_HAND: [u8; 3] = [3, 4, PROTOCOL];
/// FIB rules of every new namespace: local, main and default (net/ipv4/fib_rules.c).
const OWN_RULES: [u32; 3] = [0, 32766, 32767];

/// Options of bridges, bonds and their ports that run, count, follow from addresses, or that the
/// kernel alters by itself: which port of a bond is in use is the bond's state.
const PASSING: [&str; 4] = ["timer", "designated", "topology_change", "root_"];
const PASSING_WHOLE: [&str; 5] =
    ["bridge_id", "bridge_slave state", "bridge_slave no", "config_pending", "active_slave"];

/// One thing that a network holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "object")]
pub enum Object {
    Namespace { namespace: String },
    Link { namespace: String, name: String },
    Address { namespace: String, link: String, address: String },
    Route { namespace: String, route: String },
    Rule { namespace: String, rule: String },
    Neighbour { namespace: String, link: String, address: String },
}

impl Object {
    /// What goes with all that is in or on it, and this is.
    pub(super) fn holders(&self) -> Vec<Self> {
        let place = |namespace: &String| Self::Namespace { namespace: namespace.clone() };
        match self {
            Self::Namespace { .. } => Vec::new(),
            Self::Link { namespace, .. }
            | Self::Route { namespace, .. }
            | Self::Rule { namespace, .. } => vec![place(namespace)],
            Self::Address { namespace, link, .. } | Self::Neighbour { namespace, link, .. } => {
                let on = Self::Link { namespace: namespace.clone(), name: link.clone() };
                vec![on, place(namespace)]
            }
        }
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match self {
            Self::Namespace { namespace } => return write!(f, "namespace {}", Word(namespace)),
            Self::Link { namespace, name } => {
                write!(f, "link {}", Word(name))?;
                namespace
            }
            Self::Address { namespace, link, address } => {
                write!(f, "address {address} of {}", Word(link))?;
                namespace
            }
            Self::Route { namespace, route } => {
                write!(f, "route {route}")?;
                namespace
            }
            Self::Rule { namespace, rule } => {
                write!(f, "rule {rule}")?;
                namespace
            }
            Self::Neighbour { namespace, link, address } => {
                write!(f, "neighbour {address} of {}", Word(link))?;
                namespace
            }
        };
        if place.is_empty() { Ok(()) } else { write!(f, " in {}", Word(place)) }
    }
}

/// What is known of an object, in ip(8)'s words.
pub type Facts = BTreeMap<String, String>;

/// What a run's changes named itself, where the kernel would else have chosen.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Asked {
    /// links whose Ethernet address was asked for, by namespace and name
    macs: BTreeSet<(String, String)>,
    addresses: HashSet<Prefix>,
    /// protocols of routes and rules, beside those of whatever is put by hand
    protocols: HashSet<u8>,
}

impl Asked {
    pub fn of<'a>(changes: impl IntoIterator<Item = &'a Change>) -> Self {
        let mut asked = Self::default();
        for change in changes {
            asked.note(change);
        }
        asked
    }

    fn note(&mut self, change: &Change) {
        match change {
            Change::CreateLink { namespace, spec } => self.note_spec(namespace, spec),
            Change::ChangeLink { link, settings } => {
                self.note_settings(&link.namespace, &link.name, settings);
            }
            Change::MoveLink { link, to } => {
                let from = (place(link.namespace.name.as_ref()), link.name.clone());
                if self.macs.remove(&from) {
                    self.macs.insert((place(to.name.as_ref()), link.name.clone()));
                }
            }
            Change::PutAddress { address, .. } => {
                self.addresses.insert(address.prefix);
            }
            Change::PutRoute { route, .. } => self.protocols.extend(route.protocol),
            Change::AddRule { rule, .. } => self.protocols.extend(rule.protocol),
            _ => {}
        }
    }

    /// Whether what has this protocol is somebody's word, and no daemon's or lease's.
    fn counts(&self, protocol: u8) -> bool {
        BY_HAND.contains(&protocol)
            || (protocol != PROTOCOL_KERNEL && self.protocols.contains(&protocol))
    }

    fn note_spec(&mut self, namespace: &NamespaceRef, spec: &Spec) {
        self.note_settings(namespace, spec.name.as_str(), &spec.settings);
        if let Kind::Veth(veth) = &spec.kind {
            let there = match &veth.peer.namespace {
                Some(name) => NamespaceRef::named(name.clone()),
                None => namespace.clone(),
            };
            self.note_settings(&there, &veth.peer.name, &veth.peer_settings);
        }
    }

    fn note_settings(&mut self, namespace: &NamespaceRef, name: &str, settings: &[Setting]) {
        let place = place(namespace.name.as_ref());
        let mut known = (place.clone(), name.to_owned());
        for setting in settings {
            match setting {
                Setting::Mac(_) => {
                    self.macs.insert(known.clone());
                }
                Setting::Name(new) => {
                    let had = self.macs.remove(&known);
                    known = (place.clone(), new.to_string());
                    if had {
                        self.macs.insert(known.clone());
                    }
                }
                _ => {}
            }
        }
    }
}

/// A namespace by its name; the root has the empty one.
pub(super) fn place(name: Option<&Name>) -> String {
    name.map(ToString::to_string).unwrap_or_default()
}

impl State {
    pub fn facts(&self, asked: &Asked) -> BTreeMap<Object, Facts> {
        let mut all = BTreeMap::new();
        for namespace in &self.namespaces {
            namespace.add_facts(asked, &mut all);
        }
        all
    }
}

impl NamespaceState {
    fn add_facts(&self, asked: &Asked, all: &mut BTreeMap<Object, Facts>) {
        let namespace = place(self.name.as_ref());
        if !namespace.is_empty() {
            all.insert(Object::Namespace { namespace: namespace.clone() }, Facts::new());
        }
        for link in self.links.iter().filter(|link| link.kind != "loopback" || link.up) {
            let known = (namespace.clone(), link.name.clone());
            let facts = link_facts(link, self.name.as_ref(), asked.macs.contains(&known));
            all.insert(Object::Link { namespace: namespace.clone(), name: known.1 }, facts);
        }
        for info in self.addresses.iter().filter(|info| is_asked(info, asked)) {
            all.insert(self.address_object(info), address_facts(info));
        }
        for route in self
            .routes
            .iter()
            .filter(|route| asked.counts(route.protocol.unwrap_or(PROTOCOL_KERNEL)))
        {
            all.insert(self.route_object(route), Facts::new());
        }
        let given = |rule: &Rule| {
            let first = OWN_RULES.contains(&rule.priority.unwrap_or(0));
            // Those of a VRF are the kernel's, and come with the first one in any case.
            !first && rule.protocol.is_none_or(|one| one == PROTOCOL_KERNEL || asked.counts(one))
        };
        for rule in self.rules.iter().filter(|rule| given(rule)) {
            all.insert(self.rule_object(rule), Facts::new());
        }
        for (link, neighbour) in &self.neighbours {
            if neighbour.proxy || neighbour.state == NeighbourState::Permanent {
                let mut facts = Facts::new();
                facts.extend(neighbour.mac.map(|mac| ("mac".to_owned(), mac.to_string())));
                all.insert(self.neighbour_object(link, neighbour), facts);
            }
        }
    }

    pub(super) fn address_object(&self, info: &AddressInfo) -> Object {
        Object::Address {
            namespace: place(self.name.as_ref()),
            link: info.link.clone(),
            address: info.address.prefix.to_string(),
        }
    }

    pub(super) fn route_object(&self, route: &Route) -> Object {
        // How long it has left is not what makes it another one.
        let mut lasting = route.clone();
        lasting.metrics.retain(|metric| metric.name != "expires");
        Object::Route { namespace: place(self.name.as_ref()), route: lasting.to_string() }
    }

    pub(super) fn rule_object(&self, rule: &Rule) -> Object {
        Object::Rule { namespace: place(self.name.as_ref()), rule: rule.to_string() }
    }

    pub(super) fn neighbour_object(&self, link: &str, neighbour: &Neighbour) -> Object {
        Object::Neighbour {
            namespace: place(self.name.as_ref()),
            link: link.to_owned(),
            address: neighbour.address.to_string(),
        }
    }
}

/// Neither made by the kernel of the Ethernet address (RFC 4291, appendix A) nor by a router's
/// advertisements.
fn is_asked(info: &AddressInfo, asked: &Asked) -> bool {
    asked.addresses.contains(&info.address.prefix)
        || !(info.dynamic
            || is_link_local(&info.address.prefix)
            || info.address.prefix.address.is_loopback())
}

fn is_link_local(prefix: &Prefix) -> bool {
    match prefix.address {
        std::net::IpAddr::V4(_) => false,
        std::net::IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

/// Whether somebody put a route there, rather than the kernel for an address or link.
pub(crate) fn is_own(route: &Route) -> bool {
    route.protocol != Some(PROTOCOL_KERNEL) && route.table != Some(TABLE_LOCAL)
}

fn link_facts(link: &LinkInfo, namespace: Option<&Name>, mac_is_asked: bool) -> Facts {
    let mut facts = Facts::new();
    let mut add = |name: &str, value: String| facts.insert(name.to_owned(), value);
    add("kind", link.kind.clone());
    add("state", if link.up { "up" } else { "down" }.to_owned());
    add("mtu", link.mtu.to_string());
    add("txqueuelen", link.transmit_queue_length.to_string());
    if mac_is_asked {
        add("address", link.mac.as_ref().map(MacAddress::to_string).unwrap_or_default());
    }
    // A run has a mark of its own.
    if link.group != 0 && !Mark::is_of_any_run(link.group) {
        add("group", link.group.to_string());
    }
    for (name, other) in [("parent", &link.parent), ("peer", &link.peer)] {
        if let Some(other) = other {
            add(name, full_name(other, namespace));
        }
    }
    for (name, value) in [("master", &link.master), ("alias", &link.alias)] {
        if let Some(value) = value {
            add(name, value.clone());
        }
    }
    for (flag, word) in [("PROMISC", "promisc"), ("ALLMULTI", "allmulticast"), ("NOARP", "noarp")] {
        if link.flags.iter().any(|each| each == flag) {
            add(word, "on".to_owned());
        }
    }
    for option in link.data.iter().filter(|option| lasts(&option.name)) {
        add(&option.name, option.value.clone());
    }
    facts
}

fn lasts(option: &str) -> bool {
    !PASSING.iter().any(|part| option.contains(part)) && !PASSING_WHOLE.contains(&option)
}

/// `LINK`, or `NAMESPACE/LINK` where it is in another namespace.
fn full_name(link: &LinkName, from: Option<&Name>) -> String {
    match &link.namespace {
        Some(other) if other.as_ref() != from => {
            format!("{}/{}", place(other.as_ref()), link.name)
        }
        Some(_) | None => link.name.clone(),
    }
}

fn address_facts(info: &AddressInfo) -> Facts {
    let address = &info.address;
    let mut facts = Facts::new();
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            facts.insert(name.to_owned(), value);
        }
    };
    add("peer", address.peer.map(|peer| peer.to_string()));
    add("broadcast", address.broadcast.map(|address| address.to_string()));
    add("label", address.label.clone().filter(|label| *label != info.link));
    add("scope", address.scope.filter(|scope| *scope != 0).map(|scope| scope.to_string()));
    add("metric", address.metric.map(|metric| metric.to_string()));
    facts
}
