//! `builtin:macvlan-network`: what `docker network create -d macvlan` and `docker run --ip` do,
//! for namespaces.

mod endpoint;

mod ipam;
mod network;
mod recipe;

use netwright_topology::values::Prefix;
use netwright_topology::{At, Reader, Topology};
use serde_json::Value;

use network::Network;
pub use recipe::RECIPE;

/// What the parameters ask for.
#[derive(Debug)]
pub struct Request {
    pub topology: Topology,
    /// a line for each endpoint
    pub lines: Vec<String>,
    /// the network's name
    pub name: String,
    pub share_parent: bool,
    pub subnets: Vec<Prefix>,
}

/// Reads every parameter; nothing is to be made where the reader has faults afterwards.
pub fn read(given: &Value, reader: &mut Reader) -> Option<Request> {
    let mut fields = reader.fields(&At::everything(given), "`builtin:macvlan-network`")?;
    let mut network = Network::read(&mut fields, reader);
    let endpoints = endpoint::read(&mut fields, &network, reader);
    let mut topology = Topology::default();
    for (parent, _) in &network.parents {
        let namespace = parent.namespace.clone().unwrap_or_default();
        if !namespace.is_empty() {
            topology.existing.namespaces.insert(namespace.clone());
        }
        topology.existing.links.insert((namespace, parent.name.clone()));
    }
    let given = endpoint::addresses(&endpoints, &mut network, reader);
    let mut lines = Vec::new();
    for (endpoint, given) in endpoints.iter().zip(&given) {
        lines.push(endpoint::plan(endpoint, given, &network, &mut topology));
    }
    if reader.faults.is_empty() {
        netwright_topology::check(&topology, reader);
    }
    let subnets = network.pools.iter().map(|pool| pool.subnet).collect();
    let (name, share_parent) = (network.name, network.share_parent);
    Some(Request { topology, lines, name, share_parent, subnets })
}

#[cfg(test)]
mod tests;
