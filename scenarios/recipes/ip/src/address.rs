//! `ip address` (ip/ipaddress.c).

use netwright_sdk::wit::addresses::{Address, AddressFlags};
use netwright_sdk::wit::types::{IpAddress, IpPrefix, Write};

use crate::address_show::{AddressFilter, parse_filter};
use crate::command::Context;
use crate::cursor::{Cursor, Named};
use crate::inet::{
    Families, address, bits, family_of, from_v4, is_multicast, prefix, prefix_word, value_of,
};
use crate::keyword::{Keyword, begins, exact, find, names, short};
use crate::lex::Word;
use crate::names::{protocol, scope};
use crate::value::{LONGEST_NAME, device, number32};

#[derive(Debug, Clone, PartialEq)]
pub enum AddressCommand {
    Put {
        link: String,
        address: Address,
        how: Write,
    },
    Remove {
        link: String,
        prefix: IpPrefix,
        peer: Option<IpPrefix>,
        /// no length was given: the first address of the link that is this one
        any_length: bool,
    },
    Show(AddressFilter),
    Flush(AddressFilter),
}

#[derive(Clone, Copy)]
enum Verb {
    Put(Write),
    Remove,
    Show,
    Flush,
    Refused,
}

const VERBS: &[Keyword<Verb>] = &[
    short("add", Verb::Put(Write::Add)),
    short("change", Verb::Put(Write::Change)),
    exact("chg", Verb::Put(Write::Change)),
    short("replace", Verb::Put(Write::Replace)),
    short("delete", Verb::Remove),
    short("list", Verb::Show),
    short("show", Verb::Show),
    short("lst", Verb::Show),
    short("flush", Verb::Flush),
    short("save", Verb::Refused),
    short("showdump", Verb::Refused),
    short("restore", Verb::Refused),
];

pub(crate) fn parse(cursor: &mut Cursor<'_>, context: &Context) -> Option<AddressCommand> {
    let families = Families { chosen: context.family };
    let Some(word) = cursor.next() else {
        return Some(AddressCommand::Show(AddressFilter::of(context.family, context.style)));
    };
    let Some((name, verb)) = find(VERBS, &word.text) else {
        cursor.unknown(word, "`ip address`", names(VERBS));
        return None;
    };
    let verb_word = Named { word, name };
    match verb {
        Verb::Put(how) => put(cursor, verb_word, families, how),
        Verb::Remove => remove(cursor, verb_word, families),
        Verb::Show => parse_filter(cursor, families, context.style).map(AddressCommand::Show),
        Verb::Flush => {
            if cursor.peek().is_none() {
                let message = "`flush` needs to know what".to_owned();
                cursor.refuse_with(word, message, "as in `ip address flush dev DEVICE`");
            }
            parse_filter(cursor, families, context.style).map(AddressCommand::Flush)
        }
        Verb::Refused => {
            let message = format!("`ip address {name}` is not offered here");
            cursor.refuse_with(word, message, crate::foreign::FILES);
            None
        }
    }
}

#[derive(Clone, Copy)]
enum AddressOption {
    Peer,
    Broadcast,
    Anycast,
    Scope,
    Device,
    Label,
    Metric,
    ValidLifetime,
    PreferredLifetime,
    Flag(AddressFlags),
    Protocol,
    Local,
}

const OPTIONS: &[Keyword<AddressOption>] = &[
    exact("peer", AddressOption::Peer),
    exact("remote", AddressOption::Peer),
    short("broadcast", AddressOption::Broadcast),
    exact("brd", AddressOption::Broadcast),
    exact("anycast", AddressOption::Anycast),
    exact("scope", AddressOption::Scope),
    exact("dev", AddressOption::Device),
    exact("label", AddressOption::Label),
    short("metric", AddressOption::Metric),
    short("priority", AddressOption::Metric),
    short("preference", AddressOption::Metric),
    short("valid_lft", AddressOption::ValidLifetime),
    short("preferred_lft", AddressOption::PreferredLifetime),
    exact("home", AddressOption::Flag(AddressFlags::HOME)),
    exact("nodad", AddressOption::Flag(AddressFlags::NODAD)),
    exact("mngtmpaddr", AddressOption::Flag(AddressFlags::MNGTMPADDR)),
    exact("noprefixroute", AddressOption::Flag(AddressFlags::NOPREFIXROUTE)),
    exact("autojoin", AddressOption::Flag(AddressFlags::AUTOJOIN)),
    exact("optimistic", AddressOption::Flag(AddressFlags::OPTIMISTIC)),
    exact("proto", AddressOption::Protocol),
    exact("local", AddressOption::Local),
];

