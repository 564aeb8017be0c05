//! How much one recipe may use up before it is stopped.

use std::fmt;

use crate::change::{Change, Kind};
use crate::kernel::Error;
use crate::scenario::Limits;

/// A budget was used up: the recipe is stopped and everything undone.
#[derive(Debug, Clone)]
pub struct LimitReached(pub String);

impl fmt::Display for LimitReached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "limit reached: {}", self.0)
    }
}

impl std::error::Error for LimitReached {}

/// What is left of what one recipe may say. Its memory is the engine's to measure.
#[derive(Debug)]
pub struct Budget {
    log_bytes: usize,
    log_bytes_used: usize,
}

impl Budget {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { log_bytes: limits.log_bytes, log_bytes_used: 0 }
    }

    /// Counts something that the recipe says.
    pub(super) fn say(&mut self, bytes: usize) -> Result<(), LimitReached> {
        self.log_bytes_used = self.log_bytes_used.saturating_add(bytes);
        if self.log_bytes_used > self.log_bytes {
            return Err(LimitReached(format!("{} bytes of log and report", self.log_bytes)));
        }
        Ok(())
    }

    /// What goes to WASI's streams has as much room as the log, and room of its own.
    pub(super) fn write(&self, bytes: usize) -> Result<(), LimitReached> {
        if bytes > self.log_bytes {
            return Err(LimitReached(format!("{} bytes of output", self.log_bytes)));
        }
        Ok(())
    }
}

/// The objects that exist because of a run; shared by its steps.
#[derive(Debug, Clone)]
pub(super) struct Objects {
    namespaces: usize,
    namespaces_limit: usize,
    links: usize,
    links_limit: usize,
    changes: usize,
    changes_limit: usize,
}

impl Objects {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            namespaces: 0,
            namespaces_limit: limits.namespaces,
            links: 0,
            links_limit: limits.links,
            changes: 0,
            changes_limit: limits.changes(),
        }
    }

    /// Refuses what would go over the limits; objects are counted once they are there, changes at
    /// once.
    pub(super) fn allow(&mut self, changes: &[&Change]) -> Result<(), Error> {
        let weight: usize = changes.iter().map(|change| weight(change)).sum();
        let changes_after = self.changes.saturating_add(weight);
        if changes_after > self.changes_limit {
            return Err(Error::Limit(format!("{} changes", self.changes_limit)));
        }
        self.changes = changes_after;
        let mut after = self.clone();
        changes.iter().for_each(|change| after.count(change));
        if after.namespaces > after.namespaces_limit {
            return Err(Error::Limit(format!("{} namespaces", after.namespaces_limit)));
        }
        if after.links > after.links_limit {
            return Err(Error::Limit(format!("{} links", after.links_limit)));
        }
        Ok(())
    }

    pub(super) fn count(&mut self, change: &Change) {
        match change {
            Change::CreateNamespace { .. } => self.namespaces += 1,
            Change::DeleteNamespace { .. } => self.namespaces = self.namespaces.saturating_sub(1),
            Change::CreateLink { spec, .. } => self.links += links_of(&spec.kind),
            Change::DeleteLink { .. } => self.links = self.links.saturating_sub(1),
            Change::SetNamespaceId { .. }
            | Change::ChangeLink { .. }
            | Change::MoveLink { .. }
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
            | Change::PutQdisc { .. }
            | Change::RemoveQdisc { .. }
            | Change::PutVlan { .. }
            | Change::RemoveVlan { .. }
            | Change::SetVlans { .. } => {}
        }
    }
}

/// A change with a long text counts as several: the text is kept and shown.
fn weight(change: &Change) -> usize {
    1 + change.to_string().len() / 512
}

fn links_of(kind: &Kind) -> usize {
    match kind {
        Kind::Veth(_) => 2,
        Kind::Macvlan(_)
        | Kind::Macvtap(_)
        | Kind::Bridge(_)
        | Kind::Vlan(_)
        | Kind::Vxlan(_)
        | Kind::Dummy
        | Kind::Ifb
        | Kind::Ipvlan(_)
        | Kind::Ipvtap(_)
        | Kind::Tun(_)
        | Kind::Tap(_)
        | Kind::Vrf(_)
        | Kind::Other(_) => 1,
    }
}
