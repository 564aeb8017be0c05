//! What a frame says of itself, as far as filters ask.

use std::net::IpAddr;

use etherparse::{
    EtherType, IpNumber, LaxLinkExtSlice, LaxNetSlice, LaxSlicedPacket, LinkSlice, TransportSlice,
};

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

/// A frame, read as far as it can be: cut frames and unknown protocols just say less.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    pub(crate) direction: Direction,
    /// source and destination
    pub(crate) macs: Option<([u8; 6], [u8; 6])>,
    /// of the outermost tag
    pub(crate) vlan: Option<u16>,
    /// source and destination; of ARP the sender's and the target's
    pub(crate) addresses: Option<(IpAddr, IpAddr)>,
    pub(crate) network: Network,
    /// of IPv4, or of the last header of IPv6
    pub(crate) number: Option<u8>,
    /// source and destination
    pub(crate) ports: Option<(u16, u16)>,
}

/// What is behind the link layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Network {
    Arp,
    Ipv4,
    Ipv6,
    Other,
}

impl Packet {
    /// Reads a frame.
    pub fn read(frame: &[u8], layer: Layer, direction: Direction) -> Self {
        let mut packet = Self {
            direction,
            macs: None,
            vlan: None,
            addresses: None,
            network: Network::Other,
            number: None,
            ports: None,
        };
        let sliced = match layer {
            Layer::Ethernet => LaxSlicedPacket::from_ethernet(frame).ok(),
            Layer::Ip => LaxSlicedPacket::from_ip(frame).ok(),
        };
        if let Some(sliced) = sliced {
            packet.note_link(&sliced);
            packet.note_network(&sliced);
            packet.ports = sliced.transport.as_ref().and_then(ports);
        }
        packet
    }

    fn note_link(&mut self, sliced: &LaxSlicedPacket<'_>) {
        if let Some(LinkSlice::Ethernet2(ethernet)) = &sliced.link {
            self.macs = Some((ethernet.source(), ethernet.destination()));
            // A frame that ends within its payload still has the type.
            self.network = match ethernet.ether_type() {
                EtherType::ARP => Network::Arp,
                EtherType::IPV4 => Network::Ipv4,
                EtherType::IPV6 => Network::Ipv6,
                _ => Network::Other,
            };
        }
        self.vlan = sliced.link_exts.iter().find_map(|extension| match extension {
            LaxLinkExtSlice::Vlan(vlan) => Some(vlan.vlan_identifier().value()),
            LaxLinkExtSlice::Macsec(_) => None,
        });
    }

    fn note_network(&mut self, sliced: &LaxSlicedPacket<'_>) {
        match &sliced.net {
            Some(LaxNetSlice::Ipv4(packet)) => {
                let header = packet.header();
                let (source, destination) = (header.source_addr(), header.destination_addr());
                self.network = Network::Ipv4;
                self.addresses = Some((source.into(), destination.into()));
                self.number = Some(packet.payload().ip_number.0);
            }
            Some(LaxNetSlice::Ipv6(packet)) => {
                let header = packet.header();
                let (source, destination) = (header.source_addr(), header.destination_addr());
                self.network = Network::Ipv6;
                self.addresses = Some((source.into(), destination.into()));
                self.number = Some(packet.payload().ip_number.0);
            }
            Some(LaxNetSlice::Arp(packet)) => {
                self.network = Network::Arp;
                let packet = packet.to_packet().try_eth_ipv4().ok();
                self.addresses = packet.map(|packet| {
                    (IpAddr::from(packet.sender_ipv4), IpAddr::from(packet.target_ipv4))
                });
            }
            None => {}
        }
    }

    pub(crate) fn is(&self, network: Network, number: IpNumber) -> bool {
        self.network == network && self.number == Some(number.0)
    }
}

fn ports(transport: &TransportSlice<'_>) -> Option<(u16, u16)> {
    match transport {
        TransportSlice::Udp(udp) => Some((udp.source_port(), udp.destination_port())),
        TransportSlice::Tcp(tcp) => Some((tcp.source_port(), tcp.destination_port())),
        _ => None,
    }
}
