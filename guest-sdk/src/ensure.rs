//! Ensuring: what is as it was asked for stays untouched, what differs is changed, what is missing
//! is made.
//!
//! Each of these is a topology of its own, so that a link comes about with its addresses, its
//! ports and its other end, or not at all.

use std::fmt::Display;

use crate::address::AddressBuilder;
use crate::link::builder::{LinkBuilder, Ready};
use crate::link::kind::Kind as LinkKind;
use crate::neighbour::NeighbourBuilder;
use crate::place::Place;
use crate::port::PortVlans;
use crate::route::RouteBuilder;
use crate::rule::RuleBuilder;
use crate::wit::links::{Kind, Other, Setting, Spec};
use crate::wit::qdisc::{Kind as Discipline, Qdisc};
use crate::wit::types::Write;
use crate::{
    AnyLink, Error, IntoPrefix, Lab, Link, Namespace, PlannedLink, PlannedNamespace, Result,
    Topology,
};

/// Brings about what is described in one namespace, and gives what describing it gave.
fn bring_about<T>(
    namespace: &Namespace,
    describe: impl FnOnce(&PlannedNamespace) -> Result<T>,
) -> Result<T> {
    let topology = Topology::new();
    let described = describe(&topology.in_namespace(namespace.name()))?;
    topology.ensure()?;
    Ok(described)
}

/// The same for what belongs to a link.
fn of_link(link: &Link, describe: impl FnOnce(PlannedLink) -> Result<()>) -> Result<()> {
    let namespace = link.namespace().clone();
    bring_about(&namespace, |place| describe(place.link(link.name())))
}

/// Refuses a link whose name the kernel is to choose: the next run could not know it again.
pub(crate) fn check_names(spec: &Spec) -> Result<()> {
    let Spec { name, kind, .. } = spec;
    check_name(name)?;
    if let Kind::Veth(veth) = kind { check_name(&veth.peer.name) } else { Ok(()) }
}

fn check_name(name: &str) -> Result<()> {
    if name.is_empty() || name.contains('%') {
        let shown = name.escape_debug();
        return Err(Error::invalid(format!(
            "ensuring a link needs its name, and `{shown}` leaves it to the kernel"
        )));
    }
    Ok(())
}

impl<K: LinkKind> LinkBuilder<Namespace, K, Ready> {
    /// The link as it is said here, with its addresses: made where it is missing, altered where it
    /// differs, untouched where it is so already. What can't be altered in place, such as another
    /// kind or parent, is deleted and made anew. Unlike `ip link add`, it is no error that the
    /// link is there; what isn't said is as whoever made it left it, addresses included.
    ///
    /// ```
    /// use netwright_sdk::prelude::*;
    /// use netwright_sdk::testing::MemoryHost;
    ///
    /// # fn main() -> Result<()> {
    /// let host = MemoryHost::new();
    /// host.add_device("eth1");
    /// let lab = Lab::open()?;
    /// let ensure = || lab.macvlan("en0").parent("eth1").mtu(1400).address("10.99.0.5/24").ensure();
    /// let link = ensure()?;
    /// link.set_mtu(1300)?;
    /// ensure()?;
    /// ensure()?;
    /// assert_eq!(host.changes(), [
    ///     "link add link eth1 name en0 mtu 1400 up type macvlan",
    ///     "address add 10.99.0.5/24 dev en0",
    ///     "link set en0 mtu 1300",
    ///     "link set en0 mtu 1400",
    /// ]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn ensure(self) -> Result<Link> {
        let namespace = self.place.clone();
        let draft = self.finish()?;
        let planned = bring_about(&namespace, |place| place.make_link(draft))?;
        namespace.link(planned.name())
    }
}

impl Namespace {
    /// A namespace that is there afterwards, made or not. As `ip netns add NAME`, for which it is
    /// an error that there is one.
    pub fn ensure(name: &str) -> Result<Self> {
        let topology = Topology::new();
        topology.namespace(name);
        topology.ensure()?;
        Self::open(name)
    }

    /// A value of this namespace's network stack, written only where it is another. As `sysctl -w`.
    pub fn ensure_sysctl(&self, key: &str, value: impl Display) -> Result<()> {
        bring_about(self, |place| place.set_sysctl(key, value))
    }
}

impl Lab {
    /// A namespace that is there afterwards, made or not: see [`Namespace::ensure`].
    pub fn ensure_namespace(&self, name: impl AsRef<str>) -> Result<Namespace> {
        Namespace::ensure(name.as_ref())
    }
}

impl Link {
    /// Sets what isn't so already. As `ip link set`.
    pub fn ensure(&self, settings: &[Setting]) -> Result<()> {
        let namespace = self.namespace().clone();
        bring_about(&namespace, |place| {
            place.change_link(&self.name(), settings.to_vec());
            Ok(())
        })
    }

    /// An address that the link has afterwards. As `ip address replace`, but one that is there
    /// stays untouched.
    pub fn ensure_address(&self, address: impl IntoPrefix) -> Result<()> {
        self.address(address).ensure()
    }

    /// Just these VLANs on this port of a bridge, altered only where they are others. As
    /// `bridge vlan`.
    pub fn ensure_vlans(&self, vlans: PortVlans) -> Result<()> {
        of_link(self, |link| link.set_vlans(vlans))
    }

    /// A discipline without options, as [`set_qdisc`](Self::set_qdisc); one of this kind stays
    /// untouched.
    pub fn ensure_qdisc(&self, kind: &str) -> Result<()> {
        let discipline = Discipline::Other(Other { kind: kind.to_owned(), options: Vec::new() });
        self.ensure_discipline(&Qdisc { handle: None, kind: discipline })
    }

    pub(crate) fn ensure_discipline(&self, qdisc: &Qdisc) -> Result<()> {
        of_link(self, |link| link.put_qdisc(qdisc, Write::Replace))
    }
}

impl AddressBuilder<Link> {
    /// The link has it afterwards, with what is said of it. As `ip address replace`, but what is
    /// so already stays untouched, and what isn't said stays as it is.
    pub fn ensure(self) -> Result<()> {
        let (link, address) = self.finish()?;
        of_link(&link, |link| link.put_address(&address, Write::Replace))
    }
}

impl NeighbourBuilder<Link> {
    /// It is there afterwards, with what is said of it. As `ip neighbour replace`, but what is so
    /// already stays untouched.
    pub fn ensure(self) -> Result<()> {
        let (link, neighbour) = self.finish()?;
        of_link(&link, |link| link.put_neighbour(neighbour, Write::Replace))
    }
}

impl RouteBuilder<Namespace> {
    /// It is there afterwards, with what is said of it. As `ip route replace`, but one that is so
    /// already stays untouched, and an address within the network stands for it: `"10.98.7.9/16"`
    /// is `10.98.0.0/16`.
    pub fn ensure(self) -> Result<()> {
        let (namespace, route) = self.finish()?;
        bring_about(&namespace, |place| place.put_route(route, Write::Replace))
    }
}

impl RuleBuilder<Namespace> {
    /// It is there afterwards. As `ip rule add`, which adds a second one like it where no priority
    /// is said.
    pub fn ensure(self) -> Result<()> {
        let (namespace, rule) = self.finish()?;
        bring_about(&namespace, |place| place.put_rule(rule))
    }
}
