//! What can be known to be wrong without asking a kernel: names that nobody declared, and
//! combinations that the kernel always refuses.

use std::collections::{BTreeMap, BTreeSet};

use crate::fault::{Place, quote, suggestion};
use crate::model::{Key, Topology, shown};
use crate::read::Reader;

mod address;
mod stack;

pub(crate) use stack::Stack;

/// Everything that the parts of a topology say about each other.
pub fn check(topology: &Topology, reader: &mut Reader) {
    let names = Names::new(topology, reader);
    spaces(topology, &names, reader);
    stack::check(topology, &names, reader);
    address::check(topology, &names, reader);
}

/// What may be referred to.
pub(crate) struct Names<'a> {
    namespaces: BTreeSet<&'a str>,
    /// declared links and veth peers
    pub(crate) links: BTreeMap<&'a Key, &'a Place>,
    existing: &'a BTreeSet<Key>,
    faulty: &'a BTreeSet<Key>,
}

impl<'a> Names<'a> {
    /// Notes what is declared twice.
    fn new(topology: &'a Topology, reader: &mut Reader) -> Self {
        let mut namespaces: BTreeSet<&str> =
            topology.existing.namespaces.iter().map(String::as_str).collect();
        for (name, place) in &topology.namespaces {
            if topology.existing.namespaces.contains(name) {
                reader.fault(place, format!("namespace {} is under `existing` too", quote(name)));
            } else if !namespaces.insert(name) {
                reader.fault(place, format!("namespace {} comes twice", quote(name)));
            }
        }
        let mut names = Self {
            namespaces,
            links: BTreeMap::new(),
            existing: &topology.existing.links,
            faulty: &topology.faulty,
        };
        for link in &topology.links {
            names.declare(&link.key, &link.place, "name", reader);
            if let Some(peer) = &link.peer {
                names.declare(&peer.key, &peer.place, "", reader);
            }
        }
        let mut altered: BTreeMap<&Key, &Place> = BTreeMap::new();
        for link in &topology.altered {
            if let Some(first) = altered.insert(&link.key, &link.place) {
                let message =
                    format!("link {} is that of {} already", shown(&link.key), first.item());
                reader.fault(&link.place.step("name"), message);
            }
        }
        names
    }

    fn declare(&mut self, key: &'a Key, place: &'a Place, step: &str, reader: &mut Reader) {
        let place_of_name = || if step.is_empty() { place.clone() } else { place.step(step) };
        if key.1 == "lo" {
            let help = Some("leave out `kind`, and say what of it is to be set".to_owned());
            let message = "every namespace has its `lo` from the start";
            reader.fault_with(&place_of_name(), message, help);
        } else if self.existing.contains(key) {
            let message = format!("link {} is under `existing` too", shown(key));
            reader.fault(&place_of_name(), message);
        } else if let Some(first) = self.links.get(key) {
            let message = format!("link {} is that of {} already", shown(key), first.item());
            reader.fault(&place_of_name(), message);
        } else {
            self.links.insert(key, place);
        }
    }

    pub(crate) fn has_link(&self, key: &Key) -> bool {
        key.1 == "lo"
            || self.links.contains_key(key)
            || self.existing.contains(key)
            || self.faulty.contains(key)
    }

    /// A fault where the link is neither declared nor there before.
    pub(crate) fn need_link(
        &self,
        key: &Key,
        what: &str,
        place: &Place,
        reader: &mut Reader,
    ) -> bool {
        if self.has_link(key) || !self.knows(&key.0) {
            return self.has_link(key);
        }
        let others = || self.links.keys().copied().chain(self.existing).chain(self.faulty);
        let here = others().filter(|other| other.0 == key.0).map(|(_, name)| name.as_str());
        let elsewhere = others().find(|other| other.1 == key.1);
        let help = match elsewhere {
            Some((space, name)) if space.is_empty() => {
                format!("`{name}` is in the root namespace")
            }
            Some((space, name)) => format!("there is `{space}/{name}`"),
            None => suggestion(&key.1, here).unwrap_or_else(|| {
                "add it to `links`, or to `existing` if it is there before".to_owned()
            }),
        };
        reader.fault_with(place, format!("unknown {what} {}", shown(key)), Some(help));
        false
    }

    fn knows(&self, namespace: &str) -> bool {
        namespace.is_empty()
            || self.namespaces.contains(namespace)
            || crate::values::is_attached(namespace)
    }
}

/// Every namespace that is spoken of.
fn spaces(topology: &Topology, names: &Names<'_>, reader: &mut Reader) {
    let mut need = |namespace: &str, place: Place| {
        if names.knows(namespace) {
            return;
        }
        let help = suggestion(namespace, names.namespaces.iter().copied()).unwrap_or_else(|| {
            "add it to `namespaces`, or to `existing` if it is there before".to_owned()
        });
        reader.fault_with(&place, format!("unknown namespace {}", quote(namespace)), Some(help));
    };
    for link in &topology.links {
        need(&link.key.0, link.place.step("namespace"));
        if let Some(peer) = link.peer.as_ref().filter(|peer| peer.key.0 != link.key.0) {
            need(&peer.key.0, peer.place.clone());
        }
        if let Some(lower) = &link.lower {
            need(lower.text.namespace.as_deref().unwrap_or_default(), lower.place.clone());
        }
    }
    for link in &topology.altered {
        need(&link.key.0, link.place.step("namespace"));
    }
    for address in topology.addresses.iter().filter(|address| address.link_place.is_some()) {
        let item = address.link_place.as_ref().map(|place| beside(place, "link", "namespace"));
        need(&address.link.0, item.unwrap_or_else(|| address.place.clone()));
    }
    for route in &topology.routes {
        need(&route.namespace, route.place.step("namespace"));
    }
    for (namespace, _, place) in &topology.rules {
        need(namespace, place.step("namespace"));
    }
    for ((namespace, _), _, place) in &topology.neighbours {
        need(namespace, place.step("namespace"));
    }
    for (namespace, _, _, place) in &topology.sysctls {
        need(namespace, place.step("namespace"));
    }
}

/// Another key of the same map.
fn beside(place: &Place, key: &str, other: &str) -> Place {
    let item = place.pointer.strip_suffix(&format!("/{key}")).unwrap_or_default();
    Place { parameter: place.parameter.clone(), pointer: item.to_owned() }.step(other)
}
