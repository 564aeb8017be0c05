//! `ip rule` (ip/iprule.c).

use netwright_network::change::TABLE_MAIN;
use netwright_sdk::wit::rules::{Rule, RuleAction};
use netwright_sdk::wit::types::{Attribute, Family};

use crate::command::Context;
use crate::cursor::{Cursor, Named};
use crate::fault::shown;
use crate::inet::{Families, prefix};
use crate::keyword::{Keyword, exact, find, names, short};
use crate::names::{group, protocol, service, table};
use crate::value::{attribute, link, number, number32, read_number};

#[derive(Debug, Clone, PartialEq)]
pub enum RuleCommand {
    Add(Rule),
    Remove(RuleFilter),
    Show(RuleFilter),
    /// all but those of priority 0
    Flush(RuleFilter),
}

/// Rules that have all that is said here.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleFilter {
    pub rule: Rule,
    /// an action was said; otherwise that of `rule` has no meaning
    pub action: bool,
}

#[derive(Clone, Copy)]
enum Verb {
    Add,
    Remove,
    Show,
    Flush,
    Refused,
}

const VERBS: &[Keyword<Verb>] = &[
    short("list", Verb::Show),
    short("lst", Verb::Show),
    short("show", Verb::Show),
    short("save", Verb::Refused),
    short("restore", Verb::Refused),
    short("add", Verb::Add),
    short("delete", Verb::Remove),
    short("flush", Verb::Flush),
];

pub(crate) fn parse(cursor: &mut Cursor<'_>, context: &Context) -> Option<RuleCommand> {
    // Alone of all objects rules don't take their family from an address.
    let families = Families { chosen: Some(context.family.unwrap_or(Family::Ipv4)) };
    let Some(word) = cursor.next() else {
        let rule = empty(families.or_ipv4());
        return Some(RuleCommand::Show(RuleFilter { rule, action: false }));
    };
    let Some((name, verb)) = find(VERBS, &word.text) else {
        cursor.unknown(word, "`ip rule`", names(VERBS));
        return None;
    };
    if let Verb::Refused = verb {
        let message = format!("`ip rule {name}` is not offered here");
        cursor.refuse_with(word, message, crate::foreign::FILES);
        return None;
    }
    let said_nothing = cursor.peek().is_none();
    // As no selector at all (ip/iprule.c, `iprule_list_flush_or_save`).
    if matches!(verb, Verb::Show | Verb::Flush) && cursor.rest().len() == 1 {
        cursor.take("all");
    }
    let filter = read(cursor, families)?;
    match verb {
        Verb::Add => Some(RuleCommand::Add(filter.rule)),
        Verb::Remove => {
            if said_nothing {
                let message = "`delete` needs to know which rule".to_owned();
                cursor.refuse_with(word, message, "as in `ip rule delete priority 100`");
            }
            Some(RuleCommand::Remove(filter))
        }
        Verb::Show => Some(RuleCommand::Show(filter)),
        Verb::Flush => Some(RuleCommand::Flush(filter)),
        Verb::Refused => None,
    }
}

