//! A value in the making that remembers the first fault in what it was told.

use crate::Result;

/// What a builder collects: whole, or the first fault.
#[derive(Debug, Clone)]
pub(crate) struct Pending<T>(Result<T>);

impl<T> Pending<T> {
    pub(crate) fn new(start: Result<T>) -> Self {
        Self(start)
    }

    /// Puts a value in that cannot be wrong.
    pub(crate) fn set(&mut self, set: impl FnOnce(&mut T)) {
        if let Ok(collected) = &mut self.0 {
            set(collected);
        }
    }

    /// Puts a value in, unless it or an earlier one is wrong.
    pub(crate) fn put<V>(&mut self, value: Result<V>, set: impl FnOnce(&mut T, V)) {
        match (&mut self.0, value) {
            (Ok(collected), Ok(value)) => set(collected, value),
            (Ok(_), Err(fault)) => self.0 = Err(fault),
            (Err(_), Ok(_) | Err(_)) => {}
        }
    }

    pub(crate) fn finish(self) -> Result<T> {
        self.0
    }
}
