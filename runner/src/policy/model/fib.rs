//! Where the naive machine sends a packet, and what a change makes of its tables.

use std::net::{IpAddr, Ipv4Addr};

use super::{OWN, PEER, World};
use crate::change::{
    Address, Change, Family, NextHop, Prefix, Route, RouteKind, Rule, RuleAction, Write,
};

/// A packet with all that rules look at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    source: IpAddr,
    destination: IpAddr,
    /// the link that it comes in by, `lo` where this machine sends it
    incoming: &'static str,
    mark: u32,
    type_of_service: u8,
    /// what `ipproto`, `dport`, `uidrange` and `oif` of the rules here mean
    web: bool,
}

const STATIONS: [&str; 14] = [
    PEER,
    OWN,
    "127.0.0.1",
    "127.3.0.1",
    "203.0.113.77",
    "203.0.1.1",
    "192.0.2.9",
    "10.1.2.3",
    "10.9.9.9",
    "11.0.0.1",
    "8.8.8.8",
    "172.16.0.1",
    "2001:db8::5",
    "2001:db9::5",
];

/// What becomes of a packet.
#[derive(Debug, PartialEq)]
pub(super) struct Fate(Option<(RouteKind, Vec<NextHop>)>);

impl Sent {
    pub(super) fn plain(source: IpAddr, destination: IpAddr) -> Self {
        Self { source, destination, incoming: "lo", mark: 0, type_of_service: 0, web: false }
    }

    /// One for each type of service that is drawn.
    pub(super) fn of_each_service(source: IpAddr, destination: IpAddr) -> [Self; 2] {
        let plain = Self::plain(source, destination);
        [plain, Self { type_of_service: 0x10, ..plain }]
    }

    /// Enough of them that every prefix and selector of what is drawn tells some apart.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let stations = || STATIONS.iter().map(|text| text.parse::<IpAddr>().expect("an address"));
        let pairs = stations().flat_map(move |source| {
            let same = move |to: &IpAddr| to.is_ipv4() == source.is_ipv4();
            stations().filter(same).map(move |destination| Self::plain(source, destination))
        });
        pairs.flat_map(|plain| {
            let incoming = ["lo", "eth0", "lab-a"].map(|incoming| Self { incoming, ..plain });
            let more = [Self { mark: 5, ..plain }, Self { type_of_service: 0x10, ..plain }];
            incoming.into_iter().chain(more).chain([Self { web: true, ..plain }])
        })
    }

    /// The operator's session, whatever else is said of its packets, and the loopback.
    pub(super) fn is_kept(&self) -> bool {
        let is = |address: IpAddr, text: &str| text.parse() == Ok(address);
        let loopback = |address: IpAddr| address.is_loopback();
        match self.incoming {
            "lo" => {
                let session = is(self.source, OWN) && is(self.destination, PEER);
                session || loopback(self.source) && loopback(self.destination)
            }
            "eth0" => is(self.source, PEER) && is(self.destination, OWN),
            _ => false,
        }
    }

    /// Whether it gets where it should.
    pub(super) fn arrives(&self, fate: &Fate) -> bool {
        match fate {
            Fate(Some((RouteKind::Local, _))) => true,
            Fate(Some((RouteKind::Unicast, _))) => !self.destination.is_loopback(),
            Fate(_) => false,
        }
    }

    /// Whether some grant of the change's kind speaks of one of its addresses.
    pub(super) fn is_granted(&self, change: &Change, given: &[&str]) -> bool {
        let (capability, source) = match change {
            Change::PutAddress { .. } => ("host.address.add", false),
            Change::AddRule { .. } => ("host.route.add", true),
            // None but rules of netwright's own, which were granted when they were added.
            Change::RemoveRule { .. } => return true,
            Change::PutRoute { route, .. } => match route.destination {
                Some(prefix) if prefix.length > 0 => ("host.route.add", false),
                _ => return given.iter().any(|grant| grant.starts_with("host.route.default")),
            },
            _ => return false,
        };
        given.iter().filter(|grant| grant.starts_with(capability)).any(|grant| {
            let cidr = grant.split_once("cidr=").map_or("", |(_, rest)| rest);
            let networks = cidr.split(' ').next().unwrap_or_default().split(',');
            networks.filter_map(|text| text.parse::<ipnet::IpNet>().ok()).any(|network| {
                network.contains(&self.destination) || source && network.contains(&self.source)
            })
        })
    }
}

