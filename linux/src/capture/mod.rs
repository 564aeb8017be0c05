//! Captures: every frame that passes a link, from before the first one, as tcpdump(8) sees them.

mod control;
mod file;
mod recording;
mod run;
mod socket;

use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use netwright_frames::{Filter, Verdict};
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::kernel::Error;
use crate::probe::{check_link_name, inside, refused};
use recording::{Recording, Which};

pub use recording::{Counters, Frame, Loss, Room, Undecided};
pub use run::{Captures, Place, Taken};

/// Frames that one look into the socket takes: more than any socket of a lab holds.
const AT_ONCE: usize = 4096;
/// What one call hands over.
const MOST_BYTES: usize = 1 << 20;
const SHORTEST_SNAP: u32 = 64;

/// How many frames of a capture a check is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counted {
    /// that its filter means
    pub all: u64,
    /// of these, that `every` doesn't mean
    pub other: u64,
    pub undecided: Undecided,
    pub counters: Counters,
}

impl Counted {
    fn plus(self, more: Self) -> Self {
        Self {
            all: self.all + more.all,
            other: self.other + more.other,
            undecided: self.undecided.plus(more.undecided),
            counters: self.counters.plus(more.counters),
        }
    }

    /// Why not all is known, with the remedy; none where it is.
    pub fn unknown(&self) -> Option<String> {
        let loss = self.counters.loss().map(|loss| loss.to_string());
        let reasons: Vec<_> = loss.into_iter().chain(self.undecided.reason()).collect();
        (!reasons.is_empty()).then(|| reasons.join("; "))
    }
}

/// Which links' frames are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Of {
    /// of the link with this index, for as long as it lives
    Index(u32),
    /// of whatever link of the namespace has this name when it sends or receives its first frame;
    /// it may come later
    Name(String),
}

/// A capture that goes on until it is dropped.
#[derive(Debug)]
pub struct Capture {
    shared: Arc<Shared>,
    stop: OwnedFd,
    reader: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    recording: Mutex<Recording>,
    arrived: Notify,
    snap_length: u32,
}

impl Capture {
    /// Begins: from when this returns on, no frame is missed without being counted.
    ///
    /// # Errors
    /// Invalid for a name that no link can have, or a snap length out of range (64 to 262144
    /// bytes). Kernel otherwise: `EPERM` without CAP_NET_RAW in the namespace, `EMFILE`.
    pub fn start(
        namespace: &OwnedFd,
        of: Of,
        snap_length: Option<u32>,
        room: &Arc<Room>,
    ) -> Result<Self, Error> {
        let (index, which, operation) = match of {
            Of::Index(index) => (Some(index), Which::One, format!("capture link {index}")),
            Of::Name(name) => {
                check_link_name(&name)?;
                let operation = format!("capture {name}");
                (None, Which::Named(name), operation)
            }
        };
        let snap_length = snap_length.unwrap_or(socket::LONGEST);
        if !(SHORTEST_SNAP..=socket::LONGEST).contains(&snap_length) {
            return Err(Error::Invalid(format!(
                "a snap length of {snap_length} bytes; {SHORTEST_SNAP} to {} are possible",
                socket::LONGEST
            )));
        }
        let socket = inside(namespace, &operation, || socket::open(index, snap_length))?;
        let failed = |error: std::io::Error| refused(&operation, &error);
        let stop = eventfd(0, EventfdFlags::CLOEXEC).map_err(|errno| failed(errno.into()))?;
        let ends = stop.try_clone().map_err(failed)?;
        let socket = Arc::new(socket);
        let recording = Recording::new(Arc::clone(&socket), which, snap_length, Arc::clone(room));
        let shared = Arc::new(Shared {
            recording: Mutex::new(recording),
            arrived: Notify::new(),
            snap_length,
        });
        let reads = Arc::clone(&shared);
        let reader = thread::Builder::new()
            .name("capture".to_owned())
            .stack_size(256 << 10)
            .spawn(move || reads.read_until(&socket, &ends))
            .map_err(failed)?;
        Ok(Self { shared, stop, reader: Some(reader) })
    }

