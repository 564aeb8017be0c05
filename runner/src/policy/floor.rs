//! The floor: what no grant lifts.

use std::fmt::Display;
use std::net::{IpAddr, Ipv6Addr};

use netwright_network::setting::SettingKey;

use super::coverage::{self, Course, Entry, Meets, Packet};
use super::host::{HostPolicy, family, forbidden, forbidden_untold, rules, vrfs};
use super::managers::manager_of;
use super::operator::Connection;
use super::whose::{Object, Whose};
use crate::change::{
    Address, Answer, Family, LinkRef, NamespaceRef, PROTOCOL_ADVERTISED, Query, Route, RouteKind,
    Rule, RuleAction,
};
use crate::kernel::{Error, Kernel, LinkSight};

impl HostPolicy {
    /// Refuses to alter a link of somebody else's that must stay as it is.
    pub(super) fn floor(&self, link: &LinkSight, kernel: &dyn Kernel) -> Result<(), Error> {
        self.floor_of_a_parent(link, kernel)?;
        // The other end of a link that the session goes by may be in any namespace.
        for connection in &self.operator {
            if self.carries(link, connection, kernel)? {
                let why = format!("it carries the operator's session from {}", connection.peer);
                return Err(forbidden_untold("altering a link", &shown(link), &why));
            }
        }
        Ok(())
    }

    pub(super) fn carries(
        &self,
        link: &LinkSight,
        connection: &Connection,
        kernel: &dyn Kernel,
    ) -> Result<bool, Error> {
        let LinkRef { namespace, index, .. } = &link.reference;
        let carriers = kernel.carriers(connection.local, connection.peer)?;
        Ok(carriers.iter().any(|one| one.index == *index && one.namespace == *namespace))
    }

    /// The same where a link only gets a child, which takes nothing from it: that the operator's
    /// session goes over it is no reason then.
    pub(super) fn floor_of_a_parent(
        &self,
        link: &LinkSight,
        kernel: &dyn Kernel,
    ) -> Result<(), Error> {
        let why = if link.loopback {
            "it is the loopback".to_owned()
        } else if self.whose(Object::Link(link), kernel) == Whose::AnotherRuns {
            "it is another run's of netwright".to_owned()
        } else if let Some(manager) = manager_of(link) {
            format!("{manager} looks after it")
        } else {
            return Ok(());
        };
        Err(forbidden("using a link", &shown(link), &why))
    }

    /// The connections that go through a namespace: all through the machine's own.
    fn operator_in(&self, namespace: &NamespaceRef) -> &[Connection] {
        if namespace.name.is_none() { &self.operator } else { &[] }
    }

    /// What goes through a namespace for the operator's session, both ways, and how it is found:
    /// between its ends, and between its own one and the routers that it needs. Of packets that are
    /// none of what is `asked` about the kernel isn't asked.
    fn courses(
        &self,
        (namespace, wanted): (&NamespaceRef, Family),
        rules: &[Rule],
        asked: &dyn Fn(&Packet) -> bool,
        kernel: &dyn Kernel,
    ) -> Result<Vec<(Course, &Connection)>, Error> {
        let mut courses = Vec::new();
        for connection in self.operator_in(namespace) {
            let mut stations = vec![Station::End(connection.peer)];
            stations.extend(routers(connection, kernel)?.into_iter().map(Station::Router));
            stations.retain(|station| family(station.address()) == wanted);
            for station in stations {
                let found = taken_to(station, connection.local, namespace, asked, kernel)?;
                let course = |(packet, taken)| Course { packet, rules: rules.to_vec(), taken };
                courses.extend(found.into_iter().map(|one| (course(one), connection)));
            }
        }
        Ok(courses)
    }

    /// Refuses what would draw the operator's session, or what the machine says to itself, to
    /// entries of its own.
    pub(super) fn floor_of_entries(
        &self,
        namespace: &NamespaceRef,
        entries: &[Entry],
        shown: &dyn Display,
        kernel: &dyn Kernel,
    ) -> Result<(), Error> {
        let Some(first) = entries.first() else { return Ok(()) };
        let wanted = family(first.destination.addr());
        let rules = rules_of_vrfs(namespace, rules(namespace, wanted, kernel)?, kernel)?;
        if entries.iter().any(|entry| coverage::draws_loopback(entry, &rules)) {
            return Err(loopback(shown));
        }
        let asked = |packet: &Packet| entries.iter().any(|entry| entry.takes(packet));
        for (course, connection) in self.courses((namespace, wanted), &rules, &asked, kernel)? {
            if entries.iter().any(|entry| course.is_drawn_by(entry)) {
                return Err(session(shown, connection));
            }
        }
        Ok(())
    }

