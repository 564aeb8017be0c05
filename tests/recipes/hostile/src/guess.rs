//! Calls with generated names and arguments, as many as the parameter `calls` says.

use netwright_sdk::wit::netwright::host::addresses;
use netwright_sdk::wit::netwright::host::batch::Batch;
use netwright_sdk::wit::netwright::host::fdb::{self, Entry};
use netwright_sdk::wit::netwright::host::links::{
    self, Kind, Link, LinkName, Macvlan, Other, Setting, Spec, Veth,
};
use netwright_sdk::wit::netwright::host::namespaces::{self, Namespace};
use netwright_sdk::wit::netwright::host::neighbours::{self, Neighbour, NeighbourState};
use netwright_sdk::wit::netwright::host::routes::{self, NextHop, Route, RouteKind};
use netwright_sdk::wit::netwright::host::rules::{self, Rule, RuleAction};
use netwright_sdk::wit::netwright::host::types::{
    Attribute, Error, Family, IpAddress, IpPrefix, MacAddress, Write,
};
use netwright_sdk::wit::netwright::host::{params, report, sysctls};

use crate::extreme::NAMES;
use crate::{Way, flood};

/// What is there, and what may be made.
const KNOWN: [&str; 14] = [
    "lo",
    "eth1",
    "sw1",
    "br0",
    "mac1",
    "there",
    "lab-0",
    "lab-1",
    "lab-2",
    "eth1@sw1",
    "ETH1",
    "eth1 ",
    "docker:there",
    "pid:1",
];

pub(super) fn way(how: &str) -> Option<Way> {
    (how == "guess").then_some(guess as Way)
}

pub(super) fn number(parameter: &str) -> u64 {
    params::get(parameter).and_then(|text| text.parse().ok()).unwrap_or(1)
}

fn guess() -> Result<(), Error> {
    let mut guesses = Guesses(number("seed"));
    let calls = number("calls");
    let taken = (0..calls).filter(|_| guesses.call().is_ok()).count();
    report::print(&format!("{calls} calls, {} taken", if taken > 0 { "some" } else { "none" }));
    Ok(())
}

/// Numbers by xorshift64* (Marsaglia 2003, Vigna 2016).
pub(super) struct Guesses(pub(super) u64);

impl Guesses {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(super) fn below(&mut self, most: u64) -> u64 {
        (self.next() >> 32) % most
    }

    pub(super) fn of<T: Clone>(&mut self, some: &[T]) -> T {
        some[self.below(some.len() as u64) as usize].clone()
    }

    fn byte(&mut self) -> u8 {
        self.next().to_be_bytes()[0]
    }

    fn name(&mut self) -> String {
        match self.below(4) {
            0 => self.of(&NAMES).to_owned(),
            1 => (0..self.below(18)).map(|_| char::from(self.byte())).collect(),
            _ => self.of(&KNOWN).to_owned(),
        }
    }

    fn some_name(&mut self) -> Option<String> {
        (self.below(2) == 0).then(|| self.name())
    }

    fn number(&mut self) -> u32 {
        let random = self.next() as u32;
        self.of(&[0, 1, 68, 1400, 1500, 65_535, 1 << 31, u32::MAX, random])
    }

    fn mac(&mut self) -> MacAddress {
        (self.byte(), self.byte(), self.byte(), self.byte(), self.byte(), self.byte())
    }

    fn address(&mut self) -> IpAddress {
        let (a, b) = (self.byte(), self.byte());
        let six = |head, tail| IpAddress::Ipv6((head, 0xdb8, 9, 0, 0, 0, 0, tail));
        self.of(&[
            IpAddress::Ipv4((10, 9, 0, 2)),
            IpAddress::Ipv4((10, 99, a, b)),
            IpAddress::Ipv4((a, b, 0, 1)),
            IpAddress::Ipv4((255, 255, 255, 255)),
            six(0x2001, 2),
            six(u16::from(a) << 8, b.into()),
        ])
    }

    fn prefix(&mut self) -> IpPrefix {
        let any = self.byte();
        IpPrefix { address: self.address(), length: self.of(&[0, 8, 16, 24, 32, 64, 128, any]) }
    }

    pub(super) fn how(&mut self) -> Write {
        self.of(&[Write::Add, Write::Change, Write::Replace, Write::Append, Write::Prepend])
    }

    fn attributes(&mut self) -> Vec<Attribute> {
        (0..self.below(3)).map(|_| Attribute { name: self.name(), value: self.name() }).collect()
    }

    fn link_name(&mut self) -> LinkName {
        LinkName { namespace: self.some_name(), name: self.name() }
    }

    fn setting(&mut self) -> Setting {
        match self.below(10) {
            0 => Setting::Up(self.below(2) == 0),
            1 => Setting::Mtu(self.number()),
            2 => Setting::Mac(self.mac()),
            3 => Setting::Name(self.name()),
            4 => Setting::Alias(self.name()),
            5 => Setting::Group(self.number()),
            6 => Setting::Promiscuous(true),
            7 => Setting::Master(self.some_name()),
            8 => Setting::Options(Other { kind: self.name(), options: self.attributes() }),
            _ => Setting::Other(Attribute { name: self.name(), value: self.name() }),
        }
    }

    fn settings(&mut self) -> Vec<Setting> {
        (0..self.below(3)).map(|_| self.setting()).collect()
    }

