//! Recipes: what `#[recipe]` makes of a function.
//!
//! A recipe that is to run on a machine's own network says in its manifest what for:
//!
//! ```
//! use netwright_sdk::prelude::*;
//!
//! #[recipe(
//!     name = "children",
//!     version = "0.1.0",
//!     capabilities("host.link.create kind=macvlan name=lab-*" = "one link for each station")
//! )]
//! fn children(_lab: &Lab) -> Result<()> {
//!     Ok(())
//! }
//! assert!(RECIPE.manifest.contains("one link for each station"));
//! ```
//!
//! What can't be granted is an error of the compiler, as this capability, which there isn't:
//!
//! ```compile_fail
//! # use netwright_sdk::prelude::*;
//! #[recipe(
//!     name = "children",
//!     version = "0.1.0",
//!     capabilities("host.link.craete kind=macvlan name=lab-*" = "one link for each station")
//! )]
//! fn children(_lab: &Lab) -> Result<()> {
//!     Ok(())
//! }
//! ```

use crate::params::{Fault, Params, Values, fault};
use crate::wit::types::Error as WitError;
use crate::{Error, Lab, Result, log};

/// A recipe: its name, its manifest, and the function that builds the network.
///
/// `#[recipe]` makes the constant `RECIPE` beside the function that it stands on. A test runs it
/// by [`MemoryHost::run`](crate::testing::MemoryHost::run).
#[derive(Debug, Clone, Copy)]
pub struct Recipe {
    /// The name, as users of the recipe know it.
    pub name: &'static str,
    /// The version, as users of the recipe know it.
    pub version: &'static str,
    /// What the compiled recipe carries in its section `netwright:manifest`, as JSON.
    pub manifest: &'static str,
    #[doc(hidden)]
    pub check: fn() -> Vec<Fault>,
    #[doc(hidden)]
    pub run: fn() -> Result<()>,
}

impl Recipe {
    /// All that is wrong with the parameters of this run.
    pub fn check(&self) -> Vec<Fault> {
        (self.check)()
    }

    /// Everything the recipe does.
    pub fn run(&self) -> Result<()> {
        (self.run)()
    }
}

/// The faults of the types, or else those that the recipe itself finds.
#[doc(hidden)]
pub fn check<P: Params>(more: impl FnOnce(&P) -> Vec<Fault>) -> Vec<Fault> {
    match P::read(&Values::of_this_run()) {
        Ok(params) => more(&params),
        Err(faults) => faults,
    }
}

/// Reads the parameters and opens the lab.
#[doc(hidden)]
pub fn run<P: Params>(build: impl FnOnce(&Lab, P) -> Result<()>) -> Result<()> {
    let params = P::read(&Values::of_this_run()).map_err(|faults| fault::refuse(&faults))?;
    build(&Lab::open()?, params)
}

/// What the component's `check` does.
#[doc(hidden)]
pub fn guest_check(recipe: &Recipe) -> Vec<Fault> {
    log_panics();
    recipe.check()
}

/// What the component's `run` does.
#[doc(hidden)]
pub fn guest_run(recipe: &Recipe) -> Result<(), WitError> {
    log_panics();
    recipe.run().map_err(Error::into_wit)
}

/// A panic ends the component without a word, unless its text is told before.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let text = panic.payload_as_str().unwrap_or("panic without a text");
        match panic.location() {
            Some(place) => log::error(format!("panic at {place}: {text}")),
            None => log::error(format!("panic: {text}")),
        }
    }));
}
