//! What changes the network and answers for it: the real kernel, or a model of it.

mod absent;
mod error;
pub mod kind;
pub mod netlink;
pub mod netns;
mod tun;

use std::os::fd::OwnedFd;
use std::sync::Arc;

pub use absent::Absent;
pub use error::{Denial, Error, KernelError};
pub use netlink::Netlink;

use crate::change::{Answer, Applied, Change, Name, NamespaceRef, Query, Undo};
use crate::policy::Permitted;

/// Something that changes can be applied to.
///
/// Calls block for as long as the kernel takes, microseconds to milliseconds.
pub trait Kernel {
    fn apply(&mut self, change: &Permitted<Change>) -> Result<Applied, Error>;

    /// All of them or none, in an order that their needs allow; answers in the order asked.
    fn apply_all(&mut self, changes: &[Permitted<Change>]) -> Result<Vec<Applied>, BatchError>;

    /// Takes a change back. What is gone already is success.
    fn revert(&mut self, undo: &Undo) -> Result<(), Error>;

    fn query(&self, query: &Permitted<Query>) -> Result<Answer, Error>;

    /// The run's named namespaces, held by these descriptors.
    fn namespaces(&self) -> Vec<(Name, Arc<OwnedFd>)>;

    /// The namespace's descriptor, for sockets that are to be opened inside it.
    fn namespace_descriptor(&self, namespace: &NamespaceRef) -> Result<Arc<OwnedFd>, Error>;
}

/// The first change of a batch that failed.
#[derive(Debug)]
pub struct BatchError {
    pub index: usize,
    pub error: Error,
    /// what could not be undone of those before it
    pub left: Vec<Error>,
}
