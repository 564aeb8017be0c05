//! The VLANs of a bridge's ports: IFLA_BRIDGE_VLAN_INFO, net/bridge/br_netlink.c and br_vlan.c.

use std::sync::Arc;

use netlink_packet_route::link::{LinkAttribute, LinkMessage};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

use super::Netlink;
use super::attributes::{Nest, find, read, u16_of, u32_of};
use super::explain::{explain, explain_with};
use super::find::on_link;
use super::raw_link::RawLink;
use super::socket::{Body, Failure, Refusal, Request};
use super::space::Space;
use crate::change::{Applied, Change, LinkRef, Made, NamespaceRef, PortVlan, Undo};
use crate::kernel::Error;

/// linux/if_link.h, linux/if_bridge.h
const IFLA_AF_SPEC: u16 = 26;
const IFLA_EXT_MASK: u16 = 29;
const RTEXT_FILTER_BRVLAN_COMPRESSED: u32 = 1 << 2;
const IFLA_BRIDGE_FLAGS: u16 = 0;
const IFLA_BRIDGE_VLAN_INFO: u16 = 2;
const IFLA_BRIDGE_VLAN_TUNNEL_INFO: u16 = 3;
const BRIDGE_FLAGS_SELF: u16 = 2;
const PVID: u16 = 1 << 1;
const UNTAGGED: u16 = 1 << 2;
const RANGE_BEGIN: u16 = 1 << 3;
const RANGE_END: u16 = 1 << 4;
/// struct ifinfomsg
const HEADER_LENGTH: usize = 16;
/// VLAN_VID_MASK less what IEEE 802.1Q reserves
const LAST_ID: u16 = 4094;

impl Netlink {
    pub(super) fn put_vlan(
        &mut self,
        change: &Change,
        link: &LinkRef,
        vlan: PortVlan,
    ) -> Result<Applied, Error> {
        check(&[vlan])?;
        self.alter_vlans(change, link, |_| vec![(true, vlan)])
    }

    pub(super) fn remove_vlan(
        &mut self,
        change: &Change,
        link: &LinkRef,
        first: u16,
        last: u16,
    ) -> Result<Applied, Error> {
        check_range(first, last)?;
        let gone = PortVlan { first, last, pvid: false, untagged: false };
        self.alter_vlans(change, link, |_| vec![(false, gone)])
    }

    pub(super) fn set_vlans(
        &mut self,
        change: &Change,
        link: &LinkRef,
        vlans: &[PortVlan],
    ) -> Result<Applied, Error> {
        check(vlans)?;
        self.alter_vlans(change, link, |before| differences(before, vlans))
    }

    /// Makes each difference; what was there before is put back as a whole.
    fn alter_vlans(
        &mut self,
        change: &Change,
        link: &LinkRef,
        steps: impl FnOnce(&[PortVlan]) -> Vec<(bool, PortVlan)>,
    ) -> Result<Applied, Error> {
        let (space, raw) = self.resolve(link)?;
        let before = of_link(&space, raw.index)?;
        let full = super::find::reference(&space, &raw);
        for (add, vlan) in steps(&before) {
            let sent = space.execute(&request(&raw, add, vlan));
            if let Err(failure) = sent {
                // What was done of it is taken back as well as the kernel lets us.
                let now = of_link(&space, raw.index).unwrap_or_default();
                for (add, vlan) in differences(&now, &before) {
                    let _ = space.execute(&request(&raw, add, vlan));
                }
                return Err(vlan_error(failure, change, &space, &full, &raw));
            }
        }
        let step = Change::SetVlans { link: full, vlans: before };
        Ok(Applied { made: Made::Nothing, undo: Undo { steps: vec![step] } })
    }

    pub(super) fn vlans(&self, link: &LinkRef) -> Result<Vec<PortVlan>, Error> {
        let (space, index) = self.index_of(link)?;
        of_link(&space, index)
    }

    pub(super) fn all_vlans(
        &self,
        namespace: &NamespaceRef,
    ) -> Result<Vec<(String, Vec<PortVlan>)>, Error> {
        let space = self.spaces.find(namespace)?;
        let links = space.links().map_err(|failure| explain(failure, &"vlan show"))?;
        let parts = dump(&space)?;
        let all = links.iter().map(|link| (link.name.clone(), read_vlans(&parts, link.index)));
        Ok(all.filter(|(_, vlans)| !vlans.is_empty()).collect())
    }
}