    /// Refuses a route that would draw the operator's session to itself.
    pub(super) fn floor_of_a_route(
        &self,
        namespace: &NamespaceRef,
        route: &Route,
        kernel: &dyn Kernel,
    ) -> Result<(), Error> {
        self.floor_of_entries(namespace, &[Entry::of_route(route)], route, kernel)
    }

    /// Refuses to remove or replace a route that the operator's session takes.
    pub(super) fn floor_of_a_loss(
        &self,
        namespace: &NamespaceRef,
        lost: &Route,
        kernel: &dyn Kernel,
    ) -> Result<(), Error> {
        self.floor_of_entries(namespace, &[Entry::of_route(lost)], lost, kernel)
    }

    /// Refuses an address that takes an end of the operator's session, or of which the kernel makes
    /// a route that would draw the session to its link.
    pub(super) fn floor_of_an_address(
        &self,
        namespace: &NamespaceRef,
        address: &Address,
        kernel: &dyn Kernel,
    ) -> Result<(), Error> {
        let entries = coverage::of_address(address);
        self.floor_of_entries(namespace, &entries, &address.prefix, kernel)
    }

    /// The same of an address whose routes are a VRF's.
    pub(super) fn floor_of_an_address_in(
        &self,
        table: u32,
        namespace: &NamespaceRef,
        address: &Address,
        kernel: &dyn Kernel,
    ) -> Result<(), Error> {
        let entries = coverage::of_address(address).into_iter();
        let entries: Vec<Entry> = entries.map(|entry| entry.within(table)).collect();
        self.floor_of_entries(namespace, &entries, &address.prefix, kernel)
    }

    /// Refuses a rule that could send the operator's session, or what the machine says to itself,
    /// elsewhere.
    pub(super) fn floor_of_a_rule(
        &self,
        namespace: &NamespaceRef,
        rule: &Rule,
        kernel: &dyn Kernel,
    ) -> Result<(), Error> {
        let rules = rules(namespace, rule.family, kernel)?;
        if coverage::comes_before_loopback(rule, &rules) {
            return Err(loopback(rule));
        }
        let rules = rules_of_vrfs(namespace, rules, kernel)?;
        let asked = |packet: &Packet| coverage::meets(rule, packet) != Meets::Never;
        let place = (namespace, rule.family);
        for (course, connection) in self.courses(place, &rules, &asked, kernel)? {
            if course.is_met_by(rule) {
                return Err(session(rule, connection));
            }
        }
        Ok(())
    }

    /// Refuses to remove rules that the operator's session is sent by. `asked` may be any of those
    /// that it fits: what it leaves open is anything.
    pub(super) fn floor_of_a_lost_rule(
        &self,
        namespace: &NamespaceRef,
        asked: &Rule,
        kernel: &dyn Kernel,
    ) -> Result<(), Error> {
        let rules = rules(namespace, asked.family, kernel)?;
        let meant = |rules: &[Rule]| -> Vec<Rule> {
            rules.iter().filter(|rule| coverage::fits(asked, rule)).cloned().collect()
        };
        let before = |rule: &&Rule| coverage::is_before_loopback(rule, &rules);
        if let Some(rule) = meant(&rules).iter().find(before) {
            return Err(loopback(rule));
        }
        let rules = rules_of_vrfs(namespace, rules, kernel)?;
        let meant = meant(&rules);
        let meets = |packet: &Packet| {
            meant.iter().any(|rule| coverage::meets(rule, packet) != Meets::Never)
        };
        let place = (namespace, asked.family);
        for (course, connection) in self.courses(place, &rules, &meets, kernel)? {
            if let Some(rule) = meant.iter().find(|rule| course.loses_rule(rule)) {
                return Err(session(rule, connection));
            }
        }
        Ok(())
    }

    /// Refuses a setting of all links: `lo` is among them, and those of other programs, and what
    /// the operator's session goes over. To make the machine a router is a right of its own.
    pub(super) fn floor_of_every_link(key: &SettingKey) -> Result<(), Error> {
        if key.forwards() {
            return Ok(());
        }
        let why = "it is a setting of all links, of `lo` and those of other programs too";
        Err(forbidden("altering a link", &key.to_string(), why))
    }

    /// Refuses to make a router of any link, where the operator's session goes by a default route
    /// that another router advertised. Whichever link it is, the run's own too, the kernel forgets
    /// those of the whole namespace then; also when the undo makes one again of what was one.
    pub(super) fn floor_of_a_router(
        &self,
        namespace: &NamespaceRef,
        key: &SettingKey,
        kernel: &dyn Kernel,
    ) -> Result<(), Error> {
        if !key.purges_advertised() {
            return Ok(());
        }
        for connection in self.operator_in(namespace).iter().filter(|one| one.peer.is_ipv6()) {
            let ways = kernel.ways(connection.local, connection.peer)?;
            if ways.iter().any(|route| route.protocol == Some(PROTOCOL_ADVERTISED)) {
                return Err(session(key, connection));
            }
        }
        Ok(())
    }
}

