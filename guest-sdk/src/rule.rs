//! Rules: which packets use which routing table, ip-rule(8).

use std::fmt::Display;

use netwright_network::change::TABLE_MAIN;

use crate::address::family;
use crate::host;
use crate::link::kind::attribute;
use crate::pending::Pending;
use crate::place::Place;
use crate::wit::rules::{Rule, RuleAction};
use crate::wit::types::Family;
use crate::{IntoPrefix, Namespace, Prefix, Result};

/// A rule to be added or removed; it leads to the table `main` unless told otherwise.
#[derive(Debug, Clone)]
#[must_use = "a rule is made by `add`"]
pub struct RuleBuilder<P> {
    place: P,
    rule: Pending<Rule>,
}

impl<P: Place> RuleBuilder<P> {
    pub(crate) fn new(place: P) -> Self {
        let rule = Rule {
            family: Family::Ipv4,
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
        };
        Self { place, rule: Pending::new(Ok(rule)) }
    }

    fn set(mut self, set: impl FnOnce(&mut Rule)) -> Self {
        self.rule.set(set);
        self
    }

    fn network(mut self, network: impl IntoPrefix, set: impl FnOnce(&mut Rule, Prefix)) -> Self {
        self.rule.put(network.into_prefix(), |rule, network| {
            rule.family = family(network.addr());
            set(rule, network);
        });
        self
    }

    /// Packets that come from these addresses. As `from PREFIX`.
    pub fn from(self, network: impl IntoPrefix) -> Self {
        self.network(network, |rule, network| rule.from = Some(network.into()))
    }

    /// Packets that go to these addresses. As `to PREFIX`.
    pub fn to(self, network: impl IntoPrefix) -> Self {
        self.network(network, |rule, network| rule.to = Some(network.into()))
    }

    /// All the other packets. As `not`.
    pub fn inverted(self) -> Self {
        self.set(|rule| rule.inverted = true)
    }

    /// Packets that came in by a link. As `iif LINK`.
    pub fn incoming_link(self, name: impl Into<String>) -> Self {
        self.set(|rule| rule.incoming_link = Some(name.into()))
    }

    /// Packets of sockets that are bound to a link. As `oif LINK`.
    pub fn outgoing_link(self, name: impl Into<String>) -> Self {
        self.set(|rule| rule.outgoing_link = Some(name.into()))
    }

    /// Packets that a firewall marked so. As `fwmark MARK/MASK`.
    pub fn mark(self, mark: u32, mask: u32) -> Self {
        self.set(|rule| rule.mark = Some((mark, mask)))
    }

    /// IPv6 packets, where no address says so. As `ip -6 rule`.
    pub fn ipv6(self) -> Self {
        self.set(|rule| rule.family = Family::Ipv6)
    }

    /// When it is asked: lower numbers first, 0 to 32767. As `priority NUMBER`.
    pub fn priority(self, priority: u32) -> Self {
        self.set(|rule| rule.priority = Some(priority))
    }

    /// The routing table to use. As `lookup NUMBER`.
    pub fn table(self, table: u32) -> Self {
        self.action(RuleAction::Table(table))
    }

    /// What else becomes of the packets. As `blackhole`, `unreachable`, `prohibit`, `goto`, `nop`.
    pub fn action(self, action: RuleAction) -> Self {
        self.set(|rule| rule.action = action)
    }

    /// Any other property in ip(8)'s words: `option("ipproto", "tcp")`.
    pub fn option(self, name: &str, value: impl Display) -> Self {
        self.set(|rule| rule.options.push(attribute(name, value)))
    }

    pub(crate) fn finish(self) -> Result<(P, Rule)> {
        Ok((self.place, self.rule.finish()?))
    }

    /// As `ip rule add`.
    pub fn add(self) -> Result<()> {
        self.place.put_rule(self.rule.finish()?)
    }
}

impl RuleBuilder<Namespace> {
    /// Removes the first one that is as described. As `ip rule delete`.
    pub fn remove(self) -> Result<()> {
        let rule = self.rule.finish()?;
        Ok(host::rules::remove(self.place.handle(), &rule)?)
    }
}
