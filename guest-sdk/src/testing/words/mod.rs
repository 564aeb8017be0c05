//! Changes in ip(8)'s words, for a test to compare and for errors to name.

mod link;

use std::fmt;
use std::net::IpAddr;

use super::change::{Change, Site};
use crate::wit::addresses::{Address, AddressFlags};
use crate::wit::fdb::Entry;
use crate::wit::neighbours::Neighbour;
use crate::wit::routes::{NextHop, Route, RouteKind};
use crate::wit::rules::{Rule, RuleAction};
use crate::wit::types::{Attribute, Family, IpAddress, IpPrefix, Write};
use crate::wit::vlans::Vlan;
use crate::{MacAddress, Prefix};
use link::{create_link, setting};

/// Words with a space between them.
#[derive(Default)]
struct Words(Vec<String>);

impl Words {
    fn add(&mut self, word: impl ToString) -> &mut Self {
        self.0.push(word.to_string());
        self
    }

    /// A keyword and its value, if there is one.
    fn option(&mut self, key: &str, value: Option<impl ToString>) -> &mut Self {
        if let Some(value) = value {
            self.add(key).add(value);
        }
        self
    }

    fn flag(&mut self, on: bool, word: &str) -> &mut Self {
        if on { self.add(word) } else { self }
    }

    fn attributes(&mut self, all: &[Attribute]) -> &mut Self {
        for attribute in all {
            self.add(&attribute.name).flag(!attribute.value.is_empty(), &attribute.value);
        }
        self
    }

