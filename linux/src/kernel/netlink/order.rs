//! In which order the changes of a batch can be made.

use std::collections::HashMap;

use crate::change::{
    Attribute, Change, Kind, LinkName, LinkRef, Name, NamespaceRef, Setting, Spec, Write,
};
use crate::kernel::kind;

/// A link by the names that a batch uses.
type Key = (Option<Name>, String);

/// The place of a change in the order of a batch; `None` where it stays where it is in the list.
pub(super) fn stage(change: &Change) -> Option<u8> {
    match change {
        Change::CreateNamespace { .. } | Change::CreateLink { .. } | Change::ChangeLink { .. } => {
            Some(0)
        }
        Change::SetSysctl { .. }
        | Change::PutQdisc { how: Write::Add, .. }
        | Change::SetVlans { .. } => Some(1),
        Change::PutAddress { .. } => Some(2),
        Change::PutRoute { .. } => Some(3),
        Change::AddRule { .. } => Some(4),
        Change::PutNeighbour { .. } => Some(5),
        Change::DeleteNamespace { .. }
        | Change::SetNamespaceId { .. }
        | Change::MoveLink { .. }
        | Change::DeleteLink { .. }
        | Change::RemoveAddress { .. }
        | Change::RemoveRoute { .. }
        | Change::RemoveRule { .. }
        | Change::RemoveNeighbour { .. }
        | Change::PutEntry { .. }
        | Change::RemoveEntry { .. }
        | Change::PutQdisc { .. }
        | Change::RemoveQdisc { .. }
        | Change::PutVlan { .. }
        | Change::RemoveVlan { .. }
        | Change::RestoreSysctls { .. }
        | Change::OrderAddresses { .. } => None,
    }
}

/// Which changes of links wait for which.
pub(super) struct Needs<'a> {
    changes: &'a [&'a Change],
    /// places not yet handed out, with the places that they wait for
    waiting: Vec<(usize, Vec<usize>)>,
}

impl<'a> Needs<'a> {
    pub(super) fn of(changes: &'a [&'a Change], places: &[usize]) -> Self {
        let mut makers: HashMap<Key, usize> = HashMap::new();
        let mut changers: HashMap<Key, Vec<usize>> = HashMap::new();
        for place in places {
            if let Change::CreateLink { namespace, spec } = changes[*place] {
                for key in made_by(namespace, spec) {
                    makers.insert(key, *place);
                }
            } else if let Change::ChangeLink { link, .. } = changes[*place] {
                changers.entry(key_of(link)).or_default().push(*place);
            }
        }
        let mut waiting = Vec::new();
        for place in places {
            let (wanted, changed) = if let Change::CreateLink { namespace, spec } = changes[*place]
            {
                (wants(namespace, spec), stands_on(namespace, spec))
            } else if let Change::ChangeLink { link, settings } = changes[*place] {
                let mut wanted = masters(&link.namespace, settings);
                wanted.push(key_of(link));
                (wanted, Some(key_of(link)))
            } else {
                continue;
            };
            let mut needs: Vec<usize> =
                wanted.iter().filter_map(|key| makers.get(key).copied()).collect();
            // A link can only be up on one that is up, and not be larger; changes of one link
            // keep their order.
            let creates = matches!(changes[*place], Change::CreateLink { .. });
            let before = changed.and_then(|key| changers.get(&key)).into_iter().flatten();
            needs.extend(before.filter(|other| creates || *other < place));
            needs.retain(|other| other != place);
            waiting.push((*place, needs));
        }
        Self { changes, waiting }
    }

    /// The places whose needs are met, in order; an error names two that need each other.
    pub(super) fn next_round(&mut self) -> Option<Result<Vec<usize>, (usize, String)>> {
        if self.waiting.is_empty() {
            return None;
        }
        let open: std::collections::HashSet<usize> =
            self.waiting.iter().map(|(place, _)| *place).collect();
        let (ready, waiting): (Vec<_>, Vec<_>) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|(_, needs)| needs.iter().all(|need| !open.contains(need)));
        if let ([], Some((place, needs))) = (ready.as_slice(), waiting.first()) {
            let other = needs.first().map_or(*place, |need| *need);
            let sentence =
                format!("`{}` and `{}` need each other", self.changes[*place], self.changes[other]);
            return Some(Err((*place, sentence)));
        }
        self.waiting = waiting;
        Some(Ok(ready.into_iter().map(|(place, _)| place).collect()))
    }
}

fn key_of(link: &LinkRef) -> Key {
    (link.namespace.name.clone(), link.name.clone())
}

fn key_from(from: &NamespaceRef, link: &LinkName) -> Key {
    let namespace = link.namespace.clone().unwrap_or_else(|| from.name.clone());
    (namespace, link.name.clone())
}

/// The links that a change makes: a veth's two.
fn made_by(namespace: &NamespaceRef, spec: &Spec) -> Vec<Key> {
    let own = (namespace.name.clone(), spec.name.as_str().to_owned());
    let mut made = vec![own];
    if let Kind::Veth(veth) = &spec.kind {
        made.push(key_from(namespace, &veth.peer));
    }
    made
}

fn stands_on(namespace: &NamespaceRef, spec: &Spec) -> Option<Key> {
    spec.parent.as_ref().map(|parent| key_from(namespace, parent))
}

/// The links that must be there before another is made.
fn wants(namespace: &NamespaceRef, spec: &Spec) -> Vec<Key> {
    let mut all: Vec<Key> = stands_on(namespace, spec).into_iter().collect();
    all.extend(masters(namespace, &spec.settings));
    if let Kind::Veth(veth) = &spec.kind {
        let other = NamespaceRef::named(key_from(namespace, &veth.peer).0);
        all.extend(masters(&other, &veth.peer_settings));
    }
    let named = |option: &Attribute| {
        let names_link = matches!(
            option.name.as_str(),
            "dev" | "slave1" | "slave2" | "active_slave" | "primary"
        );
        names_link.then(|| (namespace.name.clone(), option.value.clone()))
    };
    all.extend(kind::kind_options(&spec.kind).iter().filter_map(named));
    all
}

fn masters(namespace: &NamespaceRef, settings: &[Setting]) -> Vec<Key> {
    let master = |setting: &Setting| {
        let Setting::Master(Some(name)) = setting else { return None };
        Some((namespace.name.clone(), name.clone()))
    };
    settings.iter().filter_map(master).collect()
}
