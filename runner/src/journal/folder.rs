//! The folder with a journal for each run on the host, and for each deployment there.
//!
//! Who writes a journal holds its lock (flock(2)), which the kernel takes away with the process;
//! so one whose lock is free tells of a run that is over.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::time::Duration;

use rustix::fs::{
    AtFlags, CWD, Dir, FlockOperation, Mode, OFlags, flock, linkat, openat, unlinkat,
};
use rustix::io::Errno;

use super::history::History;
use super::log::Log;
use super::record::{Head, Record, decode};
use crate::exit::{Exit, Failure};
use crate::naming::patiently;
use crate::store;

const RUNS: &str = "runs";
const SUFFIX: &str = ".journal";
/// A journal is read whole; none that this program writes comes near.
const LONGEST: u64 = 1 << 30;
/// So often a lock is tried.
const READERS: u32 = 3;

/// The folder, by descriptor.
#[derive(Debug)]
pub struct Folder {
    descriptor: OwnedFd,
}

/// A journal whose lock this process holds.
#[derive(Debug)]
pub struct Owned {
    file: String,
    lock: File,
    read: usize,
    pub history: History,
}

impl Folder {
    pub fn open() -> Result<Self, Failure> {
        let descriptor = store::open_private(RUNS).map_err(|error| {
            let (shown, variable) = (store::path().join(RUNS), store::VARIABLE);
            let message = format!(
                "can't use `{}` for the journals of runs: {error}\n  help: set {variable} to a folder of your own",
                crate::report::path(&shown)
            );
            Failure::new(Exit::Lacking, message)
        })?;
        Ok(Self { descriptor })
    }

    /// A new journal, which nobody sees before it has its head and its lock.
    pub fn create(&self, head: &Head) -> Result<Log, Failure> {
        let unwritable = |error: io::Error| {
            let shown = store::path().join(RUNS);
            Failure::new(
                Exit::Lacking,
                format!(
                    "can't write a journal into `{}`: {error}\n  help: make room there, or set {} to a folder on tmpfs",
                    crate::report::path(&shown),
                    store::VARIABLE
                ),
            )
        };
        let create = || {
            let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
            let file = File::from(openat(&self.descriptor, ".", flags, Mode::RUSR | Mode::WUSR)?);
            flock(&file, FlockOperation::NonBlockingLockExclusive)?;
            let path = format!("/proc/self/fd/{}", file.as_raw_fd());
            let mut log = Log::resume(file, 0)?;
            log.write(&Record::Head(head.clone()))?;
            linkat(CWD, path, &self.descriptor, file_name(head.group), AtFlags::SYMLINK_FOLLOW)?;
            Ok(log)
        };
        create().map_err(unwritable)
    }

    /// The names of all journals.
    pub fn files(&self) -> Vec<String> {
        let Ok(entries) = Dir::read_from(&self.descriptor) else { return Vec::new() };
        let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
        let mut names: Vec<String> = names.filter(|name| name.ends_with(SUFFIX)).collect();
        names.sort();
        names
    }

    /// What a journal tells right now, and whether its run goes on.
    pub fn read(&self, file: &str) -> Option<(History, bool)> {
        let mut open = store::open_own(&self.descriptor, file, OFlags::RDONLY).ok()?;
        let free = flock(&open, FlockOperation::NonBlockingLockShared).is_ok();
        let (records, _) = read_all(&mut open).ok()?;
        let history = History::of(records)?;
        (history.head.boot == store::boot_id()).then_some((history, !free))
    }

    /// Takes a journal's lock; none while its run goes on, or once it is gone.
    pub fn take(&self, file: &str) -> Option<Owned> {
        // Who only reads has the lock too, for a moment.
        for _ in 0..READERS {
            let owned = self.take_by(file, FlockOperation::NonBlockingLockExclusive);
            if owned.is_some() || !self.files().iter().any(|there| there == file) {
                return owned;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        None
    }

    /// The same, waiting a moment for whoever has it: the watcher looks once a second, and a run that
    /// has just kept its deployment ends.
    pub fn take_patiently(&self, file: &str) -> Option<Owned> {
        patiently(|| match self.take(file) {
            None if self.files().iter().any(|there| there == file) => None,
            outcome => Some(outcome),
        })?
    }

    /// The same, when its run is over.
    pub fn wait_for(&self, file: &str) -> Option<Owned> {
        self.take_by(file, FlockOperation::LockExclusive)
    }

    fn take_by(&self, file: &str, how: FlockOperation) -> Option<Owned> {
        let mut lock = store::open_own(&self.descriptor, file, OFlags::RDWR).ok()?;
        loop {
            match flock(&lock, how) {
                Ok(()) => break,
                Err(Errno::INTR) => {}
                Err(_) => return None,
            }
        }
        // Whoever had it may have finished it.
        if lock.metadata().ok()?.nlink() == 0 {
            return None;
        }
        let (records, read) = read_all(&mut lock).ok()?;
        match History::of(records).filter(|history| history.head.boot == store::boot_id()) {
            Some(history) => Some(Owned { file: file.to_owned(), lock, read, history }),
            None => {
                // Of another boot, or nothing that a run of ours wrote: there is nothing to undo.
                let _ = unlinkat(&self.descriptor, file, AtFlags::empty());
                None
            }
        }
    }

    /// Ends a journal: all that it tells of is gone.
    pub fn remove(&self, file: &str) -> io::Result<()> {
        match unlinkat(&self.descriptor, file, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Nobody else claims anything while the answer is held.
    pub(super) fn lock(&self) -> io::Result<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = openat(&self.descriptor, ".", flags, Mode::empty())?;
        flock(&folder, FlockOperation::LockExclusive)?;
        Ok(folder)
    }

    /// The journal of a deployment, and its name in the folder.
    pub fn deployment(&self, name: &str) -> Option<(String, History)> {
        self.deployments()
            .into_iter()
            .find(|(_, history)| history.kept.as_ref().is_some_and(|kept| kept.name == name))
    }

    /// Whether a run makes or alters a deployment of that name right now.
    pub fn is_busy(&self, name: &str) -> bool {
        let read = |file: String| self.read(&file);
        self.files().into_iter().filter_map(read).any(|(history, alive)| {
            let reopened = history.reopened.is_some() || history.kept.is_some();
            alive && reopened && history.name() == name
        })
    }

    /// All deployments, by name.
    pub fn deployments(&self) -> Vec<(String, History)> {
        let kept = |file: String| {
            // As in `take_patiently`.
            let (history, _) = patiently(|| match self.read(&file) {
                Some((history, true)) if history.kept.is_some() => None,
                read => Some(read.filter(|(history, _)| history.kept.is_some())),
            })??;
            Some((file, history))
        };
        let mut all: Vec<_> = self.files().into_iter().filter_map(kept).collect();
        all.sort_by_key(|(_, history)| history.kept.as_ref().map(|kept| kept.name.clone()));
        all
    }
}

impl Owned {
    pub fn file(&self) -> &str {
        &self.file
    }

    /// To write on, after its last whole record; the lock is held until the log is dropped.
    pub fn into_log(self) -> io::Result<(History, Log)> {
        let log = Log::resume(self.lock, self.read as u64)?;
        Ok((self.history, log))
    }
}

/// The name of a run's journal.
pub fn file_name(group: u32) -> String {
    format!("{group:08x}{SUFFIX}")
}

fn read_all(file: &mut File) -> io::Result<(Vec<Record>, usize)> {
    let mut bytes = Vec::new();
    file.take(LONGEST).read_to_end(&mut bytes)?;
    Ok(decode(&bytes))
}
