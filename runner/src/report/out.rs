//! Standard output and standard error, to which nobody has to listen: a pipe that is full, or a terminal
//! that was stopped, holds a run up until its time is over or a signal comes, and no longer. So what a run
//! made is taken back whoever reads.

use std::io;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anstream::{AutoStream, ColorChoice, adapter::strip_str};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::halt::{self, signals};

/// What is written at once: as much as a pipe takes whole where poll(2) says that it takes anything
/// (PIPE_BUF, pipe(7)).
const CHUNK: usize = 4096;
/// Between two looks at whether there is a reason to wait no longer.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
/// For a reader that is only slow, once nobody has to be waited for.
const GRACE: Duration = Duration::from_millis(100);
/// The same for the result, which comes after everything was taken back.
const LAST_GRACE: Duration = Duration::from_secs(1);

/// Nothing is held up any more.
static DONE: AtomicBool = AtomicBool::new(false);

/// One of the two.
#[derive(Debug)]
pub(super) struct Out {
    stream: Stream,
    /// it took nothing for longer than anybody waits
    stuck: AtomicBool,
}

#[derive(Debug, Clone, Copy)]
enum Stream {
    Output,
    Error,
}

pub(super) static OUTPUT: Out = Out { stream: Stream::Output, stuck: AtomicBool::new(false) };
pub(super) static ERROR: Out = Out { stream: Stream::Error, stuck: AtomicBool::new(false) };

/// Only the result is written, after which the process ends: if a signal comes meanwhile, at once and
/// with its code. Where something `stays` that is no code to end with: what is left of the result is
/// lost then. The same holds once all is written.
pub(super) fn write_the_last(stays: bool, write: impl FnOnce()) {
    DONE.store(true, Ordering::SeqCst);
    for out in [&OUTPUT, &ERROR] {
        out.stuck.store(false, Ordering::SeqCst);
    }
    if !stays {
        signals::release();
    }
    write();
    signals::hold();
}

impl Out {
    /// Writes a text, of which the styles are left out where nobody would see them.
    pub(super) fn write(&self, text: &str) -> io::Result<()> {
        let choice = match self.stream {
            Stream::Output => AutoStream::choice(&io::stdout()),
            Stream::Error => AutoStream::choice(&io::stderr()),
        };
        match choice {
            ColorChoice::Never => self.write_bytes(strip_str(text).to_string().as_bytes()),
            ColorChoice::Auto | ColorChoice::Always | ColorChoice::AlwaysAnsi => {
                self.write_bytes(text.as_bytes())
            }
        }
    }

    /// # Errors
    /// `TimedOut` where the reader takes nothing and need not be waited for any longer; else those of
    /// write(2).
    pub(super) fn write_bytes(&self, bytes: &[u8]) -> io::Result<()> {
        match self.stream {
            Stream::Output => self.write_to(io::stdout().lock(), bytes),
            Stream::Error => self.write_to(io::stderr().lock(), bytes),
        }
    }

    fn write_to(&self, mut to: impl io::Write + AsFd, bytes: &[u8]) -> io::Result<()> {
        for chunk in bytes.chunks(CHUNK) {
            self.wait(&to)?;
            to.write_all(chunk)?;
            to.flush()?;
        }
        Ok(())
    }

    /// Until something can be written.
    fn wait(&self, to: &impl AsFd) -> io::Result<()> {
        let grace = match (self.stuck.load(Ordering::SeqCst), DONE.load(Ordering::SeqCst)) {
            (true, _) => Duration::ZERO,
            (false, false) => GRACE,
            (false, true) => LAST_GRACE,
        };
        let look = if grace.is_zero() && is_over() { Timespec::default() } else { LOOK };
        let mut over_since = None;
        loop {
            let mut polled = [PollFd::new(to, PollFlags::OUT)];
            match poll(&mut polled, Some(&look)) {
                Ok(0) | Err(Errno::INTR) => {}
                // What is no reader any more is told by the write itself.
                Ok(_) => {
                    self.stuck.store(false, Ordering::SeqCst);
                    return Ok(());
                }
                Err(errno) => return Err(errno.into()),
            }
            if is_over() && over_since.get_or_insert_with(Instant::now).elapsed() >= grace {
                self.stuck.store(true, Ordering::SeqCst);
                return Err(io::ErrorKind::TimedOut.into());
            }
        }
    }
}

/// Whether nobody has to be waited for: a signal came, or the time is over and there may be something
/// to take back.
fn is_over() -> bool {
    signals::ever().is_some() || (!DONE.load(Ordering::SeqCst) && halt::is_late())
}
