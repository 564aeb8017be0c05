//! Routes: where packets go next, ip-route(8).

use std::fmt::Display;
use std::net::IpAddr;

use crate::address::family;
use crate::host;
use crate::link::kind::attribute;
use crate::pending::Pending;
use crate::place::Place;
use crate::wit::routes::{NextHop as WitNextHop, Route, RouteKind};
use crate::wit::types::{Family, Write};
use crate::{IntoAddress, IntoPrefix, LinkReference, Namespace, Prefix, Result};

/// Where a route leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination {
    /// Everywhere that no other route leads to; IPv4, unless a next hop says otherwise.
    Default,
    /// The addresses of a network.
    Network(Prefix),
}

/// Whatever stands for a destination: `"default"`, `"10.0.0.0/8"`, `"192.168.56.1"`, or a typed
/// value.
pub trait IntoDestination {
    /// The destination, or [`Error::invalid`](crate::Error::invalid) naming the text.
    fn into_destination(self) -> Result<Destination>;
}

impl IntoDestination for &str {
    fn into_destination(self) -> Result<Destination> {
        if self == "default" {
            return Ok(Destination::Default);
        }
        self.into_prefix().map(Destination::Network)
    }
}

impl IntoDestination for &String {
    fn into_destination(self) -> Result<Destination> {
        self.as_str().into_destination()
    }
}

impl IntoDestination for String {
    fn into_destination(self) -> Result<Destination> {
        self.as_str().into_destination()
    }
}

impl IntoDestination for Destination {
    fn into_destination(self) -> Result<Destination> {
        Ok(self)
    }
}

impl IntoDestination for Prefix {
    fn into_destination(self) -> Result<Destination> {
        Ok(Destination::Network(self))
    }
}

impl IntoDestination for IpAddr {
    fn into_destination(self) -> Result<Destination> {
        Ok(Destination::Network(self.into()))
    }
}

/// One way of a multipath route. As `nexthop`.
#[derive(Debug, Clone)]
pub struct NextHop(Pending<WitNextHop>);

impl NextHop {
    fn empty() -> WitNextHop {
        WitNextHop { gateway: None, link: None, weight: 1, onlink: false }
    }

    /// By way of a router. As `nexthop via ADDRESS`.
    pub fn via(gateway: impl IntoAddress) -> Self {
        Self(Pending::new(gateway.into_address().map(|gateway| {
            let gateway = Some(gateway.into());
            WitNextHop { gateway, ..Self::empty() }
        })))
    }

    /// Out of a link, by its name. As `nexthop dev LINK`.
    #[must_use]
    pub fn link(mut self, name: impl Into<String>) -> Self {
        self.0.set(|hop| hop.link = Some(name.into()));
        self
    }

    /// Its share of the traffic, 1 to 256. As `weight NUMBER`.
    #[must_use]
    pub fn weight(mut self, weight: u16) -> Self {
        self.0.set(|hop| hop.weight = weight);
        self
    }
}

/// A route to be added, replaced or removed.
#[derive(Debug, Clone)]
#[must_use = "a route is made by `add`"]
pub struct RouteBuilder<P> {
    place: P,
    route: Pending<Route>,
    /// the next hop that `via` and `link` speak of
    hop: WitNextHop,
}

impl<P: Place> RouteBuilder<P> {
    pub(crate) fn new(place: P, destination: impl IntoDestination) -> Self {
        let route = Pending::new(destination.into_destination().map(empty));
        Self { place, route, hop: NextHop::empty() }
    }

    /// By way of a router. As `via ADDRESS`.
    pub fn via(mut self, gateway: impl IntoAddress) -> Self {
        let gateway = gateway.into_address();
        if let Ok(address) = &gateway {
            self.hop.gateway = Some((*address).into());
        }
        self.route.put(gateway, |route, gateway| {
            // A default route is of its gateway's family; others know theirs.
            if route.destination.is_none() {
                route.family = family(gateway);
            }
        });
        self
    }

    /// Out of a link of this namespace. As `dev LINK`.
    pub fn link(mut self, link: impl LinkReference) -> Self {
        let name = link.path().and_then(|path| path.name_in(self.place.name(), "link"));
        if let Ok(name) = &name {
            self.hop.link = Some(name.clone());
        }
        self.route.put(name, |_, _| {});
        self
    }

    /// The gateway is reached although no network of the link says so. As `onlink`.
    pub fn onlink(mut self) -> Self {
        self.hop.onlink = true;
        self
    }

    /// One of several ways. As `nexthop …`, once for each.
    pub fn next_hop(mut self, hop: NextHop) -> Self {
        self.route.put(hop.0.finish(), |route, hop| route.next_hops.push(hop));
        self
    }

    /// An IPv6 route, for a default route without a gateway. As `ip -6 route`.
    pub fn ipv6(mut self) -> Self {
        self.route.set(|route| route.family = Family::Ipv6);
        self
    }

