//! Ways: how the kernel would send to a station, and the entries of tables that it would send by.

use std::net::IpAddr;

use netlink_packet_core::DefaultNla;
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::route::{RouteAttribute, RouteFlags, RouteMessage};

use super::Netlink;
use super::explain::explain;
use super::raw_link::RawLink;
use super::route_message::{family_of, read_any};
use super::socket::Failure;
use super::space::Space;
use super::{address, rule};
use crate::change::{Answer, Family, NamespaceRef, Route, Rule};
use crate::kernel::Error;

/// linux/rtnetlink.h
const RTA_UID: u16 = 25;
const IPPROTO_TCP: u8 = 6;

/// All that a packet can have without the two bits of ECN, which no route is for (RFC 2474, 3168).
/// Programs set it as they like: ssh(1) has 0x48 for a terminal and 0x20 for the rest.
const TYPES_OF_SERVICE: [u8; 64] = {
    let mut all = [0; 64];
    let mut class = 0;
    while class < 64 {
        all[class as usize] = class << 2;
        class += 1;
    }
    all
};

impl Netlink {
    /// As `ip route get`.
    pub(super) fn lookup(
        &self,
        namespace: &NamespaceRef,
        destination: IpAddr,
        source: Option<IpAddr>,
    ) -> Result<Answer, Error> {
        let space = self.spaces.find(namespace)?;
        let operation = format!("route get {destination}");
        let request = get_request(destination, source, RouteFlags::LookupTable);
        let links = space.links().map_err(|failure| explain(failure, &"link show"))?;
        let route = answered(&space, request, &links);
        let route = route.map_err(|failure| explain(failure, &operation))?;
        Ok(Answer::Routes(route.into_iter().collect()))
    }

    /// The entries of tables by which the machine sends from one address to another, as the rules
    /// have them looked up, one of each that some packets take: `ip route get fibmatch tos 0x10`
    /// and so on, and those that rules choose by ports, marks and users. IPv6 has no routes for a
    /// type of service.
    pub(super) fn ways_of(
        &self,
        space: &Space,
        from: IpAddr,
        to: IpAddr,
    ) -> Result<Vec<Route>, Error> {
        let links = space.links().map_err(|failure| explain(failure, &"link show"))?;
        let held = address::list(space, &links, None)
            .map_err(|failure| explain(failure, &"address show"))?;
        // Who is spoken to inside a VRF is answered inside it.
        let holder = held.iter().find(|(_, info)| info.address.prefix.address == from);
        let master = holder.and_then(|(index, _)| links.iter().find(|link| link.index == *index));
        let master = master.and_then(RawLink::master);
        let vrf = links.iter().find(|link| Some(link.index) == master && link.kind() == "vrf");
        let flags = RouteFlags::LookupTable | RouteFlags::FibMatch;
        let services: &[u8] = if to.is_ipv4() { &TYPES_OF_SERVICE } else { &[0] };
        let packets = services.iter().map(|service| (*service, Vec::new()));
        let chosen = self.rules(space, Family::of(to))?.into_iter().map(chosen_by);
        let mut ways: Vec<Route> = Vec::new();
        for (service, attributes) in packets.chain(chosen.filter(|(_, by)| !by.is_empty())) {
            // An address that is no longer the machine's is no source.
            for source in [Some(from).filter(|_| holder.is_some()), None] {
                let mut request = get_request(to, source, flags);
                request.header.tos = service;
                request.attributes.extend(attributes.clone());
                request.attributes.extend(vrf.map(|vrf| RouteAttribute::Oif(vrf.index)));
                match answered(space, request, &links) {
                    Ok(route) => ways.extend(route.filter(|way| !ways.contains(way))),
                    Err(Failure::Refused(_)) if source.is_some() => continue,
                    Err(Failure::Refused(_)) => {}
                    Err(failure) => return Err(explain(failure, &format!("route get {to}"))),
                }
                break;
            }
        }
        Ok(ways)
    }
}

/// A packet that a rule takes for what it is, besides where it goes: its type of service and the rest.
fn chosen_by(rule: Rule) -> (u8, Vec<RouteAttribute>) {
    let option = |name: &str| {
        let found = rule.options.iter().find(|option| option.name == name)?;
        Some(found.value.as_str())
    };
    // Of a range any will do.
    let lowest = |name: &str| option(name)?.split('-').next()?.parse::<u32>().ok();
    let port = |name: &str| lowest(name).and_then(|port| u16::try_from(port).ok());
    let mut by = Vec::new();
    by.extend(rule.mark.map(|(mark, _)| RouteAttribute::Mark(mark)));
    by.extend(
        lowest("uidrange").map(|user| {
            RouteAttribute::Other(DefaultNla::new(RTA_UID, user.to_ne_bytes().to_vec()))
        }),
    );
    by.extend(port("sport").map(RouteAttribute::Sport));
    by.extend(port("dport").map(RouteAttribute::Dport));
    let ports = port("sport").or(port("dport")).is_some();
    let protocol = option("ipproto").and_then(rule::protocol_number);
    by.extend(protocol.or(ports.then_some(IPPROTO_TCP)).map(RouteAttribute::IpProto));
    (rule.type_of_service.unwrap_or_default(), by)
}

fn get_request(to: IpAddr, source: Option<IpAddr>, flags: RouteFlags) -> RouteMessage {
    let mut request = RouteMessage::default();
    let bits = if to.is_ipv4() { 32 } else { 128 };
    let family = Family::of(to);
    request.header.address_family = family_of(family);
    request.header.destination_prefix_length = bits;
    // IPv6 tells the table unasked, and refuses to be asked (inet6_rtm_valid_getroute_req).
    let refused = if to.is_ipv4() { RouteFlags::empty() } else { RouteFlags::LookupTable };
    request.header.flags = flags - refused;
    request.attributes.push(RouteAttribute::Destination(to.into()));
    if let Some(source) = source {
        request.header.source_prefix_length = bits;
        request.attributes.push(RouteAttribute::Source(source.into()));
    }
    request
}

fn answered(
    space: &Space,
    request: RouteMessage,
    links: &[RawLink],
) -> Result<Option<Route>, Failure> {
    let (_, body) = space.get(&RouteNetlinkMessage::GetRoute(request))?;
    Ok(read_any(&body, links))
}
