//! The VLANs of bridges' ports, and of bridges.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Facts, Found, Noun, Object, Reader, holders_of, inside, link_reference, place};
use crate::change::{Answer, Change, LinkInfo, LinkRef, PortVlan, Query, Word};
use crate::kernel::Error;
use crate::state::repair::{Mend, Mending, Stage};
use crate::state::{Asked, Mentions, NamespaceState, State};

/// What the kernel gives a port (br_vlan_init, net/bridge/br_vlan.c).
const OF_KERNEL: PortVlan = PortVlan { first: 1, last: 1, pvid: true, untagged: true };

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PortVlans {
    pub namespace: String,
    pub link: String,
}

/// Each VLAN with its flags: whether it is the pvid, and leaves untagged.
type Flags = BTreeMap<u16, (bool, bool)>;

pub(in crate::state) fn mentioned(mentions: &mut Mentions, link: &LinkRef) {
    mentions.ports.insert(link.name.clone());
}

impl PortVlans {
    fn flags_in(&self, state: &State) -> Flags {
        let there = state.namespace(&self.namespace);
        let mut all = there.into_iter().flat_map(|there| &there.vlans);
        let found = all.find(|(link, _)| *link == self.link);
        flags(found.map_or(&[], |(_, vlans)| vlans))
    }
}

fn flags(vlans: &[PortVlan]) -> Flags {
    let each = |vlan: &PortVlan| {
        let flags = (vlan.pvid, vlan.untagged);
        (vlan.first..=vlan.last).map(move |id| (id, flags))
    };
    vlans.iter().flat_map(each).collect()
}

/// In the longest ranges of one kind, however the kernel tells them.
fn ranges(flags: &Flags) -> Vec<PortVlan> {
    let mut ranges: Vec<PortVlan> = Vec::new();
    for (id, (pvid, untagged)) in flags {
        let (first, pvid, untagged) = (*id, *pvid, *untagged);
        match ranges.last_mut() {
            Some(last)
                if last.last + 1 == first && !(pvid || last.pvid) && last.untagged == untagged =>
            {
                last.last = first;
            }
            Some(_) | None => ranges.push(PortVlan { first, last: first, pvid, untagged }),
        }
    }
    ranges
}

/// `vid 10` is `pvid untagged`, `vid 20-29` is `tagged`.
fn facts(flags: &Flags) -> Facts {
    let fact = |vlan: &PortVlan| {
        let name = PortVlan { pvid: false, untagged: false, ..*vlan }.to_string();
        let words = vlan.to_string();
        let value = words.strip_prefix(&name).unwrap_or_default().trim();
        (name, if value.is_empty() { "tagged" } else { value }.to_owned())
    };
    ranges(flags).iter().map(fact).collect()
}

/// The ids of a fact.
fn ids(name: &str) -> Option<std::ops::RangeInclusive<u16>> {
    let range = name.strip_prefix("vid ")?;
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    Some(first.parse().ok()?..=last.parse().ok()?)
}

fn is_port(link: &LinkInfo) -> bool {
    let slave =
        |kind: &crate::change::Attribute| kind.name == "slave_kind" && kind.value == "bridge";
    link.kind == "bridge" || link.extra.iter().any(slave)
}

impl fmt::Display for PortVlans {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "vlans of {}", Word(&self.link))?;
        inside(f, &self.namespace)
    }
}

impl Noun for PortVlans {
    /// Where there is no bridge there are no ports.
    fn read(from: &Reader<'_>, into: &mut NamespaceState) -> Result<(), Error> {
        if !into.links.iter().any(is_port) {
            return Ok(());
        }
        let query = Query::AllVlans { namespace: from.namespace.clone() };
        if let Answer::AllVlans(vlans) = from.ask(query)? {
            into.vlans = vlans;
        }
        Ok(())
    }

    /// A kernel that was built without them tells none, and a port may have lost all of its own.
    fn find(of: &NamespaceState, _: &Asked, _: &State, found: &mut Found) {
        if of.vlans.is_empty() {
            return;
        }
        let namespace = place(of.name.as_ref());
        for link in of.links.iter().filter(|link| is_port(link)) {
            let all = of.vlans.iter().find(|(name, _)| *name == link.name);
            let facts = facts(&flags(all.map_or(&[], |(_, vlans)| vlans)));
            let object = Self { namespace: namespace.clone(), link: link.name.clone() };
            found.insert(Object::PortVlans(object), facts);
        }
    }

    fn holders(&self) -> Vec<Object> {
        holders_of(&self.namespace, &self.link)
    }

    /// Where it is no port it has none, and what the kernel gives it once it is one.
    fn untold(&self) -> Option<Facts> {
        Some(facts(&flags(&[OF_KERNEL])))
    }

    fn mend(&self, mending: &Mending<'_>) -> Option<Mend> {
        let link = link_reference(&self.namespace, &self.link);
        let stage = Stage::PortVlans;
        if !mending.wanted.link(&link).is_some_and(is_port) {
            // They go with its leaving the bridge.
            return Some((stage, Vec::new()));
        }
        let is_port_now = mending.is.link(&link).is_some_and(is_port);
        let mut flags = if is_port_now { self.flags_in(mending.is) } else { flags(&[OF_KERNEL]) };
        let wanted = self.flags_in(mending.wanted);
        let differing = mending.difference.facts();
        for id in differing.iter().filter_map(|(name, _, _)| ids(name)).flatten() {
            match wanted.get(&id) {
                Some(wanted) => flags.insert(id, *wanted),
                None => flags.remove(&id),
            };
        }
        Some((stage, vec![Change::SetVlans { link, vlans: ranges(&flags) }]))
    }

    fn is_touched(&self, asked: &Asked, _: &State) -> bool {
        asked.names(|mentions| mentions.ports.contains(&self.link))
    }

    fn is_theirs(&self) -> bool {
        false
    }
}
