//! What may be read of the host: each list shows only what is granted, and what is the run's own.

use std::collections::HashMap;

use super::host::HostPolicy;
use super::whose::{Object, Whose};
use crate::change::{Answer, LinkRef, Name, NamespaceRef, Query, Route};
use crate::kernel::{Error, Kernel};

impl HostPolicy {
    /// Whether a route that was asked for is the run's own.
    fn is_ours(&self, query: &Query, route: &Route, kernel: &dyn Kernel) -> bool {
        let (Query::Routes { namespace: place, .. } | Query::Lookup { namespace: place, .. }) =
            query
        else {
            return false;
        };
        self.whose(Object::Route { place, route }, kernel) == Whose::Ours
    }

    /// Before the kernel is asked.
    pub(super) fn may_read(&self, query: &Query, kernel: &dyn Kernel) -> Result<(), Error> {
        match query {
            // What the kernel was built with says nothing of the network.
            Query::Namespaces | Query::Offered(_) => Ok(()),
            Query::Namespace { namespace } => self.space(namespace, kernel).map(drop),
            Query::Link { link }
            | Query::Statistics { link }
            | Query::Entries { link }
            | Query::Qdisc { link }
            | Query::Vlans { link } => self.may_read_link(link, kernel),
            Query::Links { namespace }
            | Query::Addresses { namespace, .. }
            | Query::Routes { namespace, .. }
            | Query::Lookup { namespace, .. }
            | Query::Neighbours { namespace, .. }
            | Query::LastingEntries { namespace }
            | Query::Qdiscs { namespace }
            | Query::AllVlans { namespace } => {
                if self.space(namespace, kernel)?.own || self.reads() {
                    return Ok(());
                }
                self.need_reading(None)
            }
            Query::Rules { namespace, .. } => {
                if self.space(namespace, kernel)?.own {
                    Ok(())
                } else {
                    self.need_reading(None)
                }
            }
            Query::Sysctl { namespace, key } => {
                if self.space(namespace, kernel)?.own {
                    Ok(())
                } else {
                    self.need_setting(key)
                }
            }
        }
    }

    /// Every list of the namespace, whole.
    pub(super) fn may_read_all(
        &self,
        namespace: &NamespaceRef,
        kernel: &dyn Kernel,
    ) -> Result<(), Error> {
        if self.space(namespace, kernel)?.own { Ok(()) } else { self.need_reading(None) }
    }

    fn may_read_link(&self, link: &LinkRef, kernel: &dyn Kernel) -> Result<(), Error> {
        self.space(&link.namespace, kernel)?;
        match kernel.see_link(link) {
            Ok(seen) if seen.own || seen.in_own_space => Ok(()),
            Ok(seen) => self.need_reading(Some(&seen.reference.name)),
            // Whether there is such a link is told only to those who might see it.
            Err(error) => {
                if !self.space(&link.namespace, kernel)?.own {
                    self.need_reading(Some(&link.name))?;
                }
                Err(error)
            }
        }
    }

    /// Afterwards: leaves out what isn't granted.
    pub(super) fn visible(
        &self,
        query: &Query,
        answer: Answer,
        kernel: &dyn Kernel,
    ) -> Result<Answer, Error> {
        if let Answer::Names(mut names) = answer {
            names.retain(|name| {
                let named = Name::of_namespace(name).map(|name| NamespaceRef::named(Some(name)));
                named.is_ok_and(|namespace| self.space(&namespace, kernel).is_ok())
            });
            return Ok(Answer::Names(names));
        }
        let Some(namespace) = listed(query) else { return Ok(answer) };
        if self.space(namespace, kernel)?.own {
            return Ok(answer);
        }
        let mut eye = Eye { policy: self, namespace, kernel, known: HashMap::new() };
        Ok(match answer {
            Answer::Links(mut links) => {
                links.retain(|link| eye.sees(&link.name));
                Answer::Links(links)
            }
            Answer::Addresses(mut addresses) => {
                addresses.retain(|info| eye.sees(&info.link));
                Answer::Addresses(addresses)
            }
            Answer::Neighbours(mut neighbours) => {
                neighbours.retain(|(link, _)| eye.sees(link));
                Answer::Neighbours(neighbours)
            }
            Answer::LastingEntries(mut entries) => {
                entries.retain(|(link, _)| eye.sees(link));
                Answer::LastingEntries(entries)
            }
            Answer::Qdiscs(mut qdiscs) => {
                qdiscs.retain(|(link, _)| eye.sees(link));
                Answer::Qdiscs(qdiscs)
            }
            Answer::AllVlans(mut vlans) => {
                vlans.retain(|(link, _)| eye.sees(link));
                Answer::AllVlans(vlans)
            }
            Answer::Routes(mut routes) => {
                routes.retain(|route| {
                    let mut links = route.next_hops.iter().filter_map(|hop| hop.link.as_deref());
                    self.is_ours(query, route, kernel)
                        || (!route.next_hops.is_empty() && links.all(|link| eye.sees(link)))
                });
                if let (Query::Lookup { destination, .. }, []) = (query, routes.as_slice()) {
                    self.need_reading(None)?;
                    return Err(Error::Invalid(format!("no route to {destination} is visible")));
                }
                Answer::Routes(routes)
            }
            answer @ (Answer::Names(_)
            | Answer::Namespace(_)
            | Answer::Statistics(_)
            | Answer::Rules(_)
            | Answer::Entries(_)
            | Answer::Qdisc(_)
            | Answer::Vlans(_)
            | Answer::Offered
            | Answer::Text(_)) => answer,
        })
    }
}

/// The namespace of a query whose answer names links that it didn't ask for by name.
fn listed(query: &Query) -> Option<&NamespaceRef> {
    match query {
        Query::Links { namespace }
        | Query::Addresses { namespace, .. }
        | Query::Routes { namespace, .. }
        | Query::Lookup { namespace, .. }
        | Query::Neighbours { namespace, .. }
        | Query::LastingEntries { namespace }
        | Query::Qdiscs { namespace }
        | Query::AllVlans { namespace } => Some(namespace),
        Query::Namespaces
        | Query::Namespace { .. }
        | Query::Link { .. }
        | Query::Statistics { .. }
        | Query::Rules { .. }
        | Query::Entries { .. }
        | Query::Qdisc { .. }
        | Query::Vlans { .. }
        | Query::Offered(_)
        | Query::Sysctl { .. } => None,
    }
}

/// Which links of a namespace may be seen.
struct Eye<'a> {
    policy: &'a HostPolicy,
    namespace: &'a NamespaceRef,
    kernel: &'a dyn Kernel,
    known: HashMap<String, bool>,
}

impl Eye<'_> {
    fn sees(&mut self, name: &str) -> bool {
        if let Some(known) = self.known.get(name) {
            return *known;
        }
        let link =
            LinkRef { namespace: self.namespace.clone(), name: name.to_owned(), index: None };
        let own = || self.kernel.see_link(&link).is_ok_and(|seen| seen.own);
        let sees = self.policy.need_reading(Some(name)).is_ok() || own();
        self.known.insert(name.to_owned(), sees);
        sees
    }
}
