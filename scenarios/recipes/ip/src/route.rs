//! `ip route`: verbs, and what is checked of a whole route (ip/iproute.c).

use netwright_sdk::wit::routes::{NextHop, Route, RouteKind};
use netwright_sdk::wit::types::{Family, IpAddress, Write};

use crate::command::Context;
use crate::cursor::{Cursor, Named};
use crate::inet::{Families, address_word, family_of, value_of};
use crate::keyword::{Keyword, exact, find, names, short};
use crate::lex::Word;
use crate::route_options::{RouteWords, read};
use crate::route_show::{RouteFilter, parse_filter};

#[derive(Debug, Clone, PartialEq)]
pub enum RouteCommand {
    Put {
        route: Route,
        /// whose table it is put into
        vrf: Option<String>,
        how: Write,
    },
    Remove {
        route: Route,
        vrf: Option<String>,
        /// no kind was given: it matches any
        any_kind: bool,
    },
    Show(RouteFilter),
    Flush(RouteFilter),
    Get {
        destination: IpAddress,
        source: Option<IpAddress>,
    },
}

#[derive(Clone, Copy)]
enum Verb {
    Put(Write),
    Remove,
    Show,
    Flush,
    Get,
    Refused,
}

const VERBS: &[Keyword<Verb>] = &[
    short("add", Verb::Put(Write::Add)),
    short("change", Verb::Put(Write::Change)),
    exact("chg", Verb::Put(Write::Change)),
    short("replace", Verb::Put(Write::Replace)),
    short("prepend", Verb::Put(Write::Prepend)),
    short("append", Verb::Put(Write::Append)),
    short("test", Verb::Refused),
    short("delete", Verb::Remove),
    short("list", Verb::Show),
    short("show", Verb::Show),
    short("lst", Verb::Show),
    short("get", Verb::Get),
    short("flush", Verb::Flush),
    short("save", Verb::Refused),
    short("restore", Verb::Refused),
    short("showdump", Verb::Refused),
];

pub(crate) fn parse(cursor: &mut Cursor<'_>, context: &Context) -> Option<RouteCommand> {
    let families = Families { chosen: context.family };
    let Some(word) = cursor.next() else {
        return Some(RouteCommand::Show(RouteFilter::main(context.family)));
    };
    let Some((name, verb)) = find(VERBS, &word.text) else {
        cursor.unknown(word, "`ip route`", names(VERBS));
        return None;
    };
    let verb_word = Named { word, name };
    match verb {
        Verb::Put(how) => put(cursor, verb_word, families, how),
        Verb::Remove => remove(cursor, verb_word, families),
        Verb::Show => parse_filter(cursor, families).map(RouteCommand::Show),
        Verb::Flush => {
            if cursor.peek().is_none() {
                let message = "`flush` needs to know what".to_owned();
                cursor.refuse_with(word, message, "as in `ip route flush table main`");
            }
            parse_filter(cursor, families).map(RouteCommand::Flush)
        }
        Verb::Get => get(cursor, verb_word, families),
        Verb::Refused => {
            let message = format!("`ip route {name}` is not offered here");
            cursor.refuse_with(word, message, crate::foreign::FILES);
            None
        }
    }
}

fn put(
    cursor: &mut Cursor<'_>,
    verb: Named<'_>,
    mut families: Families,
    how: Write,
) -> Option<RouteCommand> {
    let before = cursor.faults();
    let words = read(cursor, verb, &mut families)?;
    if cursor.faults() == before {
        check(cursor, verb, &words);
        check_host_bits(cursor, &words);
    }
    let family = families.or_ipv4();
    if how == Write::Prepend && family == Family::Ipv6 {
        cursor.refuse(verb.word, "IPv6 routes can't be prepended".to_owned());
    }
    let vrf = words.vrf.clone();
    Some(RouteCommand::Put { route: route(words, family), vrf, how })
}

fn remove(
    cursor: &mut Cursor<'_>,
    verb: Named<'_>,
    mut families: Families,
) -> Option<RouteCommand> {
    let words = read(cursor, verb, &mut families)?;
    let any_kind = words.kind.is_none();
    let family = families.or_ipv4();
    let vrf = words.vrf.clone();
    Some(RouteCommand::Remove { route: route(words, family), vrf, any_kind })
}

fn route(words: RouteWords<'_>, family: Family) -> Route {
    let single =
        NextHop { gateway: words.gateway, link: words.link, weight: 1, onlink: words.onlink };
    let alone = words.next_hops.is_empty();
    let given = single.gateway.is_some() || single.link.is_some() || single.onlink;
    let mut next_hops = words.next_hops;
    // Said of the whole route it holds for each hop of IPv6 (net/ipv6/route.c,
    // `ip6_route_multipath_add`); IPv4 takes it of each hop alone (net/ipv4/fib_semantics.c,
    // `fib_get_nhs`).
    if words.onlink && family == Family::Ipv6 {
        next_hops.iter_mut().for_each(|hop| hop.onlink = true);
    }
    if alone && given {
        next_hops.push(single);
    }
    Route {
        family,
        kind: words.kind.map_or(RouteKind::Unicast, |(_, kind)| kind),
        destination: words
            .destination
            .map(|(_, prefix)| prefix)
            .filter(|prefix| prefix.length > 0 || value_of(&prefix.address) != 0),
        next_hops,
        table: words.table,
        metric: words.metric,
        protocol: words.protocol,
        scope: words.scope,
        source: words.source,
        from: words.from.map(|(_, prefix)| prefix).filter(|prefix| prefix.length > 0),
        type_of_service: words.service,
        metrics: words.metrics,
    }
}

