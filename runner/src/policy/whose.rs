//! Whose an object of the machine's own network is. The one place that decides it, for all nouns: the
//! mark says that some run made it, and this run's journal whether it was this one.

use super::HostPolicy;
use super::host::forbidden;
use crate::change::{Address, LinkRef, NamespaceRef, Route, Rule};
use crate::kernel::mark::{Mark, PROTOCOL};
use crate::kernel::{Error, Kernel, LinkSight, Put, SpaceSight};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// this run made it, or it is in a namespace that this run made
    Ours,
    AnotherRuns,
    /// no run's
    Others,
}

/// What somebody has made.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Object<'a> {
    Space(&'a SpaceSight),
    Link(&'a LinkSight),
    Address { link: &'a LinkRef, address: &'a Address },
    Route { place: &'a NamespaceRef, route: &'a Route },
    Rule { place: &'a NamespaceRef, rule: &'a Rule },
}

impl HostPolicy {
    pub(super) fn whose(&self, object: Object<'_>, kernel: &dyn Kernel) -> Whose {
        whose(object, self.mark, kernel)
    }
}

/// Seen by the run that has this mark.
pub(crate) fn whose(object: Object<'_>, mark: Mark, kernel: &dyn Kernel) -> Whose {
    let put = match object {
        Object::Space(seen) => return of_run(seen.own, false),
        Object::Link(seen) => {
            let other = Mark::is_of_any_run(seen.group) && seen.group != mark.group();
            return of_run(seen.own || seen.in_own_space, other);
        }
        Object::Address { link, address } => {
            // Kernels before 5.18 keep no protocol of any address: the journal is all there is.
            if address.protocol.is_some_and(|protocol| protocol != PROTOCOL) {
                return Whose::Others;
            }
            Put::Address { link: link.clone(), address: address.clone() }
        }
        Object::Route { place, route } if route.protocol == Some(PROTOCOL) => {
            Put::Route { place: place.clone(), route: route.clone() }
        }
        Object::Rule { place, rule } if rule.protocol == Some(PROTOCOL) => {
            Put::Rule { place: place.clone(), rule: rule.clone() }
        }
        Object::Route { .. } | Object::Rule { .. } => return Whose::Others,
    };
    let marked = !matches!(object, Object::Address { address, .. } if address.protocol.is_none());
    of_run(kernel.has_put(&put), marked)
}

fn of_run(ours: bool, marked: bool) -> Whose {
    match (ours, marked) {
        (true, _) => Whose::Ours,
        (false, true) => Whose::AnotherRuns,
        (false, false) => Whose::Others,
    }
}

/// For what another run has made.
pub(super) fn another_runs(what: &str, target: &str) -> Error {
    forbidden(what, target, "it is another run's of netwright")
}
