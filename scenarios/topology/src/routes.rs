//! Reads addresses that stand beside the links, and routes.

use std::net::IpAddr;

use netwright_sdk::wit::netwright::host::routes::{NextHop, Route as WitRoute, RouteKind};
use netwright_sdk::wit::netwright::host::types::Family;

use crate::fault::Place;
use crate::links::{address, namespace};
use crate::model::{Hop, Route, Topology};
use crate::read::{At, Fields, Reader};
use crate::values::{self, Prefix};

/// The `addresses` parameter.
pub fn addresses(at: &At<'_>, topology: &mut Topology, reader: &mut Reader) {
    for item in reader.list(at) {
        let Some(mut fields) = reader.fields(&item, "an address") else { continue };
        let namespace = namespace(&mut fields, reader).unwrap_or_default();
        let link = link_name(&mut fields, reader, true);
        let (name, place) = link.unzip();
        let key = (namespace, name.unwrap_or_default());
        let address = address(&mut fields, key, reader);
        reader.close(fields);
        if let Some(mut address) = address.filter(|address| !address.link.1.is_empty()) {
            address.link_place = place;
            topology.addresses.push(address);
        }
    }
}

/// The `link` key.
pub(crate) fn link_name(
    fields: &mut Fields<'_>,
    reader: &mut Reader,
    needed: bool,
) -> Option<(String, Place)> {
    let at = if needed { fields.need(reader, "link") } else { fields.get("link") }?;
    reader.parsed(&at, values::name).map(|name| (name, at.place))
}

const KINDS: &[(&str, RouteKind)] = &[
    ("unicast", RouteKind::Unicast),
    ("local", RouteKind::Local),
    ("blackhole", RouteKind::Blackhole),
    ("unreachable", RouteKind::Unreachable),
    ("prohibit", RouteKind::Prohibit),
    ("throw", RouteKind::Throw),
];

/// The `routes` parameter.
pub fn routes(at: &At<'_>, topology: &mut Topology, reader: &mut Reader) {
    for item in reader.list(at) {
        let Some(mut fields) = reader.fields(&item, "a route") else { continue };
        let route = route(&mut fields, &item.place, reader);
        reader.close(fields);
        topology.routes.extend(route);
    }
}

fn route(fields: &mut Fields<'_>, place: &Place, reader: &mut Reader) -> Option<Route> {
    let namespace = namespace(fields, reader).unwrap_or_default();
    let destination = fields.need(reader, "destination");
    let destination = destination.and_then(|at| reader.parsed(&at, values::destination));
    let kind = fields.get("kind").map(|at| reader.word(&at, "route kind", KINDS));
    let kind = kind.unwrap_or(Some(RouteKind::Unicast));
    let hops = hops(fields, kind, place, reader);
    let mut number = |key, most| fields.get(key).and_then(|at| reader.number(&at, 0, most));
    let (metric, table) = (number("metric", u32::MAX), number("table", u32::MAX));
    let (scope, protocol) = (number("scope", 255), number("protocol", 255));
    let source_at = fields.get("source");
    let source = source_at.as_ref().and_then(|at| reader.parsed(at, values::address));
    let (destination, kind, hops) = (destination?, kind?, hops?);
    let gateway = hops.iter().find_map(|hop| hop.hop.gateway.as_ref().map(|(address, _)| *address));
    let address = destination.map(|prefix| prefix.address).or(gateway).or(source);
    let family = address.map_or(Family::Ipv4, values::family);
    agree(&destination, &hops, reader);
    if let (Some(at), Some(source)) = (source_at, source)
        && values::family(source) != family
    {
        reader.fault(&at.place, format!("source {source} is of another family than the route"));
    }
    let byte = |number: Option<u32>| number.and_then(|number| u8::try_from(number).ok());
    let next_hops = hops.iter().map(ReadHop::to_wit).collect();
    let route = WitRoute {
        family,
        kind,
        destination: destination.map(values::prefix_to_wit),
        next_hops,
        table,
        metric,
        protocol: byte(protocol),
        scope: byte(scope),
        source: source.map(values::to_wit),
        from: None,
        type_of_service: None,
        metrics: Vec::new(),
    };
    let hops = hops.into_iter().map(|hop| hop.hop).collect();
    Some(Route { namespace, destination, route, place: place.clone(), hops })
}

