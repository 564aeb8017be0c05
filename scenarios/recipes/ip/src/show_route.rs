//! Routes, rules and neighbours as ip(8) prints them.

use netwright_network::change::TABLE_MAIN;
use netwright_sdk::wit::neighbours::{Neighbour, NeighbourState};
use netwright_sdk::wit::routes::{NextHop, Route, RouteKind};
use netwright_sdk::wit::rules::{Rule, RuleAction};
use netwright_sdk::wit::types::{Attribute, IpAddress, IpPrefix};

use crate::inet::{family_name, family_of, text_of};
use crate::names::{protocol_name, scope_name, service_name, table_name};
use crate::run_route::is_host;
use crate::show_link::mac_text;

const BOOT: u8 = 3;
const KERNEL: u8 = 2;

fn prefix_text(prefix: &IpPrefix) -> String {
    let address = text_of(&prefix.address);
    if is_host(prefix) { address } else { format!("{address}/{}", prefix.length) }
}

fn kind_name(kind: RouteKind) -> Option<&'static str> {
    match kind {
        RouteKind::Unicast => None,
        RouteKind::Local => Some("local"),
        RouteKind::Broadcast => Some("broadcast"),
        RouteKind::Anycast => Some("anycast"),
        RouteKind::Multicast => Some("multicast"),
        RouteKind::Blackhole => Some("blackhole"),
        RouteKind::Unreachable => Some("unreachable"),
        RouteKind::Prohibit => Some("prohibit"),
        RouteKind::Throw => Some("throw"),
        RouteKind::Nat => Some("nat"),
    }
}

fn hop_words(hop: &NextHop, like: Option<&IpAddress>) -> Vec<String> {
    let mut words = Vec::new();
    if let Some(gateway) = &hop.gateway {
        let other = like.is_some_and(|like| family_of(like) != family_of(gateway));
        let family = match family_name(family_of(gateway)) {
            "IPv6" => "inet6 ",
            _four => "inet ",
        };
        let family = if other { family } else { "" };
        words.push(format!("via {family}{}", text_of(gateway)));
    }
    words.extend(hop.link.as_ref().map(|link| format!("dev {link}")));
    words
}

fn metric_word(metric: &Attribute) -> String {
    let Attribute { name, value } = metric;
    if value.is_empty() { name.clone() } else { format!("{name} {value}") }
}

/// What follows the destination; with routes of every table each names its own.
fn route_words(route: &Route, tables: bool) -> Vec<String> {
    let mut words = Vec::new();
    words.extend(route.from.as_ref().map(|from| format!("from {}", prefix_text(from))));
    let service = route.type_of_service.filter(|service| *service != 0);
    words.extend(service.map(|service| format!("tos {}", service_name(service))));
    let single = if let [hop] = route.next_hops.as_slice() { Some(hop) } else { None };
    let like = route.destination.as_ref().map(|destination| &destination.address);
    words.extend(single.iter().flat_map(|hop| hop_words(hop, like)));
    let table = route.table.filter(|table| tables && *table != TABLE_MAIN);
    words.extend(table.map(|table| format!("table {}", table_name(table))));
    let protocol = route.protocol.filter(|protocol| *protocol != BOOT);
    words.extend(protocol.map(|protocol| format!("proto {}", protocol_name(protocol))));
    let scope = route.scope.filter(|scope| *scope != 0);
    words.extend(scope.map(|scope| format!("scope {}", scope_name(scope))));
    words.extend(route.source.as_ref().map(|source| format!("src {}", text_of(source))));
    let metric = route.metric.filter(|metric| *metric != 0);
    words.extend(metric.map(|metric| format!("metric {metric}")));
    words.extend(single.filter(|hop| hop.onlink).map(|_| "onlink".to_owned()));
    words.extend(route.metrics.iter().map(metric_word));
    words
}

fn hop_line(hop: &NextHop) -> String {
    let mut words = hop_words(hop, None);
    words.push(format!("weight {}", hop.weight));
    words.extend(hop.onlink.then(|| "onlink".to_owned()));
    format!("\tnexthop {}\n", words.join(" "))
}

