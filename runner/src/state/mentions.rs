//! What changes name: what the kernel would else have chosen, and what they put or take away.

use std::collections::{BTreeSet, HashSet};

use serde::{Deserialize, Serialize};

use super::noun::sysctl::Settings;
use super::noun::{address, fdb, link, neighbour, port_vlan, qdisc, route, rule, sysctl};
use crate::change::{Change, Prefix, Rule};

/// What a scenario's changes name, or those of its deployment.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mentions {
    /// links whose Ethernet address was asked for, by namespace and name
    pub(super) macs: BTreeSet<(String, String)>,
    /// by name alone: what was made may have been moved
    pub(super) links: BTreeSet<String>,
    /// those that were put: a link-local one is somebody's word then
    pub(super) asked_addresses: HashSet<Prefix>,
    pub(super) addresses: BTreeSet<String>,
    pub(super) routes: BTreeSet<route::Mention>,
    pub(super) rules: Vec<Rule>,
    /// of routes and rules
    pub(super) protocols: BTreeSet<u8>,
    pub(super) neighbours: BTreeSet<String>,
    pub(super) entries: BTreeSet<fdb::Mention>,
    pub(super) settings: Settings,
    /// links that queue, by name alone
    pub(super) queues: BTreeSet<String>,
    /// ports with VLANs, by name alone
    pub(super) ports: BTreeSet<String>,
}

impl Mentions {
    pub fn of<'a>(changes: impl IntoIterator<Item = &'a Change>) -> Self {
        let mut mentions = Self::default();
        for change in changes {
            mentions.note(change);
        }
        mentions
    }

    /// The settings that they set.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Each change says it to its noun.
    fn note(&mut self, change: &Change) {
        match change {
            Change::CreateLink { namespace, spec } => link::created(self, namespace, spec),
            Change::ChangeLink { link, settings } => link::altered(self, link, settings),
            Change::MoveLink { link, to } => link::moved(self, link, to),
            Change::DeleteLink { link } => link::deleted(self, link),
            Change::PutAddress { address, .. } => address::put(self, address.prefix),
            Change::RemoveAddress { prefix, .. } => address::removed(self, *prefix),
            Change::PutRoute { route, .. } => route::put(self, route),
            Change::RemoveRoute { route, .. } => route::removed(self, route),
            Change::AddRule { rule, .. } => rule::added(self, rule),
            // It goes with nothing else's going, and by its own protocol.
            Change::RemoveRule { .. } => {}
            Change::PutNeighbour { neighbour, .. } => {
                neighbour::mentioned(self, neighbour.address);
            }
            Change::RemoveNeighbour { address, .. } => neighbour::mentioned(self, *address),
            Change::PutEntry { link, entry, .. } | Change::RemoveEntry { link, entry } => {
                fdb::mentioned(self, link, entry);
            }
            Change::SetSysctl { namespace, key, .. } => sysctl::set(self, namespace, key),
            Change::RestoreSysctls { namespace, settings } => {
                settings.iter().for_each(|one| sysctl::set(self, namespace, &one.key));
            }
            Change::PutQdisc { link, .. } | Change::RemoveQdisc { link } => {
                qdisc::mentioned(self, link);
            }
            Change::PutVlan { link, .. }
            | Change::RemoveVlan { link, .. }
            | Change::SetVlans { link, .. } => port_vlan::mentioned(self, link),
            // Only an undo asks for it.
            Change::OrderAddresses { .. } => {}
            // Its name is all that there is of one, and its id nobody but the kernel reads.
            Change::CreateNamespace { .. }
            | Change::DeleteNamespace { .. }
            | Change::SetNamespaceId { .. } => {}
        }
    }
}

/// What a comparison goes by.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Asked {
    /// what the scenario's changes name
    pub scenario: Mentions,
    /// what those of its deployment name
    pub deployment: Mentions,
}

impl Asked {
    /// Whether either of them names something.
    pub(super) fn names(&self, has: impl Fn(&Mentions) -> bool) -> bool {
        has(&self.scenario) || has(&self.deployment)
    }

    /// The settings that either of them sets.
    pub fn settings(&self) -> Settings {
        self.scenario.settings.and(&self.deployment.settings)
    }
}
