//! Decides whether a change may happen; the only maker of [`Permitted`].

use std::fmt::Display;

use crate::change::{Change, Query};
use crate::kernel::{Denial, Error};

/// A change or query that the policy let through. Nothing else reaches the kernel.
#[derive(Debug, Clone, PartialEq)]
pub struct Permitted<T>(T);

impl<T> Permitted<T> {
    pub fn get(&self) -> &T {
        &self.0
    }
}

/// Where a run takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A private user, mount and network namespace.
    Lab,
    /// The machine's own network.
    Host,
}

/// What a run may touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// Parameters are being checked: nothing at all.
    Nothing,
    /// Everything inside the run's own lab; its limits are the session's.
    Lab,
    /// The machine's own network. Nothing is granted there.
    Host,
}

impl From<Target> for Policy {
    fn from(target: Target) -> Self {
        match target {
            Target::Lab => Self::Lab,
            Target::Host => Self::Host,
        }
    }
}

impl Policy {
    pub fn permit(self, change: Change) -> Result<Permitted<Change>, Error> {
        match self {
            Self::Lab => Ok(Permitted(change)),
            Self::Nothing => Err(too_early(capability(&change), &change)),
            Self::Host => Err(not_granted(capability(&change), &change)),
        }
    }

    pub fn permit_query(self, query: Query) -> Result<Permitted<Query>, Error> {
        match self {
            Self::Lab => Ok(Permitted(query)),
            Self::Nothing => Err(too_early("host.link.read", "reading the network")),
            Self::Host => Err(not_granted("host.link.read", "reading the network")),
        }
    }
}

fn too_early(capability: &str, target: impl Display) -> Error {
    Error::Denied(Denial {
        capability: capability.to_owned(),
        target: format!("`{target}`"),
        hint: "nothing may be asked for while parameters are checked; do it in `run`".to_owned(),
    })
}

fn not_granted(capability: &str, target: impl Display) -> Error {
    Error::Denied(Denial {
        capability: capability.to_owned(),
        target: format!("`{target}`"),
        hint: "the host target grants nothing; run it in a lab, without `--target host`".to_owned(),
    })
}

/// The capability that a change on the host would need.
fn capability(change: &Change) -> &'static str {
    match change {
        Change::CreateNamespace { .. }
        | Change::DeleteNamespace { .. }
        | Change::SetNamespaceId { .. } => "host.namespace",
        Change::CreateLink { .. } | Change::DeleteLink { .. } => "host.link.create",
        Change::ChangeLink { .. } | Change::PutEntry { .. } | Change::RemoveEntry { .. } => {
            "host.link.modify"
        }
        Change::MoveLink { .. } => "host.link.move",
        Change::PutAddress { .. }
        | Change::RemoveAddress { .. }
        | Change::PutNeighbour { .. }
        | Change::RemoveNeighbour { .. } => "host.address.add",
        Change::PutRoute { route, .. } | Change::RemoveRoute { route, .. } => {
            match route.destination {
                None => "host.route.default",
                Some(_) => "host.route.add",
            }
        }
        Change::AddRule { .. } | Change::RemoveRule { .. } => "host.route.add",
        Change::SetSysctl { .. } => "host.sysctl",
    }
}
