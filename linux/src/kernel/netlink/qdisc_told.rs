//! What the kernel tells of a queueing discipline, and what can be put back of that.
//!
//! Where a discipline of others' is to be lost, netwright has to know every option that the kernel
//! tells of it: a kind or an option that isn't in these tables is one that can't be put back.

use netlink_packet_route::tc::TcHandle;

use super::attributes::{Nest, find, read, text, u32_of};
use super::qdisc_message::{
    HEADER_LENGTH, INGRESS, NETEM_LENGTH, TCA_KIND, TCA_NETEM_JITTER64, TCA_NETEM_LATENCY64,
    TCA_NETEM_RATE, TCA_OPTIONS, TCA_TBF_PARMS, TCA_TBF_PRATE64, TCA_TBF_RATE64,
};
use super::socket::Body;
use crate::change::{Discipline, Netem, Qdisc};

/// linux/rtnetlink.h
const TCA_STATS: u16 = 3;
const TCA_XSTATS: u16 = 4;
const TCA_STATS2: u16 = 7;
const TCA_STAB: u16 = 8;
const TCA_PAD: u16 = 9;
const TCA_HW_OFFLOAD: u16 = 12;
/// linux/gen_stats.h
const TCA_STATS_RATE_EST: u16 = 2;
const TCA_STATS_RATE_EST64: u16 = 5;
/// linux/pkt_sched.h: what a generator of random numbers began with is no setting
const TCA_NETEM_PAD: u16 = 9;
const TCA_NETEM_PRNG_SEED: u16 = 14;
const TCA_TBF_PAD: u16 = 8;
/// struct tc_sfq_qopt_v1 without its counters
const SFQ_OPTIONS: usize = 48;
const TCA_HTB_INIT: u16 = 2;
/// struct tc_htb_glob: its version is told with the kernel's own revision (HTB_VER), its last word
/// counts packets
const HTB_VERSION: u32 = 3;
const HTB_COUNTER: usize = 16;

/// What a kind's options look like.
enum Form {
    /// it has none
    Nothing,
    /// a struct, to this length
    Bytes(usize),
    /// attributes, all of which the kernel takes as it tells them
    Attributes(&'static [u16]),
}

/// The kinds beside netem and tbf that can be put back, by what linux/pkt_sched.h says of them.
const FORMS: &[(&str, Form)] = &[
    ("pfifo", Form::Bytes(4)),
    ("bfifo", Form::Bytes(4)),
    ("pfifo_head_drop", Form::Bytes(4)),
    ("pfifo_fast", Form::Bytes(20)),
    ("prio", Form::Bytes(20)),
    ("multiq", Form::Bytes(4)),
    ("hfsc", Form::Bytes(2)),
    ("sfq", Form::Bytes(72)),
    ("mq", Form::Nothing),
    ("drr", Form::Nothing),
    ("qfq", Form::Nothing),
    ("noqueue", Form::Nothing),
    ("htb", Form::Attributes(&[TCA_HTB_INIT, 5])),
    ("codel", Form::Attributes(&[1, 2, 3, 4, 5])),
    ("fq_codel", Form::Attributes(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])),
    ("fq", Form::Attributes(&[1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18])),
    ("cake", Form::Attributes(&[2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18])),
];

/// The attributes of codel and fq_codel that are times: both have the same numbers for two of them.
fn times(kind: &str) -> &'static [u16] {
    match kind {
        "codel" => &[1, 3, 5],
        "fq_codel" => &[1, 3, 7],
        _ => &[],
    }
}

/// One part of a dump of disciplines.
pub(super) struct Told<'a> {
    pub(super) index: u32,
    pub(super) handle: u32,
    pub(super) parent: u32,
    attributes: &'a [u8],
}

impl<'a> Told<'a> {
    pub(super) fn of(body: &'a Body) -> Option<Self> {
        let word = |at: usize| body.1.get(at..at + 4).and_then(u32_of);
        let attributes = body.1.get(HEADER_LENGTH..)?;
        Some(Self { index: word(4)?, handle: word(8)?, parent: word(12)?, attributes })
    }

    pub(super) fn kind(&self) -> String {
        find(self.attributes, TCA_KIND).map(text).unwrap_or_default()
    }

