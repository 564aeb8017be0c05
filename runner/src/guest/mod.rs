//! Recipes, each in a process of its own without any rights: the broker's side.
//!
//! The process has WebAssembly, this one has the sockets. What comes from it is treated as if the
//! recipe had taken it over: every message is bounded, parsed once, and then only asks for what the
//! recipe could have asked for anyway.

mod broker;
mod cache;
mod calls;
mod child;
mod compile;
mod confine;
mod engine;
#[cfg(fuzzing)]
pub mod fuzzing;
mod line;
mod message;
mod meter;
mod own;
mod process;
mod proxy;
#[cfg(debug_assertions)]
mod stand_in;
mod turn;
mod wire;

pub use broker::Guest;
pub(crate) use cache::folder as cache_folder;
pub use child::serve;

use crate::exit::Failure;
use crate::halt::Halted;
use crate::host::bindings::netwright::host::types;

/// Whether the kernel keeps files from a guest by Landlock; the filter of system calls does in any
/// case.
pub fn has_landlock() -> bool {
    confine::has_landlock()
}

/// How a call of a recipe's export ended, when not with its answer.
#[derive(Debug)]
pub enum Stop {
    /// A limit was reached; the text names it.
    Limit(String),
    /// The recipe broke off: a panic, a trap with the functions it came through, or its process
    /// ended.
    Broken(String),
    /// The kernel gave no room for its memory.
    NoRoom,
    /// A signal came.
    Interrupted(Failure),
}

impl From<Halted> for Stop {
    fn from(halted: Halted) -> Self {
        match halted {
            Halted::Limit(which) => Self::Limit(which),
            Halted::Interrupted | Halted::Terminated | Halted::HungUp => {
                Self::Interrupted(halted.into())
            }
        }
    }
}

/// The answer of a recipe's `run`.
pub type Verdict = Result<(), types::Error>;