enum Broadcast {
    Is(IpAddress),
    /// `+`: the host bits all ones; `-`: all zeros
    Of(bool),
}

#[derive(Default)]
struct AddressWords<'a> {
    local: Option<(&'a Word, Option<IpPrefix>)>,
    peer: Option<IpPrefix>,
    broadcast: Option<(&'a Word, Option<Broadcast>)>,
    anycast: Option<IpAddress>,
    scope: Option<u8>,
    device: Option<String>,
    label: Option<&'a Word>,
    metric: Option<u32>,
    protocol: Option<u8>,
    valid: Option<(&'a Word, Option<u32>)>,
    preferred: Option<(&'a Word, Option<u32>)>,
    flags: Option<AddressFlags>,
    seen: Vec<&'static str>,
}

fn read<'a>(
    cursor: &mut Cursor<'a>,
    verb: Named<'_>,
    families: &mut Families,
) -> Option<AddressWords<'a>> {
    let mut words = AddressWords::default();
    let before = cursor.faults();
    while let Some(word) = cursor.next() {
        match find(OPTIONS, &word.text) {
            Some((name, option)) => words.option(cursor, Named { word, name }, option, families),
            None if words.local.is_none() && !begins("help", &word.text) => {
                words.local = Some((word, local(cursor, word, families)));
            }
            None => {
                cursor.unknown(word, "`ip address`", names(OPTIONS));
                return None;
            }
        }
    }
    if cursor.faults() == before {
        if words.local.is_none() {
            cursor.refuse(verb.word, format!("`{}` needs an address", verb.name));
        }
        if words.device.is_none() {
            cursor.refuse(verb.word, "`dev` is missing".to_owned());
        }
    }
    Some(words)
}

impl<'a> AddressWords<'a> {
    fn option(
        &mut self,
        cursor: &mut Cursor<'a>,
        named: Named<'a>,
        option: AddressOption,
        families: &mut Families,
    ) {
        let word = named.word;
        match option {
            AddressOption::Local => {
                self.once(cursor, named);
                if let Some(word) = cursor.value(named) {
                    self.local = Some((word, local(cursor, word, families)));
                }
            }
            AddressOption::Peer => {
                self.once(cursor, named);
                self.peer = prefix(cursor, named, families);
            }
            AddressOption::Broadcast => {
                self.once(cursor, named);
                self.broadcast = Some((word, broadcast(cursor, named, families)));
            }
            AddressOption::Anycast => {
                self.once(cursor, named);
                self.anycast = address(cursor, named, families);
            }
            AddressOption::Scope => self.scope = scope(cursor, named),
            AddressOption::Device => self.device = device(cursor, named),
            AddressOption::Label => self.label = cursor.value(named),
            AddressOption::Metric => self.metric = number32(cursor, named),
            AddressOption::Protocol => self.protocol = protocol(cursor, named),
            AddressOption::ValidLifetime => {
                self.once(cursor, named);
                self.valid = Some((word, lifetime(cursor, named)));
            }
            AddressOption::PreferredLifetime => {
                self.once(cursor, named);
                self.preferred = Some((word, lifetime(cursor, named)));
            }
            AddressOption::Flag(flag) => {
                self.flags = Some(self.flags.unwrap_or(AddressFlags::empty()) | flag);
            }
        }
    }

    fn once(&mut self, cursor: &mut Cursor<'a>, named: Named<'a>) {
        if self.seen.contains(&named.name) {
            cursor.twice(named);
        }
        self.seen.push(named.name);
    }
}

/// The address itself, which is never one of the words for any address at all.
fn local(cursor: &mut Cursor<'_>, word: &Word, families: &mut Families) -> Option<IpPrefix> {
    if ["any", "all", "default"].contains(&word.text.as_str()) {
        let message = format!("`{}` means no address of a link", word.text);
        cursor.refuse_with(word, message, "as in `10.0.0.1/24`");
        return None;
    }
    prefix_word(cursor, word, families)
}

/// Seconds; none is for ever.
fn lifetime(cursor: &mut Cursor<'_>, named: Named<'_>) -> Option<u32> {
    if cursor.take("forever") {
        return None;
    }
    number32(cursor, named).filter(|seconds| *seconds != u32::MAX)
}

fn broadcast(
    cursor: &mut Cursor<'_>,
    named: Named<'_>,
    families: &mut Families,
) -> Option<Broadcast> {
    if cursor.take("+") {
        return Some(Broadcast::Of(true));
    }
    if cursor.take("-") {
        return Some(Broadcast::Of(false));
    }
    address(cursor, named, families).map(Broadcast::Is)
}

fn put(
    cursor: &mut Cursor<'_>,
    verb: Named<'_>,
    mut families: Families,
    how: Write,
) -> Option<AddressCommand> {
    let words = read(cursor, verb, &mut families)?;
    check_lifetimes(cursor, &words);
    let label = label(cursor, &words);
    let (local_word, Some(mut local)) = words.local? else { return None };
    // The length is the network's, which on a point-to-point link is the other end's.
    let network = words.peer.unwrap_or(local);
    local.length = network.length;
    let flags = words.flags.unwrap_or(AddressFlags::empty());
    if flags & AddressFlags::AUTOJOIN == AddressFlags::AUTOJOIN && !is_multicast(&local.address) {
        cursor.refuse(local_word, "`autojoin` needs a multicast address".to_owned());
    }
    let loopback = matches!(local.address, IpAddress::Ipv4((127, ..)));
    Some(AddressCommand::Put {
        link: words.device?,
        address: Address {
            prefix: local,
            peer: words.peer,
            broadcast: words.broadcast.and_then(|found| of_network(cursor, found, &network)),
            anycast: words.anycast,
            label,
            // As iproute2 does (`default_scope`): addresses of the loopback network stay in the host.
            scope: words.scope.or(loopback.then_some(254)),
            flags,
            valid_lifetime: words.valid.and_then(|(_, seconds)| seconds),
            preferred_lifetime: words.preferred.and_then(|(_, seconds)| seconds),
            metric: words.metric,
            protocol: words.protocol,
        },
        how,
    })
}

fn check_lifetimes(cursor: &mut Cursor<'_>, words: &AddressWords<'_>) {
    if let Some((word, Some(0))) = words.valid {
        cursor.refuse(word, "`valid_lft` must not be 0".to_owned());
    }
    let preferred = words.preferred.and_then(|(_, seconds)| seconds).unwrap_or(u32::MAX);
    if let Some((word, Some(valid))) = words.valid
        && preferred > valid
    {
        let word = words.preferred.map_or(word, |(word, _)| word);
        let message = "`preferred_lft` must not be longer than `valid_lft`".to_owned();
        cursor.refuse_with(word, message, "without `preferred_lft` it is for ever");
    }
}

/// A label is the link's name, or begins with it: `eth0:1`.
fn label(cursor: &mut Cursor<'_>, words: &AddressWords<'_>) -> Option<String> {
    let word = words.label?;
    let device = words.device.as_deref()?;
    if !word.text.starts_with(device) {
        cursor.refuse(word, format!("a label must begin with the link's name, `{device}`"));
    } else if word.text.len() > LONGEST_NAME {
        cursor.refuse(word, format!("a label has at most {LONGEST_NAME} bytes"));
    }
    Some(word.text.clone())
}

/// The broadcast address that `+` or `-` stands for; a network of 31 or more bits has none.
fn of_network(
    cursor: &mut Cursor<'_>,
    (word, broadcast): (&Word, Option<Broadcast>),
    network: &IpPrefix,
) -> Option<IpAddress> {
    let ones = match broadcast? {
        Broadcast::Is(address) => return Some(address),
        Broadcast::Of(ones) => ones,
    };
    let IpAddress::Ipv4(_) = network.address else {
        cursor.refuse(word, "only IPv4 networks have a broadcast address".to_owned());
        return None;
    };
    if network.length > 30 {
        return None;
    }
    let address = u32::try_from(value_of(&network.address)).ok()?;
    let hosts = u32::MAX.checked_shr(network.length.into()).unwrap_or(0);
    let found = if ones { address | hosts } else { address & !hosts };
    Some(from_v4(found.into()))
}

fn remove(
    cursor: &mut Cursor<'_>,
    verb: Named<'_>,
    mut families: Families,
) -> Option<AddressCommand> {
    let words = read(cursor, verb, &mut families)?;
    let (word, Some(mut local)) = words.local? else { return None };
    if let Some(peer) = words.peer {
        local.length = peer.length;
    }
    let whole = local.length == bits(family_of(&local.address));
    let any_length = words.peer.is_none()
        && matches!(local.address, IpAddress::Ipv4(_))
        && whole
        && !word.text.contains('/');
    Some(AddressCommand::Remove {
        link: words.device?,
        prefix: local,
        peer: words.peer,
        any_length,
    })
}
