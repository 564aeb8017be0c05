//! The recipe: its parameters by name, and what it asks the kernel before it makes the network:
//! which namespaces are there, and whose the parent is.

use netwright_sdk::host::addresses;
use netwright_sdk::host::links;
use netwright_sdk::host::namespaces::{self, Namespace};
use netwright_sdk::prelude::*;
use netwright_sdk::wit::links::Info;
use netwright_sdk::wit::types::Error as Refused;
use netwright_topology::guest;
use netwright_topology::values::{self, Prefix};
use netwright_topology::{Key, List, Map, Reader, Topology};
use serde_json::Value;

use crate::endpoint::ALIAS;

/// RT_SCOPE_LINK of linux/rtnetlink.h.
const LINK_SCOPE: u8 = 253;

/// Docker's words for how the endpoints see each other.
#[derive(ParamValue)]
enum Mode {
    Bridge,
    Vepa,
    Private,
    Passthru,
}

/// What the recipe takes.
#[derive(Params)]
#[allow(dead_code, reason = "read as one map, so that each fault has its place")]
struct Given {
    /// the network's name, for messages
    #[param(default = "macvlan")]
    name: String,
    /// PREFIX, or a list of them
    subnet: List,
    /// ADDRESS, or a list of them, one for a subnet; otherwise the first free one
    gateway: Option<List>,
    /// PREFIX within a subnet: addresses are given from here
    ip_range: Option<List>,
    /// { NAME: ADDRESS } that must not be given to endpoints
    aux_address: Option<Map>,
    /// NAME or NAMESPACE/NAME, or a list of them, one for a node
    parent: List,
    /// how the endpoints see each other
    #[param(default = "bridge")]
    mode: Mode,
    /// of every endpoint
    #[param(range = 68..=65535)]
    mtu: Option<u32>,
    /// of the default routes
    metric: Option<u32>,
    /// no default route
    #[param(default = false)]
    internal: bool,
    /// allow a parent that another network uses
    #[param(default = false)]
    share_parent: bool,
    /// NAME or { name, namespace, link, node, ip, ip6, mac }
    endpoints: List,
}

/// A macvlan network as `docker network create -d macvlan` makes it, for namespaces
#[recipe(
    name = "macvlan-network",
    version = "0.1.0",
    check = check,
    capabilities(
        "host.link.read" = "which networks use the parent already",
        "host.link.create kind=macvlan" = "an endpoint is a macvlan link on the parent",
        "host.address.add" = "the endpoints' addresses",
        "host.route.default" = "the endpoints' default routes",
        "host.namespace" = "the endpoints' namespaces",
        "uplink" = "links on a link of the host, from inside a lab",
        "uplink.passthru" = "a network of mode passthru",
    )
)]
fn macvlan_network(_lab: &Lab, _given: Given) -> Result<()> {
    guest::run(read)
}

fn check(_: &Given) -> Vec<Fault> {
    guest::check(read)
}

fn read(given: &Value, reader: &mut Reader) -> Option<guest::Plan> {
    let request = crate::read(given, reader)?;
    let (name, share_parent, subnets) = (request.name, request.share_parent, request.subnets);
    Some(guest::Plan {
        topology: request.topology,
        ensure: false,
        lines: request.lines,
        prepare: Box::new(move |topology| {
            prepare(topology, &Asked { name, share_parent, subnets })
        }),
    })
}

/// What matters to the networks that are there.
struct Asked {
    name: String,
    share_parent: bool,
    subnets: Vec<Prefix>,
}

/// Leaves out the namespaces that are there, and refuses a parent that another network has.
fn prepare(topology: &mut Topology, asked: &Asked) -> Result<(), Refused> {
    let there = namespaces::list_names()?;
    refuse_used(topology, asked, "", &Namespace::root()?)?;
    for space in &there {
        refuse_used(topology, asked, space, &Namespace::open(space)?)?;
    }
    topology.namespaces.retain(|(name, _)| !there.contains(name));
    topology.existing.namespaces.extend(there);
    Ok(())
}

fn refuse_used(
    topology: &Topology,
    asked: &Asked,
    space: &str,
    namespace: &Namespace,
) -> Result<(), Refused> {
    for link in links::list_all(namespace)? {
        let Some(user) = link.alias.as_deref().and_then(|alias| alias.strip_prefix(ALIAS)) else {
            continue;
        };
        let Some(parent) = parent(space, &link) else { continue };
        if user == asked.name || !topology.existing.links.contains(&parent) {
            continue;
        }
        let (above, parent) = parent;
        let shown = if above.is_empty() { parent } else { format!("{above}/{parent}") };
        if !asked.share_parent {
            return Err(Refused::Invalid(format!(
                "parent `{shown}` is already used by network `{user}`\n  help: `share-parent: true` lets both use it"
            )));
        }
        refuse_overlap(asked, user, &shown, &link.name, namespace)?;
    }
    Ok(())
}

/// Two networks on one parent are one broadcast domain: an address must mean one station.
fn refuse_overlap(
    asked: &Asked,
    user: &str,
    parent: &str,
    link: &str,
    namespace: &Namespace,
) -> Result<(), Refused> {
    for info in addresses::list_all(namespace, None)?.iter().filter(|info| info.link == link) {
        let theirs = values::from_wit(info.address.prefix);
        // What the kernel gives each link by itself is of no network.
        if theirs.address.is_ipv6() && info.address.scope == Some(LINK_SCOPE) {
            continue;
        }
        let overlaps =
            |ours: &&Prefix| ours.contains(theirs.address) || theirs.contains(ours.address);
        if let Some(ours) = asked.subnets.iter().find(overlaps) {
            let network = theirs.network();
            return Err(Refused::Invalid(format!(
                "subnet {ours} of network `{}` overlaps {network} of network `{user}` on parent `{parent}`",
                asked.name
            )));
        }
    }
    Ok(())
}

/// A parent without a namespace is in its child's own.
fn parent(space: &str, link: &Info) -> Option<Key> {
    let parent = link.parent.as_ref()?;
    let namespace = parent.namespace.clone().unwrap_or_else(|| space.to_owned());
    Some((namespace, parent.name.clone()))
}
