//! Options that the host takes as name and value in ip(8)'s words.

use netwright_sdk::wit::types::Attribute;

use crate::cursor::{Cursor, Named};
use crate::keyword::{Keyword, find, names};
use crate::lex::Word;
use crate::value::{attribute, link, mac, number, refuse_choice, switch};

/// What the value of an option must be.
#[derive(Clone, Copy)]
pub(crate) enum Value {
    /// none at all
    Flag,
    /// a number between these, both allowed
    Number(u64, u64),
    Switch,
    Mac,
    Link,
    /// one of these, whatever its case
    Word(&'static [&'static str]),
}

pub(crate) const BIT: Value = Value::Number(0, 1);
pub(crate) const MIDDLE: Value = Value::Number(0, 0xffff);
pub(crate) const LARGE: Value = Value::Number(0, 0xffff_ffff);
pub(crate) const HUGE: Value = Value::Number(0, u64::MAX);

/// Reads options to the end of the command, with full names and decimal numbers.
pub(crate) fn read_options(
    cursor: &mut Cursor<'_>,
    table: &'static [Keyword<Value>],
    place: &str,
) -> Option<Vec<Attribute>> {
    let mut options = Vec::new();
    while let Some(word) = cursor.next() {
        let Some((name, value)) = find(table, &word.text) else {
            cursor.unknown(word, place, names(table));
            return None;
        };
        let read = read_value(cursor, Named { word, name }, value);
        options.extend(read.map(|value| Attribute { name: name.to_owned(), value }));
    }
    Some(options)
}

pub(crate) fn read_value(
    cursor: &mut Cursor<'_>,
    named: Named<'_>,
    value: Value,
) -> Option<String> {
    match value {
        Value::Flag => Some(String::new()),
        Value::Number(least, most) => {
            number(cursor, named, least..=most).map(|number| number.to_string())
        }
        Value::Switch => switch(cursor, named).map(|on| if on { "on" } else { "off" }.to_owned()),
        Value::Mac => {
            let word = cursor.peek().map(|word| word.text.to_ascii_lowercase());
            mac(cursor, named).and(word)
        }
        Value::Link => link(cursor, named),
        Value::Word(words) => {
            let word = cursor.value(named)?;
            let found = words.iter().find(|known| known.eq_ignore_ascii_case(&word.text));
            if found.is_none() {
                refuse_choice(cursor, word, named.name, words.iter().copied());
            }
            found.map(|known| (*known).to_owned())
        }
    }
}

/// Words of tunnels that no value follows, spelled out as iproute2 wants them (ip/link_gre.c,
/// ip/link_gre6.c, ip/link_iptnl.c, ip/link_ip6tnl.c, ip/link_vti.c, ip/iplink_geneve.c).
const TUNNEL_FLAGS: [&str; 23] = [
    "csum",
    "external",
    "icsum",
    "ignore-df",
    "innerprotoinherit",
    "iseq",
    "nocsum",
    "noicsum",
    "noignore-df",
    "noiseq",
    "nokey",
    "noocsum",
    "nooseq",
    "nopmtudisc",
    "noseq",
    "noudp6zerocsumrx",
    "noudp6zerocsumtx",
    "ocsum",
    "oseq",
    "pmtudisc",
    "seq",
    "udp6zerocsumrx",
    "udp6zerocsumtx",
];
const MORE_FLAGS: [(&str, &str); 5] = [
    ("geneve", "udpcsum"),
    ("geneve", "noudpcsum"),
    ("bareudp", "multiproto"),
    ("bareudp", "nomultiproto"),
    ("xfrm", "external"),
];
const TUNNELS: [&str; 12] = [
    "erspan",
    "geneve",
    "gre",
    "gretap",
    "ip6erspan",
    "ip6gre",
    "ip6gretap",
    "ip6tnl",
    "ipip",
    "sit",
    "vti",
    "vti6",
];

/// Words of iproute2 for links that are not taken: of which kinds, and what to write instead.
const NOT_TAKEN: [(&[&str], &[&str], &str); 5] = [
    (&["sit"], &["isatap"], "a plain `sit` with a `remote` is"),
    (
        &["sit"],
        &["6rd-prefix", "6rd-relay_prefix", "6rd-reset"],
        "a route for each site: `ip -6 route add PREFIX via ::ADDRESS dev NAME`",
    ),
    (
        &["ip6gre", "ip6gretap", "ip6tnl", "ip6erspan"],
        &["tclass", "tos", "dsfield"],
        "leave it out: the class of packets stays 0; `flowlabel` is taken",
    ),
    (
        &["gre", "gretap", "ipip", "sit", "ip6gre", "ip6gretap", "ip6tnl"],
        &["encap", "noencap", "encap-sport", "encap-dport", "encap-csum", "noencap-csum"],
        "`type vxlan` and `type geneve` carry packets in UDP",
    ),
    (&["macsec"], &["cipher"], "leave it out: it is gcm-aes-128"),
];

/// Refuses such a word, and what follows it with it.
fn refuse(cursor: &mut Cursor<'_>, kind: &str, word: &Word) -> Option<()> {
    let row = NOT_TAKEN
        .iter()
        .find(|(kinds, words, _)| kinds.contains(&kind) && words.contains(&word.text.as_str()));
    let Some((_, _, instead)) = row else { return Some(()) };
    let message = format!("`{}` of `{kind}` is not offered here", word.text);
    cursor.refuse_with(word, message, instead);
    None
}

fn is_flag(kind: &str, word: &str) -> bool {
    (TUNNELS.contains(&kind) && TUNNEL_FLAGS.contains(&word)) || MORE_FLAGS.contains(&(kind, word))
}

/// The options of a kind that only the host knows more of: name and value by turns, but for the
/// words that stand alone.
pub(crate) fn pairs(cursor: &mut Cursor<'_>, kind: &str) -> Option<Vec<Attribute>> {
    let mut options = Vec::new();
    while let Some(word) = cursor.next() {
        refuse(cursor, kind, word)?;
        if is_flag(kind, &word.text) {
            is_taken(cursor, kind, word, None)?;
            options.push(attribute(&word.text, ""));
            continue;
        }
        let Some(value) = cursor.next() else {
            let message = format!("`{}` has no value", word.text);
            let alone = TUNNELS.contains(&kind);
            let alone = if alone { ", but for words as `csum` and `external`" } else { "" };
            let help = format!("options of `{kind}` are taken as name and value by turns{alone}");
            cursor.fault(word, message, Some(help));
            return None;
        };
        is_taken(cursor, kind, word, Some(value))?;
        options.push(attribute(&word.text, &value.text));
    }
    Some(options)
}

/// Tells what the kernel would not take of an option, at its name or at its value. None where nobody
/// knows what follows.
fn is_taken(cursor: &mut Cursor<'_>, kind: &str, word: &Word, value: Option<&Word>) -> Option<()> {
    // What the host knows nothing of it refuses itself.
    if netwright_options::table(kind).is_none() {
        return Some(());
    }
    let text = value.map_or("", |value| value.text.as_str());
    let Some(fault) = netwright_options::fault(kind, &word.text, text) else { return Some(()) };
    let known = netwright_options::find(kind, &word.text, text).is_ok();
    let place = value.filter(|_| known).unwrap_or(word);
    cursor.fault(place, fault.message, fault.remedy);
    known.then_some(())
}
