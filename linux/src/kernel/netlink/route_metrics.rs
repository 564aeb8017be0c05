//! A route's metrics, RTAX_ of linux/rtnetlink.h, in ip-route(8)'s words.

use super::attributes::{self, Nest, text, u32_of};
use crate::change::Attribute;
use crate::kernel::kind::options::nearest;
use crate::text::help;

const LOCK: u16 = 1;
const FEATURES: u16 = 12;
const CONGESTION: u16 = 16;

/// How a metric is written.
#[derive(Clone, Copy)]
enum Form {
    Number,
    Switch,
    /// a time in so many parts of a millisecond; without a unit the kernel's own number
    Time(u32),
    Features,
    Text,
}

const METRICS: &[(&str, u16, Form)] = &[
    ("mtu", 2, Form::Number),
    ("window", 3, Form::Number),
    ("rtt", 4, Form::Time(8)),
    ("rttvar", 5, Form::Time(4)),
    ("ssthresh", 6, Form::Number),
    ("cwnd", 7, Form::Number),
    ("advmss", 8, Form::Number),
    ("reordering", 9, Form::Number),
    ("hoplimit", 10, Form::Number),
    ("initcwnd", 11, Form::Number),
    ("features", FEATURES, Form::Features),
    ("rto_min", 13, Form::Time(1)),
    ("initrwnd", 14, Form::Number),
    ("quickack", 15, Form::Switch),
    ("congctl", CONGESTION, Form::Text),
    ("fastopen_no_cookie", 17, Form::Switch),
];

/// RTAX_FEATURE_
const FEATURE_WORDS: &[(&str, u32)] = &[("ecn", 1), ("tcp_usec_ts", 1 << 4)];

/// Words that ip(8) has among a route's metrics and the kernel elsewhere.
pub(super) const ELSEWHERE: &[&str] = &["pref", "expires", "realms", "nhid", "ttl-propagate"];

/// RTA_METRICS, without those that go elsewhere; the error is a sentence.
pub(super) fn encode(metrics: &[Attribute]) -> Result<Nest, String> {
    let mut nest = Nest::new();
    let mut locked = 0;
    for metric in metrics.iter().filter(|metric| !ELSEWHERE.contains(&metric.name.as_str())) {
        let (name, lock) = match metric.name.strip_suffix(" lock") {
            Some(name) => (name, true),
            None => (metric.name.as_str(), false),
        };
        let known = METRICS.iter().find(|(known, ..)| *known == name);
        let (name, attribute, form) = known.ok_or_else(|| unknown(name))?;
        nest.put(*attribute, bytes(name, *form, &metric.value)?);
        // As iproute2: a least retransmission time is always meant to stay.
        if lock || *name == "rto_min" {
            locked |= 1_u32 << attribute;
        }
    }
    if locked != 0 {
        nest.put_u32(LOCK, locked);
    }
    Ok(nest)
}

fn unknown(name: &str) -> String {
    let mut names: Vec<_> = METRICS.iter().map(|(name, ..)| *name).collect();
    names.extend(ELSEWHERE);
    let help = nearest(name, &names).map(|near| help(format!("did you mean `{near}`?")));
    format!("a route has no metric `{}`{}", name.escape_debug(), help.unwrap_or_default())
}

fn bytes(name: &str, form: Form, value: &str) -> Result<Vec<u8>, String> {
    let wrong = |wanted: &str| format!("`{name}` must be {wanted}, not `{}`", value.escape_debug());
    let number = match form {
        Form::Number => value.parse().map_err(|_| wrong("a number"))?,
        Form::Switch => match value {
            "1" | "on" | "" => 1,
            "0" | "off" => 0,
            _ => return Err(wrong("1 or 0")),
        },
        Form::Time(parts) => time(value, parts).ok_or_else(|| wrong("a time, as `20ms`"))?,
        Form::Features => {
            let words = value.split([' ', ',']).filter(|word| !word.is_empty());
            let mut bits = 0;
            for word in words {
                let known = FEATURE_WORDS.iter().find(|(known, _)| *known == word);
                bits |= known.ok_or_else(|| wrong("of `ecn` and `tcp_usec_ts`"))?.1;
            }
            bits
        }
        Form::Text => {
            if value.is_empty() || value.len() > 15 {
                return Err(wrong("the name of a congestion control"));
            }
            return Ok([value.as_bytes(), &[0]].concat());
        }
    };
    Ok(number.to_ne_bytes().to_vec())
}

fn time(value: &str, parts: u32) -> Option<u32> {
    let split = value.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(value.len());
    let (digits, unit) = value.split_at(split);
    let factor = match unit {
        "" => return digits.parse().ok(),
        "ms" | "msec" | "msecs" => 1.0,
        "s" | "sec" | "secs" => 1000.0,
        _ => return None,
    };
    let milliseconds = digits.parse::<f64>().ok()? * factor;
    let counted = (milliseconds * f64::from(parts)).round();
    (counted >= 0.0 && counted <= f64::from(u32::MAX)).then_some(counted as u32)
}

/// Metrics as a route has them.
pub(super) fn read(nest: &[u8]) -> Vec<Attribute> {
    let locked = attributes::find(nest, LOCK).and_then(u32_of).unwrap_or(0);
    let mut found = Vec::new();
    for (name, attribute, form) in METRICS {
        let Some(value) = attributes::find(nest, *attribute) else { continue };
        let lock = locked & (1 << attribute) != 0 && *name != "rto_min";
        let name = if lock { format!("{name} lock") } else { (*name).to_owned() };
        if let Some(value) = word(*form, value) {
            found.push(Attribute { name, value });
        }
    }
    found
}

fn word(form: Form, value: &[u8]) -> Option<String> {
    if let Form::Text = form {
        return Some(text(value));
    }
    let number = u32_of(value)?;
    Some(match form {
        Form::Number | Form::Switch | Form::Text => number.to_string(),
        Form::Time(parts) if number % parts == 0 => format!("{}ms", number / parts),
        Form::Time(_) => number.to_string(),
        Form::Features => {
            let set = FEATURE_WORDS.iter().filter(|(_, bit)| number & bit != 0);
            set.map(|(word, _)| *word).collect::<Vec<_>>().join(" ")
        }
    })
}
