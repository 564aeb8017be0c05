//! What goes when something else goes: what a namespace holds before a change, and what of it is
//! missing afterwards, or would be.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;

use super::Netlink;
use super::address::{self, Held};
use super::anchor;
use super::follows::{deleted, follows};
use super::lifetime;
use super::neighbour;
use super::raw_link::RawLink;
use super::route::{self, Place, same_place};
use super::route_message::same;
use super::space::Space;
use crate::change::{
    Address, Change, Family, LinkRef, NamespaceRef, Neighbour, PROTOCOL_KERNEL, Route, Write,
};
use crate::kernel::Error;

/// What a namespace holds that goes when something else goes.
pub(super) struct Holdings {
    addresses: Vec<(u32, String, Address)>,
    /// those of IPv6 of each link, in the kernel's order, by which it chooses a source
    sequences: Vec<(u32, String, Vec<Address>)>,
    /// those that somebody put there
    routes: Vec<(Route, Write)>,
    /// the kernel's own as well
    all_routes: Vec<Route>,
    /// connected routes that somebody deleted, by their links
    deleted: Vec<(u32, Route)>,
    /// those that somebody put there
    neighbours: Vec<(u32, String, Neighbour)>,
}

impl Holdings {
    /// The addresses and neighbours of links; the routes by them, and those from their addresses,
    /// by whatever link.
    pub(super) fn of_links(mut self, links: &[RawLink]) -> Self {
        let on = |index: u32| links.iter().any(|link| link.index == index);
        self.addresses.retain(|(index, _, _)| on(*index));
        self.sequences.retain(|(index, _, _)| on(*index));
        self.deleted.retain(|(index, _)| on(*index));
        self.neighbours.retain(|(index, _, _)| on(*index));
        let sources: Vec<IpAddr> =
            self.addresses.iter().map(|(_, _, address)| address.prefix.address).collect();
        self.routes.retain(|(route, _)| {
            links.iter().any(|link| route.leads_by(&link.name))
                || route.source.is_some_and(|source| sources.contains(&source))
        });
        self
    }

    /// Steps that put all of it back, where it isn't there.
    pub(super) fn into_steps(self, space: &Space) -> Vec<Change> {
        let namespace = space.reference();
        let on = |name, index| LinkRef { namespace: namespace.clone(), name, index: Some(index) };
        // Of IPv6 the kernel has the newest first (ipv6_link_dev_addr).
        let (six, mut addresses): (Vec<_>, Vec<_>) =
            self.addresses.into_iter().partition(|(_, _, one)| one.prefix.address.is_ipv6());
        addresses.extend(six.into_iter().rev());
        let addresses = addresses
            .into_iter()
            .map(|(index, name, address)| lifetime::restored(on(name, index), address));
        let sequences = self.sequences.into_iter().map(|(index, name, addresses)| {
            Change::OrderAddresses { link: on(name, index), addresses }
        });
        let deleted = self.deleted.into_iter().map(|(_, route)| {
            let namespace = namespace.clone();
            Change::RemoveRoute { namespace, route }
        });
        let mut routes = self.routes;
        let anchors = anchor::of_routes(space, routes.iter().map(|(route, _)| route));
        // A gateway has to be near.
        routes.sort_by_key(|(route, _)| route.next_hops.iter().any(|hop| hop.gateway.is_some()));
        let routes = routes.into_iter().map(|(route, how)| {
            let namespace = namespace.clone();
            Change::PutRoute { namespace, route, how }
        });
        let neighbours = self
            .neighbours
            .into_iter()
            .map(|(index, name, one)| put_neighbour(space, index, name, one));
        let back = addresses.chain(sequences).chain(deleted).chain(routes).chain(neighbours);
        anchors.into_iter().chain(back).collect()
    }
}

impl Netlink {
    pub(super) fn holdings(&self, space: &Space) -> Holdings {
        let links = space.links().unwrap_or_default();
        let held = address::list(space, &links, None).unwrap_or_default();
        let all_routes: Vec<Route> = [Family::Ipv4, Family::Ipv6]
            .into_iter()
            .flat_map(|family| route::list(space, family, &links).unwrap_or_default())
            .collect();
        let deleted = links.iter().flat_map(|link| {
            deleted(link, &held, &all_routes).into_iter().map(|route| (link.index, route))
        });
        // The kernel makes those again, of the ones that they are of.
        let lasting = held.iter().filter(|(_, info)| !info.temporary);
        let addresses: Vec<_> = lasting
            .map(|(index, info)| {
                (*index, info.link.clone(), lifetime::counted(info.address.clone()))
            })
            .collect();
        Holdings {
            deleted: deleted.collect(),
            routes: somebodys(&all_routes, &held),
            all_routes,
            sequences: sequences(&addresses),
            addresses,
            neighbours: neighbour::lasting(space, &links),
        }
    }

