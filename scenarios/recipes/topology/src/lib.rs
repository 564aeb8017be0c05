//! `builtin:topology`: a network given as data, brought about in one batch.

mod recipe;

use netwright_topology::{At, Reader, Topology};
use serde_json::Value;

pub use recipe::RECIPE;

/// What the parameters ask for.
#[derive(Debug)]
pub struct Request {
    pub topology: Topology,
    pub ensure: bool,
}

/// Reads every parameter; nothing is made where the reader has faults afterwards.
pub fn read(given: &Value, reader: &mut Reader) -> Option<Request> {
    let mut topology = Topology::default();
    let mut fields = reader.fields(&At::everything(given), "`builtin:topology`")?;
    if let Some(at) = fields.get("existing") {
        topology.existing = netwright_topology::existing(&at, reader);
    }
    let ensure = fields.get("ensure").and_then(|at| reader.boolean(&at)).unwrap_or(false);
    let readers = [
        ("namespaces", netwright_topology::namespaces as fn(&At<'_>, &mut Topology, &mut Reader)),
        ("links", netwright_topology::links),
        ("addresses", netwright_topology::addresses),
        ("routes", netwright_topology::routes),
        ("rules", netwright_topology::rules),
        ("neighbours", netwright_topology::neighbours),
        ("sysctls", netwright_topology::sysctls),
    ];
    let mut given = false;
    for (name, read) in readers {
        if let Some(at) = fields.get(name) {
            read(&at, &mut topology, reader);
            given = true;
        }
    }
    if !given {
        let place = fields.place().clone();
        let help = Some("give `namespaces`, `links`, `addresses` or `routes`".to_owned());
        reader.fault_with(&place, "the topology is empty", help);
    }
    netwright_topology::check(&topology, reader);
    Some(Request { topology, ensure })
}

#[cfg(test)]
mod tests;
