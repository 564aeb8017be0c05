//! Links and namespaces by what changes call them.

use std::collections::HashMap;
use std::fmt::Display;
use std::sync::{Arc, Mutex, PoisonError};

use super::Netlink;
use super::explain::explain;
use super::raw_link::RawLink;
use super::socket::{Failure, Refusal};
use super::space::Space;
use crate::change::{LinkName, LinkRef, NamespaceRef};
use crate::kernel::Error;

/// Links by namespace's cookie and name, remembered only while it is asked for.
pub(super) type Found = Mutex<Option<HashMap<(u64, String), RawLink>>>;

impl Netlink {
    /// Begins or ends to remember links: for as long as nothing alters those that are found.
    pub(super) fn remember_links(&self, on: bool) {
        *self.found.lock().unwrap_or_else(PoisonError::into_inner) = on.then(HashMap::new);
    }

    /// The namespace of a link's name, from that of the link that speaks of it.
    pub(super) fn space_of(&self, from: &Arc<Space>, link: &LinkName) -> Result<Arc<Space>, Error> {
        match &link.namespace {
            None => Ok(Arc::clone(from)),
            Some(name) => self.spaces.find(&NamespaceRef::named(name.clone())),
        }
    }

    /// A link of a namespace; where there is none, an error that says which there are.
    pub(super) fn link_by_name(&self, space: &Space, name: &str) -> Result<RawLink, Error> {
        let key = (space.cookie, name.to_owned());
        let mut memory = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(link) = memory.as_ref().and_then(|known| known.get(&key)) {
            return Ok(link.clone());
        }
        let found = space.link(name).map_err(|failure| reading(failure, name))?;
        let found = found.ok_or_else(|| self.no_link(space, name))?;
        self.check_expected(space, &found)?;
        if let Some(known) = memory.as_mut() {
            known.insert(key, found.clone());
        }
        Ok(found)
    }

    pub(super) fn link_at(
        &self,
        space: &Space,
        link: &LinkRef,
        index: u32,
    ) -> Result<RawLink, Error> {
        let found = space.link_at(index).map_err(|failure| reading(failure, &link.name))?;
        found.ok_or_else(|| gone(space, link))
    }

    /// The link that a reference means, as it is now.
    pub(super) fn resolve(&self, link: &LinkRef) -> Result<(Arc<Space>, RawLink), Error> {
        let space = self.spaces.find(&link.namespace)?;
        let raw = match link.index {
            Some(index) => self.link_at(&space, link, index)?,
            None => self.link_by_name(&space, &link.name)?,
        };
        Ok((space, raw))
    }

    /// The same without asking the kernel, where the index is known.
    pub(super) fn index_of(&self, link: &LinkRef) -> Result<(Arc<Space>, u32), Error> {
        let space = self.spaces.find(&link.namespace)?;
        let index = match link.index {
            Some(index) => index,
            None => self.link_by_name(&space, &link.name)?.index,
        };
        Ok((space, index))
    }
}

fn reading(failure: Failure, name: &str) -> Error {
    explain(failure, &format_args!("link show {}", name.escape_debug()))
}

pub(super) fn gone(space: &Space, link: &LinkRef) -> Error {
    Error::Gone(format!("link `{}` of {}", link.name.escape_debug(), space.shown()))
}

/// A failure of an operation on a link: one that has no such index is gone.
pub(super) fn on_link(
    failure: Failure,
    space: &Space,
    link: &LinkRef,
    operation: &dyn Display,
) -> Error {
    let no_device = matches!(&failure, Failure::Refused(Refusal { errno: libc::ENODEV, .. }));
    if no_device && link.index.is_some_and(|index| matches!(space.link_at(index), Ok(None))) {
        return gone(space, link);
    }
    explain(failure, operation)
}

/// A full reference to a link.
pub(super) fn reference(space: &Space, raw: &RawLink) -> LinkRef {
    LinkRef { namespace: space.reference(), name: raw.name.clone(), index: Some(raw.index) }
}
