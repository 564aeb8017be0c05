//! Routes as messages: iproute2's defaults, and back.

use std::net::IpAddr;

use netlink_packet_core::{DefaultNla, Emitable, Parseable};
use netlink_packet_route::AddressFamily;
use netlink_packet_route::route::{
    RouteAttribute, RouteFlags, RouteHeader, RouteMessage, RouteNextHop, RouteNextHopFlags,
    RoutePreference, RouteProtocol, RouteRealm, RouteScope, RouteType, RouteVia,
};
use rtnetlink::{RouteMessageBuilder, RouteNextHopBuilder};

use super::opaque::{self, Told};
use super::raw_link::RawLink;
use super::route_metrics;
use super::settings::IndexOf;
use crate::change::{Attribute, Family, NextHop, Prefix, Route, RouteKind};
use crate::kernel::Error;

/// linux/rtnetlink.h
const RTA_METRICS: u16 = 8;
/// USER_HZ, in which the kernel tells how long a route has left
const TICKS: u32 = 100;

/// What a message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Put,
    /// what is left open matches anything, as `ip route delete`
    Remove,
    /// what was put, and nothing else
    RemoveExactly,
}

pub(super) fn family_of(family: Family) -> AddressFamily {
    match family {
        Family::Ipv4 => AddressFamily::Inet,
        Family::Ipv6 => AddressFamily::Inet6,
    }
}

fn type_of(kind: RouteKind) -> RouteType {
    match kind {
        RouteKind::Unicast => RouteType::Unicast,
        RouteKind::Local => RouteType::Local,
        RouteKind::Broadcast => RouteType::Broadcast,
        RouteKind::Anycast => RouteType::Anycast,
        RouteKind::Multicast => RouteType::Multicast,
        RouteKind::Blackhole => RouteType::BlackHole,
        RouteKind::Unreachable => RouteType::Unreachable,
        RouteKind::Prohibit => RouteType::Prohibit,
        RouteKind::Throw => RouteType::Throw,
        RouteKind::Nat => RouteType::Nat,
    }
}

fn kind_of(kind: RouteType) -> Option<RouteKind> {
    Some(match kind {
        RouteType::Unicast => RouteKind::Unicast,
        RouteType::Local => RouteKind::Local,
        RouteType::Broadcast => RouteKind::Broadcast,
        RouteType::Anycast => RouteKind::Anycast,
        RouteType::Multicast => RouteKind::Multicast,
        RouteType::BlackHole => RouteKind::Blackhole,
        RouteType::Unreachable => RouteKind::Unreachable,
        RouteType::Prohibit => RouteKind::Prohibit,
        RouteType::Throw => RouteKind::Throw,
        RouteType::Nat => RouteKind::Nat,
        _ => return None,
    })
}

/// iproute_modify of iproute2.
fn scope(route: &Route, purpose: Purpose) -> RouteScope {
    if let Some(scope) = route.scope {
        return scope.into();
    }
    if route.family == Family::Ipv6 {
        return RouteScope::Universe;
    }
    match route.kind {
        RouteKind::Local | RouteKind::Nat => RouteScope::Host,
        RouteKind::Broadcast | RouteKind::Multicast | RouteKind::Anycast => RouteScope::Link,
        RouteKind::Unicast if purpose == Purpose::Remove => RouteScope::NoWhere,
        RouteKind::Unicast => {
            let several = route.next_hops.len() > 1;
            let gateway = route.next_hops.iter().any(|hop| hop.gateway.is_some());
            if several || gateway { RouteScope::Universe } else { RouteScope::Link }
        }
        RouteKind::Blackhole | RouteKind::Unreachable | RouteKind::Prohibit | RouteKind::Throw
            if purpose == Purpose::Remove =>
        {
            RouteScope::NoWhere
        }
        RouteKind::Blackhole | RouteKind::Unreachable | RouteKind::Prohibit | RouteKind::Throw => {
            RouteScope::Universe
        }
    }
}

fn invalid(error: impl std::fmt::Display) -> Error {
    Error::Invalid(error.to_string())
}

