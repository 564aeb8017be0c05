//! Queueing disciplines as messages of rtnetlink, both ways: linux/pkt_sched.h.
//!
//! Rate tables are not sent: a link layer that is named makes the kernel compute for itself
//! (psched_ratecfg_precompute, net/sched/sch_generic.c). Times of netem go in nanoseconds
//! (TCA_NETEM_LATENCY64, Linux 4.15), those of tbf as bytes (TCA_TBF_BURST, Linux 3.14).

use netlink_packet_core::DefaultNla;
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::tc::{TcAttribute, TcHandle, TcMessage};

use super::attributes::{Nest, find, text, u32_of, u64_of};
use super::qdisc_told::written;
use super::socket::{Body, Request};
use crate::change::{Backlog, Chance, Discipline, Distribution, Netem, Qdisc, Reorder, Tbf};

/// linux/rtnetlink.h
pub(super) const TCA_KIND: u16 = 1;
pub(super) const TCA_OPTIONS: u16 = 2;
/// TC_H_INGRESS, the place of ingress and clsact
pub(super) const INGRESS: u32 = 0xffff_fff1;
pub(super) const HEADER_LENGTH: usize = 20;

/// linux/pkt_sched.h
const TC_LINKLAYER_ETHERNET: u8 = 1;
const TCA_NETEM_CORR: u16 = 1;
const TCA_NETEM_DELAY_DIST: u16 = 2;
const TCA_NETEM_REORDER: u16 = 3;
const TCA_NETEM_CORRUPT: u16 = 4;
pub(super) const TCA_NETEM_RATE: u16 = 6;
const TCA_NETEM_RATE64: u16 = 8;
pub(super) const TCA_NETEM_LATENCY64: u16 = 10;
pub(super) const TCA_NETEM_JITTER64: u16 = 11;
/// struct tc_netem_qopt
pub(super) const NETEM_LENGTH: usize = 24;
pub(super) const TCA_TBF_PARMS: u16 = 1;
pub(super) const TCA_TBF_RATE64: u16 = 4;
pub(super) const TCA_TBF_PRATE64: u16 = 5;
const TCA_TBF_BURST: u16 = 6;
const TCA_TBF_PBURST: u16 = 7;

/// What the kernel takes where nothing is said, as tc(8) does.
const NETEM_LIMIT: u32 = 1000;
const SECOND: u64 = 1_000_000_000;
/// One tick of the kernel's clock for tbf, in nanoseconds (PSCHED_SHIFT, net/pkt_sched.h).
const TICK: u64 = 64;

fn message(index: u32, handle: Option<u16>) -> TcMessage {
    let mut message = TcMessage::default();
    message.header.index = index.cast_signed();
    message.header.parent = TcHandle::ROOT;
    message.header.handle = TcHandle { major: handle.unwrap_or(0), minor: 0 };
    message
}

/// The root discipline of a link, with NLM_F_ flags that say what becomes of the present one.
pub(super) fn put(index: u32, qdisc: &Qdisc, flags: u16) -> Request {
    let mut message = message(index, qdisc.handle);
    message.attributes.push(TcAttribute::Kind(qdisc.discipline.kind().to_owned()));
    if let Some(options) = options_of(&qdisc.discipline) {
        message.attributes.push(TcAttribute::Other(DefaultNla::new(TCA_OPTIONS, options)));
    }
    Request { message: RouteNetlinkMessage::NewQueueDiscipline(message), flags }
}

/// What is sent for a discipline.
pub(super) fn options_of(discipline: &Discipline) -> Option<Vec<u8>> {
    match discipline {
        Discipline::Netem(netem) => Some(netem_options(netem)),
        Discipline::Tbf(tbf) => Some(tbf_options(tbf)),
        Discipline::Other { kind, options: Some(told) } => Some(written(kind, told)),
        Discipline::Other { kind, options: None } => usual_options(kind),
    }
}