    /// Which of several routes is better: the one with the lower number. As `metric NUMBER`.
    pub fn metric(mut self, metric: u32) -> Self {
        self.route.set(|route| route.metric = Some(metric));
        self
    }

    /// The routing table, 254 (main) where it is left out. As `table NUMBER`.
    pub fn table(mut self, table: u32) -> Self {
        self.route.set(|route| route.table = Some(table));
        self
    }

    /// The address that packets of this machine come from. As `src ADDRESS`.
    pub fn source(mut self, source: impl IntoAddress) -> Self {
        self.route.put(source.into_address(), |route, source| route.source = Some(source.into()));
        self
    }

    /// How far the destination is, rtnetlink(7): 0 global, 253 link, 254 host. As `scope SCOPE`.
    pub fn scope(mut self, scope: u8) -> Self {
        self.route.set(|route| route.scope = Some(scope));
        self
    }

    /// Who made the route, rtnetlink(7): 3 boot, 4 static. As `proto NUMBER`.
    pub fn protocol(mut self, protocol: u8) -> Self {
        self.route.set(|route| route.protocol = Some(protocol));
        self
    }

    /// What becomes of the packets, where they are not simply passed on. As the type in
    /// `ip route add TYPE DESTINATION`.
    pub fn kind(mut self, kind: RouteKind) -> Self {
        self.route.set(|route| route.kind = kind);
        self
    }

    /// Drops the packets. As `ip route add blackhole`.
    pub fn blackhole(self) -> Self {
        self.kind(RouteKind::Blackhole)
    }

    /// Answers that the destination can't be reached. As `ip route add unreachable`.
    pub fn unreachable(self) -> Self {
        self.kind(RouteKind::Unreachable)
    }

    /// Answers that the destination is forbidden. As `ip route add prohibit`.
    pub fn prohibit(self) -> Self {
        self.kind(RouteKind::Prohibit)
    }

    /// The longest packet on this way, in bytes. As `mtu BYTES`.
    pub fn mtu(self, bytes: u32) -> Self {
        self.option("mtu", bytes)
    }

    /// Any other property in ip(8)'s words: `option("advmss", 1400)`.
    pub fn option(mut self, name: &str, value: impl Display) -> Self {
        self.route.set(|route| route.metrics.push(attribute(name, value)));
        self
    }

    pub(crate) fn finish(self) -> Result<(P, Route)> {
        let mut route = self.route.finish()?;
        if self.hop != NextHop::empty() {
            route.next_hops.insert(0, self.hop);
        }
        Ok((self.place, route))
    }

    fn put(self, how: Write) -> Result<()> {
        let (place, route) = self.finish()?;
        place.put_route(route, how)
    }

    /// Adds it; an error if there is one to this destination with this metric. As `ip route add`.
    pub fn add(self) -> Result<()> {
        self.put(Write::Add)
    }

    /// Adds it in place of one to this destination with this metric. As `ip route replace`.
    pub fn replace(self) -> Result<()> {
        self.put(Write::Replace)
    }

    /// Adds it after others like it. As `ip route append`.
    pub fn append(self) -> Result<()> {
        self.put(Write::Append)
    }
}

impl RouteBuilder<Namespace> {
    /// Alters the one that is there. As `ip route change`.
    pub fn change(self) -> Result<()> {
        self.put(Write::Change)
    }

    /// Removes the first one that is as described; what was left unsaid matches anything. As
    /// `ip route delete`.
    pub fn remove(self) -> Result<()> {
        let (place, route) = self.finish()?;
        Ok(host::routes::remove(place.handle(), &route)?)
    }
}

fn empty(destination: Destination) -> Route {
    let (family, destination) = match destination {
        Destination::Default => (Family::Ipv4, None),
        // A route to 0.0.0.0/0 is the default route, which the contract has as none.
        Destination::Network(prefix) if prefix.prefix_len() == 0 => (family(prefix.addr()), None),
        Destination::Network(prefix) => (family(prefix.addr()), Some(prefix.into())),
    };
    Route {
        family,
        kind: RouteKind::Unicast,
        destination,
        next_hops: Vec::new(),
        table: None,
        metric: None,
        protocol: None,
        scope: None,
        source: None,
        from: None,
        type_of_service: None,
        metrics: Vec::new(),
    }
}

impl Route {
    /// The router of the first way, if it leads by one.
    pub fn gateway(&self) -> Option<IpAddr> {
        self.next_hops.first()?.gateway.map(IpAddr::from)
    }

    /// The link of the first way.
    pub fn link(&self) -> Option<&str> {
        self.next_hops.first()?.link.as_deref()
    }

    /// The network that it leads to; none is the default route.
    pub fn network(&self) -> Option<Prefix> {
        self.destination.map(Prefix::from)
    }
}
