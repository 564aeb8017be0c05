//! Whether an undo has brought its state about: read back, never assumed.

use netwright_network::refusal::place;
use netwright_network::setting::same_value;

use super::holdings::is_less;
use super::host::is_marked;
use super::lent::is_of_lent;
use super::lifetime;
use super::neighbour::{is_lasting, same_neighbour};
use super::put::{is_put, is_put_rule};
use super::route::same_place;
use super::route_message::same;
use super::settings;
use super::space::Space;
use super::{Netlink, address, named, neighbour, qdisc};
use crate::change::{
    Address, Attribute, Change, LinkRef, Name, NamespaceRef, Route, Setting, Write,
};
use crate::kernel::Error;

impl Netlink {
    /// What differs from the state that a step of an undo should have brought about. What is gone
    /// altogether is no difference.
    pub(super) fn difference(&self, step: &Change) -> Option<String> {
        // What has the index now is no concern of the run's.
        let moves = matches!(step, Change::MoveLink { .. });
        if !moves && step.link().is_some_and(|link| matches!(self.is_another(link), Ok(true))) {
            return None;
        }
        match self.checked(step) {
            Ok(difference) => difference,
            Err(Error::Gone(_)) => None,
            Err(error) => Some(format!("can't read back `{step}`: {error}")),
        }
    }

    fn checked(&self, step: &Change) -> Result<Option<String>, Error> {
        match step {
            Change::DeleteNamespace { namespace } => Ok(self.still_there(namespace)),
            Change::DeleteLink { link } => self.link_still_there(link),
            Change::ChangeLink { link, settings } => self.settings_differ(link, settings),
            Change::MoveLink { link, to } => {
                let space = self.spaces.find(to)?;
                // A lent link has its name again when it is home. One of the run's own may be gone,
                // and goes with the run; where it is somewhere yet, that is told of the link.
                let back = match self.lent_by(link) {
                    Some(lent) => !self.is_away(lent, &space),
                    None => !is_of_lent(link) || self.is_returned(link, &space),
                };
                Ok((!back).then(|| self.not_back(link, &space)))
            }
            Change::PutAddress { link, address, .. } => self.address_differs(link, address),
            Change::RemoveAddress { link, prefix, peer } => {
                let (space, now) = self.resolve(link)?;
                let there = address::held(&space, now.index, *prefix, *peer);
                let ours = there.filter(|there| is_marked(there.protocol));
                Ok(ours.map(|_| format!("{prefix} is still on `{}`", link.name)))
            }
            Change::PutRoute { namespace, route, how } => {
                let back = self.went_with_its_link(step)
                    || self.has_route(namespace, route, same)?
                    || (*how == Write::Add && self.has_route(namespace, route, is_somebodys)?);
                Ok((!back).then(|| format!("route `{route}` is not back")))
            }
            Change::RemoveRoute { namespace, route } => {
                // Another run's may stand at the same place.
                let ours = |now: &Route, route: &Route| {
                    is_put(route, now) && is_marked(now.protocol) && is_marked(route.protocol)
                };
                let there = self.has_route(namespace, route, ours)?;
                Ok(there.then(|| format!("route `{route}` is still there")))
            }
            Change::AddRule { namespace, rule } => {
                let all = self.rules(&*self.spaces.find(namespace)?, rule.family)?;
                Ok((!all.contains(rule)).then(|| format!("rule `{rule}` is not back")))
            }
            Change::RemoveRule { namespace, rule } => {
                let all = self.rules(&*self.spaces.find(namespace)?, rule.family)?;
                let there = all.iter().any(|there| is_put_rule(rule, there));
                Ok(there.then(|| format!("rule `{rule}` is still there")))
            }
            Change::SetSysctl { namespace, key, value } => {
                let now = self.sysctl(namespace, key)?;
                Ok((!same_value(&now, value)).then(|| format!("{key} is {now}, not {value}")))
            }
            Change::RestoreSysctls { namespace, settings } => {
                let differ = self.not_restored(namespace, settings)?;
                Ok((!differ.is_empty()).then(|| differ.join("; ")))
            }
            Change::OrderAddresses { link, addresses } => self.sequence_differs(link, addresses),
            Change::PutQdisc { link, .. } | Change::RemoveQdisc { link }
                if self.was_replaced(link) =>
            {
                Ok(None)
            }
            Change::PutQdisc { link, qdisc, .. } => {
                let now = self.qdisc(link)?;
                let back = now.is_some_and(|now| qdisc::is_back(&now, qdisc));
                Ok((!back).then(|| format!("`{}` has not its `{qdisc}` back", link.name)))
            }
            Change::RemoveQdisc { link } => {
                let there = self.qdisc(link)?.filter(|now| now.handle.is_some());
                Ok(there.map(|now| format!("`{}` still has its `{now}`", link.name)))
            }
            Change::SetVlans { link, vlans } => {
                let back = self.vlans(link)? == *vlans;
                Ok((!back).then(|| format!("`{}` has not its vlans back", link.name)))
            }
            Change::PutNeighbour { link, neighbour, .. } if is_lasting(neighbour) => {
                let (space, now) = self.resolve(link)?;
                let there = neighbour::held(&space, now.index, neighbour.address, neighbour.proxy);
                let back = there.is_some_and(|there| same_neighbour(&there, neighbour));
                Ok((!back)
                    .then(|| format!("neighbour `{neighbour}` is not back on `{}`", now.name)))
            }
            Change::PutEntry { link, entry, .. } => self.entry_differs(link, entry),
            // The kernel ages these by itself, and gives namespaces their ids.
            Change::PutNeighbour { .. }
            | Change::RemoveNeighbour { .. }
            | Change::RemoveEntry { .. }
            | Change::SetNamespaceId { .. } => Ok(None),
            // No undo makes these.
            Change::CreateNamespace { .. }
            | Change::CreateLink { .. }
            | Change::PutVlan { .. }
            | Change::RemoveVlan { .. } => Ok(None),
        }
    }