    /// Steps that put back what a namespace had and has no longer; a link's deleted routes stay so.
    pub(super) fn lost(&self, space: &Space, before: Holdings, link: u32) -> Vec<Change> {
        let after = self.holdings(space);
        let mut lost = before;
        lost.addresses.retain(|(index, _, address)| {
            !after.addresses.iter().any(|(there, _, now)| {
                there == index && now.prefix == address.prefix && now.peer == address.peer
            })
        });
        lost.sequences.retain(|(index, _, _)| {
            lost.addresses
                .iter()
                .any(|(on, _, address)| on == index && address.prefix.address.is_ipv6())
        });
        lost.deleted.retain(|(index, _)| *index == link);
        lost.routes.retain(|(route, _)| !after.all_routes.iter().any(|now| same(now, route)));
        lost.neighbours.retain(|(index, _, had)| {
            !after
                .neighbours
                .iter()
                .any(|(there, _, now)| there == index && neighbour::same_neighbour(now, had))
        });
        lost.into_steps(space)
    }

    /// Puts a route back where the kernel has left less of it: without the source that it had, one of
    /// several ways, or what somebody had given to a connected one.
    pub(super) fn complete(
        &mut self,
        error: Error,
        namespace: &NamespaceRef,
        route: &Route,
    ) -> Result<(), Error> {
        let taken = matches!(&error, Error::Kernel(error) if error.errno == libc::EEXIST);
        if !taken {
            return Err(error);
        }
        let all = self.routes(&*self.spaces.find(namespace)?, route.family)?;
        if all.iter().any(|now| same(now, route)) || !all.iter().any(|now| is_less(now, route)) {
            return Err(error);
        }
        let (namespace, route) = (namespace.clone(), route.clone());
        let step = Change::PutRoute { namespace, route, how: Write::Replace };
        self.perform(&step, true).map(drop)
    }

    /// The same of all links of a change, by their namespaces.
    pub(super) fn held_on(&self, links: &[(Arc<Space>, RawLink)]) -> Vec<Change> {
        let mut spaces: Vec<&Arc<Space>> = Vec::new();
        for (space, _) in links {
            if !spaces.iter().any(|known| known.cookie == space.cookie) {
                spaces.push(space);
            }
        }
        let steps = spaces.into_iter().map(|space| {
            let here = links.iter().filter(|(there, _)| there.cookie == space.cookie);
            let here: Vec<RawLink> = here.map(|(_, link)| link.clone()).collect();
            self.holdings(space).of_links(&here).into_steps(space)
        });
        steps.flatten().collect()
    }
}

/// The addresses of IPv6 by their links, where there are several.
fn sequences(addresses: &[(u32, String, Address)]) -> Vec<(u32, String, Vec<Address>)> {
    let mut all: Vec<(u32, String, Vec<Address>)> = Vec::new();
    for (index, name, address) in addresses {
        if address.prefix.address.is_ipv4() {
            continue;
        }
        match all.iter_mut().find(|(on, _, _)| on == index) {
            Some((_, _, here)) => here.push(address.clone()),
            None => all.push((*index, name.clone(), vec![address.clone()])),
        }
    }
    all.retain(|(_, _, here)| here.len() > 1);
    all
}

/// The routes that don't come back by themselves, and how each is put beside others at its place: of
/// those the first is the one that is taken.
fn somebodys(all: &[Route], held: &[Held]) -> Vec<(Route, Write)> {
    let of = |route: &Route| (route.family, route::place(route));
    let mut after: HashMap<(Family, Place), usize> = HashMap::new();
    for route in all {
        *after.entry(of(route)).or_default() += 1;
    }
    let mut before = HashSet::new();
    let mut put = Vec::new();
    for route in all {
        let place = of(route);
        let left = after.entry(place).or_default();
        *left -= 1;
        let how = match (before.insert(place), *left) {
            (false, _) => Write::Append,
            (true, 0) => Write::Add,
            (true, _) => Write::Prepend,
        };
        put.extend((!follows(route, held)).then(|| (route.clone(), how)));
    }
    put
}

/// Whether a route that is there is what the kernel left of another one.
pub(super) fn is_less(now: &Route, whole: &Route) -> bool {
    let six = now.family == Family::Ipv6;
    let ways = six
        && now.next_hops.iter().all(|hop| {
            whole.next_hops.iter().any(|had| had.gateway == hop.gateway && had.link == hop.link)
        });
    let source = six && now.source.is_none();
    let own = now.protocol == Some(PROTOCOL_KERNEL)
        && now.metrics.iter().all(|metric| whole.metrics.contains(metric));
    let mut completed = now.clone();
    if ways {
        completed.next_hops.clone_from(&whole.next_hops);
        completed.opaque.clone_from(&whole.opaque);
    }
    if source {
        completed.source = whole.source;
    }
    if own {
        completed.metrics.clone_from(&whole.metrics);
        completed.opaque.clone_from(&whole.opaque);
    }
    same_place(now, whole) && same(&completed, whole)
}

fn put_neighbour(space: &Space, index: u32, name: String, neighbour: Neighbour) -> Change {
    let link = LinkRef { namespace: space.reference(), name, index: Some(index) };
    Change::PutNeighbour { link, neighbour, how: Write::Replace }
}