/// Kinds that drop what they match lead nowhere; the others need to be led somewhere.
fn drops(kind: RouteKind) -> bool {
    match kind {
        RouteKind::Blackhole | RouteKind::Unreachable | RouteKind::Prohibit | RouteKind::Throw => {
            true
        }
        RouteKind::Unicast
        | RouteKind::Local
        | RouteKind::Broadcast
        | RouteKind::Anycast
        | RouteKind::Multicast
        | RouteKind::Nat => false,
    }
}

fn check(cursor: &mut Cursor<'_>, verb: Named<'_>, words: &RouteWords<'_>) {
    let leads = words.gateway.is_some() || words.link.is_some();
    let kind = words.kind.map_or(RouteKind::Unicast, |(_, kind)| kind);
    if let (Some((word, _)), true, true) = (words.kind, drops(kind), words.gateway.is_some()) {
        cursor.refuse(word, format!("`{}` leads nowhere, so it takes no `via`", word.text));
    }
    if !drops(kind) && !leads && words.next_hops.is_empty() {
        let message = "the route leads nowhere".to_owned();
        cursor.refuse_with(verb.word, message, "`via ADDRESS`, `dev DEVICE` or `nexthop …`");
    }
    if leads && !words.next_hops.is_empty() {
        let message = "`via` and `dev` before `nexthop` have no meaning".to_owned();
        cursor.refuse(verb.word, message);
    }
}

/// The kernel takes no bits right of the length (net/ipv4/fib_frontend.c: "Invalid prefix for
/// given prefix length"); those of IPv6 it cuts off itself.
fn check_host_bits(cursor: &mut Cursor<'_>, words: &RouteWords<'_>) {
    let Some((word, prefix)) = &words.destination else { return };
    let IpAddress::Ipv4(_) = prefix.address else { return };
    let Ok(address) = u32::try_from(value_of(&prefix.address)) else { return };
    let hosts = u32::MAX.checked_shr(prefix.length.into()).unwrap_or(0);
    if address & hosts != 0 {
        let network = std::net::Ipv4Addr::from(address & !hosts);
        let message = format!("`{}` has bits right of its length", word.text);
        let help = format!("the network is `{network}/{}`", prefix.length);
        cursor.fault(word, message, Some(help));
    }
}

#[derive(Clone, Copy)]
enum GetOption {
    From,
    To,
    Refused,
}

const GET: &[Keyword<GetOption>] = &[
    exact("tos", GetOption::Refused),
    short("dsfield", GetOption::Refused),
    short("from", GetOption::From),
    short("iif", GetOption::Refused),
    short("mark", GetOption::Refused),
    short("oif", GetOption::Refused),
    exact("dev", GetOption::Refused),
    short("notify", GetOption::Refused),
    short("connected", GetOption::Refused),
    exact("vrf", GetOption::Refused),
    exact("uid", GetOption::Refused),
    exact("fibmatch", GetOption::Refused),
    exact("ipproto", GetOption::Refused),
    exact("sport", GetOption::Refused),
    exact("dport", GetOption::Refused),
    exact("to", GetOption::To),
];

fn get(cursor: &mut Cursor<'_>, verb: Named<'_>, mut families: Families) -> Option<RouteCommand> {
    let mut destination = None;
    let mut source = None;
    while let Some(word) = cursor.next() {
        match find(GET, &word.text) {
            Some((name, GetOption::From)) => {
                let value = cursor.value(Named { word, name })?;
                source = Some(address_word(cursor, value, &mut families)?);
            }
            Some((_, GetOption::To)) => {}
            Some((name, GetOption::Refused)) => {
                let message = format!("`{name}` is not offered in `ip route get`");
                let help = "it asks by the destination, and by `from ADDRESS`; `ip route show` and `ip rule show` have the rest";
                cursor.refuse_with(word, message, help);
                return None;
            }
            None => get_destination(cursor, word, &mut destination, &mut families)?,
        }
    }
    if destination.is_none() {
        cursor.refuse(verb.word, "`get` needs an address".to_owned());
    }
    Some(RouteCommand::Get { destination: destination?, source })
}

fn get_destination(
    cursor: &mut Cursor<'_>,
    word: &Word,
    destination: &mut Option<IpAddress>,
    families: &mut Families,
) -> Option<()> {
    if destination.is_some() {
        cursor.unknown(word, "`ip route get`", names(GET));
        return None;
    }
    // A length is allowed, and without meaning.
    let address = word.text.split_once('/').map_or(word.text.as_str(), |(address, _)| address);
    let plain = Word { text: address.to_owned(), ..word.clone() };
    let found = address_word(cursor, &plain, families)?;
    families.chosen = Some(family_of(&found));
    *destination = Some(found);
    Some(())
}
