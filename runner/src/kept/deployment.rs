//! A deployment on the host, by its journal.

use std::collections::HashSet;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use crate::change::{Change, Kind, NamespaceRef};
use crate::exit::{Exit, Failure};
use crate::journal::{self, History};
use crate::kernel::{Kernel as _, Netlink};

pub(super) struct Deployment {
    history: History,
    kernel: Netlink,
}

impl Deployment {
    /// None where there is none of that name; who may not look into the folder has none.
    pub(super) fn find(name: &str) -> Option<Result<Self, Failure>> {
        let (_, history) = journal::Folder::open().ok()?.deployment(name)?;
        Some(Self::enter(name, history))
    }

    fn enter(name: &str, history: History) -> Result<Self, Failure> {
        let failed = |why: &str| {
            let message = format!(
                "the network of deployment `{name}` can't be entered: {why}\n  help: run it as root, where the deployment was made"
            );
            Failure::new(Exit::Lacking, message)
        };
        let kernel = Netlink::for_recovery(&history).map_err(|error| failed(&error.to_string()))?;
        if !kernel.has_root() {
            return Err(failed("its namespace is not to be found"));
        }
        Ok(Self { history, kernel })
    }

    pub(super) fn kernel(&self) -> &Netlink {
        &self.kernel
    }

    /// The machine's own namespace.
    pub(super) fn root(&self) -> Result<Arc<OwnedFd>, Failure> {
        self.kernel
            .namespace_descriptor(&NamespaceRef::named(None))
            .map_err(|error| Failure::new(Exit::Broken, error.to_string()))
    }

    /// The link group of what it made.
    pub(super) fn group(&self) -> u32 {
        self.history.head.group
    }

    /// Whether all that a namespace holds is the deployment's.
    pub(super) fn made(&self, namespace: &NamespaceRef) -> bool {
        self.kernel.see_space(namespace).is_ok_and(|space| space.own)
    }

    pub(super) fn changes(&self) -> impl Iterator<Item = &Change> {
        self.history.entries.iter().map(|entry| &entry.change)
    }

    /// What it changed of others', and what it put beside that, in ip(8)'s words: all but its own
    /// namespaces and links.
    pub(super) fn elsewhere(&self) -> Vec<String> {
        let mut own = HashSet::new();
        let mut changes = Vec::new();
        for entry in &self.history.entries {
            let change = &entry.change;
            let Some(place) = change.namespace().and_then(|each| self.history.place(each)) else {
                continue;
            };
            if self.history.made.iter().any(|(_, cookie)| *cookie == place) {
                continue;
            }
            if let Change::CreateLink { namespace, spec } = change {
                own.insert((place, spec.name.to_string()));
                if let Kind::Veth(veth) = &spec.kind {
                    let peer = veth.peer.reference(namespace);
                    own.extend(self.history.place(&peer.namespace).map(|there| (there, peer.name)));
                }
                continue;
            }
            let mut links = names(change).peekable();
            if links.peek().is_none() || links.any(|name| !own.contains(&(place, name.to_owned())))
            {
                changes.push(change.to_string());
            }
        }
        changes
    }
}

/// The links that a change acts on, and those that a route leads to.
fn names(change: &Change) -> impl Iterator<Item = &str> {
    let hops = match change {
        Change::PutRoute { route, .. } | Change::RemoveRoute { route, .. } => &route.next_hops[..],
        _ => &[],
    };
    let acted_on = change.link().map(|link| link.name.as_str());
    acted_on.into_iter().chain(hops.iter().filter_map(|hop| hop.link.as_deref()))
}
