//! Routes name their links, and a link may have another name by the time that an undo is carried out:
//! so whatever an undo tells of links by index says which are meant. Where nothing else tells it, an
//! anchor does, a change of a link that changes nothing.

use std::collections::BTreeSet;

use super::Netlink;
use super::find::reference;
use super::space::Space;
use crate::change::{Change, LinkRef, NamespaceRef, NextHop, Route, Undo};
use crate::kernel::Error;

/// Where the link of a next hop is by now.
enum Now {
    Here(String),
    /// with all that was by it
    Gone,
    /// or not told
    Away,
}

pub(super) fn is_anchor(step: &Change) -> bool {
    matches!(step, Change::ChangeLink { settings, .. } if settings.is_empty())
}

/// The links of routes, for the undo that puts those back. A namespace of the run's own goes with all
/// that is in it.
pub(super) fn of_routes<'a>(
    space: &Space,
    routes: impl IntoIterator<Item = &'a Route>,
) -> Vec<Change> {
    if space.own {
        return Vec::new();
    }
    let hops = routes.into_iter().flat_map(|route| &route.next_hops);
    let names: BTreeSet<&str> = hops.filter_map(|hop| hop.link.as_deref()).collect();
    let links = names.into_iter().filter_map(|name| space.link(name).ok().flatten());
    let anchor = |link| Change::ChangeLink { link: reference(space, &link), settings: Vec::new() };
    links.map(anchor).collect()
}

impl Netlink {
    /// A step of an undo for the links that it means, as they are called by now; none where all that
    /// it is about went with a link.
    pub(super) fn of_now(&self, undo: &Undo, step: &Change) -> Option<Change> {
        let mut step = self.followed(&self.as_it_is(step));
        if self.host.is_none() {
            return Some(step);
        }
        let (Change::PutRoute { namespace, route, .. } | Change::RemoveRoute { namespace, route }) =
            &mut step
        else {
            return Some(step);
        };
        let had_any = !route.next_hops.is_empty();
        route.next_hops.retain_mut(|hop| self.is_there(undo, namespace, hop));
        (!had_any || !route.next_hops.is_empty()).then_some(step)
    }

    /// Whether a next hop's link is there, or may be; the hop has its name of now.
    fn is_there(&self, undo: &Undo, namespace: &NamespaceRef, hop: &mut NextHop) -> bool {
        let Some(name) = &hop.link else { return true };
        let meant = links(undo).find(|link| {
            link.index.is_some() && link.name == *name && link.namespace.is_same(namespace)
        });
        match meant.map(|link| self.now(link)) {
            Some(Now::Here(name)) => hop.link = Some(name),
            Some(Now::Gone) => return false,
            Some(Now::Away) | None => {}
        }
        true
    }

    fn now(&self, link: &LinkRef) -> Now {
        let mut step = Change::ChangeLink { link: link.clone(), settings: Vec::new() };
        step = self.followed(&step);
        let (Some(link), Ok(space)) = (step.link(), self.spaces.find(&link.namespace)) else {
            return Now::Away;
        };
        let Some(index) = link.index else { return Now::Away };
        // A namespace of the run's own goes with all that is in it.
        if space.own || self.is_from(&space, index) {
            return Now::Away;
        }
        match self.is_another(link) {
            Ok(true) => Now::Gone,
            Ok(false) => match self.link_at(&space, link, index) {
                Ok(now) => Now::Here(now.name),
                Err(Error::Gone(_)) => Now::Gone,
                Err(_) => Now::Away,
            },
            Err(_) => Now::Away,
        }
    }

    /// The steps whose state isn't there, with the anchors that they need.
    pub(super) fn unfinished_of(&self, undo: &Undo) -> Undo {
        let differs = |step: &&Change| {
            self.of_now(undo, step).is_some_and(|step| self.difference(&step).is_some())
        };
        let left: Vec<&Change> = undo.steps.iter().filter(differs).collect();
        let arrives =
            |step: &&Change| matches!(step, Change::MoveLink { .. } | Change::CreateLink { .. });
        // What comes with a link is not missed for as long as that is away.
        if left.iter().any(arrives) || self.remade(undo).is_some() {
            return undo.clone();
        }
        let anchor =
            |link: &LinkRef| Change::ChangeLink { link: link.clone(), settings: Vec::new() };
        let mut steps: Vec<Change> = Vec::new();
        for step in &left {
            if let Change::PutRoute { route, .. } | Change::RemoveRoute { route, .. } = step {
                let named = links(undo).filter(|link| route.leads_by(&link.name)).map(anchor);
                steps.extend(named);
            }
        }
        steps.dedup();
        steps.extend(left.into_iter().cloned());
        Undo { steps }
    }
}

/// The links that an undo tells of.
fn links(undo: &Undo) -> impl Iterator<Item = &LinkRef> {
    undo.steps.iter().filter_map(Change::link)
}
