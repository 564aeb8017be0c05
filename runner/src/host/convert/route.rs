//! Addresses, routes, rules and neighbours across the edge.

use super::{
    Parsed, attributes, attributes_out, existing_link, family, family_out, ip, ip_out, mac,
    mac_out, prefix, prefix_out, text,
};
use crate::change::{
    Address, AddressFlags, AddressInfo, Entry, Neighbour, NeighbourState, NextHop, Route,
    RouteKind, Rule, RuleAction,
};
use crate::host::bindings::netwright::host::{addresses, fdb, neighbours, routes, rules};

pub(in crate::host) fn address(address: addresses::Address) -> Parsed<Address> {
    let flags = address.flags;
    let set = |flag| flags.contains(flag);
    Ok(Address {
        prefix: prefix(address.prefix)?,
        peer: address.peer.map(prefix).transpose()?,
        broadcast: address.broadcast.map(ip),
        anycast: address.anycast.map(ip),
        label: address.label.map(|label| text(label, "a label")).transpose()?,
        scope: address.scope,
        flags: AddressFlags {
            nodad: set(addresses::AddressFlags::NODAD),
            home: set(addresses::AddressFlags::HOME),
            mngtmpaddr: set(addresses::AddressFlags::MNGTMPADDR),
            noprefixroute: set(addresses::AddressFlags::NOPREFIXROUTE),
            autojoin: set(addresses::AddressFlags::AUTOJOIN),
            optimistic: set(addresses::AddressFlags::OPTIMISTIC),
        },
        valid_lifetime: address.valid_lifetime,
        preferred_lifetime: address.preferred_lifetime,
        counted_from: None,
        metric: address.metric,
        protocol: address.protocol,
    })
}

pub(in crate::host) fn address_info(info: AddressInfo) -> addresses::Info {
    let address = info.address;
    let flags = [
        (address.flags.nodad, addresses::AddressFlags::NODAD),
        (address.flags.home, addresses::AddressFlags::HOME),
        (address.flags.mngtmpaddr, addresses::AddressFlags::MNGTMPADDR),
        (address.flags.noprefixroute, addresses::AddressFlags::NOPREFIXROUTE),
        (address.flags.autojoin, addresses::AddressFlags::AUTOJOIN),
        (address.flags.optimistic, addresses::AddressFlags::OPTIMISTIC),
    ]
    .into_iter()
    .filter(|(set, _)| *set)
    .fold(addresses::AddressFlags::empty(), |flags, (_, each)| flags | each);
    addresses::Info {
        link: info.link,
        address: addresses::Address {
            prefix: prefix_out(address.prefix),
            peer: address.peer.map(prefix_out),
            broadcast: address.broadcast.map(ip_out),
            anycast: address.anycast.map(ip_out),
            label: address.label,
            scope: address.scope,
            flags,
            valid_lifetime: address.valid_lifetime,
            preferred_lifetime: address.preferred_lifetime,
            metric: address.metric,
            protocol: address.protocol,
        },
        tentative: info.tentative,
        duplicate: info.duplicate,
        dynamic: info.dynamic,
        secondary: info.secondary,
        deprecated: info.deprecated,
    }
}

fn route_kind(kind: routes::RouteKind) -> RouteKind {
    match kind {
        routes::RouteKind::Unicast => RouteKind::Unicast,
        routes::RouteKind::Local => RouteKind::Local,
        routes::RouteKind::Broadcast => RouteKind::Broadcast,
        routes::RouteKind::Anycast => RouteKind::Anycast,
        routes::RouteKind::Multicast => RouteKind::Multicast,
        routes::RouteKind::Blackhole => RouteKind::Blackhole,
        routes::RouteKind::Unreachable => RouteKind::Unreachable,
        routes::RouteKind::Prohibit => RouteKind::Prohibit,
        routes::RouteKind::Throw => RouteKind::Throw,
        routes::RouteKind::Nat => RouteKind::Nat,
    }
}

fn route_kind_out(kind: RouteKind) -> routes::RouteKind {
    match kind {
        RouteKind::Unicast => routes::RouteKind::Unicast,
        RouteKind::Local => routes::RouteKind::Local,
        RouteKind::Broadcast => routes::RouteKind::Broadcast,
        RouteKind::Anycast => routes::RouteKind::Anycast,
        RouteKind::Multicast => routes::RouteKind::Multicast,
        RouteKind::Blackhole => routes::RouteKind::Blackhole,
        RouteKind::Unreachable => routes::RouteKind::Unreachable,
        RouteKind::Prohibit => routes::RouteKind::Prohibit,
        RouteKind::Throw => routes::RouteKind::Throw,
        RouteKind::Nat => routes::RouteKind::Nat,
    }
}

fn next_hop(hop: routes::NextHop) -> Parsed<NextHop> {
    Ok(NextHop {
        gateway: hop.gateway.map(ip),
        link: hop.link.as_deref().map(existing_link).transpose()?,
        weight: hop.weight,
        onlink: hop.onlink,
        opaque: Vec::new(),
    })
}

pub(in crate::host) fn route(route: routes::Route) -> Parsed<Route> {
    Ok(Route {
        family: family(route.family),
        kind: route_kind(route.kind),
        destination: route.destination.map(prefix).transpose()?,
        next_hops: route.next_hops.into_iter().map(next_hop).collect::<Parsed<_>>()?,
        table: route.table,
        metric: route.metric,
        protocol: route.protocol,
        scope: route.scope,
        source: route.source.map(ip),
        from: route.from.map(prefix).transpose()?,
        type_of_service: route.type_of_service,
        metrics: attributes(route.metrics)?,
        opaque: Vec::new(),
    })
}