/// The message of a route; `index_of` finds its links.
pub(super) fn message(
    route: &Route,
    purpose: Purpose,
    index_of: IndexOf<'_>,
) -> Result<RouteMessage, Error> {
    let protocol = match (route.protocol, purpose) {
        (Some(protocol), _) => protocol.into(),
        (None, Purpose::Put | Purpose::RemoveExactly) => RouteProtocol::Boot,
        (None, Purpose::Remove) => RouteProtocol::Unspec,
    };
    let by_object = route.metrics.iter().any(|metric| metric.name == "nhid");
    // Without a word for its kind, any is deleted; ip(8) has no way to say "only unicast". To the
    // kernel a route by an object is unicast, whatever a dump calls that of a blackhole.
    let kind = match (route.kind, purpose) {
        (_, Purpose::Remove | Purpose::RemoveExactly) if by_object => RouteType::Unspec,
        (_, Purpose::Put) if by_object => RouteType::Unicast,
        (RouteKind::Unicast, Purpose::Remove) => RouteType::Unspec,
        (kind, _) => type_of(kind),
    };
    let mut builder = RouteMessageBuilder::<IpAddr>::new()
        .table_id(route.table())
        .protocol(protocol)
        .scope(scope(route, purpose))
        .kind(kind);
    builder.get_mut().header.address_family = family_of(route.family);
    if let Some(Prefix { address, length }) = route.destination {
        builder = builder.destination_prefix(address, length).map_err(invalid)?;
    }
    if let Some(Prefix { address, length }) = route.from {
        builder = builder.source_prefix(address, length).map_err(invalid)?;
    }
    if let Some(source) = route.source {
        builder = builder.pref_source(source).map_err(invalid)?;
    }
    if let Some(tos) = route.type_of_service {
        builder = builder.tos(tos);
    }
    if let Some(metric) = route.metric {
        builder = builder.priority(metric);
    }
    // Where it leads is in the object: said as well, it is refused (net/ipv4/fib_frontend.c,
    // rtm_to_fib_config; net/ipv6/route.c, fib6_config_validate).
    let hops = if by_object { &[][..] } else { route.next_hops.as_slice() };
    match hops {
        [] => {}
        [hop] => {
            if let Some(gateway) = hop.gateway {
                builder = builder.gateway(gateway).map_err(invalid)?;
            }
            if let Some(link) = &hop.link {
                builder = builder.output_interface(index_of(link)?);
            }
            if hop.onlink {
                builder = builder.onlink();
            }
        }
        several => {
            let hops: Result<Vec<_>, Error> =
                several.iter().map(|hop| next_hop(route.family, hop, index_of)).collect();
            builder = builder.multipath(hops?);
        }
    }
    let mut message = builder.build();
    let metrics = route_metrics::encode(&route.metrics).map_err(Error::Invalid)?;
    if !metrics.is_empty() {
        message.attributes.push(RouteAttribute::Other(metrics.attribute(RTA_METRICS)));
    }
    for one in &route.metrics {
        message.attributes.extend(elsewhere(one)?);
    }
    message.attributes.extend(opaque::attributes(&route.opaque));
    Ok(message)
}

fn next_hop(family: Family, hop: &NextHop, index_of: IndexOf<'_>) -> Result<RouteNextHop, Error> {
    let weight = u8::try_from(hop.weight.saturating_sub(1))
        .ok()
        .filter(|_| hop.weight > 0)
        .ok_or_else(|| invalid(format_args!("weight is {}; 1 to 256 are allowed", hop.weight)))?;
    let mut builder = RouteNextHopBuilder::new(family_of(family)).weight(weight);
    if let Some(gateway) = hop.gateway {
        builder = builder.via(gateway).map_err(invalid)?;
    }
    if let Some(link) = &hop.link {
        builder = builder.interface(index_of(link)?);
    }
    if hop.onlink {
        builder = builder.onlink();
    }
    let mut built = builder.build();
    built.attributes.extend(opaque::attributes(&hop.opaque));
    Ok(built)
}

/// What ip(8) lists among the metrics but the kernel has attributes of their own for.
fn elsewhere(one: &Attribute) -> Result<Option<RouteAttribute>, Error> {
    let value = one.value.as_str();
    let wrong = || invalid(format_args!("`{}` can't be `{}`", one.name, value.escape_debug()));
    let number = || value.parse::<u32>().map_err(|_| wrong());
    Ok(Some(match one.name.as_str() {
        "pref" => RouteAttribute::Preference(match value {
            "low" => RoutePreference::Low,
            "medium" => RoutePreference::Medium,
            "high" => RoutePreference::High,
            _ => return Err(wrong()),
        }),
        "expires" => RouteAttribute::Expires(number()?),
        "nhid" => RouteAttribute::NhId(number()?),
        "ttl-propagate" => {
            let on = match value {
                "enabled" => 1,
                "disabled" => 0,
                _ => return Err(wrong()),
            };
            RouteAttribute::Other(DefaultNla::new(26, vec![on]))
        }
        "realms" => {
            let (source, destination) = value.split_once('/').unwrap_or(("0", value));
            let parse = |text: &str| text.parse::<u16>().map_err(|_| wrong());
            RouteAttribute::Realm(RouteRealm {
                source: parse(source)?,
                destination: parse(destination)?,
            })
        }
        _ => return Ok(None),
    }))
}

/// A route of a dump; `None` for what is none that ip(8) shows, such as cached ones.
pub(super) fn read(body: &[u8], links: &[RawLink]) -> Option<Route> {
    let told = Told::of(body)?;
    let message = RouteMessage::parse(&told.known).ok()?;
    if message.header.flags.contains(RouteFlags::Cloned) {
        return None;
    }
    read_known(message, links).map(|route| told.complete(route))
}

/// The same, cached or not: what a lookup answers.
pub(super) fn read_any(body: &[u8], links: &[RawLink]) -> Option<Route> {
    let told = Told::of(body)?;
    let message = RouteMessage::parse(&told.known).ok()?;
    read_known(message, links).map(|route| told.complete(route))
}

