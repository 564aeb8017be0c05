//! The options of netem (tc/q_netem.c).

use netwright_sdk::units::{percent, rate, time};
use netwright_sdk::wit::qdisc::{Chance, Distribution, Netem, Reorder};

use crate::cursor::{Cursor, Named};
use crate::keyword::{Keyword, exact, find, names, short};
use crate::tc::{another, value};
use crate::value::{choice, number_within};

#[derive(Clone, Copy)]
enum NetemOption {
    Limit,
    Delay,
    Loss,
    Duplicate,
    Corrupt,
    Reorder,
    Gap,
    Distribution,
    Rate,
    Refused,
}

/// In iproute2's order.
const OPTIONS: &[Keyword<NetemOption>] = &[
    short("limit", NetemOption::Limit),
    short("latency", NetemOption::Delay),
    short("delay", NetemOption::Delay),
    short("loss", NetemOption::Loss),
    short("drop", NetemOption::Loss),
    short("ecn", NetemOption::Refused),
    short("reorder", NetemOption::Reorder),
    short("corrupt", NetemOption::Corrupt),
    short("gap", NetemOption::Gap),
    short("duplicate", NetemOption::Duplicate),
    short("distribution", NetemOption::Distribution),
    short("slot", NetemOption::Refused),
    short("rate", NetemOption::Rate),
    exact("seed", NetemOption::Refused),
];

const TABLES: [(&str, Distribution); 4] = [
    ("uniform", Distribution::Uniform),
    ("normal", Distribution::Normal),
    ("pareto", Distribution::Pareto),
    ("paretonormal", Distribution::Paretonormal),
];

pub(crate) fn parse(cursor: &mut Cursor<'_>) -> Option<Netem> {
    let mut netem = Netem {
        delay: None,
        jitter: None,
        delay_correlation: None,
        distribution: None,
        loss: None,
        duplicate: None,
        corrupt: None,
        reorder: None,
        rate: None,
        limit: None,
    };
    let mut gap = None;
    while let Some(word) = cursor.next() {
        let Some((name, option)) = find(OPTIONS, &word.text) else {
            cursor.unknown(word, "`netem`", names(OPTIONS));
            return None;
        };
        let named = Named { word, name };
        match option {
            NetemOption::Limit => {
                netem.limit = Some(number_within(cursor, named, 1..=u64::from(u32::MAX))?);
            }
            NetemOption::Delay => {
                netem.delay = Some(value(cursor, named, time)?);
                netem.jitter = another(cursor, named, time)?;
                if netem.jitter.is_some() {
                    netem.delay_correlation = another(cursor, named, percent)?;
                }
            }
            NetemOption::Loss => {
                cursor.take("random");
                refuse_model(cursor)?;
                netem.loss = Some(chance(cursor, named)?);
            }
            NetemOption::Duplicate => netem.duplicate = Some(chance(cursor, named)?),
            NetemOption::Corrupt => netem.corrupt = Some(chance(cursor, named)?),
            NetemOption::Reorder => {
                let chance = chance(cursor, named)?;
                netem.reorder = Some(Reorder { chance, gap: 1 });
            }
            NetemOption::Gap => {
                let distance = number_within(cursor, named, 1..=u64::from(u32::MAX))?;
                gap = Some((word, distance));
            }
            NetemOption::Distribution => {
                netem.distribution = Some(choice(cursor, named, &TABLES)?);
            }
            NetemOption::Rate => {
                netem.rate = Some(value(cursor, named, rate)?);
                refuse_overhead(cursor)?;
            }
            NetemOption::Refused => {
                let help =
                    "`delay`, `loss`, `duplicate`, `corrupt`, `reorder`, `rate` and `limit` are";
                cursor.refuse_with(word, format!("`{name}` of netem is not offered here"), help);
                return None;
            }
        }
    }
    match (gap, &mut netem.reorder) {
        (Some((_, distance)), Some(reorder)) => reorder.gap = distance,
        (Some((word, _)), None) => {
            cursor.refuse(word, "`gap` needs `reorder` with its chance".to_owned());
        }
        (None, _) => {}
    }
    Some(netem)
}

/// `loss state` and `loss gemodel` have tables of their own.
fn refuse_model(cursor: &mut Cursor<'_>) -> Option<()> {
    match cursor.peek() {
        Some(word) if matches!(word.text.as_str(), "state" | "gemodel") => {
            let message = format!("`loss {}` is not offered here", word.text);
            cursor.refuse_with(word, message, "`loss PERCENT` is");
            None
        }
        Some(_) | None => Some(()),
    }
}

/// `rate RATE OVERHEAD CELLSIZE CELLOVERHEAD`.
fn refuse_overhead(cursor: &mut Cursor<'_>) -> Option<()> {
    let begins = |c: char| c.is_ascii_digit() || c == '-';
    let Some(word) = cursor.peek().filter(|word| word.text.starts_with(begins)) else {
        return Some(());
    };
    let message = "the overhead of packets behind `rate` is not offered here".to_owned();
    cursor.refuse_with(word, message, "`rate RATE` alone is");
    None
}

fn chance(cursor: &mut Cursor<'_>, named: Named<'_>) -> Option<Chance> {
    let found = value(cursor, named, percent)?;
    let correlation = another(cursor, named, percent)?.unwrap_or(0.0);
    Some(Chance { percent: found, correlation })
}