fn within(address: IpAddr, prefix: Option<Prefix>) -> bool {
    let Some(prefix) = prefix else { return true };
    let bits = |address: IpAddr| match address {
        IpAddr::V4(four) => u128::from(u32::from(four)) << 96,
        IpAddr::V6(six) => u128::from(six),
    };
    let host = 128 - u32::from(prefix.length);
    let mask = u128::MAX.checked_shl(host).unwrap_or(0);
    (bits(address) ^ bits(prefix.address)) & mask == 0
        && address.is_ipv4() == prefix.address.is_ipv4()
}

fn meets(rule: &Rule, sent: &Sent) -> bool {
    let met = within(sent.destination, rule.to)
        && within(sent.source, rule.from)
        && rule.incoming_link.as_deref().is_none_or(|link| link == sent.incoming)
        && (rule.outgoing_link.is_none() || sent.web && sent.incoming == "lo")
        && rule.mark.is_none_or(|(mark, mask)| sent.mark & mask == mark)
        && rule.type_of_service.is_none_or(|tos| tos == sent.type_of_service)
        && rule.options.iter().all(|option| option.name.starts_with("suppress") || sent.web);
    met != rule.inverted
}

fn metric(route: &Route) -> u32 {
    route.metric.unwrap_or(if route.family == Family::Ipv4 { 0 } else { 1024 })
}

impl World {
    pub(super) fn fate(&self, sent: &Sent) -> Fate {
        Fate(self.decided(sent).map(|found| match found {
            Ok(route) => (route.kind, route.next_hops.clone()),
            Err(kind) => (kind, Vec::new()),
        }))
    }

    pub(super) fn lookup(&self, sent: &Sent) -> Option<&Route> {
        self.decided(sent)?.ok()
    }

    /// The route that a packet takes, or the kind that a rule makes of it.
    fn decided(&self, sent: &Sent) -> Option<Result<&Route, RouteKind>> {
        let family = Family::of(sent.destination);
        let mut from = 0;
        for rule in self.rules.iter().filter(|rule| rule.family == family) {
            let priority = rule.priority.unwrap_or(0);
            if priority < from || !meets(rule, sent) {
                continue;
            }
            match rule.action {
                RuleAction::Nop => {}
                RuleAction::Goto(target) => from = target,
                RuleAction::Blackhole => return Some(Err(RouteKind::Blackhole)),
                RuleAction::Unreachable => return Some(Err(RouteKind::Unreachable)),
                RuleAction::Prohibit => return Some(Err(RouteKind::Prohibit)),
                RuleAction::Table(table) => {
                    let Some(found) = self.best(table, sent) else { continue };
                    let length = found.destination.map_or(0, |prefix| prefix.length);
                    let suppressed = rule.options.iter().any(|option| {
                        option.name == "suppress_prefixlength"
                            && option.value.parse().is_ok_and(|least: u8| length <= least)
                    });
                    if !suppressed && found.kind != RouteKind::Throw {
                        return Some(Ok(found));
                    }
                }
            }
        }
        None
    }

    fn best(&self, table: u32, sent: &Sent) -> Option<&Route> {
        let tos = |route: &Route| route.type_of_service.unwrap_or(0);
        let fits = |route: &&Route| {
            route.family == Family::of(sent.destination)
                && route.table == Some(table)
                && within(sent.destination, route.destination)
                && within(sent.source, route.from)
                && [0, sent.type_of_service].contains(&tos(route))
        };
        let length = |prefix: Option<Prefix>| prefix.map_or(0, |prefix| prefix.length);
        self.routes.iter().filter(fits).min_by_key(|route| {
            let (to, from) = (length(route.destination), length(route.from));
            (std::cmp::Reverse((to, from, tos(route))), metric(route))
        })
    }

    pub(super) fn apply(&mut self, change: &Change) {
        match change {
            Change::PutAddress { link, address, .. } => {
                self.addresses.push((link.name.clone(), address.clone()));
                self.routes.extend(routes_of(&link.name, address));
            }
            Change::PutRoute { route, how, .. } => self.put(route, *how),
            Change::AddRule { rule, .. } => self.add(rule),
            Change::RemoveRule { rule, .. } => {
                let meant = |there: &Rule| {
                    let open = rule.action == RuleAction::Table(0) || rule.action == there.action;
                    let to = rule.to.is_none() || rule.to == there.to;
                    let from = rule.from.is_none() || rule.from == there.from;
                    let placed = rule.priority.is_none() || rule.priority == there.priority;
                    placed
                        && there.family == rule.family
                        && there.protocol == rule.protocol
                        && open
                        && to
                        && from
                };
                if let Some(place) = self.rules.iter().position(meant) {
                    self.rules.remove(place);
                }
            }
            _ => {}
        }
    }

