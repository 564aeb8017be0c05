//! Exit codes, and failures that end a command with one of them.

use std::fmt;
use std::io;

use crate::document::Faults;
use crate::halt::{Halted, REMEDY};
use crate::kernel::Error;
use crate::text::{help, shortage};

/// The contract with whoever calls the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    Done = 0,
    Failed = 1,
    Usage = 2,
    /// `plan --exit-code`: something would change
    Differences = 3,
    Denied = 4,
    Broken = 5,
    UndoIncomplete = 6,
    Limit = 7,
    Lacking = 8,
    /// `exec`: as env(1) has it, the program was found but could not be run
    NotExecutable = 126,
    /// `exec`: the program was not found
    NotFound = 127,
    Interrupted = 130,
    Terminated = 143,
}

impl Exit {
    /// How a command ends that may not go on.
    pub fn of_halted(halted: &Halted) -> Self {
        match halted {
            Halted::Limit(_) => Self::Limit,
            Halted::Interrupted => Self::Interrupted,
            Halted::Terminated | Halted::HungUp => Self::Terminated,
        }
    }

    /// How a command ends because of what the kernel layer says, where no recipe is told.
    pub fn of_kernel(error: &Error) -> Self {
        match error {
            Error::Denied(_) => Self::Denied,
            Error::Limit(_) => Self::Limit,
            Error::Unsupported(_) => Self::Lacking,
            Error::Halted(halted) => Self::of_halted(halted),
            Error::Kernel(_)
            | Error::Gone(_)
            | Error::Missing(_)
            | Error::Invalid(_)
            | Error::Timeout(_) => Self::Broken,
        }
    }

    /// The end of another process of this program.
    pub fn from_code(code: i32) -> Self {
        use Exit::{
            Broken, Denied, Differences, Done, Failed, Interrupted, Lacking, Limit, NotExecutable,
            NotFound, Terminated, UndoIncomplete, Usage,
        };
        let all = [
            Done,
            Failed,
            Usage,
            Differences,
            Denied,
            UndoIncomplete,
            Limit,
            Lacking,
            NotExecutable,
            NotFound,
            Interrupted,
            Terminated,
        ];
        all.into_iter().find(|exit| *exit as i32 == code).unwrap_or(Broken)
    }
}

/// What ended a command, for standard error.
#[derive(Debug, Clone)]
pub struct Failure {
    pub exit: Exit,
    /// What failed, the rule, and the remedy on a line of its own; empty where it was told already.
    pub message: String,
    /// what the message shows, where it was a fault of something written
    pub faults: Option<Box<Faults>>,
}

impl Failure {
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), faults: None }
    }

    /// Faults speak for themselves, each with its place.
    pub fn of_faults(faults: &Faults) -> Self {
        let message = faults.to_string();
        Self { exit: Exit::Usage, message, faults: Some(Box::new(faults.clone())) }
    }

    /// For a failed system call of ours: with 8 and the remedy where the machine lets this process have
    /// no more of something.
    pub fn of_system(doing: impl fmt::Display, error: &io::Error, usual: Exit) -> Self {
        match shortage(error) {
            Some(help) => Self::new(Exit::Lacking, format!("{doing}: {error}\n  help: {help}")),
            None => Self::new(usual, format!("{doing}: {error}")),
        }
    }

    /// For what the kernel layer says, with words of what was being done; what halts a run speaks for
    /// itself.
    pub fn of_kernel(doing: impl fmt::Display, error: Error) -> Self {
        let exit = Exit::of_kernel(&error);
        match error {
            Error::Halted(halted @ Halted::Limit(_)) => {
                Self::new(exit, format!("{doing}: {halted}{}", help(REMEDY)))
            }
            Error::Halted(halted) => halted.into(),
            other => Self::new(exit, format!("{doing}: {other}")),
        }
    }

    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }
}

impl From<Halted> for Failure {
    fn from(halted: Halted) -> Self {
        let help = match &halted {
            Halted::Limit(_) => format!("\n  help: {REMEDY}"),
            Halted::Interrupted | Halted::Terminated | Halted::HungUp => String::new(),
        };
        Self::new(Exit::of_halted(&halted), format!("{halted}{help}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}
