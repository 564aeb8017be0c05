//! Time as it passes, of a clock that nobody sets.

use std::time::Duration;

use crate::host;

/// How long the recipe's `check` or `run` takes already.
///
/// ```
/// use netwright_sdk::clock;
/// use netwright_sdk::prelude::*;
/// use netwright_sdk::testing::MemoryHost;
///
/// let host = MemoryHost::new();
/// let before = clock::now();
/// clock::sleep(Duration::from_secs(3600));
/// // In memory it is that long, and nobody waits.
/// assert_eq!(clock::now() - before, Duration::from_secs(3600));
/// ```
pub fn now() -> Duration {
    Duration::from_nanos(host::clock::now())
}

/// Waits. It counts against the time of the run, which ends with it.
pub fn sleep(duration: Duration) {
    host::clock::sleep(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX));
}
