//! Names under which something is kept: one process at a time makes, alters or takes apart what has
//! one, a lab or a deployment.
//!
//! A file with a lock says so (flock(2)), which the kernel takes away with the process. What is in the
//! file names the process, for people.

use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, FlockOperation, OFlags, flock, unlinkat};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use crate::document::quote;
use crate::exit::{Exit, Failure};
use crate::file::bounded;
use crate::store;

const NAMES: &str = store::NAMES;
/// So long a lock is waited for that somebody holds for a moment, as who reads does.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);
/// How often it is tried meanwhile.
const STEP: Duration = Duration::from_millis(5);
/// Longer is nothing of ours.
const LONGEST_WORKER: u64 = 1 << 10;

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
            None => Err(busy("", name)),
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
        if lock.metadata()?.nlink() != 1 {
            return Ok(None);
        }
        let worker = Worker { process: std::process::id(), space: process_space() };
        // Where there is no room for it nobody is told which process it is.
        let text = serde_json::to_string(&worker).unwrap_or_default();
        let _ = lock.set_len(0).and_then(|()| lock.write_all_at(text.as_bytes(), 0));
        Ok(Some(Self { folder, name: name.to_owned(), _lock: lock }))
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

/// Who has a name.
#[derive(Debug, Serialize, Deserialize)]
struct Worker {
    process: u32,
    /// in which processes are numbered so
    space: Option<u64>,
}

fn process_space() -> Option<u64> {
    fs::metadata("/proc/self/ns/pid").ok().map(|space| space.ino())
}

/// The file of a name that another process has.
fn lock_of_another(name: &str) -> Option<File> {
    title(name).ok()?;
    let folder = store::open_private(NAMES).ok()?;
    let lock = store::open_own(&folder, name, OFlags::RDONLY).ok()?;
    let has = flock(&lock, FlockOperation::NonBlockingLockShared) == Err(Errno::WOULDBLOCK);
    has.then_some(lock)
}

/// Whether another process makes, alters or takes apart what has that name.
pub(crate) fn is_taken(name: &str) -> bool {
    lock_of_another(name).is_some()
}

/// The number of that process, where it has one here.
fn worker(name: &str) -> Option<u32> {
    let text = bounded(lock_of_another(name)?, LONGEST_WORKER).ok()?;
    let worker: Worker = serde_json::from_slice(&text).ok()?;
    (worker.space == process_space()).then_some(worker.process)
}

/// What is told of a name that another process has; `noun` stands before it.
pub(crate) fn busy(noun: &str, name: &str) -> Failure {
    let process = worker(name).map_or_else(|| "it".to_owned(), |id| format!("process {id}"));
    let name = name.escape_debug();
    let message = format!(
        "another process works on {noun}`{name}`: {process} makes it, alters it, or takes it apart\n  help: wait until it has ended"
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
