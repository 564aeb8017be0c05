//! What somebody wrote, in YAML or on the command line: read whole, each value with its place, each fault
//! with the text around it.

mod fault;
mod given;
mod read;
mod scalar;
pub(crate) mod text;
mod tree;
mod yaml;

pub use fault::{Fault, Faults, Location};
pub(crate) use fault::{Sources, Span, quote, suggestion};
pub use given::Override;
pub(crate) use read::{Fields, Reader};
pub(crate) use tree::{Entry, Node, Piece, Text, Value};
pub(crate) use yaml::read as yaml;