    pub(super) fn is_root(&self) -> bool {
        self.parent == u32::from(TcHandle::ROOT)
    }

    pub(super) fn is_below_root(&self) -> bool {
        !self.is_root() && !self.is_ingress()
    }

    pub(super) fn is_ingress(&self) -> bool {
        self.parent == INGRESS
    }

    /// Whether somebody put it there: what the kernel makes by itself has no number.
    pub(super) fn is_put(&self) -> bool {
        self.handle >> 16 != 0
    }

    /// Why it can't be put back by itself, whatever hangs on it.
    pub(super) fn irreparable(&self, qdisc: &Qdisc) -> Option<String> {
        let known = [TCA_KIND, TCA_OPTIONS, TCA_STATS, TCA_XSTATS, TCA_STATS2, TCA_PAD];
        let other = read(self.attributes).map(|(kind, _)| kind);
        if let Some(other) =
            other.filter(|kind| *kind != TCA_HW_OFFLOAD).find(|kind| !known.contains(kind))
        {
            return Some(match other {
                TCA_STAB => "it has a size table (`stab`)".to_owned(),
                other => format!("it has an attribute that netwright doesn't know ({other})"),
            });
        }
        let counted = find(self.attributes, TCA_STATS2).unwrap_or_default();
        if [TCA_STATS_RATE_EST, TCA_STATS_RATE_EST64]
            .iter()
            .any(|one| find(counted, *one).is_some())
        {
            return Some("it has an `estimator`".to_owned());
        }
        let options = find(self.attributes, TCA_OPTIONS).unwrap_or_default();
        let sent = super::qdisc_message::options_of(&qdisc.discipline).unwrap_or_default();
        match &qdisc.discipline {
            Discipline::Netem(_) => unlike_netem(options, &sent),
            Discipline::Tbf(_) => unlike_tbf(options, &sent),
            Discipline::Other { kind, .. } => unknown_options(kind, options),
        }
    }
}

/// Why the table of a netem's jitter can't be put back, where nobody here knows it.
pub(super) fn unknown_table(discipline: &Discipline) -> Option<String> {
    let Discipline::Netem(Netem { jitter, distribution: None, .. }) = discipline else {
        return None;
    };
    let varies = jitter.is_some_and(|jitter| jitter > 0);
    varies.then(|| "the kernel tells nobody the `distribution` of its jitter".to_owned())
}

fn unknown_option(kind: u16) -> String {
    format!("it has an option that netwright can't write (attribute {kind})")
}

/// Whether netem has more than what would be sent for what is known of it.
fn unlike_netem(told: &[u8], sent: &[u8]) -> Option<String> {
    let (head, rest) = (told.get(..NETEM_LENGTH), told.get(NETEM_LENGTH..).unwrap_or_default());
    let sent_rest = sent.get(NETEM_LENGTH..).unwrap_or_default();
    if head != sent.get(..NETEM_LENGTH) {
        return Some("it has a `gap` without `reorder`".to_owned());
    }
    let counted = [TCA_NETEM_PAD, TCA_NETEM_PRNG_SEED];
    for (kind, value) in read(rest).filter(|(kind, _)| !counted.contains(kind)) {
        if find(sent_rest, kind) == Some(value) {
            continue;
        }
        // Of a netem without a rate, too, for what a packet's size is taken for.
        return Some(match kind {
            TCA_NETEM_RATE => "its `rate` has overheads or cells".to_owned(),
            5 => "it has a model of loss (`loss state` or `loss gemodel`)".to_owned(),
            7 => "it has `ecn`".to_owned(),
            12 => "it has a `slot`".to_owned(),
            TCA_NETEM_LATENCY64 | TCA_NETEM_JITTER64 => "it has a negative delay".to_owned(),
            other => unknown_option(other),
        });
    }
    None
}

