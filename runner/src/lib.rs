//! netwright: runs sandboxed recipes that build networks.
//!
//! The modules stand in the order in which a request crosses them; ARCHITECTURE.md has the picture.

pub mod cli;
pub mod scenario;

pub mod recipe;

mod builtin;

pub mod guest;

pub mod host;

pub mod grant;
pub mod policy;

/// What the crate below asks of Linux.
pub use netwright_linux::{capture, change, halt, kernel, probe, records, tap, text};
pub(crate) use netwright_linux::{clock, rights};

mod attach;
pub mod program;
pub mod uplink;

mod crash;
mod file;
pub mod journal;
mod store;

pub mod report;

pub mod check;
pub mod consent;
pub mod run;
pub mod state;

pub mod recover;

pub mod lab;

pub mod kept;

#[cfg(not(fuzzing))]
pub mod doctor;

mod document;
pub mod exit;
mod process;
pub mod resources;

mod naming;
mod near;
