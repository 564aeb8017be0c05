//! `batch`: many changes in one call.

use wasmtime::component::{Resource, ResourceTableError};

use super::budget::{Collected, LimitReached};
use super::{Host, convert};
use crate::change::Change;
use crate::host::bindings::netwright::host::batch;
use crate::kernel::BatchError;

pub(super) type Batch = Resource<BatchHandle>;

/// What a recipe collects, until it is applied or dropped.
#[derive(Default)]
pub struct BatchHandle {
    changes: Vec<Change>,
    /// The first that can't be; what comes after it is not kept.
    wrong: Option<BatchError>,
    collected: Collected,
}

impl batch::Host for Host {}

impl batch::HostBatch for Host {
    fn new(&mut self) -> wasmtime::Result<Batch> {
        self.table.push(BatchHandle::default()).map_err(|error| match error {
            ResourceTableError::Full => LimitReached("handles".to_owned()).into(),
            ResourceTableError::NotPresent
            | ResourceTableError::WrongType
            | ResourceTableError::HasChildren => error.into(),
        })
    }

    fn apply(&mut self, batch: Batch) -> wasmtime::Result<Result<(), batch::BatchError>> {
        let made = self.take(batch)?.and_then(|changes| self.session.perform_all(changes));
        self.made(made.map(drop))
    }

    fn ensure(&mut self, batch: Batch) -> wasmtime::Result<Result<u32, batch::BatchError>> {
        let made = self.take(batch)?.and_then(|changes| self.session.ensure_all(changes));
        self.made(made)
    }

    fn drop(&mut self, batch: Batch) -> wasmtime::Result<()> {
        self.take(batch).map(drop)
    }
}

impl Host {
    /// Puts a change into a batch; what is wrong with it is told with the batch. Whatever would be
    /// too much ends the recipe before it is kept.
    pub(super) fn add(
        &mut self,
        batch: &Batch,
        change: impl FnOnce() -> convert::Parsed<Change>,
    ) -> wasmtime::Result<()> {
        let handle = self.table.get_mut(batch)?;
        let place = handle.collected.changes;
        handle.collected.add(self.budget.collect(self.heard)?);
        if handle.wrong.is_none() {
            match change() {
                Ok(change) => handle.changes.push(change),
                Err(error) => handle.wrong = Some(BatchError::new(place, error)),
            }
        }
        Ok(())
    }

    /// Ends a batch.
    fn take(&mut self, batch: Batch) -> wasmtime::Result<Result<Vec<Change>, BatchError>> {
        let BatchHandle { changes, wrong, collected } = self.table.delete(batch)?;
        self.budget.release(collected);
        Ok(wrong.map_or(Ok(changes), Err))
    }

    fn made<T>(
        &mut self,
        made: Result<T, BatchError>,
    ) -> wasmtime::Result<Result<T, batch::BatchError>> {
        if let Err(failure) = &made {
            self.count_denial(&failure.error)?;
        }
        Ok(made.map_err(|failure| batch::BatchError {
            index: u32::try_from(failure.index).unwrap_or(u32::MAX),
            error: convert::error_out(failure.error),
            undone: failure.left.is_empty(),
        }))
    }
}
