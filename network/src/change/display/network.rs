//! Addresses, routes, rules and neighbours in ip(8)'s words.

use std::fmt::{self, Formatter, Result};
use std::net::IpAddr;

use super::link::attributes;
use super::plain;
use crate::change::{
    Address, Attribute, Entry, Family, LinkRef, Neighbour, NeighbourState, NextHop, Prefix, Route,
    RouteKind, Rule, RuleAction,
};

/// rtnetlink(7), rtm_scope; numbers for those without a name.
fn scope(f: &mut Formatter<'_>, scope: u8) -> Result {
    match scope {
        0 => f.write_str(" scope global"),
        200 => f.write_str(" scope site"),
        253 => f.write_str(" scope link"),
        254 => f.write_str(" scope host"),
        255 => f.write_str(" scope nowhere"),
        other => write!(f, " scope {other}"),
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{}", self.prefix)?;
        self.peer.iter().try_for_each(|peer| write!(f, " peer {peer}"))?;
        self.broadcast.iter().try_for_each(|one| write!(f, " broadcast {one}"))?;
        self.anycast.iter().try_for_each(|one| write!(f, " anycast {one}"))?;
        self.label.iter().try_for_each(|label| write!(f, " label {}", plain(label)))?;
        self.scope.iter().try_for_each(|value| scope(f, *value))?;
        self.valid_lifetime.iter().try_for_each(|time| write!(f, " valid_lft {time}"))?;
        self.preferred_lifetime.iter().try_for_each(|time| write!(f, " preferred_lft {time}"))?;
        self.metric.iter().try_for_each(|metric| write!(f, " metric {metric}"))?;
        self.protocol.iter().try_for_each(|protocol| write!(f, " proto {protocol}"))?;
        let flags = [
            (self.flags.nodad, " nodad"),
            (self.flags.home, " home"),
            (self.flags.mngtmpaddr, " mngtmpaddr"),
            (self.flags.noprefixroute, " noprefixroute"),
            (self.flags.autojoin, " autojoin"),
            (self.flags.optimistic, " optimistic"),
        ];
        flags.iter().filter(|(on, _)| *on).try_for_each(|(_, word)| f.write_str(word))
    }
}

impl RouteKind {
    /// ip-route(8)'s.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unicast => "unicast",
            Self::Local => "local",
            Self::Broadcast => "broadcast",
            Self::Anycast => "anycast",
            Self::Multicast => "multicast",
            Self::Blackhole => "blackhole",
            Self::Unreachable => "unreachable",
            Self::Prohibit => "prohibit",
            Self::Throw => "throw",
            Self::Nat => "nat",
        }
    }
}

fn destination(f: &mut Formatter<'_>, prefix: Option<Prefix>) -> Result {
    match prefix {
        Some(prefix) => write!(f, "{prefix}"),
        None => f.write_str("default"),
    }
}

/// A gateway of another family than the route's has its family in front.
fn hop(f: &mut Formatter<'_>, family: Family, hop: &NextHop) -> Result {
    match (hop.gateway, family) {
        (None, _) => {}
        (Some(gateway @ IpAddr::V6(_)), Family::Ipv4) => write!(f, " via inet6 {gateway}")?,
        (Some(gateway @ IpAddr::V4(_)), Family::Ipv6) => write!(f, " via inet {gateway}")?,
        (Some(gateway), Family::Ipv4 | Family::Ipv6) => write!(f, " via {gateway}")?,
    }
    hop.link.iter().try_for_each(|link| write!(f, " dev {}", plain(link)))?;
    if hop.onlink { f.write_str(" onlink") } else { Ok(()) }
}

