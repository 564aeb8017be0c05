//! Exit codes, and failures that end a command with one of them.

use std::fmt;

/// The contract with whoever calls the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    Done = 0,
    Failed = 1,
    Usage = 2,
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

/// What ended a command, for standard error.
#[derive(Debug, Clone)]
pub struct Failure {
    pub exit: Exit,
    /// What failed, the rule, and the remedy on a line of its own.
    pub message: String,
}

impl Failure {
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into() }
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