/// Whom the machine speaks to for a session.
#[derive(Debug, Clone, Copy)]
enum Station {
    End(IpAddr),
    /// One that answers for the session's packets on a link: where the machine can't tell it where it
    /// is, or takes what it asks for somebody else's word, nothing comes any more.
    Router(IpAddr),
}

impl Station {
    fn address(self) -> IpAddr {
        match self {
            Self::End(address) | Self::Router(address) => address,
        }
    }
}

/// The routers that a session's packets are handed to: of several ways, all.
pub(super) fn routers(connection: &Connection, kernel: &dyn Kernel) -> Result<Vec<IpAddr>, Error> {
    let ways = kernel.ways(connection.local, connection.peer)?;
    let hops = ways.into_iter().flat_map(|route| route.next_hops);
    let mut routers: Vec<IpAddr> = hops.filter_map(|hop| hop.gateway).collect();
    routers.sort();
    routers.dedup();
    Ok(routers)
}

/// What goes between an address of the machine's own and a station, each with all entries that it
/// takes. Where no way is found, anything may be one.
fn taken_to(
    station: Station,
    local: IpAddr,
    namespace: &NamespaceRef,
    asked: &dyn Fn(&Packet) -> bool,
    kernel: &dyn Kernel,
) -> Result<Vec<(Packet, Option<Entry>)>, Error> {
    let far = station.address();
    // IPv4 may be handed to a router that is known by IPv6.
    let alike = local.is_ipv4() == far.is_ipv4();
    let here = if alike { local } else { IpAddr::from(Ipv6Addr::UNSPECIFIED) };
    let mut taken = Vec::new();
    let mut note = |packet, ways: &[Entry]| match ways {
        [] => taken.push((packet, None)),
        ways => taken.extend(ways.iter().map(|way| (packet, Some(*way)))),
    };
    let entries = |ways: &[Route]| ways.iter().map(Entry::of_route).collect::<Vec<Entry>>();
    let out = Packet { source: here, destination: far, own: true };
    if asked(&out) {
        match station {
            // On which link it is says the route by it.
            Station::Router(IpAddr::V6(six)) if six.is_unicast_link_local() => {
                note(out, &[Entry::on_link()]);
            }
            Station::Router(_) | Station::End(_) => note(out, &entries(&kernel.ways(here, far)?)),
        }
    }
    let back = Packet { source: far, destination: local, own: false };
    if alike && asked(&back) {
        let mut found = kernel.ways(local, local)?;
        found.retain(|route| route.kind == RouteKind::Local);
        // Else the session goes to another address of the machine by now.
        if !found.is_empty() || holds(namespace, local, kernel)? {
            // What comes in may be found where what goes out isn't.
            note(back, &entries(&found));
        }
    }
    Ok(taken)
}

/// Rules, with one for each VRF behind that by which the kernel looks into the tables of them all.
fn rules_of_vrfs(
    namespace: &NamespaceRef,
    rules: Vec<Rule>,
    kernel: &dyn Kernel,
) -> Result<Vec<Rule>, Error> {
    let looks = |rule: &Rule| rule.options.iter().any(|option| option.name == "l3mdev");
    if !rules.iter().any(looks) {
        return Ok(rules);
    }
    let tables: Vec<u32> = vrfs(namespace, kernel)?.into_iter().map(|vrf| vrf.table).collect();
    let with_tables = |rule: Rule| {
        let looked = tables.iter().filter(|_| looks(&rule));
        let more: Vec<Rule> = looked
            .map(|table| Rule { action: RuleAction::Table(*table), ..rule.clone() })
            .collect();
        std::iter::once(rule).chain(more)
    };
    Ok(rules.into_iter().flat_map(with_tables).collect())
}

/// Whether an address is one of a namespace's own.
fn holds(namespace: &NamespaceRef, address: IpAddr, kernel: &dyn Kernel) -> Result<bool, Error> {
    let query = Query::Addresses { namespace: namespace.clone(), family: None };
    match super::look(query, kernel)? {
        Answer::Addresses(all) => Ok(all.iter().any(|info| info.address.prefix.address == address)),
        _ => Ok(false),
    }
}

fn loopback(target: &dyn Display) -> Error {
    let why = "it would take what this machine says to itself";
    forbidden("a change of routing", &target.to_string(), why)
}

fn shown(link: &LinkSight) -> String {
    link.reference.name.escape_debug().to_string()
}

fn session(target: &dyn Display, connection: &Connection) -> Error {
    let why = format!("it would cut off the operator's session from {}", connection.peer);
    forbidden_untold("a change of routing", &target.to_string(), &why)
}
