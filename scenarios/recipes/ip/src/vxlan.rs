//! `type vxlan` (ip/iplink_vxlan.c).

use netwright_sdk::wit::types::{Attribute, IpAddress};

use crate::cursor::{Cursor, Named};
use crate::inet::{Families, address, is_multicast, text_of, value_of};
use crate::keyword::{Keyword, find, names, short};
use crate::lex::Word;
use crate::names::service;
use crate::value::{attribute, choice, link, number, read_number};

#[derive(Clone, Copy)]
enum VxlanOption {
    Id,
    Group,
    Remote,
    Local,
    Device,
    /// a number up to a limit, or one of these words
    Number(u64, &'static [&'static str]),
    Service,
    Fragments,
    Ports,
    /// the name that it shares with its contrary
    Flag(&'static str),
}

const OPTIONS: &[Keyword<VxlanOption>] = &[
    short("id", VxlanOption::Id),
    short("vni", VxlanOption::Id),
    short("group", VxlanOption::Group),
    short("remote", VxlanOption::Remote),
    short("local", VxlanOption::Local),
    short("dev", VxlanOption::Device),
    short("ttl", VxlanOption::Number(255, &["inherit", "auto"])),
    short("hoplimit", VxlanOption::Number(255, &["inherit", "auto"])),
    short("tos", VxlanOption::Service),
    short("dsfield", VxlanOption::Service),
    short("df", VxlanOption::Fragments),
    short("label", VxlanOption::Number(0xf_ffff, &[])),
    short("flowlabel", VxlanOption::Number(0xf_ffff, &[])),
    short("ageing", VxlanOption::Number(0xffff_ffff, &["none"])),
    short("maxaddress", VxlanOption::Number(0xffff_ffff, &["unlimited"])),
    short("port", VxlanOption::Ports),
    short("srcport", VxlanOption::Ports),
    short("dstport", VxlanOption::Number(65535, &[])),
    short("nolearning", VxlanOption::Flag("learning")),
    short("learning", VxlanOption::Flag("learning")),
    short("noproxy", VxlanOption::Flag("proxy")),
    short("proxy", VxlanOption::Flag("proxy")),
    short("norsc", VxlanOption::Flag("rsc")),
    short("rsc", VxlanOption::Flag("rsc")),
    short("nol2miss", VxlanOption::Flag("l2miss")),
    short("l2miss", VxlanOption::Flag("l2miss")),
    short("nol3miss", VxlanOption::Flag("l3miss")),
    short("l3miss", VxlanOption::Flag("l3miss")),
    short("udpcsum", VxlanOption::Flag("udpcsum")),
    short("noudpcsum", VxlanOption::Flag("udpcsum")),
    short("udp6zerocsumtx", VxlanOption::Flag("udp6zerocsumtx")),
    short("noudp6zerocsumtx", VxlanOption::Flag("udp6zerocsumtx")),
    short("udp6zerocsumrx", VxlanOption::Flag("udp6zerocsumrx")),
    short("noudp6zerocsumrx", VxlanOption::Flag("udp6zerocsumrx")),
    short("remcsumtx", VxlanOption::Flag("remcsumtx")),
    short("noremcsumtx", VxlanOption::Flag("remcsumtx")),
    short("remcsumrx", VxlanOption::Flag("remcsumrx")),
    short("noremcsumrx", VxlanOption::Flag("remcsumrx")),
    short("external", VxlanOption::Flag("external")),
    short("noexternal", VxlanOption::Flag("external")),
    short("gbp", VxlanOption::Flag("gbp")),
    short("gpe", VxlanOption::Flag("gpe")),
    short("vnifilter", VxlanOption::Flag("vnifilter")),
    short("novnifilter", VxlanOption::Flag("vnifilter")),
];

/// The port of the Generic Protocol Extension, draft-ietf-nvo3-vxlan-gpe.
const GPE_PORT: u32 = 4790;

#[derive(Default)]
struct VxlanWords<'a> {
    options: Vec<Attribute>,
    /// what was said so far, under one name for both of each pair
    seen: Vec<(&'static str, &'a Word)>,
}

pub(crate) fn parse(cursor: &mut Cursor<'_>, kind: &Word, new: bool) -> Option<Vec<Attribute>> {
    let mut words = VxlanWords::default();
    let mut families = Families { chosen: None };
    while let Some(word) = cursor.next() {
        let Some((name, option)) = find(OPTIONS, &word.text) else {
            cursor.unknown(word, "`type vxlan`", names(OPTIONS));
            return None;
        };
        words.option(cursor, Named { word, name }, option, &mut families);
    }
    words.check(cursor, kind, new);
    Some(words.options)
}

