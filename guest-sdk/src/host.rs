//! The seam: the contract's functions as they are, without this crate's comforts.
//!
//! In a recipe they are the host's. Everywhere else the same functions, with the same types, are
//! answered by [`testing::MemoryHost`](crate::testing::MemoryHost), so that whatever is written
//! with them can be tested.

#[cfg(target_arch = "wasm32")]
pub use crate::wit::netwright::host::{
    addresses, batch, captures, clock, exec, fdb, links, log, namespaces, neighbours, notation,
    params, probes, qdisc, report, routes, rules, sysctls, taps, types, vlans,
};

#[cfg(not(target_arch = "wasm32"))]
pub use crate::testing::imports::{
    addresses, batch, captures, clock, exec, fdb, links, log, namespaces, neighbours, notation,
    params, probes, qdisc, report, routes, rules, sysctls, taps, types, vlans,
};
