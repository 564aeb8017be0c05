//! `probes`: asked inside a namespace. They read and send, but change nothing.

use std::net::SocketAddr;
use std::time::Duration;

use wasmtime::component::Resource;

use super::handle::namespace;
use super::{Host, ListenerHandle, NamespaceHandle, PingingHandle, Refusal, convert};
use crate::host::bindings::netwright::host::probes;
use crate::host::bindings::netwright::host::types::{IpAddress, MacAddress};
use crate::kernel::Error;
use crate::probe;

type Namespace = Resource<NamespaceHandle>;

/// Bytes that one TCP probe may read.
const LONGEST_ANSWER: u32 = 1 << 20;

fn milliseconds(number: u32) -> Duration {
    Duration::from_millis(number.into())
}

fn microseconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_micros()).unwrap_or(u32::MAX)
}

impl Host {
    /// The handle's namespace as a descriptor, after the policy was asked.
    pub(super) fn inside(
        &mut self,
        handle: &Namespace,
    ) -> Result<std::sync::Arc<std::os::fd::OwnedFd>, Refusal> {
        let reference = namespace(&self.table, handle)?;
        Ok(self.session.descriptor(&reference)?)
    }
}

fn ping_options(options: probes::PingOptions) -> Result<probe::Options, Error> {
    Ok(probe::Options {
        count: options.count,
        interval: milliseconds(options.interval_ms),
        timeout: milliseconds(options.timeout_ms),
        size: options.size,
        whole: options.whole,
        source: options.source.as_deref().map(str::parse).transpose()?,
        anybody: false,
    })
}

fn echo_out(echo: probe::Echo) -> probes::Echo {
    probes::Echo {
        sent: echo.sent,
        received: echo.received,
        minimum_us: microseconds(echo.minimum),
        average_us: microseconds(echo.average),
        maximum_us: microseconds(echo.maximum),
    }
}

fn condition(condition: probes::Condition) -> Result<probe::Condition, Error> {
    Ok(match condition {
        probes::Condition::LinkCarrier(link) => {
            probe::Condition::LinkCarrier(convert::existing_link(&link)?)
        }
        probes::Condition::LinkNoCarrier(link) => {
            probe::Condition::LinkNoCarrier(convert::existing_link(&link)?)
        }
        probes::Condition::LinkGone(link) => {
            probe::Condition::LinkGone(convert::existing_link(&link)?)
        }
        probes::Condition::AddressReady((link, address)) => probe::Condition::AddressReady {
            link: convert::existing_link(&link)?,
            address: convert::ip(address),
        },
        probes::Condition::RouteTo(address) => probe::Condition::RouteTo(convert::ip(address)),
        probes::Condition::Neighbour((link, address)) => {
            let link = convert::existing_link(&link)?;
            probe::Condition::Neighbour { link, address: convert::ip(address) }
        }
        probes::Condition::Answers(address) => probe::Condition::Answers(convert::ip(address)),
        probes::Condition::Silent(address) => probe::Condition::Silent(convert::ip(address)),
    })
}

impl probes::Host for Host {
    async fn ping(
        &mut self,
        handle: Namespace,
        destination: IpAddress,
        options: probes::PingOptions,
    ) -> Result<probes::Echo, Refusal> {
        let namespace = self.inside(&handle)?;
        let options = ping_options(options)?;
        Ok(echo_out(probe::ping(&namespace, convert::ip(destination), &options).await?))
    }

    async fn arp(
        &mut self,
        handle: Namespace,
        link: String,
        address: IpAddress,
        timeout_ms: u32,
    ) -> Result<Vec<MacAddress>, Refusal> {
        let namespace = self.inside(&handle)?;
        let link = convert::existing_link(&link)?;
        let stations =
            probe::arp(&namespace, &link, convert::ip(address), milliseconds(timeout_ms)).await?;
        Ok(stations.into_iter().map(convert::mac_out).collect())
    }

