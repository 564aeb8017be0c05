//! Reads what a link does to the packets that it sends (`netem`, `tbf`), and which VLANs a
//! bridge's port carries.

use netwright_sdk::Result as SdkResult;
use netwright_sdk::units;
use netwright_sdk::wit::netwright::host::qdisc::{
    Backlog, Chance, Distribution, Kind as Discipline, Netem, Qdisc, Reorder, Tbf,
};
use netwright_sdk::wit::netwright::host::vlans::Vlan;

use crate::fault::Place;
use crate::model::{Key, Topology};
use crate::read::{At, Fields, Reader};

/// The `netem` or `tbf` of a link.
pub(crate) fn qdisc(
    fields: &mut Fields<'_>,
    link: &Key,
    topology: &mut Topology,
    reader: &mut Reader,
) {
    let (netem_at, tbf_at) = (fields.get("netem"), fields.get("tbf"));
    if let (Some(_), Some(at)) = (&netem_at, &tbf_at) {
        let help = "`rate` of netem limits it, too".to_owned();
        let message = "a link has either a `netem` or a `tbf` as its root discipline";
        reader.fault_with(&at.place, message, Some(help));
        return;
    }
    let found = match (&netem_at, &tbf_at) {
        (Some(at), _) => netem(at, reader).map(|netem| (Discipline::Netem(netem), at)),
        (None, Some(at)) => tbf(at, reader).map(|tbf| (Discipline::Tbf(tbf), at)),
        (None, None) => None,
    };
    if let Some((discipline, at)) = found {
        let qdisc = Qdisc { handle: None, kind: discipline };
        topology.qdiscs.push((link.clone(), qdisc, at.place.clone()));
    }
}

/// A value with a unit.
fn unit<T>(
    fields: &mut Fields<'_>,
    key: &'static str,
    read: fn(&str) -> SdkResult<T>,
    reader: &mut Reader,
) -> Option<T> {
    let at = fields.get(key)?;
    reader.parsed(&at, |text| read(text).map_err(|error| error.to_string()))
}

/// `1%`, or with its correlation `1% 25%`.
fn chance(fields: &mut Fields<'_>, key: &'static str, reader: &mut Reader) -> Option<Chance> {
    let at = fields.get(key)?;
    reader.parsed(&at, |text| {
        let read = |word: &str| units::percent(word).map_err(|error| error.to_string());
        let (percent, correlation) = text.split_once(' ').unwrap_or((text, "0"));
        Ok(Chance { percent: read(percent)?, correlation: read(correlation.trim())? })
    })
}

const TABLES: &[(&str, Distribution)] = &[
    ("uniform", Distribution::Uniform),
    ("normal", Distribution::Normal),
    ("pareto", Distribution::Pareto),
    ("paretonormal", Distribution::Paretonormal),
];

fn netem(at: &At<'_>, reader: &mut Reader) -> Option<Netem> {
    let mut fields = reader.fields(at, "netem")?;
    let before = reader.faults.len();
    let delay = unit(&mut fields, "delay", units::time, reader);
    let jitter = unit(&mut fields, "jitter", units::time, reader);
    let delay_correlation = unit(&mut fields, "correlation", units::percent, reader);
    let distribution =
        fields.get("distribution").and_then(|at| reader.word(&at, "distribution", TABLES));
    let [loss, duplicate, corrupt, reorder] =
        ["loss", "duplicate", "corrupt", "reorder"].map(|key| chance(&mut fields, key, reader));
    let gap_at = fields.get("gap");
    let gap = gap_at.as_ref().and_then(|at| reader.number(at, 1, u32::MAX)).unwrap_or(1);
    let rate = unit(&mut fields, "rate", units::rate, reader);
    let limit = fields.get("limit").and_then(|at| reader.number(&at, 1, u32::MAX));
    let reordered = fields.get("reorder").map(|at| at.place);
    let jittered = fields.get("jitter").map(|at| at.place);
    let shaped = fields.get("distribution").map(|at| at.place);
    reader.close(fields);
    if reader.faults.len() > before {
        return None;
    }
    need(reader, reordered, delay.is_some(), "`reorder` needs a `delay` that some don't wait for");
    need(reader, jittered.clone(), delay.is_some(), "`jitter` needs a `delay` to vary");
    need(reader, shaped, jittered.is_some(), "`distribution` is of the `jitter`, which is missing");
    let gapped = gap_at.map(|at| at.place);
    need(reader, gapped, reorder.is_some(), "`gap` needs `reorder` with its chance");
    if delay_correlation.is_some() {
        need(
            reader,
            Some(at.place.step("correlation")),
            jitter.is_some(),
            "`correlation` is of the `jitter`, which is missing",
        );
    }
    let reorder = reorder.map(|chance| Reorder { chance, gap });
    Some(Netem {
        delay,
        jitter,
        delay_correlation,
        distribution,
        loss,
        duplicate,
        corrupt,
        reorder,
        rate,
        limit,
    })
}

