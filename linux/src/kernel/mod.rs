//! What changes the network and answers for it: the real kernel, or a model of it.

mod absent;
pub mod again;
mod error;
mod failpoint;
pub mod kind;
mod lacking;
pub mod mark;
pub mod netlink;
pub mod netns;
mod permitted;
mod put;
mod sight;
mod tun;
pub mod uplink;

use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;

pub use absent::{Absent, Asked};
pub use error::{Denial, Error, KernelError, Told};
pub use lacking::Lacking;
pub use netlink::explain_io;
pub use netlink::{Netlink, Witness};
pub use netlink::{named_by, settled_options};
pub use permitted::Permitted;
pub use put::Put;
pub use sight::{Claimed, Holder, LinkSight, SpaceSight, Stations, Upper};

use crate::change::{
    Answer, Applied, Change, Entry, LinkRef, Name, NamespaceRef, Query, Route, Undo,
};
use crate::halt::Halt;
use crate::records::Claim;

/// Something that changes can be applied to.
///
/// Calls block for as long as the kernel takes, microseconds to milliseconds.
pub trait Kernel {
    /// From now on asks this between two pieces of work, whether it may go on.
    fn heed(&mut self, _: Halt) {}

    fn apply(&mut self, change: &Permitted<Change>) -> Result<Applied, Error>;

    /// All of them or none, in an order that their needs allow; answers in the order asked.
    fn apply_all(&mut self, changes: &[Permitted<Change>]) -> Result<Vec<Applied>, BatchError>;

    /// What would take changes back if this process ended in the middle of them: read before
    /// anything is done. What carries the run's mark is found by that.
    fn foresee(&self, changes: &[Permitted<Change>]) -> Vec<Undo>;

    /// What keeps the network from being as a change asks for that was permitted.
    fn lacking(&self, change: &Change) -> Result<Lacking, Error>;

    /// What of others' a change uses or alters.
    fn claims(&self, change: &Permitted<Change>) -> Vec<Claim>;

    /// Takes a change back. What is gone already is success.
    fn revert(&mut self, undo: &Undo) -> Result<(), Error>;

    fn query(&self, query: &Permitted<Query>) -> Result<Answer, Error>;

    /// The run's named namespaces, held by these descriptors.
    fn namespaces(&self) -> Vec<(Name, Arc<OwnedFd>)>;

    /// Tells of each namespace that is made from now on, before anything is made inside it.
    fn watch_namespaces(&mut self, watcher: NamespaceWatcher);

    /// The host's link that a change makes a child of, or of which it alters one.
    fn uplink_of(&self, _: &Change) -> Option<String> {
        None
    }

    /// Whether a child of the host's link may be known by these addresses there.
    fn may_claim(&self, _uplink: &str, _: &Claimed) -> Result<(), Error> {
        Ok(())
    }

    /// The links of a namespace of the run's that it has not made, before a program runs there.
    fn unmarked(&self, _: &NamespaceRef) -> Vec<u32> {
        Vec::new()
    }

    /// Takes the links for the run's own that a program made there: all but those.
    fn adopt(&self, _: &NamespaceRef, _before: &[u32]) {}

    /// The namespace's descriptor, for sockets that are to be opened inside it.
    fn namespace_descriptor(&self, namespace: &NamespaceRef) -> Result<Arc<OwnedFd>, Error>;

    /// A namespace as it is, for the policy.
    fn see_space(&self, namespace: &NamespaceRef) -> Result<SpaceSight, Error>;

    /// Whether this run has put what is there, by what it did: what carries the mark may be another
    /// run's.
    fn has_put(&self, _: &Put) -> bool {
        false
    }

    /// A link as it is now, for the policy. By name: the link that has this name, not one that has
    /// it as an alternative name.
    fn see_link(&self, link: &LinkRef) -> Result<LinkSight, Error>;

    /// Whether a link of others' that this run has moved is no longer what it was at home.
    fn is_altered(&self, _: &LinkRef) -> bool {
        false
    }

    /// The links of others that would lose an entry of their bridge's, if that one were put on a port
    /// of it; of any bridge where it isn't said whose port it is.
    fn losers_of(
        &self,
        _: &NamespaceRef,
        _port: Option<&LinkRef>,
        _: &Entry,
    ) -> Result<Vec<LinkSight>, Error> {
        Ok(Vec::new())
    }

    /// Whether a link hands its frames to others' links: to what it is a port of, or to children that
    /// may have VLANs of their own.
    fn hands_on(&self, link: &LinkRef) -> Result<bool, Error>;

    /// The links of others that the kernel would delete, or leave without it, if a link went to
    /// another namespace.
    fn lost_by_a_move(&self, _: &LinkRef) -> Result<Vec<Upper>, Error> {
        Ok(Vec::new())
    }

    /// The links of others that a link is one bundle with: a bond or team, of which it may be a port,
    /// and its ports.
    fn bundle_of(&self, _: &LinkRef) -> Result<Vec<LinkSight>, Error> {
        Ok(Vec::new())
    }

    /// Who has which addresses on the network that a link of others' is on.
    fn stations(&self, _: &LinkRef) -> Result<Stations, Error> {
        Ok(Stations::default())
    }

    /// The links that carry what goes between an address of the root namespace's own and a station:
    /// all that its route leaves by and that have the address, with all that stand below them or are
    /// their ports, and the other ends of veths with what those are ports of.
    fn carriers(&self, here: IpAddr, there: IpAddr) -> Result<Vec<LinkRef>, Error>;

    /// The entries of routing tables by which the root namespace sends from one address to another,
    /// whatever the type of service of its packets: none where there is no way.
    fn ways(&self, from: IpAddr, to: IpAddr) -> Result<Vec<Route>, Error>;

    /// What there is of the run's now; unlike a count of what was made and deleted it can't drift.
    fn census(&self) -> Result<Census, Error>;

    /// What differs from the state that an undo should have brought about, in words.
    fn differences(&self, undo: &Undo) -> Vec<String>;

    /// What of an undo has not brought its state about, to be tried again.
    fn unfinished(&self, _: &Undo) -> Undo {
        Undo::default()
    }

    /// What still carries this run's mark outside its own namespaces, in words.
    fn remains(&self) -> Vec<String>;
}

/// How many objects of a run's there are at one time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Census {
    pub namespaces: usize,
    /// each end of a veth counted
    pub links: usize,
}

impl Census {
    /// This and more.
    pub fn and(self, more: Self) -> Self {
        Self {
            namespaces: self.namespaces.saturating_add(more.namespaces),
            links: self.links.saturating_add(more.links),
        }
    }
}

/// Called with a new namespace's name and descriptor.
pub struct NamespaceWatcher(pub Box<TellOfNamespace>);

type TellOfNamespace = dyn FnMut(&Name, &OwnedFd) + Send;

impl std::fmt::Debug for NamespaceWatcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NamespaceWatcher")
    }
}

/// The first change of a batch that failed.
#[derive(Debug)]
pub struct BatchError {
    pub index: usize,
    pub error: Error,
    /// what could not be undone of those before it
    pub left: Vec<Error>,
    /// What was made and still stands, by its place: a batch that may not go on is not undone by
    /// itself, for taking back is the run's.
    pub standing: Vec<(usize, Applied)>,
}

impl BatchError {
    /// Nothing stands.
    pub fn new(index: usize, error: Error) -> Self {
        Self { index, error, left: Vec::new(), standing: Vec::new() }
    }
}
