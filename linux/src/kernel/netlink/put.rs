//! Addresses, routes and rules in others' namespaces that this run has put there: one protocol number
//! marks those of all runs, so that only what a run did says which are its own.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Netlink;
use super::route::same_place;
use super::rule::as_told;
use super::space::Space;
use crate::change::{Address, Change, NextHop, Prefix, Qdisc, Route, RouteKind, Rule, Undo, Write};
use crate::kernel::Put;
use crate::records::History;

/// One of them, by its namespace's cookie.
#[derive(Debug, Clone, PartialEq)]
enum Thing {
    Address { place: u64, index: u32, prefix: Prefix },
    Route { place: u64, route: Route },
    Rule { place: u64, rule: Rule },
    Qdisc { place: u64, index: u32, kind: String, handle: Option<u16> },
}

/// All that stand.
#[derive(Debug, Default)]
pub(super) struct Things(Mutex<Vec<Thing>>);

impl Thing {
    fn is_queueing_on(&self, here: u64, on: u32) -> bool {
        matches!(self, Self::Qdisc { place, index, .. } if (*place, *index) == (here, on))
    }
}

impl Things {
    fn all(&self) -> MutexGuard<'_, Vec<Thing>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Netlink {
    /// Notes what a change has put or taken away.
    pub(super) fn note_put(&self, change: &Change, undo: &Undo) {
        let Some(host) = &self.host else { return };
        let mut all = host.put.all();
        match change {
            Change::PutAddress { link, address, .. } => {
                all.extend(self.address_thing(link, address));
            }
            Change::RemoveAddress { link, prefix, .. } => {
                if let Ok((space, index)) = self.index_of(link) {
                    let (place, prefix) = (space.cookie, *prefix);
                    all.retain(|thing| *thing != Thing::Address { place, index, prefix });
                }
            }
            Change::PutRoute { namespace, route, how } => {
                let Ok(space) = self.spaces.find(namespace) else { return };
                let replaces = matches!(how, Write::Change | Write::Replace);
                let (place, route) = (space.cookie, route.clone());
                all.retain(|thing| {
                    !(replaces
                        && matches!(thing, Thing::Route { place: there, route: old }
                        if *there == place && same_place(&network(old), &network(&route))))
                });
                all.push(Thing::Route { place, route });
            }
            Change::RemoveRoute { namespace, route } => {
                let Ok(space) = self.spaces.find(namespace) else { return };
                // What was there before is what is gone now.
                let gone = undo.steps.iter().find_map(|step| match step {
                    Change::PutRoute { route, .. } => Some(route),
                    _ => None,
                });
                let gone = gone.unwrap_or(route);
                all.retain(|thing| {
                    !matches!(thing, Thing::Route { place, route }
                        if *place == space.cookie && is_put(route, gone))
                });
            }
            Change::AddRule { namespace, rule } => {
                let Ok(space) = self.spaces.find(namespace) else { return };
                // The kernel chooses a place where none was asked for.
                let made = undo.steps.iter().find_map(|step| match step {
                    Change::RemoveRule { rule, .. } => Some(rule),
                    _ => None,
                });
                let rule = made.unwrap_or(rule).clone();
                all.push(Thing::Rule { place: space.cookie, rule });
            }
            Change::RemoveRule { namespace, rule } => {
                let Ok(space) = self.spaces.find(namespace) else { return };
                let gone = undo.steps.iter().find_map(|step| match step {
                    Change::AddRule { rule, .. } => Some(rule),
                    _ => None,
                });
                let (place, rule) = (space.cookie, gone.unwrap_or(rule).clone());
                all.retain(|thing| *thing != Thing::Rule { place, rule: rule.clone() });
            }
            Change::PutQdisc { link, qdisc, .. } => {
                let Ok((space, index)) = self.index_of(link) else { return };
                let place = space.cookie;
                all.retain(|thing| !thing.is_queueing_on(place, index));
                let kind = qdisc.discipline.kind().to_owned();
                // The kernel chooses a handle where none was asked for.
                let there = || self.explicit(&space, index).ok().flatten();
                let chosen = || there().filter(|there| there.discipline.kind() == kind)?.handle;
                let handle = qdisc.handle.or_else(chosen);
                all.push(Thing::Qdisc { place, index, kind, handle });
            }
            Change::RemoveQdisc { link } => {
                let Ok((space, index)) = self.index_of(link) else { return };
                // One that is there since is somebody else's, and known for that by this one.
                if matches!(self.explicit(&space, index), Ok(None)) {
                    all.retain(|thing| !thing.is_queueing_on(space.cookie, index));
                }
            }
            Change::CreateNamespace { .. }
            | Change::DeleteNamespace { .. }
            | Change::SetNamespaceId { .. }
            | Change::CreateLink { .. }
            | Change::ChangeLink { .. }
            | Change::MoveLink { .. }
            | Change::DeleteLink { .. }
            | Change::PutNeighbour { .. }
            | Change::RemoveNeighbour { .. }
            | Change::PutEntry { .. }
            | Change::RemoveEntry { .. }
            | Change::SetSysctl { .. }
            | Change::RestoreSysctls { .. }
            | Change::OrderAddresses { .. }
            | Change::PutVlan { .. }
            | Change::RemoveVlan { .. }
            | Change::SetVlans { .. } => {}
        }
    }