/// A fault where something is given without what it needs.
fn need(reader: &mut Reader, given: Option<Place>, there: bool, message: &str) {
    if let Some(place) = given.filter(|_| !there) {
        reader.fault(&place, message);
    }
}

fn tbf(at: &At<'_>, reader: &mut Reader) -> Option<Tbf> {
    let mut fields = reader.fields(at, "tbf")?;
    let before = reader.faults.len();
    let rate = fields.need(reader, "rate").is_some();
    let rate = rate.then(|| unit(&mut fields, "rate", units::rate, reader)).flatten();
    let burst = fields.need(reader, "burst").is_some();
    let burst = burst.then(|| unit(&mut fields, "burst", units::size, reader)).flatten();
    let latency = unit(&mut fields, "latency", units::time, reader);
    let limit = unit(&mut fields, "limit", units::size, reader);
    let peak = unit(&mut fields, "peakrate", units::rate, reader);
    let mtu = unit(&mut fields, "mtu", units::size, reader);
    reader.close(fields);
    if reader.faults.len() > before {
        return None;
    }
    let backlog = match (latency, limit) {
        (Some(latency), None) => Some(Backlog::Latency(latency)),
        (None, Some(limit)) => Some(Backlog::Limit(limit)),
        (Some(_), Some(_)) | (None, None) => {
            reader.fault(&at.place, "tbf needs either `latency` or `limit`");
            None
        }
    };
    if peak.is_some() != mtu.is_some() {
        reader.fault(&at.place, "`peakrate` and `mtu`, the largest packet, belong together");
    }
    Some(Tbf { rate, burst, backlog, peak: peak.zip(mtu) })
}

/// The `access`, or the `trunk` and `native`, of a port; none where nothing is said.
pub(crate) fn vlans(fields: &mut Fields<'_>, reader: &mut Reader) -> Option<Vec<Vlan>> {
    let (access_at, trunk_at) = (fields.get("access"), fields.get("trunk"));
    let native_at = fields.get("native");
    if let (Some(_), Some(at)) = (&access_at, trunk_at.as_ref().or(native_at.as_ref())) {
        let message = "a port has either an `access` VLAN, or a `trunk` and a `native` one";
        reader.fault(&at.place, message);
        return None;
    }
    let own = access_at.or(native_at);
    if own.is_none() && trunk_at.is_none() {
        return None;
    }
    let mut vlans = Vec::new();
    for item in trunk_at.map(|at| reader.list(&at)).unwrap_or_default() {
        let Some((first, last)) = ids(&item, reader) else { continue };
        let overlaps = |vlan: &Vlan| vlan.first <= last && first <= vlan.last;
        if vlans.iter().any(overlaps) {
            reader.fault(&item.place, "a VLAN of it comes twice");
            continue;
        }
        vlans.push(Vlan { first, last, pvid: false, untagged: false });
    }
    if let Some((first, last)) = own.as_ref().and_then(|at| ids(at, reader)) {
        if first != last || vlans.iter().any(|vlan| (vlan.first..=vlan.last).contains(&first)) {
            let message = "it is one VLAN, and none of the `trunk`";
            reader.fault(&own.map_or_else(Place::everywhere, |at| at.place), message);
            return None;
        }
        vlans.push(Vlan { first, last, pvid: true, untagged: true });
    }
    Some(vlans)
}

/// `100`, or a range `100-200`: IEEE 802.1Q, 9.6, has 1 to 4094.
fn ids(at: &At<'_>, reader: &mut Reader) -> Option<(u16, u16)> {
    if at.value.is_number() {
        let id = reader.number(at, 1, 4094).and_then(|id| u16::try_from(id).ok())?;
        return Some((id, id));
    }
    reader.parsed(at, |text| {
        let range = text.split_once('-').and_then(|(first, last)| {
            first.trim().parse::<u16>().ok().zip(last.trim().parse::<u16>().ok())
        });
        let possible = |(first, last): &(u16, u16)| 1 <= *first && first <= last && *last <= 4094;
        range.filter(possible).ok_or_else(|| {
            format!("{} is neither a VLAN nor a range of them\n  help: 1 to 4094, as in 100 and 100-200", crate::fault::quote(text))
        })
    })
}
