//! What the broker and a guest's process say to each other.

use serde::{Deserialize, Serialize};

use super::calls::Call;
use super::wire::Bytes;
use crate::host::bindings::exports::netwright::host::guest::Fault;
use crate::host::bindings::netwright::host::types;

/// The broker's first message: what is to be done with the file in standard output.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Load {
    /// bytes that the process may take, beside what it takes without a recipe
    pub(super) memory: usize,
    pub(super) work: Work,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Work {
    /// It has WebAssembly, and shall have machine code.
    Compile,
    /// It has machine code.
    Run { imports_wasi: bool, bounds: Bounds },
}

/// What the engine itself bounds: a recipe that reaches one of them is stopped where it is.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Bounds {
    pub(super) memory: usize,
    pub(super) table_elements: usize,
    pub(super) call_bytes: usize,
    pub(super) handles: usize,
    /// of what goes to WASI's standard output and error
    pub(super) written_bytes: usize,
}

/// The broker's order to call one of the recipe's exports.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Order {
    pub(super) export: Export,
    pub(super) params: Vec<(String, String)>,
    pub(super) dry_run: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Export {
    Check,
    Run,
}

/// All that a guest can say.
#[derive(Serialize, Deserialize)]
#[allow(clippy::large_enum_variant, reason = "it is made and taken apart at once")]
pub(super) enum Word {
    Loaded(Result<(), Unfit>),
    /// it waits for the answer
    Ask(Call),
    Tell(Call),
    /// to WASI's standard output or error
    Wrote(Bytes),
    Ended(Ended),
}

/// Why a recipe can't be run.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Unfit {
    /// this program, or this machine, is another one than made the machine code
    Stale,
    Recipe(String),
    /// the process could not give up its rights
    Machine(String),
}

/// How an export ended.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Ended {
    Checked(Vec<Fault>),
    Ran(Result<(), types::Error>),
    Reached(Reached),
    /// The kernel gave no room for its memory (ENOMEM of mmap(2)), before any of it ran.
    NoRoom,
    Broken {
        cause: String,
        /// the functions that it came through
        trace: String,
    },
}

/// A limit of the engine's, without words: those that are shown are the broker's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Reached {
    Memory,
    TableElements,
    Stack,
    CallBytes,
    Handles,
}

impl std::fmt::Display for Reached {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "limit reached: {self:?}")
    }
}

impl std::error::Error for Reached {}
