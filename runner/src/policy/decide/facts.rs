//! What a link is to a grant: as it is asked for, and as it is.

use crate::change::{LinkName, Setting, Spec};
use crate::grant::Facts;
use crate::kernel::{LinkSight, kind};

/// What a new link stands on, however it is said.
pub(super) fn parent_of(spec: &Spec) -> Option<LinkName> {
    spec.parent.clone().or_else(|| {
        let sent = kind::sent_options(spec);
        let underlay = sent.into_iter().rev().find(|one| kind::is_underlay(&spec.kind, one))?;
        Some(LinkName { namespace: None, name: underlay.value })
    })
}

/// Whether a link of one kind on one of another gets the parent of that (macvlan_common_newlink,
/// ipvlan_link_new).
pub(super) fn flattens(kind: &str, below: &str) -> bool {
    let families = [["macvlan", "macvtap"], ["ipvlan", "ipvtap"]];
    families.iter().any(|family| family.contains(&kind) && family.contains(&below))
}

pub(super) fn names(settings: &[Setting]) -> Vec<&str> {
    settings.iter().filter_map(Setting::name).collect()
}

/// The kernel takes the last of several attributes of a type.
pub(super) fn last_mtu(settings: &[Setting]) -> Option<u32> {
    settings.iter().rev().find_map(|setting| match setting {
        Setting::Mtu(mtu) => Some(*mtu),
        _ => None,
    })
}

/// What a new link is, as it is sent; but for its parent.
pub(super) fn birth_facts(spec: &Spec) -> Facts {
    let facts = facts_of(spec.kind.word(), spec.name.as_str(), &spec.settings);
    Facts { vlan: kind::vlan_id(spec), ..facts }
}

/// What a link of the run's own is, and was made as.
pub(super) fn facts_of_seen(seen: &LinkSight) -> Facts {
    Facts {
        parent: seen.parent.as_ref().map(|parent| parent.name.clone()),
        vlan: seen.vlan,
        mtu: seen.mtu,
        ..facts_of(&seen.kind, &seen.reference.name, &[])
    }
}

pub(super) fn facts_of(kind: &str, name: &str, settings: &[Setting]) -> Facts {
    Facts {
        kind: Some(kind.to_owned()),
        name: Some(name.to_owned()),
        mtu: last_mtu(settings),
        ..Facts::default()
    }
}