    fn spec(&mut self) -> Spec {
        let kind = match self.below(4) {
            0 => Kind::Bridge(self.attributes()),
            1 => Kind::Veth(Veth { peer: self.link_name(), peer_settings: self.settings() }),
            2 => Kind::Macvlan(Macvlan {
                mode: None,
                nopromisc: false,
                nodst: false,
                sources: Vec::new(),
                broadcast_queue_length: None,
            }),
            _ => Kind::Other(Other { kind: self.name(), options: self.attributes() }),
        };
        let parent = (self.below(2) == 0).then(|| self.link_name());
        Spec { name: self.name(), kind, parent, settings: self.settings() }
    }

    fn route(&mut self) -> Route {
        let hop = NextHop {
            gateway: Some(self.address()),
            link: self.some_name(),
            weight: 1,
            onlink: false,
        };
        Route {
            family: self.of(&[Family::Ipv4, Family::Ipv6]),
            kind: self.of(&[RouteKind::Unicast, RouteKind::Blackhole, RouteKind::Local]),
            destination: (self.below(4) > 0).then(|| self.prefix()),
            next_hops: vec![hop],
            table: Some(self.number()),
            metric: Some(self.number()),
            protocol: None,
            scope: None,
            source: None,
            from: None,
            type_of_service: None,
            metrics: self.attributes(),
        }
    }

    fn rule(&mut self) -> Rule {
        Rule {
            family: self.of(&[Family::Ipv4, Family::Ipv6]),
            priority: Some(self.number()),
            inverted: false,
            from: Some(self.prefix()),
            to: None,
            incoming_link: self.some_name(),
            outgoing_link: None,
            type_of_service: None,
            mark: None,
            action: RuleAction::Table(self.number()),
            protocol: None,
            options: self.attributes(),
        }
    }

    fn neighbour(&mut self) -> Neighbour {
        Neighbour {
            address: self.address(),
            mac: Some(self.mac()),
            state: NeighbourState::Permanent,
            proxy: self.below(2) == 0,
            router: false,
            extern_learn: false,
        }
    }

    fn entry(&mut self) -> Entry {
        let mac = self.mac();
        Entry { mac, vlan: None, aged: false, master: self.below(2) == 0, destination: None }
    }

    /// Puts something into a batch.
    fn add(&mut self, batch: &Batch) {
        match self.below(8) {
            0 => namespaces::add_namespace(batch, &self.name()),
            1 => links::add_link(batch, self.some_name().as_deref(), &self.spec()),
            2 => links::add_settings(batch, &self.link_name(), &self.settings()),
            3 => {
                let address = flood::address(self.prefix());
                addresses::add_address(batch, &self.link_name(), &address, self.how());
            }
            4 => routes::add_route(batch, self.some_name().as_deref(), &self.route(), self.how()),
            5 => rules::add_rule(batch, self.some_name().as_deref(), &self.rule()),
            6 => {
                let (link, how) = (self.link_name(), self.how());
                neighbours::add_neighbour(batch, &link, self.neighbour(), how);
            }
            _ => {
                let (key, value) = (self.key(), self.name());
                sysctls::add_sysctl(batch, self.some_name().as_deref(), &key, &value);
            }
        }
    }

    fn key(&mut self) -> String {
        let name = self.name();
        let any = format!("net/ipv4/conf/{name}/forwarding");
        self.of(&["net.ipv4.ip_forward".to_owned(), any, format!("net/../{name}"), name])
    }

    fn place(&mut self) -> Result<Namespace, Error> {
        if self.below(2) == 0 { Namespace::root() } else { Namespace::open(&self.name()) }
    }

    fn link(&mut self) -> Result<Link, Error> {
        Link::open(&self.place()?, &self.name())
    }

    fn call(&mut self) -> Result<(), Error> {
        match self.below(16) {
            0 => Namespace::create(&self.name()).map(drop),
            1 => self.place()?.delete(),
            2 => self.place()?.set_id(&self.name(), self.number() as i32),
            3 | 4 => Link::create(&self.place()?, &self.spec()).map(drop),
            5 | 6 => self.link()?.change(&self.settings()),
            7 => self.link()?.move_to(&self.place()?),
            8 => self.link()?.delete(),
            9 => addresses::put(&self.link()?, &flood::address(self.prefix()), self.how()),
            10 => addresses::remove(&self.link()?, self.prefix(), None),
            11 => match self.below(2) {
                0 => routes::put(&self.place()?, &self.route(), self.how()),
                _ => routes::remove(&self.place()?, &self.route()),
            },
            12 => match self.below(2) {
                0 => rules::add(&self.place()?, &self.rule()),
                _ => rules::remove(&self.place()?, &self.rule()),
            },
            13 => match self.below(3) {
                0 => neighbours::put(&self.link()?, self.neighbour(), self.how()),
                1 => neighbours::remove(&self.link()?, self.address(), false),
                _ => fdb::put(&self.link()?, self.entry(), self.how()),
            },
            14 => sysctls::set(&self.place()?, &self.key(), &self.name()),
            _ => {
                let batch = Batch::new();
                (0..1 + self.below(3)).for_each(|_| self.add(&batch));
                Batch::apply(batch).map_err(|failure| failure.error)
            }
        }
    }
}
