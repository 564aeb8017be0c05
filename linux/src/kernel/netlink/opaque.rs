//! What a route is told with that netwright has no words for, such as what its packets are put into
//! (RTA_ENCAP): kept as it was told, and said again when the route is put back.

use netlink_packet_core::DefaultNla;
use netlink_packet_route::route::RouteAttribute;

use super::attributes::{self, Nest, u16_of};
use crate::change::{Opaque, Route};

/// struct rtmsg, struct rtnexthop
const HEADER: usize = 12;
const HOP: usize = 8;
/// linux/rtnetlink.h
const RTA_MULTIPATH: u16 = 9;
const RTA_NEWDST: u16 = 19;
const RTA_ENCAP_TYPE: u16 = 21;
const RTA_ENCAP: u16 = 22;
const RTA_TTL_PROPAGATE: u16 = 26;
/// Those behind it netwright doesn't know.
const RTA_LAST: u16 = 31;

/// A message of a route in two parts.
pub(super) struct Told {
    /// what there are words for
    pub(super) known: Vec<u8>,
    opaque: Vec<Opaque>,
    of_hops: Vec<Vec<Opaque>>,
}

impl Told {
    /// `None` for what is no message of a route.
    pub(super) fn of(body: &[u8]) -> Option<Self> {
        let (header, rest) = body.split_at_checked(HEADER)?;
        let mut known = header.to_vec();
        let mut of_hops = Vec::new();
        let (attributes, opaque) = parts(rest, &mut |kind, value| match kind {
            RTA_MULTIPATH => {
                let (hops, found) = hops(value);
                of_hops = found;
                hops
            }
            _ => value.to_vec(),
        });
        known.extend(attributes);
        Some(Self { known, opaque, of_hops })
    }

    /// The route that was read from the first part, with the other one.
    pub(super) fn complete(self, mut route: Route) -> Route {
        route.opaque = self.opaque;
        for (hop, opaque) in route.next_hops.iter_mut().zip(self.of_hops) {
            hop.opaque = opaque;
        }
        route
    }
}

/// As they were told.
pub(super) fn attributes(opaque: &[Opaque]) -> impl Iterator<Item = RouteAttribute> {
    opaque.iter().map(|one| RouteAttribute::Other(DefaultNla::new(one.kind, one.value.clone())))
}

fn is_opaque(kind: u16) -> bool {
    matches!(kind, RTA_NEWDST | RTA_ENCAP_TYPE | RTA_ENCAP | RTA_TTL_PROPAGATE) || kind > RTA_LAST
}

/// Attributes in two parts; `known` may alter those of the first.
fn parts(bytes: &[u8], known: &mut dyn FnMut(u16, &[u8]) -> Vec<u8>) -> (Vec<u8>, Vec<Opaque>) {
    let (mut first, mut opaque) = (Nest::new(), Vec::new());
    for (kind, value) in attributes::read(bytes) {
        match is_opaque(kind) {
            true => opaque.push(Opaque { kind, value: value.to_vec() }),
            false => first.put(kind, known(kind, value)),
        }
    }
    (first.bytes(), opaque)
}

/// The ways of a route that has several.
fn hops(mut bytes: &[u8]) -> (Vec<u8>, Vec<Vec<Opaque>>) {
    let (mut known, mut opaque) = (Vec::new(), Vec::new());
    while let Some(hop) = first_hop(bytes) {
        let (attributes, of_hop) = parts(&hop[HOP..], &mut |_, value| value.to_vec());
        let length = u16::try_from(HOP + attributes.len()).unwrap_or(u16::MAX);
        known.extend(length.to_ne_bytes());
        known.extend(&hop[2..HOP]);
        known.extend(attributes);
        opaque.push(of_hop);
        bytes = bytes.get(hop.len().next_multiple_of(4)..).unwrap_or_default();
    }
    (known, opaque)
}

fn first_hop(bytes: &[u8]) -> Option<&[u8]> {
    let length = usize::from(u16_of(bytes)?);
    if length < HOP { None } else { bytes.get(..length) }
}