/// What tc(8) sends for kinds that the kernel makes only with options, where it is told none.
fn usual_options(kind: &str) -> Option<Vec<u8>> {
    /// struct tc_htb_glob: version 3, ten quanta a rate, and no class for what none is found for
    const HTB: [u32; 5] = [3, 10, 0, 0, 0];
    const TCA_HTB_INIT: u16 = 2;
    /// struct tc_prio_qopt: three bands, and the band of each priority
    const BANDS: u32 = 3;
    const PRIORITIES: [u8; 16] = [1, 2, 2, 2, 1, 2, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1];
    match kind {
        "htb" => {
            let mut all = Nest::new();
            all.put(TCA_HTB_INIT, words(HTB));
            Some(all.bytes())
        }
        "prio" => Some([words([BANDS]), PRIORITIES.to_vec()].concat()),
        // struct tc_hfsc_qopt: no default class; struct tc_multiq_qopt: as many as the link has.
        "hfsc" => Some(vec![0; 2]),
        "multiq" => Some(vec![0; 4]),
        _ => None,
    }
}

/// A kind alone, which netem and tbf refuse with EINVAL before anything is made.
pub(super) fn bare(index: u32, kind: &str, flags: u16) -> Request {
    // With a number of its own, so that none is used up of those that the kernel chooses.
    let mut message = message(index, Some(0x7fff));
    message.attributes.push(TcAttribute::Kind(kind.to_owned()));
    Request { message: RouteNetlinkMessage::NewQueueDiscipline(message), flags }
}

pub(super) fn delete(index: u32) -> Request {
    Request { message: RouteNetlinkMessage::DelQueueDiscipline(message(index, None)), flags: 0 }
}

/// All disciplines of a namespace: the kernel answers for no single link that has its own choice.
pub(super) fn dump() -> RouteNetlinkMessage {
    RouteNetlinkMessage::GetQueueDiscipline(TcMessage::default())
}

/// The classes of a link's disciplines.
pub(super) fn dump_classes(index: u32) -> RouteNetlinkMessage {
    let mut message = TcMessage::default();
    message.header.index = index.cast_signed();
    RouteNetlinkMessage::GetTrafficClass(message)
}

/// Whether a part of a dump is a class that somebody made: that of `hfsc` itself, which has its
/// number, comes with it (net/sched/sch_hfsc.c hfsc_init_qdisc).
pub(super) fn is_made_class(body: &Body) -> bool {
    let handle = body.1.get(8..12).and_then(u32_of);
    handle.is_some_and(|handle| handle & 0xffff != 0)
}

/// The root discipline of one link, if that is what this part of a dump is about.
pub(super) fn read_root(body: &Body, index: u32) -> Option<Qdisc> {
    let word = |at: usize| body.1.get(at..at + 4).and_then(u32_of);
    if word(4)? != index || word(12)? != u32::from(TcHandle::ROOT) {
        return None;
    }
    let attributes = body.1.get(HEADER_LENGTH..)?;
    let kind = text(find(attributes, TCA_KIND)?);
    let options = find(attributes, TCA_OPTIONS);
    let discipline = match (kind.as_str(), options) {
        ("netem", Some(options)) => Discipline::Netem(read_netem(options)?),
        ("tbf", Some(options)) => Discipline::Tbf(read_tbf(options)?),
        _ => Discipline::Other { kind, options: options.map(<[u8]>::to_vec) },
    };
    let major = (word(8)? >> 16) as u16;
    Some(Qdisc { handle: (major != 0).then_some(major), discipline })
}

/// 0 to 100 as 0 to 2^32-1.
fn scaled(percent: f64) -> u32 {
    (percent / 100.0 * f64::from(u32::MAX)).round() as u32
}

fn percent(scaled: u32) -> f64 {
    f64::from(scaled) / f64::from(u32::MAX) * 100.0
}

fn words<const N: usize>(all: [u32; N]) -> Vec<u8> {
    all.iter().flat_map(|word| word.to_ne_bytes()).collect()
}

/// A chance and its correlation, both scaled.
fn pair(chance: Option<Chance>) -> (u32, u32) {
    chance.map_or((0, 0), |one| (scaled(one.percent), scaled(one.correlation)))
}

