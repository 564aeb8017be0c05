//! The folder with a journal for each run on the host, and for each deployment there.
//!
//! Who writes a journal holds its lock (flock(2)), which the kernel takes away with the process;
//! so one whose lock is free tells of a run that is over.

use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::time::Duration;

use rustix::fs::{
    AtFlags, CWD, Dir, FlockOperation, Mode, OFlags, flock, linkat, openat, unlinkat,
};
use rustix::io::Errno;

use super::log::Log;
use super::strange::Strange;
use crate::exit::{Exit, Failure};
use crate::halt::Halt;
use crate::naming::patiently;
use crate::process::Pinned;
use crate::records::{Head, History, Reading, Record, read};
use crate::store;

const RUNS: &str = store::RUNS;
pub(super) const SUFFIX: &str = ".journal";
/// A journal is read whole; none that this program writes comes near.
const LONGEST: u64 = 1 << 30;
/// So often a lock is tried.
const READERS: u32 = 3;

/// What a journal is to who reads it.
#[derive(Debug)]
pub enum Told {
    /// of another boot, or nothing that a run of ours wrote
    Nothing,
    /// nobody here knows all that it says
    Strange(Strange),
    /// what it tells, and whether its run goes on; where it is damaged, it does not tell all
    History(Box<History>, bool),
}

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
        Ok(Self { descriptor: store::open_records(RUNS, "journals of runs")? })
    }

    /// A new journal, which nobody sees before it has its head and its lock.
    pub fn create(&self, head: &Head) -> Result<Log, Failure> {
        let unwritable = |error: io::Error| {
            let shown = store::path().join(RUNS);
            Failure::new(
                Exit::Lacking,
                format!(
                    "can't write a journal into `{}`: {error}\n  help: make room there, or set {} to a folder on tmpfs",
                    crate::text::path(&shown),
                    store::VARIABLE
                ),
            )
        };
        let create = || {
            let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
            let file = File::from(openat(&self.descriptor, ".", flags, Mode::RUSR | Mode::WUSR)?);
            flock(&file, FlockOperation::NonBlockingLockExclusive)?;
            let path = format!("/proc/self/fd/{}", file.as_raw_fd());
            let mut log = Log::create(file)?;
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

    /// What a journal tells right now.
    pub fn told(&self, file: &str) -> Told {
        let Ok(mut open) = store::open_own(&self.descriptor, file, OFlags::RDONLY) else {
            return Told::Nothing;
        };
        let free = flock(&open, FlockOperation::NonBlockingLockShared).is_ok();
        let mut reading = read_all(&mut open);
        for _ in 1..READERS {
            // Whoever writes it may have been in the middle.
            if free || reading.as_ref().is_ok_and(|reading| reading.flaw.is_none()) {
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
            reading = open.rewind().and_then(|()| read_all(&mut open));
        }
        reading.map_or(Told::Nothing, |reading| Told::of(file, reading, !free))
    }

    /// The history of one that can be read, and whether its run goes on.
    pub fn read(&self, file: &str) -> Option<(History, bool)> {
        match self.told(file) {
            Told::History(history, alive) => Some((*history, alive)),
            Told::Nothing | Told::Strange(_) => None,
        }
    }

    /// All that can't be read, or not to the end.
    pub fn strange(&self) -> Vec<Strange> {
        let strange = |file: String| match self.told(&file) {
            Told::Strange(strange) => Some(strange),
            Told::History(history, alive) => Strange::of_history(file, &history, alive),
            Told::Nothing => None,
        };
        self.files().into_iter().filter_map(strange).collect()
    }

    /// The one that is known by this name: of a deployment, a scenario, or a run's own.
    pub fn strange_by(&self, name: &str) -> Option<Strange> {
        self.strange().into_iter().find(|strange| strange.is_called(name))
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

    /// The same, waiting a moment where the run itself is gone: who still has the lock is its watcher,
    /// which takes it back, or ends as well. That there is no process of a number is all that is
    /// believed of it, and nothing but the moment depends on that.
    pub fn take_left(&self, file: &str) -> Option<Owned> {
        let is_left = || match self.read(file) {
            Some((history, alive)) => alive && Pinned::open(history.head.pid).is_err(),
            None => false,
        };
        patiently(|| match self.take(file) {
            None if is_left() => None,
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
        let reading = read_all(&mut lock).ok()?;
        let read = reading.length;
        match Told::of(file, reading, false) {
            Told::History(history, _) => {
                let (file, history) = (file.to_owned(), *history);
                Some(Owned { file, lock, read, history })
            }
            // Whoever wrote it may know what it says.
            Told::Strange(_) => None,
            Told::Nothing => {
                let _ = unlinkat(&self.descriptor, file, AtFlags::empty());
                None
            }
        }
    }

    /// Removes a journal whose run is over, whatever it tells.
    ///
    /// # Errors
    /// `EAGAIN` while its run goes on.
    pub fn forget(&self, file: &str) -> io::Result<()> {
        let lock = store::open_own(&self.descriptor, file, OFlags::RDWR)?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
        self.remove(file)
    }

    /// Ends a journal: all that it tells of is gone.
    pub fn remove(&self, file: &str) -> io::Result<()> {
        match unlinkat(&self.descriptor, file, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Nobody else claims anything while the answer is held. Somebody else's is waited for as long as
    /// work may go on.
    pub(super) fn lock(&self, halt: &Halt) -> io::Result<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = openat(&self.descriptor, ".", flags, Mode::empty())?;
        halt.wait_for_lock(&folder)?;
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

    /// How long ago it was written on.
    pub fn quiet(&self) -> Duration {
        let written = self.lock.metadata().and_then(|about| about.modified()).ok();
        written.and_then(|moment| moment.elapsed().ok()).unwrap_or_default()
    }

    /// To write on, after its last whole record; the lock is held until the log is dropped.
    ///
    /// # Errors
    /// Nothing is ever written over what could not be read.
    pub fn into_log(self) -> io::Result<(History, Log)> {
        if self.history.flaw.is_some() {
            return Err(io::Error::other("it is damaged"));
        }
        let log = Log::resume(self.lock, self.read as u64)?;
        Ok((self.history, log))
    }
}

/// The name of a run's journal.
pub fn file_name(group: u32) -> String {
    format!("{group:08x}{SUFFIX}")
}

impl Told {
    fn of(file: &str, reading: Reading, alive: bool) -> Self {
        if reading.is_nothing() {
            return Self::Nothing;
        }
        let strange = Strange::new(file, &reading, alive);
        if strange.is_of_another_version() {
            return Self::Strange(strange);
        }
        let Reading { records, flaw, .. } = reading;
        match History::of(records) {
            Some(history) if store::is_another_boot(&history.head.boot) => Self::Nothing,
            Some(mut history) => {
                history.flaw = flaw;
                Self::History(history.into(), alive)
            }
            None => Self::Strange(strange),
        }
    }
}

fn read_all(file: &mut File) -> io::Result<Reading> {
    let mut bytes = Vec::new();
    file.take(LONGEST).read_to_end(&mut bytes)?;
    Ok(read(&bytes))
}
