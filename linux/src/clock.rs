//! The time that journals have: one for the whole machine, which goes on while it sleeps.

use std::fs;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Milliseconds of CLOCK_BOOTTIME, which goes on while the machine sleeps; the machine's own, also
/// where a time namespace shifts it.
pub fn now() -> u64 {
    let now = clock_gettime(ClockId::Boottime);
    let shift = fs::read_to_string("/proc/self/timens_offsets").unwrap_or_default();
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
pub fn moment_after(time: Duration) -> u64 {
    now().saturating_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
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
