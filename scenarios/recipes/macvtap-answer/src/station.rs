//! A station on an Ethernet segment: frames in, answers out. It never sees a tap, so that a test
//! can feed it.

use std::collections::VecDeque;

use netwright_sdk::prelude::*;
use smoltcp::iface::{Config, Interface, SocketSet};
use smoltcp::phy::{self, DeviceCapabilities, Medium};
use smoltcp::time::Instant;
use smoltcp::wire::{
    ArpOperation, ArpPacket, EthernetAddress, EthernetFrame, EthernetProtocol, HardwareAddress,
    Icmpv4Message, Icmpv4Packet, IpCidr, IpProtocol, Ipv4Packet,
};

/// Bytes of the Ethernet header, which an MTU doesn't count.
const HEADER: usize = 14;

/// A station with one MAC address and one IPv4 address.
pub(crate) struct Station {
    interface: Interface,
    wire: Wire,
    /// none: ARP and echo requests are answered without a socket
    sockets: SocketSet<'static>,
    now: Instant,
}

/// What a station sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Arp,
    Echo,
    Other,
}

impl Station {
    pub(crate) fn new(mac: MacAddress, address: Prefix, mtu: u32) -> Result<Self> {
        let mut wire = Wire::new(mtu);
        let config = Config::new(HardwareAddress::Ethernet(EthernetAddress(mac.0)));
        let now = Instant::ZERO;
        let mut interface = Interface::new(config, &mut wire, now);
        let IpAddr::V4(ip) = address.addr() else {
            return Err(Error::invalid(format!("`{address}` is not an IPv4 address")));
        };
        let cidr = IpCidr::new(ip.into(), address.prefix_len());
        let mut full = false;
        interface.update_ip_addrs(|addresses| full = addresses.push(cidr).is_err());
        if full {
            return Err(Error::failed("the station has no room for its address"));
        }
        Ok(Self { interface, wire, sockets: SocketSet::new(Vec::new()), now })
    }

    /// Takes frames in and gives the answers. A recipe has no clock: it says how much later it is.
    pub(crate) fn answer(&mut self, frames: Vec<Vec<u8>>, later: Duration) -> Vec<Vec<u8>> {
        self.now += smoltcp::time::Duration::from_micros(later.as_micros() as u64);
        self.wire.arrived.extend(frames);
        while !self.wire.arrived.is_empty() {
            self.interface.poll(self.now, &mut self.wire, &mut self.sockets);
        }
        std::mem::take(&mut self.wire.sent)
    }
}

impl Answer {
    /// What a frame says, RFC 826 and RFC 792.
    pub(crate) fn of(frame: &[u8]) -> Self {
        Self::read(frame).unwrap_or(Self::Other)
    }

    fn read(frame: &[u8]) -> Option<Self> {
        let ethernet = EthernetFrame::new_checked(frame).ok()?;
        if ethernet.ethertype() == EthernetProtocol::Arp {
            let arp = ArpPacket::new_checked(ethernet.payload()).ok()?;
            return (arp.operation() == ArpOperation::Reply).then_some(Self::Arp);
        }
        let packet = Ipv4Packet::new_checked(ethernet.payload()).ok()?;
        if packet.next_header() != IpProtocol::Icmp {
            return None;
        }
        let icmp = Icmpv4Packet::new_checked(packet.payload()).ok()?;
        (icmp.msg_type() == Icmpv4Message::EchoReply).then_some(Self::Echo)
    }
}

/// The frames between a station and whoever feeds it.
struct Wire {
    longest_frame: usize,
    arrived: VecDeque<Vec<u8>>,
    sent: Vec<Vec<u8>>,
}

impl Wire {
    fn new(mtu: u32) -> Self {
        let longest_frame = HEADER + usize::try_from(mtu).unwrap_or(usize::MAX - HEADER);
        Self { longest_frame, arrived: VecDeque::new(), sent: Vec::new() }
    }
}

struct Arrived(Vec<u8>);

struct Sending<'a>(&'a mut Vec<Vec<u8>>);

impl phy::Device for Wire {
    type RxToken<'a> = Arrived;
    type TxToken<'a> = Sending<'a>;

    fn receive(&mut self, _: Instant) -> Option<(Arrived, Sending<'_>)> {
        let frame = self.arrived.pop_front()?;
        Some((Arrived(frame), Sending(&mut self.sent)))
    }

    fn transmit(&mut self, _: Instant) -> Option<Sending<'_>> {
        Some(Sending(&mut self.sent))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = self.longest_frame;
        capabilities
    }
}

impl phy::RxToken for Arrived {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, read: F) -> R {
        read(&self.0)
    }
}

impl phy::TxToken for Sending<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, write: F) -> R {
        let mut frame = vec![0; length];
        let written = write(&mut frame);
        self.0.push(frame);
        written
    }
}