    /// The frames that the filter means after the first `skip` of them: at most so many and a
    /// mebibyte in all; where there is none yet, the first to come within the time.
    ///
    /// # Errors
    /// Limit where frames were lost and all others are given, or where nothing came and of some it
    /// can't be told whether they are meant.
    pub async fn frames(
        &self,
        filter: &Filter,
        skip: usize,
        most: usize,
        timeout: Duration,
    ) -> Result<Vec<Frame>, Error> {
        let deadline = Instant::now() + timeout;
        loop {
            // Before the look, so that no arrival falls between look and wait.
            let arrival = self.shared.arrived.notified();
            let (page, counters, undecided) = self.page(filter, skip, most);
            if !page.is_empty() || most == 0 {
                return Ok(page);
            }
            if let Some(loss) = counters.loss() {
                return Err(Error::Limit(loss.to_string()));
            }
            if timeout_at(deadline, arrival).await.is_err() {
                return undecided.reason().map_or(Ok(Vec::new()), |why| Err(Error::Limit(why)));
            }
        }
    }

    fn page(&self, filter: &Filter, skip: usize, most: usize) -> (Vec<Frame>, Counters, Undecided) {
        let recording = self.look();
        let (mut bytes, mut undecided) = (0, Undecided::default());
        let meant = recording.judged(filter).filter_map(|(frame, _, verdict)| match verdict {
            Verdict::Meant => Some(frame),
            Verdict::Other => None,
            Verdict::Open(open) => {
                undecided.add(open);
                None
            }
        });
        let fits = |frame: &&Frame| {
            bytes += frame.data.len();
            bytes <= MOST_BYTES
        };
        let page = meant.skip(skip).take(most).take_while(fits).cloned().collect();
        (page, recording.counters(), undecided)
    }

    /// How many frames the first filter means, and how many of these the second doesn't mean.
    pub fn count(&self, filter: &Filter, every: &Filter) -> Counted {
        let recording = self.look();
        let mut counted = Counted { counters: recording.counters(), ..Counted::default() };
        for (_, packet, verdict) in recording.judged(filter) {
            match verdict {
                Verdict::Meant => {
                    counted.all += 1;
                    match every.judge(&packet) {
                        Verdict::Meant => {}
                        Verdict::Other => counted.other += 1,
                        Verdict::Open(open) => counted.undecided.add(open),
                    }
                }
                Verdict::Other => {}
                Verdict::Open(open) => counted.undecided.add(open),
            }
        }
        counted
    }

    pub fn counters(&self) -> Counters {
        self.look().counters()
    }

    /// All frames so far as a pcapng file.
    pub fn to_pcapng(&self, link: &str, namespace: Option<&str>) -> std::io::Result<Vec<u8>> {
        file::write(&self.look(), self.shared.snap_length, link, namespace)
    }

    /// The recording, with all that had arrived by now.
    fn look(&self) -> MutexGuard<'_, Recording> {
        let mut recording = self.shared.lock();
        // What went wrong, the reader meets too; what is there stays.
        let _ = recording.drain(AT_ONCE);
        recording
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Recording> {
        self.recording.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// On its own thread: the kernel's room is small, and the runtime may be busy.
    fn read_until(&self, socket: &OwnedFd, stop: &OwnedFd) {
        loop {
            let mut both = [PollFd::new(socket, PollFlags::IN), PollFd::new(stop, PollFlags::IN)];
            match poll(&mut both, None) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(_) => return,
            }
            if !both[1].revents().is_empty() {
                return;
            }
            let arrived = self.lock().drain(AT_ONCE);
            match arrived {
                Ok(true) => self.arrived.notify_waiters(),
                Ok(false) => {}
                Err(_) => return,
            }
        }
    }
}

impl Capture {
    /// Stops, and lets go of the namespace; what was seen stays.
    pub fn end(&mut self) {
        self.shared.lock().end(AT_ONCE);
        // An eventfd takes a number as long as it isn't full.
        let _ = rustix::io::write(&self.stop, &1_u64.to_ne_bytes());
        if let Some(reader) = self.reader.take() {
            // It does nothing that could panic.
            let _ = reader.join();
        }
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        self.end();
    }
}
