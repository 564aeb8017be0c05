//! An address that is taken off a link which others use too. The kernel takes more along: with a
//! subnet's first address the others of it (`__inet_del_ifa`), with a link's last one its routes
//! (`fib_disable_ip`), with an IPv6 address the route of its prefix (`cleanup_prefix_route`), and
//! whatever has it for a source. What is none of the run's is put back, or the address stays.

use std::fmt::Display;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use super::Netlink;
use super::address::{self, Held};
use super::explain::explain;
use super::find::reference;
use super::follows::{self, connected};
use super::raw_link::RawLink;
use super::route::{self, same_place};
use super::route_message::same;
use super::socket::{Failure, Request};
use super::space::Space;
use crate::change::{
    Address, Change, Family, LinkRef, NextHop, PROTOCOL_KERNEL, Prefix, Route, RouteKind, Write,
};
use crate::halt::Halt;
use crate::kernel::{Error, Put};
use crate::text::help;

/// What stands beside an address in its namespace, in all tables.
pub(super) struct Beside {
    index: u32,
    address: Address,
    /// of the same family, on any link
    addresses: Vec<Held>,
    routes: Vec<Route>,
}

impl Netlink {
    /// What a removal has to leave; nothing where the link is nobody else's, or where whoever removes
    /// an address of others' has the right to all of it.
    pub(super) fn beside(
        &self,
        space: &Arc<Space>,
        raw: &RawLink,
        removed: (Prefix, Option<Prefix>),
        undoing: bool,
    ) -> Result<Option<Beside>, Error> {
        if self.host.is_none() || space.own {
            return Ok(None);
        }
        let Some(address) = address::held(space, raw.index, removed.0, removed.1) else {
            return Ok(None);
        };
        let link = reference(space, raw);
        if !undoing && !self.is_put(&Put::Address { link, address: address.clone() }) {
            return Ok(None);
        }
        let beside = self.all_beside(space, raw.index, address)?;
        match beside.pinning(self, space) {
            None => Ok(Some(beside)),
            Some(route) => Err(stays(&beside.address, &raw.name, &format_args!("route `{route}`"))),
        }
    }

    fn all_beside(
        &self,
        space: &Arc<Space>,
        index: u32,
        address: Address,
    ) -> Result<Beside, Error> {
        let family = Family::of(address.prefix.address);
        let links = space.links().map_err(|failure| explain(failure, &"link show"))?;
        let all = address::list(space, &links, Some(family));
        let mut addresses = all.map_err(|failure| explain(failure, &"address show"))?;
        addresses.retain(|held| !is_at(held, index, &address));
        let mut routes = route::list(space, family, &links)
            .map_err(|failure| explain(failure, &"route show table all"))?;
        routes.retain(|route| !is_of(route, &address));
        Ok(Beside { index, address, addresses, routes })
    }

    /// Removes an address; what is beside it is missing for no longer than the kernel takes for it.
    pub(super) fn take_off(
        &self,
        space: &Arc<Space>,
        raw: &RawLink,
        removal: Request,
        beside: &Beside,
    ) -> Result<(), Failure> {
        let _promoting = beside.has_secondaries().then(|| Promoting::on(space, &raw.name));
        // In one datagram with the removal, so that no signal comes between.
        let mut requests = vec![removal];
        requests.extend(Self::puts(space, beside.taken_along(&raw.name)));
        let mut answers = space.execute_all(&requests, &Halt::default()).into_iter();
        // Of the others: what is there already is as it should be, and what is missing will be seen.
        answers.next().unwrap_or(Err(Failure::Unknown))
    }

    /// What is missing of all that was beside an address comes back; else the address does.
    pub(super) fn put_back_beside(
        &self,
        space: &Arc<Space>,
        raw: &RawLink,
        beside: &Beside,
        undoing: bool,
    ) -> Result<(), Error> {
        let missing = self.put_missing(space, beside, undoing)?;
        let Some(first) = missing.in_words() else { return Ok(()) };
        let error = stays(&beside.address, &raw.name, &first);
        let again = address::put_request(beside.index, &beside.address, Write::Replace)?;
        space.execute(&again).map_err(|failure| explain(failure, &"address replace"))?;
        self.put_missing(space, beside, undoing)?;
        Err(error)
    }

