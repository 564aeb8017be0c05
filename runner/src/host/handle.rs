//! What stands behind a recipe's handles, and how it is refused.

use std::fmt;
use std::sync::Arc;

use wasmtime::component::{Resource, ResourceTable, ResourceTableError};

use super::{Host, LimitReached};
use crate::capture::Capture;
use crate::change::{LinkRef, NamespaceRef};
use crate::host::bindings::netwright::host::types;
use crate::kernel::Error;
use crate::probe::{Echo, Listener, Pinging};
use crate::tap::Tap;

pub struct NamespaceHandle(pub(super) NamespaceRef);
pub struct LinkHandle(pub(super) LinkRef);
pub struct ListenerHandle(pub(super) Listener);
pub struct PingingHandle {
    pub(super) pinging: Option<Pinging>,
    pub(super) echo: Option<Echo>,
}
pub struct TapHandle(pub(super) Tap);
pub struct CaptureHandle {
    /// in the session, which ends it
    pub(super) number: usize,
    pub(super) capture: Arc<Capture>,
}

/// Why a call of the recipe's is not carried out.
pub enum Refusal {
    /// It is told, and may go on.
    Answer(Error),
    /// The same as it crossed to the recipe's process, in the contract's words.
    Told(types::Error),
    /// It is stopped: a budget is used up, a handle is broken, or the host is at fault.
    Trap(wasmtime::Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Answer(error)
    }
}

impl From<LimitReached> for Refusal {
    fn from(limit: LimitReached) -> Self {
        Self::Trap(limit.into())
    }
}

impl From<ResourceTableError> for Refusal {
    fn from(error: ResourceTableError) -> Self {
        match error {
            ResourceTableError::Full => Self::Answer(Error::Limit("handles".to_owned())),
            ResourceTableError::NotPresent
            | ResourceTableError::WrongType
            | ResourceTableError::HasChildren => Self::Trap(error.into()),
        }
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer(error) => write!(f, "Answer({error})"),
            Self::Told(error) => write!(f, "Told({error})"),
            Self::Trap(error) => write!(f, "Trap({error})"),
        }
    }
}

impl Host {
    /// A denial is shown and kept in the report, so a recipe can't be denied for ever.
    pub(super) fn count_denial(&mut self, error: &Error) -> Result<(), LimitReached> {
        match error {
            Error::Denied(denial) => {
                let text = denial.capability.len() + denial.target.len() + denial.hint.len();
                self.budget.say(text)
            }
            Error::Kernel(_)
            | Error::Gone(_)
            | Error::Invalid(_)
            | Error::Missing(_)
            | Error::Timeout(_)
            | Error::Limit(_)
            | Error::Unsupported(_)
            | Error::Halted(_) => Ok(()),
        }
    }

    /// What the recipe is told, unless it is stopped.
    pub(crate) fn told(&mut self, refusal: Refusal) -> wasmtime::Result<types::Error> {
        match refusal {
            Refusal::Answer(error) => {
                self.count_denial(&error)?;
                Ok(super::convert::error_out(error))
            }
            Refusal::Told(error) => Ok(error),
            Refusal::Trap(error) => Err(error),
        }
    }
}

/// The reference behind a namespace's handle.
pub(super) fn namespace(
    table: &ResourceTable,
    handle: &Resource<NamespaceHandle>,
) -> Result<NamespaceRef, Refusal> {
    Ok(table.get(handle)?.0.clone())
}

/// The reference behind a link's handle.
pub(super) fn link(
    table: &ResourceTable,
    handle: &Resource<LinkHandle>,
) -> Result<LinkRef, Refusal> {
    Ok(table.get(handle)?.0.clone())
}
