//! What would take a change back if nobody were there any more to see its outcome; and what of
//! others' it uses or alters.
//!
//! What a run makes on the host carries its mark, and needs no foresight: it is found by that.
//! What it borrows is read before anything is done, and more is put back than one change may have
//! altered, for putting back what is there already does nothing.

use std::sync::Arc;

use netwright_network::setting::SettingKey;

use super::address;
use super::advertised;
use super::find::reference;
use super::lookalike::nature;
use super::neighbour;
use super::port;
use super::put::is_put_rule;
use super::qdisc;
use super::raw_link::RawLink;
use super::restore::{alters_addresses, arriving};
use super::route::{self, restored, same_place};
use super::settings;
use super::space::Space;
use super::{Netlink, host};
use crate::change::{Change, Family, LinkRef, NamespaceRef, Route, Rule, Setting, Undo, Write};
use crate::kernel::Permitted;
use crate::kernel::{Error, Put, kind};
use crate::records::{Claim, Claimed};

type Steps = Result<Vec<Change>, Error>;

impl Netlink {
    /// Nothing where nothing of others' is altered, or where it can't be found: the change that
    /// follows will say so.
    pub(super) fn foreseen(&self, change: &Change) -> Undo {
        Undo { steps: self.steps_back(change).unwrap_or_default() }
    }

    fn steps_back(&self, change: &Change) -> Steps {
        match change {
            Change::CreateNamespace { .. }
            | Change::DeleteNamespace { .. }
            | Change::SetNamespaceId { .. } => Ok(Vec::new()),
            Change::CreateLink { namespace, spec } => {
                Ok(self.entered_bundles_back(namespace, spec))
            }
            // Nobody's but the run's own.
            Change::DeleteLink { link } => {
                Ok(self.remaking(&self.spaces.find(&link.namespace)?, &link.name).steps)
            }
            Change::ChangeLink { link, settings } => {
                self.of_others(link, |space, raw| self.settings_back(space, raw, settings))
            }
            Change::MoveLink { link, to } => {
                self.of_others(link, |space, raw| self.move_back(space, raw, to))
            }
            Change::PutAddress { link, address, .. } => self.of_others(link, |space, raw| {
                let before = address::held(space, raw.index, address.prefix, address.peer);
                let applied = address::put_applied(reference(space, raw), address, before);
                Ok([applied.undo.steps, self.shared_routes(space, raw.index, address)].concat())
            }),
            // With an address go those that it was the primary of, and the routes by it.
            Change::RemoveAddress { link, .. } => self.of_others(link, |space, raw| {
                let mut steps = self.held_by(space, raw);
                steps.extend(self.sequence_back(space, raw));
                Ok(steps)
            }),
            Change::PutRoute { namespace, route, how } => {
                self.put_route_back(namespace, route, *how)
            }
            Change::RemoveRoute { namespace, route } => self.routes_back(namespace, route),
            Change::AddRule { namespace, rule } => self.rule_back(namespace, rule),
            Change::RemoveRule { namespace, rule } => self.rules_back(namespace, rule),
            Change::PutNeighbour { link, neighbour, .. } => self.of_others(link, |space, raw| {
                let before = neighbour::held(space, raw.index, neighbour.address, neighbour.proxy);
                Ok(neighbour::put_applied(reference(space, raw), neighbour, before).undo.steps)
            }),
            Change::RemoveNeighbour { link, address, proxy, put: _ } => {
                self.of_others(link, |space, raw| {
                    let before = neighbour::held(space, raw.index, *address, *proxy);
                    let back = |neighbour| Change::PutNeighbour {
                        link: reference(space, raw),
                        neighbour,
                        how: Write::Replace,
                    };
                    Ok(before.into_iter().map(back).collect())
                })
            }
            Change::PutEntry { link, entry, .. } | Change::RemoveEntry { link, entry } => {
                match self.passes_over(&*self.spaces.find(&link.namespace)?) {
                    true => self.of_others(link, |_, _| self.entries_back(link, entry)),
                    false => self.entries_back(link, entry),
                }
            }
            Change::SetSysctl { namespace, key, value } => {
                let space = self.spaces.find(namespace)?;
                match SettingKey::of(key) {
                    Ok(key) if !self.passes_over(&space) => {
                        let mut told = advertised::before(&space, &key);
                        told.retain(advertised::is_told);
                        let routes = advertised::back(&space, told);
                        Ok([self.sysctl_back(&space, &key, value), routes].concat())
                    }
                    Ok(_) | Err(_) => Ok(Vec::new()),
                }
            }
            // No run asks for it.
            Change::RestoreSysctls { .. } | Change::OrderAddresses { .. } => Ok(Vec::new()),
            Change::PutQdisc { link, .. } | Change::RemoveQdisc { link } => {
                self.of_others(link, |space, raw| {
                    let before = self.explicit(space, raw.index)?;
                    Ok(qdisc::back(reference(space, raw), before).steps)
                })
            }
            Change::PutVlan { link, .. }
            | Change::RemoveVlan { link, .. }
            | Change::SetVlans { link, .. } => self.of_others(link, |space, raw| {
                let link = reference(space, raw);
                let vlans = self.vlans(&link)?;
                Ok(vec![Change::SetVlans { link, vlans }])
            }),
        }
    }

