//! What a link does to the packets that it sends, and which VLANs a bridge's port carries.

use serde::{Deserialize, Serialize};

/// The root queueing discipline of a link.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Qdisc {
    /// The major number; `None` lets the kernel choose one, and is what the kernel itself put there.
    pub handle: Option<u16>,
    pub discipline: Discipline,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Discipline {
    Netem(Netem),
    Tbf(Tbf),
    /// Any other kind. What it was set to is kept as the kernel has it, to be put back.
    Other {
        kind: String,
        options: Option<Vec<u8>>,
    },
}

/// A network with faults: net/sched/sch_netem.c. What is absent is not there, or where a
/// discipline is changed stays as it was.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Netem {
    /// nanoseconds
    pub delay: Option<u64>,
    /// nanoseconds
    pub jitter: Option<u64>,
    /// percent
    pub delay_correlation: Option<f64>,
    pub distribution: Option<Distribution>,
    pub loss: Option<Chance>,
    pub duplicate: Option<Chance>,
    pub corrupt: Option<Chance>,
    pub reorder: Option<Reorder>,
    /// bits a second
    pub rate: Option<u64>,
    /// packets
    pub limit: Option<u32>,
}

/// Both in percent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Chance {
    pub percent: f64,
    pub correlation: f64,
}

/// How jitter lies around the delay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Distribution {
    Uniform,
    Normal,
    Pareto,
    Paretonormal,
}

/// Each `gap`th packet does not wait, with this chance.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Reorder {
    pub chance: Chance,
    pub gap: u32,
}

/// A token bucket: net/sched/sch_tbf.c. What is absent stays as it was, where it is changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tbf {
    /// bits a second
    pub rate: Option<u64>,
    /// bytes
    pub burst: Option<u32>,
    pub backlog: Option<Backlog>,
    /// bits a second, and the bytes of the largest packet
    pub peak: Option<(u64, u32)>,
}

/// How much may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Backlog {
    /// bytes
    Limit(u32),
    /// nanoseconds
    Latency(u64),
}

/// VLANs of a port with the same flags: one, or a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortVlan {
    pub first: u16,
    pub last: u16,
    /// frames without a tag that come in belong to it
    pub pvid: bool,
    /// its frames leave without a tag
    pub untagged: bool,
}

impl Discipline {
    /// As in tc(8) and TCA_KIND.
    pub fn kind(&self) -> &str {
        match self {
            Self::Netem(_) => "netem",
            Self::Tbf(_) => "tbf",
            Self::Other { kind, .. } => kind,
        }
    }
}

impl Netem {
    /// This, with what it does not say taken from another.
    pub fn over(self, before: Self) -> Self {
        Self {
            delay: self.delay.or(before.delay),
            jitter: self.jitter.or(before.jitter),
            delay_correlation: self.delay_correlation.or(before.delay_correlation),
            distribution: self.distribution.or(before.distribution),
            loss: self.loss.or(before.loss),
            duplicate: self.duplicate.or(before.duplicate),
            corrupt: self.corrupt.or(before.corrupt),
            reorder: self.reorder.or(before.reorder),
            rate: self.rate.or(before.rate),
            limit: self.limit.or(before.limit),
        }
    }
}

impl Tbf {
    /// This, with what it does not say taken from another.
    pub fn over(self, before: Self) -> Self {
        Self {
            rate: self.rate.or(before.rate),
            burst: self.burst.or(before.burst),
            backlog: self.backlog.or(before.backlog),
            peak: self.peak.or(before.peak),
        }
    }
}