/// All of it, so that nothing of a former setting is left but for a table of a distribution.
fn netem_options(netem: &Netem) -> Vec<u8> {
    let (delay, jitter) = (netem.delay.unwrap_or(0), netem.jitter.unwrap_or(0));
    let (loss, duplicate) = (pair(netem.loss), pair(netem.duplicate));
    let gap = netem.reorder.map_or(0, |reorder| reorder.gap);
    // In whole ticks of 64 ns; what counts are the two in nanoseconds.
    let ticks = |time: u64| u32::try_from(time / TICK).unwrap_or(u32::MAX);
    let limit = netem.limit.unwrap_or(NETEM_LIMIT);
    let mut bytes = words([ticks(delay), limit, loss.0, gap, duplicate.0, ticks(jitter)]);
    let mut more = Nest::new();
    let correlation = scaled(netem.delay_correlation.unwrap_or(0.0));
    more.put(TCA_NETEM_CORR, words([correlation, loss.1, duplicate.1]));
    let reorder = pair(netem.reorder.map(|reorder| reorder.chance));
    more.put(TCA_NETEM_REORDER, words([reorder.0, reorder.1]));
    let corrupt = pair(netem.corrupt);
    more.put(TCA_NETEM_CORRUPT, words([corrupt.0, corrupt.1]));
    let rate = netem.rate.unwrap_or(0) / 8;
    let small = u32::try_from(rate);
    if small.is_err() {
        more.put(TCA_NETEM_RATE64, rate.to_ne_bytes());
    }
    more.put(TCA_NETEM_RATE, words([small.unwrap_or(u32::MAX), 0, 0, 0]));
    more.put(TCA_NETEM_LATENCY64, delay.to_ne_bytes());
    more.put(TCA_NETEM_JITTER64, jitter.to_ne_bytes());
    if let Some(table) = netem.distribution.and_then(super::distribution::table) {
        let table: Vec<u8> = table.iter().flat_map(|entry| entry.to_ne_bytes()).collect();
        more.put(TCA_NETEM_DELAY_DIST, table);
    }
    bytes.extend(more.bytes());
    bytes
}

fn read_netem(options: &[u8]) -> Option<Netem> {
    let word = |at: usize| options.get(at * 4..at * 4 + 4).and_then(u32_of);
    let attributes = options.get(NETEM_LENGTH..)?;
    let inner = |kind: u16, at: usize| {
        let value = find(attributes, kind)?;
        u32_of(value.get(at * 4..)?)
    };
    let chance = |scaled: u32, correlation: Option<u32>| {
        let correlation = percent(correlation.unwrap_or(0));
        (scaled != 0).then(|| Chance { percent: percent(scaled), correlation })
    };
    let time = |kind: u16, ticks: usize| {
        let exact = find(attributes, kind).and_then(u64_of);
        exact.or_else(|| Some(u64::from(word(ticks)?) * TICK)).filter(|time| *time != 0)
    };
    let rate = inner(TCA_NETEM_RATE, 0).map(u64::from);
    let rate = find(attributes, TCA_NETEM_RATE64).and_then(u64_of).or(rate);
    let reorder = chance(inner(TCA_NETEM_REORDER, 0).unwrap_or(0), inner(TCA_NETEM_REORDER, 1));
    let corrupt = inner(TCA_NETEM_CORRUPT, 0).unwrap_or(0);
    Some(Netem {
        delay: time(TCA_NETEM_LATENCY64, 0),
        jitter: time(TCA_NETEM_JITTER64, 5),
        delay_correlation: inner(TCA_NETEM_CORR, 0).filter(|one| *one != 0).map(percent),
        // The kernel keeps a table to itself.
        distribution: None,
        loss: chance(word(2)?, inner(TCA_NETEM_CORR, 1)),
        duplicate: chance(word(4)?, inner(TCA_NETEM_CORR, 2)),
        corrupt: chance(corrupt, inner(TCA_NETEM_CORRUPT, 1)),
        reorder: reorder.zip(word(3)).map(|(chance, gap)| Reorder { chance, gap }),
        rate: rate.filter(|rate| *rate != 0).map(bits),
        limit: word(1),
    })
}

/// The kernel takes any number of bytes a second.
fn bits(bytes: u64) -> u64 {
    bytes.saturating_mul(8)
}

