//! Decides whether a change may happen; the only one that says [`Permitted`].
//!
//! A lab's policy lets everything through, for all that a lab holds is the run's. The host's looks
//! at the objects themselves, by namespace and index, at the moment of their use.

mod coverage;
mod decide;
mod floor;
mod host;
mod managers;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod model;
mod operator;
mod reach;
mod read;
mod stations;
#[cfg(test)]
mod tests;
mod tunnels;
mod uplink;
mod wakes;
mod whose;

pub use host::HostPolicy;
pub use operator::Connection;
pub use reach::Reach;
pub(crate) use uplink::{joins_no_bundle, reached_uplinks, uplink_claims, uplink_needs};
pub(crate) use whose::{Object, Whose, whose};

use std::fmt::Display;
use std::sync::Arc;

use crate::change::{Answer, Change, LinkRef, NamespaceRef, Query, Spec};
use crate::grant::Grants;
use crate::kernel::{Claimed, Denial, Error, Kernel, Permitted};

/// Where a run takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A private user, mount and network namespace.
    Lab,
    /// The machine's own network.
    Host,
}

/// What a run may touch.
#[derive(Debug, Clone)]
pub enum Policy {
    /// Parameters are being checked: nothing at all.
    Nothing,
    /// Everything inside the run's own lab; its limits are the session's.
    Lab,
    /// On the machine's own network, what the operator granted.
    Host(Arc<HostPolicy>),
}

impl Policy {
    /// The same for a step, which has grants of its own.
    #[must_use]
    pub fn with(&self, grants: &Grants) -> Self {
        match self {
            Self::Nothing => Self::Nothing,
            Self::Lab => Self::Lab,
            Self::Host(policy) => Self::Host(policy.with(grants.clone()).into()),
        }
    }

    /// For a change inside a lab, where nothing has to be looked at.
    pub fn permit(&self, change: Change) -> Result<Permitted<Change>, Error> {
        match self {
            Self::Lab => Ok(Permitted::by_policy(change, Vec::new())),
            Self::Nothing | Self::Host(_) => Err(too_early(change)),
        }
    }

    /// The same for a query.
    pub fn permit_query(&self, query: Query) -> Result<Permitted<Query>, Error> {
        match self {
            Self::Lab => Ok(Permitted::by_policy(query, Vec::new())),
            Self::Nothing | Self::Host(_) => Err(too_early("reading the network")),
        }
    }

    /// For changes that will be made together: a link may be named that an earlier one makes. The
    /// error comes with the place of its change.
    pub fn permit_all(
        &self,
        changes: Vec<Change>,
        kernel: &dyn Kernel,
    ) -> Result<Vec<Permitted<Change>>, (usize, Error)> {
        match self {
            Self::Lab => {
                Ok(changes.into_iter().map(|one| Permitted::by_policy(one, Vec::new())).collect())
            }
            Self::Nothing => match changes.first() {
                Some(first) => Err((0, too_early(first))),
                None => Ok(Vec::new()),
            },
            Self::Host(policy) => {
                let decided = policy.decide_all(changes, kernel)?;
                Ok(decided
                    .into_iter()
                    .map(|(change, links)| Permitted::by_policy(change, links))
                    .collect())
            }
        }
    }

    /// Whether changes would be permitted, without using grants up: each of them may be so already.
    pub fn consider_all(
        &self,
        changes: Vec<Change>,
        kernel: &dyn Kernel,
    ) -> Result<(), (usize, Error)> {
        let considering = match self {
            Self::Host(policy) => Self::Host(policy.considering().into()),
            Self::Nothing | Self::Lab => self.clone(),
        };
        considering.permit_all(changes, kernel).map(drop)
    }

    /// For a link in somebody's lab on a link of the host.
    pub(crate) fn permit_uplink(
        &self,
        namespace: NamespaceRef,
        spec: Spec,
        kernel: &dyn Kernel,
    ) -> Result<Permitted<Change>, Error> {
        match self {
            Self::Lab | Self::Nothing => Err(too_early("an uplink")),
            Self::Host(policy) => {
                let (change, links) = policy.decide_uplink(namespace, spec, kernel)?;
                Ok(Permitted::by_policy(change, links))
            }
        }
    }

