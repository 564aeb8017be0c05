//! The watcher: a process that does nothing but wait until a run on the host is over, and takes
//! back what it left.

use std::io::{Read as _, Write as _};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::setsid;
use rustix::thread::{ClockId, NanosleepRelativeResult, Timespec, clock_nanosleep_relative};
use rustix::time::clock_gettime;

use super::recover;
use crate::crash;
use crate::exit::{Exit, Failure};
use crate::journal::{Fate, Folder};
use crate::process;
use crate::store;

/// How often it looks whether a deployment was confirmed or destroyed meanwhile.
const LOOK: Duration = Duration::from_secs(1);

/// Milliseconds of CLOCK_BOOTTIME, which goes on while the machine sleeps; the machine's own, also
/// where a time namespace shifts it.
pub(crate) fn now() -> u64 {
    let now = clock_gettime(rustix::time::ClockId::Boottime);
    let shift = std::fs::read_to_string("/proc/self/timens_offsets").unwrap_or_default();
    let (seconds, nanoseconds) = shift_of_boottime(&shift);
    let milliseconds = |seconds: i64, nanoseconds: i64| {
        seconds.saturating_mul(1000).saturating_add(nanoseconds / 1_000_000)
    };
    let shifted = milliseconds(now.tv_sec, now.tv_nsec);
    u64::try_from(shifted.saturating_sub(milliseconds(seconds, nanoseconds))).unwrap_or(0)
}

/// Seconds and nanoseconds, as time_namespaces(7) has them; nothing where the kernel has no such
/// namespaces.
fn shift_of_boottime(offsets: &str) -> (i64, i64) {
    let mut lines = offsets.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let line = lines.find(|words| words.first() == Some(&"boottime")).unwrap_or_default();
    let number = |at: usize| line.get(at).and_then(|word| word.parse().ok()).unwrap_or(0);
    (number(1), number(2))
}

/// A moment from now on, as journals have it.
pub(crate) fn moment_after(time: Duration) -> u64 {
    now().saturating_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

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

#[cfg(test)]
mod tests {
    use super::shift_of_boottime;

    #[test]
    fn the_shift_of_a_time_namespace_is_read() {
        let offsets = "monotonic           0         0\nboottime       86400        17\n";
        assert_eq!(shift_of_boottime(offsets), (86400, 17));
        assert_eq!(shift_of_boottime("boottime  -5 0\n"), (-5, 0));
        assert_eq!(shift_of_boottime(""), (0, 0));
    }
}