    fn address_thing(&self, link: &crate::change::LinkRef, address: &Address) -> Option<Thing> {
        let (space, index) = self.index_of(link).ok()?;
        Some(Thing::Address { place: space.cookie, index, prefix: address.prefix })
    }

    /// Knows what a run has put, by its journal.
    pub(super) fn know_put(&self, history: &History) {
        history.entries.iter().for_each(|entry| self.note_put(&entry.change, &entry.undo));
    }

    /// Whether this run has put an address.
    pub(super) fn has_put_address(&self, space: &Space, index: u32, address: &Address) -> bool {
        let thing = Thing::Address { place: space.cookie, index, prefix: address.prefix };
        self.host.as_ref().is_some_and(|host| host.put.all().contains(&thing))
    }

    /// Whether the root discipline of a link is one that this run has put there.
    pub(super) fn has_put_qdisc(&self, space: &Space, on: u32, root: &Qdisc) -> bool {
        let Some(host) = &self.host else { return true };
        host.put.all().iter().any(|thing| {
            thing.is_queueing_on(space.cookie, on)
                && matches!(thing, Thing::Qdisc { kind, handle, .. }
                    if kind == root.discipline.kind() && (handle.is_none() || *handle == root.handle))
        })
    }

    pub(super) fn is_put(&self, put: &Put) -> bool {
        let Some(host) = &self.host else { return true };
        match put {
            Put::Address { link, address } => {
                let thing = self.address_thing(link, address);
                thing.is_some_and(|thing| host.put.all().contains(&thing))
            }
            Put::Rule { place, rule } => {
                let Ok(space) = self.spaces.find(place) else { return false };
                let thing = Thing::Rule { place: space.cookie, rule: rule.clone() };
                space.own || host.put.all().iter().any(|one| one.is(&thing))
            }
            Put::Route { place, route } => {
                let Ok(space) = self.spaces.find(place) else { return false };
                space.own || host.put.all().iter().has_all(space.cookie, route)
            }
        }
    }
}

impl Thing {
    /// One that a journal has no outcome for may not have its place yet.
    fn is(&self, there: &Self) -> bool {
        match (self, there) {
            (Self::Rule { place, rule }, Self::Rule { place: other, rule: there }) => {
                place == other && is_put_rule(rule, there)
            }
            _ => self == there,
        }
    }
}

trait HasAll {
    fn has_all(self, place: u64, there: &Route) -> bool;
}

impl<'a, I: Iterator<Item = &'a Thing>> HasAll for I {
    /// Whether all of a route was put: the kernel shows several IPv6 routes of one place as one.
    fn has_all(self, place: u64, there: &Route) -> bool {
        let of_place = |thing: &'a Thing| match thing {
            Thing::Route { place: other, route } if *other == place => Some(route),
            _ => None,
        };
        let here: Vec<&Route> = self
            .filter_map(of_place)
            .filter(|route| {
                same_place(&network(route), &network(there)) && route.kind == there.kind
            })
            .collect();
        match has_no_hops(there) {
            true => !here.is_empty(),
            false => there.next_hops.iter().all(|hop| {
                here.iter().flat_map(|route| &route.next_hops).any(|asked| is_hop(asked, hop))
            }),
        }
    }
}

/// Whether a rule that is there is the one that was asked for, at the place that it was given.
pub(super) fn is_put_rule(asked: &Rule, there: &Rule) -> bool {
    let placed = asked.priority.is_none() || asked.priority == there.priority;
    placed && as_told(asked).is_like(&as_told(there))
}

/// Whether a route that is there is, or has a part of, the one that was asked for.
pub(super) fn is_put(asked: &Route, there: &Route) -> bool {
    let hops = match has_no_hops(there) {
        true => true,
        false => {
            there.next_hops.iter().any(|hop| asked.next_hops.iter().any(|asked| is_hop(asked, hop)))
        }
    };
    hops && asked.kind == there.kind && same_place(&network(asked), &network(there))
}

/// IPv6 routes that lead nowhere have a hop by `lo` all the same.
fn has_no_hops(route: &Route) -> bool {
    let leads = match route.kind {
        RouteKind::Blackhole | RouteKind::Unreachable | RouteKind::Prohibit | RouteKind::Throw => {
            false
        }
        RouteKind::Unicast
        | RouteKind::Local
        | RouteKind::Broadcast
        | RouteKind::Anycast
        | RouteKind::Multicast
        | RouteKind::Nat => true,
    };
    !leads || route.next_hops.is_empty()
}

fn is_hop(asked: &NextHop, there: &NextHop) -> bool {
    (asked.gateway.is_none() || asked.gateway == there.gateway)
        && (asked.link.is_none() || asked.link == there.link)
}

/// As the kernel has it: without bits behind the prefix.
fn network(route: &Route) -> Route {
    Route { destination: route.destination.map(Prefix::network), ..route.clone() }
}
