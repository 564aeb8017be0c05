//! `ip tunnel` (ip/iptunnel.c, ip/ip6tunnel.c): the links that it means, in the words of `ip link`.

use netwright_sdk::wit::types::Family;

use crate::command::{Command, Context};
use crate::cursor::{Cursor, Named};
use crate::fault::shown;
use crate::keyword::{Keyword, exact, find, names, short};
use crate::lex::Word;
use crate::link;
use crate::value;

/// Which tunnels are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TunnelFilter {
    pub six: bool,
    pub name: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verb {
    Add,
    Change,
    Delete,
    Show,
    Refused,
}

/// In iproute2's order.
const VERBS: &[Keyword<Verb>] = &[
    short("add", Verb::Add),
    short("change", Verb::Change),
    short("delete", Verb::Delete),
    short("show", Verb::Show),
    short("lst", Verb::Show),
    short("list", Verb::Show),
    short("prl", Verb::Refused),
    short("6rd", Verb::Refused),
];

pub(crate) fn parse(cursor: &mut Cursor<'_>, context: &Context) -> Option<Command> {
    let six = context.family == Some(Family::Ipv6);
    let Some(word) = cursor.next() else {
        return Some(Command::Tunnel(TunnelFilter { six, name: None }));
    };
    let Some((name, verb)) = find(VERBS, &word.text) else {
        cursor.unknown(word, "`ip tunnel`", names(VERBS));
        return None;
    };
    if verb == Verb::Refused {
        let message = format!("`ip tunnel {name}` is not offered here");
        cursor.refuse_with(word, message, "`add`, `change`, `delete` and `show` are");
        return None;
    }
    let words = read(cursor, six)?;
    if verb == Verb::Show {
        let name = match words.name {
            Some(name) => Some(value::link_word(cursor, name)?),
            None => None,
        };
        return Some(Command::Tunnel(TunnelFilter { six, name }));
    }
    let meant = in_words_of_link(cursor, Named { word, name }, verb, words, six)?;
    let (faults, before) = cursor.inner();
    let found = link::parse(&mut Cursor::new(&meant, faults, &before), context)?;
    Some(Command::Link(found))
}

fn in_words_of_link(
    cursor: &mut Cursor<'_>,
    option: Named<'_>,
    verb: Verb,
    words: TunnelWords<'_>,
    six: bool,
) -> Option<Vec<Word>> {
    let word = option.word;
    let Some(device) = words.name else {
        cursor.refuse(word, format!("`{}` needs the name of a tunnel", option.name));
        return None;
    };
    let own = if verb == Verb::Change { "set" } else { option.name };
    let mut meant = vec![named(word, own), named(word, "dev"), device.clone()];
    if verb == Verb::Delete {
        return Some(meant);
    }
    let kind = words.kind(cursor, word)?;
    let more = words.mode.map_or(&[][..], |(_, (_, more))| more);
    meant.extend([named(word, "type"), kind.clone()]);
    meant.extend(more.iter().map(|text| named(&kind, text)));
    // A new one without it takes that of what it carries, unlike a link of the same kind.
    if verb == Verb::Add && !six && !words.ttl && words.has_ttl {
        meant.extend([named(word, "ttl"), named(word, "inherit")]);
    }
    meant.extend(words.options);
    Some(meant)
}

/// A word that stands where another one was typed.
fn named(place: &Word, text: &str) -> Word {
    Word { text: text.to_owned(), ..place.clone() }
}

