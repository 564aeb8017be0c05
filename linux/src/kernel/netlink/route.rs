//! Routes: put, removed, listed and looked up.

use std::net::IpAddr;
use std::sync::Arc;

use netlink_packet_core::{NLM_F_APPEND, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::route::RouteMessage;

use super::Netlink;
use super::address;
use super::anchor;
use super::explain::{explain, explain_with};
use super::raw_link::{IFF_UP, RawLink};
use super::route_message::{Purpose, family_of, message, read, same};
use super::socket::{Failure, Request};
use super::space::Space;
use crate::change::{Applied, Change, Family, Made, NamespaceRef, Prefix, Route, Undo, Write};
use crate::kernel::Error;
use crate::text::help;

/// What the kernel gives an IPv6 route that names no metric.
const IPV6_METRIC: u32 = 1024;

impl Netlink {
    pub(super) fn put_route(
        &mut self,
        change: &Change,
        namespace: &NamespaceRef,
        route: &Route,
        how: Write,
    ) -> Result<Applied, Error> {
        check(route)?;
        let space = self.spaces.find(namespace)?;
        let request = self.put_route_request(&space, route, how)?;
        let replaces = matches!(how, Write::Change | Write::Replace);
        let before = if replaces { self.routes(&space, route.family)? } else { Vec::new() };
        space
            .execute(&request)
            .map_err(|failure| self.route_error(failure, change, &space, route))?;
        if !replaces {
            return Ok(route_applied(&space, route));
        }
        let after = self.routes(&space, route.family)?;
        let lost = before.iter().find(|old| !after.iter().any(|now| same(old, now)));
        Ok(match lost {
            Some(old) => restored(&space, old.clone(), Write::Replace),
            None => route_applied(&space, route),
        })
    }

    pub(super) fn put_route_request(
        &self,
        space: &Arc<Space>,
        route: &Route,
        how: Write,
    ) -> Result<Request, Error> {
        put_request(route, how, &mut |name| Ok(self.link_by_name(space, name)?.index))
    }

    pub(super) fn remove_route(
        &mut self,
        change: &Change,
        namespace: &NamespaceRef,
        route: &Route,
        exactly: bool,
    ) -> Result<Applied, Error> {
        check(route)?;
        let space = self.spaces.find(namespace)?;
        let purpose = if exactly { Purpose::RemoveExactly } else { Purpose::Remove };
        let mut index_of = |name: &str| Ok(self.link_by_name(&space, name)?.index);
        let message = message(route, purpose, &mut index_of)?;
        let request = Request { message: RouteNetlinkMessage::DelRoute(message), flags: 0 };
        let before = self.routes(&space, route.family)?;
        space.execute(&request).map_err(|failure| {
            explain_with(failure, change, |refusal| match refusal.errno {
                libc::ESRCH => Some(there(&before, route, &space)),
                _ => None,
            })
        })?;
        let after = self.routes(&space, route.family)?;
        let lost = before.iter().find(|old| !after.iter().any(|now| same(old, now)));
        Ok(match lost {
            Some(old) => restored(&space, old.clone(), turn(old, &before)),
            None => Applied { made: Made::Nothing, undo: Undo::default() },
        })
    }

    /// All routes of a family, in all tables.
    pub(super) fn routes(&self, space: &Space, family: Family) -> Result<Vec<Route>, Error> {
        let links = space.links().map_err(|failure| explain(failure, &"link show"))?;
        list(space, family, &links).map_err(|failure| explain(failure, &"route show table all"))
    }

    pub(super) fn route_error(
        &self,
        failure: Failure,
        change: &Change,
        space: &Arc<Space>,
        route: &Route,
    ) -> Error {
        explain_with(failure, change, |refusal| match refusal.errno {
            libc::EEXIST => {
                let all = self.routes(space, route.family).ok()?;
                let there = all.iter().find(|other| same_place(other, route))?;
                Some(format!(
                    "`{there}` is there already with this metric; replace it, or choose another metric"
                ))
            }
            libc::ENETUNREACH | libc::EHOSTUNREACH | libc::EINVAL => unreachable(space, route),
            libc::ENETDOWN => down(space, route).or_else(|| Some("its link is down".to_owned())),
            libc::ENOENT => Some("there is no such route to change".to_owned()),
            _ => None,
        })
    }
}

/// As `ip route add` and its like.
pub(super) fn put_request(
    route: &Route,
    how: Write,
    index_of: &mut dyn FnMut(&str) -> Result<u32, Error>,
) -> Result<Request, Error> {
    let flags = match how {
        Write::Add => NLM_F_CREATE | NLM_F_EXCL,
        Write::Change => NLM_F_REPLACE,
        Write::Replace => NLM_F_CREATE | NLM_F_REPLACE,
        Write::Append => NLM_F_CREATE | NLM_F_APPEND,
        Write::Prepend => NLM_F_CREATE,
    };
    let message = message(route, Purpose::Put, index_of)?;
    Ok(Request { message: RouteNetlinkMessage::NewRoute(message), flags })
}

/// As `ip route delete`, of this very route.
pub(super) fn remove_request(
    route: &Route,
    index_of: &mut dyn FnMut(&str) -> Result<u32, Error>,
) -> Result<Request, Error> {
    let message = message(route, Purpose::RemoveExactly, index_of)?;
    Ok(Request { message: RouteNetlinkMessage::DelRoute(message), flags: 0 })
}

pub(super) fn list(
    space: &Space,
    family: Family,
    links: &[RawLink],
) -> Result<Vec<Route>, Failure> {
    let mut request = RouteMessage::default();
    request.header.address_family = family_of(family);
    let parts = space.dump(&RouteNetlinkMessage::GetRoute(request))?;
    Ok(parts.iter().filter_map(|(_, body)| read(body, links)).collect())
}

pub(super) fn check(route: &Route) -> Result<(), Error> {
    let invalid = |sentence: String| Err(Error::Invalid(sentence));
    let four = route.family == Family::Ipv4;
    for prefix in [route.destination, route.from].into_iter().flatten() {
        let bits = if four { 32 } else { 128 };
        if prefix.address.is_ipv4() != four {
            return invalid(format!("{prefix} is not of the route's family"));
        }
        if prefix.length > bits {
            return invalid(format!("{prefix}: a prefix of it has 0 to {bits} bits"));
        }
    }
    if let Some(Prefix { address: IpAddr::V4(address), length }) = route.destination {
        let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
        let network = std::net::Ipv4Addr::from(u32::from(address) & mask);
        if network != address {
            return invalid(format!(
                "{address}/{length} has bits set behind its prefix{}",
                help(format!("the network is {network}/{length}"))
            ));
        }
    }
    for hop in &route.next_hops {
        if hop.gateway.is_some_and(|gateway| gateway.is_ipv4()) && !four {
            return invalid("an IPv6 route can't have an IPv4 gateway".to_owned());
        }
        if hop.gateway.is_none() && hop.link.is_none() {
            return invalid("a next hop needs a gateway or a link".to_owned());
        }
    }
    Ok(())
}

/// Undone by removing exactly this route.
pub(super) fn route_applied(space: &Space, route: &Route) -> Applied {
    let mut exact = route.clone();
    if exact.family == Family::Ipv6 && exact.metric.unwrap_or(0) == 0 {
        exact.metric = Some(IPV6_METRIC);
    }
    // What the kernel does not compare by, or what changes as time goes by.
    exact.metrics.retain(|metric| !matches!(metric.name.as_str(), "expires" | "pref"));
    let step = Change::RemoveRoute { namespace: space.reference(), route: exact };
    Applied { made: Made::Nothing, undo: Undo { steps: vec![step] } }
}

pub(super) fn restored(space: &Space, route: Route, how: Write) -> Applied {
    let mut steps = anchor::of_routes(space, [&route]);
    steps.push(Change::PutRoute { namespace: space.reference(), route, how });
    Applied { made: Made::Nothing, undo: Undo { steps } }
}

/// How a route is put back among those at its place, of which IPv4 takes the first: before them where
/// it was the first one.
pub(super) fn turn(old: &Route, before: &[Route]) -> Write {
    let mut beside = before.iter().filter(|other| same_place(other, old)).peekable();
    let first = beside.peek().is_some_and(|first| same(first, old));
    match (first, beside.count()) {
        (_, ..=1) => Write::Add,
        (true, _) if old.family == Family::Ipv4 => Write::Prepend,
        (_, _) => Write::Append,
    }
}

/// Whether two routes can't stand beside each other.
pub(super) fn same_place(one: &Route, other: &Route) -> bool {
    place(one) == place(other)
}

/// Destination, table, metric and type of service.
pub(super) type Place = (Option<Prefix>, u32, u32, u8);

pub(super) fn place(route: &Route) -> Place {
    let destination = route.destination.filter(|prefix| prefix.length > 0);
    (destination, route.table(), metric(route), route.type_of_service.unwrap_or(0))
}

/// The metric that the kernel gives a route.
pub(super) fn metric(route: &Route) -> u32 {
    match (route.family, route.metric.unwrap_or(0)) {
        (Family::Ipv6, 0) => IPV6_METRIC,
        (_, metric) => metric,
    }
}

/// The routes to a destination, in words.
fn there(all: &[Route], route: &Route, space: &Space) -> String {
    let destination = |route: &Route| route.destination.filter(|prefix| prefix.length > 0);
    let alike: Vec<_> = all
        .iter()
        .filter(|other| destination(other) == destination(route))
        .map(|other| format!("`{other}`"))
        .collect();
    match alike.is_empty() {
        true => format!("{} has no route to it", space.shown()),
        false => format!("{} has {}", space.shown(), alike.join(", ")),
    }
}

fn down(space: &Space, route: &Route) -> Option<String> {
    let names: Vec<_> = route.next_hops.iter().filter_map(|hop| hop.link.as_ref()).collect();
    let links = space.links().ok()?;
    let down = links.iter().find(|link| names.contains(&&link.name) && !link.has(IFF_UP))?;
    Some(format!("`{}` is down; set it up first", down.name))
}

/// Why a gateway can't be reached: what there is to reach it by.
fn unreachable(space: &Space, route: &Route) -> Option<String> {
    let gateway = route.next_hops.iter().find_map(|hop| hop.gateway)?;
    if let Some(sentence) = down(space, route) {
        return Some(sentence);
    }
    let links = space.links().ok()?;
    let all = address::list(space, &links, Some(route.family)).ok()?;
    let wanted: Vec<_> = route.next_hops.iter().filter_map(|hop| hop.link.as_deref()).collect();
    let reached = all.iter().find(|(_, info)| {
        let address = &info.address;
        let network = address.peer.unwrap_or(address.prefix);
        contains(network, gateway) && (wanted.is_empty() || wanted.contains(&info.link.as_str()))
    });
    match reached {
        Some((index, info)) => {
            let link = links.iter().find(|link| link.index == *index)?;
            (!link.has(IFF_UP)).then(|| format!("`{}` is down; set it up first", info.link))
        }
        None => Some(format!(
            "no link of {} has an address in the network of {gateway}; add one first, or say `onlink`",
            space.shown()
        )),
    }
}

pub(super) fn contains(network: Prefix, address: IpAddr) -> bool {
    match (network.address, address) {
        (IpAddr::V4(network_address), IpAddr::V4(address)) => {
            let shift = 32_u32.saturating_sub(u32::from(network.length));
            let bits = |ip| u32::from(ip).checked_shr(shift).unwrap_or(0);
            bits(network_address) == bits(address)
        }
        (IpAddr::V6(network_address), IpAddr::V6(address)) => {
            let shift = 128_u32.saturating_sub(u32::from(network.length));
            let bits = |ip| u128::from(ip).checked_shr(shift).unwrap_or(0);
            bits(network_address) == bits(address)
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
    }
}
