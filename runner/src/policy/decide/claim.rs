//! What a link is to be known by on the network of one of others' that it stands on.

use std::rc::Rc;

use super::super::stations::becomes_no_port;
use super::{Decision, Key};
use crate::change::{Address, LinkRef, NamespaceRef, Setting, Spec};
use crate::kernel::{Claimed, Error, LinkSight, Stations, kind};

impl Decision<'_> {
    /// Of a new link.
    pub(super) fn claims_by_birth(
        &self,
        below: &LinkSight,
        namespace: &NamespaceRef,
        spec: &Spec,
    ) -> Result<(), Error> {
        self.joins_no_bundle(namespace, spec.kind.word(), &spec.settings)?;
        let claimed = Claimed::by_settings(Some(spec.kind.word()), &spec.settings);
        if claimed.is_nothing() {
            return Ok(());
        }
        // One that takes another over has that one's address, and one that is there already, which
        // is to be as it is asked for, its own.
        let name = spec.name.as_str().to_owned();
        let there = LinkRef { namespace: namespace.clone(), name, index: None };
        let there = self.kernel.see_link(&there).ok().map(|seen| seen.reference);
        let over = kind::takes_over(spec).then_some(&below.reference);
        self.claims(below, over.or(there.as_ref()), &claimed)
    }

    /// Of one that is altered.
    pub(super) fn claims_by_settings(
        &self,
        below: &LinkSight,
        (kind, itself): (&str, Option<&LinkRef>),
        settings: &[Setting],
    ) -> Result<(), Error> {
        self.claims(below, itself, &Claimed::by_settings(Some(kind), settings))
    }

    /// Refuses that a child of others' link becomes a port of a bond or team of the run's own: it
    /// would be known by whatever MAC address that has, or gets.
    pub(super) fn joins_no_bundle(
        &self,
        namespace: &NamespaceRef,
        kind: &str,
        settings: &[Setting],
    ) -> Result<(), Error> {
        if !kind::takes_by_mac(kind) {
            return Ok(());
        }
        let makes = |master: &str| {
            let key: Key = (namespace.name.clone(), master.to_owned());
            let born = self.together.born.get(&key);
            born.is_some_and(|(_, born)| kind::is_bundle(born.kind.word()))
        };
        becomes_no_port(namespace, settings, makes, self.kernel)
    }

    /// Of one that gets an address, in whatever namespace; what the batch has yet to make has no
    /// sight.
    pub(super) fn claims_by_address(
        &self,
        link: &LinkRef,
        seen: Option<&LinkSight>,
        address: &Address,
        shown: &str,
    ) -> Result<(), Error> {
        if let Some(seen) = seen {
            let claimed = Claimed::by_address(Some(&seen.kind), address);
            return match &seen.parent {
                Some(parent) if !claimed.is_nothing() => {
                    self.claims(&self.kernel.see_link(parent)?, Some(&seen.reference), &claimed)
                }
                Some(_) | None => Ok(()),
            };
        }
        let key: Key = (link.namespace.name.clone(), link.name.clone());
        let Some((namespace, born)) = self.together.born.get(&key) else { return Ok(()) };
        let claimed = Claimed::by_address(Some(born.kind.word()), address);
        match self.below(namespace, born, shown)? {
            Some(below) if below.direct => self.claims(&below.link, None, &claimed),
            Some(_) | None => Ok(()),
        }
    }

    fn claims(
        &self,
        below: &LinkSight,
        itself: Option<&LinkRef>,
        claimed: &Claimed,
    ) -> Result<(), Error> {
        if claimed.is_nothing() {
            return Ok(());
        }
        let stations = self.stations(&below.reference)?;
        self.policy.floor_of_a_claim(below, itself, claimed, &stations, self.kernel)
    }

    /// Asked once for all children that are made together.
    fn stations(&self, link: &LinkRef) -> Result<Rc<Stations>, Error> {
        let known = self.together.stations.borrow();
        if let Some((_, stations)) = known.iter().find(|(of, _)| of == link) {
            return Ok(Rc::clone(stations));
        }
        drop(known);
        let stations = Rc::new(self.kernel.stations(link)?);
        self.together.stations.borrow_mut().push((link.clone(), Rc::clone(&stations)));
        Ok(stations)
    }
}