/// `mtu lock 1300` and `features ecn tcp_usec_ts` are words of their own.
fn metric(f: &mut Formatter<'_>, metric: &Attribute) -> Result {
    let several = metric.name == "features";
    let words = metric.name.split(' ').chain(match several {
        true => metric.value.split([' ', ',']).filter(|word| !word.is_empty()).collect(),
        false => vec![metric.value.as_str()],
    });
    words.filter(|word| !word.is_empty()).try_for_each(|word| write!(f, " {}", plain(word)))
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        if self.kind != RouteKind::Unicast {
            write!(f, "{} ", self.kind.word())?;
        }
        destination(f, self.destination)?;
        self.from.iter().try_for_each(|from| write!(f, " from {from}"))?;
        // Behind the first of several there is nothing but more of them.
        let (one, several) = match self.next_hops.as_slice() {
            [one] => (Some(one), [].as_slice()),
            several => (None, several),
        };
        one.iter().try_for_each(|one| hop(f, self.family, one))?;
        self.type_of_service.iter().try_for_each(|tos| write!(f, " tos {tos:#x}"))?;
        self.table.iter().try_for_each(|table| write!(f, " table {table}"))?;
        self.protocol.iter().try_for_each(|protocol| write!(f, " proto {protocol}"))?;
        self.scope.iter().try_for_each(|value| scope(f, *value))?;
        self.source.iter().try_for_each(|source| write!(f, " src {source}"))?;
        self.metric.iter().try_for_each(|metric| write!(f, " metric {metric}"))?;
        self.metrics.iter().try_for_each(|one| metric(f, one))?;
        several.iter().try_for_each(|one| {
            f.write_str(" nexthop")?;
            hop(f, self.family, one)?;
            write!(f, " weight {}", one.weight)
        })
    }
}

impl fmt::Display for RuleAction {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Table(table) => write!(f, "lookup {table}"),
            Self::Goto(target) => write!(f, "goto {target}"),
            Self::Nop => f.write_str("nop"),
            Self::Blackhole => f.write_str("blackhole"),
            Self::Unreachable => f.write_str("unreachable"),
            Self::Prohibit => f.write_str("prohibit"),
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        if self.inverted {
            f.write_str("not ")?;
        }
        f.write_str("from ")?;
        match self.from {
            Some(from) => write!(f, "{from}")?,
            None => f.write_str("all")?,
        }
        self.to.iter().try_for_each(|to| write!(f, " to {to}"))?;
        self.type_of_service.iter().try_for_each(|tos| write!(f, " tos {tos:#x}"))?;
        self.mark.iter().try_for_each(|(mark, mask)| write!(f, " fwmark {mark:#x}/{mask:#x}"))?;
        self.incoming_link.iter().try_for_each(|link| write!(f, " iif {}", plain(link)))?;
        self.outgoing_link.iter().try_for_each(|link| write!(f, " oif {}", plain(link)))?;
        self.priority.iter().try_for_each(|priority| write!(f, " priority {priority}"))?;
        self.protocol.iter().try_for_each(|protocol| write!(f, " protocol {protocol}"))?;
        attributes(f, &self.options)?;
        write!(f, " {}", self.action)
    }
}

impl NeighbourState {
    /// ip-neighbour(8)'s.
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Incomplete => "incomplete",
            Self::Reachable => "reachable",
            Self::Stale => "stale",
            Self::Delay => "delay",
            Self::Probe => "probe",
            Self::Failed => "failed",
            Self::Noarp => "noarp",
            Self::Permanent => "permanent",
        }
    }
}

impl fmt::Display for Neighbour {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        if self.proxy {
            return write!(f, "proxy {}", self.address);
        }
        write!(f, "{}", self.address)?;
        self.mac.iter().try_for_each(|mac| write!(f, " lladdr {mac}"))?;
        write!(f, " nud {}", self.state.word())?;
        if self.router {
            f.write_str(" router")?;
        }
        if self.extern_learn { f.write_str(" extern_learn") } else { Ok(()) }
    }
}

pub(super) fn entry_words(
    f: &mut Formatter<'_>,
    verb: &str,
    link: &LinkRef,
    entry: &Entry,
) -> Result {
    write!(f, "fdb {verb} {} dev {}", entry.mac, plain(&link.name))?;
    f.write_str(if entry.master { " master" } else { " self" })?;
    f.write_str(if entry.aged { " static" } else { " permanent" })?;
    entry.vlan.iter().try_for_each(|vlan| write!(f, " vlan {vlan}"))?;
    entry.destination.iter().try_for_each(|destination| write!(f, " dst {destination}"))
}