/// What can be told of VLANs alone.
pub(super) fn check(vlans: &[PortVlan]) -> Result<(), Error> {
    let mut ids = std::collections::HashSet::new();
    let mut own = None;
    for vlan in vlans {
        check_range(vlan.first, vlan.last)?;
        if let Some(twice) = (vlan.first..=vlan.last).find(|id| !ids.insert(*id)) {
            return Err(Error::Invalid(format!("vlan {twice} is given twice")));
        }
        if !vlan.pvid {
            continue;
        }
        if vlan.first != vlan.last {
            return Err(Error::Invalid(format!("`{vlan}`: only one vlan can be the pvid")));
        }
        if let Some(other) = own.replace(vlan.first) {
            let rule = format!("vlans {other} and {} can't both be the pvid", vlan.first);
            return Err(Error::Invalid(rule));
        }
    }
    Ok(())
}

pub(super) fn check_range(first: u16, last: u16) -> Result<(), Error> {
    if let Some(bad) = [first, last].into_iter().find(|id| !(1..=LAST_ID).contains(id)) {
        return Err(Error::Invalid(format!("vlan id {bad} is out of range: 1 to {LAST_ID}")));
    }
    if first > last {
        return Err(Error::Invalid(format!("vlan range {first}-{last} ends before it begins")));
    }
    Ok(())
}

/// Whether two lists are of the same VLANs, whatever their ranges.
pub(super) fn same(now: &[PortVlan], wanted: &[PortVlan]) -> bool {
    differences(now, wanted).is_empty()
}

/// Whether a list has all of a range, with its flags.
pub(super) fn holds(now: &[PortVlan], wanted: PortVlan) -> bool {
    (wanted.first..=wanted.last).all(|id| {
        now.iter().any(|vlan| {
            (vlan.first..=vlan.last).contains(&id)
                && (vlan.pvid, vlan.untagged) == (wanted.pvid, wanted.untagged)
        })
    })
}

/// What makes one list into the other: removals, then additions, each a range.
fn differences(before: &[PortVlan], wanted: &[PortVlan]) -> Vec<(bool, PortVlan)> {
    let flags_of = |all: &[PortVlan], id: u16| {
        let found = all.iter().find(|vlan| (vlan.first..=vlan.last).contains(&id));
        found.map(|vlan| (vlan.pvid, vlan.untagged))
    };
    let mut removed = Vec::new();
    let mut added = Vec::new();
    for id in 1..=LAST_ID {
        let (was, is) = (flags_of(before, id), flags_of(wanted, id));
        match (was, is) {
            (Some(_), None) => extend(&mut removed, id, (false, false)),
            (_, Some(flags)) if was != is => extend(&mut added, id, flags),
            (_, Some(_)) | (None, None) => {}
        }
    }
    let removed = removed.into_iter().map(|vlan| (false, vlan));
    removed.chain(added.into_iter().map(|vlan| (true, vlan))).collect()
}

/// One more id, in the last range where that fits.
fn extend(ranges: &mut Vec<PortVlan>, id: u16, (pvid, untagged): (bool, bool)) {
    match ranges.last_mut() {
        Some(range)
            if range.last + 1 == id && !pvid && !range.pvid && range.untagged == untagged =>
        {
            range.last = id;
        }
        _ => ranges.push(PortVlan { first: id, last: id, pvid, untagged }),
    }
}

fn request(link: &RawLink, add: bool, vlan: PortVlan) -> Request {
    let mut flags = 0;
    flags |= if vlan.pvid { PVID } else { 0 };
    flags |= if vlan.untagged { UNTAGGED } else { 0 };
    let mut all = Nest::new();
    // A bridge has VLANs of its own, for what it sends and receives itself.
    if link.kind() == "bridge" {
        all.put(IFLA_BRIDGE_FLAGS, BRIDGE_FLAGS_SELF.to_ne_bytes());
    }
    let mut put = |flags: u16, id: u16| {
        let [a, b] = flags.to_ne_bytes();
        let [c, d] = id.to_ne_bytes();
        all.put(IFLA_BRIDGE_VLAN_INFO, [a, b, c, d]);
    };
    if vlan.first == vlan.last {
        put(flags, vlan.first);
    } else {
        put(flags | RANGE_BEGIN, vlan.first);
        put(flags | RANGE_END, vlan.last);
    }
    let mut message = LinkMessage::default();
    message.header.interface_family = AddressFamily::Bridge;
    message.header.index = link.index;
    message.attributes.push(LinkAttribute::Other(all.attribute(IFLA_AF_SPEC)));
    let message = match add {
        true => RouteNetlinkMessage::SetLink(message),
        false => RouteNetlinkMessage::DelLink(message),
    };
    Request { message, flags: 0 }
}