    /// Steps for a link that is neither the run's own nor in a namespace of its own; but one that
    /// was moved there is somebody's still.
    fn of_others(
        &self,
        link: &LinkRef,
        steps: impl FnOnce(&Arc<Space>, &RawLink) -> Steps,
    ) -> Steps {
        let (space, raw) = self.resolve(link)?;
        let own = self.passes_over(&space) || (self.is_own(&space, &raw) && !self.foresees_all());
        if own && !self.is_borrowed(&space, &raw) {
            return Ok(Vec::new());
        }
        steps(&space, &raw)
    }

    fn foresees_all(&self) -> bool {
        self.host.as_ref().is_some_and(|host| host.foresees_all)
    }

    /// Whether what happens in a namespace needs no foresight, for it goes with it.
    fn passes_over(&self, space: &Space) -> bool {
        space.own && !self.foresees_all()
    }

    fn settings_back(&self, space: &Arc<Space>, raw: &RawLink, settings: &[Setting]) -> Steps {
        let mut name_of = |index| space.name_at(index);
        let inverse = settings::inverse(raw, settings, &mut name_of);
        let mut steps = Vec::new();
        if !inverse.is_empty() {
            steps.push(Change::ChangeLink { link: reference(space, raw), settings: inverse });
        }
        let lowered = self.lowered_with(space, raw, settings);
        steps.extend(lowered.iter().map(|(there, child)| Change::ChangeLink {
            link: reference(there, child),
            settings: vec![Setting::Mtu(child.mtu())],
        }));
        steps.extend(self.settings_lost(space, raw, settings));
        steps.extend(self.ports_back(space, raw, settings));
        if port::leaves(raw, settings) {
            steps.extend(self.port_back(space, raw));
        }
        steps.extend(self.bundles_back(space, raw, settings));
        if settings::loses_neighbours(settings)
            || settings::loses_routes(raw, settings)
            || settings::loses_ipv6(raw, settings)
        {
            steps.extend(self.held_by(space, raw));
        }
        steps.extend(self.kept_below(space, raw, settings));
        for (there, child) in &lowered {
            steps.extend(self.settings_lost(there, child, settings));
            if settings::loses_ipv6(child, settings) {
                steps.extend(self.held_by(there, child));
            }
        }
        steps.extend(self.labels_back(space, raw, settings));
        Ok(steps)
    }

    fn move_back(&self, space: &Arc<Space>, raw: &RawLink, to: &NamespaceRef) -> Steps {
        let target = self.spaces.find(to)?;
        let own = self.is_own(space, raw);
        let there = LinkRef {
            namespace: target.reference(),
            name: raw.name.clone(),
            // A link of others' is known by it, whatever becomes of it there.
            index: (!own).then(|| self.index_away((space.cookie, raw.index), target.cookie)),
        };
        let mut steps = vec![Change::MoveLink { link: there, to: space.reference() }];
        steps.extend(self.queueing_back(space, raw, reference(space, raw))?);
        steps.extend(arriving(space, raw, own, self.settings_of(space, raw)));
        steps.extend(self.own_mtu(space, raw));
        steps.extend(self.port_back(space, raw));
        steps.extend(self.left_bundle_back(space, raw));
        steps.extend(self.held_by(space, raw));
        steps.extend(self.filter_back(space, raw));
        Ok(steps)
    }

    /// What a link of others' that is down has all the same, and that goes when it goes down again.
    pub(super) fn kept_below(
        &self,
        space: &Arc<Space>,
        raw: &RawLink,
        settings: &[Setting],
    ) -> Vec<Change> {
        match settings::goes_down_again(raw, settings) && self.is_of_others(space, raw) {
            true => self.held_by(space, raw),
            false => Vec::new(),
        }
    }

