//! Who answers for an IPv4 address on a link, as `arping`: RFC 826, RFC 5227.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::OwnedFd;
use std::time::Duration;

use etherparse::{ArpEthIpv4Packet, ArpOperation, ArpPacket, EtherType, Ethernet2Header};
use nix::ifaddrs::{InterfaceAddress, getifaddrs};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::time::{Instant, sleep_until};

use super::socket::{bind_to_link, check_link_name, inside, on_runtime, refused};
use crate::change::MacAddress;
use crate::kernel::Error;

/// Asked again while nobody answers, as `arping`.
const AGAIN: Duration = Duration::from_secs(1);
/// How long after the first answer others are waited for: a second station with the same
/// address answers at the same time.
const OTHERS: Duration = Duration::from_millis(200);
/// An Ethernet header, a request for an IPv4 address and what pads it.
const BUFFER: usize = 128;
/// Stations beyond this many with one address tell nothing more.
const MOST_STATIONS: usize = 64;

/// Asks all stations of a link; those that answer, first first, without repetition. An empty
/// list where none does within the time.
///
/// The sender is the link's own IPv4 address, that of the destination's network if it has
/// several, and 0.0.0.0 (a probe, RFC 5227 section 2.1.1) if it has none.
///
/// # Errors
/// Gone where there is no such link, Invalid for an address that isn't IPv4 and for a link
/// without Ethernet addresses, Kernel otherwise: `ENETDOWN` while the link is down.
pub async fn arp(
    namespace: &OwnedFd,
    link: &str,
    address: IpAddr,
    timeout: Duration,
) -> Result<Vec<MacAddress>, Error> {
    check_link_name(link)?;
    let IpAddr::V4(address) = address else {
        return Err(Error::Invalid(format!(
            "`{address}` isn't IPv4, the only one that ARP is for"
        )));
    };
    let operation = format!("arping -I {link} {address}");
    let station = inside(namespace, &operation, || find_station(link, address))?;
    let station = match station {
        Found::Station(station) => station,
        Found::Missing => return Err(Error::Gone(format!("link `{link}`"))),
        Found::NoEthernet => {
            return Err(Error::Invalid(format!("link `{link}` has no Ethernet addresses to ask")));
        }
    };
    let socket = inside(namespace, &operation, || open_socket(station.index))?;
    let socket = on_runtime(socket, &operation)?;
    let request = station.request(address);
    let answers = ask(&socket, &request, address, Instant::now() + timeout).await;
    answers.map_err(|error| refused(&operation, &error))
}

/// Sends the request and collects until the deadline, or shortly after the first answer.
async fn ask(
    socket: &AsyncFd<OwnedFd>,
    request: &[u8],
    address: Ipv4Addr,
    mut deadline: Instant,
) -> io::Result<Vec<MacAddress>> {
    let mut stations = Vec::new();
    let mut next_request = Instant::now();
    let mut buffer = [0; BUFFER];
    loop {
        let wake = if stations.is_empty() { deadline.min(next_request) } else { deadline };
        tokio::select! {
            received = socket.async_io(Interest::READABLE, |socket| {
                Ok(rustix::io::read(socket, &mut buffer)?)
            }) => {
                let Some(station) = answer(&buffer[..received?], address) else { continue };
                if stations.is_empty() {
                    deadline = deadline.min(Instant::now() + OTHERS);
                }
                if !stations.contains(&station) && stations.len() < MOST_STATIONS {
                    stations.push(station);
                }
            }
            () = sleep_until(wake) => {
                if stations.is_empty() && Instant::now() >= next_request {
                    socket.async_io(Interest::WRITABLE, |socket| {
                        Ok(rustix::io::write(socket, request)?)
                    }).await?;
                    next_request += AGAIN;
                }
                if Instant::now() >= deadline {
                    return Ok(stations);
                }
            }
        }
    }
}

/// The station that says in a frame that the address is its own.
fn answer(frame: &[u8], address: Ipv4Addr) -> Option<MacAddress> {
    let (_, packet) = Ethernet2Header::from_slice(frame).ok()?;
    let packet = ArpPacket::from_slice(packet).ok()?.try_eth_ipv4().ok()?;
    let answers = packet.operation == ArpOperation::REPLY && packet.sender_ipv4 == address.octets();
    answers.then_some(MacAddress(packet.sender_mac))
}

/// Who asks.
struct Station {
    index: i32,
    mac: [u8; 6],
    address: Ipv4Addr,
}

impl Station {
    fn request(&self, target: Ipv4Addr) -> Vec<u8> {
        let header = Ethernet2Header {
            source: self.mac,
            destination: [0xff; 6],
            ether_type: EtherType::ARP,
        };
        let packet = ArpPacket::from(ArpEthIpv4Packet {
            operation: ArpOperation::REQUEST,
            sender_mac: self.mac,
            sender_ipv4: self.address.octets(),
            target_mac: [0; 6],
            target_ipv4: target.octets(),
        });
        [&header.to_bytes()[..], &packet.to_bytes()].concat()
    }
}

enum Found {
    Missing,
    NoEthernet,
    Station(Station),
}

/// The link's index and addresses, in the calling thread's namespace.
fn find_station(link: &str, target: Ipv4Addr) -> io::Result<Found> {
    // IPv4 addresses come under their label, which begins with the link's name (ip-address(8)).
    let entries: Vec<InterfaceAddress> = getifaddrs()?
        .filter(|entry| entry.interface_name.split(':').next() == Some(link))
        .collect();
    let hardware = entries.iter().find_map(|entry| entry.address.as_ref()?.as_link_addr().copied());
    let Some(hardware) = hardware else { return Ok(Found::Missing) };
    let mac = hardware.addr().filter(|_| hardware.hatype() == libc::ARPHRD_ETHER);
    let Some(mac) = mac else { return Ok(Found::NoEthernet) };
    let ipv4 = |address: &Option<nix::sys::socket::SockaddrStorage>| {
        address.as_ref().and_then(|address| Some(address.as_sockaddr_in()?.ip()))
    };
    let own =
        entries.iter().filter_map(|entry| Some((ipv4(&entry.address)?, ipv4(&entry.netmask)?)));
    let near = |(address, mask): &(Ipv4Addr, Ipv4Addr)| *address & *mask == target & *mask;
    let chosen = own.clone().find(near).or_else(|| own.clone().next());
    let address = chosen.map_or(Ipv4Addr::UNSPECIFIED, |(address, _)| address);
    // An index is positive and fits: the kernel has it in an int.
    Ok(Found::Station(Station { index: hardware.ifindex() as i32, mac, address }))
}

/// A packet(7) socket that sees only the ARP of one link.
fn open_socket(index: i32) -> io::Result<OwnedFd> {
    // Without a protocol nothing comes before the link is chosen.
    let socket = Socket::new(Domain::PACKET, Type::RAW, Some(Protocol::from(0)))?;
    socket.set_nonblocking(true)?;
    bind_to_link(&socket, libc::ETH_P_ARP as u16, index)?;
    Ok(socket.into())
}
