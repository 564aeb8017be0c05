//! Exit codes, and failures that end a command with one of them.

use std::fmt;

use crate::document::Faults;

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

    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}
