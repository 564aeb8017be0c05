//! Routes and rules of a namespace.

use std::net::IpAddr;

use netwright_network::change::TABLE_MAIN;

use super::{Answer, EXISTS, NO_SUCH, NamespaceId, Network, Refusal};
use crate::Prefix;
use crate::wit::routes::{NextHop, Route};
use crate::wit::rules::{Rule, RuleAction};
use crate::wit::types::{Family, Write};

const UNREACHABLE: Refusal = Refusal::new(101, "ENETUNREACH", "no route leads there");
const BAD_GATEWAY: Refusal =
    Refusal::new(101, "ENETUNREACH", "no network of a link that is up holds the gateway");
const UNKNOWN_GATEWAY: Refusal =
    Refusal::new(113, "EHOSTUNREACH", "no network of a link that is up holds the gateway");
const BAD_SOURCE: Refusal = Refusal::new(22, "EINVAL", "the source is no address of the namespace");
const LINK_DOWN: Refusal = Refusal::new(100, "ENETDOWN", "the link is down");

/// Whether two routes are one and the same to the kernel: fib_table_insert, fib6_add.
pub(super) fn same_route(one: &Route, other: &Route) -> bool {
    one.family == other.family
        && one.destination == other.destination
        && one.table.unwrap_or(TABLE_MAIN) == other.table.unwrap_or(TABLE_MAIN)
        && one.metric.unwrap_or(0) == other.metric.unwrap_or(0)
        && one.type_of_service.unwrap_or(0) == other.type_of_service.unwrap_or(0)
}

/// Whether they are alike also in where they lead.
fn twins(one: &Route, other: &Route) -> bool {
    let leads =
        |route: &Route| (route.kind, route.next_hops.iter().map(|hop| hop.gateway).collect());
    let (first, second): ((_, Vec<_>), (_, Vec<_>)) = (leads(one), leads(other));
    same_route(one, other) && first == second
}

/// Whether a route is as one that leaves things open describes it.
fn described(route: &Route, by: &Route) -> bool {
    let hops = by.next_hops.iter().all(|wanted| {
        route.next_hops.iter().any(|hop| {
            (wanted.gateway.is_none() || hop.gateway == wanted.gateway)
                && (wanted.link.is_none() || hop.link == wanted.link)
        })
    });
    route.family == by.family
        && route.destination == by.destination
        && hops
        && (by.table.is_none()
            || route.table.unwrap_or(TABLE_MAIN) == by.table.unwrap_or(TABLE_MAIN))
        && (by.metric.is_none() || route.metric == by.metric)
        && (by.protocol.is_none() || route.protocol == by.protocol)
        && (by.source.is_none() || route.source == by.source)
}

impl Network {
    pub(super) fn put_route(&mut self, namespace: &str, new: &Route, how: Write) -> Answer<()> {
        let id = self.namespace(namespace)?;
        new.next_hops.iter().try_for_each(|hop| self.check_hop(id, hop))?;
        if new.source.is_some_and(|source| !self.has_address(id, source.into())) {
            return Err(BAD_SOURCE);
        }
        let routes = &mut self.stack_mut(namespace)?.routes;
        match (how, routes.iter().position(|route| same_route(route, new))) {
            (Write::Add, Some(_)) => return Err(EXISTS),
            (Write::Change, None) => return Err(super::NO_ENTRY),
            // Beside another one, but not beside itself.
            (Write::Append | Write::Prepend, Some(_))
                if routes.iter().any(|one| twins(one, new)) =>
            {
                return Err(EXISTS);
            }
            (Write::Change | Write::Replace, Some(place)) => routes[place] = new.clone(),
            (Write::Prepend, _) => routes.insert(0, new.clone()),
            (Write::Add | Write::Replace, None) | (Write::Append, _) => routes.push(new.clone()),
        }
        Ok(())
    }

    fn check_hop(&self, namespace: NamespaceId, hop: &NextHop) -> Answer<()> {
        let link = hop.link.as_ref().map(|name| self.known_link(namespace, name)).transpose()?;
        let down = match link {
            Some(link) => !self.link(link)?.up,
            None => false,
        };
        // The kernel looks for the gateway first.
        self.check_gateway(namespace, hop)?;
        if down { Err(LINK_DOWN) } else { Ok(()) }
    }

