//! The floor: what no grant lifts.

use std::net::IpAddr;

use super::host::{
    HostPolicy, MAIN_TABLE, covers, destination, family, forbidden, network, routes,
};
use super::managers::manager_of;
use super::operator::Connection;
use crate::change::{Address, NamespaceRef, Prefix, Route, Rule};
use crate::kernel::mark::Mark;
use crate::kernel::{Error, Kernel, LinkSight};

/// Longest prefix first, then the least metric: how the kernel chooses a route.
type Rank = (u8, std::cmp::Reverse<u32>);

impl HostPolicy {
    /// Refuses to alter a link of somebody else's that must stay as it is.
    pub(super) fn floor(&self, link: &LinkSight, kernel: &dyn Kernel) -> Result<(), Error> {
        self.floor_of_a_parent(link)?;
        for connection in self.operator_in(&link.reference.namespace) {
            let carriers = kernel.carriers(connection.peer)?;
            if carriers.iter().any(|carrier| carrier.index == link.reference.index) {
                let why = format!("it carries the operator's session from {}", connection.peer);
                return Err(forbidden("altering a link", &shown(link), &why));
            }
        }
        Ok(())
    }

    /// The same where a link only gets a child, which takes nothing from it: that the operator's
    /// session goes over it is no reason then.
    pub(super) fn floor_of_a_parent(&self, link: &LinkSight) -> Result<(), Error> {
        let why = if link.loopback {
            "it is the loopback".to_owned()
        } else if Mark::is_of_any_run(link.group) && link.group != self.mark.group() {
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

    /// Refuses a route that would draw the operator's session to itself.
    pub(super) fn floor_of_a_route(
        &self,
        namespace: &NamespaceRef,
        route: &Route,
        kernel: &dyn Kernel,
    ) -> Result<(), Error> {
        for connection in self.operator_in(namespace) {
            if covers(route, connection.peer)
                && Some(rank(route)) >= best(namespace, connection.peer, kernel)?
            {
                return Err(session(&route.to_string(), connection));
            }
        }
        Ok(())
    }

    /// Refuses to remove or replace the route that the operator's session takes.
    pub(super) fn floor_of_a_loss(
        &self,
        namespace: &NamespaceRef,
        lost: &Route,
        kernel: &dyn Kernel,
    ) -> Result<(), Error> {
        for connection in self.operator_in(namespace) {
            let taken = best(namespace, connection.peer, kernel)?;
            if covers(lost, connection.peer) && Some(rank(lost)) == taken {
                return Err(session(&lost.to_string(), connection));
            }
        }
        Ok(())
    }

    /// Refuses an address that takes an end of the operator's session, or whose network would draw
    /// the session to its link.
    pub(super) fn floor_of_an_address(
        &self,
        namespace: &NamespaceRef,
        address: &Address,
        kernel: &dyn Kernel,
    ) -> Result<(), Error> {
        let connected = address.peer.unwrap_or(address.prefix);
        for connection in self.operator_in(namespace) {
            let ends = [connection.peer, connection.local];
            let best = best(namespace, connection.peer, kernel)?.map(|(length, _)| length);
            let draws = network(connected).is_some_and(|net| net.contains(&connection.peer))
                && Some(connected.length) >= best;
            if draws || ends.contains(&address.prefix.address) {
                return Err(session(&address.prefix.to_string(), connection));
            }
        }
        Ok(())
    }

    /// Refuses a rule that could send the operator's session through another table.
    pub(super) fn floor_of_a_rule(
        &self,
        namespace: &NamespaceRef,
        rule: &Rule,
    ) -> Result<(), Error> {
        let misses = |prefix: Option<Prefix>, address: IpAddr| {
            prefix.and_then(network).is_some_and(|net| !net.contains(&address))
        };
        for connection in self.operator_in(namespace) {
            let other = rule.family != family(connection.peer)
                || rule.incoming_link.is_some()
                || misses(rule.to, connection.peer)
                || misses(rule.from, connection.local);
            if !other || rule.inverted {
                return Err(session(&rule.to_string(), connection));
            }
        }
        Ok(())
    }
}

fn shown(link: &LinkSight) -> String {
    link.reference.name.escape_debug().to_string()
}

fn session(target: &str, connection: &Connection) -> Error {
    let why = format!("it would cut off the operator's session from {}", connection.peer);
    forbidden("a change of routing", target, &why)
}

fn rank(route: &Route) -> Rank {
    let length = destination(route).map_or(0, |prefix| prefix.length);
    (length, std::cmp::Reverse(route.metric.unwrap_or(0)))
}

/// The rank of the route that a station is reached by.
fn best(
    namespace: &NamespaceRef,
    station: IpAddr,
    kernel: &dyn Kernel,
) -> Result<Option<Rank>, Error> {
    let all = routes(namespace, family(station), kernel)?;
    let main = |route: &&Route| route.table.unwrap_or(MAIN_TABLE) == MAIN_TABLE;
    Ok(all.iter().filter(main).filter(|route| covers(route, station)).map(rank).max())
}
