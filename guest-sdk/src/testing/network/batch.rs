//! Many changes at once: ordered by what they need, all or nothing.

use super::{Change, Network, Site};
use crate::wit::links::{Kind, LinkName, Setting};
use crate::wit::types::Error;

impl Network {
    /// Makes all changes; or none, and says which one failed.
    pub(crate) fn apply_all(&mut self, changes: &[Change]) -> Result<Vec<usize>, (usize, Error)> {
        let before = self.clone();
        let order = order(changes);
        for &place in &order {
            if let Err(error) = self.apply(&changes[place]) {
                *self = before;
                return Err((place, error));
            }
        }
        Ok(order)
    }
}

/// The kinds of changes in the order in which they need each other.
fn rank(change: &Change) -> u32 {
    match change {
        Change::CreateNamespace { .. } => 0,
        Change::SetNamespaceId { .. } => 1,
        Change::CreateLink { .. } => 2,
        Change::SetSysctl { .. } => 3,
        Change::MoveLink { .. } => 4,
        Change::ChangeLink { .. } => 5,
        Change::PutAddress { .. }
        | Change::PutQdisc { .. }
        | Change::PutVlan { .. }
        | Change::SetVlans { .. } => 6,
        Change::PutNeighbour { .. } | Change::PutEntry { .. } => 7,
        Change::PutRoute { .. } | Change::AddRule { .. } => 8,
        Change::RemoveAddress { .. }
        | Change::RemoveNeighbour { .. }
        | Change::RemoveEntry { .. }
        | Change::RemoveRoute { .. }
        | Change::RemoveRule { .. }
        | Change::RemoveQdisc { .. }
        | Change::RemoveVlan { .. } => 9,
        Change::DeleteLink { .. } | Change::DeleteNamespace { .. } => 10,
    }
}

/// The places of the changes in the order of their making. Among links, one waits for those of the
/// same batch that it lies on, wherever they stand.
pub(crate) fn order(changes: &[Change]) -> Vec<usize> {
    let mut waiting: Vec<usize> = (0..changes.len()).collect();
    waiting.sort_by_key(|place| rank(&changes[*place]));
    let mut order = Vec::with_capacity(changes.len());
    while !waiting.is_empty() {
        let blocked = |place: &usize| {
            let needs = needs(&changes[*place]);
            waiting.iter().any(|other| other != place && makes(&changes[*other], &needs))
        };
        // Where all wait for each other the first goes ahead, and the kernel says what is missing.
        let next = waiting.iter().position(|place| !blocked(place)).unwrap_or(0);
        order.push(waiting.remove(next));
    }
    order
}

/// The links that must be there before.
fn needs(change: &Change) -> Vec<Site> {
    let Change::CreateLink { namespace, spec } = change else { return Vec::new() };
    let site = |link: &LinkName| Site {
        namespace: link.namespace.clone().unwrap_or_else(|| namespace.clone()),
        name: link.name.clone(),
    };
    let mut needs: Vec<Site> = spec.parent.iter().map(site).collect();
    for setting in &spec.settings {
        if let Setting::Master(Some(name)) = setting {
            needs.push(Site { namespace: namespace.clone(), name: name.clone() });
        }
    }
    needs
}

fn makes(change: &Change, wanted: &[Site]) -> bool {
    let Change::CreateLink { namespace, spec } = change else { return false };
    let itself = Site { namespace: namespace.clone(), name: spec.name.clone() };
    let peer = match &spec.kind {
        Kind::Veth(veth) => Some(Site {
            namespace: veth.peer.namespace.clone().unwrap_or_else(|| namespace.clone()),
            name: veth.peer.name.clone(),
        }),
        _ => None,
    };
    wanted.iter().any(|site| *site == itself || Some(site) == peer.as_ref())
}