    fn put(&mut self, route: &Route, how: Write) {
        let mut route = route.clone();
        // ip-route(8): these are in table local where none is named; the kernel takes 0 for main.
        route.table = Some(match (route.table, route.kind) {
            (Some(0), _) => 254,
            (Some(table), _) => table,
            (None, RouteKind::Local | RouteKind::Broadcast | RouteKind::Anycast) => 255,
            (None, _) => 254,
        });
        let key = |one: &Route| {
            let to = one.destination.filter(|prefix| prefix.length > 0).map(Prefix::network);
            (one.family, one.table, to, one.type_of_service.unwrap_or(0), metric(one))
        };
        let there = self.routes.iter().position(|old| key(old) == key(&route));
        match (how, there) {
            (Write::Add, Some(_)) | (Write::Change, None) => {}
            (Write::Replace | Write::Change, Some(place)) => self.routes[place] = route,
            (Write::Prepend, Some(place)) => self.routes.insert(place, route),
            (Write::Add | Write::Append | Write::Replace | Write::Prepend, _) => {
                self.routes.push(route);
            }
        }
    }

    pub(super) fn add(&mut self, rule: &Rule) {
        let mut rule = rule.clone();
        if let RuleAction::Table(0) = rule.action {
            rule.action = RuleAction::Table(254);
        }
        let of = |one: &Rule| one.priority.unwrap_or(0);
        let mut others = self.rules.iter().filter(|one| one.family == rule.family);
        let second = others.nth(1).map_or(32766, of);
        let priority = rule.priority.unwrap_or(second.saturating_sub(1));
        rule.priority = Some(priority);
        let place = self.rules.iter().position(|one| of(one) > priority);
        self.rules.insert(place.unwrap_or(self.rules.len()), rule);
    }
}

/// What the kernel makes of an address.
pub(super) fn routes_of(link: &str, address: &Address) -> Vec<Route> {
    let own = address.prefix.address;
    let four = own.is_ipv4();
    let bits = if four { 32 } else { 128 };
    let route = |kind, table, address, length, metric| Route {
        family: if four { Family::Ipv4 } else { Family::Ipv6 },
        kind,
        destination: Some(Prefix { address, length }.network()),
        next_hops: vec![NextHop {
            gateway: None,
            link: Some(link.to_owned()),
            weight: 1,
            onlink: false,
            opaque: Vec::new(),
        }],
        table: Some(table),
        metric: Some(metric),
        protocol: Some(2),
        scope: None,
        source: None,
        from: None,
        type_of_service: None,
        metrics: Vec::new(),
        opaque: Vec::new(),
    };
    let shown = address.peer.unwrap_or(address.prefix);
    let metric = address.metric.unwrap_or(if four { 0 } else { 256 });
    let mut all = vec![route(RouteKind::Local, 255, own, bits, 0)];
    let connected = !address.flags.noprefixroute;
    match (shown.address, own) {
        (IpAddr::V4(_), IpAddr::V4(_)) => {
            let network = Prefix { ..shown }.network();
            if connected && (shown.length < 32 || address.peer.is_some()) {
                all.push(route(RouteKind::Unicast, 254, shown.address, shown.length, metric));
            }
            if let (IpAddr::V4(first), true) = (network.address, shown.length < 31) {
                let host = u32::MAX.checked_shr(u32::from(shown.length)).unwrap_or(0);
                let last = IpAddr::from(Ipv4Addr::from(u32::from(first) | host));
                all.push(route(RouteKind::Broadcast, 255, last, 32, 0));
            }
            let broadcast = address.broadcast.filter(|one| *one != Ipv4Addr::BROADCAST);
            all.extend(broadcast.map(|one| route(RouteKind::Broadcast, 255, one, 32, 0)));
        }
        _ => {
            if connected {
                all.push(route(RouteKind::Unicast, 254, own, shown.length, metric));
            }
            let peer = address.peer.map(|peer| peer.address);
            all.extend(peer.map(|peer| route(RouteKind::Unicast, 254, peer, 128, metric)));
        }
    }
    all
}
