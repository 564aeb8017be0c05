//! How much one recipe may use up before it is stopped.

use std::fmt;

use crate::change::Change;
use crate::kernel::{Census, Error, kind};
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

/// Single bytes that a message may be read by: a list's length, a case's number, a number's digits.
/// Texts and frames, taken as they are, don't count. So what a message becomes is bounded too: no
/// part of one byte becomes more than some dozens. What batches hold is bounded so in all.
pub(crate) const MOST_PARTS: usize = 4 << 20;

/// As many changes as all batches of one recipe may hold.
const MOST_CHANGES: usize = 65536;

/// What came by one message.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Weight {
    pub(crate) bytes: usize,
    /// single bytes that it was read by
    pub(crate) parts: usize,
}

/// What is kept of many.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Collected {
    pub(super) changes: usize,
    weight: Weight,
}

impl Collected {
    pub(super) fn add(&mut self, more: Weight) {
        self.changes += 1;
        self.weight.bytes += more.bytes;
        self.weight.parts += more.parts;
    }
}

/// What is left of what one recipe may say, and have kept. Its memory is the engine's to measure.
#[derive(Debug)]
pub struct Budget {
    log_bytes: usize,
    log_bytes_used: usize,
    call_bytes: usize,
    /// in all batches that are not applied yet
    collected: Collected,
}

impl Budget {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            log_bytes: limits.log_bytes,
            log_bytes_used: 0,
            call_bytes: limits.call_bytes,
            collected: Collected::default(),
        }
    }

    /// Counts something that the recipe says.
    pub(super) fn say(&mut self, bytes: usize) -> Result<(), LimitReached> {
        self.log_bytes_used = self.log_bytes_used.saturating_add(bytes);
        if self.log_bytes_used > self.log_bytes {
            return Err(LimitReached(format!("{} bytes of log and report", self.log_bytes)));
        }
        Ok(())
    }

    /// Counts a change that comes into a batch by a message of this weight.
    pub(super) fn collect(&mut self, more: Weight) -> Result<Weight, LimitReached> {
        let mut after = self.collected;
        after.add(more);
        let bounds = [
            (after.changes, MOST_CHANGES, "changes"),
            (after.weight.bytes, self.call_bytes, "bytes"),
            (after.weight.parts, MOST_PARTS, "values"),
        ];
        if let Some((_, most, what)) = bounds.iter().find(|(is, most, _)| is > most) {
            return Err(LimitReached(format!("{most} {what} in batches")));
        }
        self.collected = after;
        Ok(more)
    }

    /// A batch is no more.
    pub(super) fn release(&mut self, less: Collected) {
        let kept = &mut self.collected;
        kept.changes = kept.changes.saturating_sub(less.changes);
        kept.weight.bytes = kept.weight.bytes.saturating_sub(less.weight.bytes);
        kept.weight.parts = kept.weight.parts.saturating_sub(less.weight.parts);
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
///
/// What was made since the kernel was last asked is added to what there was then, and what was
/// deleted is not taken off: only the kernel knows what went with it. So the counts are too high
/// at most, and the kernel is asked before anything is refused.
#[derive(Debug)]
pub(super) struct Objects {
    /// none where it may have become more by other ways than changes
    at_most: Option<Census>,
    limits: Census,
    changes: usize,
    changes_limit: usize,
}

impl Objects {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            at_most: None,
            limits: Census { namespaces: limits.namespaces, links: limits.links },
            changes: 0,
            changes_limit: limits.changes(),
        }
    }

    /// Refuses what would go over the limits; objects are counted once they are there, changes at
    /// once.
    pub(super) fn allow(
        &mut self,
        changes: &[&Change],
        census: impl FnOnce() -> Result<Census, Error>,
    ) -> Result<(), Error> {
        let weight: usize = changes.iter().map(|change| weight(change)).sum();
        let changes_after = self.changes.saturating_add(weight);
        if changes_after > self.changes_limit {
            return Err(Error::Limit(format!("{} changes", self.changes_limit)));
        }
        self.changes = changes_after;
        let more = changes.iter().fold(Census::default(), |more, change| more.and(made_by(change)));
        if more == Census::default() || self.at_most.is_some_and(|had| self.fits(had.and(more))) {
            return Ok(());
        }
        let there = census()?;
        self.at_most = Some(there);
        let after = there.and(more);
        if self.fits(after) {
            return Ok(());
        }
        Err(Error::Limit(match after.namespaces > self.limits.namespaces {
            true => format!("{} namespaces", self.limits.namespaces),
            false => format!("{} links", self.limits.links),
        }))
    }

    fn fits(&self, after: Census) -> bool {
        after.namespaces <= self.limits.namespaces && after.links <= self.limits.links
    }

    pub(super) fn count(&mut self, change: &Change) {
        self.at_most = self.at_most.map(|had| had.and(made_by(change)));
    }

    /// Has the kernel asked before more is made: something came back, or a program made what it
    /// liked.
    pub(super) fn count_anew(&mut self) {
        self.at_most = None;
    }
}

/// A change with a long text counts as several: the text is kept and shown.
fn weight(change: &Change) -> usize {
    1 + change.to_string().len() / 512
}

/// What a change makes, at most.
fn made_by(change: &Change) -> Census {
    match change {
        Change::CreateNamespace { .. } => Census { namespaces: 1, links: 0 },
        Change::CreateLink { spec, .. } => {
            let links = 1 + usize::from(kind::has_other_end(spec.kind.word()));
            Census { namespaces: 0, links }
        }
        Change::DeleteNamespace { .. }
        | Change::DeleteLink { .. }
        | Change::SetNamespaceId { .. }
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
        | Change::OrderAddresses { .. }
        | Change::PutQdisc { .. }
        | Change::RemoveQdisc { .. }
        | Change::PutVlan { .. }
        | Change::RemoveVlan { .. }
        | Change::SetVlans { .. } => Census::default(),
    }
}
