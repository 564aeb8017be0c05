//! Names under which something is kept: one process at a time makes, alters or takes apart what has
//! one, a lab or a deployment.
//!
//! A file with a lock says so (flock(2)), which the kernel takes away with the process.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, FlockOperation, OFlags, flock, unlinkat};
use rustix::io::Errno;

use crate::document::quote;
use crate::exit::{Exit, Failure};
use crate::store;

const NAMES: &str = store::NAMES;
/// So long a lock is waited for that somebody holds for a moment, as who reads does.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);
/// How often it is tried meanwhile.
const STEP: Duration = Duration::from_millis(5);

/// A name that is this process's until it is dropped.
#[derive(Debug)]
pub(crate) struct Taken {
    folder: OwnedFd,
    name: String,
    /// its lock goes with it
    _lock: File,
}

impl Taken {
    /// Waits a moment for whoever has it.
    ///
    /// # Errors
    /// With 5 where somebody still has it, with 8 where nobody can tell.
    pub(crate) fn of(name: &str) -> Result<Self, Failure> {
        title(name).map_err(|rule| Failure::usage(format!("--keep: {rule}")))?;
        match patiently(|| Self::at_once(name).transpose()) {
            Some(Ok(taken)) => Ok(taken),
            Some(Err(error)) => {
                Err(store::unusable(NAMES, "names of labs and deployments", &error))
            }
            None => Err(busy(name)),
        }
    }

    /// None where somebody has it right now, or nobody can have it.
    ///
    /// # Errors
    /// Where nobody knows whether somebody has it: the folder or the file can't be used.
    pub(crate) fn at_once(name: &str) -> io::Result<Option<Self>> {
        if title(name).is_err() {
            return Ok(None);
        }
        let folder = store::open_private(NAMES)?;
        let lock = store::open_own(&folder, name, OFlags::RDWR | OFlags::CREATE)?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK | Errno::INTR) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        // Whoever had it may have removed the file that was opened.
        let linked = lock.metadata()?.nlink() == 1;
        Ok(linked.then(|| Self { folder, name: name.to_owned(), _lock: lock }))
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        // Where it stays, whoever wants the name next has the lock all the same.
        let _ = unlinkat(&self.folder, &self.name, AtFlags::empty());
    }
}

/// Whether another process makes, alters or takes apart what has that name.
pub(crate) fn is_taken(name: &str) -> bool {
    let lock = || -> io::Result<bool> {
        let folder = store::open_private(NAMES)?;
        let lock = store::open_own(&folder, name, OFlags::RDONLY)?;
        Ok(flock(&lock, FlockOperation::NonBlockingLockShared) == Err(Errno::WOULDBLOCK))
    };
    title(name).is_ok() && lock().unwrap_or(false)
}

pub(crate) fn busy(name: &str) -> Failure {
    let name = name.escape_debug();
    let message = format!(
        "another process works on `{name}`: it makes it, alters it, or takes it apart\n  help: wait until it has ended"
    );
    Failure::new(Exit::Broken, message)
}

/// Tries for a moment.
pub(crate) fn patiently<T>(mut attempt: impl FnMut() -> Option<T>) -> Option<T> {
    let until = Instant::now() + PATIENCE;
    loop {
        match attempt() {
            None if Instant::now() < until => sleep(STEP),
            outcome => return outcome,
        }
    }
}

/// The name of a scenario, of a step, and of what is kept: a letter, then letters, digits, `.`, `_` and `-`, 63 in all.
pub(crate) fn title(text: &str) -> Result<String, String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if !text.starts_with(|c: char| c.is_ascii_alphabetic()) {
        Err(format!("name {} must begin with a letter", quote(text)))
    } else if text.len() > 63 {
        Err(format!("name {} has {} bytes; 63 are possible", quote(text), text.len()))
    } else if let Some(bad) = text.chars().find(|c| !legal(*c)) {
        Err(format!(
            "name {} must not hold `{}`; letters, digits, `.`, `_` and `-` are allowed",
            quote(text),
            bad.escape_debug()
        ))
    } else {
        Ok(text.to_owned())
    }
}
