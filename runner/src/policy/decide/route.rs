//! Routes and rules on the host.

use std::net::IpAddr;

use ipnet::IpNet;

use super::super::coverage::{self, MAIN_TABLE, Reach, network};
use super::super::host::{destination, forbidden, routes};
use super::{Decision, Subject, mark};
use crate::change::{Answer, Change, LinkRef, NamespaceRef, Query, Route, Rule, Write};
use crate::grant::{Capability, Facts};
use crate::kernel::mark::PROTOCOL;
use crate::kernel::{Denial, Error};

impl Decision<'_> {
    pub(super) fn put_route(
        &mut self,
        namespace: NamespaceRef,
        mut route: Route,
        how: Write,
        shown: &str,
    ) -> Result<Change, Error> {
        let (own, namespace) = self.place(namespace)?;
        if own {
            return Ok(Change::PutRoute { namespace, route, how });
        }
        for link in self.links_of(&namespace, &route)? {
            self.needs_route(&route, link, shown)?;
        }
        self.policy.floor_of_a_route(&namespace, &route, self.kernel)?;
        if matches!(how, Write::Change | Write::Replace) {
            let all = routes(&namespace, route.family, self.kernel)?;
            for old in all.iter().filter(|old| replaces(&route, old)) {
                self.loses(&namespace, old, shown)?;
            }
        }
        route.protocol = mark(route.protocol)?;
        Ok(Change::PutRoute { namespace, route, how })
    }

    /// The links that a route leaves by; `None` where it leaves by none.
    fn links_of(
        &mut self,
        namespace: &NamespaceRef,
        route: &Route,
    ) -> Result<Vec<Option<String>>, Error> {
        if route.metrics.iter().any(|metric| metric.name == "nhid") {
            let why = "what leaves by a next hop object (`nhid`) leaves by whatever that is";
            return Err(forbidden("a route", &route.to_string(), why));
        }
        let mut links = Vec::new();
        for hop in &route.next_hops {
            let names = match (&hop.link, hop.gateway) {
                (Some(name), _) => vec![name.clone()],
                (None, Some(gateway)) => self.links_to(namespace, gateway),
                (None, None) => Vec::new(),
            };
            for name in &names {
                let link =
                    LinkRef { namespace: namespace.clone(), name: name.clone(), index: None };
                if let Subject::Foreign(seen) = self.subject(&link, Capability::HostLinkModify)? {
                    self.links.push(seen.reference);
                }
            }
            links.extend(names.into_iter().map(Some));
        }
        if links.is_empty() {
            links.push(None);
        }
        Ok(links)
    }

    /// The links that a gateway is behind: by the addresses that are there, and by those that the
    /// batch has yet to put.
    fn links_to(&self, namespace: &NamespaceRef, gateway: IpAddr) -> Vec<String> {
        let to_come =
            self.together.networks.iter().filter(|(place, network, _)| {
                *place == namespace.name && network.contains(&gateway)
            });
        let to_come: Vec<String> = to_come.map(|(_, _, link)| link.clone()).collect();
        let (namespace, destination) = (namespace.clone(), gateway);
        let query = Query::Lookup { namespace, destination, source: None };
        // Where there is no way yet, it is behind what the batch puts.
        let found = match super::super::look(query, self.kernel) {
            Ok(Answer::Routes(found)) => found,
            _ => Vec::new(),
        };
        let hops = found.iter().flat_map(|route| &route.next_hops);
        // The kernel takes a gateway only where it is on a link (fib_check_nh).
        let near = hops.filter(|hop| to_come.is_empty() || hop.gateway.is_none());
        let mut links: Vec<String> = near.filter_map(|hop| hop.link.clone()).collect();
        links.extend(to_come);
        links.dedup();
        links
    }

    fn needs_route(&self, route: &Route, link: Option<String>, shown: &str) -> Result<(), Error> {
        let table = Some(route.table()).filter(|table| *table != MAIN_TABLE);
        let facts = Facts { link, table, ..Facts::default() };
        match destination(route) {
            None => self.policy.need(Capability::HostRouteDefault, facts, &shown),
            Some(prefix) => {
                let facts = Facts { cidr: network(prefix), ..facts };
                self.policy.need(Capability::HostRouteAdd, facts, &shown)
            }
        }
    }

    /// Needs the right to take away a route that is there.
    fn loses(&mut self, namespace: &NamespaceRef, old: &Route, shown: &str) -> Result<(), Error> {
        self.policy.floor_of_a_loss(namespace, old, self.kernel)?;
        if old.protocol == Some(PROTOCOL) {
            return Ok(());
        }
        for link in self.links_of(namespace, old)? {
            match (destination(old), link) {
                (None, link) => self.needs_route(old, link, shown)?,
                (Some(_), Some(name)) => {
                    let namespace = namespace.clone();
                    self.alters(LinkRef { namespace, name, index: None }, shown)?;
                }
                (Some(_), None) => {
                    let why = "this run did not make it";
                    return Err(forbidden("removing a route", &old.to_string(), why));
                }
            }
        }
        Ok(())
    }

    pub(super) fn remove_route(
        &mut self,
        namespace: NamespaceRef,
        mut route: Route,
        shown: &str,
    ) -> Result<Change, Error> {
        let (own, namespace) = self.place(namespace)?;
        if own {
            return Ok(Change::RemoveRoute { namespace, route });
        }
        let all = routes(&namespace, route.family, self.kernel)?;
        let meant: Vec<&Route> = all.iter().filter(|there| is_meant(&route, there)).collect();
        if meant.iter().any(|there| there.protocol == Some(PROTOCOL)) {
            // Of two that fit, the run's own.
            route.protocol = mark(route.protocol)?;
        } else if meant.is_empty() {
            for link in self.links_of(&namespace, &route)? {
                self.needs_route(&route, link, shown)?;
            }
        }
        for there in meant.iter().filter(|_| route.protocol != Some(PROTOCOL)) {
            self.loses(&namespace, there, shown)?;
        }
        self.links_of(&namespace, &route)?;
        Ok(Change::RemoveRoute { namespace, route })
    }

    pub(super) fn add_rule(
        &mut self,
        namespace: NamespaceRef,
        mut rule: Rule,
        shown: &str,
    ) -> Result<Change, Error> {
        let (own, namespace) = self.place(namespace)?;
        if !own {
            self.needs_rule(&namespace, &rule, shown)?;
            self.policy.floor_of_a_rule(&namespace, &rule, self.kernel)?;
            rule.protocol = mark(rule.protocol)?;
        }
        Ok(Change::AddRule { namespace, rule })
    }

    pub(super) fn remove_rule(
        &mut self,
        namespace: NamespaceRef,
        mut rule: Rule,
        shown: &str,
    ) -> Result<Change, Error> {
        let (own, namespace) = self.place(namespace)?;
        if !own {
            // Whoever may add none has none; and the kernel's answer tells of the machine's own.
            self.policy.may_add_rules(shown)?;
            // So that the kernel finds none but the run's own.
            rule.protocol = mark(rule.protocol)?;
            self.policy.floor_of_a_lost_rule(&namespace, &rule, self.kernel)?;
        }
        Ok(Change::RemoveRule { namespace, rule })
    }

    /// Needs the right to all that a rule is for: by where it goes to, or by where it comes from.
    fn needs_rule(
        &mut self,
        namespace: &NamespaceRef,
        rule: &Rule,
        shown: &str,
    ) -> Result<(), Error> {
        if rule.options.iter().any(|option| option.name == "l3mdev") {
            let why = "it looks into the tables of all VRFs; name the table";
            return Err(forbidden("a rule with `l3mdev`", shown, why));
        }
        let table = coverage::table_of(rule).filter(|table| *table != MAIN_TABLE);
        let facts = |network: &IpNet| Facts { cidr: Some(*network), table, ..Facts::default() };
        let add = Capability::HostRouteAdd;
        let reach = Reach::of_rule(rule);
        let granted = |networks: &[IpNet]| {
            !networks.is_empty()
                && networks.iter().all(|network| self.policy.would_have(add, facts(network)))
        };
        // What comes from somewhere goes anywhere: only where the destinations are not granted.
        let everything = [coverage::everything(rule.family)];
        let by_source = !granted(&reach.destinations)
            && (granted(&reach.sources) || reach.destinations == everything);
        let (by, beside) = match by_source {
            true => (&reach.sources, &reach.destinations),
            false => (&reach.destinations, &reach.sources),
        };
        for network in by {
            let need = self.policy.need(add, facts(network), &shown);
            need.map_err(|error| of_the_rest(error, rule))?;
        }
        for network in beside {
            self.policy.not_denied(add, facts(network), &shown)?;
        }
        if by_source {
            self.needs_senders(namespace, &reach.sources, shown)?;
        }
        Ok(())
    }

    /// All that an address of this machine sends is its link's: whoever redirects it alters the
    /// link, unless the run made one of the two.
    fn needs_senders(
        &mut self,
        namespace: &NamespaceRef,
        sources: &[IpNet],
        shown: &str,
    ) -> Result<(), Error> {
        let query = Query::Addresses { namespace: namespace.clone(), family: None };
        let Answer::Addresses(all) = super::super::look(query, self.kernel)? else {
            return Ok(());
        };
        let sends = |address: IpAddr| sources.iter().any(|network| network.contains(&address));
        for info in all.iter().filter(|info| sends(info.address.prefix.address)) {
            if info.address.protocol != Some(PROTOCOL) {
                let (namespace, name) = (namespace.clone(), info.link.clone());
                self.alters(LinkRef { namespace, name, index: None }, shown)?;
            }
        }
        Ok(())
    }
}