pub(in crate::host) fn route_out(route: Route) -> routes::Route {
    let hop = |hop: NextHop| routes::NextHop {
        gateway: hop.gateway.map(ip_out),
        link: hop.link,
        weight: hop.weight,
        onlink: hop.onlink,
    };
    routes::Route {
        family: family_out(route.family),
        kind: route_kind_out(route.kind),
        destination: route.destination.map(prefix_out),
        next_hops: route.next_hops.into_iter().map(hop).collect(),
        table: route.table,
        metric: route.metric,
        protocol: route.protocol,
        scope: route.scope,
        source: route.source.map(ip_out),
        from: route.from.map(prefix_out),
        type_of_service: route.type_of_service,
        metrics: attributes_out(route.metrics),
    }
}

pub(in crate::host) fn rule(rule: rules::Rule) -> Parsed<Rule> {
    Ok(Rule {
        family: family(rule.family),
        priority: rule.priority,
        inverted: rule.inverted,
        from: rule.from.map(prefix).transpose()?,
        to: rule.to.map(prefix).transpose()?,
        incoming_link: rule.incoming_link.as_deref().map(existing_link).transpose()?,
        outgoing_link: rule.outgoing_link.as_deref().map(existing_link).transpose()?,
        type_of_service: rule.type_of_service,
        mark: rule.mark,
        action: match rule.action {
            rules::RuleAction::Table(table) => RuleAction::Table(table),
            rules::RuleAction::Goto(priority) => RuleAction::Goto(priority),
            rules::RuleAction::Nop => RuleAction::Nop,
            rules::RuleAction::Blackhole => RuleAction::Blackhole,
            rules::RuleAction::Unreachable => RuleAction::Unreachable,
            rules::RuleAction::Prohibit => RuleAction::Prohibit,
        },
        protocol: rule.protocol,
        options: attributes(rule.options)?,
    })
}

pub(in crate::host) fn rule_out(rule: Rule) -> rules::Rule {
    rules::Rule {
        family: family_out(rule.family),
        priority: rule.priority,
        inverted: rule.inverted,
        from: rule.from.map(prefix_out),
        to: rule.to.map(prefix_out),
        incoming_link: rule.incoming_link,
        outgoing_link: rule.outgoing_link,
        type_of_service: rule.type_of_service,
        mark: rule.mark,
        action: match rule.action {
            RuleAction::Table(table) => rules::RuleAction::Table(table),
            RuleAction::Goto(priority) => rules::RuleAction::Goto(priority),
            RuleAction::Nop => rules::RuleAction::Nop,
            RuleAction::Blackhole => rules::RuleAction::Blackhole,
            RuleAction::Unreachable => rules::RuleAction::Unreachable,
            RuleAction::Prohibit => rules::RuleAction::Prohibit,
        },
        protocol: rule.protocol,
        options: attributes_out(rule.options),
    }
}

pub(in crate::host) fn neighbour(neighbour: neighbours::Neighbour) -> Neighbour {
    use neighbours::NeighbourState as State;
    Neighbour {
        address: ip(neighbour.address),
        mac: neighbour.mac.map(mac),
        state: match neighbour.state {
            State::None => NeighbourState::None,
            State::Incomplete => NeighbourState::Incomplete,
            State::Reachable => NeighbourState::Reachable,
            State::Stale => NeighbourState::Stale,
            State::Delay => NeighbourState::Delay,
            State::Probe => NeighbourState::Probe,
            State::Failed => NeighbourState::Failed,
            State::Noarp => NeighbourState::Noarp,
            State::Permanent => NeighbourState::Permanent,
        },
        proxy: neighbour.proxy,
        router: neighbour.router,
        extern_learn: neighbour.extern_learn,
        protocol: None,
    }
}

pub(in crate::host) fn neighbour_out(neighbour: Neighbour) -> neighbours::Neighbour {
    use neighbours::NeighbourState as State;
    neighbours::Neighbour {
        address: ip_out(neighbour.address),
        mac: neighbour.mac.map(mac_out),
        state: match neighbour.state {
            NeighbourState::None => State::None,
            NeighbourState::Incomplete => State::Incomplete,
            NeighbourState::Reachable => State::Reachable,
            NeighbourState::Stale => State::Stale,
            NeighbourState::Delay => State::Delay,
            NeighbourState::Probe => State::Probe,
            NeighbourState::Failed => State::Failed,
            NeighbourState::Noarp => State::Noarp,
            NeighbourState::Permanent => State::Permanent,
        },
        proxy: neighbour.proxy,
        router: neighbour.router,
        extern_learn: neighbour.extern_learn,
    }
}

pub(in crate::host) fn entry(entry: fdb::Entry) -> Entry {
    Entry {
        mac: mac(entry.mac),
        vlan: entry.vlan,
        aged: entry.aged,
        master: entry.master,
        destination: entry.destination.map(ip),
        told: None,
    }
}

pub(in crate::host) fn entry_out(entry: Entry) -> fdb::Entry {
    fdb::Entry {
        mac: mac_out(entry.mac),
        vlan: entry.vlan,
        aged: entry.aged,
        master: entry.master,
        destination: entry.destination.map(ip_out),
    }
}
