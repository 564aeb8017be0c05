//! What came of echo requests.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::told::Told;

/// What came of it; the times are zero where nothing was received.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Echo {
    pub sent: u32,
    pub received: u32,
    pub minimum: Duration,
    pub average: Duration,
    pub maximum: Duration,
}

/// The same while it grows.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) sent: u32,
    received: u32,
    minimum: Duration,
    maximum: Duration,
    total: Duration,
    /// what was said last of a request that was not answered
    pub(super) told: Option<Told>,
}

impl Tally {
    pub(super) fn add(&mut self, time: Duration) {
        self.minimum = if self.received == 0 { time } else { self.minimum.min(time) };
        self.maximum = self.maximum.max(time);
        self.total += time;
        self.received += 1;
    }
}

pub(super) fn sum(tally: &Mutex<Tally>) -> Echo {
    let tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
    Echo {
        sent: tally.sent,
        received: tally.received,
        minimum: tally.minimum,
        average: tally.total.checked_div(tally.received).unwrap_or_default(),
        maximum: tally.maximum,
    }
}
