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

pub use netwright_network::change;

pub mod capture;
pub mod kernel;

mod attach;
pub mod probe;
pub mod program;
pub mod tap;
pub mod text;
pub mod uplink;

mod clock;
mod crash;
mod file;
pub mod journal;
pub mod records;
mod store;

pub mod report;

pub mod check;
pub mod consent;
mod rights;
pub mod run;
pub mod state;

pub mod recover;

pub mod lab;

pub mod kept;

#[cfg(not(fuzzing))]
pub mod doctor;

mod document;
pub mod exit;
pub mod halt;
mod process;
pub mod resources;

mod naming;
mod near;
