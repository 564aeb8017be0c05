//! A server inside a namespace, TCP or UDP.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::sleep;

use super::datagrams;
use super::socket::{inside, on_runtime, refused};
use crate::kernel::Error;

/// Connections served at a time; further ones wait in the kernel until one ends.
const MOST_CONNECTIONS: usize = 64;
/// Connections that wait so. The kernel takes no more than net.core.somaxconn.
const BACKLOG: i32 = 1024;
/// While there are no descriptors for a new connection.
const PAUSE: Duration = Duration::from_millis(50);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    Tcp,
    Udp,
}

/// Listens on all addresses of both families until it is dropped.
#[derive(Debug)]
pub struct Listener {
    port: u16,
    accepted: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Listener {
    /// Port 0 takes a free one. With `echo` what comes is sent back, otherwise it is discarded.
    ///
    /// # Errors
    /// Kernel: `EADDRINUSE` where the port is taken.
    pub fn open(
        namespace: &OwnedFd,
        transport: Transport,
        port: u16,
        echo: bool,
    ) -> Result<Self, Error> {
        let operation = match transport {
            Transport::Tcp => format!("listen on TCP port {port}"),
            Transport::Udp => format!("listen on UDP port {port}"),
        };
        let failed = |error: io::Error| refused(&operation, &error);
        let socket = inside(namespace, &operation, || open_socket(transport, port))?;
        let local = socket.local_addr().map_err(failed)?;
        let port = local.as_socket().map_or(port, |address| address.port());
        let accepted = Arc::<AtomicU64>::default();
        let count = Arc::clone(&accepted);
        let task = match transport {
            Transport::Tcp => {
                let listener = TcpListener::from_std(socket.into()).map_err(failed)?;
                tokio::spawn(serve_connections(listener, echo, count))
            }
            Transport::Udp => {
                let socket = on_runtime(socket.into(), &operation)?;
                tokio::spawn(datagrams::serve(socket, echo, count))
            }
        };
        Ok(Self { port, accepted, task })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Connections, or datagrams, so far.
    pub fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Closes the port and every connection before it returns; dropping does so soon after.
    pub async fn close(mut self) {
        self.task.abort();
        // Ends as cancelled, or as it ended before.
        let _ended = (&mut self.task).await;
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A socket of IPv6 takes both families; where the kernel has no IPv6, one of IPv4.
fn open_socket(transport: Transport, port: u16) -> io::Result<Socket> {
    let (kind, protocol) = match transport {
        Transport::Tcp => (Type::STREAM, Protocol::TCP),
        Transport::Udp => (Type::DGRAM, Protocol::UDP),
    };
    let (socket, any) = match Socket::new(Domain::IPV6, kind, Some(protocol)) {
        Ok(socket) => {
            socket.set_only_v6(false)?;
            (socket, IpAddr::from(Ipv6Addr::UNSPECIFIED))
        }
        Err(error) if error.raw_os_error() == Some(libc::EAFNOSUPPORT) => {
            let socket = Socket::new(Domain::IPV4, kind, Some(protocol))?;
            (socket, IpAddr::from(Ipv4Addr::UNSPECIFIED))
        }
        Err(error) => return Err(error),
    };
    socket.set_nonblocking(true)?;
    match transport {
        Transport::Tcp => {
            // A port whose last connections are in TIME-WAIT is free (socket(7), SO_REUSEADDR).
            socket.set_reuse_address(true)?;
            socket.bind(&SocketAddr::new(any, port).into())?;
            socket.listen(BACKLOG)?;
        }
        Transport::Udp => {
            datagrams::ask_for_destinations(&socket, any.is_ipv6())?;
            socket.bind(&SocketAddr::new(any, port).into())?;
        }
    }
    Ok(socket)
}

async fn serve_connections(listener: TcpListener, echo: bool, count: Arc<AtomicU64>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if connections.len() < MOST_CONNECTIONS => {
                match accepted {
                    Ok((stream, _)) => {
                        count.fetch_add(1, Ordering::Relaxed);
                        connections.spawn(serve(stream, echo));
                    }
                    Err(_) => sleep(PAUSE).await,
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Until the peer closes or breaks the connection, which is its own affair.
async fn serve(mut stream: TcpStream, echo: bool) {
    let (mut reader, mut writer) = stream.split();
    let _broken = if echo {
        tokio::io::copy(&mut reader, &mut writer).await
    } else {
        tokio::io::copy(&mut reader, &mut tokio::io::sink()).await
    };
}