struct ReadHop {
    hop: Hop,
    weight: u16,
}

impl ReadHop {
    fn to_wit(&self) -> NextHop {
        NextHop {
            gateway: self.hop.gateway.as_ref().map(|(address, _)| values::to_wit(*address)),
            link: self.hop.link.as_ref().map(|(name, _)| name.clone()),
            weight: self.weight,
            onlink: self.hop.onlink,
        }
    }
}

/// One next hop beside the route's other keys, or several under `next-hops`.
fn hops(
    fields: &mut Fields<'_>,
    kind: Option<RouteKind>,
    place: &Place,
    reader: &mut Reader,
) -> Option<Vec<ReadHop>> {
    let several = fields.get("next-hops");
    let beside = fields.given(&["gateway", "link", "onlink"]);
    let alone = hop(fields, reader);
    let Some(at) = several else {
        let bare = matches!(
            kind,
            Some(
                RouteKind::Blackhole
                    | RouteKind::Unreachable
                    | RouteKind::Prohibit
                    | RouteKind::Throw
            )
        );
        if let (true, Some((key, place))) = (bare, beside.first()) {
            reader.fault(place, format!("a route of this kind leads nowhere; it has no `{key}`"));
            return None;
        }
        let alone = alone?;
        let empty = alone.hop.gateway.is_none() && alone.hop.link.is_none();
        if empty && !bare && beside.is_empty() {
            let help = "a `gateway`, a `link`, or a `kind` such as blackhole".to_owned();
            reader.fault_with(place, "the route leads nowhere", Some(help));
            return None;
        }
        return Some(if empty { Vec::new() } else { vec![alone] });
    };
    for (key, place) in beside {
        reader.fault(&place, format!("with `next-hops` each hop has its own `{key}`"));
    }
    let mut hops = Vec::new();
    for item in reader.list(&at) {
        let Some(mut fields) = reader.fields(&item, "a next hop") else { continue };
        let weight = fields.get("weight").map_or(Some(1), |at| reader.number(&at, 1, 256));
        let one = hop(&mut fields, reader);
        reader.close(fields);
        let weight = weight.and_then(|weight| u16::try_from(weight).ok()).unwrap_or(1);
        hops.extend(one.map(|one| ReadHop { weight, ..one }));
    }
    if hops.is_empty() {
        reader.fault(&at.place, "`next-hops` holds no hop");
    }
    Some(hops)
}

fn hop(fields: &mut Fields<'_>, reader: &mut Reader) -> Option<ReadHop> {
    let at = fields.get("gateway");
    let gateway = at.as_ref().map(|at| reader.parsed(at, values::address));
    let link = link_name(fields, reader, false);
    let onlink_at = fields.get("onlink");
    let onlink = onlink_at.as_ref().and_then(|at| reader.boolean(at)).unwrap_or(false);
    if let (Some(at), true, None) = (onlink_at, onlink, &link) {
        reader.fault(&at.place, "`onlink` needs the `link` that the gateway is on");
    }
    let gateway = match (gateway, at) {
        (Some(address), Some(at)) => Some((address?, at.place)),
        (Some(_), None) | (None, Some(_)) | (None, None) => None,
    };
    Some(ReadHop { hop: Hop { gateway, link, onlink }, weight: 1 })
}

/// Gateways are of the destination's family, and of one family together.
fn agree(destination: &Option<Prefix>, hops: &[ReadHop], reader: &mut Reader) {
    let gateways = hops.iter().filter_map(|hop| hop.hop.gateway.as_ref());
    let mut first: Option<IpAddr> = destination.map(|prefix| prefix.address);
    for (gateway, place) in gateways {
        let wanted = *first.get_or_insert(*gateway);
        if gateway.is_ipv4() != wanted.is_ipv4() {
            let (other, own) = (values::family_word(*gateway), values::family_word(wanted));
            reader.fault(place, format!("gateway {gateway} is {other}, the route is {own}"));
        }
    }
}
