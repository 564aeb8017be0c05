//! What a frame says of itself, as far as filters ask.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::bytes::Bytes;
use crate::datagram::Datagram;
use crate::headers::{self, Transport};
use crate::told::Told;

/// Which way a frame passes a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// received by it
    Incoming,
    /// sent by it
    Outgoing,
}

/// What a frame begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    /// an Ethernet header, IEEE 802.3
    Ethernet,
    /// that of IPv4 or IPv6, as on a tun
    Ip,
}

/// A frame as it was kept.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// its first bytes
    pub data: &'a [u8],
    /// how many it had on the wire
    pub length: u32,
    /// what it begins with
    pub layer: Layer,
    /// which way it passed
    pub direction: Direction,
}

/// A frame, read as far as it can be: what is cut off stays open, unknown protocols just say less.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    pub(crate) direction: Direction,
    /// source and destination
    pub(crate) macs: Told<([u8; 6], [u8; 6])>,
    /// of the outermost tag
    pub(crate) vlan: Told<u16>,
    pub(crate) network: Told<Network>,
    /// source and destination; of ARP the sender's and the target's
    pub(crate) addresses: Told<(IpAddr, IpAddr)>,
    pub(crate) transport: Transport,
    /// whose fragment it is, and whether the first one, which has the transport's header
    pub(crate) fragment: Option<(Datagram, bool)>,
}

/// What is behind the link layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Network {
    Arp,
    Ipv4,
    Ipv6,
}

/// EtherTypes, IEEE 802.3.
const IPV4: u16 = 0x0800;
const ARP: u16 = 0x0806;
const IPV6: u16 = 0x86dd;
const MACSEC: u16 = 0x88e5;
/// 802.1Q, 802.1ad, and what switches had before that
const TAGS: [u16; 3] = [0x8100, 0x88a8, 0x9100];
/// Both addresses, in front of the first type.
const ADDRESSES: usize = 12;

impl Packet {
    /// Reads a frame by itself; [`crate::Datagrams::complete`] knows more of a fragment.
    pub fn read(frame: &Frame<'_>) -> Self {
        let bytes = Bytes::of(frame.data, frame.length as usize);
        let mut packet = Self {
            direction: frame.direction,
            macs: Told::Nothing,
            vlan: Told::Nothing,
            network: Told::Nothing,
            addresses: Told::Nothing,
            transport: Transport::NONE,
            fragment: None,
        };
        match frame.layer {
            Layer::Ethernet => packet.note_ethernet(bytes),
            Layer::Ip => {
                let network = bytes.byte(0).and_then(|byte| match byte >> 4 {
                    4 => Told::Is(Network::Ipv4),
                    6 => Told::Is(Network::Ipv6),
                    _ => Told::Nothing,
                });
                packet.note_network(network, bytes);
            }
        }
        packet
    }

    /// Whether later fragments are known by it.
    pub fn is_first_fragment(&self) -> bool {
        matches!(self.fragment, Some((_, true)))
    }

    fn note_ethernet(&mut self, bytes: Bytes<'_>) {
        self.macs = match (bytes.field(6), bytes.field(0)) {
            (Told::Is(source), Told::Is(destination)) => Told::Is((source, destination)),
            (source, _) => source.map(|source| (source, [0; 6])),
        };
        let (network, rest) = self.note_tags(bytes.behind(ADDRESSES));
        self.note_network(network, rest);
    }