fn dump(space: &Space) -> Result<Vec<Body>, Error> {
    let mut message = LinkMessage::default();
    message.header.interface_family = AddressFamily::Bridge;
    let mask = RTEXT_FILTER_BRVLAN_COMPRESSED.to_ne_bytes().to_vec();
    let mask = netlink_packet_core::DefaultNla::new(IFLA_EXT_MASK, mask);
    message.attributes.push(LinkAttribute::Other(mask));
    let parts = space.dump(&RouteNetlinkMessage::GetLink(message));
    parts.map_err(|failure| explain(failure, &"vlan show"))
}

fn of_link(space: &Space, index: u32) -> Result<Vec<PortVlan>, Error> {
    Ok(read_vlans(&dump(space)?, index))
}

/// Whether VLANs of a port are mapped to those of a tunnel.
pub(super) fn has_tunnels(space: &Space, index: u32) -> Result<bool, Error> {
    let of_port = |body: &[u8]| body.get(4..8).and_then(u32_of) == Some(index);
    let mapped = |body: &[u8]| {
        let attributes = body.get(HEADER_LENGTH..).unwrap_or_default();
        let mut all = read(find(attributes, IFLA_AF_SPEC).unwrap_or_default());
        all.any(|(kind, _)| kind == IFLA_BRIDGE_VLAN_TUNNEL_INFO)
    };
    Ok(dump(space)?.iter().any(|(_, body)| of_port(body) && mapped(body)))
}

pub(super) fn read_vlans(parts: &[Body], index: u32) -> Vec<PortVlan> {
    let mut found = Vec::new();
    for (_, body) in parts {
        if body.get(4..8).and_then(u32_of) != Some(index) {
            continue;
        }
        let attributes = body.get(HEADER_LENGTH..).unwrap_or_default();
        let all = read(find(attributes, IFLA_AF_SPEC).unwrap_or_default());
        let mut begin = None;
        for (_, info) in all.filter(|(kind, _)| *kind == IFLA_BRIDGE_VLAN_INFO) {
            let (Some(flags), Some(id)) = (u16_of(info), info.get(2..).and_then(u16_of)) else {
                continue;
            };
            if flags & RANGE_BEGIN != 0 {
                begin = Some(id);
                continue;
            }
            let first = begin.take().filter(|_| flags & RANGE_END != 0).unwrap_or(id);
            let (pvid, untagged) = (flags & PVID != 0, flags & UNTAGGED != 0);
            found.push(PortVlan { first, last: id, pvid, untagged });
        }
    }
    found
}

fn vlan_error(
    failure: Failure,
    change: &Change,
    space: &Arc<Space>,
    link: &LinkRef,
    raw: &RawLink,
) -> Error {
    if matches!(&failure, Failure::Refused(Refusal { errno: libc::ENODEV, .. })) {
        return on_link(failure, space, link, change);
    }
    let port = raw.slave_kind().as_deref() == Some("bridge") || raw.kind() == "bridge";
    explain_with(failure, change, |refusal| match refusal.errno {
        libc::EOPNOTSUPP | libc::EINVAL if !port => {
            Some(format!("`{}` is no port of a bridge", link.name))
        }
        libc::ENOENT => Some(format!("`{}` does not carry it", link.name)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::{PortVlan, check, differences};

    fn vlan(first: u16, last: u16, pvid: bool, untagged: bool) -> PortVlan {
        PortVlan { first, last, pvid, untagged }
    }

    #[test]
    fn only_what_differs_is_sent() {
        let before = [vlan(1, 1, true, true), vlan(100, 200, false, false)];
        let wanted = [vlan(100, 150, false, false), vlan(151, 151, true, true)];
        let found = differences(&before, &wanted);
        assert_eq!(
            found,
            [
                (false, vlan(1, 1, false, false)),
                (false, vlan(152, 200, false, false)),
                (true, vlan(151, 151, true, true)),
            ]
        );
        assert_eq!(differences(&before, &before), []);
    }

    #[test]
    fn impossible_vlans_are_told_from_each_other() {
        for (vlans, rule) in [
            (vec![vlan(0, 0, false, false)], "vlan id 0 is out of range: 1 to 4094"),
            (vec![vlan(9, 4095, false, false)], "vlan id 4095 is out of range: 1 to 4094"),
            (vec![vlan(9, 8, false, false)], "vlan range 9-8 ends before it begins"),
            (vec![vlan(8, 9, true, false)], "`vid 8-9 pvid`: only one vlan can be the pvid"),
            (
                vec![vlan(8, 8, true, false), vlan(9, 9, true, false)],
                "vlans 8 and 9 can't both be the pvid",
            ),
            (vec![vlan(1, 9, false, false), vlan(9, 9, true, false)], "vlan 9 is given twice"),
        ] {
            assert_eq!(check(&vlans).expect_err(rule).to_string(), rule);
        }
    }
}
