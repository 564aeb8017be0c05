//! How much memory a recipe takes up before the engine stops it.

use wasmtime::ResourceLimiter;

use super::message::{Bounds, Reached};

pub(super) struct Meter {
    memory: usize,
    memory_used: usize,
    table_elements: usize,
    table_elements_used: usize,
}

impl Meter {
    pub(super) fn new(bounds: &Bounds) -> Self {
        Self {
            memory: bounds.memory,
            memory_used: 0,
            table_elements: bounds.table_elements,
            table_elements_used: 0,
        }
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        self.memory_used = self.memory_used.saturating_add(desired.saturating_sub(current));
        if self.memory_used > self.memory {
            return Err(Reached::Memory.into());
        }
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        self.table_elements_used =
            self.table_elements_used.saturating_add(desired.saturating_sub(current));
        if self.table_elements_used > self.table_elements {
            return Err(Reached::TableElements.into());
        }
        Ok(true)
    }

    /// Python's runtime needs more than 32 core instances.
    fn instances(&self) -> usize {
        256
    }

    fn tables(&self) -> usize {
        256
    }

    fn memories(&self) -> usize {
        16
    }
}
