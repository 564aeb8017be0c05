//! TCP and UDP, both ends.

use std::net::IpAddr;
use std::time::Duration;

use super::ping::judge;
use super::{PATIENCE, milliseconds};
use crate::host;
use crate::link::reference::namespace_words;
use crate::wit::probes::{Connection, Transport};
use crate::{IntoAddress, Namespace, Result};

/// A TCP connection to be made, given a second unless told otherwise.
#[derive(Debug, Clone)]
#[must_use = "a connection is made by `connect`, `expect_open` or `expect_closed`"]
pub struct TcpProbe {
    namespace: Namespace,
    destination: Result<IpAddr>,
    port: u16,
    send: Vec<u8>,
    receive: u32,
    timeout: Duration,
}

impl TcpProbe {
    pub(crate) fn new(namespace: Namespace, destination: impl IntoAddress, port: u16) -> Self {
        let destination = destination.into_address();
        Self { namespace, destination, port, send: Vec::new(), receive: 0, timeout: PATIENCE }
    }

    /// What is sent once the connection is there.
    pub fn send(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.send = bytes.into();
        self
    }

    /// How many bytes of answer are read at most.
    pub fn receive(mut self, bytes: u32) -> Self {
        self.receive = bytes;
        self
    }

    /// How long all of it may take.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Connects, sends, and reads until the peer closes, all bytes came or the time is over.
    pub fn connect(self) -> Result<Connection> {
        Ok(host::probes::tcp(
            self.namespace.handle(),
            self.destination?.into(),
            self.port,
            &self.send,
            self.receive,
            milliseconds(self.timeout),
        )?)
    }

    /// A check of the report: the server accepts. It is an error if it doesn't.
    pub fn expect_open(self) -> Result<()> {
        let name = self.title("reaches")?;
        match self.connect() {
            Ok(connection) => judge(&name, true, &format!("{} us", connection.elapsed_us)),
            Err(error) => judge(&name, false, &error.to_string()),
        }
    }

    /// A check of the report: nobody accepts. It is an error if somebody does.
    pub fn expect_closed(self) -> Result<()> {
        let name = self.title("does not reach")?;
        match self.connect() {
            Ok(connection) => judge(&name, false, &format!("{} us", connection.elapsed_us)),
            Err(error) if error.errno().is_some() || error.is_timeout() => {
                judge(&name, true, &error.to_string())
            }
            Err(error) => Err(error),
        }
    }

    fn title(&self, verb: &str) -> Result<String> {
        let destination = self.destination.clone()?;
        let namespace = namespace_words(self.namespace.name());
        Ok(format!("{namespace} {verb} {destination} port {}", self.port))
    }
}

/// A datagram to be sent, its answer given a second unless told otherwise.
#[derive(Debug, Clone)]
#[must_use = "a datagram is sent by `exchange`"]
pub struct UdpProbe {
    namespace: Namespace,
    destination: Result<IpAddr>,
    port: u16,
    send: Vec<u8>,
    timeout: Duration,
}

impl UdpProbe {
    pub(crate) fn new(namespace: Namespace, destination: impl IntoAddress, port: u16) -> Self {
        let destination = destination.into_address();
        Self { namespace, destination, port, send: Vec::new(), timeout: PATIENCE }
    }

    /// The datagram's bytes.
    pub fn send(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.send = bytes.into();
        self
    }

    /// How long the answer is waited for.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sends one datagram and gives the one that came back.
    pub fn exchange(self) -> Result<Vec<u8>> {
        Ok(host::probes::udp(
            self.namespace.handle(),
            self.destination?.into(),
            self.port,
            &self.send,
            milliseconds(self.timeout),
        )?)
    }
}

/// A server to be started; it discards what comes, unless told otherwise.
#[derive(Debug, Clone)]
#[must_use = "a server is started by `open`"]
pub struct ListenerBuilder {
    namespace: Namespace,
    transport: Transport,
    port: u16,
    echo: bool,
}

impl ListenerBuilder {
    pub(crate) fn new(namespace: Namespace, transport: Transport, port: u16) -> Self {
        Self { namespace, transport, port, echo: false }
    }

    /// Sends back what comes.
    pub fn echo(mut self) -> Self {
        self.echo = true;
        self
    }

    /// Starts it.
    pub fn open(self) -> Result<Listener> {
        let handle = self.namespace.handle();
        let handle = host::probes::Listener::open(handle, self.transport, self.port, self.echo)?;
        Ok(Listener { handle })
    }
}

/// A server in a namespace. Dropping it stops the server.
#[derive(Debug)]
pub struct Listener {
    handle: host::probes::Listener,
}

impl Listener {
    /// The port that it serves.
    pub fn port(&self) -> u16 {
        self.handle.port()
    }

    /// Connections, or datagrams, so far.
    pub fn accepted(&self) -> u64 {
        self.handle.accepted()
    }
}
