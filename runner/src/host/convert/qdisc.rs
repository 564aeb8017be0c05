//! Queueing disciplines and VLANs of ports, both ways.

use super::{Parsed, text};
use crate::change::{
    Backlog, Chance, Discipline, Distribution, Netem, PortVlan, Qdisc, Reorder, Tbf,
};
use crate::host::bindings::netwright::host::qdisc as wit;
use crate::host::bindings::netwright::host::vlans::Vlan;
use crate::kernel::Error;

pub(in crate::host) fn qdisc(qdisc: wit::Qdisc) -> Parsed<Qdisc> {
    if qdisc.handle == Some(0) {
        let rule = "handle `0:` is the kernel's own; 1 to ffff can be chosen";
        return Err(Error::Invalid(rule.to_owned()));
    }
    let discipline = match qdisc.kind {
        wit::Kind::Netem(given) => Discipline::Netem(netem(given)),
        wit::Kind::Tbf(given) => Discipline::Tbf(tbf(given)),
        wit::Kind::Other(other) => {
            let kind = text(other.kind, "a kind's name")?;
            if let Some(option) = other.options.first() {
                return Err(Error::Invalid(format!(
                    "option `{}` of `{}` is not known; only netem and tbf take options",
                    option.name.escape_debug(),
                    kind.escape_debug()
                )));
            }
            if matches!(kind.as_str(), "netem" | "tbf") {
                return Err(Error::Invalid(format!("`{kind}` has a case of its own")));
            }
            Discipline::Other { kind, options: None }
        }
    };
    Ok(Qdisc { handle: qdisc.handle, discipline })
}

pub(in crate::host) fn qdisc_out(qdisc: Qdisc) -> wit::Qdisc {
    let discipline = match qdisc.discipline {
        Discipline::Netem(found) => wit::Kind::Netem(netem_out(&found)),
        Discipline::Tbf(found) => wit::Kind::Tbf(tbf_out(&found)),
        Discipline::Other { kind, .. } => {
            wit::Kind::Other(wit::Other { kind, options: Vec::new() })
        }
    };
    wit::Qdisc { handle: qdisc.handle, kind: discipline }
}

fn netem(given: wit::Netem) -> Netem {
    Netem {
        delay: given.delay,
        jitter: given.jitter,
        delay_correlation: given.delay_correlation,
        distribution: given.distribution.map(distribution),
        loss: given.loss.map(chance),
        duplicate: given.duplicate.map(chance),
        corrupt: given.corrupt.map(chance),
        reorder: given
            .reorder
            .map(|reorder| Reorder { chance: chance(reorder.chance), gap: reorder.gap }),
        rate: given.rate,
        limit: given.limit,
    }
}

fn netem_out(found: &Netem) -> wit::Netem {
    wit::Netem {
        delay: found.delay,
        jitter: found.jitter,
        delay_correlation: found.delay_correlation,
        distribution: found.distribution.map(distribution_out),
        loss: found.loss.map(chance_out),
        duplicate: found.duplicate.map(chance_out),
        corrupt: found.corrupt.map(chance_out),
        reorder: found
            .reorder
            .map(|reorder| wit::Reorder { chance: chance_out(reorder.chance), gap: reorder.gap }),
        rate: found.rate,
        limit: found.limit,
    }
}

fn chance(given: wit::Chance) -> Chance {
    Chance { percent: given.percent, correlation: given.correlation }
}

fn chance_out(found: Chance) -> wit::Chance {
    wit::Chance { percent: found.percent, correlation: found.correlation }
}

fn distribution(given: wit::Distribution) -> Distribution {
    match given {
        wit::Distribution::Uniform => Distribution::Uniform,
        wit::Distribution::Normal => Distribution::Normal,
        wit::Distribution::Pareto => Distribution::Pareto,
        wit::Distribution::Paretonormal => Distribution::Paretonormal,
    }
}

fn distribution_out(found: Distribution) -> wit::Distribution {
    match found {
        Distribution::Uniform => wit::Distribution::Uniform,
        Distribution::Normal => wit::Distribution::Normal,
        Distribution::Pareto => wit::Distribution::Pareto,
        Distribution::Paretonormal => wit::Distribution::Paretonormal,
    }
}

fn tbf(given: wit::Tbf) -> Tbf {
    let backlog = given.backlog.map(|backlog| match backlog {
        wit::Backlog::Limit(bytes) => Backlog::Limit(bytes),
        wit::Backlog::Latency(time) => Backlog::Latency(time),
    });
    Tbf { rate: given.rate, burst: given.burst, backlog, peak: given.peak }
}

fn tbf_out(found: &Tbf) -> wit::Tbf {
    let backlog = found.backlog.map(|backlog| match backlog {
        Backlog::Limit(bytes) => wit::Backlog::Limit(bytes),
        Backlog::Latency(time) => wit::Backlog::Latency(time),
    });
    wit::Tbf { rate: found.rate, burst: found.burst, backlog, peak: found.peak }
}

pub(in crate::host) fn vlan(vlan: Vlan) -> PortVlan {
    PortVlan { first: vlan.first, last: vlan.last, pvid: vlan.pvid, untagged: vlan.untagged }
}

pub(in crate::host) fn vlan_out(vlan: PortVlan) -> Vlan {
    Vlan { first: vlan.first, last: vlan.last, pvid: vlan.pvid, untagged: vlan.untagged }
}
