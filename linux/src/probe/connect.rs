//! TCP and UDP as a client.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

use nix::sys::socket::{
    ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt, sockopt,
};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream, UdpSocket};
use tokio::time::{Instant, timeout_at};

use super::MOST_BYTES;
use super::socket::{check_destination, inside, is_group, late, refused};
use super::told::{Complaint, Told};
use crate::kernel::Error;

/// 65,535 bytes of an IPv4 packet less its header and that of UDP.
const MOST_DATAGRAM: usize = 65_507;

/// linux/errqueue.h, SO_EE_ORIGIN_
const ORIGIN_ICMP: u8 = 2;
const ORIGIN_ICMP6: u8 = 3;

/// What came of a TCP connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// until it was made
    pub elapsed: Duration,
    pub local_port: u16,
    pub received: Vec<u8>,
}

/// Connects, sends, and reads until the peer closes, `receive` bytes came or the time is over.
/// Doesn't close its own direction before.
///
/// # Errors
/// Kernel with `ECONNREFUSED`, `EHOSTUNREACH`, `ECONNRESET` and the like; Timeout where it was not
/// connected, or not everything was sent, in time; Limit above [`MOST_BYTES`] either way.
pub async fn tcp(
    namespace: &OwnedFd,
    destination: SocketAddr,
    send: &[u8],
    receive: usize,
    timeout: Duration,
) -> Result<Connection, Error> {
    check(destination)?;
    if send.len() > MOST_BYTES || receive > MOST_BYTES {
        return Err(Error::Limit(format!(
            "a TCP probe sends and takes {MOST_BYTES} bytes at most"
        )));
    }
    let operation = format!("connect to {destination} by TCP");
    let failed = |error: io::Error| refused(&operation, &error);
    let socket = inside(namespace, &operation, || {
        let socket =
            Socket::new(Domain::for_address(destination), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        Ok(socket)
    })?;
    let started = Instant::now();
    let deadline = started + timeout;
    let connecting = TcpSocket::from_std_stream(socket.into()).connect(destination);
    let connected = timeout_at(deadline, connecting).await.map_err(|_| late(timeout))?;
    let mut stream = connected.map_err(failed)?;
    let elapsed = started.elapsed();
    let local_port = stream.local_addr().map_err(failed)?.port();
    let (received, all_sent) =
        converse(&mut stream, send, receive, deadline).await.map_err(failed)?;
    if !all_sent {
        return Err(late(timeout));
    }
    Ok(Connection { elapsed, local_port, received })
}

/// Whether a connection can be made, and how long that took.
///
/// # Errors
/// As those of [`tcp`], with what an ICMP error said, where one came.
pub async fn connects(
    namespace: &OwnedFd,
    destination: SocketAddr,
    timeout: Duration,
) -> Result<Duration, (Error, Option<Told>)> {
    let silent = |error| (error, None);
    check(destination).map_err(silent)?;
    let operation = format!("connect to {destination} by TCP");
    let failed = |error: &io::Error| refused(&operation, error);
    let socket = inside(namespace, &operation, || {
        let socket =
            Socket::new(Domain::for_address(destination), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        match destination {
            SocketAddr::V4(_) => setsockopt(&socket, sockopt::Ipv4RecvErr, &true)?,
            SocketAddr::V6(_) => setsockopt(&socket, sockopt::Ipv6RecvErr, &true)?,
        }
        Ok(socket)
    });
    let socket = socket.map_err(silent)?;
    // What was said is read from the socket after tokio closed its own descriptor of it.
    let twin = socket.try_clone().map_err(|error| silent(failed(&error)))?;
    let started = Instant::now();
    let connecting = TcpSocket::from_std_stream(socket.into()).connect(destination);
    match timeout_at(started + timeout, connecting).await {
        Ok(Ok(_)) => Ok(started.elapsed()),
        Ok(Err(error)) => Err((failed(&error), said(&twin))),
        Err(_) => Err((late(timeout), said(&twin))),
    }
}

/// The first ICMP error that came for a socket: ip(7), IP_RECVERR.
fn said(socket: &Socket) -> Option<Told> {
    let mut ancillary = nix::cmsg_space!(libc::sock_extended_err, libc::sockaddr_in6);
    let mut nothing = [0; 1];
    let mut parts = [IoSliceMut::new(&mut nothing)];
    let message = recvmsg::<SockaddrStorage>(
        socket.as_raw_fd(),
        &mut parts,
        Some(&mut ancillary),
        MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT,
    )
    .ok()?;
    message.cmsgs().ok()?.find_map(|part| match part {
        ControlMessageOwned::Ipv4RecvErr(error, from) if error.ee_origin == ORIGIN_ICMP => {
            let from = from.map(|from| Ipv4Addr::from(from.sin_addr.s_addr.to_ne_bytes()).into());
            Some(Told::Icmp(Complaint::of_icmp(error.ee_type, error.ee_code), from))
        }
        ControlMessageOwned::Ipv6RecvErr(error, from) if error.ee_origin == ORIGIN_ICMP6 => {
            let from = from.map(|from| Ipv6Addr::from(from.sin6_addr.s6_addr).into());
            Some(Told::Icmp(Complaint::of_icmp6(error.ee_type, error.ee_code), from))
        }
        _ => None,
    })
}

/// Sends and reads at once: a peer that sends back what comes stops reading while nobody reads
/// what it sends. What was read, and whether everything was sent.
async fn converse(
    stream: &mut TcpStream,
    send: &[u8],
    receive: usize,
    deadline: Instant,
) -> io::Result<(Vec<u8>, bool)> {
    let (mut reader, mut writer) = stream.split();
    let mut received = Vec::new();
    let mut all_sent = false;
    let write = async {
        writer.write_all(send).await?;
        all_sent = true;
        io::Result::Ok(())
    };
    let read = async {
        // Never above MOST_BYTES, so it fits.
        (&mut reader).take(receive as u64).read_to_end(&mut received).await
    };
    match timeout_at(deadline, async { tokio::try_join!(write, read) }).await {
        Ok(Err(error)) => Err(error),
        // The time was over: what came until then counts.
        Ok(Ok(_)) | Err(_) => Ok((received, all_sent)),
    }
}

/// Sends one datagram and waits for one.
///
/// # Errors
/// Kernel with `ECONNREFUSED` where the destination has nobody on the port, `EMSGSIZE` and the
/// like; Timeout where nothing came; Limit for a datagram above 65,507 bytes.
pub async fn udp(
    namespace: &OwnedFd,
    destination: SocketAddr,
    send: &[u8],
    timeout: Duration,
) -> Result<Vec<u8>, Error> {
    check(destination)?;
    if send.len() > MOST_DATAGRAM {
        return Err(Error::Limit(format!("a datagram has {MOST_DATAGRAM} bytes at most")));
    }
    let operation = format!("send to {destination} by UDP");
    let failed = |error: io::Error| refused(&operation, &error);
    let socket = inside(namespace, &operation, || open_datagram_socket(destination))?;
    let socket = UdpSocket::from_std(socket.into()).map_err(failed)?;
    let exchange = async {
        socket.send_to(send, destination).await?;
        let mut buffer = vec![0; usize::from(u16::MAX)];
        let (length, _) = socket.recv_from(&mut buffer).await?;
        buffer.truncate(length);
        Ok(buffer)
    };
    let deadline = Instant::now() + timeout;
    timeout_at(deadline, exchange).await.map_err(|_| late(timeout))?.map_err(failed)
}

/// Connected, so that only the destination's answers and errors come; but the stations of a group
/// answer with addresses of their own.
fn open_datagram_socket(destination: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(destination), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    if is_group(destination.ip()) {
        socket.set_broadcast(true)?;
        let any = match destination {
            SocketAddr::V4(_) => IpAddr::from(Ipv4Addr::UNSPECIFIED),
            SocketAddr::V6(_) => IpAddr::from(Ipv6Addr::UNSPECIFIED),
        };
        socket.bind(&SocketAddr::new(any, 0).into())?;
    } else {
        socket.connect(&destination.into())?;
    }
    Ok(socket)
}

fn check(destination: SocketAddr) -> Result<(), Error> {
    check_destination(destination.ip(), false)?;
    if destination.port() == 0 {
        return Err(Error::Invalid("port 0 is nobody's; ports are 1 to 65535".to_owned()));
    }
    Ok(())
}