    /// Puts what is missing, as often as that helps, for one may need another; what is missing still.
    fn put_missing(
        &self,
        space: &Arc<Space>,
        beside: &Beside,
        undoing: bool,
    ) -> Result<Missing, Error> {
        let mut missing = self.missing(space, beside, undoing)?;
        loop {
            let before = missing.count();
            if before == 0 {
                return Ok(missing);
            }
            for request in Self::puts(space, missing) {
                // What can't be is missing when it is read again.
                let _ = space.execute(&request);
            }
            missing = self.missing(space, beside, undoing)?;
            if missing.count() == before {
                return Ok(missing);
            }
        }
    }

    fn missing(
        &self,
        space: &Arc<Space>,
        beside: &Beside,
        undoing: bool,
    ) -> Result<Missing, Error> {
        let now = self.all_beside(space, beside.index, beside.address.clone())?;
        let place = space.reference();
        // A run's own goes with its own, unless it is about to be as it was.
        let counts = |put: Put| undoing || !self.is_put(&put);
        let there =
            |held: &&Held| !now.addresses.iter().any(|other| is_at(other, held.0, &held.1.address));
        // Temporary addresses are the kernel's to make.
        let lasts = |held: &&Held| !held.1.dynamic || held.1.address.prefix.address.is_ipv4();
        let counted = |held: &&Held| {
            let (namespace, name) = (place.clone(), held.1.link.clone());
            let link = LinkRef { namespace, name, index: Some(held.0) };
            counts(Put::Address { link, address: held.1.address.clone() })
        };
        let addresses = beside.addresses.iter().filter(there).filter(lasts).filter(counted);
        let gone = |route: &&Route| {
            !now.routes.iter().any(|other| same(other, route) || same(other, &on_link(route)))
        };
        let counted =
            |route: &&Route| counts(Put::Route { place: place.clone(), route: (*route).clone() });
        let routes = beside.routes.iter().filter(gone).filter(counted).map(|route| {
            let stands = now.routes.iter().any(|other| same_place(other, route));
            (route.clone(), if stands { Write::Append } else { Write::Add })
        });
        Ok(Missing { addresses: addresses.cloned().collect(), routes: routes.collect() })
    }

    /// What is others' is named by nobody: it was read a moment ago.
    fn puts(space: &Space, all: Missing) -> Vec<Request> {
        let mut index_of = |name: &str| match space.link(name) {
            Ok(Some(link)) => Ok(link.index),
            Ok(None) | Err(_) => Err(Error::Gone(format!("link `{}`", name.escape_debug()))),
        };
        let mut requests = Vec::new();
        for (index, info) in &all.addresses {
            requests.extend(address::put_request(*index, &info.address, Write::Add));
        }
        // The kernel takes one whose way is dead for the same as a new one, all of them together
        // (fib_find_info).
        for (route, _) in all.routes.iter().filter(|(_, how)| *how == Write::Replace) {
            requests.extend(route::remove_request(route, &mut index_of));
        }
        for (route, how) in &all.routes {
            let how = if *how == Write::Replace { &Write::Append } else { how };
            requests.extend(route::put_request(route, *how, &mut index_of));
            // A gateway that nothing is near to any more is taken at its word.
            let near = on_link(route);
            if near != *route && *how == Write::Add {
                requests.extend(route::put_request(&near, *how, &mut index_of));
            }
        }
        requests
    }

