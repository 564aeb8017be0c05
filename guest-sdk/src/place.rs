//! Where links, routes and rules are made: in a namespace at once, or in a topology's plan.

use std::fmt::{Debug, Display};

use crate::Result;
use crate::link::builder::{Draft, LinkBuilder, NeedsParent, NeedsPeer};
use crate::link::kind::{Dummy, Ifb, Ipvlan, Other, Vrf, Wireguard};
use crate::link::{
    Bond, BondMode, Bridge, LinkReference, Macvlan, Tunnel, Tuntap, Veth, Vlan, Vxlan,
};
use crate::route::{IntoDestination, RouteBuilder};
use crate::rule::RuleBuilder;
use crate::wit::routes::Route;
use crate::wit::rules::Rule;
use crate::wit::types::Write;

/// A namespace that can be built in: a [`Namespace`](crate::Namespace), where each builder acts at
/// once, or a [`PlannedNamespace`](crate::PlannedNamespace), where a topology collects them.
pub trait Place: Clone + Debug {
    /// What a finished link builder gives.
    type Link: LinkReference + Clone;

    /// The namespace's name; empty for the root namespace.
    fn name(&self) -> &str;

    #[doc(hidden)]
    fn make_link(&self, draft: Draft) -> Result<Self::Link>;
    #[doc(hidden)]
    fn put_route(&self, route: Route, how: Write) -> Result<()>;
    #[doc(hidden)]
    fn put_rule(&self, rule: Rule) -> Result<()>;

    /// Sets a value of this namespace's network stack: `("net.ipv4.ip_forward", 1)`. As
    /// `sysctl -w`.
    fn set_sysctl(&self, key: &str, value: impl Display) -> Result<()>;

    /// A child with an Ethernet address of its own. As `ip link add NAME link PARENT type macvlan`.
    fn macvlan(&self, name: impl Into<String>) -> LinkBuilder<Self, Macvlan, NeedsParent> {
        LinkBuilder::new(self.clone(), name.into(), Macvlan::new(false))
    }

    /// The same, its frames going to a file for a [`Tap`](crate::Tap). As
    /// `ip link add NAME link PARENT type macvtap`.
    fn macvtap(&self, name: impl Into<String>) -> LinkBuilder<Self, Macvlan, NeedsParent> {
        LinkBuilder::new(self.clone(), name.into(), Macvlan::new(true))
    }

    /// Two links joined by a cable. As `ip link add NAME type veth peer name PEER`.
    fn veth(&self, name: impl Into<String>) -> LinkBuilder<Self, Veth, NeedsPeer> {
        LinkBuilder::new(self.clone(), name.into(), Veth::new())
    }

    /// A switch. As `ip link add NAME type bridge`.
    fn bridge(&self, name: impl Into<String>) -> LinkBuilder<Self, Bridge> {
        LinkBuilder::new(self.clone(), name.into(), Bridge::default())
    }

    /// A sub-interface for the frames with a tag, 1 to 4094. As
    /// `ip link add NAME link PARENT type vlan id ID`.
    fn vlan(&self, name: impl Into<String>, id: u16) -> LinkBuilder<Self, Vlan, NeedsParent> {
        LinkBuilder::new(self.clone(), name.into(), Vlan::new(id))
    }

    /// An Ethernet segment over UDP, with its network identifier. As
    /// `ip link add NAME type vxlan id ID`.
    fn vxlan(&self, name: impl Into<String>, id: u32) -> LinkBuilder<Self, Vxlan> {
        LinkBuilder::new(self.clone(), name.into(), Vxlan::new(id))
    }

    /// A link that leads nowhere. As `ip link add NAME type dummy`.
    fn dummy(&self, name: impl Into<String>) -> LinkBuilder<Self, Dummy> {
        LinkBuilder::new(self.clone(), name.into(), Dummy)
    }

    /// A link to redirect received packets to. As `ip link add NAME type ifb`.
    fn ifb(&self, name: impl Into<String>) -> LinkBuilder<Self, Ifb> {
        LinkBuilder::new(self.clone(), name.into(), Ifb)
    }

    /// A child with its parent's Ethernet address. As `ip link add NAME link PARENT type ipvlan`.
    fn ipvlan(&self, name: impl Into<String>) -> LinkBuilder<Self, Ipvlan, NeedsParent> {
        LinkBuilder::new(self.clone(), name.into(), Ipvlan::new(false))
    }

