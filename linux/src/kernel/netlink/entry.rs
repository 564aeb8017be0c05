//! Entries of forwarding databases as the kernel tells of them, and is told.

use std::net::IpAddr;

use netlink_packet_core::DefaultNla;
use netlink_packet_route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourFlags, NeighbourMessage, NeighbourState,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

use super::attributes::{self, u16_of, u32_of};
use super::explain::explain;
use super::space::Space;
use crate::change::{Entry, MacAddress, Told};
use crate::kernel::Error;
use crate::kernel::kind::words::{ipv4, ipv6};

/// linux/neighbour.h, NUD_
const NUD_REACHABLE: u16 = 0x02;
const NUD_NOARP: u16 = 0x40;
const NUD_PERMANENT: u16 = 0x80;
/// NTF_
const NTF_SELF: u8 = 1 << 1;
pub(super) const NTF_MASTER: u8 = 1 << 2;
const NTF_EXT_LEARNED: u8 = 1 << 4;
const NTF_STICKY: u8 = 1 << 6;
/// NDA_
const NDA_DST: u16 = 1;
const NDA_LLADDR: u16 = 2;
const NDA_VLAN: u16 = 5;
const NDA_MASTER: u16 = 9;
const NDA_SRC_VNI: u16 = 11;
const NDA_FLAGS_EXT: u16 = 15;
/// That a port doesn't let its station in (NTF_EXT_LOCKED): nobody but the kernel can say so.
const LOCKED: u32 = 1 << 1;
/// Times, probes, the master, where a vxlan sends, and what only the kernel says.
const PASSING: [u16; 5] = [3, 4, NDA_MASTER, 10, NDA_FLAGS_EXT];
/// struct ndmsg
const INDEX: usize = 4;
const STATE: usize = 8;
const FLAGS: usize = 10;
const ATTRIBUTES: usize = 12;

/// An entry as the kernel tells of it.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// of the link that it is on
    pub(super) index: u32,
    /// of the bridge whose it is, or of none
    pub(super) bridge: Option<u32>,
    pub(super) locked: bool,
    pub(super) entry: Entry,
}

impl Row {
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let index = body.get(INDEX..).and_then(u32_of)?;
        let state = body.get(STATE..).and_then(u16_of)?;
        let flags = *body.get(FLAGS)?;
        let all = body.get(ATTRIBUTES..)?;
        let find = |kind| attributes::find(all, kind);
        let bridge = find(NDA_MASTER).and_then(u32_of);
        let place = match bridge {
            Some(bridge) if bridge != index => NTF_MASTER,
            Some(_) | None => NTF_SELF,
        };
        let lasting = state & (NUD_PERMANENT | NUD_NOARP) != 0;
        let told = Told {
            state: if lasting { state } else { NUD_REACHABLE },
            flags: place | flags & (NTF_EXT_LEARNED | NTF_STICKY),
            attributes: attributes::read(all)
                .filter(|(kind, _)| !PASSING.contains(kind))
                .map(|(kind, value)| (kind, value.to_vec()))
                .collect(),
        };
        let destination = find(NDA_DST);
        let entry = Entry {
            mac: MacAddress(find(NDA_LLADDR)?.try_into().ok()?),
            vlan: find(NDA_VLAN).and_then(u16_of),
            aged: state & NUD_PERMANENT == 0,
            // What a bridge has for itself, it tells of as its own master's.
            master: flags & NTF_SELF == 0 && place == NTF_MASTER,
            destination: destination.and_then(|bytes| {
                ipv4(bytes).map(IpAddr::V4).or_else(|| ipv6(bytes).map(IpAddr::V6))
            }),
            told: Some(told),
        };
        let locked = find(NDA_FLAGS_EXT).and_then(u32_of).is_some_and(|all| all & LOCKED != 0);
        Some(Self { index, bridge, locked, entry })
    }

    /// Whether somebody put it there, and it stays; a bridge learns others, and forgets them.
    pub(super) fn lasts(&self) -> bool {
        !self.locked && self.entry.told.as_ref().is_some_and(lasts)
    }

    /// Whether a bridge has learned it, and forgets it.
    pub(super) fn is_heard(&self) -> bool {
        let told = self.entry.told.as_ref();
        !self.locked && told.is_some_and(|told| !lasts(told))
    }

    /// Whether it is a way of a vxlan to whatever it has no other for.
    pub(super) fn is_of_all(&self) -> bool {
        self.entry.mac.0 == [0; 6] && self.lasts()
    }

    /// Whether it is no learned one, and no daemon's that says that it has learned it.
    pub(super) fn is_somebodys(&self) -> bool {
        let told = self.entry.told.as_ref();
        self.lasts() && told.is_none_or(|told| told.flags & NTF_EXT_LEARNED == 0)
    }

    pub(super) fn is_sticky(&self) -> bool {
        self.entry.told.as_ref().is_some_and(|told| told.flags & NTF_STICKY != 0)
    }

    pub(super) fn is(&self, index: u32, entry: &Entry) -> bool {
        self.index == index && is_same(&self.entry, entry)
    }

    /// Whether it is in the way of another one of the same database.
    pub(super) fn has_place_of(&self, entry: &Entry) -> bool {
        if (self.entry.mac, self.entry.vlan) != (entry.mac, entry.vlan) {
            return false;
        }
        let (Some(own), Some(other)) = (&self.entry.told, &entry.told) else { return true };
        let of = |told: &Told, kind| {
            told.attributes.iter().find(|(found, _)| *found == kind).map(|(_, value)| value.clone())
        };
        match self.bridge {
            Some(_) => true,
            None if is_group(entry.mac) => own.attributes == other.attributes,
            None => of(own, NDA_SRC_VNI) == of(other, NDA_SRC_VNI),
        }
    }
}