pub(crate) fn route_line(route: &Route, tables: bool) -> String {
    let mut words: Vec<String> = kind_name(route.kind).into_iter().map(str::to_owned).collect();
    words.push(route.destination.as_ref().map_or_else(|| "default".to_owned(), prefix_text));
    words.extend(route_words(route, tables));
    let mut text = words.join(" ");
    text.push('\n');
    if route.next_hops.len() > 1 {
        text.extend(route.next_hops.iter().map(hop_line));
    }
    text
}

/// What `ip route get` prints: the address that was asked about, and how it would go.
pub(crate) fn got_line(
    destination: &IpAddress,
    source: Option<&IpAddress>,
    route: &Route,
) -> String {
    let mut words: Vec<String> = kind_name(route.kind).into_iter().map(str::to_owned).collect();
    words.push(text_of(destination));
    words.extend(source.map(|source| format!("from {}", text_of(source))));
    words.extend(route_words(&Route { from: None, ..route.clone() }, true));
    words.join(" ")
}

fn action_words(action: RuleAction) -> String {
    match action {
        RuleAction::Table(table) => format!("lookup {}", table_name(table)),
        RuleAction::Goto(priority) => format!("goto {priority}"),
        RuleAction::Nop => "nop".to_owned(),
        RuleAction::Blackhole => "blackhole".to_owned(),
        RuleAction::Unreachable => "unreachable".to_owned(),
        RuleAction::Prohibit => "prohibit".to_owned(),
    }
}

pub(crate) fn rule_line(rule: &Rule) -> String {
    let mut words = Vec::new();
    words.extend(rule.inverted.then(|| "not".to_owned()));
    let from = rule.from.as_ref().map_or_else(|| "all".to_owned(), prefix_text);
    words.push(format!("from {from}"));
    words.extend(rule.to.as_ref().map(|to| format!("to {}", prefix_text(to))));
    let service = rule.type_of_service.filter(|service| *service != 0);
    words.extend(service.map(|service| format!("tos {}", service_name(service))));
    words.extend(rule.mark.map(|(mark, mask)| match mask {
        u32::MAX => format!("fwmark {mark:#x}"),
        mask => format!("fwmark {mark:#x}/{mask:#x}"),
    }));
    words.extend(rule.incoming_link.as_ref().map(|link| format!("iif {link}")));
    words.extend(rule.outgoing_link.as_ref().map(|link| format!("oif {link}")));
    let after = |option: &&Attribute| option.name.starts_with("suppress");
    words.extend(rule.options.iter().filter(|option| !after(option)).map(metric_word));
    words.push(action_words(rule.action));
    words.extend(rule.options.iter().filter(after).map(metric_word));
    let protocol = rule.protocol.filter(|protocol| *protocol != KERNEL && *protocol != 0);
    words.extend(protocol.map(|protocol| format!("proto {}", protocol_name(protocol))));
    format!("{}:\t{}\n", rule.priority.unwrap_or(0), words.join(" "))
}

fn state_name(state: NeighbourState) -> Option<&'static str> {
    match state {
        NeighbourState::None => None,
        NeighbourState::Incomplete => Some("INCOMPLETE"),
        NeighbourState::Reachable => Some("REACHABLE"),
        NeighbourState::Stale => Some("STALE"),
        NeighbourState::Delay => Some("DELAY"),
        NeighbourState::Probe => Some("PROBE"),
        NeighbourState::Failed => Some("FAILED"),
        NeighbourState::Noarp => Some("NOARP"),
        NeighbourState::Permanent => Some("PERMANENT"),
    }
}

/// The link is named unless only its own neighbours were asked for.
pub(crate) fn neighbour_line(link: &str, neighbour: &Neighbour, named: bool) -> String {
    let mut words = vec![text_of(&neighbour.address)];
    words.extend(named.then(|| format!("dev {link}")));
    words.extend(neighbour.mac.as_ref().map(|mac| format!("lladdr {}", mac_text(mac))));
    words.extend(neighbour.router.then(|| "router".to_owned()));
    words.extend(neighbour.proxy.then(|| "proxy".to_owned()));
    words.extend(neighbour.extern_learn.then(|| "extern_learn".to_owned()));
    let state = state_name(neighbour.state).filter(|_| !neighbour.proxy);
    words.extend(state.map(str::to_owned));
    format!("{}\n", words.join(" "))
}

#[cfg(test)]
#[path = "show_route_tests.rs"]
mod tests;