    /// The same, its packets going to a file for a [`Tap`](crate::Tap). As
    /// `ip link add NAME link PARENT type ipvtap`.
    fn ipvtap(&self, name: impl Into<String>) -> LinkBuilder<Self, Ipvlan, NeedsParent> {
        LinkBuilder::new(self.clone(), name.into(), Ipvlan::new(true))
    }

    /// A link whose IP packets a program reads and writes. As `ip tuntap add NAME mode tun`.
    fn tun(&self, name: impl Into<String>) -> LinkBuilder<Self, Tuntap> {
        LinkBuilder::new(self.clone(), name.into(), Tuntap::new(false))
    }

    /// A link whose frames a program reads and writes. As `ip tuntap add NAME mode tap`.
    fn tap(&self, name: impl Into<String>) -> LinkBuilder<Self, Tuntap> {
        LinkBuilder::new(self.clone(), name.into(), Tuntap::new(true))
    }

    /// A group of links with a routing table of its own. As
    /// `ip link add NAME type vrf table TABLE`.
    fn vrf(&self, name: impl Into<String>, table: u32) -> LinkBuilder<Self, Vrf> {
        LinkBuilder::new(self.clone(), name.into(), Vrf::new(table))
    }

    /// Several links as one. As `ip link add NAME type bond mode MODE`.
    fn bond(&self, name: impl Into<String>, mode: BondMode) -> LinkBuilder<Self, Bond> {
        LinkBuilder::new(self.clone(), name.into(), Bond::new(mode))
    }

    /// Packets over IPv4. As `ip link add NAME type gre`.
    fn gre(&self, name: impl Into<String>) -> LinkBuilder<Self, Tunnel> {
        LinkBuilder::new(self.clone(), name.into(), Tunnel::new("gre"))
    }

    /// Frames over IPv4. As `ip link add NAME type gretap`.
    fn gretap(&self, name: impl Into<String>) -> LinkBuilder<Self, Tunnel> {
        LinkBuilder::new(self.clone(), name.into(), Tunnel::new("gretap"))
    }

    /// IPv4 over IPv4, with nothing between. As `ip link add NAME type ipip`.
    fn ipip(&self, name: impl Into<String>) -> LinkBuilder<Self, Tunnel> {
        LinkBuilder::new(self.clone(), name.into(), Tunnel::new("ipip"))
    }

    /// IPv6 over IPv4. As `ip link add NAME type sit`.
    fn sit(&self, name: impl Into<String>) -> LinkBuilder<Self, Tunnel> {
        LinkBuilder::new(self.clone(), name.into(), Tunnel::new("sit"))
    }

    /// Packets over IPv6. As `ip link add NAME type ip6gre`.
    fn ip6gre(&self, name: impl Into<String>) -> LinkBuilder<Self, Tunnel> {
        LinkBuilder::new(self.clone(), name.into(), Tunnel::new("ip6gre"))
    }

    /// IPv4 or IPv6 over IPv6, with nothing between. As `ip link add NAME type ip6tnl`.
    fn ip6tnl(&self, name: impl Into<String>) -> LinkBuilder<Self, Tunnel> {
        LinkBuilder::new(self.clone(), name.into(), Tunnel::new("ip6tnl"))
    }

    /// An Ethernet segment over UDP, RFC 8926, with its network identifier. As
    /// `ip link add NAME type geneve id ID`.
    fn geneve(&self, name: impl Into<String>, id: u32) -> LinkBuilder<Self, Tunnel> {
        LinkBuilder::new(self.clone(), name.into(), Tunnel::geneve(id))
    }

    /// The end of a WireGuard tunnel. As `ip link add NAME type wireguard`.
    fn wireguard(&self, name: impl Into<String>) -> LinkBuilder<Self, Wireguard> {
        LinkBuilder::new(self.clone(), name.into(), Wireguard)
    }

    /// A link of any other kind. As `ip link add NAME type KIND`.
    fn other_link(
        &self,
        name: impl Into<String>,
        kind: impl Into<String>,
    ) -> LinkBuilder<Self, Other> {
        LinkBuilder::new(self.clone(), name.into(), Other::new(kind.into()))
    }

    /// A route to `"default"`, a network such as `"10.0.0.0/8"`, or one address. As `ip route`.
    fn route(&self, destination: impl IntoDestination) -> RouteBuilder<Self> {
        RouteBuilder::new(self.clone(), destination)
    }

    /// A rule that chooses the routing table, `main` unless told otherwise. As `ip rule`.
    fn rule(&self) -> RuleBuilder<Self> {
        RuleBuilder::new(self.clone())
    }
}