#[derive(Clone, Copy)]
enum RuleOption {
    Not,
    From,
    To,
    Priority,
    Service,
    Mark,
    Protocol,
    TunnelId,
    Table,
    Suppress(Suppress),
    Incoming,
    Outgoing,
    L3mdev,
    Users,
    IpProtocol,
    Port,
    Type,
    Goto,
    Nop,
    Refused(&'static str),
}

#[derive(Clone, Copy)]
enum Suppress {
    Length,
    Group,
}

const REALMS: &str =
    "realms, classes of routes, are not among what a recipe can set; leave them out";
const NAT: &str = "the kernel has no routes that translate; leave it out";

/// In iproute2's order, which decides between abbreviations.
const OPTIONS: &[Keyword<RuleOption>] = &[
    exact("not", RuleOption::Not),
    exact("from", RuleOption::From),
    exact("to", RuleOption::To),
    short("preference", RuleOption::Priority),
    short("order", RuleOption::Priority),
    short("priority", RuleOption::Priority),
    exact("tos", RuleOption::Service),
    short("dsfield", RuleOption::Service),
    exact("fwmark", RuleOption::Mark),
    short("realms", RuleOption::Refused(REALMS)),
    short("protocol", RuleOption::Protocol),
    short("tun_id", RuleOption::TunnelId),
    short("table", RuleOption::Table),
    exact("lookup", RuleOption::Table),
    short("suppress_prefixlength", RuleOption::Suppress(Suppress::Length)),
    exact("sup_pl", RuleOption::Suppress(Suppress::Length)),
    short("suppress_ifgroup", RuleOption::Suppress(Suppress::Group)),
    exact("sup_group", RuleOption::Suppress(Suppress::Group)),
    exact("dev", RuleOption::Incoming),
    exact("iif", RuleOption::Incoming),
    exact("oif", RuleOption::Outgoing),
    exact("l3mdev", RuleOption::L3mdev),
    exact("uidrange", RuleOption::Users),
    exact("nat", RuleOption::Refused(NAT)),
    short("map-to", RuleOption::Refused(NAT)),
    exact("ipproto", RuleOption::IpProtocol),
    exact("sport", RuleOption::Port),
    exact("dport", RuleOption::Port),
    exact("type", RuleOption::Type),
    short("goto", RuleOption::Goto),
    short("nop", RuleOption::Nop),
];

const ACTIONS: &[Keyword<RuleAction>] = &[
    short("prohibit", RuleAction::Prohibit),
    short("unreachable", RuleAction::Unreachable),
    short("blackhole", RuleAction::Blackhole),
];

fn empty(family: Family) -> Rule {
    Rule {
        family,
        priority: None,
        inverted: false,
        from: None,
        to: None,
        incoming_link: None,
        outgoing_link: None,
        type_of_service: None,
        mark: None,
        action: RuleAction::Table(TABLE_MAIN),
        protocol: None,
        options: Vec::new(),
    }
}

fn read(cursor: &mut Cursor<'_>, mut families: Families) -> Option<RuleFilter> {
    let mut rule = empty(Family::Ipv4);
    let mut action = None;
    while let Some(word) = cursor.next() {
        let Some((name, option)) = find(OPTIONS, &word.text) else {
            let Some((_, found)) = find(ACTIONS, &word.text) else {
                cursor.unknown(word, "`ip rule`", names(OPTIONS).chain(names(ACTIONS)));
                return None;
            };
            action = Some(found);
            continue;
        };
        let named = Named { word, name };
        match option {
            RuleOption::Table => action = table(cursor, named).map(RuleAction::Table).or(action),
            RuleOption::Goto => action = number32(cursor, named).map(RuleAction::Goto).or(action),
            RuleOption::Nop => action = Some(RuleAction::Nop),
            // What a rule is that names a table.
            RuleOption::Type if cursor.take("unicast") => {}
            RuleOption::Type => action = Some(kind(cursor, named)?),
            RuleOption::Refused(why) => {
                cursor.refuse_with(word, format!("`{name}` is not offered here"), why);
                return None;
            }
            other => selector(cursor, named, other, &mut rule, &mut families),
        }
    }
    rule.family = families.or_ipv4();
    // A rule of VRFs finds its table by the link.
    let l3mdev = rule.options.iter().any(|option| option.name == "l3mdev");
    rule.action = action.unwrap_or(RuleAction::Table(if l3mdev { 0 } else { TABLE_MAIN }));
    Some(RuleFilter { rule, action: action.is_some() })
}

fn kind(cursor: &mut Cursor<'_>, named: Named<'_>) -> Option<RuleAction> {
    let word = cursor.value(named)?;
    let found = find(ACTIONS, &word.text);
    if found.is_none() {
        cursor.unknown(word, "`type`", names(ACTIONS));
    }
    found.map(|(_, action)| action)
}

fn selector(
    cursor: &mut Cursor<'_>,
    named: Named<'_>,
    option: RuleOption,
    rule: &mut Rule,
    families: &mut Families,
) {
    match option {
        RuleOption::Not => rule.inverted = true,
        RuleOption::From => {
            rule.from = prefix(cursor, named, families).filter(|prefix| prefix.length > 0);
        }
        RuleOption::To => {
            rule.to = prefix(cursor, named, families).filter(|prefix| prefix.length > 0);
        }
        RuleOption::Priority => rule.priority = number32(cursor, named),
        RuleOption::Service => rule.type_of_service = service(cursor, named),
        RuleOption::Mark => rule.mark = mark(cursor, named),
        RuleOption::Protocol => rule.protocol = protocol(cursor, named),
        RuleOption::Incoming => rule.incoming_link = link(cursor, named),
        RuleOption::Outgoing => rule.outgoing_link = link(cursor, named),
        RuleOption::L3mdev => rule.options.push(attribute("l3mdev", "")),
        RuleOption::TunnelId => {
            let id = number(cursor, named, 0..=u64::MAX);
            rule.options.extend(id.map(|id| attribute("tun_id", id)));
        }
        RuleOption::Suppress(what) => rule.options.extend(suppress(cursor, named, what)),
        RuleOption::Users => {
            rule.options.extend(range(cursor, named, u32::MAX.into(), false));
        }
        RuleOption::Port => rule.options.extend(range(cursor, named, 65535, true)),
        RuleOption::IpProtocol => rule.options.extend(ip_protocol(cursor, named)),
        RuleOption::Table
        | RuleOption::Goto
        | RuleOption::Nop
        | RuleOption::Type
        | RuleOption::Refused(_) => {}
    }
}

fn suppress(cursor: &mut Cursor<'_>, named: Named<'_>, what: Suppress) -> Option<Attribute> {
    match what {
        Suppress::Length => {
            number(cursor, named, 0..=128).map(|length| attribute("suppress_prefixlength", length))
        }
        Suppress::Group => group(cursor, named).map(|group| attribute("suppress_ifgroup", group)),
    }
}

/// `MARK` or `MARK/MASK`.
fn mark(cursor: &mut Cursor<'_>, named: Named<'_>) -> Option<(u32, u32)> {
    let word = cursor.value(named)?;
    let (mark, mask) = word.text.split_once('/').unwrap_or((&word.text, "0xffffffff"));
    let small = |text: &str| read_number(text).and_then(|number| u32::try_from(number).ok());
    let found = small(mark).zip(small(mask));
    if found.is_none() {
        let message = format!("`{}` is not a mark", shown(&word.text));
        cursor.refuse_with(word, message, "as in `0x10` or `0x10/0xff`");
    }
    found
}

/// `FROM-TO`, or where it may be a single number.
fn range(cursor: &mut Cursor<'_>, named: Named<'_>, most: u64, single: bool) -> Option<Attribute> {
    let word = cursor.value(named)?;
    let number = |text: &str| read_number(text).filter(|number| *number <= most);
    let found = match word.text.split_once('-') {
        Some((from, to)) => number(from)
            .zip(number(to))
            .filter(|(from, to)| from <= to)
            .map(|(from, to)| format!("{from}-{to}")),
        None if single => number(&word.text).map(|number| number.to_string()),
        None => None,
    };
    let Some(found) = found else {
        let (name, typed) = (named.name, shown(&word.text));
        let wanted = if single { "a number or a range" } else { "a range" };
        let message = format!("`{name}` must be {wanted} up to {most}, not `{typed}`");
        cursor.refuse_with(word, message, "as in `1000-1999`");
        return None;
    };
    Some(attribute(named.name, found))
}

/// /etc/protocols, as far as rules can tell them apart.
const IP_PROTOCOLS: [(&str, u8); 7] = [
    ("icmp", 1),
    ("tcp", 6),
    ("udp", 17),
    ("dccp", 33),
    ("gre", 47),
    ("ipv6-icmp", 58),
    ("sctp", 132),
];

fn ip_protocol(cursor: &mut Cursor<'_>, named: Named<'_>) -> Option<Attribute> {
    let word = cursor.value(named)?;
    let known = IP_PROTOCOLS.iter().find(|(name, _)| *name == word.text);
    let number = known
        .map(|(_, number)| u64::from(*number))
        .or_else(|| read_number(&word.text).filter(|number| *number <= 255));
    if number.is_none() {
        let message = format!("`{}` is not an IP protocol", shown(&word.text));
        cursor.refuse_with(word, message, "a name such as `tcp`, or a number up to 255");
    }
    number.map(|number| attribute("ipproto", number))
}