    /// The routes by a link to the network of an IPv6 address that is about to be put there: the
    /// kernel takes the address' own one for the same, and removes it with the address.
    pub(super) fn shared_routes(
        &self,
        space: &Arc<Space>,
        index: u32,
        address: &Address,
    ) -> Vec<Change> {
        if self.host.is_none() || space.own || address.prefix.address.is_ipv4() {
            return Vec::new();
        }
        let Ok(Some(raw)) = space.link_at(index) else { return Vec::new() };
        let beside = self.all_beside(space, index, address.clone());
        let (Ok(beside), false) = (beside, self.is_own(space, &raw)) else { return Vec::new() };
        let network = connected(address);
        // That of another address comes and goes with that.
        let held = |held: &Held| held.0 == index && connected(&held.1.address) == network;
        let mut others = beside.addresses.iter().filter(|one| held(one)).peekable();
        if others.peek().is_some() {
            let alike =
                others.any(|(_, info)| follows::metric(&info.address) == follows::metric(address));
            return if alike { Vec::new() } else { own_route(space, &raw, address, &beside) };
        }
        let links = std::slice::from_ref(&raw);
        let all = route::list(space, Family::Ipv6, links).unwrap_or_default();
        let shared = all.into_iter().filter(|route| {
            route.destination == Some(network)
                && route.next_hops.iter().all(|hop| hop.link.as_deref() == Some(&raw.name))
                && !route.next_hops.is_empty()
        });
        let put = |route| Change::PutRoute { namespace: space.reference(), route, how: Write::Add };
        shared.map(put).collect()
    }
}

/// What takes the connected route of an address away that has another metric than those of the same
/// network: the kernel lets it stay for them (check_cleanup_prefix_route in net/ipv6/addrconf.c).
fn own_route(space: &Space, raw: &RawLink, address: &Address, beside: &Beside) -> Vec<Change> {
    let (network, metric) = (connected(address), follows::metric(address));
    let of_link = || beside.routes.iter().filter(|route| route.leads_by(&raw.name));
    let there = |route: &Route| {
        route.destination == Some(network) && route.metric.unwrap_or_default() == metric
    };
    if address.flags.noprefixroute || of_link().any(there) {
        return Vec::new();
    }
    let is_connected = |route: &&Route| {
        route.protocol == Some(PROTOCOL_KERNEL)
            && route.kind == RouteKind::Unicast
            && route.next_hops.iter().all(|hop| hop.gateway.is_none())
    };
    // A VRF has its own table.
    let table = of_link().find(is_connected).and_then(|route| route.table);
    let route = Route {
        family: Family::Ipv6,
        kind: RouteKind::Unicast,
        destination: Some(network),
        next_hops: vec![NextHop {
            gateway: None,
            link: Some(raw.name.clone()),
            weight: 1,
            onlink: false,
            opaque: Vec::new(),
        }],
        table,
        metric: Some(metric),
        protocol: Some(PROTOCOL_KERNEL),
        scope: None,
        source: None,
        from: None,
        type_of_service: None,
        metrics: Vec::new(),
        opaque: Vec::new(),
    };
    vec![Change::RemoveRoute { namespace: space.reference(), route }]
}

impl Beside {
    /// What has the address for its source, and would be something else without it.
    fn pinning(&self, kernel: &Netlink, space: &Arc<Space>) -> Option<&Route> {
        let own = self.address.prefix.address;
        if self.addresses.iter().any(|(_, info)| info.address.prefix.address == own) {
            return None;
        }
        self.routes.iter().find(|route| {
            let put = Put::Route { place: space.reference(), route: (*route).clone() };
            route.source == Some(own) && !kernel.is_put(&put)
        })
    }

    /// Whether the kernel takes nothing of all that along, so that nobody has to look: neither others
    /// of the subnet, nor what has it for its source, nor what goes with a link's last address or with
    /// a prefix.
    pub(super) fn goes_alone(&self) -> bool {
        let own = self.address.prefix.address;
        let network = connected(&self.address);
        let sourced = |route: &Route| route.source == Some(own);
        let of_network =
            |route: &Route| route.family == Family::Ipv6 && route.destination == Some(network);
        let remains = |(index, info): &Held| *index == self.index && !info.secondary;
        let last = own.is_ipv4() && !self.addresses.iter().any(remains);
        !last
            && !self.has_secondaries()
            && !self.routes.iter().any(|route| sourced(route) || of_network(route))
    }

    /// Whether others of its subnet go with it, unless the kernel is told to promote them.
    fn has_secondaries(&self) -> bool {
        let network = connected(&self.address);
        self.addresses.iter().any(|(index, info)| {
            *index == self.index && info.secondary && connected(&info.address) == network
        })
    }