    fn inside(namespace: &str) -> Self {
        let mut words = Self::default();
        if !namespace.is_empty() {
            words.add("-n").add(namespace);
        }
        words
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

fn address(address: IpAddress) -> IpAddr {
    address.into()
}

fn prefix(prefix: IpPrefix) -> Prefix {
    prefix.into()
}

fn verb(how: Write) -> &'static str {
    match how {
        Write::Add => "add",
        Write::Change => "change",
        Write::Replace => "replace",
        Write::Append => "append",
        Write::Prepend => "prepend",
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        words(self).fmt(f)
    }
}

fn words(change: &Change) -> Words {
    let mut words = match change {
        Change::CreateNamespace { name } => {
            let mut words = Words::default();
            words.add("netns add").add(name);
            words
        }
        Change::DeleteNamespace { name } => {
            let mut words = Words::default();
            words.add("netns delete").add(name);
            words
        }
        Change::SetNamespaceId { namespace, peer, id } => {
            let mut words = Words::inside(namespace);
            words.add("netns set").add(peer).add(id);
            words
        }
        Change::CreateLink { namespace, spec } => create_link(namespace, spec),
        Change::ChangeLink { link, settings } => {
            let mut words = on(link, "link set");
            settings.iter().for_each(|one| setting(&mut words, one));
            words
        }
        Change::MoveLink { link, to } => {
            let mut words = on(link, "link set");
            words.add("netns").add(if to.is_empty() { "root" } else { to });
            words
        }
        Change::DeleteLink { link } => on(link, "link delete"),
        Change::PutAddress { link, address, how } => put_address(link, address, *how),
        Change::RemoveAddress { link, prefix: gone, peer } => {
            let mut words = Words::inside(&link.namespace);
            words.add("address delete").add(prefix(*gone)).option("peer", peer.map(prefix));
            words.add("dev").add(&link.name);
            words
        }
        Change::PutRoute { namespace, route, how } => route_words(namespace, verb(*how), route),
        Change::RemoveRoute { namespace, route } => route_words(namespace, "delete", route),
        Change::AddRule { namespace, rule } => rule_words(namespace, "add", rule),
        Change::RemoveRule { namespace, rule } => rule_words(namespace, "delete", rule),
        Change::PutNeighbour { link, neighbour, how } => put_neighbour(link, neighbour, *how),
        Change::RemoveNeighbour { link, address: gone, proxy } => {
            let mut words = Words::inside(&link.namespace);
            words.add("neighbour delete").flag(*proxy, "proxy").add(address(*gone));
            words.add("dev").add(&link.name);
            words
        }
        Change::PutEntry { link, entry, how } => entry_words(link, verb(*how), entry),
        Change::RemoveEntry { link, entry } => entry_words(link, "delete", entry),
        Change::SetSysctl { namespace, key, value } => {
            let mut words = Words::inside(namespace);
            words.add("sysctl").add(format!("{key}={value}"));
            words
        }
        Change::PutQdisc { link, qdisc, how } => {
            let mut words = dev(link, "qdisc", verb(*how));
            words.add("root").add(qdisc);
            words
        }
        Change::RemoveQdisc { link } => {
            let mut words = dev(link, "qdisc", "delete");
            words.add("root");
            words
        }
        Change::PutVlan { link, vlan } => {
            let mut words = dev(link, "vlan", "add");
            words.add(vlan);
            words
        }
        Change::RemoveVlan { link, first, last } => {
            let mut words = dev(link, "vlan", "delete");
            words.add(Vlan { first: *first, last: *last, pvid: false, untagged: false });
            words
        }
        Change::SetVlans { link, vlans } => {
            let mut words = dev(link, "vlan", "set");
            vlans.iter().for_each(|one| {
                words.add(one);
            });
            words
        }
    };
    words.0.retain(|word| !word.is_empty());
    words
}

fn on(link: &Site, verb: &str) -> Words {
    let mut words = Words::inside(&link.namespace);
    words.add(verb).add(&link.name);
    words
}

fn dev(link: &Site, object: &str, verb: &str) -> Words {
    let mut words = Words::inside(&link.namespace);
    words.add(object).add(verb).add("dev").add(&link.name);
    words
}

fn put_address(link: &Site, address: &Address, how: Write) -> Words {
    let mut words = Words::inside(&link.namespace);
    words.add("address").add(verb(how));
    address_details(&mut words, address);
    words.add("dev").add(&link.name);
    words
}

fn address_details(words: &mut Words, wanted: &Address) {
    words
        .add(prefix(wanted.prefix))
        .option("peer", wanted.peer.map(prefix))
        .option("broadcast", wanted.broadcast.map(address))
        .option("anycast", wanted.anycast.map(address))
        .option("label", wanted.label.as_ref())
        .option("scope", wanted.scope.map(scope))
        .option("valid_lft", wanted.valid_lifetime)
        .option("preferred_lft", wanted.preferred_lifetime)
        .option("metric", wanted.metric)
        .option("proto", wanted.protocol);
    let flags = [
        (AddressFlags::NODAD, "nodad"),
        (AddressFlags::HOME, "home"),
        (AddressFlags::MNGTMPADDR, "mngtmpaddr"),
        (AddressFlags::NOPREFIXROUTE, "noprefixroute"),
        (AddressFlags::AUTOJOIN, "autojoin"),
        (AddressFlags::OPTIMISTIC, "optimistic"),
    ];
    for (flag, word) in flags {
        words.flag(wanted.flags.bits() & flag.bits() != 0, word);
    }
}

/// rtnetlink(7), rtm_scope; numbers for those without a name.
fn scope(scope: u8) -> String {
    match scope {
        0 => "global".to_owned(),
        200 => "site".to_owned(),
        253 => "link".to_owned(),
        254 => "host".to_owned(),
        255 => "nowhere".to_owned(),
        other => other.to_string(),
    }
}

fn route_words(namespace: &str, verb: &str, route: &Route) -> Words {
    let mut words = Words::inside(namespace);
    words.flag(route.family == Family::Ipv6, "-6").add("route").add(verb);
    route_details(&mut words, route);
    words
}

fn route_details(words: &mut Words, route: &Route) {
    if route.kind != RouteKind::Unicast {
        words.add(route.kind);
    }
    match route.network() {
        Some(network) => words.add(network),
        None => words.add("default"),
    };
    words.option("from", route.from.map(prefix));
    match route.next_hops.as_slice() {
        [] => {}
        [hop] => next_hop(words, hop),
        hops => hops.iter().for_each(|hop| {
            words.add("nexthop");
            next_hop(words, hop);
            words.add("weight").add(hop.weight);
        }),
    }
    words
        .option("tos", route.type_of_service.map(|tos| format!("{tos:#04x}")))
        .option("table", route.table)
        .option("proto", route.protocol)
        .option("scope", route.scope.map(scope))
        .option("src", route.source.map(address))
        .option("metric", route.metric)
        .attributes(&route.metrics);
}

fn next_hop(words: &mut Words, hop: &NextHop) {
    words
        .option("via", hop.gateway.map(address))
        .option("dev", hop.link.as_ref())
        .flag(hop.onlink, "onlink");
}

fn rule_words(namespace: &str, verb: &str, rule: &Rule) -> Words {
    let mut words = Words::inside(namespace);
    words.flag(rule.family == Family::Ipv6, "-6").add("rule").add(verb);
    rule_details(&mut words, rule);
    words
}

fn rule_details(words: &mut Words, rule: &Rule) {
    words.flag(rule.inverted, "not").add("from");
    match rule.from {
        Some(from) => words.add(prefix(from)),
        None => words.add("all"),
    };
    words
        .option("to", rule.to.map(prefix))
        .option("tos", rule.type_of_service.map(|tos| format!("{tos:#04x}")))
        .option("fwmark", rule.mark.map(|(mark, mask)| format!("{mark:#x}/{mask:#x}")))
        .option("iif", rule.incoming_link.as_ref())
        .option("oif", rule.outgoing_link.as_ref())
        .option("priority", rule.priority)
        .option("protocol", rule.protocol)
        .attributes(&rule.options);
    match rule.action {
        RuleAction::Table(table) => words.add("lookup").add(table),
        RuleAction::Goto(priority) => words.add("goto").add(priority),
        RuleAction::Nop => words.add("nop"),
        RuleAction::Blackhole => words.add("blackhole"),
        RuleAction::Unreachable => words.add("unreachable"),
        RuleAction::Prohibit => words.add("prohibit"),
    };
}

fn put_neighbour(link: &Site, neighbour: &Neighbour, how: Write) -> Words {
    let mut words = Words::inside(&link.namespace);
    words.add("neighbour").add(verb(how));
    neighbour_details(&mut words, neighbour);
    words.add("dev").add(&link.name);
    words
}

fn neighbour_details(words: &mut Words, neighbour: &Neighbour) {
    words
        .flag(neighbour.proxy, "proxy")
        .add(address(neighbour.address))
        .option("lladdr", neighbour.mac.map(MacAddress::from));
    if !neighbour.proxy {
        words.add("nud").add(neighbour.state);
    }
    words.flag(neighbour.router, "router").flag(neighbour.extern_learn, "extern_learn");
}

fn entry_words(link: &Site, verb: &str, entry: &Entry) -> Words {
    let mut words = Words::inside(&link.namespace);
    words
        .add("fdb")
        .add(verb)
        .add(MacAddress::from(entry.mac))
        .add("dev")
        .add(&link.name)
        .option("vlan", entry.vlan)
        .option("dst", entry.destination.map(address))
        .add(if entry.master { "master" } else { "self" })
        .add(if entry.aged { "static" } else { "permanent" });
    words
}
