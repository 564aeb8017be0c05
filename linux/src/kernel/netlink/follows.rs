//! Routes that follow from addresses: what the kernel makes of one by itself, and makes anew whenever
//! the address comes back or its link goes up. Who put a route, its protocol doesn't tell: programs
//! put routes of protocol `kernel`, too (NetworkManager, dhcpcd), and ip(8) alters the kernel's.

use std::net::IpAddr;

use super::address::Held;
use super::raw_link::{IFF_LOOPBACK, IFF_UP, RawLink};
use crate::change::{Address, Family, NextHop, PROTOCOL_KERNEL, Prefix, Route, RouteKind};

/// What the kernel gives the connected routes of IPv6 (IP6_RT_PRIO_ADDRCONF).
const IPV6_CONNECTED_METRIC: u32 = 256;
/// fe80::/10, of which each link has the first 64 bits' network
const LINK_LOCAL: u16 = 0xfe80;

/// Whether a route is what the kernel makes of one of the addresses that are there.
pub(super) fn follows(route: &Route, held: &[Held]) -> bool {
    if route.protocol != Some(PROTOCOL_KERNEL) {
        return false;
    }
    let [hop] = route.next_hops.as_slice() else { return route.family == Family::Ipv6 };
    let here = |one: &&Held| hop.link.as_deref() == Some(one.1.link.as_str());
    let mut held = held.iter().filter(here).map(|(_, info)| info);
    match route.kind {
        RouteKind::Unicast if is_learned(route) => true,
        RouteKind::Unicast => {
            hop.gateway.is_none()
                && is_bare(route)
                && (is_of_the_link(route)
                    || held.any(|info| {
                        !info.address.flags.noprefixroute && connects(&info.address, route)
                    }))
        }
        RouteKind::Local | RouteKind::Broadcast => {
            is_bare(route)
                && held.any(|info| {
                    let address = &info.address;
                    let to = route.destination;
                    let network = connected(address);
                    to == whole(address.prefix.address)
                    || to == address.broadcast.and_then(whole)
                    || ends(network).contains(&to)
                    // 127.0.0.0/8 of `lo`
                    || to == Some(network)
                })
        }
        // Of what is joined on a link with IPv6.
        RouteKind::Anycast | RouteKind::Multicast => true,
        RouteKind::Blackhole
        | RouteKind::Unreachable
        | RouteKind::Prohibit
        | RouteKind::Throw
        | RouteKind::Nat => false,
    }
}

/// The connected routes that the kernel would have made of addresses on a link, and that somebody
/// deleted: they are there again once the kernel makes them anew.
pub(super) fn deleted(link: &RawLink, held: &[Held], routes: &[Route]) -> Vec<Route> {
    if !link.has(IFF_UP) || link.has(IFF_LOOPBACK) || link.master().is_some() {
        return Vec::new();
    }
    let here = held.iter().filter(|(index, _)| *index == link.index).map(|(_, info)| info);
    let makes = |address: &Address| {
        let whole = if address.prefix.address.is_ipv4() { 32 } else { 128 };
        !address.flags.noprefixroute && connected(address).length < whole
    };
    // A router says itself which networks are on the link.
    let six = |address: &Address| address.prefix.address.is_ipv6();
    let lasting = here.filter(|info| !(info.secondary || info.dynamic && six(&info.address)));
    let made = lasting.filter(|info| makes(&info.address)).map(|info| (info, &info.address));
    let gone = made.filter(|(info, address)| {
        !routes.iter().any(|route| {
            route.kind == RouteKind::Unicast
                && route.destination == Some(connected(address))
                && route.leads_by(&info.link)
                && route.next_hops.iter().all(|hop| hop.gateway.is_none())
                && metric(address) == route.metric.unwrap_or(0)
        })
    });
    gone.map(|(info, address)| route_of(&info.link, address)).collect()
}

/// The connected route of an address, in the main table.
fn route_of(link: &str, address: &Address) -> Route {
    let family = Family::of(address.prefix.address);
    let four = family == Family::Ipv4;
    Route {
        family,
        kind: RouteKind::Unicast,
        destination: Some(connected(address)),
        next_hops: vec![NextHop {
            gateway: None,
            link: Some(link.to_owned()),
            weight: 1,
            onlink: false,
            opaque: Vec::new(),
        }],
        table: None,
        metric: Some(metric(address)).filter(|metric| *metric != 0),
        protocol: Some(PROTOCOL_KERNEL),
        scope: Some(if four { libc::RT_SCOPE_LINK } else { 0 }),
        source: four.then_some(address.prefix.address),
        from: None,
        type_of_service: None,
        metrics: Vec::new(),
        opaque: Vec::new(),
    }
}

/// The network that an address is connected to.
pub(super) fn connected(address: &Address) -> Prefix {
    address.peer.unwrap_or(address.prefix).network()
}

/// The metric of an address' connected route.
pub(super) fn metric(address: &Address) -> u32 {
    let default = if address.prefix.address.is_ipv4() { 0 } else { IPV6_CONNECTED_METRIC };
    address.metric.filter(|metric| *metric != 0).unwrap_or(default)
}

/// Whether nothing was given to a route that the kernel gives none of its own.
pub(super) fn is_bare(route: &Route) -> bool {
    route.metrics.is_empty() && route.opaque.is_empty() && route.type_of_service.is_none()
}

/// Whether a connected route is an address', by its network and metric.
pub(super) fn connects(address: &Address, route: &Route) -> bool {
    let own = address.prefix.address;
    // The network of the own address is one, too, where it has a peer.
    let length = connected(address).length;
    let networks = [connected(address), Prefix { address: own, length }.network()];
    let peer = address.peer.and_then(|peer| whole(peer.address));
    let to = route.destination.is_some_and(|to| networks.contains(&to) || Some(to) == peer);
    let source = if own.is_ipv4() { route.source == Some(own) } else { route.source.is_none() };
    to && source && route.metric.unwrap_or(0) == metric(address)
}

/// What a router said to be on the link (RFC 4861, section 6.3.4).
fn is_learned(route: &Route) -> bool {
    route.family == Family::Ipv6 && route.metrics.iter().any(|metric| metric.name == "expires")
}

/// fe80::/64, which a link has with its IPv6.
fn is_of_the_link(route: &Route) -> bool {
    matches!(route.destination, Some(Prefix { address: IpAddr::V6(six), length: 64 })
        if six.segments() == [LINK_LOCAL, 0, 0, 0, 0, 0, 0, 0])
        && route.metric == Some(IPV6_CONNECTED_METRIC)
}

fn whole(address: IpAddr) -> Option<Prefix> {
    Some(Prefix { address, length: if address.is_ipv4() { 32 } else { 128 } })
}

/// The first and the last address of a network.
fn ends(network: Prefix) -> [Option<Prefix>; 2] {
    let net = ipnet::IpNet::new(network.address, network.length).ok();
    [net.map(|net| net.network()), net.map(|net| net.broadcast())].map(|one| one.and_then(whole))
}