    /// What the kernel takes along.
    fn taken_along(&self, link: &str) -> Missing {
        let here = |held: &&Held| held.0 == self.index;
        let last =
            self.address.prefix.address.is_ipv4() && !self.addresses.iter().any(|held| here(&held));
        let network = connected(&self.address);
        let taken = |route: &&Route| {
            let of_network = route.family == Family::Ipv6 && route.destination == Some(network);
            route.leads_by(link) && (last || of_network)
        };
        let here = self.addresses.iter().filter(here).filter(|(_, info)| info.secondary);
        let near = |hop: &NextHop| hop.gateway.is_some_and(|to| route::contains(network, to));
        let routes = self.routes.iter().filter(taken).map(|route| match route.next_hops.len() {
            // One of several ways is dead then, while the route itself stays.
            2.. if last && route.next_hops.iter().any(near) => (on_link(route), Write::Replace),
            2.. if last => (route.clone(), Write::Replace),
            _ => (route.clone(), Write::Add),
        });
        Missing { addresses: here.cloned().collect(), routes: routes.collect() }
    }
}

/// What is to be put back.
struct Missing {
    addresses: Vec<Held>,
    routes: Vec<(Route, Write)>,
}

impl Missing {
    fn count(&self) -> usize {
        self.addresses.len() + self.routes.len()
    }

    /// The first of it.
    fn in_words(&self) -> Option<String> {
        let address = self.addresses.first();
        let address =
            address.map(|(_, info)| format!("address {} on `{}`", info.address.prefix, info.link));
        address.or_else(|| self.routes.first().map(|(route, _)| format!("route `{route}`")))
    }
}

/// While it is there, the kernel keeps the others of a subnet whose first address goes.
struct Promoting {
    space: Arc<Space>,
    path: PathBuf,
    before: String,
}

impl Promoting {
    /// Nothing where they are kept anyway, or where the setting can't be written: then they come back
    /// right after they went.
    fn on(space: &Arc<Space>, link: &str) -> Option<Self> {
        let path = PathBuf::from(format!("/proc/sys/net/ipv4/conf/{link}/promote_secondaries"));
        let before = space.within(|| fs::read_to_string(&path)).ok()?.trim_end().to_owned();
        if before != "0" {
            return None;
        }
        space.within(|| fs::write(&path, "1")).ok()?;
        Some(Self { space: Arc::clone(space), path, before })
    }
}

impl Drop for Promoting {
    fn drop(&mut self) {
        // It was written a moment ago.
        let _ = self.space.within(|| fs::write(&self.path, &self.before));
    }
}

fn is_at(held: &Held, index: u32, address: &Address) -> bool {
    let there = &held.1.address;
    held.0 == index && there.prefix == address.prefix && there.peer == address.peer
}

/// Whether the kernel made a route of an address, which comes and goes with it. Others of its subnet
/// have it for their routes' source.
fn is_of(route: &Route, address: &Address) -> bool {
    let own = address.prefix.address;
    let whole = if own.is_ipv4() { 32 } else { 128 };
    let to = |to: Prefix| route.destination == Some(to);
    let kernels = route.protocol == Some(PROTOCOL_KERNEL) && follows::is_bare(route);
    let connected = to(connected(address)) && route.metric.unwrap_or(0) == follows::metric(address);
    kernels
        && match route.kind {
            RouteKind::Unicast => connected,
            RouteKind::Local
            | RouteKind::Broadcast
            | RouteKind::Anycast
            | RouteKind::Multicast
            | RouteKind::Blackhole
            | RouteKind::Unreachable
            | RouteKind::Prohibit
            | RouteKind::Throw
            | RouteKind::Nat => {
                to(Prefix { address: own, length: whole })
                    || to(follows::connected(address))
                    || route.source == Some(own)
            }
        }
}

/// The same route by gateways that need not be near.
fn on_link(route: &Route) -> Route {
    let near =
        |hop: &NextHop| NextHop { onlink: hop.onlink || hop.gateway.is_some(), ..hop.clone() };
    Route { next_hops: route.next_hops.iter().map(near).collect(), ..route.clone() }
}

fn stays(address: &Address, link: &str, what: &dyn Display) -> Error {
    let prefix = address.prefix;
    Error::Invalid(format!(
        "{prefix} stays on `{link}`: {what} of others would be lost with it{}",
        help("remove that one, and take this back again")
    ))
}
