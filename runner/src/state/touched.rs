//! What a deployment has put in a place, or its scenario takes away there, by its own words: of all
//! else that is there nothing is too much, whatever the kernel takes along when it is rehearsed.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Object, State};
use crate::change::{Change, Family, Kind, Prefix, Route, Setting};

/// A route's place: its family, destination and table.
type Place = (bool, Option<String>, u32);

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Touched {
    /// by name alone: what was made may have been moved
    links: BTreeSet<String>,
    addresses: BTreeSet<String>,
    routes: BTreeSet<Place>,
    neighbours: BTreeSet<String>,
}

impl Touched {
    pub fn of<'a>(changes: impl IntoIterator<Item = &'a Change>) -> Self {
        let mut touched = Self::default();
        for change in changes {
            touched.note(change);
        }
        touched
    }

    fn note(&mut self, change: &Change) {
        match change {
            Change::CreateLink { spec, .. } => {
                self.links.insert(spec.name.to_string());
                if let Kind::Veth(veth) = &spec.kind {
                    self.links.insert(veth.peer.name.clone());
                    self.note_names(&veth.peer_settings);
                }
                self.note_names(&spec.settings);
            }
            Change::ChangeLink { settings, .. } => self.note_names(settings),
            Change::DeleteLink { link } => {
                self.links.insert(link.name.clone());
            }
            Change::PutAddress { address, .. } => {
                self.addresses.insert(address.prefix.to_string());
            }
            Change::RemoveAddress { prefix, .. } => {
                self.addresses.insert(prefix.to_string());
            }
            Change::PutRoute { route, .. } | Change::RemoveRoute { route, .. } => {
                self.routes.insert(place(route));
            }
            Change::PutNeighbour { neighbour, .. } => {
                self.neighbours.insert(neighbour.address.to_string());
            }
            Change::RemoveNeighbour { address, .. } => {
                self.neighbours.insert(address.to_string());
            }
            Change::CreateNamespace { .. }
            | Change::DeleteNamespace { .. }
            | Change::SetNamespaceId { .. }
            | Change::MoveLink { .. }
            | Change::AddRule { .. }
            | Change::RemoveRule { .. }
            | Change::PutEntry { .. }
            | Change::RemoveEntry { .. }
            | Change::SetSysctl { .. }
            | Change::RestoreSysctls { .. }
            | Change::PutQdisc { .. }
            | Change::RemoveQdisc { .. }
            | Change::PutVlan { .. }
            | Change::RemoveVlan { .. }
            | Change::SetVlans { .. } => {}
        }
    }

    fn note_names(&mut self, settings: &[Setting]) {
        self.links.extend(settings.iter().filter_map(Setting::name).map(str::to_owned));
    }

    /// Whether an object may be too much; `is` has it.
    pub(super) fn has(&self, object: &Object, is: &State) -> bool {
        match object {
            Object::Address { address, .. } => self.addresses.contains(address),
            Object::Neighbour { address, .. } => self.neighbours.contains(address),
            Object::Route { .. } => {
                let mut routes = is.namespaces.iter().flat_map(|namespace| {
                    let all = namespace.routes.iter();
                    all.filter(|route| namespace.route_object(route) == *object)
                });
                routes.any(|route| self.routes.contains(&place(route)))
            }
            Object::Link { name, .. } => self.links.contains(name),
            // These go with nothing else's going.
            Object::Namespace { .. } | Object::Rule { .. } => true,
        }
    }
}

fn place(route: &Route) -> Place {
    let destination: Option<&Prefix> = route.destination.as_ref().filter(|to| to.length > 0);
    (route.family == Family::Ipv6, destination.map(ToString::to_string), route.table())
}