#[derive(Clone, Copy)]
enum Taken {
    /// one of `ip link`'s of the same name, with a value
    Value(&'static str),
    /// the same without one
    Flag(&'static str),
    /// an address; `any` is that of no station
    End(&'static str),
    Mode,
    Name,
}

/// In iproute2's order.
const OPTIONS: &[Keyword<Taken>] = &[
    exact("mode", Taken::Mode),
    exact("key", Taken::Value("key")),
    exact("ikey", Taken::Value("ikey")),
    exact("okey", Taken::Value("okey")),
    exact("seq", Taken::Flag("seq")),
    exact("iseq", Taken::Flag("iseq")),
    exact("oseq", Taken::Flag("oseq")),
    exact("csum", Taken::Flag("csum")),
    exact("icsum", Taken::Flag("icsum")),
    exact("ocsum", Taken::Flag("ocsum")),
    exact("nopmtudisc", Taken::Flag("nopmtudisc")),
    exact("pmtudisc", Taken::Flag("pmtudisc")),
    exact("remote", Taken::End("remote")),
    exact("local", Taken::End("local")),
    exact("dev", Taken::Value("dev")),
    exact("ttl", Taken::Value("ttl")),
    exact("hoplimit", Taken::Value("ttl")),
    exact("hlim", Taken::Value("ttl")),
    exact("tos", Taken::Value("tos")),
    exact("tclass", Taken::Value("tos")),
    short("dsfield", Taken::Value("tos")),
    exact("encaplimit", Taken::Value("encaplimit")),
    exact("flowlabel", Taken::Value("flowlabel")),
    exact("fwmark", Taken::Value("fwmark")),
    exact("external", Taken::Flag("external")),
    exact("name", Taken::Name),
];

/// The kind of link, and more that the mode says.
type Mode = (&'static str, &'static [&'static str]);

const MODES: &[Keyword<Mode>] = &[
    exact("ipip", ("ipip", &[])),
    exact("ip/ip", ("ipip", &[])),
    exact("gre", ("gre", &[])),
    exact("gre/ip", ("gre", &[])),
    exact("sit", ("sit", &[])),
    exact("ipv6/ip", ("sit", &[])),
    exact("vti", ("vti", &[])),
];

const MODES6: &[Keyword<Mode>] = &[
    exact("ip6ip6", ("ip6tnl", &["mode", "ip6ip6"])),
    exact("ipv6/ipv6", ("ip6tnl", &["mode", "ip6ip6"])),
    exact("ipip6", ("ip6tnl", &["mode", "ipip6"])),
    exact("ip4ip6", ("ip6tnl", &["mode", "ipip6"])),
    exact("ip/ipv6", ("ip6tnl", &["mode", "ipip6"])),
    exact("ipv4/ipv6", ("ip6tnl", &["mode", "ipip6"])),
    exact("any", ("ip6tnl", &["mode", "any"])),
    exact("any/ipv6", ("ip6tnl", &["mode", "any"])),
    exact("ip6gre", ("ip6gre", &[])),
    exact("gre/ipv6", ("ip6gre", &[])),
    exact("vti6", ("vti6", &[])),
];

#[derive(Default)]
struct TunnelWords<'a> {
    name: Option<&'a Word>,
    mode: Option<(&'a Word, Mode)>,
    options: Vec<Word>,
    ttl: bool,
    has_ttl: bool,
}

fn read<'a>(cursor: &mut Cursor<'a>, six: bool) -> Option<TunnelWords<'a>> {
    let mut words = TunnelWords { has_ttl: true, ..TunnelWords::default() };
    while let Some(word) = cursor.next() {
        let Some((name, taken)) = find(OPTIONS, &word.text) else {
            if words.name.is_some() {
                cursor.unknown(word, "`ip tunnel`", names(OPTIONS));
                return None;
            }
            words.name = Some(word);
            continue;
        };
        let option = Named { word, name };
        match taken {
            Taken::Mode => {
                let mode = cursor.value(option)?;
                words.mode = Some((mode, read_mode(cursor, mode, six)?));
            }
            Taken::Name => words.name = Some(cursor.value(option)?),
            Taken::Flag(flag) => words.options.push(named(word, flag)),
            Taken::Value(option_name) => {
                let given = cursor.value(option)?;
                words.ttl |= option_name == "ttl";
                words.options.extend([named(word, option_name), given.clone()]);
            }
            Taken::End(end) => {
                let given = cursor.value(option)?;
                if given.text != "any" {
                    words.options.extend([named(word, end), given.clone()]);
                }
            }
        }
    }
    words.has_ttl = words.mode.is_none_or(|(_, (kind, _))| kind != "vti");
    Some(words)
}

fn read_mode(cursor: &mut Cursor<'_>, word: &Word, six: bool) -> Option<Mode> {
    let (own, other) = if six { (MODES6, MODES) } else { (MODES, MODES6) };
    if let Some((_, mode)) = find(own, &word.text) {
        return Some(mode);
    }
    let typed = shown(&word.text);
    if word.text == "isatap" {
        let message = "`mode isatap` is not offered here".to_owned();
        cursor.refuse_with(word, message, "`mode sit` is");
    } else if find(other, &word.text).is_some() {
        let (family, help) =
            if six { ("IPv4", "`ip tunnel …`") } else { ("IPv6", "`ip -6 tunnel …`") };
        cursor.refuse_with(word, format!("`{typed}` is a mode of {family}"), help);
    } else {
        let message = format!("`{typed}` is not a mode of tunnels");
        let help =
            "`ipip`, `gre`, `sit`, `vti`; with `ip -6` `ip6ip6`, `ipip6`, `any`, `ip6gre`, `vti6`";
        cursor.refuse_with(word, message, help);
    }
    None
}

impl TunnelWords<'_> {
    /// The word behind `type`.
    fn kind(&self, cursor: &mut Cursor<'_>, verb: &Word) -> Option<Word> {
        let Some((word, (kind, _))) = self.mode else {
            let help = "as in `ip tunnel add NAME mode gre local ADDRESS remote ADDRESS`";
            cursor.refuse_with(verb, "`mode` is missing".to_owned(), help);
            return None;
        };
        Some(named(word, kind))
    }
}
