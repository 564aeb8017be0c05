//! The recipe: its parameters by name, and its run.

use netwright_sdk::prelude::*;
use netwright_topology::guest::{self, Plan};
use netwright_topology::{List, Map, Reader};
use serde_json::Value;

use crate::Request;

/// What the recipe takes.
#[derive(Params)]
#[allow(dead_code, reason = "read as one map, so that each fault has its place")]
struct Given {
    /// names; the root namespace needs none
    namespaces: Option<List>,
    /// { name, namespace, kind, parent, peer, mode, addresses, … }
    links: Option<List>,
    /// { namespace, link, address } beside those of the links
    addresses: Option<List>,
    /// { namespace, destination, gateway, link, metric, table, kind, next-hops }
    routes: Option<List>,
    /// { namespace, priority, from, to, table }
    rules: Option<List>,
    /// { namespace, link, address, mac }
    neighbours: Option<List>,
    /// { namespace, key, value }
    sysctls: Option<List>,
    /// { namespaces, links } that are there before and may be referred to
    existing: Option<Map>,
    /// makes and changes only what isn't so already
    #[param(default = false)]
    ensure: bool,
}

/// Brings a network about that is given as data, in one batch
#[recipe(
    name = "topology",
    version = "0.1.0",
    check = check,
    capabilities(
        "host.link.read" = "links that its own refer to",
        "host.link.create" = "`links`",
        "host.link.modify" = "ports of its bridges, and `neighbours` of links that were there",
        "host.address.add" = "`addresses`",
        "host.route.add" = "`routes` and `rules`",
        "host.route.default" = "`routes` to `default`",
        "host.namespace" = "`namespaces`",
        "uplink" = "links on a link of the host, from inside a lab",
        "uplink.passthru" = "macvlans of mode passthru on a link that was there",
        "host.forwarding" = "`sysctls` that make a router",
        "host.sysctl" = "`sysctls`",
    )
)]
fn topology(_lab: &Lab, _given: Given) -> Result<()> {
    guest::run(read)
}

fn check(_: &Given) -> Vec<Fault> {
    guest::check(read)
}

fn read(given: &Value, reader: &mut Reader) -> Option<Plan> {
    let Request { topology, ensure } = crate::read(given, reader)?;
    Some(Plan { topology, ensure, lines: Vec::new(), prepare: Box::new(|_| Ok(())) })
}