    async fn tcp(
        &mut self,
        handle: Namespace,
        destination: IpAddress,
        port: u16,
        send: Vec<u8>,
        receive: u32,
        timeout_ms: u32,
    ) -> Result<probes::Connection, Refusal> {
        let namespace = self.inside(&handle)?;
        let destination = SocketAddr::new(convert::ip(destination), port);
        let receive = receive.min(LONGEST_ANSWER) as usize;
        let timeout = milliseconds(timeout_ms);
        let connection = probe::tcp(&namespace, destination, &send, receive, timeout).await?;
        Ok(probes::Connection {
            elapsed_us: microseconds(connection.elapsed),
            local_port: connection.local_port,
            received: connection.received,
        })
    }

    async fn udp(
        &mut self,
        handle: Namespace,
        destination: IpAddress,
        port: u16,
        send: Vec<u8>,
        timeout_ms: u32,
    ) -> Result<Vec<u8>, Refusal> {
        let namespace = self.inside(&handle)?;
        let timeout = milliseconds(timeout_ms);
        let destination = SocketAddr::new(convert::ip(destination), port);
        Ok(probe::udp(&namespace, destination, &send, timeout).await?)
    }

    async fn wait_until(
        &mut self,
        handle: Namespace,
        until: probes::Condition,
        timeout_ms: u32,
    ) -> Result<u64, Refusal> {
        let namespace = self.inside(&handle)?;
        let until = condition(until)?;
        Ok(probe::wait_until(&namespace, &until, milliseconds(timeout_ms)).await?)
    }
}

impl probes::HostListener for Host {
    async fn open(
        &mut self,
        handle: Namespace,
        transport: probes::Transport,
        port: u16,
        echo: bool,
    ) -> Result<Resource<ListenerHandle>, Refusal> {
        let namespace = self.inside(&handle)?;
        let transport = match transport {
            probes::Transport::Tcp => probe::Transport::Tcp,
            probes::Transport::Udp => probe::Transport::Udp,
        };
        let listener = probe::Listener::open(&namespace, transport, port, echo)?;
        Ok(self.table.push(ListenerHandle(listener))?)
    }

    async fn port(&mut self, handle: Resource<ListenerHandle>) -> wasmtime::Result<u16> {
        Ok(self.table.get(&handle)?.0.port())
    }

    async fn accepted(&mut self, handle: Resource<ListenerHandle>) -> wasmtime::Result<u64> {
        // As for a ping: whoever asks in a loop must let the server run.
        tokio::task::yield_now().await;
        Ok(self.table.get(&handle)?.0.accepted())
    }

    async fn drop(&mut self, handle: Resource<ListenerHandle>) -> wasmtime::Result<()> {
        // Its port is free when this returns.
        self.table.delete(handle)?.0.close().await;
        Ok(())
    }
}

impl probes::HostPinging for Host {
    async fn start(
        &mut self,
        handle: Namespace,
        destination: IpAddress,
        options: probes::PingOptions,
    ) -> Result<Resource<PingingHandle>, Refusal> {
        let namespace = self.inside(&handle)?;
        let options = ping_options(options)?;
        let pinging = probe::Pinging::start(&namespace, convert::ip(destination), &options)?;
        Ok(self.table.push(PingingHandle { pinging: Some(pinging), echo: None })?)
    }

    async fn finished(
        &mut self,
        handle: Resource<PingingHandle>,
    ) -> Result<Option<probes::Echo>, Refusal> {
        // A recipe that asks again and again would leave the ping itself no time.
        tokio::task::yield_now().await;
        let handle = self.table.get_mut(&handle)?;
        let echo = match (handle.echo, handle.pinging.take()) {
            (Some(echo), _) => echo,
            (None, Some(pinging)) if pinging.is_finished() => pinging.finish().await?,
            (None, unfinished) => {
                handle.pinging = unfinished;
                return Ok(None);
            }
        };
        handle.echo = Some(echo);
        Ok(Some(echo_out(echo)))
    }

    async fn drop(&mut self, handle: Resource<PingingHandle>) -> wasmtime::Result<()> {
        self.table.delete(handle)?;
        Ok(())
    }
}
