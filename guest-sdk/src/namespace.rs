//! Namespaces: a network stack each, with its own links, addresses and routes.

use std::fmt::{self, Display};
use std::rc::Rc;

use crate::host;
use crate::link::Link;
use crate::link::builder::Draft;
use crate::place::Place;
use crate::wit::addresses::Info as AddressInfo;
use crate::wit::links::{Info as LinkInfo, Spec};
use crate::wit::neighbours::Neighbour;
use crate::wit::routes::Route;
use crate::wit::rules::Rule;
use crate::wit::types::{Family, Write};
use crate::{AnyLink, CaptureBuilder, Error, IntoAddress, Prefix, Result};

/// A network namespace of the run.
///
/// A handle is neither ownership nor permission. Dropping it changes nothing.
#[derive(Clone)]
pub struct Namespace {
    inner: Rc<Inner>,
}

struct Inner {
    handle: host::namespaces::Namespace,
    name: String,
}

impl Namespace {
    fn new(handle: host::namespaces::Namespace) -> Self {
        let name = handle.name();
        Self { inner: Rc::new(Inner { handle, name }) }
    }

    /// Makes a namespace. As `ip netns add NAME`.
    pub fn create(name: &str) -> Result<Self> {
        Ok(Self::new(host::namespaces::Namespace::create(name)?))
    }

    /// One that is there already.
    pub fn open(name: &str) -> Result<Self> {
        Ok(Self::new(host::namespaces::Namespace::open(name)?))
    }

    /// The run's own: the lab's, or the machine's for the host target.
    pub fn root() -> Result<Self> {
        Ok(Self::new(host::namespaces::Namespace::root()?))
    }

    /// The contract's own handle, for its functions in [`host`].
    pub fn handle(&self) -> &host::namespaces::Namespace {
        &self.inner.handle
    }

    /// The name; empty for the root namespace.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// A link that is there already.
    pub fn link(&self, name: &str) -> Result<Link> {
        let handle = host::links::Link::open(self.handle(), name)?;
        Ok(Link::new(handle, self.clone(), name.to_owned()))
    }

    /// A capture of every frame that passes a link. As `tcpdump -i NAME`.
    pub fn capture(&self, link: &str) -> CaptureBuilder {
        CaptureBuilder::new(self.link(link))
    }

    /// All links, by index. As `ip -d link show`.
    pub fn links(&self) -> Result<Vec<LinkInfo>> {
        Ok(host::links::list_all(self.handle())?)
    }

    /// Makes a link as the contract describes it, without a builder.
    pub fn create_link(&self, spec: &Spec) -> Result<Link> {
        let handle = host::links::Link::create(self.handle(), spec)?;
        Ok(Link::new(handle, self.clone(), spec.name.clone()))
    }

    /// All addresses. As `ip address show`.
    pub fn addresses(&self) -> Result<Vec<AddressInfo>> {
        Ok(host::addresses::list_all(self.handle(), None)?)
    }

    /// The routes of all tables. As `ip route show table all`.
    pub fn routes(&self, family: Family) -> Result<Vec<Route>> {
        Ok(host::routes::list_all(self.handle(), family)?)
    }

    /// The route that a packet would take. As `ip route get`.
    pub fn route_to(&self, destination: impl IntoAddress) -> Result<Route> {
        let destination = destination.into_address()?.into();
        Ok(host::routes::lookup(self.handle(), destination, None)?)
    }

    /// The rules that choose among routing tables. As `ip rule show`.
    pub fn rules(&self, family: Family) -> Result<Vec<Rule>> {
        Ok(host::rules::list_all(self.handle(), family)?)
    }

    /// Which stations are known, each with the link that it is on. As `ip neighbour show`.
    pub fn neighbours(&self) -> Result<Vec<(String, Neighbour)>> {
        Ok(host::neighbours::list_all(self.handle(), None)?)
    }

    /// A value of this namespace's network stack: `"net.ipv4.ip_forward"`. As `sysctl -n`.
    pub fn sysctl(&self, key: &str) -> Result<String> {
        Ok(host::sysctls::get(self.handle(), key)?)
    }

    /// Passes packets on between the links, IPv4 and IPv6. As `sysctl -w net.ipv4.ip_forward=1`
    /// and `sysctl -w net.ipv6.conf.all.forwarding=1`.
    pub fn forward_packets(&self) -> Result<()> {
        self.set_sysctl("net.ipv4.ip_forward", 1)?;
        self.set_sysctl("net.ipv6.conf.all.forwarding", 1)
    }

    /// Gives another namespace a number as seen from this one. As `ip netns set NAME ID`.
    pub fn set_id(&self, peer: &str, id: i32) -> Result<()> {
        Ok(self.handle().set_id(peer, id)?)
    }

    /// As `ip netns delete NAME`; its links go with it.
    pub fn delete(&self) -> Result<()> {
        Ok(self.handle().delete()?)
    }

    /// What a link needs besides its own request.
    fn finish_link(&self, link: &Link, draft: &Draft) -> Result<()> {
        add_all(link, &draft.addresses)?;
        if !draft.peer_addresses.is_empty() {
            add_all(&link.peer()?, &draft.peer_addresses)?;
        }
        for (port, how) in &draft.ports {
            let port = self.link(port)?;
            how.changes(&link.name()).iter().try_for_each(|settings| port.change(settings))?;
        }
        if let Some(vlans) = &draft.vlans {
            link.set_vlans(vlans.clone())?;
        }
        Ok(())
    }
}

fn add_all(link: &Link, addresses: &[Prefix]) -> Result<()> {
    addresses.iter().try_for_each(|address| link.add_address(*address))
}

impl Place for Namespace {
    type Link = Link;

    fn name(&self) -> &str {
        &self.inner.name
    }

    fn make_link(&self, draft: Draft) -> Result<Link> {
        let link = self.create_link(&draft.spec)?;
        match self.finish_link(&link, &draft) {
            Ok(()) => Ok(link),
            Err(error) => Err(take_back(&link, error)),
        }
    }

    fn put_route(&self, route: Route, how: Write) -> Result<()> {
        Ok(host::routes::put(self.handle(), &route, how)?)
    }

    fn put_rule(&self, rule: Rule) -> Result<()> {
        Ok(host::rules::add(self.handle(), &rule)?)
    }

    fn set_sysctl(&self, key: &str, value: impl Display) -> Result<()> {
        Ok(host::sysctls::set(self.handle(), key, &value.to_string())?)
    }
}

/// A builder makes its link whole or not at all; the error that came first is the one to tell.
fn take_back(link: &Link, error: Error) -> Error {
    match link.delete() {
        Ok(()) => error,
        Err(left) => error.context(format!("link `{link}` stays half made, for {left}")),
    }
}

impl fmt::Debug for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Namespace({:?})", self.name())
    }
}
