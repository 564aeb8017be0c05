//! Root queueing disciplines that are not the kernel's own choice.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Facts, Found, Noun, Object, Reader, holders_of, inside, link_reference, place};
use crate::change::{
    Answer, Change, Discipline, Distribution, LinkRef, Netem, Qdisc as Held, Query, Tbf, Word,
    Write,
};
use crate::kernel::{Error, settled_options};
use crate::state::repair::{Mend, Mending, Stage};
use crate::state::{Asked, Mentions, NamespaceState, State};

/// The kernel counts those that it chooses itself from here on (qdisc_alloc_handle,
/// net/sched/sch_api.c).
const FIRST_OF_KERNEL: u16 = 0x8000;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Qdisc {
    pub namespace: String,
    pub link: String,
}

pub(in crate::state) fn mentioned(mentions: &mut Mentions, link: &LinkRef) {
    mentions.queues.insert(link.name.clone());
}

impl Qdisc {
    fn found_in<'a>(&self, state: &'a State) -> Option<&'a Held> {
        let there = state.namespace(&self.namespace)?;
        let found = put_in(there).find(|(link, _)| *link == self.link);
        found.map(|(_, qdisc)| qdisc)
    }
}

/// What the kernel gave a link has no number.
fn put_in(namespace: &NamespaceState) -> impl Iterator<Item = &(String, Held)> {
    namespace.qdiscs.iter().filter(|(_, qdisc)| qdisc.handle.is_some())
}

fn chosen(handle: Option<u16>) -> Option<u16> {
    handle.filter(|handle| *handle < FIRST_OF_KERNEL)
}

impl fmt::Display for Qdisc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "qdisc of {}", Word(&self.link))?;
        inside(f, &self.namespace)
    }
}

impl Noun for Qdisc {
    fn read(from: &Reader<'_>, into: &mut NamespaceState) -> Result<(), Error> {
        let query = Query::Qdiscs { namespace: from.namespace.clone() };
        if let Answer::Qdiscs(qdiscs) = from.ask(query)? {
            into.qdiscs = qdiscs;
        }
        Ok(())
    }

    fn find(of: &NamespaceState, _: &Asked, _: &State, found: &mut Found) {
        let namespace = place(of.name.as_ref());
        for (link, qdisc) in put_in(of) {
            let object = Self { namespace: namespace.clone(), link: link.clone() };
            found.insert(Object::Qdisc(object), facts(qdisc));
        }
    }

    fn holders(&self) -> Vec<Object> {
        holders_of(&self.namespace, &self.link)
    }

    fn untold(&self) -> Option<Facts> {
        None
    }

    fn mend(&self, mending: &Mending<'_>) -> Option<Mend> {
        let link = link_reference(&self.namespace, &self.link);
        let change = if mending.is_extra() {
            Change::RemoveQdisc { link }
        } else {
            let wanted = self.found_in(mending.wanted)?.clone();
            let qdisc = Held { handle: chosen(wanted.handle), ..wanted };
            Change::PutQdisc { link, qdisc, how: Write::Replace }
        };
        Some((Stage::Disciplines, vec![change]))
    }

    fn is_touched(&self, asked: &Asked, _: &State) -> bool {
        asked.names(|mentions| mentions.queues.contains(&self.link))
    }

    fn is_theirs(&self) -> bool {
        false
    }
}

fn facts(qdisc: &Held) -> Facts {
    let mut facts = Facts::from([("kind".to_owned(), qdisc.discipline.kind().to_owned())]);
    let handle = chosen(qdisc.handle).map(|handle| format!("{handle:x}:"));
    facts.extend(handle.map(|handle| ("handle".to_owned(), handle)));
    let options = match &qdisc.discipline {
        Discipline::Netem(netem) => of_netem(netem),
        Discipline::Tbf(tbf) => of_tbf(tbf),
        Discipline::Other { kind, options } => of_other(kind, options.as_deref()),
    };
    facts.extend(options.into_iter().map(|(name, value)| (name.to_owned(), value)));
    facts
}

type Told = Vec<(&'static str, String)>;

/// Each option as a discipline of this one alone is shown.
fn of_netem(netem: &Netem) -> Told {
    // It is what the kernel does without a table.
    let table = netem.distribution.filter(|table| *table != Distribution::Uniform);
    let delay = netem.delay.filter(|delay| *delay > 0);
    let jitter = netem.jitter.filter(|jitter| *jitter > 0);
    let correlation = netem.delay_correlation.filter(|one| *one > 0.0);
    let options = [
        ("limit", Netem { limit: netem.limit, ..Netem::default() }),
        ("loss", Netem { loss: netem.loss, ..Netem::default() }),
        ("duplicate", Netem { duplicate: netem.duplicate, ..Netem::default() }),
        ("corrupt", Netem { corrupt: netem.corrupt, ..Netem::default() }),
        ("reorder", Netem { reorder: netem.reorder, ..Netem::default() }),
        ("rate", Netem { rate: netem.rate, ..Netem::default() }),
        ("delay", Netem { delay, jitter, delay_correlation: correlation, ..Netem::default() }),
    ];
    let mut told: Told = options
        .iter()
        .filter_map(|(name, one)| {
            let words = Discipline::Netem(one.clone()).to_string();
            let value = words.strip_prefix("netem ")?.strip_prefix(name)?;
            Some((*name, value.trim().to_owned()))
        })
        .collect();
    told.extend(table.map(|table| ("distribution", table.word().to_owned())));
    told
}

fn of_tbf(tbf: &Tbf) -> Told {
    let options = [
        ("rate", Tbf { rate: tbf.rate, ..Tbf::default() }),
        ("burst", Tbf { burst: tbf.burst, ..Tbf::default() }),
        ("peakrate", Tbf { peak: tbf.peak, ..Tbf::default() }),
        ("limit", Tbf { backlog: tbf.backlog, ..Tbf::default() }),
    ];
    let told = options.iter().filter_map(|(name, one)| {
        let words = Discipline::Tbf(one.clone()).to_string();
        let value = words.strip_prefix("tbf ")?;
        Some((*name, value.strip_prefix(name).unwrap_or(value).trim().to_owned()))
    });
    told.collect()
}

/// In the kernel's own form, for most kinds have more options than tc(8)'s words are known for here.
fn of_other(kind: &str, options: Option<&[u8]>) -> Told {
    let Some(options) = options else { return Vec::new() };
    let settled = settled_options(kind, options);
    match (kind, <[u8; 4]>::try_from(settled.as_slice())) {
        (_, _) if settled.is_empty() => Vec::new(),
        ("pfifo" | "bfifo" | "pfifo_head_drop", Ok(limit)) => {
            vec![("limit", u32::from_ne_bytes(limit).to_string())]
        }
        (_, _) => {
            let digits = settled.iter().map(|byte| format!("{byte:02x}"));
            vec![("options", digits.collect())]
        }
    }
}
