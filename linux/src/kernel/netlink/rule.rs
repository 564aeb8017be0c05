//! Rules of the routing policy database, ip-rule(8).

use netlink_packet_core::{DefaultNla, Emitable, NLM_F_CREATE, NLM_F_EXCL, Nla, Parseable};
use netlink_packet_route::route::RouteRealm;
use netlink_packet_route::rule::{
    RuleAction as Action, RuleAttribute, RuleFlags, RuleMessage, RulePortRange, RuleUidRange,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

use super::Netlink;
use super::explain::{explain, explain_with};
use super::route_message::family_of;
use super::socket::Request;
use super::space::Space;
use crate::change::{
    Applied, Attribute, Change, Family, Made, NamespaceRef, Prefix, Rule, RuleAction, TABLE_MAIN,
    Undo,
};
use crate::kernel::Error;
use crate::kernel::kind::options::nearest;
use crate::text::help;

const FRA_IP_PROTO: u16 = 22;

impl Netlink {
    pub(super) fn add_rule(
        &mut self,
        change: &Change,
        namespace: &NamespaceRef,
        rule: &Rule,
    ) -> Result<Applied, Error> {
        let space = self.spaces.find(namespace)?;
        let message = message(rule, true)?;
        let before = self.rules(&space, rule.family)?;
        let flags = NLM_F_CREATE | NLM_F_EXCL;
        let request = Request { message: RouteNetlinkMessage::NewRule(message), flags };
        space.execute(&request).map_err(|failure| {
            explain_with(failure, change, |refusal| match refusal.errno {
                libc::EEXIST => {
                    let priority = rule.priority?;
                    let there = before.iter().find(|old| old.priority == Some(priority))?;
                    Some(format!("`{there}` is there already"))
                }
                _ => None,
            })
        })?;
        // The kernel chooses the priority where none is asked for.
        let after = self.rules(&space, rule.family)?;
        let made = after.into_iter().find(|now| !before.contains(now));
        let namespace = space.reference();
        let rule = made.unwrap_or_else(|| rule.clone());
        let undo = Undo { steps: vec![Change::RemoveRule { namespace, rule }] };
        Ok(Applied { made: Made::Nothing, undo })
    }

    pub(super) fn remove_rule(
        &mut self,
        change: &Change,
        namespace: &NamespaceRef,
        rule: &Rule,
    ) -> Result<Applied, Error> {
        let space = self.spaces.find(namespace)?;
        let before = self.rules(&space, rule.family)?;
        let message = message(rule, false)?;
        let request = Request { message: RouteNetlinkMessage::DelRule(message), flags: 0 };
        space.execute(&request).map_err(|failure| {
            explain_with(failure, change, |refusal| match refusal.errno {
                libc::ENOENT => {
                    let all: Vec<_> = before.iter().map(|rule| format!("`{rule}`")).collect();
                    Some(format!("{} has {}", space.shown(), all.join(", ")))
                }
                _ => None,
            })
        })?;
        let mut after = self.rules(&space, rule.family)?;
        // Equal rules can't stand beside each other but by different priorities.
        let lost = before.into_iter().find(|old| match after.iter().position(|now| now == old) {
            Some(place) => {
                after.swap_remove(place);
                false
            }
            None => true,
        });
        let step = lost.map(|rule| Change::AddRule { namespace: space.reference(), rule });
        Ok(Applied { made: Made::Nothing, undo: Undo { steps: step.into_iter().collect() } })
    }

    pub(super) fn rules(&self, space: &Space, family: Family) -> Result<Vec<Rule>, Error> {
        let mut request = RuleMessage::default();
        request.header.family = family_of(family);
        let parts = space.dump(&RouteNetlinkMessage::GetRule(request));
        let parts = parts.map_err(|failure| explain(failure, &"rule show"))?;
        Ok(parts.iter().filter_map(|(_, body)| read(body)).collect())
    }
}

/// As iprule_modify of iproute2. To remove, what is left open matches anything: table 0 too.
fn message(rule: &Rule, adds: bool) -> Result<RuleMessage, Error> {
    let mut message = RuleMessage::default();
    message.header.family = family_of(rule.family);
    let (action, table) = match rule.action {
        RuleAction::Table(0) if adds => (Action::ToTable, Some(TABLE_MAIN)),
        RuleAction::Table(table) if adds => (Action::ToTable, Some(table)),
        RuleAction::Table(table) => (Action::Unspec, Some(table).filter(|table| *table != 0)),
        RuleAction::Goto(_) => (Action::Goto, None),
        RuleAction::Nop => (Action::Nop, None),
        RuleAction::Blackhole => (Action::Blackhole, None),
        RuleAction::Unreachable => (Action::Unreachable, None),
        RuleAction::Prohibit => (Action::Prohibit, None),
    };
    message.header.action = action;
    let l3mdev = rule.options.iter().any(|option| option.name == "l3mdev");
    let put = &mut message.attributes;
    if let Some(table) = table.filter(|_| !l3mdev) {
        // The header's field has one byte.
        message.header.table = u8::try_from(table).unwrap_or(0);
        if message.header.table == 0 {
            put.push(RuleAttribute::Table(table));
        }
    }
    if let RuleAction::Goto(target) = rule.action {
        put.push(RuleAttribute::Goto(target));
    }
    if rule.inverted {
        message.header.flags |= RuleFlags::Invert;
    }
    if let Some(Prefix { address, length }) = checked(rule.from, rule.family)? {
        message.header.src_len = length;
        put.push(RuleAttribute::Source(address));
    }
    if let Some(Prefix { address, length }) = checked(rule.to, rule.family)? {
        message.header.dst_len = length;
        put.push(RuleAttribute::Destination(address));
    }
    message.header.tos = rule.type_of_service.unwrap_or(0);
    if let Some(priority) = rule.priority {
        put.push(RuleAttribute::Priority(priority));
    }
    if let Some((mark, mask)) = rule.mark {
        put.push(RuleAttribute::FwMark(mark));
        put.push(RuleAttribute::FwMask(mask));
    }
    if let Some(link) = &rule.incoming_link {
        put.push(RuleAttribute::Iifname(link.clone()));
    }
    if let Some(link) = &rule.outgoing_link {
        put.push(RuleAttribute::Oifname(link.clone()));
    }
    if let Some(protocol) = rule.protocol {
        put.push(RuleAttribute::Protocol(protocol.into()));
    }
    for option in &rule.options {
        put.push(option_attribute(option)?);
    }
    Ok(message)
}

fn checked(prefix: Option<Prefix>, family: Family) -> Result<Option<Prefix>, Error> {
    let Some(prefix) = prefix else { return Ok(None) };
    let four = family == Family::Ipv4;
    if prefix.address.is_ipv4() != four {
        return Err(Error::Invalid(format!("{prefix} is not of the rule's family")));
    }
    let bits = if four { 32 } else { 128 };
    if prefix.length > bits {
        return Err(Error::Invalid(format!("{prefix}: a prefix of it has 0 to {bits} bits")));
    }
    Ok(Some(prefix))
}

const OPTIONS: &[&str] = &[
    "uidrange",
    "ipproto",
    "sport",
    "dport",
    "tun_id",
    "suppress_prefixlength",
    "suppress_ifgroup",
    "l3mdev",
    "realms",
];

fn option_attribute(option: &Attribute) -> Result<RuleAttribute, Error> {
    let value = option.value.as_str();
    let wrong = || Error::Invalid(format!("`{}` can't be `{}`", option.name, value.escape_debug()));
    Ok(match option.name.as_str() {
        "uidrange" => {
            let (start, end) = value.split_once('-').ok_or_else(wrong)?;
            let parse = |text: &str| text.parse().map_err(|_| wrong());
            RuleAttribute::UidRange(RuleUidRange { start: parse(start)?, end: parse(end)? })
        }
        "ipproto" => {
            let number = protocol_number(value).ok_or_else(wrong)?;
            RuleAttribute::Other(DefaultNla::new(FRA_IP_PROTO, vec![number]))
        }
        "sport" => RuleAttribute::SourcePortRange(ports(value).ok_or_else(wrong)?),
        "dport" => RuleAttribute::DestinationPortRange(ports(value).ok_or_else(wrong)?),
        "tun_id" => RuleAttribute::TunId(value.parse().map_err(|_| wrong())?),
        "suppress_prefixlength" => {
            RuleAttribute::SuppressPrefixLen(value.parse().map_err(|_| wrong())?)
        }
        "suppress_ifgroup" => RuleAttribute::SuppressIfGroup(value.parse().map_err(|_| wrong())?),
        "l3mdev" => RuleAttribute::L3MDev(true),
        "realms" => {
            let (source, destination) = value.split_once('/').unwrap_or(("0", value));
            let parse = |text: &str| text.parse::<u16>().map_err(|_| wrong());
            RuleAttribute::Realm(RouteRealm {
                source: parse(source)?,
                destination: parse(destination)?,
            })
        }
        other => {
            let near = nearest(other, OPTIONS);
            let help = near.map(|near| help(format!("did you mean `{near}`?")));
            return Err(Error::Invalid(format!(
                "a rule has no option `{}`{}",
                other.escape_debug(),
                help.unwrap_or_default()
            )));
        }
    })
}

/// IANA's numbers for those that /etc/protocols names everywhere.
const PROTOCOLS: &[(&str, u8)] = &[
    ("icmp", 1),
    ("tcp", 6),
    ("udp", 17),
    ("gre", 47),
    ("esp", 50),
    ("ah", 51),
    ("ipv6-icmp", 58),
    ("sctp", 132),
];

pub(super) fn protocol_number(word: &str) -> Option<u8> {
    let known = PROTOCOLS.iter().find(|(name, _)| *name == word).map(|(_, number)| *number);
    known.or_else(|| word.parse().ok())
}

fn ports(value: &str) -> Option<RulePortRange> {
    let (start, end) = value.split_once('-').unwrap_or((value, value));
    Some(RulePortRange { start: start.parse().ok()?, end: end.parse().ok()? })
}

/// A rule in the words in which the kernel tells it, in whichever it was asked for: options by name,
/// no bits behind a prefix.
pub(super) fn as_told(rule: &Rule) -> Rule {
    let sent = message(rule, true).ok().and_then(|message| {
        let mut body = vec![0; message.buffer_len()];
        message.emit(&mut body);
        read(&body)
    });
    let whole = |prefix: Option<Prefix>| prefix.filter(|one| one.length > 0).map(Prefix::network);
    let (from, to) = (whole(rule.from), whole(rule.to));
    let mut told = sent.unwrap_or_else(|| rule.clone());
    told.options.sort_by(|one, other| one.name.cmp(&other.name));
    Rule { priority: rule.priority, from, to, ..told }
}

pub(super) fn read(body: &[u8]) -> Option<Rule> {
    let message = RuleMessage::parse(body).ok()?;
    let header = &message.header;
    let family = match header.family {
        AddressFamily::Inet => Family::Ipv4,
        AddressFamily::Inet6 => Family::Ipv6,
        _ => return None,
    };
    let mut rule = Rule {
        family,
        // The kernel leaves out 0, the priority of the rule for the local table.
        priority: Some(0),
        inverted: header.flags.contains(RuleFlags::Invert),
        from: None,
        to: None,
        incoming_link: None,
        outgoing_link: None,
        type_of_service: Some(header.tos).filter(|tos| *tos != 0),
        mark: None,
        action: RuleAction::Nop,
        protocol: None,
        options: Vec::new(),
    };
    let (mut table, mut target) = (u32::from(header.table), 0);
    let (mut mark, mut mask) = (None, None);
    for attribute in &message.attributes {
        match attribute {
            RuleAttribute::Source(address) => {
                rule.from = Some(Prefix { address: *address, length: header.src_len });
            }
            RuleAttribute::Destination(address) => {
                rule.to = Some(Prefix { address: *address, length: header.dst_len });
            }
            RuleAttribute::Iifname(name) => rule.incoming_link = Some(name.clone()),
            RuleAttribute::Oifname(name) => rule.outgoing_link = Some(name.clone()),
            RuleAttribute::Priority(priority) => rule.priority = Some(*priority),
            RuleAttribute::FwMark(found) => mark = Some(*found),
            RuleAttribute::FwMask(found) => mask = Some(*found),
            RuleAttribute::Table(found) => table = *found,
            RuleAttribute::Goto(found) => target = *found,
            RuleAttribute::Protocol(found) => {
                rule.protocol = Some(u8::from(*found)).filter(|protocol| *protocol != 0);
            }
            other => rule.options.extend(read_option(other)),
        }
    }
    rule.mark = match (mark, mask) {
        (None, None) => None,
        (mark, mask) => Some((mark.unwrap_or(0), mask.unwrap_or(u32::MAX))),
    };
    rule.action = match header.action {
        Action::ToTable => RuleAction::Table(table),
        Action::Goto => RuleAction::Goto(target),
        Action::Nop => RuleAction::Nop,
        Action::Blackhole => RuleAction::Blackhole,
        Action::Unreachable => RuleAction::Unreachable,
        Action::Prohibit => RuleAction::Prohibit,
        _ => return None,
    };
    Some(rule)
}

fn read_option(attribute: &RuleAttribute) -> Option<Attribute> {
    let range = |range: &RulePortRange| match range.start == range.end {
        true => range.start.to_string(),
        false => format!("{}-{}", range.start, range.end),
    };
    let (name, value) = match attribute {
        RuleAttribute::UidRange(uids) => ("uidrange", format!("{}-{}", uids.start, uids.end)),
        RuleAttribute::IpProtocol(_) => {
            let mut number = [0];
            attribute.emit_value(&mut number);
            let known = PROTOCOLS.iter().find(|(_, known)| *known == number[0]);
            let word = known.map_or_else(|| number[0].to_string(), |(name, _)| (*name).to_owned());
            ("ipproto", word)
        }
        RuleAttribute::SourcePortRange(ports) => ("sport", range(ports)),
        RuleAttribute::DestinationPortRange(ports) => ("dport", range(ports)),
        RuleAttribute::TunId(id) if *id != 0 => ("tun_id", id.to_string()),
        // All ones is the kernel's word for none.
        RuleAttribute::SuppressPrefixLen(length) if *length != u32::MAX => {
            ("suppress_prefixlength", length.to_string())
        }
        RuleAttribute::SuppressIfGroup(group) if *group != u32::MAX => {
            ("suppress_ifgroup", group.to_string())
        }
        RuleAttribute::L3MDev(true) => ("l3mdev", String::new()),
        RuleAttribute::Realm(realm) if realm.source != 0 || realm.destination != 0 => {
            ("realms", format!("{}/{}", realm.source, realm.destination))
        }
        _ => return None,
    };
    Some(Attribute { name: name.to_owned(), value })
}
