//! Ensuring: changes that are made only where the network is not yet as they ask for.

use super::Session;
use crate::change::Change;
use crate::kernel::{BatchError, Error, Lacking};

impl Session {
    /// Brings about what is not so yet, all or none, and gives the number of changes that it took.
    pub(super) fn ensure_all(&mut self, changes: Vec<Change>) -> Result<u32, BatchError> {
        let changes: Vec<Change> = changes.into_iter().map(normal).collect();
        // What is permitted carries the run's mark, which nobody asked for.
        self.consider_all(changes.clone()).map_err(|(index, error)| failed(index, error))?;
        let mut removed = 0;
        let pending = loop {
            match self.needed(&changes) {
                Ok(Needed::Changes(pending)) => break pending,
                // With it goes what stood on it, whose place in the list may be anywhere.
                Ok(Needed::Room(place, removal)) => match self.perform(*removal) {
                    Ok(_) => removed += 1,
                    Err(error) => return Err(self.restored(removed, failed(place, error))),
                },
                Err((place, error)) => return Err(self.restored(removed, failed(place, error))),
            }
        };
        let (places, pending): (Vec<usize>, Vec<Change>) = pending.into_iter().unzip();
        let count = u32::try_from(pending.len() + removed).unwrap_or(u32::MAX);
        if pending.is_empty() {
            return Ok(count);
        }
        match self.perform_all(pending) {
            Ok(_) => Ok(count),
            Err(failure) => {
                let index = places.get(failure.index).copied().unwrap_or_default();
                Err(self.restored(removed, BatchError { index, ..failure }))
            }
        }
    }

    /// What is to be done next.
    fn needed(&self, changes: &[Change]) -> Result<Needed, (usize, Error)> {
        let mut pending = Vec::new();
        for (place, change) in changes.iter().enumerate() {
            match self.kernel.lacking(change).map_err(|error| (place, error))? {
                Lacking::Nothing => {}
                Lacking::Everything => pending.push((place, change.clone())),
                Lacking::Mendable { mends, .. } => {
                    pending.extend(mends.into_iter().map(|mend| (place, mend)));
                }
                Lacking::Replacement { removal, .. } => return Ok(Needed::Room(place, removal)),
            }
        }
        Ok(Needed::Changes(pending))
    }

    /// Puts back what was removed to make room; where that takes longer than there is time, it is put
    /// back with all else of the run.
    fn restored(&mut self, removed: usize, mut failure: BatchError) -> BatchError {
        // What a batch left standing came after it.
        let removed = if failure.standing.is_empty() { removed } else { 0 };
        for _ in 0..removed {
            if self.halt.may_go_on().is_err() {
                break;
            }
            let Some((_, outcome)) = self.undo_next() else { break };
            failure.left.extend(outcome.err());
        }
        failure
    }
}

enum Needed {
    /// each with the place of the change that it is for
    Changes(Vec<(usize, Change)>),
    /// something has to go first
    Room(usize, Box<Change>),
}

fn failed(index: usize, error: Error) -> BatchError {
    BatchError::new(index, error)
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