fn read_known(message: RouteMessage, links: &[RawLink]) -> Option<Route> {
    let header = message.header;
    let mut route = empty(&header)?;
    let mut single = hop(None, None, header.flags.contains(RouteFlags::Onlink));
    let mut several = Vec::new();
    for attribute in message.attributes {
        match attribute {
            RouteAttribute::Destination(found) => {
                let address = address(&found)?;
                route.destination =
                    Some(Prefix { address, length: header.destination_prefix_length });
            }
            RouteAttribute::Source(found) => {
                let length = header.source_prefix_length;
                route.from = Some(Prefix { address: address(&found)?, length });
            }
            RouteAttribute::PrefSource(found) => route.source = address(&found),
            RouteAttribute::Gateway(found) => single.gateway = address(&found),
            RouteAttribute::Via(via) => single.gateway = via_address(&via),
            RouteAttribute::Oif(index) => single.link = Some(name_of(index, links)),
            RouteAttribute::Priority(metric) => route.metric = Some(metric),
            RouteAttribute::Table(table) => route.table = Some(table),
            RouteAttribute::MultiPath(hops) => {
                several = hops.iter().map(|hop| read_hop(hop, links)).collect();
            }
            RouteAttribute::Metrics(metrics) => {
                let all = metrics.as_slice();
                let mut bytes = vec![0; all.buffer_len()];
                all.emit(&mut bytes);
                route.metrics.extend(route_metrics::read(&bytes));
            }
            other => route.metrics.extend(read_elsewhere(&other)),
        }
    }
    if !several.is_empty() {
        route.next_hops = several;
    } else if single.gateway.is_some() || single.link.is_some() {
        route.next_hops = vec![single];
    }
    Some(route)
}

fn empty(header: &RouteHeader) -> Option<Route> {
    let family = match header.address_family {
        AddressFamily::Inet => Family::Ipv4,
        AddressFamily::Inet6 => Family::Ipv6,
        _ => return None,
    };
    Some(Route {
        family,
        kind: kind_of(header.kind)?,
        destination: None,
        next_hops: Vec::new(),
        table: Some(u32::from(header.table)),
        metric: None,
        protocol: Some(u8::from(header.protocol)),
        scope: Some(u8::from(header.scope)),
        source: None,
        from: None,
        type_of_service: Some(header.tos).filter(|tos| *tos != 0),
        metrics: Vec::new(),
        opaque: Vec::new(),
    })
}

fn hop(gateway: Option<IpAddr>, link: Option<String>, onlink: bool) -> NextHop {
    NextHop { gateway, link, weight: 1, onlink, opaque: Vec::new() }
}

fn name_of(index: u32, links: &[RawLink]) -> String {
    let found = links.iter().find(|link| link.index == index);
    found.map_or_else(|| format!("if{index}"), |link| link.name.clone())
}

fn read_hop(raw: &RouteNextHop, links: &[RawLink]) -> NextHop {
    let onlink = raw.flags.contains(RouteNextHopFlags::Onlink);
    let mut read = hop(None, Some(name_of(raw.interface_index, links)), onlink);
    read.weight = u16::from(raw.hops) + 1;
    for attribute in &raw.attributes {
        match attribute {
            RouteAttribute::Gateway(found) => read.gateway = address(found),
            RouteAttribute::Via(via) => read.gateway = via_address(via),
            _ => {}
        }
    }
    read
}

fn address(found: &netlink_packet_route::route::RouteAddress) -> Option<IpAddr> {
    use netlink_packet_route::route::RouteAddress;
    match found {
        RouteAddress::Inet(four) => Some(IpAddr::V4(*four)),
        RouteAddress::Inet6(six) => Some(IpAddr::V6(*six)),
        _ => None,
    }
}

fn via_address(via: &RouteVia) -> Option<IpAddr> {
    match via {
        RouteVia::Inet(four) => Some(IpAddr::V4(*four)),
        RouteVia::Inet6(six) => Some(IpAddr::V6(*six)),
        _ => None,
    }
}

fn read_elsewhere(attribute: &RouteAttribute) -> Option<Attribute> {
    let (name, value) = match attribute {
        RouteAttribute::Preference(RoutePreference::Low) => ("pref", "low".to_owned()),
        RouteAttribute::Preference(RoutePreference::High) => ("pref", "high".to_owned()),
        RouteAttribute::CacheInfo(info) if info.expires != 0 => {
            ("expires", (info.expires / TICKS).max(1).to_string())
        }
        RouteAttribute::NhId(id) => ("nhid", id.to_string()),
        RouteAttribute::Realm(realm) => {
            ("realms", format!("{}/{}", realm.source, realm.destination))
        }
        _ => return None,
    };
    Some(Attribute { name: name.to_owned(), value })
}

/// Whether two are the same route, however long they have left.
pub(super) fn same(one: &Route, other: &Route) -> bool {
    let lasting = |route: &Route| {
        let kept = route.metrics.iter().filter(|metric| metric.name != "expires");
        kept.cloned().collect::<Vec<_>>()
    };
    let bare = |route: &Route| Route { metrics: Vec::new(), ..route.clone() };
    bare(one) == bare(other) && lasting(one) == lasting(other)
}
