//! The datagrams of a UDP server, answered from the address that they were sent to.

use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, sendmsg, setsockopt,
    sockopt,
};
use socket2::Socket;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// The largest datagram of IPv4 or IPv6.
const LARGEST: usize = 65_535;

/// Makes the kernel say which address each datagram was sent to: ip(7) IP_PKTINFO, RFC 3542
/// section 6. A socket of IPv6 says it of IPv4 too.
pub(super) fn ask_for_destinations(socket: &Socket, ipv6: bool) -> io::Result<()> {
    if ipv6 {
        Ok(setsockopt(socket, sockopt::Ipv6RecvPacketInfo, &true)?)
    } else {
        Ok(setsockopt(socket, sockopt::Ipv4PacketInfo, &true)?)
    }
}

/// Takes datagrams for ever, counts them, and sends them back if asked.
pub(super) async fn serve(socket: AsyncFd<OwnedFd>, echo: bool, count: Arc<AtomicU64>) {
    let mut buffer = vec![0; LARGEST];
    loop {
        let received =
            socket.async_io(Interest::READABLE, |socket| receive(socket, &mut buffer)).await;
        // Errors of a socket without a peer are passing ones, such as a lack of memory.
        let Ok(datagram) = received else { continue };
        count.fetch_add(1, Ordering::Relaxed);
        if echo {
            answer(socket.get_ref(), &buffer[..datagram.length], &datagram);
        }
    }
}

struct Datagram {
    length: usize,
    from: SockaddrStorage,
    to: Destination,
}

/// One of our addresses, or a group's or network's.
enum Destination {
    V4(libc::in_pktinfo),
    V6(libc::in6_pktinfo),
    Unknown,
}

fn receive(socket: &OwnedFd, buffer: &mut [u8]) -> io::Result<Datagram> {
    let mut ancillary = nix::cmsg_space!(libc::in6_pktinfo);
    let mut parts = [IoSliceMut::new(buffer)];
    let message = recvmsg::<SockaddrStorage>(
        socket.as_raw_fd(),
        &mut parts,
        Some(&mut ancillary),
        MsgFlags::empty(),
    )?;
    let to = message.cmsgs()?.find_map(|message| match message {
        ControlMessageOwned::Ipv4PacketInfo(to) => Some(Destination::V4(to)),
        ControlMessageOwned::Ipv6PacketInfo(to) => Some(Destination::V6(to)),
        _ => None,
    });
    Ok(Datagram {
        length: message.bytes,
        from: message.address.ok_or(io::ErrorKind::InvalidData)?,
        to: to.unwrap_or(Destination::Unknown),
    })
}

/// Sends it back, from where it was sent to if that is an address of ours. A datagram that can't
/// go back is lost, as datagrams are.
fn answer(socket: &OwnedFd, payload: &[u8], datagram: &Datagram) {
    let send = |ancillary: &[ControlMessage<'_>]| {
        let parts = [IoSlice::new(payload)];
        sendmsg(socket.as_raw_fd(), &parts, ancillary, MsgFlags::MSG_NOSIGNAL, Some(&datagram.from))
    };
    // The way back is the routing table's choice, so no link is given.
    let sent = match datagram.to {
        Destination::V4(to) => {
            send(&[ControlMessage::Ipv4PacketInfo(&libc::in_pktinfo { ipi_ifindex: 0, ..to })])
        }
        Destination::V6(to) => {
            send(&[ControlMessage::Ipv6PacketInfo(&libc::in6_pktinfo { ipi6_ifindex: 0, ..to })])
        }
        Destination::Unknown => send(&[]),
    };
    if sent == Err(nix::errno::Errno::EINVAL) {
        let _lost = send(&[]);
    }
}
