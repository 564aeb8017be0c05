//! For tests: makes one change of a run fail, as if the kernel had refused it.
//!
//! Only a build with debug assertions heeds the variable, so that nobody can break a released
//! program's runs by the environment.

use std::sync::atomic::{AtomicI64, Ordering};

use crate::kernel::{Error, KernelError};

/// Which of a run's changes fails, from 1.
const VARIABLE: &str = "NETWRIGHT_FAIL_AT";

/// Counts down to the change that fails.
#[derive(Debug)]
pub(super) struct Failpoint {
    left: AtomicI64,
}

impl Failpoint {
    pub(super) fn of_environment() -> Self {
        let asked = match cfg!(debug_assertions) {
            true => std::env::var(VARIABLE).ok().and_then(|text| text.parse().ok()),
            false => None,
        };
        Self { left: AtomicI64::new(asked.unwrap_or(0)) }
    }

    /// Counts a change; whether it is the one that is to fail.
    pub(super) fn hit(&self) -> bool {
        self.left.load(Ordering::Relaxed) > 0 && self.left.fetch_sub(1, Ordering::Relaxed) == 1
    }

    /// The same, as an error of the change.
    pub(super) fn pass(&self, change: &dyn std::fmt::Display) -> Result<(), Error> {
        match self.hit() {
            false => Ok(()),
            true => Err(Error::Kernel(KernelError {
                // Which is no answer to any change.
                errno: libc::EIO,
                operation: change.to_string(),
                text: Some("made to fail by a test".to_owned()),
                hint: None,
            })),
        }
    }
}
