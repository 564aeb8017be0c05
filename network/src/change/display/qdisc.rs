//! Queueing disciplines in tc(8)'s words, VLANs of ports in bridge(8)'s.

use std::fmt::{self, Formatter, Result};

use super::plain;
use crate::change::{
    Backlog, Chance, Discipline, Distribution, Netem, PortVlan, Qdisc, Reorder, Tbf,
};

impl fmt::Display for Qdisc {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        if let Some(handle) = self.handle {
            write!(f, "handle {handle:x}: ")?;
        }
        self.discipline.fmt(f)
    }
}

impl fmt::Display for Discipline {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Netem(netem) => netem.fmt(f),
            Self::Tbf(tbf) => tbf.fmt(f),
            Self::Other { kind, .. } => write!(f, "{}", plain(kind)),
        }
    }
}

impl fmt::Display for Netem {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str("netem")?;
        self.limit.iter().try_for_each(|limit| write!(f, " limit {limit}"))?;
        if self.delay.is_some() || self.jitter.is_some() {
            write!(f, " delay {}", Time(self.delay.unwrap_or(0)))?;
        }
        self.jitter.iter().try_for_each(|jitter| write!(f, " {}", Time(*jitter)))?;
        self.delay_correlation.iter().try_for_each(|one| write!(f, " {}", Percent(*one)))?;
        let table = self.distribution.filter(|table| *table != Distribution::Uniform);
        table.iter().try_for_each(|table| write!(f, " distribution {}", table.word()))?;
        let chances =
            [("loss", self.loss), ("duplicate", self.duplicate), ("corrupt", self.corrupt)];
        for (word, chance) in chances {
            chance.iter().try_for_each(|chance| write!(f, " {word} {chance}"))?;
        }
        if let Some(Reorder { chance, gap }) = &self.reorder {
            write!(f, " reorder {chance} gap {gap}")?;
        }
        self.rate.iter().try_for_each(|rate| write!(f, " rate {}", Rate(*rate)))
    }
}

impl fmt::Display for Chance {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{}", Percent(self.percent))?;
        if self.correlation > 0.0 { write!(f, " {}", Percent(self.correlation)) } else { Ok(()) }
    }
}

impl Distribution {
    /// As tc-netem(8) names it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Uniform => "uniform",
            Self::Normal => "normal",
            Self::Pareto => "pareto",
            Self::Paretonormal => "paretonormal",
        }
    }
}

impl fmt::Display for Tbf {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str("tbf")?;
        self.rate.iter().try_for_each(|rate| write!(f, " rate {}", Rate(*rate)))?;
        self.burst.iter().try_for_each(|burst| write!(f, " burst {burst}b"))?;
        match self.backlog {
            Some(Backlog::Limit(limit)) => write!(f, " limit {limit}b")?,
            Some(Backlog::Latency(latency)) => write!(f, " latency {}", Time(latency))?,
            None => {}
        }
        self.peak
            .iter()
            .try_for_each(|(rate, mtu)| write!(f, " peakrate {} minburst {mtu}b", Rate(*rate)))
    }
}

impl fmt::Display for PortVlan {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "vid {}", self.first)?;
        if self.last != self.first {
            write!(f, "-{}", self.last)?;
        }
        if self.pvid {
            f.write_str(" pvid")?;
        }
        if self.untagged { f.write_str(" untagged") } else { Ok(()) }
    }
}

/// Nanoseconds in the largest unit that leaves no fraction.
struct Time(u64);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self.0 {
            0 => f.write_str("0ms"),
            time if time.is_multiple_of(1_000_000_000) => write!(f, "{}s", time / 1_000_000_000),
            time if time.is_multiple_of(1_000_000) => write!(f, "{}ms", time / 1_000_000),
            time if time.is_multiple_of(1000) => write!(f, "{}us", time / 1000),
            time => write!(f, "{time}ns"),
        }
    }
}

/// Bits a second in the largest unit that leaves no fraction.
struct Rate(u64);

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self.0 {
            0 => f.write_str("0bit"),
            rate if rate.is_multiple_of(1_000_000_000) => write!(f, "{}gbit", rate / 1_000_000_000),
            rate if rate.is_multiple_of(1_000_000) => write!(f, "{}mbit", rate / 1_000_000),
            rate if rate.is_multiple_of(1000) => write!(f, "{}kbit", rate / 1000),
            rate => write!(f, "{rate}bit"),
        }
    }
}

/// With no more digits than the kernel's 32 bits can tell apart.
struct Percent(f64);

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let text = format!("{:.6}", self.0);
        write!(f, "{}%", text.trim_end_matches('0').trim_end_matches('.'))
    }
}

#[cfg(test)]
mod tests {
    use super::{Percent, Rate, Time};

    #[test]
    fn units_are_the_largest_that_leave_no_fraction() {
        let times =
            [0, 1, 1000, 1_500_000, 100_000_000, 2_000_000_000].map(|one| Time(one).to_string());
        assert_eq!(times, ["0ms", "1ns", "1us", "1500us", "100ms", "2s"]);
        let rates = [0, 1, 1000, 1_500_000, 10_000_000_000].map(|one| Rate(one).to_string());
        assert_eq!(rates, ["0bit", "1bit", "1kbit", "1500kbit", "10gbit"]);
        let percents = [0.0, 1.0, 0.1, 33.333_333_3, 100.0].map(|one| Percent(one).to_string());
        assert_eq!(percents, ["0%", "1%", "0.1%", "33.333333%", "100%"]);
    }
}
