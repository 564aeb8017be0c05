//! Machines, grants and changes out of bytes.

use super::fib::routes_of;
use super::{OWN, World, root};
use crate::change::{
    Address, AddressFlags, Attribute, Change, Family, LinkRef, NextHop, Prefix, Route, RouteKind,
    Rule, RuleAction, Write,
};
use crate::kernel::mark::PROTOCOL;

pub(super) struct Draw<'a> {
    bytes: &'a [u8],
}

const FOUR: [&str; 16] = [
    "0.0.0.0/0",
    "0.0.0.0/1",
    "128.0.0.0/1",
    "8.0.0.0/5",
    "10.0.0.0/8",
    "10.0.0.0/9",
    "10.1.0.0/16",
    "10.1.2.3/32",
    "127.0.0.0/8",
    "127.3.0.0/16",
    "192.0.2.0/24",
    "192.0.2.2/32",
    "203.0.0.0/16",
    "203.0.113.0/24",
    "203.0.113.9/32",
    "203.0.113.0/25",
];
const SIX: [&str; 4] = ["::/0", "2001:db8::/32", "2001:db8::5/128", "2001:db9::/32"];
const TABLES: [Option<u32>; 6] = [None, Some(0), Some(254), Some(255), Some(77), Some(78)];
const KINDS: [RouteKind; 6] = [
    RouteKind::Unicast,
    RouteKind::Unicast,
    RouteKind::Blackhole,
    RouteKind::Throw,
    RouteKind::Local,
    RouteKind::Prohibit,
];
const GRANTS: [&str; 10] = [
    "host.route.add cidr=10.0.0.0/8,2001:db8::/32",
    "host.route.add cidr=10.0.0.0/8 link=lab-*,eth1 table=77",
    "host.route.add cidr=10.1.0.0/16,203.0.113.0/24 link=lab-* table=local,main",
    "host.route.add cidr=203.0.113.0/24 table=77,78",
    "host.route.add cidr=0.0.0.0/1,128.0.0.0/1",
    "host.route.add cidr=0.0.0.0/1,128.0.0.0/1 link=lab-*,eth1 table=local,77",
    "host.route.default link=lab-a,eth1 table=main",
    "host.address.add cidr=10.0.0.0/8,2001:db8::/32 link=lab-*",
    "host.address.add cidr=203.0.0.0/16,10.1.0.0/16,127.0.0.0/8 link=lab-*,eth1",
    "host.link.modify name=eth1",
];