    /// Goes through tags as far as the network's type; gives what is behind that.
    fn note_tags<'a>(&mut self, mut bytes: Bytes<'a>) -> (Told<Network>, Bytes<'a>) {
        let mut untagged = true;
        let network = loop {
            match bytes.number(0) {
                Told::Is(IPV4) => break Told::Is(Network::Ipv4),
                Told::Is(IPV6) => break Told::Is(Network::Ipv6),
                Told::Is(ARP) => break Told::Is(Network::Arp),
                Told::Is(MACSEC) => match macsec_header(bytes) {
                    Told::Is(header) => bytes = bytes.behind(header),
                    Told::Nothing => break Told::Nothing,
                    Told::Open(why) => break Told::Open(why),
                },
                Told::Is(tag) if TAGS.contains(&tag) => {
                    if untagged {
                        self.vlan = bytes.number(2).map(|information| information & 0x0fff);
                        untagged = false;
                    }
                    bytes = bytes.behind(4);
                }
                Told::Is(_) | Told::Nothing => break Told::Nothing,
                Told::Open(why) => {
                    if untagged {
                        self.vlan = Told::Open(why);
                    }
                    break Told::Open(why);
                }
            }
        };
        (network, bytes.behind(2))
    }

    fn note_network(&mut self, network: Told<Network>, bytes: Bytes<'_>) {
        self.network = network;
        match network {
            Told::Is(Network::Arp) => self.addresses = arp_addresses(bytes),
            Told::Is(Network::Ipv4) => self.note_ipv4(bytes),
            Told::Is(Network::Ipv6) => self.note_ipv6(bytes),
            Told::Nothing => {}
            Told::Open(why) => {
                self.addresses = Told::Open(why);
                self.transport = Transport::open(why);
            }
        }
    }

    /// RFC 791, section 3.1.
    fn note_ipv4(&mut self, bytes: Bytes<'_>) {
        // Five words of four bytes are the shortest header.
        if matches!(bytes.byte(0), Told::Is(byte) if !(0x45..=0x4f).contains(&byte)) {
            return;
        }
        self.addresses = bytes.field::<8>(12).map(|[a, b, c, d, e, f, g, h]| {
            (Ipv4Addr::new(a, b, c, d).into(), Ipv4Addr::new(e, f, g, h).into())
        });
        let number = bytes.byte(9);
        let (Told::Is(first), Told::Is(total), Told::Is([high, low, flags, offset])) =
            (bytes.byte(0), bytes.number(2), bytes.field::<4>(4))
        else {
            self.transport = Transport { number, ports: number.and_then(|_| Told::Nothing) };
            return;
        };
        // Segments that are longer than the field can say have 0 there.
        let whole = if total == 0 { bytes } else { bytes.at_most(total.into()) };
        let position = u16::from_be_bytes([flags & 0x1f, offset]);
        let (is_first, more) = (position == 0, flags & 0x20 != 0);
        self.transport = match is_first {
            true => headers::read(number, whole.behind(usize::from(first & 0x0f) * 4), false).0,
            false => Transport::of_later(number),
        };
        if let (true, Told::Is(number), Told::Is(ends)) =
            (more || !is_first, number, self.addresses)
        {
            let id = u16::from_be_bytes([high, low]).into();
            self.fragment = Some((Datagram { ends, id, number: Some(number) }, is_first));
        }
    }

    /// RFC 8200, section 3.
    fn note_ipv6(&mut self, bytes: Bytes<'_>) {
        if matches!(bytes.byte(0), Told::Is(byte) if byte >> 4 != 6) {
            return;
        }
        let destination = bytes.field::<16>(24).map(|bytes| IpAddr::from(Ipv6Addr::from(bytes)));
        self.addresses = bytes.field::<16>(8).and_then(|source| {
            destination.map(|destination| (Ipv6Addr::from(source).into(), destination))
        });
        let whole = match bytes.number(4) {
            // 0 is a jumbogram's, RFC 2675, or of a segment that is longer than the field can say.
            Told::Is(0) | Told::Nothing | Told::Open(_) => bytes,
            Told::Is(length) => bytes.at_most(40 + usize::from(length)),
        };
        let (transport, fragment) = headers::read(bytes.byte(6), whole.behind(40), true);
        self.transport = transport;
        if let (Some((id, is_first)), Told::Is(ends)) = (fragment, self.addresses) {
            self.fragment = Some((Datagram { ends, id, number: None }, is_first));
        }
    }
}

/// Sender's and target's, RFC 826; none of those for other networks than IPv4.
fn arp_addresses(bytes: Bytes<'_>) -> Told<(IpAddr, IpAddr)> {
    bytes.field::<6>(0).and_then(|kind| match kind {
        [0, 1, 0x08, 0x00, 6, 4] => bytes.field::<4>(14).and_then(|sender| {
            let target = bytes.field::<4>(24);
            target.map(|target| (Ipv4Addr::from(sender).into(), Ipv4Addr::from(target).into()))
        }),
        _ => Told::Nothing,
    })
}

/// Bytes from a MACsec type to the type behind its header, IEEE 802.1AE section 9: none where what
/// follows is encrypted.
fn macsec_header(bytes: Bytes<'_>) -> Told<usize> {
    const ENCRYPTED_OR_CHANGED: u8 = 0x0c;
    const HAS_CHANNEL: u8 = 0x20;
    bytes.byte(2).and_then(|control| match control & ENCRYPTED_OR_CHANGED {
        0 => Told::Is(if control & HAS_CHANNEL == 0 { 8 } else { 16 }),
        _ => Told::Nothing,
    })
}
