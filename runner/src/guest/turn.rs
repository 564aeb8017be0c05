//! One run compiles a recipe, and the others wait for what it keeps: many that begin at the same time
//! would take the machine's whole time for the same work.
//!
//! The lock is the kernel's (flock(2)), which takes it away with its holder, however that ends. Where
//! machine code is not kept each run compiles.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::time::Duration;

use rustix::fs::{FlockOperation, MemfdFlags, flock, memfd_create};
use tokio::time::{Instant, sleep};

use super::cache::Place;

/// Between two looks.
const LOOK: Duration = Duration::from_millis(50);
/// Who waits longer is told why.
const SILENCE: Duration = Duration::from_secs(1);

/// Who makes the machine code of a recipe that is not in the cache.
pub(super) enum Turn {
    /// This run does.
    Ours(Option<Lock>),
    /// Another one is at it.
    Others(Awaited),
}

impl Turn {
    pub(super) fn take(place: Option<Place>) -> io::Result<Self> {
        let Some(place) = place else { return Ok(Self::Ours(None)) };
        match Lock::take(&place) {
            Ok(Some(lock)) => Ok(Self::Ours(Some(lock))),
            Ok(None) => Awaited::new(place).map(Self::Others),
            // Twice compiled is better than not at all.
            Err(_) => Ok(Self::Ours(None)),
        }
    }
}

/// Held while this run compiles.
pub(super) struct Lock {
    file: File,
    place: Place,
}

impl Lock {
    /// None while another run has it.
    fn take(place: &Place) -> io::Result<Option<Self>> {
        let file = place.lock()?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Self { file, place: place.clone() })),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(errno) => Err(errno.into()),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Where that fails there is a file of no bytes more, and a lock that goes with the process.
        let _ = self.place.forget_lock();
        let _ = flock(&self.file, FlockOperation::Unlock);
    }
}

/// The machine code that another run makes.
pub(super) struct Awaited {
    place: Place,
    /// where it will be for the process that waits for it
    file: File,
}

impl Awaited {
    fn new(place: Place) -> io::Result<Self> {
        let file = File::from(memfd_create("netwright-code", MemfdFlags::CLOEXEC)?);
        Ok(Self { place, file })
    }

    /// For reading alone.
    pub(super) fn code(&self) -> io::Result<File> {
        File::open(format!("/proc/self/fd/{}", self.file.as_raw_fd()))
    }

    /// Waits until the code is there; with the lock where the other run ended without it.
    pub(super) async fn wait(mut self, mut tell: impl FnMut()) -> io::Result<Option<Turn>> {
        let mut since = Some(Instant::now());
        loop {
            if self.fill()? {
                return Ok(None);
            }
            if let Some(lock) = Lock::take(&self.place)? {
                // It may have been kept between the two looks.
                return Ok(if self.fill()? { None } else { Some(Turn::Ours(Some(lock))) });
            }
            if since.is_some_and(|since| since.elapsed() >= SILENCE) {
                since = None;
                tell();
            }
            sleep(LOOK).await;
        }
    }

    /// Whether the code was there.
    fn fill(&mut self) -> io::Result<bool> {
        let Some(mut kept) = self.place.find() else { return Ok(false) };
        io::copy(&mut kept, &mut self.file).map(|_| true)
    }
}