    /// Steps that put back the addresses and neighbours of a link, of its master, whose MAC address
    /// may be of its ports, and of those that stand on them, and the routes by them or from their
    /// addresses, where they are missing.
    pub(super) fn held_by(&self, space: &Arc<Space>, raw: &RawLink) -> Vec<Change> {
        let master = space.master_of(raw);
        let links = std::iter::once(raw.clone()).chain(master);
        let mut all: Vec<_> = links.map(|link| (Arc::clone(space), link)).collect();
        let mut next = 0;
        while let Some((space, link)) = all.get(next).cloned() {
            for (there, child) in self.children(&space, link.index) {
                let is = |(other, one): &(Arc<Space>, RawLink)| {
                    (other.cookie, one.index) == (there.cookie, child.index)
                };
                if !self.passes_over(&there) && !all.iter().any(is) {
                    all.push((there, child));
                }
            }
            next += 1;
        }
        self.held_on(&all)
    }

    fn put_route_back(&self, namespace: &NamespaceRef, route: &Route, how: Write) -> Steps {
        let space = self.spaces.find(namespace)?;
        if self.passes_over(&space) {
            return Ok(Vec::new());
        }
        let replaces = matches!(how, Write::Change | Write::Replace);
        let mut steps = route::route_applied(&space, route).undo.steps;
        if replaces {
            let before = self.routes(&space, route.family)?;
            let old = before.into_iter().find(|old| same_place(old, route));
            steps.extend(
                old.into_iter().flat_map(|old| restored(&space, old, Write::Replace).undo.steps),
            );
        }
        Ok(steps)
    }

    fn routes_back(&self, namespace: &NamespaceRef, route: &Route) -> Steps {
        let space = self.spaces.find(namespace)?;
        if self.passes_over(&space) {
            return Ok(Vec::new());
        }
        let all = self.routes(&space, route.family)?;
        let ours = |old: &Route| {
            let place = space.reference();
            !host::is_marked(old.protocol) || self.is_put(&Put::Route { place, route: old.clone() })
        };
        let alike = all.iter().filter(|old| ours(old)).filter(|old| {
            old.destination.filter(|prefix| prefix.length > 0)
                == route.destination.filter(|prefix| prefix.length > 0)
        });
        // What is there already is let be, however it would be put.
        let back = |old: &Route| match route::turn(old, &all) {
            Write::Prepend => restored(&space, old.clone(), Write::Prepend),
            _ => restored(&space, old.clone(), Write::Append),
        };
        Ok(alike.flat_map(|old| back(old).undo.steps).collect())
    }

    fn rule_back(&self, namespace: &NamespaceRef, rule: &Rule) -> Steps {
        let space = self.spaces.find(namespace)?;
        let before = self.rules(&space, rule.family)?;
        // One that was there before can't be told from the new one, unless its place is asked for.
        let alike = |old: &Rule| is_put_rule(rule, old);
        if self.passes_over(&space) || (rule.priority.is_none() && before.iter().any(alike)) {
            return Ok(Vec::new());
        }
        Ok(vec![Change::RemoveRule { namespace: space.reference(), rule: rule.clone() }])
    }

    fn rules_back(&self, namespace: &NamespaceRef, rule: &Rule) -> Steps {
        let space = self.spaces.find(namespace)?;
        if self.passes_over(&space) {
            return Ok(Vec::new());
        }
        let before = self.rules(&space, rule.family)?;
        let same = before.into_iter().filter(|old| {
            let (place, old_rule) = (space.reference(), old.clone());
            self.is_put(&Put::Rule { place, rule: old_rule }) && is_put_rule(rule, old)
        });
        let back = |rule| Change::AddRule { namespace: space.reference(), rule };
        Ok(same.map(back).collect())
    }

    /// What a change of the host uses or alters that is not the run's own.
    pub(super) fn claims_of(&self, change: &Permitted<Change>) -> Vec<Claim> {
        if self.host.is_none() {
            return Vec::new();
        }
        let mut claims = Vec::new();
        for link in change.links() {
            claims.extend(self.claim_link(change.get(), link, takes_over(change.get())));
        }
        if let Some(link) = change.get().link() {
            let alone = !matches!(change.get(), Change::PutAddress { .. });
            claims.extend(self.claim_link(change.get(), link, alone));
        }
        claims.extend(self.claim_arrival(change.get()));
        claims.extend(self.claim_routes(change.get()));
        claims.extend(self.claim_settings(change.get()));
        claims
    }

