//! Addresses, routes and neighbours against the links that they speak of.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr};

use netwright_network::change::TABLE_MAIN;
use netwright_sdk::wit::netwright::host::routes::RouteKind;

use super::Names;
use crate::fault::Place;
use crate::model::{Hop, Route, Topology, shown};
use crate::read::Reader;
use crate::values::Prefix;

pub(super) fn check(topology: &Topology, names: &Names<'_>, reader: &mut Reader) {
    addresses(topology, names, reader);
    for ((namespace, link), _, place) in &topology.neighbours {
        let key = (namespace.clone(), link.clone());
        names.need_link(&key, "link", &place.step("link"), reader);
    }
    let networks = networks(topology);
    for route in &topology.routes {
        for hop in &route.hops {
            if let Some((link, place)) = &hop.link {
                let key = (route.namespace.clone(), link.clone());
                names.need_link(&key, "link", place, reader);
            }
            gateway(route, hop, &networks, topology, reader);
        }
    }
    twice(topology, reader);
}

fn addresses(topology: &Topology, names: &Names<'_>, reader: &mut Reader) {
    let mut seen: BTreeMap<_, &Place> = BTreeMap::new();
    for address in &topology.addresses {
        if let Some(place) = &address.link_place {
            names.need_link(&address.link, "link", place, reader);
        }
        // net/ipv4/devinet.c, __inet_insert_ifa: same local address and mask. IPv6 minds no mask.
        let Prefix { address: own, length } = address.prefix;
        let length = if own.is_ipv4() { length } else { 0 };
        if let Some(first) = seen.get(&(&address.link, own, length)) {
            let message = format!("link {} has {own} from {}", shown(&address.link), first.item());
            reader.fault(&address.place, message);
            continue;
        }
        seen.insert((&address.link, own, length), &address.place);
    }
}

/// What is directly reachable in each namespace: networks of addresses, and routes to a link.
fn networks(topology: &Topology) -> BTreeMap<&str, Vec<Prefix>> {
    let mut networks: BTreeMap<&str, Vec<Prefix>> = BTreeMap::new();
    for address in &topology.addresses {
        let reached = address.peer.unwrap_or(address.prefix);
        networks.entry(&address.link.0).or_default().push(reached);
    }
    for route in &topology.routes {
        if route.hops.iter().any(|hop| hop.gateway.is_none()) {
            networks.entry(&route.namespace).or_default().extend(route.destination);
        }
    }
    networks
}

/// net/ipv4/fib_semantics.c, fib_check_nh: a gateway must be on a link.
fn gateway(
    route: &Route,
    hop: &Hop,
    networks: &BTreeMap<&str, Vec<Prefix>>,
    topology: &Topology,
    reader: &mut Reader,
) {
    let Some((address, place)) = &hop.gateway else { return };
    if matches!(address, IpAddr::V6(six) if is_link_local(six)) {
        if hop.link.is_none() {
            reader
                .fault(place, format!("gateway {address} is link-local; the route needs a `link`"));
        }
        return;
    }
    let namespace = route.namespace.as_str();
    let own = topology.namespaces.iter().any(|(name, _)| name == namespace);
    let near = networks.get(namespace).map(Vec::as_slice).unwrap_or_default();
    // Other addresses may be in a namespace that is there before, and the root always is.
    if hop.onlink || !own || near.iter().any(|network| network.contains(*address)) {
        return;
    }
    let words: BTreeSet<_> = near
        .iter()
        .filter(|network| network.address.is_ipv4() == address.is_ipv4())
        .map(|network| network.network().to_string())
        .collect();
    let words: Vec<_> = words.into_iter().collect();
    let help = if words.is_empty() {
        format!("no link of `{namespace}` has an address")
    } else {
        format!("`{namespace}` reaches {} directly", words.join(", "))
    };
    let message = format!("gateway {address} is in no network of `{namespace}`");
    reader.fault_with(place, message, Some(help));
}

/// fe80::/10, RFC 4291.
fn is_link_local(address: &Ipv6Addr) -> bool {
    address.segments()[0] & 0xffc0 == 0xfe80
}

/// Two routes with the same destination, table and metric: the kernel says EEXIST.
fn twice(topology: &Topology, reader: &mut Reader) {
    let mut seen: BTreeMap<_, &Route> = BTreeMap::new();
    for route in &topology.routes {
        let destination = route.destination.map(|prefix| (prefix.address, prefix.length));
        let default_table = if route.route.kind == RouteKind::Local { 255 } else { TABLE_MAIN };
        let key = (
            route.namespace.as_str(),
            route.route.family as u8,
            destination,
            route.route.table.unwrap_or(default_table),
            route.route.metric.unwrap_or(0),
        );
        if let Some(first) = seen.get(&key) {
            let message = format!(
                "route {} has the same destination and metric as {}, route {}",
                words(route),
                first.place.item(),
                words(first)
            );
            let help = "give one of them another `metric`, the lower one wins".to_owned();
            reader.fault_with(&route.place, message, Some(help));
            continue;
        }
        seen.insert(key, route);
    }
}

/// As ip-route(8) shows it.
fn words(route: &Route) -> String {
    let destination = route.destination.map_or("default".to_owned(), |prefix| prefix.to_string());
    let hop = route.hops.first();
    let gateway = hop.and_then(|hop| hop.gateway.as_ref());
    let link = hop.and_then(|hop| hop.link.as_ref());
    let gateway = gateway.map_or(String::new(), |(address, _)| format!(" via {address}"));
    let link = link.map_or(String::new(), |(name, _)| format!(" dev {name}"));
    format!("`{destination}{gateway}{link}`")
}
