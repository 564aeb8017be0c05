//! netwright: runs sandboxed recipes that build networks.
//!
//! The modules stand in the order in which a request crosses them; ARCHITECTURE.md has the picture.
//!
//! A build for fuzzing leaves out what needs the engine, and so the engine: Cargo.toml.

#![cfg_attr(
    fuzzing,
    allow(dead_code, unused_imports, reason = "the engine's callers are left out")
)]

pub mod cli;
pub mod scenario;

pub mod recipe;

mod builtin;

#[cfg(not(fuzzing))]
pub mod guest;

#[cfg(not(fuzzing))]
pub mod bindings;
#[cfg(not(fuzzing))]
pub mod host;

pub mod change;
pub mod grant;
pub mod policy;

pub mod capture;
pub mod kernel;

mod attach;
pub mod probe;
pub mod program;
pub mod tap;
pub mod uplink;

mod crash;
pub mod journal;
mod store;

pub mod report;

#[cfg(not(fuzzing))]
pub mod check;
pub mod consent;
#[cfg(not(fuzzing))]
pub mod run;
pub mod state;

pub mod recover;

pub mod lab;

pub mod kept;

pub mod inspect;

pub mod doctor;

pub mod exit;
pub mod resources;

mod near;
