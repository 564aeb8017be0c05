//! Routes that routers advertised. The kernel forgets all of a namespace's when any link of it becomes
//! a router's (rt6_purge_dflt_routers, net/ipv6/route.c), and doesn't learn them again
//! until a router speaks next.

use netwright_network::setting::SettingKey;

use super::Netlink;
use super::route::{self, restored};
use super::route_message::same;
use super::space::Space;
use crate::change::{
    Change, Family, PROTOCOL_ADVERTISED, PROTOCOL_KERNEL, Route, RouteKind, Undo, Write,
};
use crate::kernel::Error;

/// Those that a setting may make the kernel forget; none for any other setting.
pub(super) fn before(space: &Space, key: &SettingKey) -> Vec<Route> {
    if key.purges_advertised() { all(space) } else { Vec::new() }
}

pub(super) fn all(space: &Space) -> Vec<Route> {
    let links = space.links().unwrap_or_default();
    let mut routes = route::list(space, Family::Ipv6, &links).unwrap_or_default();
    // Of one to a network on the link the kernel says that it is its own. Those of a router's anycast
    // addresses come and go with that.
    let may = |route: &Route| matches!(route.protocol, Some(PROTOCOL_ADVERTISED | PROTOCOL_KERNEL));
    routes.retain(|route| may(route) && route.kind == RouteKind::Unicast);
    routes
}

/// Whether nobody but a router can have told of it: one to a network ends by itself, where the router
/// didn't say that it never does.
pub(super) fn is_told(route: &Route) -> bool {
    let expires = || route.metrics.iter().any(|metric| metric.name == "expires");
    route.protocol == Some(PROTOCOL_ADVERTISED) || expires()
}

/// Steps that put them back, where they are missing.
pub(super) fn back(space: &Space, routes: Vec<Route>) -> Vec<Change> {
    routes.into_iter().flat_map(|route| restored(space, route, Write::Add).undo.steps).collect()
}

/// Those that are gone.
pub(super) fn gone(space: &Space, mut before: Vec<Route>) -> Vec<Route> {
    if !before.is_empty() {
        let now = all(space);
        before.retain(|route| !now.iter().any(|there| same(there, route)));
    }
    before
}

impl Netlink {
    /// Puts back at once what an undo has made the kernel forget.
    pub(super) fn put_advertised(&mut self, space: &Space, lost: Vec<Route>) -> Result<(), Error> {
        self.take_back(&Undo { steps: back(space, lost) })
    }
}
