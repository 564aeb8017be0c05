//! Routes and rules on the host.

use std::net::IpAddr;

use super::super::coverage::network;
use super::super::host::{destination, forbidden, routes};
use super::super::whose::{Object, Whose, another_runs};
use super::{Decision, Subject, mark};
use crate::change::{
    Answer, Change, Family, LinkRef, NamespaceRef, NextHop, Query, Route, TABLE_MAIN, Write,
};
use crate::grant::{Capability, Facts};
use crate::kernel::{Denial, Error, Told};
use crate::text::help;

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
        let hops = self.links_of(&namespace, &route)?;
        for Hop { link, found } in &hops {
            let need = self.needs_route(&route, link.clone(), shown);
            // By which link it would leave is not for everybody to know.
            need.map_err(|error| {
                if *found { self.discreet(error, right_to(&route), shown) } else { error }
            })?;
        }
        self.looks_at(&namespace, &route, &hops, shown)?;
        self.has_no_source_of_another_run(&namespace, &route)?;
        self.may_stand_there(&namespace, &route, how, shown)
            .map_err(|error| self.discreet(error, right_to(&route), shown))?;
        route.protocol = mark(route.protocol)?;
        Ok(Change::PutRoute { namespace, route, how })
    }

    /// The kernel deletes a route with the address that it has for its source (fib_sync_down_addr).
    fn has_no_source_of_another_run(
        &self,
        namespace: &NamespaceRef,
        route: &Route,
    ) -> Result<(), Error> {
        let Some(source) = route.source else { return Ok(()) };
        let held = self.held(namespace, |address| address == source)?;
        let other = held.iter().any(|(_, whose)| *whose == Whose::AnotherRuns);
        if other { Err(another_runs("using an address", &source.to_string())) } else { Ok(()) }
    }

    /// Whether a route takes nothing that it may not.
    fn may_stand_there(
        &mut self,
        namespace: &NamespaceRef,
        route: &Route,
        how: Write,
        shown: &str,
    ) -> Result<(), Error> {
        self.policy.floor_of_a_route(namespace, route, self.kernel)?;
        if matches!(how, Write::Change | Write::Replace) {
            let all = routes(namespace, route.family, self.kernel)?;
            for old in all.iter().filter(|old| replaces(route, old)) {
                self.loses(namespace, old, shown)?;
            }
        }
        Ok(())
    }

    /// A denial whose words tell of the machine, of which the recipe is told no more than it asked,
    /// unless it may read everything.
    pub(super) fn discreet(&self, error: Error, capability: Capability, shown: &str) -> Error {
        let Error::Denied(denial) = error else { return error };
        if self.policy.would_have(Capability::HostLinkRead, Facts::default()) {
            return Error::Denied(denial);
        }
        let told = Told {
            capability: capability.to_string(),
            target: format!("`{shown}`"),
            hint: "the operator is shown what would allow it".to_owned(),
        };
        Error::Denied(Denial { told: Some(told), ..denial })
    }

    /// The links that a route leaves by; `None` where it leaves by none.
    fn links_of(&self, namespace: &NamespaceRef, route: &Route) -> Result<Vec<Hop>, Error> {
        if route.metrics.iter().any(|metric| metric.name == "nhid") {
            let why = "what leaves by a next hop object (`nhid`) leaves by whatever that is";
            return Err(forbidden("a route", &route.to_string(), why));
        }
        let mut links = Vec::new();
        for hop in &route.next_hops {
            let found = hop.link.is_none();
            let names = match (&hop.link, hop.gateway) {
                (Some(name), _) => vec![name.clone()],
                (None, Some(gateway)) => self.links_to(namespace, gateway),
                (None, None) => Vec::new(),
            };
            links.extend(names.into_iter().map(|name| Hop { link: Some(name), found }));
        }
        if links.is_empty() {
            links.push(Hop { link: None, found: !route.next_hops.is_empty() });
        }
        Ok(links)
    }

    /// The links of a route that may be, as they are: whether they are there is for who may have the
    /// route.
    fn looks_at(
        &mut self,
        namespace: &NamespaceRef,
        route: &Route,
        hops: &[Hop],
        shown: &str,
    ) -> Result<(), Error> {
        for name in hops.iter().filter_map(|hop| hop.link.clone()) {
            let link = LinkRef { namespace: namespace.clone(), name: name.clone(), index: None };
            let need = |this: &Self| this.needs_route(route, Some(name.clone()), shown);
            if let Subject::Foreign(seen) = self.subject_needing(&link, &need)? {
                // The kernel deletes a route with its link, whosever the route is.
                if self.policy.whose(Object::Link(&seen), self.kernel) == Whose::AnotherRuns {
                    return Err(another_runs("using a link", &name.escape_debug().to_string()));
                }
                self.links.push(seen.reference);
            }
        }
        Ok(())
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
        let table = Some(route.table()).filter(|table| *table != TABLE_MAIN);
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
        let route = Object::Route { place: namespace, route: old };
        match self.policy.whose(route, self.kernel) {
            Whose::Ours => {}
            Whose::AnotherRuns => return Err(another_runs("altering a route", &old.to_string())),
            Whose::Others => self.may_lose(namespace, old, shown)?,
        }
        self.policy.floor_of_a_loss(namespace, old, self.kernel)
    }

    fn may_lose(
        &mut self,
        namespace: &NamespaceRef,
        old: &Route,
        shown: &str,
    ) -> Result<(), Error> {
        let hops = self.links_of(namespace, old)?;
        for Hop { link, .. } in &hops {
            match (destination(old), link.clone()) {
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
        self.looks_at(namespace, old, &hops, shown)
    }

    /// The answer is the same whether the route is there or not, but for who may have it.
    pub(super) fn remove_route(
        &mut self,
        namespace: NamespaceRef,
        route: Route,
        shown: &str,
    ) -> Result<Change, Error> {
        let right = right_to(&route);
        self.takes_route(namespace, route, shown)
            .map_err(|error| self.discreet(error, right, shown))
    }

    fn takes_route(
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
        let meant = all.iter().filter(|there| is_meant(&route, there));
        let meant: Vec<Route> = meant.map(|there| touched(&route, there)).collect();
        let whose = |there: &&Route| {
            self.policy.whose(Object::Route { place: &namespace, route: there }, self.kernel)
        };
        if let Some(own) = meant.iter().find(|there| whose(there) == Whose::Ours) {
            // Of several that fit, the run's own, and that alone.
            if meant.len() > 1 {
                route = only(&route, own);
            }
            route.protocol = mark(route.protocol)?;
        } else if let Some(others) = meant.iter().find(|there| whose(there) == Whose::Others) {
            route.protocol = route.protocol.or(others.protocol);
            for there in meant.iter().filter(|there| is_meant(&route, there)) {
                self.loses(&namespace, there, shown)?;
            }
            // The kernel takes the first that fits.
            let taken = all.iter().find(|there| is_meant(&route, there));
            taken.map_or(Ok(()), |taken| is_at_an_end(taken, &all))?;
        } else if let Some(there) = meant.first() {
            self.loses(&namespace, there, shown)?;
        } else {
            for Hop { link, .. } in self.links_of(&namespace, &route)? {
                self.needs_route(&route, link, shown)?;
            }
        }
        let hops = self.links_of(&namespace, &route)?;
        self.looks_at(&namespace, &route, &hops, shown)?;
        Ok(Change::RemoveRoute { namespace, route })
    }
}

/// What a route needs.
fn right_to(route: &Route) -> Capability {
    match destination(route) {
        None => Capability::HostRouteDefault,
        Some(_) => Capability::HostRouteAdd,
    }
}

/// A link that a route leaves by.
struct Hop {
    link: Option<String>,
    /// the recipe didn't name it
    found: bool,
}

/// What a removal takes of a route: of an IPv6 route with several next hops, each by itself.
fn touched(asked: &Route, there: &Route) -> Route {
    let mut touched = there.clone();
    if there.family == Family::Ipv6 && !asked.next_hops.is_empty() {
        let fits = |hop: &NextHop| asked.next_hops.iter().any(|asked| is_hop(asked, hop));
        touched.next_hops.retain(fits);
    }
    touched
}

/// A removal that can mean one route alone.
fn only(asked: &Route, there: &Route) -> Route {
    Route {
        metric: there.metric,
        kind: there.kind,
        next_hops: there.next_hops.clone(),
        ..asked.clone()
    }
}

fn is_hop(asked: &NextHop, there: &NextHop) -> bool {
    (asked.gateway.is_none() || asked.gateway == there.gateway)
        && (asked.link.is_none() || asked.link == there.link)
}

/// Refuses a route that has others at its place before and behind it: IPv4 takes the first of them,
/// and one that is put back is the first or the last one.
fn is_at_an_end(taken: &Route, all: &[Route]) -> Result<(), Error> {
    let beside: Vec<&Route> = all.iter().filter(|other| replaces(taken, other)).collect();
    let ends = [beside.first(), beside.last()];
    if taken.family == Family::Ipv6 || ends.into_iter().flatten().any(|end| *end == taken) {
        return Ok(());
    }
    Err(Error::Invalid(format!(
        "route `{taken}` stands between others to the same destination, and could not be put back there{}",
        help("remove those behind it first, the last one first")
    )))
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
    let hop = |asked: &NextHop| there.next_hops.iter().any(|hop| is_hop(asked, hop));
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
