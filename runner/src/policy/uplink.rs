//! What a lab needs where it reaches a link of the host: the same whether the runner decides, with
//! the grants of the step that asks, or the process outside, with the operator's.

use crate::change::{Change, Kind, LinkRef, Name, Setting};
use crate::grant::{Capability, Facts, Request};
use crate::kernel::{Kernel, kind};

/// The rights that a change takes which makes, or alters, a child of this link of the host.
pub(crate) fn uplink_needs(link: &str, change: &Change) -> Vec<Request> {
    let of = |capability, mode: Option<&str>| {
        let mode = mode.map(str::to_owned);
        let facts = Facts { link: Some(link.to_owned()), mode, ..Facts::default() };
        Request::new(capability, facts)
    };
    let mut needs = Vec::new();
    let takes = if let Change::CreateLink { spec, .. } = change {
        needs.push(of(Capability::Uplink, Some(way_in(&spec.kind))));
        kind::takes_over(spec)
    } else if let Change::ChangeLink { settings, .. } = change {
        settings.iter().any(kind::makes_take_over)
    } else {
        false
    };
    needs.extend(takes.then(|| of(Capability::UplinkPassthru, None)));
    needs
}

/// The link of the host that each of these changes reaches, which will be made together: one may
/// alter what another has yet to make.
pub(crate) fn reached_uplinks(changes: &[Change], kernel: &dyn Kernel) -> Vec<Option<String>> {
    let mut reached: Vec<_> = changes.iter().map(|change| kernel.uplink_of(change)).collect();
    if reached.iter().all(Option::is_none) {
        return reached;
    }
    loop {
        let known: Vec<(Key, String)> = changes
            .iter()
            .zip(&reached)
            .filter_map(|(change, link)| Some((gives(change)?, link.clone()?)))
            .collect();
        let mut more = false;
        for (change, link) in changes.iter().zip(&mut reached).filter(|(_, link)| link.is_none()) {
            let from = takes(change);
            *link =
                known.iter().find(|(key, _)| Some(key) == from.as_ref()).map(|(_, of)| of.clone());
            more |= link.is_some();
        }
        if !more {
            return reached;
        }
    }
}

/// A link by the names that a batch uses.
type Key = (Option<Name>, String);

/// The link that is there, or is called so, or is elsewhere, after a change.
fn gives(change: &Change) -> Option<Key> {
    if let Change::CreateLink { namespace, spec } = change {
        Some((namespace.name.clone(), spec.name.as_str().to_owned()))
    } else if let Change::ChangeLink { link, settings } = change {
        let name = settings.iter().rev().find_map(Setting::name)?;
        Some((link.namespace.name.clone(), name.to_owned()))
    } else if let Change::MoveLink { link, to } = change {
        Some((to.name.clone(), link.name.clone()))
    } else {
        None
    }
}

/// The link that a change reaches the host's by, where that is a child of it.
fn takes(change: &Change) -> Option<Key> {
    let key = |link: &LinkRef| (link.namespace.name.clone(), link.name.clone());
    if let Change::CreateLink { namespace, spec } = change {
        let parent = spec.parent.as_ref().filter(|_| kind::shares_parent(spec.kind.word()))?;
        Some(key(&parent.reference(namespace)))
    } else if let Change::ChangeLink { link, .. } | Change::MoveLink { link, .. } = change {
        Some(key(link))
    } else {
        None
    }
}

/// How a new link joins a lab to the network of its parent: the `mode` of an `uplink`.
fn way_in(kind: &Kind) -> &str {
    match kind {
        Kind::Veth(_) => "port",
        child => child.word(),
    }
}