    fn check_gateway(&self, namespace: NamespaceId, hop: &NextHop) -> Answer<()> {
        let Some(gateway) = hop.gateway.map(IpAddr::from) else { return Ok(()) };
        let link_local = matches!(gateway, IpAddr::V6(six) if six.is_unicast_link_local());
        let inside = self.links_in(namespace).into_iter().any(|id| {
            self.links.get(&id).is_some_and(|link| {
                let named = hop.link.as_ref().is_none_or(|name| *name == link.name);
                let networks =
                    link.addresses.iter().map(|a| Prefix::from(a.peer.unwrap_or(a.prefix)));
                let mut networks = networks.map(|prefix| prefix.contains(&gateway));
                link.up && named && networks.any(|holds| holds)
            })
        });
        if inside || hop.onlink || (link_local && hop.link.is_some()) {
            Ok(())
        } else if gateway.is_ipv4() {
            Err(BAD_GATEWAY)
        } else {
            Err(UNKNOWN_GATEWAY)
        }
    }

    /// Whether an address is one of a namespace's own.
    pub(crate) fn has_address(&self, namespace: NamespaceId, address: IpAddr) -> bool {
        let links = self.links.values().filter(|link| link.namespace == namespace);
        let mut held = links.flat_map(|link| &link.addresses);
        held.any(|held| IpAddr::from(held.prefix.address) == address)
    }

    pub(super) fn remove_route(&mut self, namespace: &str, by: &Route) -> Answer<()> {
        let routes = &mut self.stack_mut(namespace)?.routes;
        let place = routes.iter().position(|route| described(route, by)).ok_or(NO_SUCH)?;
        routes.remove(place);
        Ok(())
    }

    /// Takes the routes away whose link is down or gone, or whose gateway nothing reaches now.
    pub(super) fn forget_routes(&mut self, namespace: NamespaceId) {
        let Some(stack) = self.stacks.get(&namespace) else { return };
        let leads = |hop: &NextHop| self.check_hop(namespace, hop).is_ok();
        let stays: Vec<bool> =
            stack.routes.iter().map(|route| route.next_hops.iter().all(leads)).collect();
        let mut stays = stays.into_iter();
        if let Some(stack) = self.stacks.get_mut(&namespace) {
            stack.routes.retain(|_| stays.next().unwrap_or(true));
        }
    }

    /// The route of the table `main` that a packet would take.
    pub(crate) fn lookup(&self, namespace: NamespaceId, to: IpAddr) -> Answer<Route> {
        let fits = |route: &&Route| {
            let network = route.network();
            route.family == crate::address::family(to)
                && route.table.unwrap_or(TABLE_MAIN) == TABLE_MAIN
                && network.is_none_or(|network| network.contains(&to))
        };
        let order = |route: &&Route| {
            let length = route.network().map_or(0, |network| network.prefix_len());
            (length, u32::MAX - route.metric.unwrap_or(0))
        };
        let routes = &self.stack(namespace)?.routes;
        routes.iter().filter(fits).max_by_key(order).cloned().ok_or(UNREACHABLE)
    }

    pub(super) fn add_rule(&mut self, namespace: &str, new: &Rule) -> Answer<()> {
        let rules = &mut self.stack_mut(namespace)?.rules;
        let mut new = new.clone();
        // Without a priority the kernel takes the one before the second rule (fib_default_rule_pref).
        let family = rules.iter().filter(|rule| rule.family == new.family);
        let second = family.filter_map(|rule| rule.priority).filter(|one| *one > 0).min();
        new.priority = new.priority.or_else(|| second.map(|second| second - 1));
        if rules.contains(&new) {
            return Err(EXISTS);
        }
        rules.push(new);
        rules.sort_by_key(|rule| rule.priority);
        Ok(())
    }

    pub(super) fn remove_rule(&mut self, namespace: &str, by: &Rule) -> Answer<()> {
        let rules = &mut self.stack_mut(namespace)?.rules;
        let same = |rule: &Rule| {
            let priority = by.priority.or(rule.priority);
            Rule { priority, ..by.clone() } == Rule { priority, ..rule.clone() }
                && (by.priority.is_none() || rule.priority == by.priority)
        };
        let place = rules.iter().position(same).ok_or(super::NO_ENTRY)?;
        rules.remove(place);
        Ok(())
    }
}

/// What each namespace begins with: local, main and default for both families.
pub(super) fn first_rules() -> Vec<Rule> {
    let rule = |family, priority, table| Rule {
        family,
        priority: Some(priority),
        inverted: false,
        from: None,
        to: None,
        incoming_link: None,
        outgoing_link: None,
        type_of_service: None,
        mark: None,
        action: RuleAction::Table(table),
        protocol: None,
        options: Vec::new(),
    };
    vec![
        rule(Family::Ipv4, 0, 255),
        rule(Family::Ipv6, 0, 255),
        rule(Family::Ipv4, 32766, TABLE_MAIN),
        rule(Family::Ipv6, 32766, TABLE_MAIN),
        rule(Family::Ipv4, 32767, 253),
    ]
}