impl<'a> VxlanWords<'a> {
    fn option(
        &mut self,
        cursor: &mut Cursor<'a>,
        named: Named<'a>,
        option: VxlanOption,
        families: &mut Families,
    ) {
        let (key, value) = match option {
            VxlanOption::Id => {
                ("id", number(cursor, named, 0..=0xff_ffff).map(|id| id.to_string()))
            }
            VxlanOption::Group => ("group", self.end(cursor, named, families, true)),
            VxlanOption::Remote => ("remote", self.end(cursor, named, families, false)),
            VxlanOption::Local => ("local", self.end(cursor, named, families, false)),
            VxlanOption::Device => ("dev", link(cursor, named)),
            VxlanOption::Number(most, words) => {
                (canonical(named.name), limited(cursor, named, most, words))
            }
            VxlanOption::Service => ("tos", service_or_inherit(cursor, named)),
            VxlanOption::Fragments => ("df", fragments(cursor, named)),
            VxlanOption::Ports => ("srcport", ports(cursor, named)),
            VxlanOption::Flag(key) => {
                self.once(cursor, key, named);
                self.options.push(attribute(named.name, ""));
                return;
            }
        };
        self.once(cursor, key, named);
        self.options.extend(value.map(|value| attribute(key, value)));
    }

    fn once(&mut self, cursor: &mut Cursor<'a>, key: &'static str, named: Named<'a>) {
        if self.word(key).is_some() {
            cursor.twice(named);
        }
        self.seen.push((key, named.word));
    }

    fn word(&self, key: &str) -> Option<&'a Word> {
        self.seen.iter().find(|(seen, _)| *seen == key).map(|(_, word)| *word)
    }

    /// An end of the tunnel. `any` is no address and says nothing.
    fn end(
        &mut self,
        cursor: &mut Cursor<'a>,
        named: Named<'a>,
        families: &mut Families,
        multicast: bool,
    ) -> Option<String> {
        let word = cursor.peek();
        let address: IpAddress = address(cursor, named, families)?;
        if value_of(&address) == 0 && !multicast {
            return None;
        }
        if is_multicast(&address) != multicast {
            let (name, shown) = (named.name, text_of(&address));
            let wanted = if multicast { "a multicast" } else { "a unicast" };
            let message = format!("`{name}` must be {wanted} address, not `{shown}`");
            cursor.refuse(word?, message);
            return None;
        }
        Some(text_of(&address))
    }

    fn check(&mut self, cursor: &mut Cursor<'a>, kind: &Word, new: bool) {
        let external = self.options.iter().any(|option| option.name == "external");
        match (external, self.word("id")) {
            (true, Some(id)) => {
                cursor.refuse(id, "`external` and `id` exclude each other".to_owned());
            }
            (false, None) if new => {
                let message = "`vxlan` needs `id`".to_owned();
                cursor.refuse_with(kind, message, "a number from 0 to 16777215");
            }
            (true, None) | (false, None | Some(_)) => {}
        }
        if let (Some(group), Some(_)) = (self.word("group"), self.word("remote")) {
            cursor.refuse(group, "`group` and `remote` exclude each other".to_owned());
        }
        if let (Some(group), None) = (self.word("group"), self.word("dev")) {
            cursor.refuse_with(group, "`group` needs `dev`".to_owned(), "the link that it is on");
        }
        if external && self.word("learning").is_none() {
            self.options.push(attribute("nolearning", ""));
        }
        if self.word("gpe").is_some() && self.word("dstport").is_none() {
            self.options.push(attribute("dstport", GPE_PORT));
        }
    }
}

fn canonical(name: &'static str) -> &'static str {
    match name {
        "hoplimit" => "ttl",
        "label" => "flowlabel",
        other => other,
    }
}

fn limited(
    cursor: &mut Cursor<'_>,
    named: Named<'_>,
    most: u64,
    words: &[&'static str],
) -> Option<String> {
    let word = cursor.peek();
    let special = words.iter().find(|known| word.is_some_and(|word| word.text == **known));
    match special {
        Some(special) => {
            cursor.next();
            Some((*special).to_owned())
        }
        None => number(cursor, named, 0..=most).map(|number| number.to_string()),
    }
}

fn service_or_inherit(cursor: &mut Cursor<'_>, named: Named<'_>) -> Option<String> {
    if cursor.take("inherit") {
        return Some("inherit".to_owned());
    }
    service(cursor, named).map(|number| number.to_string())
}

fn fragments(cursor: &mut Cursor<'_>, named: Named<'_>) -> Option<String> {
    let words = [("unset", "unset"), ("set", "set"), ("inherit", "inherit")];
    choice(cursor, named, &words).map(str::to_owned)
}

fn ports(cursor: &mut Cursor<'_>, named: Named<'_>) -> Option<String> {
    let least = number(cursor, named, 0..=65535)?;
    let Some(word) = cursor.next() else {
        cursor.refuse(named.word, "`srcport` needs two ports after it".to_owned());
        return None;
    };
    match read_number(&word.text).filter(|port| (least..=65535).contains(port)) {
        Some(most) => Some(format!("{least} {most}")),
        None => {
            let message = format!("the second port must be {least} to 65535, not `{}`", word.text);
            cursor.refuse(word, message);
            None
        }
    }
}