    /// Why a link that was moved is not where it was.
    fn not_back(&self, link: &LinkRef, home: &Space) -> String {
        let (name, home) = (link.name.escape_debug(), home.shown());
        let place = place(link.namespace.name.as_ref().map(Name::as_str));
        format!(
            "`{name}` is not back in {home}: it is no longer in {place}; somebody deleted it, or {place}, and the kernel deletes virtual links with their namespace"
        )
    }

    fn still_there(&self, namespace: &NamespaceRef) -> Option<String> {
        let space = self.spaces.find(namespace).ok()?;
        named::is_named(&space).then(|| format!("{} still has its name", space.shown()))
    }

    fn link_still_there(&self, link: &LinkRef) -> Result<Option<String>, Error> {
        let (space, now) = self.resolve(link)?;
        let ours = self.is_own(&space, &now);
        Ok(ours.then(|| format!("link `{}` is still in {}", now.name, space.shown())))
    }

    fn settings_differ(&self, link: &LinkRef, wanted: &[Setting]) -> Result<Option<String>, Error> {
        let (space, now) = self.resolve(link)?;
        let mut name_of = |index| space.name_at(index);
        let found = settings::inverse(&now, wanted, &mut name_of);
        let is_so = |option: &Attribute, kind: &str| {
            let same = |one: &Setting| matches!(one, Setting::Options(there) if there.kind == kind && there.options.contains(option));
            found.iter().any(same) || !self.could_be(&space, &now, kind, option)
        };
        let back = |setting: &Setting| match setting {
            Setting::Options(given) => given.options.iter().all(|one| is_so(one, &given.kind)),
            _ => found.contains(setting),
        };
        // A list of stations is undone entry by entry, so that there is no old value to find.
        let comparable = |setting: &&Setting| !matches!(setting, Setting::Macvlan(_));
        let missing: Vec<String> = wanted
            .iter()
            .filter(comparable)
            .filter(|setting| !back(setting))
            .map(|setting| format!("`{}` is not back at `{setting}`", now.name))
            .collect();
        Ok((!missing.is_empty()).then(|| missing.join("; ")))
    }

    fn address_differs(&self, link: &LinkRef, wanted: &Address) -> Result<Option<String>, Error> {
        let (space, now) = self.resolve(link)?;
        let lasting = |address: &Address| Address {
            valid_lifetime: None,
            preferred_lifetime: None,
            counted_from: None,
            ..address.clone()
        };
        if lifetime::left(wanted).is_none() {
            return Ok(None);
        }
        let there = address::held(&space, now.index, wanted.prefix, wanted.peer);
        let back = there.is_some_and(|there| lasting(&there) == lasting(wanted));
        Ok((!back).then(|| format!("{} is not back on `{}`", wanted.prefix, link.name)))
    }

    /// Whether there is a route that is like another one.
    fn has_route(
        &self,
        namespace: &NamespaceRef,
        route: &Route,
        alike: impl Fn(&Route, &Route) -> bool,
    ) -> Result<bool, Error> {
        let all = self.routes(&*self.spaces.find(namespace)?, route.family)?;
        Ok(all.iter().any(|now| alike(now, route)))
    }
}

/// Whether somebody has put another route at a place since. What the kernel has left of the old one is
/// none.
fn is_somebodys(there: &Route, old: &Route) -> bool {
    same_place(there, old) && !is_marked(there.protocol) && !is_less(there, old)
}
