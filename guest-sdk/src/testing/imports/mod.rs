//! The contract's functions as the in-memory host answers them, module by module with the names
//! and types of the generated ones.

mod building;
mod frames;
mod layer3;
mod plain;
mod probing;
mod programs;
mod run;
mod sending;

pub use building::{batch, links, namespaces};
pub use frames::{captures, taps};
pub use layer3::{addresses, fdb, neighbours, routes, rules, sysctls};
pub use plain::{clock, notation};
pub use probing::probes;
pub use programs::exec;
pub use run::{log, params, report};
pub use sending::{qdisc, vlans};

pub use crate::wit::netwright::host::types;
