//! Links of others' that a run has moved, as its journal tells of them: where they came from, under
//! which name, and where the run has left them.

use std::collections::HashSet;

use super::history::{Entry, History};
use crate::change::{Change, LinkRef, NamespaceRef, Setting};

/// A link that the run did not make, and moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Borrowed {
    /// the namespace's cookie and the link's index, before the first move
    pub home: (u64, u32),
    /// its name there
    pub name: String,
    /// the namespace where the run has left it
    pub place: u64,
    /// its index there, where that is known
    pub index: Option<u32>,
    /// its name there, unless somebody gave it another one since
    now: String,
}

/// Of all changes that stand, oldest first.
pub fn of(history: &History) -> Vec<Borrowed> {
    let mut all = Vec::new();
    history.entries.iter().for_each(|entry| {
        follow(&mut all, history, entry);
    });
    all
}

/// The changes of such links in namespaces of the run: they don't go with those.
pub(super) fn numbers(history: &History) -> HashSet<u64> {
    let mut all = Vec::new();
    let about = |entry: &&Entry| follow(&mut all, history, entry);
    history.entries.iter().filter(about).map(|entry| entry.number).collect()
}

/// Whether a change is about a borrowed link.
fn follow(all: &mut Vec<Borrowed>, history: &History, entry: &Entry) -> bool {
    let Some(link) = entry.change.link() else { return false };
    let Some(place) = history.place(&link.namespace) else { return false };
    let is = |one: &Borrowed| {
        let same = link.index.is_some() && link.index == one.index;
        one.place == place && (same || one.now == link.name)
    };
    let known = all.iter().position(is);
    if let Change::MoveLink { to, .. } = &entry.change {
        let Some(there) = history.place(to) else { return false };
        if known.is_none() && made_by(history, entry.number, place, &link.name) {
            return false;
        }
        let at = known.unwrap_or_else(|| {
            let home = (place, link.index.unwrap_or_default());
            let (name, now) = (link.name.clone(), link.name.clone());
            all.push(Borrowed { home, name, place, index: link.index, now });
            all.len() - 1
        });
        all[at].place = there;
        all[at].index = arrived(&entry.undo.steps, to);
        return true;
    }
    let Some(one) = known.and_then(|at| all.get_mut(at)) else { return false };
    if let Change::ChangeLink { settings, .. } = &entry.change
        && let Some(name) = settings.iter().filter_map(Setting::name).next_back()
    {
        one.now = name.to_owned();
    }
    true
}

/// The index under which a link has arrived, by what takes it back.
fn arrived(steps: &[Change], to: &NamespaceRef) -> Option<u32> {
    let back = |step: &Change| match step {
        Change::MoveLink { link: LinkRef { namespace, index, .. }, .. } => {
            (namespace.name == to.name).then_some(*index)
        }
        _ => None,
    };
    steps.iter().find_map(back).flatten()
}

/// Whether the run has made the link of that name before.
fn made_by(history: &History, before: u64, place: u64, name: &str) -> bool {
    use crate::change::Kind;
    let earlier = history.entries.iter().take_while(|entry| entry.number < before);
    let mut names: HashSet<(u64, String)> = HashSet::new();
    for entry in earlier {
        match &entry.change {
            Change::CreateLink { namespace, spec } => {
                let place = history.place(namespace);
                names.extend(place.map(|place| (place, spec.name.to_string())));
                if let Kind::Veth(veth) = &spec.kind {
                    let peer = veth.peer.reference(namespace);
                    names.extend(history.place(&peer.namespace).map(|place| (place, peer.name)));
                }
            }
            Change::ChangeLink { link, settings } => {
                let Some(place) = history.place(&link.namespace) else { continue };
                if let Some(new) = settings.iter().filter_map(Setting::name).next_back()
                    && names.remove(&(place, link.name.clone()))
                {
                    names.insert((place, new.to_owned()));
                }
            }
            Change::MoveLink { link, to } => {
                let (Some(place), Some(there)) =
                    (history.place(&link.namespace), history.place(to))
                else {
                    continue;
                };
                if names.remove(&(place, link.name.clone())) {
                    names.insert((there, link.name.clone()));
                }
            }
            _ => {}
        }
    }
    names.contains(&(place, name.to_owned()))
}