    /// A setting is a run's alone with all that the kernel alters with it, and its link is used; or
    /// altered, where addresses go with the setting.
    fn claim_settings(&self, change: &Change) -> Vec<Claim> {
        if let Change::SetSysctl { namespace, key, .. } = change
            && let Ok(space) = self.spaces.find(namespace)
            && let Ok(known) = SettingKey::of(key)
            && !space.own
        {
            let link = self.link_of(&space, &known);
            let index = link.as_ref().and_then(|link| link.index);
            let what =
                Claimed::Sysctl { cookie: space.cookie, key: known.to_string(), link: index };
            let used =
                link.and_then(|link| self.claim_link(change, &link, alters_addresses(&known)));
            return std::iter::once(Claim { what, alone: true }).chain(used).collect();
        }
        let loses = |link: &LinkRef| match change {
            Change::MoveLink { .. } => true,
            Change::ChangeLink { settings, .. } => {
                self.resolve(link).is_ok_and(|(_, raw)| settings::loses_ipv6(&raw, settings))
            }
            _ => false,
        };
        let Some(link) = change.link().filter(|link| loses(link)) else { return Vec::new() };
        let claim = self.claim_link(change, link, true);
        let all = claim.and_then(|claim| match claim.what {
            Claimed::Link { cookie, index, name, nature: _ } => {
                Some(Claim { what: Claimed::Settings { cookie, index, name }, alone: true })
            }
            Claimed::Route { .. } | Claimed::Sysctl { .. } | Claimed::Settings { .. } => None,
        });
        all.into_iter().collect()
    }

    /// A link of others' that is moved is the run's alone where it goes, too.
    fn claim_arrival(&self, change: &Change) -> Option<Claim> {
        let Change::MoveLink { link, to } = change else { return None };
        let (space, raw) = self.resolve(link).ok()?;
        let target = self.spaces.find(to).ok().filter(|target| !target.own)?;
        if self.is_own(&space, &raw) {
            return None;
        }
        let index = self.index_away((space.cookie, raw.index), target.cookie);
        let (cookie, nature) = (target.cookie, Some(nature(&raw)));
        let what = Claimed::Link { cookie, index, name: raw.name, nature };
        Some(Claim { what, alone: true })
    }

    fn claim_link(&self, change: &Change, link: &LinkRef, alone: bool) -> Option<Claim> {
        let (space, raw) = self.resolve(link).ok()?;
        if space.own || self.is_own(&space, &raw) {
            return None;
        }
        let nature = Some(nature(&raw));
        self.note_borrowed(&space, &raw, change);
        let (cookie, index, name) = (space.cookie, raw.index, raw.name);
        Some(Claim { what: Claimed::Link { cookie, index, name, nature }, alone })
    }

    /// The places of routes: one that is taken is the run's alone, another one may be shared by runs
    /// that put routes beside each other there.
    fn claim_routes(&self, change: &Change) -> Vec<Claim> {
        let (namespace, route, alone) = match change {
            Change::PutRoute { namespace, route, how } => {
                (namespace, route, matches!(how, Write::Change | Write::Replace))
            }
            Change::RemoveRoute { namespace, route } => (namespace, route, true),
            _ => return Vec::new(),
        };
        let Ok(space) = self.spaces.find(namespace) else { return Vec::new() };
        if space.own {
            return Vec::new();
        }
        let claim = |route: &Route, alone| {
            let what = Claimed::Route {
                cookie: space.cookie,
                table: route.table(),
                destination: destination(route),
                metric: route::metric(route),
            };
            Claim { what, alone }
        };
        if !matches!(change, Change::RemoveRoute { .. }) {
            return vec![claim(route, alone)];
        }
        let all = self.routes(&space, route.family).unwrap_or_default();
        // One of its own was claimed when it was put.
        let others = all.iter().filter(|old| {
            !host::is_marked(old.protocol)
                && same_place(&Route { metric: old.metric, ..route.clone() }, old)
                && route.metric.is_none_or(|_| route::metric(route) == route::metric(old))
        });
        others.map(|old| claim(old, true)).collect()
    }
}

/// A route's destination, for people and to compare by.
fn destination(route: &Route) -> String {
    match (route.destination.filter(|prefix| prefix.length > 0), route.family) {
        (Some(prefix), _) => prefix.to_string(),
        (None, Family::Ipv4) => "default".to_owned(),
        (None, Family::Ipv6) => "default (IPv6)".to_owned(),
    }
}

/// Whether a change makes a child that gets all of its parent's frames.
fn takes_over(change: &Change) -> bool {
    matches!(change, Change::CreateLink { spec, .. } if kind::wants_alone(&spec.kind))
}