/// Whether an entry is put for more than one station: for a group, or for all.
pub(super) fn is_group(mac: MacAddress) -> bool {
    mac.0[0] & 1 != 0 || mac.0 == [0; 6]
}

pub(super) fn lasts(told: &Told) -> bool {
    told.state & (NUD_PERMANENT | NUD_NOARP) != 0
        || told.flags & (NTF_EXT_LEARNED | NTF_STICKY) != 0
}

/// Whether two are the same but for what the kernel makes of them.
fn is_same(one: &Entry, other: &Entry) -> bool {
    let (Some(told), Some(others)) = (&one.told, &other.told) else {
        return same_entry(one, other);
    };
    let firm = |told: &Told| told.state & (NUD_PERMANENT | NUD_NOARP);
    let sorted = |told: &Told| {
        let mut all = told.attributes.clone();
        all.sort();
        all
    };
    firm(told) == firm(others) && told.flags == others.flags && sorted(told) == sorted(others)
}

/// Whether an entry is one that is asked for.
pub(super) fn same_entry(one: &Entry, other: &Entry) -> bool {
    one.mac == other.mac
        && one.vlan == other.vlan
        && one.master == other.master
        && (other.destination.is_none() || one.destination == other.destination)
}

/// All entries of a namespace.
pub(super) fn rows(space: &Space) -> Result<Vec<Row>, Error> {
    let mut request = NeighbourMessage::default();
    request.header.family = AddressFamily::Bridge;
    let parts = space.dump(&RouteNetlinkMessage::GetNeighbour(request));
    let parts = parts.map_err(|failure| explain(failure, &"fdb show"))?;
    Ok(parts.iter().filter_map(|(_, body)| Row::read(body)).collect())
}

/// What somebody has put into a link's own database, and no bridge that learns.
pub(super) fn entries_put(space: &Space, index: u32) -> Result<Vec<Entry>, Error> {
    let all = rows(space)?.into_iter().filter(|row| row.index == index && row.lasts());
    Ok(all.map(|row| row.entry).collect())
}

pub(super) fn as_told(index: u32, told: &Told) -> NeighbourMessage {
    let mut message = NeighbourMessage::default();
    message.header.family = AddressFamily::Bridge;
    message.header.ifindex = index;
    message.header.state = NeighbourState::Other(told.state);
    message.header.flags = NeighbourFlags::from_bits_retain(told.flags);
    let all = told.attributes.iter();
    let other = |(kind, value): &(u16, Vec<u8>)| {
        NeighbourAttribute::Other(DefaultNla::new(*kind, value.clone()))
    };
    message.attributes = all.map(other).collect();
    message
}

pub(super) fn asked(index: u32, entry: &Entry) -> NeighbourMessage {
    let mut message = NeighbourMessage::default();
    message.header.family = AddressFamily::Bridge;
    message.header.ifindex = index;
    // bridge(8): `static` is reachable without being learned, anything else stays.
    let lasting = if entry.aged { NUD_REACHABLE } else { NUD_PERMANENT };
    message.header.state = NeighbourState::Other(NUD_NOARP | lasting);
    message.header.flags =
        if entry.master { NeighbourFlags::Controller } else { NeighbourFlags::Own };
    message.attributes.push(NeighbourAttribute::LinkLayerAddress(entry.mac.0.to_vec()));
    if let Some(vlan) = entry.vlan {
        message.attributes.push(NeighbourAttribute::Vlan(vlan));
    }
    if let Some(destination) = entry.destination {
        message.attributes.push(NeighbourAttribute::Destination(match destination {
            IpAddr::V4(four) => NeighbourAddress::Inet(four),
            IpAddr::V6(six) => NeighbourAddress::Inet6(six),
        }));
    }
    message
}
