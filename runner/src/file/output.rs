//! A file that is written while a run goes on, at a path that the operator typed: it may also be a
//! pipe or a terminal, and then whoever reads it can't hold up the run.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{FileType, Mode, OFlags, Stat, Timespec, fstat, open, openat};
use rustix::io::Errno;

use super::write::{Place, are_ours, begun};
use super::{Identity, Refused, is_ordinary, kind, special};
use crate::halt::is_time_over;
use crate::text::path as shown;

/// Bytes that wait for a reader.
const MOST_WAITING: usize = 64 << 20;
/// As much as a pipe takes without waiting once it takes anything, pipe(7).
const AT_A_TIME: usize = 4096;
/// How long the end of a run waits for a reader that reads nothing.
const PATIENCE: Duration = Duration::from_secs(5);
const BETWEEN_TRIES: Duration = Duration::from_millis(20);
/// While somebody may still read.
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// How writing what waits has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Drained {
    AsFarAsTaken,
    /// by a signal
    Interrupted,
}

/// Where something is written.
#[derive(Debug)]
pub(crate) struct Output {
    file: File,
    /// what nobody has read yet; only of pipes and terminals
    waiting: Vec<u8>,
    ordinary: bool,
}

impl Output {
    /// Opens it; an ordinary file takes the place of what is there, but of none of `others`, which
    /// are written already.
    ///
    /// `patience`: how long a pipe may be without a reader.
    pub(crate) fn create(
        path: &Path,
        patience: Duration,
        others: &[Identity],
    ) -> Result<Self, Refused> {
        if is_descriptor(path) {
            return Self::of_descriptor(path);
        }
        let place = Place::of(path)?;
        let there = place.found()?;
        let is_written = |there: &Stat| is_ordinary(there) && others.contains(&Identity::of(there));
        if there.as_ref().is_some_and(is_written) {
            return Err(Refused::Written);
        }
        match there.as_ref().map(kind) {
            None | Some(FileType::RegularFile) => {
                let file = begun(&place, there.as_ref())?;
                Ok(Self { file, waiting: Vec::new(), ordinary: true })
            }
            Some(FileType::Symlink) => Err(Refused::Link(shown(path))),
            Some(known @ (FileType::Fifo | FileType::CharacterDevice)) => {
                Self::stream(&place, known, patience)
            }
            Some(other) => Err(Refused::Special(special(other))),
        }
    }

    /// One that the program was started with, as a shell's `>(…)` gives it.
    fn of_descriptor(path: &Path) -> Result<Self, Refused> {
        let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::NONBLOCK | OFlags::NOCTTY;
        let file = match open(path, flags | OFlags::CLOEXEC, Mode::empty()) {
            Ok(file) => file,
            // Whoever called may have opened what this user may not.
            Err(Errno::ACCESS) if path == Path::new("/dev/stderr") => {
                rustix::io::fcntl_dupfd_cloexec(io::stderr(), 3)?
            }
            Err(Errno::ACCESS) if path == Path::new("/dev/stdout") => {
                rustix::io::fcntl_dupfd_cloexec(io::stdout(), 3)?
            }
            Err(error) => return Err(error.into()),
        };
        let ordinary = kind(&fstat(&file)?) == FileType::RegularFile;
        Ok(Self { file: File::from(file), waiting: Vec::new(), ordinary })
    }

    fn stream(place: &Place<'_>, known: FileType, patience: Duration) -> Result<Self, Refused> {
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::NOCTTY;
        let until = Instant::now() + patience;
        // Before it is waited for, too.
        if let Some(about) = place.found()?.filter(|_| known == FileType::Fifo) {
            are_ours(&fstat(&place.folder)?, &about)?;
        }
        loop {
            match openat(&place.folder, place.name, flags | OFlags::CLOEXEC, Mode::empty()) {
                Ok(file) => {
                    let about = fstat(&file)?;
                    if kind(&about) != known {
                        return Err(Refused::Special(special(kind(&about))));
                    }
                    // What a shell has opened comes by its descriptor.
                    if known == FileType::Fifo {
                        are_ours(&fstat(&place.folder)?, &about)?;
                    }
                    return Ok(Self {
                        file: File::from(file),
                        waiting: Vec::new(),
                        ordinary: false,
                    });
                }
                // fifo(7): nobody reads it yet.
                Err(Errno::NXIO) if known == FileType::Fifo => {
                    if Instant::now() >= until {
                        return Err(Refused::NobodyReads(patience));
                    }
                    sleep(BETWEEN_TRIES);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Which file it is.
    pub(crate) fn identity(&self) -> io::Result<Identity> {
        Ok(Identity::of(&fstat(&self.file)?))
    }

    /// Writes, or keeps what can't be taken at this moment for later: nothing is waited for.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.ordinary {
            return self.file.write_all(bytes);
        }
        if self.waiting.len() + bytes.len() > MOST_WAITING {
            return Err(io::Error::other("whoever reads it is too slow"));
        }
        self.waiting.extend(bytes);
        self.drain(Duration::ZERO).map(drop)
    }

    /// Waits for whoever reads, as long as they read and the run has time, and a moment more; a signal
    /// ends it.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        let (mut read, mut over) = (Instant::now(), None);
        while !self.waiting.is_empty() && read.elapsed() < PATIENCE {
            let before = self.waiting.len();
            let interrupted = self.drain(BETWEEN_LOOKS)? == Drained::Interrupted;
            if self.waiting.len() < before {
                read = Instant::now();
            }
            let late =
                is_time_over() && over.get_or_insert_with(Instant::now).elapsed() >= PATIENCE;
            if interrupted || late {
                break;
            }
        }
        if self.waiting.is_empty() {
            return Ok(());
        }
        Err(io::Error::other("nobody reads it"))
    }

    /// Writes until nobody has taken anything for so long.
    fn drain(&mut self, patience: Duration) -> io::Result<Drained> {
        let time = Timespec {
            tv_sec: i64::try_from(patience.as_secs()).unwrap_or_default(),
            tv_nsec: patience.subsec_nanos().into(),
        };
        let mut written = 0;
        let outcome = loop {
            let rest = &self.waiting[written..];
            if rest.is_empty() {
                break Ok(Drained::AsFarAsTaken);
            }
            let mut ready = [PollFd::new(&self.file, PollFlags::OUT)];
            match poll(&mut ready, Some(&time)) {
                Ok(0) => break Ok(Drained::AsFarAsTaken),
                Err(Errno::INTR) => break Ok(Drained::Interrupted),
                Ok(_) => {}
                Err(error) => break Err(error.into()),
            }
            match (&self.file).write(&rest[..rest.len().min(AT_A_TIME)]) {
                Ok(length) => {
                    written += length;
                    if !patience.is_zero() && is_time_over() {
                        break Ok(Drained::AsFarAsTaken);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && patience.is_zero() => {
                    break Ok(Drained::AsFarAsTaken);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => sleep(BETWEEN_TRIES),
                Err(error) => break Err(error),
            }
        };
        self.waiting.drain(..written);
        outcome
    }
}

/// proc(5), /proc/pid/fd: what such a path leads to was opened by whoever started the program.
fn is_descriptor(path: &Path) -> bool {
    let number = |name: &Path| {
        let text = name.to_str().unwrap_or_default();
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    ["/dev/stdout", "/dev/stderr"].iter().any(|known| path == Path::new(known))
        || ["/dev/fd", "/proc/self/fd"]
            .iter()
            .any(|folder| path.strip_prefix(folder).is_ok_and(number))
}