fn unlike_tbf(told: &[u8], sent: &[u8]) -> Option<String> {
    let known = [TCA_TBF_PARMS, TCA_TBF_RATE64, TCA_TBF_PRATE64, TCA_TBF_PAD];
    if let Some((other, _)) = read(told).find(|(kind, _)| !known.contains(kind)) {
        return Some(unknown_option(other));
    }
    // struct tc_ratespec: of a link layer, with an overhead and the least size of a packet
    let layer = |all: &[u8], at: usize| -> Option<(bool, Vec<u8>)> {
        let part = all.get(at..at + 12)?;
        Some((matches!(part[1] & 0x0f, 0 | 1), part[2..8].to_vec()))
    };
    let (Some(told), Some(sent)) = (find(told, TCA_TBF_PARMS), find(sent, TCA_TBF_PARMS)) else {
        return Some("the kernel tells no parameters of it".to_owned());
    };
    let alike = [0, 12].iter().all(|at| layer(told, *at) == layer(sent, *at));
    (!alike).then(|| "its `overhead`, `mpu` or `linklayer` is no Ethernet's".to_owned())
}

fn unknown_options(kind: &str, told: &[u8]) -> Option<String> {
    let Some((_, form)) = FORMS.iter().find(|(known, _)| *known == kind) else {
        return Some("netwright doesn't know the options of this kind".to_owned());
    };
    let odd = match form {
        Form::Nothing => !told.is_empty(),
        Form::Bytes(length) => told.len() != *length,
        Form::Attributes(known) => {
            let other = read(told).find(|(kind, _)| *kind != 0 && !known.contains(kind));
            return other.map(|(other, _)| unknown_option(other));
        }
    };
    odd.then(|| "its options are not of the form that netwright knows".to_owned())
}

/// What makes the kernel tell the same options again.
pub(super) fn written(kind: &str, told: &[u8]) -> Vec<u8> {
    if kind == "sfq" {
        return sfq_written(told);
    }
    if !matches!(kind, "htb" | "codel" | "fq_codel") {
        return told.to_vec();
    }
    let mut all = Nest::new();
    for (attribute, value) in read(told) {
        if kind == "htb" && attribute == TCA_HTB_INIT && value.len() > HTB_COUNTER {
            let version = HTB_VERSION.to_ne_bytes();
            all.put(attribute, [&version[..], &value[4..HTB_COUNTER], &[0; 4]].concat());
        } else if let (true, Some(time)) = (times(kind).contains(&attribute), u32_of(value)) {
            all.put_u32(attribute, codel_time(time));
        } else {
            all.put(attribute, value);
        }
    }
    all.bytes()
}

/// struct tc_sfq_qopt: a limit that is given bounds the flows as well, so that where there are more,
/// none was given (sfq_change).
fn sfq_written(told: &[u8]) -> Vec<u8> {
    const LIMIT: usize = 8;
    const FLOWS: usize = 16;
    let word = |at: usize| told.get(at..at + 4).and_then(u32_of).unwrap_or(0);
    let mut written = told.to_vec();
    if word(FLOWS) > word(LIMIT)
        && let Some(limit) = written.get_mut(LIMIT..LIMIT + 4)
    {
        limit.fill(0);
    }
    written
}

/// Microseconds that the kernel tells again as these: it keeps 1024 nanoseconds for each, and rounds
/// down both ways (include/net/codel.h).
fn codel_time(told: u32) -> u32 {
    let kept = (u64::from(told) * 1000).div_ceil(1024);
    u32::try_from((kept * 1024).div_ceil(1000)).unwrap_or(told)
}

/// Whether two disciplines were told alike, but for what counts packets.
pub(super) fn alike(now: &Discipline, before: &Discipline) -> bool {
    let (
        Discipline::Other { kind, options: Some(now) },
        Discipline::Other { kind: old, options: Some(before) },
    ) = (now, before)
    else {
        return now == before;
    };
    kind == old && settled(kind, now) == settled(kind, before)
}

/// Options without counters.
pub fn settled(kind: &str, told: &[u8]) -> Vec<u8> {
    match kind {
        "sfq" => told.get(..SFQ_OPTIONS).unwrap_or(told).to_vec(),
        "htb" => written(kind, told),
        _ => told.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::codel_time;

    /// As net/sched/sch_fq_codel.c and include/net/codel.h have it.
    fn told_for(sent: u32) -> u32 {
        let kept = (u64::from(sent) * 1000) >> 10;
        ((kept << 10) / 1000) as u32
    }

    #[test]
    fn a_time_of_codel_is_told_again_as_it_was() {
        for sent in (1..50_000).chain([100_000, 1_000_000, 4_000_000]) {
            let told = told_for(sent);
            assert_eq!(told_for(codel_time(told)), told, "{sent}");
        }
    }
}
