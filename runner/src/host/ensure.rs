//! `ensure`: changes that are made only where the network is not yet as they ask for.

use super::batch::{batch_error_out, parse, step};
use super::{Host, Session};
use crate::bindings::netwright::host::batch::{BatchError as BatchErrorOut, Step};
use crate::bindings::netwright::host::ensure;
use crate::change::Change;
use crate::kernel::{BatchError, Error, Lacking};

impl ensure::Host for Host {
    fn apply(&mut self, steps: Vec<Step>) -> wasmtime::Result<Result<u32, BatchErrorOut>> {
        let made = parse(steps, step).and_then(|changes| self.session.ensure_all(changes));
        Ok(made.map_err(batch_error_out))
    }
}

impl Session {
    /// Brings about what is not so yet, all or none, and gives the number of changes that it took.
    pub(super) fn ensure_all(&mut self, changes: Vec<Change>) -> Result<u32, BatchError> {
        let changes = changes.into_iter().map(normal).collect();
        let permitted = self.permit_all(changes).map_err(|(index, error)| failed(index, error))?;
        let mut todo = Vec::new();
        let mut places = Vec::new();
        let mut removed = 0;
        for (place, change) in permitted.iter().enumerate() {
            let lacking = self.kernel.lacking(change.get()).map_err(|error| (place, error));
            let needed = lacking.and_then(|lacking| {
                self.needed(change.get(), lacking, &mut removed).map_err(|error| (place, error))
            });
            match needed {
                Ok(needed) => {
                    places.extend(std::iter::repeat_n(place, needed.len()));
                    todo.extend(needed);
                }
                Err((place, error)) => return Err(self.restored(removed, failed(place, error))),
            }
        }
        let count = u32::try_from(todo.len() + removed).unwrap_or(u32::MAX);
        if todo.is_empty() {
            return Ok(count);
        }
        match self.perform_all(todo) {
            Ok(_) => Ok(count),
            Err(failure) => {
                let index = places.get(failure.index).copied().unwrap_or_default();
                Err(self.restored(removed, BatchError { index, ..failure }))
            }
        }
    }

    /// The changes that are left to make. What has to go first goes now, so that what comes later
    /// in the list finds it gone, with all that stood on it.
    fn needed(
        &mut self,
        change: &Change,
        lacking: Lacking,
        removed: &mut usize,
    ) -> Result<Vec<Change>, Error> {
        match lacking {
            Lacking::Nothing => Ok(Vec::new()),
            Lacking::Everything => Ok(vec![change.clone()]),
            Lacking::Mendable { mends, .. } => Ok(mends),
            Lacking::Replacement { removal, .. } => {
                self.perform(*removal)?;
                *removed += 1;
                Ok(vec![change.clone()])
            }
        }
    }

    /// Puts back what was removed to make room.
    fn restored(&mut self, removed: usize, mut failure: BatchError) -> BatchError {
        for _ in 0..removed {
            let Some((_, outcome)) = self.undo_next() else { break };
            failure.left.extend(outcome.err());
        }
        failure
    }
}

fn failed(index: usize, error: Error) -> BatchError {
    BatchError { index, error, left: Vec::new() }
}

/// A change as the kernel would give it back: a route leads to a network, so that its destination
/// has no host bits.
fn normal(mut change: Change) -> Change {
    if let Change::PutRoute { route, .. } = &mut change {
        route.destination = route.destination.map(|prefix| prefix.network());
        route.from = route.from.map(|prefix| prefix.network());
    }
    change
}
