//! Probes: questions that the host asks inside a namespace, without external programs.

mod ping;
mod stream;
mod wait;

use std::time::Duration;

pub use ping::{Ping, Pinging};
pub use stream::{Listener, ListenerBuilder, TcpProbe, UdpProbe};
pub use wait::Condition;

use crate::host;
use crate::wit::probes::Transport;
use crate::{IntoAddress, Link, MacAddress, Namespace, Result};

/// How long a probe waits for an answer unless told otherwise.
const PATIENCE: Duration = Duration::from_secs(1);

/// A duration as the contract has it; more than 49 days are cut to that.
pub(crate) fn milliseconds(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}

impl Namespace {
    /// ICMP echo requests to an address: `.expect_reply()?`, `.expect_silence()?` or `.run()?`. As
    /// `ping`.
    pub fn ping(&self, destination: impl IntoAddress) -> Ping {
        Ping::new(self.clone(), destination)
    }

    /// A TCP connection to a server. As `nc`.
    pub fn tcp(&self, destination: impl IntoAddress, port: u16) -> TcpProbe {
        TcpProbe::new(self.clone(), destination, port)
    }

    /// A datagram to a server, and its answer. As `nc -u`.
    pub fn udp(&self, destination: impl IntoAddress, port: u16) -> UdpProbe {
        UdpProbe::new(self.clone(), destination, port)
    }

    /// A server in this namespace, which lives as long as its handle; port 0 takes a free one. As
    /// `nc -l`.
    pub fn listen(&self, transport: Transport, port: u16) -> ListenerBuilder {
        ListenerBuilder::new(self.clone(), transport, port)
    }

    /// Waits until something holds and says how long it took; an error if it doesn't in time.
    pub fn wait_until(&self, condition: Condition, at_most: Duration) -> Result<Duration> {
        let condition = condition.finish()?;
        let took = host::probes::wait_until(self.handle(), &condition, milliseconds(at_most))?;
        Ok(Duration::from_millis(took))
    }
}

impl Link {
    /// Which stations answer for an IPv4 address on this link, the first one first. As `arping`.
    pub fn arp(&self, address: impl IntoAddress) -> Result<Vec<MacAddress>> {
        self.arp_within(address, PATIENCE)
    }

    /// The same, with the time to wait.
    pub fn arp_within(&self, address: impl IntoAddress, wait: Duration) -> Result<Vec<MacAddress>> {
        let address = address.into_address()?.into();
        let namespace = self.namespace();
        let stations =
            host::probes::arp(namespace.handle(), &self.name(), address, milliseconds(wait))?;
        Ok(stations.into_iter().map(MacAddress::from).collect())
    }
}
