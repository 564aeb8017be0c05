//! Queueing disciplines and VLANs of ports in the words of tc(8) and bridge(8).

use std::fmt::{self, Display, Formatter};

use crate::units::{percent_text, rate_text, time_text};
use crate::wit::qdisc::{Backlog, Chance, Distribution, Kind as Discipline, Netem, Qdisc, Tbf};
use crate::wit::vlans::Vlan;

fn option(f: &mut Formatter<'_>, word: &str, value: Option<impl Display>) -> fmt::Result {
    value.map_or(Ok(()), |value| write!(f, " {word} {value}"))
}

fn next(f: &mut Formatter<'_>, value: Option<String>) -> fmt::Result {
    value.map_or(Ok(()), |value| write!(f, " {value}"))
}

/// `handle 8001: netem delay 100ms`
impl Display for Qdisc {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(major) = self.handle {
            write!(f, "handle {major:x}: ")?;
        }
        self.kind.fmt(f)
    }
}

/// The kind and its options.
impl Display for Discipline {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Netem(given) => netem(f, given),
            Self::Tbf(given) => tbf(f, given),
            Self::Other(other) => f.write_str(&other.kind),
        }
    }
}

fn netem(f: &mut Formatter<'_>, netem: &Netem) -> fmt::Result {
    f.write_str("netem")?;
    option(f, "limit", netem.limit)?;
    if netem.delay.is_some() || netem.jitter.is_some() {
        write!(f, " delay {}", time_text(netem.delay.unwrap_or(0)))?;
    }
    next(f, netem.jitter.map(time_text))?;
    next(f, netem.delay_correlation.map(percent_text))?;
    let table = netem.distribution.filter(|table| *table != Distribution::Uniform);
    option(f, "distribution", table)?;
    option(f, "loss", netem.loss)?;
    option(f, "duplicate", netem.duplicate)?;
    option(f, "corrupt", netem.corrupt)?;
    option(f, "reorder", netem.reorder.map(|reorder| reorder.chance))?;
    option(f, "gap", netem.reorder.map(|reorder| reorder.gap))?;
    option(f, "rate", netem.rate.map(rate_text))
}

impl Display for Chance {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&percent_text(self.percent))?;
        next(f, (self.correlation > 0.0).then(|| percent_text(self.correlation)))
    }
}

fn tbf(f: &mut Formatter<'_>, tbf: &Tbf) -> fmt::Result {
    f.write_str("tbf")?;
    option(f, "rate", tbf.rate.map(rate_text))?;
    option(f, "burst", tbf.burst.map(|burst| format!("{burst}b")))?;
    match tbf.backlog {
        Some(Backlog::Limit(limit)) => write!(f, " limit {limit}b")?,
        Some(Backlog::Latency(latency)) => write!(f, " latency {}", time_text(latency))?,
        None => {}
    }
    option(f, "peakrate", tbf.peak.map(|(rate, _)| rate_text(rate)))?;
    option(f, "minburst", tbf.peak.map(|(_, mtu)| format!("{mtu}b")))
}

/// `vid 100 pvid untagged`, or a range `vid 100-200`.
impl Display for Vlan {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "vid {}", self.first)?;
        if self.last != self.first {
            write!(f, "-{}", self.last)?;
        }
        f.write_str(if self.pvid { " pvid" } else { "" })?;
        f.write_str(if self.untagged { " untagged" } else { "" })
    }
}
