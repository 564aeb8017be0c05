//! A network as data, shared by the built-in recipes that take one: read from their parameters
//! with every fault at once, checked as far as it can be without asking a kernel, and turned into
//! one batch of changes.

mod batch;
mod check;
mod data;
mod fault;
pub mod guest;
mod kind;
mod links;
mod model;
mod qdisc;
mod read;
mod routes;
mod tables;
pub mod values;

pub use batch::{Change, changes};
pub use check::check;
pub use data::{List, Map};
pub use fault::{Fault, Place, quote, suggestion};
pub use links::{existing, links, namespaces};
pub use model::{Existing, Hop, Key, Link, LinkAddress, Lower, Peer, Port, Route, Topology};
pub use read::{At, Fields, Reader, parameters};
pub use routes::{addresses, routes};
pub use tables::{neighbours, rules, sysctls};

#[cfg(test)]
mod tests;
