//! Carries out `ip route`.

use netwright_network::change::TABLE_MAIN;
use netwright_sdk::Result;
use netwright_sdk::host::namespaces::Namespace;
use netwright_sdk::host::routes::{NextHop, Route, list_all, lookup, put, remove};
use netwright_sdk::wit::types::{Family, IpAddress, IpPrefix};

use crate::inet::{bits, family_of, holds};
use crate::output::print;
use crate::route::RouteCommand;
use crate::route_show::{Destinations, RouteFilter};
use crate::run::must_be_there;
use crate::run_vrf::table_of_vrf;
use crate::show_route::{got_line, route_line};

pub(crate) fn run_route(namespace: &Namespace, command: &RouteCommand) -> Result<()> {
    match command {
        RouteCommand::Put { route, vrf, how } => {
            Ok(put(namespace, &of_vrf(namespace, route, vrf.as_deref())?, *how)?)
        }
        RouteCommand::Remove { route, vrf, any_kind } => {
            let mut route = of_vrf(namespace, route, vrf.as_deref())?;
            if *any_kind {
                of_any_kind(namespace, &mut route)?;
            }
            Ok(remove(namespace, &route)?)
        }
        RouteCommand::Show(filter) => {
            let lines: Vec<String> = filtered(namespace, filter)?
                .iter()
                .map(|route| route_line(route, filter.table.is_none()))
                .collect();
            print(&lines.concat());
            Ok(())
        }
        RouteCommand::Flush(filter) => {
            for route in filtered(namespace, filter)? {
                remove(namespace, &route)?;
            }
            Ok(())
        }
        RouteCommand::Get { destination, source } => {
            let route = lookup(namespace, *destination, *source)?;
            print(&got_line(destination, source.as_ref(), &route));
            Ok(())
        }
    }
}

/// The route in the table of its vrf, if it has one.
fn of_vrf(namespace: &Namespace, route: &Route, vrf: Option<&str>) -> Result<Route> {
    let table = vrf.map(|vrf| table_of_vrf(namespace, vrf)).transpose()?;
    Ok(Route { table: table.or(route.table), ..route.clone() })
}

fn table_of(route: &Route) -> u32 {
    route.table.unwrap_or(TABLE_MAIN)
}

/// Gives the route that is to go the kind of the one that is there: without a kind every kind
/// is meant, which the contract can't say.
fn of_any_kind(namespace: &Namespace, route: &mut Route) -> Result<()> {
    let all = list_all(namespace, route.family)?;
    let table = table_of(route);
    let same = |found: &&Route| {
        table_of(found) == table
            && found.destination == route.destination
            && route.metric.is_none_or(|metric| found.metric.unwrap_or(0) == metric)
            && route.type_of_service.unwrap_or(0) == found.type_of_service.unwrap_or(0)
    };
    if let Some(found) = all.iter().find(same) {
        route.kind = found.kind;
    }
    Ok(())
}

fn filtered(namespace: &Namespace, filter: &RouteFilter) -> Result<Vec<Route>> {
    let mut filter = filter.clone();
    if let Some(vrf) = &filter.vrf {
        filter.table = Some(table_of_vrf(namespace, vrf)?);
    }
    let filter = &filter;
    // The kernel has had no cache of IPv4 routes since 3.6, and no dump tells of IPv6's: to show
    // or flush it says and alters nothing of what the tables hold.
    if filter.cached {
        return Ok(Vec::new());
    }
    filter.link.as_ref().map_or(Ok(()), |link| must_be_there(namespace, link, false))?;
    let families = match (filter.family, filter.table) {
        (Some(family), _) => vec![family],
        (None, Some(_)) => vec![Family::Ipv4],
        (None, None) => vec![Family::Ipv4, Family::Ipv6],
    };
    let mut routes = Vec::new();
    for family in families {
        let all = list_all(namespace, family)?;
        routes.extend(all.into_iter().filter(|route| passes(filter, route)));
    }
    Ok(routes)
}

fn passes(filter: &RouteFilter, route: &Route) -> bool {
    filter.table.is_none_or(|table| table_of(route) == table)
        && filter.protocol.is_none_or(|protocol| route.protocol == Some(protocol))
        && filter.scope.is_none_or(|scope| route.scope.unwrap_or(0) == scope)
        && filter.kind.is_none_or(|kind| route.kind == kind)
        && filter.type_of_service.is_none_or(|tos| route.type_of_service.unwrap_or(0) == tos)
        && filter.metric.is_none_or(|metric| route.metric.unwrap_or(0) == metric)
        && (filter.source.is_none() || route.source == filter.source)
        && destined(filter, route)
        && hops(filter, &route.next_hops)
}

fn destined(filter: &RouteFilter, route: &Route) -> bool {
    let everything = |like: &IpPrefix| IpPrefix { length: 0, ..*like };
    let within = |outer: &IpPrefix, inner: &IpPrefix| {
        outer.length <= inner.length && holds(outer, &inner.address)
    };
    match &filter.destination {
        Destinations::Any => true,
        Destinations::Exact(prefix) => match &route.destination {
            Some(destination) => destination == prefix,
            None => prefix.length == 0,
        },
        Destinations::Root(prefix) => match &route.destination {
            Some(destination) => within(prefix, destination),
            None => prefix.length == 0,
        },
        Destinations::Match(prefix) => {
            within(&route.destination.unwrap_or(everything(prefix)), prefix)
        }
    }
}

fn hops(filter: &RouteFilter, hops: &[NextHop]) -> bool {
    let on_link = |link: &String| hops.iter().any(|hop| hop.link.as_ref() == Some(link));
    let by_gateway =
        |gateway: &IpAddress| hops.iter().any(|hop| hop.gateway.as_ref() == Some(gateway));
    filter.link.as_ref().is_none_or(on_link) && filter.gateway.as_ref().is_none_or(by_gateway)
}

/// Whether a prefix is a whole address.
pub(crate) fn is_host(prefix: &IpPrefix) -> bool {
    prefix.length == bits(family_of(&prefix.address))
}
