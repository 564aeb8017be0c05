//! Addresses, routes and rules of every form, near what is granted and far from it: whatever is
//! permitted stays until the run ends.

use netwright_sdk::wit::netwright::host::addresses;
use netwright_sdk::wit::netwright::host::links::Link;
use netwright_sdk::wit::netwright::host::namespaces::Namespace;
use netwright_sdk::wit::netwright::host::probes::{self, Condition};
use netwright_sdk::wit::netwright::host::routes::{self, NextHop, Route, RouteKind};
use netwright_sdk::wit::netwright::host::rules::{self, Rule, RuleAction};
use netwright_sdk::wit::netwright::host::types::{
    Attribute, Error, Family, IpAddress, IpPrefix, Write,
};

use crate::guess::{Guesses, number};
use crate::{Way, flood, veth};

pub(super) fn way(how: &str) -> Option<Way> {
    (how == "reroute").then_some(reroute as Way)
}

fn reroute() -> Result<(), Error> {
    let mut guesses = Guesses(number("seed"));
    let (root, link) = (Namespace::root()?, veth("lab-a", "lab-b")?);
    let own = Namespace::create("lab-w")?;
    for _ in 0..number("calls") {
        // Most are denied, and some the kernel takes for nonsense.
        let _refusal = match guesses.below(4) {
            0 => guesses.puts_an_address(&link),
            1 => routes::put(&root, &guesses.some_route(), guesses.how()),
            _ => rules::add(&root, &guesses.some_rule()),
        };
    }
    // Tells that the others are done.
    rules::add(&root, &Rule { to: Some(four(10, 255, 255, 32)), ..nothing(Family::Ipv4) })?;
    probes::wait_until(&own, &Condition::LinkCarrier("nowhere".to_owned()), u32::MAX).map(drop)
}

fn four(a: u8, b: u8, d: u8, length: u8) -> IpPrefix {
    IpPrefix { address: IpAddress::Ipv4((a, b, 0, d)), length }
}

fn six(second: u16, length: u8) -> IpPrefix {
    IpPrefix { address: IpAddress::Ipv6((0x2001, second, 0, 0, 0, 0, 0, 0)), length }
}

fn nothing(family: Family) -> Rule {
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
        action: RuleAction::Prohibit,
        protocol: None,
        options: Vec::new(),
    }
}

impl Guesses {
    fn family(&mut self) -> Family {
        self.of(&[Family::Ipv4, Family::Ipv4, Family::Ipv6])
    }

    fn network(&mut self, family: Family) -> IpPrefix {
        match family {
            Family::Ipv4 => self.of(&[
                four(0, 0, 0, 0),
                four(0, 0, 0, 1),
                four(128, 0, 0, 1),
                four(8, 0, 0, 5),
                four(10, 0, 0, 8),
                four(10, 1, 0, 16),
                four(10, 1, 3, 32),
                four(10, 9, 0, 16),
                four(127, 0, 0, 8),
                four(192, 0, 0, 8),
                four(203, 0, 0, 16),
                four(172, 16, 0, 12),
            ]),
            Family::Ipv6 => self.of(&[six(0, 0), six(0xdb8, 32), six(0xdb8, 128), six(0xdb9, 32)]),
        }
    }

    fn some_network(&mut self, family: Family) -> Option<IpPrefix> {
        (self.below(3) > 0).then(|| self.network(family))
    }

    fn link_of_some(&mut self) -> String {
        self.of(&["lab-a", "lab-a", "eth0", "eth1", "lo"]).to_owned()
    }

    fn puts_an_address(&mut self, link: &Link) -> Result<(), Error> {
        let family = self.family();
        let mut address = flood::address(self.network(family));
        address.peer = (self.below(3) == 0).then(|| self.network(family));
        let broadcast = self.network(family).address;
        address.broadcast = (self.below(3) == 0 && family == Family::Ipv4).then_some(broadcast);
        addresses::put(link, &address, self.of(&[Write::Add, Write::Replace]))
    }

    fn some_route(&mut self) -> Route {
        let family = self.family();
        let kind = self.of(&[
            RouteKind::Unicast,
            RouteKind::Unicast,
            RouteKind::Blackhole,
            RouteKind::Unreachable,
            RouteKind::Prohibit,
            RouteKind::Throw,
            RouteKind::Local,
            RouteKind::Broadcast,
        ]);
        let hop = |link| NextHop { gateway: None, link: Some(link), weight: 1, onlink: false };
        let leads = matches!(kind, RouteKind::Unicast | RouteKind::Local | RouteKind::Broadcast);
        let hops = if leads { vec![hop(self.link_of_some())] } else { Vec::new() };
        Route {
            family,
            kind,
            destination: self.some_network(family),
            next_hops: hops,
            table: self.of(&[None, Some(0), Some(254), Some(255), Some(77)]),
            metric: self.of(&[None, Some(0), Some(7)]),
            protocol: None,
            scope: None,
            source: None,
            from: None,
            type_of_service: self.of(&[None, None, Some(0x10)]),
            metrics: Vec::new(),
        }
    }

    fn some_rule(&mut self) -> Rule {
        let family = self.family();
        let option =
            |name: &str, value: &str| Attribute { name: name.to_owned(), value: value.to_owned() };
        let options = self.of(&[
            Vec::new(),
            Vec::new(),
            vec![option("ipproto", "tcp")],
            vec![option("uidrange", "0-0")],
            vec![option("suppress_prefixlength", "0")],
        ]);
        Rule {
            priority: self.of(&[None, Some(0), Some(100), Some(32766), Some(40000)]),
            inverted: self.below(4) == 0,
            from: self.some_network(family),
            to: self.some_network(family),
            incoming_link: (self.below(4) == 0).then(|| self.link_of_some()),
            outgoing_link: (self.below(8) == 0).then(|| self.link_of_some()),
            type_of_service: self.of(&[None, None, Some(0x10)]),
            mark: self.of(&[None, None, Some((5, 0xff)), Some((0, 0xff))]),
            action: self.of(&[
                RuleAction::Blackhole,
                RuleAction::Prohibit,
                RuleAction::Unreachable,
                RuleAction::Table(77),
                RuleAction::Table(254),
                RuleAction::Goto(32766),
                RuleAction::Nop,
            ]),
            options,
            ..nothing(family)
        }
    }
}
