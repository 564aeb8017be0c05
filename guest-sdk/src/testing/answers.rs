//! What a test says of the world outside of the recipe: who answers which probe.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::network::NamespaceId;
use crate::wit::probes::Transport;
use crate::wit::types::{Error, MacAddress};

/// The first port that is given to a server which asked for none.
const FREE_PORTS: u16 = 40001;

/// A server that the recipe has opened.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    pub(crate) namespace: NamespaceId,
    pub(crate) transport: Transport,
    pub(crate) port: u16,
    pub(crate) echo: bool,
    pub(crate) accepted: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Answers {
    /// the namespace that asks, none for all, and who answers
    pings: Vec<(Option<String>, IpAddr)>,
    stations: Vec<(IpAddr, MacAddress)>,
    /// what strangers' servers answer
    services: Vec<(Transport, IpAddr, u16, Vec<u8>)>,
    pub(crate) servers: BTreeMap<usize, Server>,
    opened: usize,
}

impl Answers {
    pub(crate) fn add_ping(&mut self, from: Option<String>, to: IpAddr) {
        self.pings.push((from, to));
    }

    pub(crate) fn add_station(&mut self, address: IpAddr, mac: MacAddress) {
        self.stations.push((address, mac));
    }

    pub(crate) fn add_service(&mut self, of: Transport, to: IpAddr, port: u16, answer: Vec<u8>) {
        self.services.push((of, to, port, answer));
    }

    pub(crate) fn pings(&self, from: &str, to: IpAddr) -> bool {
        let fits = |asks: &Option<String>| asks.as_deref().is_none_or(|asks| asks == from);
        self.pings.iter().any(|(asks, answers)| *answers == to && fits(asks))
    }

    pub(crate) fn stations(&self, address: IpAddr) -> Vec<MacAddress> {
        let known = self.stations.iter().filter(|(of, _)| *of == address);
        known.map(|(_, mac)| *mac).collect()
    }

    pub(crate) fn service(&self, of: Transport, to: IpAddr, port: u16) -> Option<Vec<u8>> {
        let mut services = self.services.iter();
        let found = services.find(|(kind, at, number, _)| (*kind, *at, *number) == (of, to, port));
        found.map(|(_, _, _, answer)| answer.clone())
    }

    pub(crate) fn open(&mut self, mut server: Server) -> Result<(usize, u16), Error> {
        let taken = |port: u16| {
            self.servers.values().any(|known| {
                (known.namespace, known.transport, known.port)
                    == (server.namespace, server.transport, port)
            })
        };
        if server.port == 0 {
            let free = (FREE_PORTS..=u16::MAX).find(|port| !taken(*port));
            server.port = free.ok_or_else(|| Error::Limit("ports".to_owned()))?;
        } else if taken(server.port) {
            return Err(Error::Invalid(format!("port {} has a server already", server.port)));
        }
        let port = server.port;
        self.opened += 1;
        self.servers.insert(self.opened, server);
        Ok((self.opened, port))
    }

    pub(crate) fn accepted(&self, number: usize) -> u64 {
        self.servers.get(&number).map_or(0, |server| server.accepted)
    }

    pub(crate) fn close(&mut self, number: usize) {
        self.servers.remove(&number);
    }
}