/// struct tc_ratespec for bytes a second.
fn ratespec(rate: u64) -> Vec<u8> {
    let mut bytes = vec![0, TC_LINKLAYER_ETHERNET, 0, 0, 0, 0, 0, 0];
    bytes.extend(u32::try_from(rate).unwrap_or(u32::MAX).to_ne_bytes());
    bytes
}

/// The bytes that pass at a rate within a time.
fn bytes_in(rate: u64, time: u64) -> u64 {
    let bytes = u128::from(rate) * u128::from(time) / u128::from(SECOND);
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

/// The ticks that bytes take at a rate.
fn ticks_of(rate: u64, bytes: u32) -> u32 {
    let time = u128::from(bytes) * u128::from(SECOND) / u128::from(rate.max(1));
    u32::try_from(time / u128::from(TICK)).unwrap_or(u32::MAX)
}

/// How many bytes may wait: a latency is that of the slower of the two rates, tc-tbf(8).
pub(super) fn backlog_bytes(tbf: &Tbf) -> u64 {
    let rate = tbf.rate.unwrap_or(0) / 8;
    let burst = u64::from(tbf.burst.unwrap_or(0));
    match tbf.backlog {
        Some(Backlog::Limit(limit)) => u64::from(limit),
        Some(Backlog::Latency(latency)) => {
            let at_rate = bytes_in(rate, latency).saturating_add(burst);
            let at_peak = tbf
                .peak
                .map(|(peak, mtu)| bytes_in(peak / 8, latency).saturating_add(u64::from(mtu)));
            at_peak.map_or(at_rate, |at_peak| at_peak.min(at_rate))
        }
        None => 0,
    }
}

fn tbf_options(tbf: &Tbf) -> Vec<u8> {
    let (rate, burst) = (tbf.rate.unwrap_or(0) / 8, tbf.burst.unwrap_or(0));
    let (peak, mtu) = tbf.peak.map_or((0, 0), |(peak, mtu)| (peak / 8, mtu));
    let limit = u32::try_from(backlog_bytes(tbf)).unwrap_or(u32::MAX);
    let mut parameters = ratespec(rate);
    parameters.extend(if peak == 0 { vec![0; 12] } else { ratespec(peak) });
    let mtu_ticks = if peak == 0 { 0 } else { ticks_of(peak, mtu) };
    parameters.extend(words([limit, ticks_of(rate, burst), mtu_ticks]));
    let mut all = Nest::new();
    all.put(TCA_TBF_PARMS, parameters);
    all.put_u32(TCA_TBF_BURST, burst);
    if rate > u64::from(u32::MAX) {
        all.put(TCA_TBF_RATE64, rate.to_ne_bytes());
    }
    if peak > u64::from(u32::MAX) {
        all.put(TCA_TBF_PRATE64, peak.to_ne_bytes());
    }
    if peak != 0 {
        all.put_u32(TCA_TBF_PBURST, mtu);
    }
    all.bytes()
}

fn read_tbf(options: &[u8]) -> Option<Tbf> {
    let parameters = find(options, TCA_TBF_PARMS)?;
    let word = |at: usize| parameters.get(at..at + 4).and_then(u32_of);
    let rate_of = |at: usize, large: u16| {
        find(options, large).and_then(u64_of).or_else(|| word(at).map(u64::from))
    };
    // Rounded up, as the ticks were rounded down.
    let bytes = |rate: u64, ticks: u32| {
        let bytes = u128::from(rate) * u128::from(ticks) * u128::from(TICK);
        u32::try_from(bytes.div_ceil(u128::from(SECOND))).unwrap_or(u32::MAX)
    };
    let rate = rate_of(8, TCA_TBF_RATE64)?;
    let peak = rate_of(20, TCA_TBF_PRATE64).filter(|peak| *peak != 0);
    Some(Tbf {
        rate: Some(bits(rate)),
        burst: Some(bytes(rate, word(28)?)),
        backlog: Some(Backlog::Limit(word(24)?)),
        peak: peak.zip(word(32)).map(|(peak, ticks)| (bits(peak), bytes(peak, ticks))),
    })
}

/// Whether a distribution needs a table, which only a new discipline can be without again.
pub(super) fn has_table(discipline: &Discipline) -> bool {
    match discipline {
        Discipline::Netem(netem) => {
            netem.distribution.is_some_and(|one| one != Distribution::Uniform)
        }
        Discipline::Tbf(_) | Discipline::Other { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Body, HEADER_LENGTH, TCA_OPTIONS, put, read_root};
    use crate::change::{Backlog, Chance, Discipline, Netem, Qdisc, Reorder, Tbf};
    use netlink_packet_core::NetlinkSerializable;

    /// What is sent, as it would come back.
    fn back(discipline: Discipline) -> Discipline {
        let qdisc = Qdisc { handle: Some(0x8001), discipline };
        let request = put(7, &qdisc, 0);
        let mut body = vec![0; request.message.buffer_len()];
        request.message.serialize(&mut body);
        assert!(super::find(&body[HEADER_LENGTH..], TCA_OPTIONS).is_some());
        let body: Body = (0, body);
        assert_eq!(read_root(&body, 8), None);
        let read = read_root(&body, 7).expect("a root discipline");
        assert_eq!(read.handle, Some(0x8001));
        read.discipline
    }

    #[test]
    fn netem_comes_back_as_it_was_sent() {
        let chance = |percent, correlation| Chance { percent, correlation };
        let sent = Netem {
            delay: Some(100_000_001),
            jitter: Some(5_000_000),
            delay_correlation: Some(100.0),
            distribution: None,
            loss: Some(chance(100.0, 0.0)),
            duplicate: Some(chance(100.0, 100.0)),
            corrupt: Some(chance(100.0, 0.0)),
            reorder: Some(Reorder { chance: chance(100.0, 100.0), gap: 5 }),
            rate: Some(80_000_000_000),
            limit: Some(50),
        };
        assert_eq!(back(Discipline::Netem(sent.clone())), Discipline::Netem(sent));
    }

    #[test]
    fn a_rate_beyond_all_measure_is_the_largest() {
        let mut rate = super::Nest::new();
        rate.put(super::TCA_NETEM_RATE64, u64::MAX.to_ne_bytes());
        let netem = [vec![0; super::NETEM_LENGTH], rate.bytes()].concat();
        assert_eq!(super::read_netem(&netem).and_then(|netem| netem.rate), Some(u64::MAX));
        let mut tbf = super::Nest::new();
        tbf.put(super::TCA_TBF_PARMS, [0; 36]);
        tbf.put(super::TCA_TBF_RATE64, u64::MAX.to_ne_bytes());
        tbf.put(super::TCA_TBF_PRATE64, u64::MAX.to_ne_bytes());
        let read = super::read_tbf(&tbf.bytes()).expect("all of it is there");
        assert_eq!((read.rate, read.peak), (Some(u64::MAX), Some((u64::MAX, 0))));
    }

    #[test]
    fn a_percentage_read_back_is_sent_alike() {
        for scaled in [1, 42_949_673, 429_496_730, 2_147_483_648, u32::MAX] {
            assert_eq!(super::scaled(super::percent(scaled)), scaled);
        }
    }

    #[test]
    fn tbf_comes_back_with_its_burst_in_bytes() {
        let tbf = |backlog| Tbf {
            rate: Some(1_000_000),
            burst: Some(4096),
            backlog: Some(backlog),
            peak: Some((2_000_000, 1540)),
        };
        let Discipline::Tbf(read) = back(Discipline::Tbf(tbf(Backlog::Latency(50_000_000)))) else {
            panic!("another discipline");
        };
        // 50 ms at 125000 bytes a second and the burst; at the peak's rate it were more.
        assert_eq!(read, tbf(Backlog::Limit(10_346)));
        // The kernel keeps the time that a burst takes, in ticks of 64 ns: 200 of them.
        let large =
            Tbf { rate: Some(80_000_000_000), burst: Some(128_000), ..tbf(Backlog::Limit(9)) };
        let large = Tbf { peak: None, ..large };
        assert_eq!(back(Discipline::Tbf(large.clone())), Discipline::Tbf(large));
    }
}
