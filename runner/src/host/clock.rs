//! `clock`: a recipe's pauses. What time it is, its own process tells.

use std::time::Duration;

use super::Host;

/// What the broker has of the interface.
pub(crate) trait Pause {
    async fn sleep(&mut self, nanoseconds: u64) -> wasmtime::Result<()>;
}

impl Pause for Host {
    /// The end of the run's time, and signals, are heard meanwhile by whoever serves the recipe.
    async fn sleep(&mut self, nanoseconds: u64) -> wasmtime::Result<()> {
        tokio::time::sleep(Duration::from_nanos(nanoseconds)).await;
        Ok(())
    }
}
