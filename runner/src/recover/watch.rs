//! The watcher: a process that does nothing but wait until a run on the host is over, and takes
//! back what it left.

use std::io::{Read as _, Write as _};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::setsid;
use rustix::thread::{ClockId, NanosleepRelativeResult, Timespec, clock_nanosleep_relative};

use super::recover;
use crate::clock::now;
use crate::crash;
use crate::exit::{Exit, Failure};
use crate::journal::{Fate, Folder};
use crate::process;
use crate::store;

/// How often it looks whether a deployment was confirmed or destroyed meanwhile.
const LOOK: Duration = Duration::from_secs(1);

/// Starts a watcher of a journal, and comes back when it is on guard.
pub(crate) fn start(file: &str) -> Result<(), Failure> {
    let failed = |error: std::io::Error| process::not_started("the watcher of the run", &error);
    let mut watcher = process::itself("__watch")
        .arg(file)
        .current_dir("/")
        .env_clear()
        .env(store::VARIABLE, store::path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(failed)?;
    crash::watched_by(watcher.id());
    let mut byte = [0];
    let ready = watcher.stdout.take().map_or(Ok(0), |mut stdout| stdout.read(&mut byte));
    match ready.map_err(failed)? {
        0 => Err(failed(std::io::Error::other("it ended at once"))),
        _ => Ok(()),
    }
}

/// What `netwright __watch JOURNAL` does.
pub fn watch(file: &str) -> Result<Exit, Failure> {
    // A terminal's signals, and its end, are for the run.
    let _ = setsid();
    let folder = Folder::open()?;
    // On guard of what isn't there is nobody.
    if folder.read(file).is_none() {
        return Ok(Exit::Broken);
    }
    let mut stdout = std::io::stdout();
    // Where nobody waits for this, the run is over already.
    let _ = stdout.write_all(b"!").and_then(|()| stdout.flush());
    close_stdout();
    while let Some(owned) = folder.wait_for(file) {
        if owned.history.flaw.is_some() {
            // It may have been kept, or not: who asks for it decides.
            return Ok(Exit::UndoIncomplete);
        }
        match owned.history.fate() {
            Fate::Left | Fate::Stays => break,
            Fate::Until(moment) if moment > now() => {
                drop(owned);
                sleep(Duration::from_millis(moment.saturating_sub(now())).min(LOOK));
            }
            Fate::Undone | Fate::Until(_) => {
                // Whoever looks finds in the journal what could not be done.
                let recovered = recover(&folder, owned);
                return Ok(if recovered.left.is_empty() {
                    Exit::Done
                } else {
                    Exit::UndoIncomplete
                });
            }
        }
    }
    Ok(Exit::Done)
}

/// The pipe to the run goes, so that the run's own end of it can't stay open here.
fn close_stdout() {
    if let Ok(null) = std::fs::File::options().write(true).open("/dev/null") {
        let _ = rustix::stdio::dup2_stdout(&null);
    }
}

fn sleep(time: Duration) {
    let mut left = Timespec {
        tv_sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: time.subsec_nanos().into(),
    };
    while let NanosleepRelativeResult::Interrupted(rest) =
        clock_nanosleep_relative(ClockId::Boottime, &left)
    {
        left = rest;
    }
}
