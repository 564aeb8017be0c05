//! The links of a deployment, each with the changes that made it what it is: by them it is made again,
//! where it was deleted while the deployment was altered, and that is taken back.

use std::sync::Arc;

use super::Netlink;
use super::space::Space;
use crate::change::{Change, Kind, MacAddress, NamespaceRef, Setting, Undo};
use crate::journal::History;

/// A link where it is now; the two ends of a veth live and die together.
#[derive(Debug)]
pub(super) struct Life {
    ends: Vec<End>,
    changes: Vec<Change>,
}

/// A namespace's cookie and a link's name there.
#[derive(Debug, Clone, PartialEq, Eq)]
struct End {
    place: u64,
    name: String,
}

impl Life {
    fn has(&self, place: u64, name: &str) -> bool {
        self.ends.iter().any(|end| end.place == place && end.name == name)
    }
}

/// Of all links that a deployment has made and not deleted.
pub(super) fn of(history: &History) -> Vec<Life> {
    let mut lives: Vec<Life> = Vec::new();
    for entry in &history.entries {
        take(&mut lives, history, &entry.change);
    }
    lives
}

fn take(lives: &mut Vec<Life>, history: &History, change: &Change) {
    match change {
        Change::CreateLink { namespace, spec } => {
            let mut ends = vec![End::of(history, namespace, spec.name.as_str())];
            if let Kind::Veth(veth) = &spec.kind {
                let there = match &veth.peer.namespace {
                    Some(name) => &NamespaceRef::named(name.clone()),
                    None => namespace,
                };
                ends.push(End::of(history, there, &veth.peer.name));
            }
            lives.push(Life {
                ends: ends.into_iter().flatten().collect(),
                changes: vec![change.by_name()],
            });
        }
        Change::PutRoute { namespace, route, .. } | Change::RemoveRoute { namespace, route } => {
            let hops = route.next_hops.iter().filter_map(|hop| hop.link.as_deref());
            for end in hops.filter_map(|name| End::of(history, namespace, name)) {
                let life = lives.iter_mut().find(|life| life.has(end.place, &end.name));
                life.into_iter().for_each(|life| life.changes.push(change.by_name()));
            }
        }
        _ => {
            let Some(link) = change.link() else { return };
            let Some(End { place, name }) = End::of(history, &link.namespace, &link.name) else {
                return;
            };
            let Some(at) = lives.iter().position(|life| life.has(place, &name)) else { return };
            if matches!(change, Change::DeleteLink { .. }) {
                lives.remove(at);
                return;
            }
            let life = &mut lives[at];
            life.changes.push(change.by_name());
            let moved = life.ends.iter_mut().find(|end| end.place == place && end.name == name);
            moved.into_iter().for_each(|end| end.follow(history, change));
        }
    }
}

impl End {
    /// None where the namespace is not one of the deployment's.
    fn of(history: &History, namespace: &NamespaceRef, name: &str) -> Option<Self> {
        Some(Self { place: history.place(namespace)?, name: name.to_owned() })
    }

    /// Where the link is after a change of it.
    fn follow(&mut self, history: &History, change: &Change) {
        match change {
            Change::MoveLink { to, .. } => {
                self.place = history.place(to).unwrap_or_default();
            }
            Change::ChangeLink { settings, .. } => {
                let renamed = settings.iter().filter_map(Setting::name).next_back();
                self.name = renamed.map_or_else(|| self.name.clone(), str::to_owned);
            }
            _ => {}
        }
    }
}

impl Netlink {
    /// What makes a link of the deployment again that is about to be deleted. Nothing where no
    /// deployment is altered: what a run made goes with the run.
    pub(super) fn remaking(&self, space: &Arc<Space>, name: &str) -> Undo {
        let lives = self.host.as_ref().map_or(&[][..], |host| &host.lives);
        let Some(life) = lives.iter().find(|life| life.has(space.cookie, name)) else {
            return Undo::default();
        };
        let mut steps = life.changes.clone();
        if let Some(Change::CreateLink { spec, .. }) = steps.first_mut() {
            let mut addresses = life.ends.iter().map(|end| self.mac_of(end));
            keep(&mut spec.settings, addresses.next().flatten());
            if let Kind::Veth(veth) = &mut spec.kind {
                keep(&mut veth.peer_settings, addresses.next().flatten());
            }
        }
        Undo { steps }
    }

    fn mac_of(&self, end: &End) -> Option<MacAddress> {
        let space = self.spaces.all().find(|space| space.cookie == end.place)?;
        space.link(&end.name).ok()??.mac()
    }

    /// Whether a link is there that steps make again, after them or before, where whoever was about
    /// to delete it was killed; none of steps that make none. What the steps put on it is as it was
    /// asked for, and more when it is read back: it came about where no step failed.
    pub(super) fn remade(&self, undo: &Undo) -> Option<Result<(), String>> {
        let (namespace, name) = whereabouts(&undo.steps)?;
        let there = self.spaces.find(namespace).ok().and_then(|space| {
            let link = space.link(name).ok().flatten()?;
            Some(self.is_own(&space, &link))
        });
        Some(if there == Some(true) { Ok(()) } else { Err(format!("link `{name}` is not back")) })
    }
}

/// The address that the kernel made up is the link's all the same.
fn keep(settings: &mut Vec<Setting>, address: Option<MacAddress>) {
    if !settings.iter().any(|setting| matches!(setting, Setting::Mac(_))) {
        settings.extend(address.map(Setting::Mac));
    }
}

/// Where a link is that these changes make, once all of them are made; none of other changes.
fn whereabouts(steps: &[Change]) -> Option<(&NamespaceRef, &str)> {
    let (Change::CreateLink { namespace, spec }, then) = steps.split_first()? else {
        return None;
    };
    let (mut place, mut name) = (namespace, spec.name.as_str());
    for step in then {
        if step.link().is_none_or(|link| link.name != name || link.namespace.name != place.name) {
            continue;
        }
        match step {
            Change::MoveLink { to, .. } => place = to,
            Change::ChangeLink { settings, .. } => {
                name = settings.iter().filter_map(Setting::name).next_back().unwrap_or(name);
            }
            _ => {}
        }
    }
    Some((place, name))
}
