//! Exit codes, and failures that end a command with one of them.

use std::fmt;
use std::io;

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

    /// For a failed system call of ours: with 8 and the remedy where the machine lets this process have
    /// no more of something.
    pub fn of_system(doing: impl fmt::Display, error: &io::Error, usual: Exit) -> Self {
        match shortage(error) {
            Some(help) => Self::new(Exit::Lacking, format!("{doing}: {error}\n  help: {help}")),
            None => Self::new(usual, format!("{doing}: {error}")),
        }
    }

    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }
}

/// What would let this process have more, where an error says that it gets no more of something: the one
/// place that tells what the machine lacks from what it refuses.
pub(crate) fn shortage(error: &io::Error) -> Option<&'static str> {
    Some(match error.raw_os_error()? {
        libc::EAGAIN => {
            "the user, or the group of processes, may have no more of them: raise `ulimit -u`, or `pids.max` (cgroups(7))"
        }
        libc::EMFILE => {
            "this process may have no more files open: raise the hard limit, `ulimit -Hn`"
        }
        libc::ENFILE => "all processes may have no more files open: raise `sysctl fs.file-max`",
        libc::ENOMEM => {
            "the machine, or the group of processes, has no more memory: free some, or raise `memory.max` (cgroups(7))"
        }
        libc::ENOSPC | libc::EDQUOT => "there is no more room: make some",
        libc::EFBIG => "files may not grow so far: raise `ulimit -f`",
        _ => return None,
    })
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}
