//! What the component asks the kernel before it makes the network: which namespaces are there,
//! and whose the parent is.

use netwright_sdk::wit::netwright::host::links::{self, Info};
use netwright_sdk::wit::netwright::host::namespaces::{self, Namespace};
use netwright_sdk::wit::netwright::host::types::Error;
use netwright_topology::{Key, Reader, Topology};
use serde_json::Value;

use crate::endpoint::ALIAS;

fn read(given: &Value, reader: &mut Reader) -> Option<netwright_topology::guest::Plan> {
    let request = crate::read(given, reader)?;
    let (name, share) = (request.name, request.share_parent);
    Some(netwright_topology::guest::Plan {
        topology: request.topology,
        lines: request.lines,
        prepare: Box::new(move |topology| prepare(topology, &name, share)),
    })
}

/// Leaves out the namespaces that are there, and refuses a parent that another network has.
fn prepare(topology: &mut Topology, name: &str, share_parent: bool) -> Result<(), Error> {
    let there = namespaces::list_names()?;
    if !share_parent {
        unshared(topology, name, &there)?;
    }
    topology.namespaces.retain(|(name, _)| !there.contains(name));
    topology.existing.namespaces.extend(there);
    Ok(())
}

fn unshared(topology: &Topology, name: &str, there: &[String]) -> Result<(), Error> {
    let root = Namespace::root()?;
    refuse_used(topology, name, "", &root)?;
    for space in there {
        refuse_used(topology, name, space, &Namespace::open(space)?)?;
    }
    Ok(())
}

fn refuse_used(
    topology: &Topology,
    name: &str,
    space: &str,
    namespace: &Namespace,
) -> Result<(), Error> {
    for link in links::list_all(namespace)? {
        let Some(user) = link.alias.as_deref().and_then(|alias| alias.strip_prefix(ALIAS)) else {
            continue;
        };
        let Some(parent) = parent(space, &link) else { continue };
        if user != name && topology.existing.links.contains(&parent) {
            let (space, parent) = parent;
            let shown = if space.is_empty() { parent } else { format!("{space}/{parent}") };
            return Err(Error::Invalid(format!(
                "parent `{shown}` is already used by network `{user}`\n  help: `share-parent: true` lets both use it"
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

netwright_topology::component!(read, "manifest.json");