impl<'a> Draw<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// The next byte; 0 where there is none left.
    fn byte(&mut self) -> usize {
        let Some((first, rest)) = self.bytes.split_first() else { return 0 };
        self.bytes = rest;
        usize::from(*first)
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.byte() % all.len()]
    }

    fn rarely(&mut self) -> bool {
        self.byte().is_multiple_of(4)
    }

    fn prefix(&mut self, family: Family) -> Prefix {
        let text = if family == Family::Ipv4 { self.one_of(&FOUR) } else { self.one_of(&SIX) };
        read(text)
    }

    fn some_prefix(&mut self, family: Family) -> Option<Prefix> {
        let prefix = self.prefix(family);
        if self.rarely() { None } else { Some(prefix) }
    }

    fn family(&mut self) -> Family {
        if self.byte().is_multiple_of(8) { Family::Ipv6 } else { Family::Ipv4 }
    }

    pub(super) fn grants(&mut self) -> Vec<&'static str> {
        let bits = self.byte() | self.byte() << 8;
        let chosen = GRANTS.iter().enumerate().filter(|(place, _)| bits >> place & 1 == 1);
        chosen.map(|(_, text)| *text).collect()
    }

    /// The kernel's own rules and routes, with some that others added.
    pub(super) fn world(&mut self) -> World {
        let mut world = World::default();
        // Some move the rule for table local.
        let local = if self.rarely() { 500 } else { 0 };
        for family in [Family::Ipv4, Family::Ipv6] {
            for (priority, table) in [(local, 255), (32766, 254), (32767, 253)] {
                world.add(&Rule {
                    priority: Some(priority),
                    action: RuleAction::Table(table),
                    ..empty_rule(family)
                });
            }
        }
        let held = [("lo", "127.0.0.1/8"), ("eth0", "192.0.2.2/24"), ("eth1", "10.9.9.1/24")];
        for (link, text) in held {
            let address = Address { protocol: Some(0), ..empty_address(read(text)) };
            world.routes.extend(routes_of(link, &address));
            world.addresses.push((link.to_owned(), address));
        }
        let mut loopback = world.routes[1].clone();
        loopback.kind = RouteKind::Local;
        loopback.table = Some(255);
        world.routes[1] = loopback;
        let default = self.one_of(&[77, 254]);
        for table in [254, default] {
            let mut route = empty_route(Family::Ipv4, None);
            route.next_hops = vec![hop(Some("eth0"))];
            route.table = Some(table);
            route.metric = Some(u32::from(table == 254) * 5);
            world.apply(&Change::PutRoute { namespace: root(), route, how: Write::Add });
        }
        if default == 77 {
            let from = Some(Prefix { address: OWN.parse().expect("an address"), length: 32 });
            let action = RuleAction::Table(77);
            world.add(&Rule { from, action, priority: Some(1000), ..empty_rule(Family::Ipv4) });
        }
        for _ in 0..self.byte() % 3 {
            let mut rule = self.rule();
            // Others' rules send the session where they like, but the machine works.
            rule.protocol = if self.rarely() { Some(PROTOCOL) } else { None };
            world.add(&rule);
        }
        for _ in 0..self.byte() % 4 {
            let route = self.route();
            world.apply(&Change::PutRoute { namespace: root(), route, how: Write::Add });
        }
        world
    }

    /// `None` once nothing is left to draw from.
    pub(super) fn change(&mut self) -> Option<Change> {
        if self.bytes.is_empty() {
            return None;
        }
        let namespace = root();
        Some(match self.byte() % 8 {
            0..=2 => {
                let all = [Write::Add, Write::Add, Write::Append, Write::Prepend, Write::Replace];
                let how = self.one_of(&all);
                Change::PutRoute { namespace, route: self.route(), how }
            }
            3..=5 => Change::AddRule { namespace, rule: self.rule() },
            6 => Change::RemoveRule { namespace, rule: self.rule() },
            _ => {
                let name = self.one_of(&["lab-a", "lab-a", "eth1", "eth0"]).to_owned();
                let link = LinkRef { namespace, name, index: None };
                Change::PutAddress { link, address: self.address(), how: Write::Add }
            }
        })
    }

    fn route(&mut self) -> Route {
        let family = self.family();
        let mut route = empty_route(family, self.some_prefix(family));
        route.kind = self.one_of(&KINDS);
        route.table = self.one_of(&TABLES);
        route.metric = self.one_of(&[None, Some(0), Some(5), Some(9)]);
        if self.rarely() {
            route.type_of_service = Some(0x10).filter(|_| family == Family::Ipv4);
            route.from = Some(read("2001:db8::5/128")).filter(|_| family == Family::Ipv6);
        }
        let link = self.one_of(&["lab-a", "lab-a", "eth1", "eth0"]);
        if matches!(route.kind, RouteKind::Unicast | RouteKind::Local) {
            route.next_hops.push(hop(Some(link)));
        }
        if self.rarely() && route.kind == RouteKind::Unicast {
            let gateway = self.one_of(&["192.0.2.1", "10.9.9.7"]).parse().ok();
            route.next_hops.push(NextHop { gateway, ..hop(None) });
        }
        route
    }

    fn rule(&mut self) -> Rule {
        let family = self.family();
        let mut rule = empty_rule(family);
        rule.inverted = self.rarely();
        rule.to = self.some_prefix(family);
        rule.from = self.some_prefix(family).filter(|_| self.rarely());
        rule.priority = self.one_of(&[None, Some(0), Some(100), Some(32766), Some(40000)]);
        rule.action = match self.byte() % 6 {
            0 => RuleAction::Table(self.one_of(&TABLES).unwrap_or(254)),
            1 => RuleAction::Table(77),
            2 => RuleAction::Goto(self.one_of(&[32766, 32767])),
            3 => RuleAction::Nop,
            4 => RuleAction::Prohibit,
            _ => RuleAction::Blackhole,
        };
        let link = self.one_of(&["lo", "lo", "eth0", "lab-a"]);
        let option =
            |name: &str, value: &str| Attribute { name: name.to_owned(), value: value.to_owned() };
        match self.byte() % 12 {
            0 => rule.mark = Some((5, 0xff)),
            1 => rule.type_of_service = Some(0x10),
            2 => rule.options = vec![option("dport", "443")],
            3 => rule.options = vec![option("uidrange", "0-0")],
            4 => rule.options = vec![option("suppress_prefixlength", "0")],
            5 => rule.outgoing_link = Some(link.to_owned()),
            6 | 7 => rule.incoming_link = Some(link.to_owned()),
            _ => {}
        }
        rule
    }

    fn address(&mut self) -> Address {
        let family = self.family();
        let mut address = empty_address(self.prefix(family));
        if self.rarely() {
            address.peer = Some(self.prefix(family));
        }
        if self.rarely() && family == Family::Ipv4 {
            address.broadcast = Some(self.prefix(family).address);
        }
        address.flags.noprefixroute = self.rarely();
        address.metric = self.one_of(&[None, Some(7)]);
        address
    }
}

fn read(text: &str) -> Prefix {
    let (address, length) = text.split_once('/').expect("a prefix");
    Prefix {
        address: address.parse().expect("an address"),
        length: length.parse().expect("a length"),
    }
}

fn hop(link: Option<&str>) -> NextHop {
    NextHop {
        gateway: None,
        link: link.map(str::to_owned),
        weight: 1,
        onlink: false,
        opaque: Vec::new(),
    }
}

fn empty_route(family: Family, destination: Option<Prefix>) -> Route {
    Route {
        family,
        kind: RouteKind::Unicast,
        destination,
        next_hops: Vec::new(),
        table: None,
        metric: None,
        protocol: None,
        scope: None,
        source: None,
        from: None,
        type_of_service: None,
        metrics: Vec::new(),
        opaque: Vec::new(),
    }
}

fn empty_rule(family: Family) -> Rule {
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
        action: RuleAction::Nop,
        protocol: None,
        options: Vec::new(),
    }
}

fn empty_address(prefix: Prefix) -> Address {
    Address {
        prefix,
        peer: None,
        broadcast: None,
        anycast: None,
        label: None,
        scope: None,
        flags: AddressFlags::default(),
        valid_lifetime: None,
        preferred_lifetime: None,
        counted_from: None,
        metric: None,
        protocol: None,
    }
}