    /// Whether such a link may be known by these addresses on the network of the host's.
    pub(crate) fn may_claim(
        &self,
        link: &str,
        claimed: &Claimed,
        kernel: &dyn Kernel,
    ) -> Result<(), Error> {
        match self {
            Self::Lab | Self::Nothing => Err(too_early("an uplink")),
            Self::Host(policy) => policy.decide_claim(link, claimed, kernel),
        }
    }

    /// Answers a query with what may be seen of it.
    pub fn ask(&self, query: Query, kernel: &dyn Kernel) -> Result<Answer, Error> {
        match self {
            Self::Lab => kernel.query(&Permitted::by_policy(query, Vec::new())),
            // It is noted, and answered when there is a kernel to ask.
            Self::Nothing if matches!(query, Query::Offered(_)) => {
                kernel.query(&Permitted::by_policy(query, Vec::new()))
            }
            Self::Nothing => Err(too_early("reading the network")),
            Self::Host(policy) => {
                policy.may_read(&query, kernel)?;
                let answer = kernel.query(&Permitted::by_policy(query.clone(), Vec::new()))?;
                policy.visible(&query, answer, kernel)
            }
        }
    }

    /// Whether a list of what is in a namespace leaves nothing out, so that what isn't in it isn't
    /// there.
    pub fn may_read_all(&self, namespace: &NamespaceRef, kernel: &dyn Kernel) -> Result<(), Error> {
        match self {
            Self::Lab => Ok(()),
            Self::Nothing => Err(too_early("reading the network")),
            Self::Host(policy) => policy.may_read_all(namespace, kernel),
        }
    }

    /// Whether a recipe may send frames from a namespace.
    pub fn may_probe(&self, namespace: &NamespaceRef, kernel: &dyn Kernel) -> Result<(), Error> {
        match self {
            Self::Lab => Ok(()),
            Self::Nothing => Err(too_early("a probe")),
            Self::Host(policy) => policy.may_probe(namespace, kernel),
        }
    }

    /// Whether a scenario's checks may ask stations and watch links as these say: from the machine's
    /// own namespace by a grant alone. Everything that is refused, each once.
    pub fn may_check(&self, reaches: &[Reach]) -> Result<(), Vec<Error>> {
        match self {
            Self::Lab => Ok(()),
            Self::Nothing => Err(vec![too_early("a check")]),
            Self::Host(policy) => {
                let refused = reaches.iter().filter_map(|reach| policy.may_reach(reach).err());
                let refused: Vec<Error> = refused.collect();
                if refused.is_empty() { Ok(()) } else { Err(refused) }
            }
        }
    }

    /// Whether a namespace is the machine's own, from which nothing is sent that was not asked for.
    pub fn is_the_machines(&self, namespace: &NamespaceRef) -> bool {
        matches!(self, Self::Host(_)) && namespace.name.is_none()
    }

    /// Whether a recipe may send and receive frames itself, in a link's place.
    pub fn may_tap(&self, link: &LinkRef, kernel: &dyn Kernel) -> Result<(), Error> {
        match self {
            Self::Lab => Ok(()),
            Self::Nothing => Err(too_early("a tap")),
            Self::Host(policy) => policy.may_tap(link, kernel),
        }
    }
}

fn too_early(target: impl Display) -> Error {
    Error::Denied(Denial {
        capability: "any capability".to_owned(),
        target: format!("`{target}`"),
        hint: "nothing may be asked for while parameters are checked; do it in `run`".to_owned(),
        told: None,
    })
}

/// How the host's policy asks the kernel what it has to know to decide.
fn look(query: Query, kernel: &dyn Kernel) -> Result<Answer, Error> {
    kernel.query(&Permitted::by_policy(query, Vec::new()))
}
