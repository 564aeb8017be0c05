//! The real kernel, by rtnetlink: namespaces held by descriptors, and one request socket in each.

mod address;
pub(crate) mod attributes;
mod batch;
mod born;
mod change;
mod create;
mod explain;
mod find;
mod namespace;
mod neighbour;
mod order;
mod raw_link;
mod revert;
mod route;
mod route_message;
mod route_metrics;
mod rule;
mod settings;
mod show;
mod socket;
mod space;
mod sysctl;
mod tuntap;

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use self::space::{Space, Spaces, open_here};
use super::{BatchError, Error, Kernel, netns};
use crate::change::{Answer, Applied, Change, Name, NamespaceRef, Query, Undo};
use crate::policy::Permitted;

/// The kernel of this machine, for one run.
#[derive(Debug)]
pub struct Netlink {
    spaces: Spaces,
    /// the first index that a link of a new namespace gets: some kernels put links of their own
    /// into each
    fresh_index: u32,
    /// links that were moved: where they are, and the index that they had before
    moves: Vec<change::Move>,
    /// links that were found, while many are made on the same parent
    found: find::Found,
}

impl Netlink {
    /// Inside a lab that was entered: its root namespace is the calling thread's.
    pub fn for_lab() -> io::Result<Self> {
        Self::rooted(None, open_here()?)
    }

    /// A kept lab, by the descriptors of its namespaces; the one without a name is its root.
    pub fn adopt(namespaces: Vec<(Option<Name>, OwnedFd)>) -> io::Result<Self> {
        let mut kernel = Self {
            spaces: Spaces::default(),
            fresh_index: 2,
            moves: Vec::new(),
            found: find::Found::default(),
        };
        for (name, descriptor) in namespaces {
            let (_, socket, cookie) = netns::within(descriptor.as_fd(), open_here)?;
            kernel.take_in(name, (descriptor, socket, cookie))?;
        }
        Ok(kernel)
    }

    fn rooted(name: Option<Name>, opened: space::Opened) -> io::Result<Self> {
        let mut kernel = Self {
            spaces: Spaces::default(),
            fresh_index: 2,
            moves: Vec::new(),
            found: find::Found::default(),
        };
        kernel.take_in(name, opened)?;
        Ok(kernel)
    }

    fn take_in(&mut self, name: Option<Name>, opened: space::Opened) -> io::Result<()> {
        let space = self.spaces.insert(Space::new(name, opened, 2));
        space.resync().map_err(|failure| io::Error::other(format!("{failure:?}")))
    }

    /// Applies one change; `undoing` where it takes another one back.
    fn perform(&mut self, change: &Change, undoing: bool) -> Result<Applied, Error> {
        match change {
            Change::CreateNamespace { name } => self.create_namespace(change, name),
            Change::DeleteNamespace { namespace } => self.delete_namespace(namespace, undoing),
            Change::SetNamespaceId { namespace, peer, id } => {
                self.set_namespace_id(change, namespace, peer, *id)
            }
            Change::CreateLink { namespace, spec } => self.create_link(change, namespace, spec),
            Change::ChangeLink { link, settings } => self.change_link(change, link, settings),
            Change::MoveLink { link, to } => self.move_link(change, link, to),
            Change::DeleteLink { link } => self.delete_link(change, link),
            Change::PutAddress { link, address, how } => {
                self.put_address(change, link, address, *how)
            }
            Change::RemoveAddress { link, prefix, peer } => {
                self.remove_address(change, link, *prefix, *peer)
            }
            Change::PutRoute { namespace, route, how } => {
                self.put_route(change, namespace, route, *how)
            }
            Change::RemoveRoute { namespace, route } => {
                self.remove_route(change, namespace, route, undoing)
            }
            Change::AddRule { namespace, rule } => self.add_rule(change, namespace, rule),
            Change::RemoveRule { namespace, rule } => self.remove_rule(change, namespace, rule),
            Change::PutNeighbour { link, neighbour, how } => {
                self.put_neighbour(change, link, neighbour, *how)
            }
            Change::RemoveNeighbour { link, address, proxy } => {
                self.remove_neighbour(change, link, *address, *proxy)
            }
            Change::PutEntry { link, entry, how } => self.put_entry(change, link, entry, *how),
            Change::RemoveEntry { link, entry } => self.remove_entry(change, link, entry),
            Change::SetSysctl { namespace, key, value } => {
                self.set_sysctl(change, namespace, key, value)
            }
        }
    }
}

impl Kernel for Netlink {
    fn apply(&mut self, change: &Permitted<Change>) -> Result<Applied, Error> {
        self.perform(change.get(), false)
    }

    fn apply_all(&mut self, changes: &[Permitted<Change>]) -> Result<Vec<Applied>, BatchError> {
        let changes: Vec<&Change> = changes.iter().map(Permitted::get).collect();
        self.perform_all(&changes)
    }

    fn revert(&mut self, undo: &Undo) -> Result<(), Error> {
        self.take_back(undo)
    }

    fn query(&self, query: &Permitted<Query>) -> Result<Answer, Error> {
        self.answer(query.get())
    }

    fn namespaces(&self) -> Vec<(Name, Arc<OwnedFd>)> {
        let named = |space: &Arc<Space>| Some((space.name.clone()?, Arc::clone(&space.descriptor)));
        self.spaces.all().filter_map(named).collect()
    }

    fn namespace_descriptor(&self, namespace: &NamespaceRef) -> Result<Arc<OwnedFd>, Error> {
        Ok(Arc::clone(&self.spaces.find(namespace)?.descriptor))
    }
}
