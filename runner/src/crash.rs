//! For tests: ends this process, and its watcher if asked to, at one moment of a run, as a power
//! cut of the program alone would.
//!
//! Only a build with debug assertions heeds the variables.

use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use crate::process::{Pinned, end_self, stop_self};

/// At which moment, from 1; moments are counted over the whole run.
const MOMENT: &str = "NETWRIGHT_CRASH_AT";
/// What ends: `runner` (as where it isn't set), `watcher` or `both`; with `pause` nothing does, and
/// the runner waits for SIGCONT.
const VICTIM: &str = "NETWRIGHT_CRASH";

/// Moments left; unset until the first one.
static LEFT: AtomicI64 = AtomicI64::new(i64::MIN);
static WATCHER: AtomicU32 = AtomicU32::new(0);

/// Who would end with the runner.
pub(crate) fn watched_by(process: u32) {
    WATCHER.store(process, Ordering::Relaxed);
}

/// A moment at which a process may end. Whether it is the chosen one is told to who can do half
/// of something first; `end` is called then.
pub(crate) fn is_now() -> bool {
    if !cfg!(debug_assertions) {
        return false;
    }
    if LEFT.load(Ordering::Relaxed) == i64::MIN {
        let asked = std::env::var(MOMENT).ok().and_then(|text| text.parse().ok());
        LEFT.store(asked.unwrap_or(0), Ordering::Relaxed);
    }
    LEFT.load(Ordering::Relaxed) > 0 && LEFT.fetch_sub(1, Ordering::Relaxed) == 1
}

/// Ends those who should end, like kill -9.
pub(crate) fn end() {
    let victim = std::env::var(VICTIM).unwrap_or_default();
    if victim == "pause" {
        return stop_self();
    }
    if matches!(victim.as_str(), "watcher" | "both") {
        let _ = Pinned::open(WATCHER.load(Ordering::Relaxed)).and_then(|watcher| watcher.end());
    }
    if victim != "watcher" {
        end_self();
    }
}

/// A moment between two operations.
pub(crate) fn point() {
    if is_now() {
        end();
    }
}
