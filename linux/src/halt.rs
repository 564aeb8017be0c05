//! Whether work may go on: the one place that knows of a run's time and of the signals that end it.
//!
//! Whoever works for long asks here between its pieces, none of which takes longer than a tenth of a
//! second; whoever waits is woken by the same. Taking back asks nobody: it goes on past the run's
//! time, and answers signals by itself.

pub mod signals;

use std::fmt;
use std::io;
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

/// Between two looks at a lock that somebody else has.
const LOOK: Duration = Duration::from_millis(10);

/// Why work may not go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Halted {
    /// names the limit
    Limit(String),
    Interrupted,
    Terminated,
    /// the terminal was closed
    HungUp,
}

impl fmt::Display for Halted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limit(which) => write!(f, "limit reached: {which}"),
            Self::Interrupted => f.write_str("interrupted"),
            Self::Terminated => f.write_str("terminated"),
            Self::HungUp => f.write_str("the terminal was closed"),
        }
    }
}

/// What raises the limit of time.
pub const REMEDY: &str = "`limits` in the scenario, or --timeout, raises it";

/// Shared by all that work for one run. A new one knows of no time.
#[derive(Debug, Clone, Default)]
pub struct Halt(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    until: Option<Instant>,
    /// the time that was given, in words
    limit: String,
    lifted: bool,
}

impl Halt {
    /// For so long from now on.
    pub fn within(time: Duration) -> Self {
        let halt = Self::default();
        halt.allow(time);
        halt
    }

    /// The time begins anew.
    pub fn allow(&self, time: Duration) {
        let mut state = self.state();
        // Beyond what a clock can say there is no limit.
        state.until = Instant::now().checked_add(time);
        state.limit = format!("{} s of time", time.as_secs_f64());
    }

    /// When the time is over, for whoever waits.
    pub fn deadline(&self) -> Instant {
        let far = || Instant::now() + Duration::from_secs(u32::MAX.into());
        self.state().until.unwrap_or_else(far)
    }

    /// The limit in words.
    pub fn limit(&self) -> String {
        self.state().limit.clone()
    }

    /// From now on nothing halts: what was made is taken back. Signals that came before are answered
    /// by that.
    pub fn lift(&self) {
        self.state().lifted = true;
        while signals::answer().is_some() {}
    }

    /// Asked between two pieces of work.
    pub fn may_go_on(&self) -> Result<(), Halted> {
        let state = self.state();
        if state.lifted {
            return Ok(());
        }
        if let Some(signal) = signals::pending() {
            return Err(signal);
        }
        match state.until {
            Some(until) if until <= Instant::now() => Err(Halted::Limit(state.limit.clone())),
            Some(_) | None => Ok(()),
        }
    }

    /// Waits for a lock (flock(2)) for as long as work may go on.
    pub fn wait_for_lock(&self, file: impl AsFd) -> io::Result<()> {
        loop {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(()),
                Err(Errno::WOULDBLOCK) => {
                    self.may_go_on().map_err(io::Error::other)?;
                    // Also while taking back, which goes on with what needs no lock.
                    signals::pending().map_or(Ok(()), |signal| Err(io::Error::other(signal)))?;
                    std::thread::sleep(LOOK);
                }
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::error::Error for Halted {}

/// The run of this process; a command without one has no end of its time.
static RUN: OnceLock<Halt> = OnceLock::new();

/// From now on nobody is written to past this run's time who doesn't read.
pub fn write_within(halt: &Halt) {
    let _ = RUN.set(halt.clone());
}

/// Whether the run's time is over.
pub fn is_late() -> bool {
    RUN.get().is_some_and(|halt| halt.deadline() <= Instant::now())
}

/// Whether the run has no time left for whoever reads slowly, or a signal came.
pub fn is_time_over() -> bool {
    signals::ever().is_some() || is_late()
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn time_is_over_once_it_is_over_and_taking_back_asks_nobody() {
        let halt = Halt::within(Duration::from_secs(3600));
        assert_eq!(halt.may_go_on(), Ok(()));
        halt.allow(Duration::from_millis(1500));
        halt.allow(Duration::ZERO);
        assert_eq!(halt.may_go_on(), Err(Halted::Limit("0 s of time".to_owned())));
        assert_eq!(halt.clone().may_go_on(), halt.may_go_on());
        halt.lift();
        assert_eq!(halt.may_go_on(), Ok(()));
    }

    #[test]
    fn without_a_limit_time_is_never_over() {
        let halt = Halt::within(Duration::MAX);
        assert_eq!(halt.may_go_on(), Ok(()));
        assert!(halt.deadline() > Instant::now() + Duration::from_secs(3600));
        assert_eq!(Halt::default().may_go_on(), Ok(()));
    }

    #[test]
    fn a_lock_that_another_one_has_is_waited_for_as_long_as_there_is_time() {
        let path = std::env::temp_dir().join(format!("netwright-lock-{}", std::process::id()));
        let (held, wanted) = (File::create(&path), File::create(&path));
        std::fs::remove_file(&path).expect("it was just made");
        let (held, wanted) = (held.expect("writable"), wanted.expect("writable"));
        flock(&held, FlockOperation::LockExclusive).expect("nobody has it");
        let halt = Halt::within(Duration::from_millis(50));
        let refused = halt.wait_for_lock(&wanted).expect_err("it is held");
        assert_eq!(refused.to_string(), "limit reached: 0.05 s of time");
        drop(held);
        halt.wait_for_lock(&wanted).expect("nobody has it any more");
    }
}
