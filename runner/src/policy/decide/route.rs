//! Routes and rules on the host.

use super::super::host::{MAIN_TABLE, destination, forbidden, network, routes};
use super::{Decision, Subject, mark};
use crate::change::{Answer, Change, LinkRef, NamespaceRef, Query, Route, Rule, RuleAction, Write};
use crate::grant::{Capability, Facts};
use crate::kernel::Error;
use crate::kernel::mark::PROTOCOL;

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
        let mut links = Vec::new();
        for hop in &route.next_hops {
            let name = match (&hop.link, hop.gateway) {
                (Some(name), _) => Some(name.clone()),
                (None, Some(gateway)) => {
                    let destination = gateway;
                    let namespace = namespace.clone();
                    let query = Query::Lookup { namespace, destination, source: None };
                    // A link that the batch has yet to make leads nowhere so far.
                    match super::super::look(query, self.kernel) {
                        Ok(Answer::Routes(found)) => found
                            .iter()
                            .flat_map(|route| &route.next_hops)
                            .find_map(|hop| hop.link.clone()),
                        _ => None,
                    }
                }
                (None, None) => None,
            };
            if let Some(name) = &name {
                let link =
                    LinkRef { namespace: namespace.clone(), name: name.clone(), index: None };
                if let Subject::Foreign(seen) = self.subject(&link, Capability::HostLinkModify)? {
                    self.links.push(seen.reference);
                }
            }
            links.push(name);
        }
        if links.is_empty() {
            links.push(None);
        }
        Ok(links)
    }

    fn needs_route(&self, route: &Route, link: Option<String>, shown: &str) -> Result<(), Error> {
        let table = route.table.filter(|table| *table != MAIN_TABLE);
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
        if old.protocol == Some(PROTOCOL) {
            return Ok(());
        }
        self.policy.floor_of_a_loss(namespace, old, self.kernel)?;
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
            let table = match rule.action {
                RuleAction::Table(table) => Some(table),
                RuleAction::Goto(_)
                | RuleAction::Nop
                | RuleAction::Blackhole
                | RuleAction::Unreachable
                | RuleAction::Prohibit => None,
            };
            let cidr = rule.to.or(rule.from).and_then(network);
            let facts = Facts { cidr, table, ..Facts::default() };
            self.policy.need(Capability::HostRouteAdd, facts, &shown)?;
            self.policy.floor_of_a_rule(&namespace, &rule)?;
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
        }
        Ok(Change::RemoveRule { namespace, rule })
    }
}

/// Whether a new route takes the place of an old one.
fn replaces(new: &Route, old: &Route) -> bool {
    table(new) == table(old)
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
    table(asked) == table(there)
        && destination(asked) == destination(there)
        && fits(asked.metric, there.metric)
        && fits(asked.protocol.map(u32::from), there.protocol.map(u32::from))
        && asked.next_hops.iter().all(hop)
}

fn table(route: &Route) -> u32 {
    route.table.unwrap_or(MAIN_TABLE)
}

/// What the kernel gives an IPv6 route that names none is 1024.
fn metric(route: &Route) -> u32 {
    let default = if route.family == crate::change::Family::Ipv6 { 1024 } else { 0 };
    route.metric.filter(|metric| *metric != 0).unwrap_or(default)
}