/// A denial of a rule that is for all but what it names, which no single grant would lift.
fn of_the_rest(error: Error, rule: &Rule) -> Error {
    match error {
        Error::Denied(denial) if rule.inverted => Error::Denied(Denial {
            hint: "`not` makes it a rule for all the rest; write one without `not` for what is \
                   granted"
                .to_owned(),
            ..denial
        }),
        other => other,
    }
}

/// Whether a new route takes the place of an old one.
fn replaces(new: &Route, old: &Route) -> bool {
    new.table() == old.table()
        && destination(new) == destination(old)
        && new.type_of_service.unwrap_or(0) == old.type_of_service.unwrap_or(0)
        && metric(new) == metric(old)
}

/// Whether the kernel may take a route for the one that is to be removed: what is left open fits
/// anything.
fn is_meant(asked: &Route, there: &Route) -> bool {
    let fits = |asked: Option<u32>, there: Option<u32>| {
        asked.is_none_or(|asked| asked == there.unwrap_or(0))
    };
    let hop = |asked: &crate::change::NextHop| {
        there.next_hops.iter().any(|hop| {
            (asked.gateway.is_none() || asked.gateway == hop.gateway)
                && (asked.link.is_none() || asked.link == hop.link)
        })
    };
    asked.table() == there.table()
        && destination(asked) == destination(there)
        && fits(asked.metric, there.metric)
        && fits(asked.protocol.map(u32::from), there.protocol.map(u32::from))
        && asked.next_hops.iter().all(hop)
}

/// What the kernel gives an IPv6 route that names none is 1024.
fn metric(route: &Route) -> u32 {
    let default = if route.family == crate::change::Family::Ipv6 { 1024 } else { 0 };
    route.metric.filter(|metric| *metric != 0).unwrap_or(default)
}
