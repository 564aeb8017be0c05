//! Datagrams in fragments: only the first one of each has the header with the ports.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::headers::Transport;
use crate::packet::Packet;

/// What all fragments of a datagram have in common: RFC 791, section 3.2; RFC 8200, section 4.5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Datagram {
    /// source and destination
    pub(crate) ends: (IpAddr, IpAddr),
    pub(crate) id: u32,
    /// of IPv4, whose ids are each protocol's own
    pub(crate) number: Option<u8>,
}

/// The first fragments that a capture has seen, by which its later ones are known.
#[derive(Debug, Default)]
pub struct Datagrams {
    /// of each the place in the capture, in order: ids come again
    first: HashMap<Datagram, Vec<(usize, Transport)>>,
}

impl Datagrams {
    /// What one first fragment takes of memory, in bytes.
    pub const COST: usize =
        size_of::<(Datagram, Vec<(usize, Transport)>)>() + size_of::<(usize, Transport)>();

    /// Notes the frame at this place of its capture, which is behind all noted before.
    pub fn note(&mut self, place: usize, packet: &Packet) {
        if let Some((datagram, true)) = packet.fragment {
            self.first.entry(datagram).or_default().push((place, packet.transport));
        }
    }

    /// The frame at this place with what the first fragment of its datagram says: the last one
    /// before it, and else the next, for fragments overtake each other.
    #[must_use]
    pub fn complete(&self, place: usize, packet: Packet) -> Packet {
        let Some((datagram, false)) = packet.fragment else { return packet };
        let Some(first) = self.first.get(&datagram) else { return packet };
        let behind = first.partition_point(|(each, _)| *each < place);
        let nearest = behind.checked_sub(1).unwrap_or(behind);
        match first.get(nearest) {
            Some((_, transport)) => Packet { transport: *transport, ..packet },
            None => packet,
        }
    }
}
