//! What netwright asks of Linux: changes of a network and what takes them back, what is sent and seen
//! inside a namespace, and whether work may go on.
//!
//! Neither recipes nor their engine are needed for it, nor is anything known here of who asks:
//! [`kernel::Permitted`] says that somebody has decided.

pub mod clock;
pub mod halt;
pub mod rights;
pub mod text;

pub use netwright_network::change;

pub mod records;

pub mod kernel;

pub mod capture;
pub mod probe;
pub mod tap;
