//! Commands of several changes: what is a bridge shows only by what was made before.

use std::collections::HashMap;

use super::{Change, Kind, LinkRef, Name, NamespaceRef, Setting};

/// By namespace and name, whether a link is a bridge.
type Known = HashMap<(Option<Name>, String), bool>;

/// The commands of changes, in their order. Of VLANs that are a bridge's own and no port's bridge(8)
/// wants to be told so. `is_bridge` knows the links that are there before.
pub fn commands<'a>(
    changes: impl IntoIterator<Item = &'a Change>,
    is_bridge: impl Fn(&LinkRef) -> bool,
) -> Vec<String> {
    let mut known = Known::new();
    let mut all = Vec::new();
    for change in changes {
        let mut commands = change.commands();
        if let Some(link) = vlans_of(change) {
            let own = known.get(&key(&link.namespace, &link.name)).copied();
            if own.unwrap_or_else(|| is_bridge(link)) {
                commands.iter_mut().for_each(|command| command.push_str(" self"));
            }
        }
        note(change, &mut known);
        all.extend(commands);
    }
    all
}

fn vlans_of(change: &Change) -> Option<&LinkRef> {
    match change {
        Change::PutVlan { link, .. }
        | Change::RemoveVlan { link, .. }
        | Change::SetVlans { link, .. } => Some(link),
        Change::CreateNamespace { .. }
        | Change::DeleteNamespace { .. }
        | Change::SetNamespaceId { .. }
        | Change::CreateLink { .. }
        | Change::ChangeLink { .. }
        | Change::MoveLink { .. }
        | Change::DeleteLink { .. }
        | Change::PutAddress { .. }
        | Change::RemoveAddress { .. }
        | Change::PutRoute { .. }
        | Change::RemoveRoute { .. }
        | Change::AddRule { .. }
        | Change::RemoveRule { .. }
        | Change::PutNeighbour { .. }
        | Change::RemoveNeighbour { .. }
        | Change::PutEntry { .. }
        | Change::RemoveEntry { .. }
        | Change::SetSysctl { .. }
        | Change::RestoreSysctls { .. }
        | Change::OrderAddresses { .. }
        | Change::PutQdisc { .. }
        | Change::RemoveQdisc { .. } => None,
    }
}

fn key(namespace: &NamespaceRef, name: &str) -> (Option<Name>, String) {
    (namespace.name.clone(), name.to_owned())
}

/// A link that is made, renamed or moved is what it is under its name of then.
fn note(change: &Change, known: &mut Known) {
    let mut follow = |link: &LinkRef, arrived: (Option<Name>, String)| {
        if let Some(is_bridge) = known.remove(&key(&link.namespace, &link.name)) {
            known.insert(arrived, is_bridge);
        }
    };
    if let Change::ChangeLink { link, settings } = change {
        let new = settings.iter().filter_map(Setting::name).next_back();
        new.into_iter().for_each(|new| follow(link, key(&link.namespace, new)));
    }
    if let Change::MoveLink { link, to } = change {
        follow(link, key(to, &link.name));
    }
    if let Change::CreateLink { namespace, spec } = change {
        let is_bridge = matches!(&spec.kind, Kind::Bridge(_));
        known.insert(key(namespace, spec.name.as_str()), is_bridge);
    }
}
