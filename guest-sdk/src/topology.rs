//! Topologies: links, addresses and routes collected first and made by the host in one batch.

use std::cell::RefCell;
use std::fmt::Display;
use std::ops::Deref;
use std::rc::Rc;

use crate::ensure::check_names;
use crate::host::batch::Batch;
use crate::host::{addresses, links, namespaces, neighbours, qdisc, routes, rules, sysctls, vlans};
use crate::link::builder::Draft;
use crate::link::reference::namespace_words;
use crate::link::{LinkPath, LinkReference};
use crate::place::Place;
use crate::wit::addresses::Address;
use crate::wit::batch::BatchError;
use crate::wit::links::{Kind, LinkName, Setting, Veth};
use crate::wit::neighbours::Neighbour;
use crate::wit::qdisc::Qdisc;
use crate::wit::routes::Route;
use crate::wit::rules::Rule;
use crate::wit::types::Write;
use crate::{AnyLink, Error, PortVlans, Prefix, Result};

/// What is to be made, and of which builder each change is.
#[derive(Debug)]
struct Plan {
    batch: Batch,
    /// one for each change, for the error that names it
    sources: Vec<String>,
    /// of the first link whose name the kernel is to choose
    unnamed: Option<Error>,
}

impl Default for Plan {
    fn default() -> Self {
        Self { batch: Batch::new(), sources: Vec::new(), unnamed: None }
    }
}

type Shared = Rc<RefCell<Plan>>;

/// A network that is described first and made in one call: all of it, or nothing.
///
/// It takes the same builders as a namespace. The host finds the order; a link may lie on one that
/// is described after it.
///
/// ```
/// use netwright_sdk::prelude::*;
/// use netwright_sdk::testing::MemoryHost;
///
/// # fn main() -> Result<()> {
/// let host = MemoryHost::new();
/// let topology = Topology::new();
/// let uplink = topology.veth("enp0s8").peer("switch0").create()?;
/// for (name, address) in [("ns1", "10.0.0.1/24"), ("ns2", "10.0.0.2/24")] {
///     topology.namespace(name).macvlan("eth0").parent(&uplink).address(address).create()?;
/// }
/// topology.apply()?;
/// assert_eq!(host.changes().len(), 7);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Topology {
    root: PlannedNamespace,
}

impl Default for Topology {
    fn default() -> Self {
        Self::new()
    }
}

impl Topology {
    /// One with nothing in it.
    pub fn new() -> Self {
        Self { root: PlannedNamespace { plan: Shared::default(), name: String::new() } }
    }

    /// A namespace that is to be made. As `ip netns add NAME`.
    pub fn namespace(&self, name: impl Into<String>) -> PlannedNamespace {
        let namespace = self.in_namespace(name);
        let name = &namespace.name;
        namespace.add(namespace_words(name), |batch| namespaces::add_namespace(batch, name));
        namespace
    }

    /// A namespace that is there already, or is described elsewhere; the empty name is the root's.
    pub fn in_namespace(&self, name: impl Into<String>) -> PlannedNamespace {
        PlannedNamespace { plan: Rc::clone(&self.root.plan), name: name.into() }
    }

    /// The root namespace.
    pub fn root(&self) -> &PlannedNamespace {
        &self.root
    }

    /// A change as the contract has it, without a builder: `add` puts just one into the batch, and an
    /// error will name it so.
    ///
    /// ```
    /// use netwright_sdk::host::namespaces;
    /// use netwright_sdk::prelude::*;
    /// use netwright_sdk::testing::MemoryHost;
    ///
    /// # fn main() -> Result<()> {
    /// let host = MemoryHost::new();
    /// let topology = Topology::new();
    /// topology.push("the first", |batch| namespaces::add_namespace(batch, "n1"));
    /// topology.apply()?;
    /// assert_eq!(host.changes(), ["netns add n1"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn push(&self, source: impl Into<String>, add: impl FnOnce(&Batch)) {
        self.root.add(source.into(), add);
    }

    /// How many changes there are so far.
    pub fn len(&self) -> usize {
        self.root.plan.borrow().sources.len()
    }

    /// Nothing is described yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Makes all of it in one call and begins anew. The error names the builder that failed, and
    /// nothing of the batch is left then.
    pub fn apply(&self) -> Result<()> {
        let Plan { batch, sources, .. } = self.root.plan.take();
        Batch::apply(batch).map_err(|failed| told(failed, &sources))
    }

    /// Brings all of it about and begins anew: what is missing is made, what differs is changed,
    /// and what is as described stays untouched, as does what isn't described. Gives the number of
    /// changes that it took: 0 where the network was so already.
    ///
    /// Whether a builder was finished by `create`, `add` or `replace` makes no difference here.
    ///
    /// ```
    /// use netwright_sdk::prelude::*;
    /// use netwright_sdk::testing::MemoryHost;
    ///
    /// # fn main() -> Result<()> {
    /// let host = MemoryHost::new();
    /// let ensure = |mtu| {
    ///     let topology = Topology::new();
    ///     topology.veth("eth0").peer("eth1").mtu(mtu).address("10.0.0.1/24").create()?;
    ///     topology.route("10.9.0.0/16").via("10.0.0.254").add()?;
    ///     topology.ensure()
    /// };
    /// assert_eq!((ensure(1400)?, ensure(1400)?, ensure(1300)?), (3, 0, 1));
    /// # Ok(())
    /// # }
    /// ```
    pub fn ensure(&self) -> Result<u32> {
        let Plan { batch, sources, unnamed } = self.root.plan.take();
        match unnamed {
            Some(unnamed) => Err(unnamed),
            None => Batch::ensure(batch).map_err(|failed| told(failed, &sources)),
        }
    }
}

impl Deref for Topology {
    type Target = PlannedNamespace;

    fn deref(&self) -> &PlannedNamespace {
        &self.root
    }
}

/// A namespace of a topology: its builders act when the topology is applied.
#[derive(Debug, Clone)]
pub struct PlannedNamespace {
    plan: Shared,
    name: String,
}

impl PlannedNamespace {
    fn add(&self, source: String, add: impl FnOnce(&Batch)) {
        let mut plan = self.plan.borrow_mut();
        add(&plan.batch);
        plan.sources.push(source);
    }

    /// As the contract names it: none is the root namespace.
    fn contract_name(&self) -> Option<String> {
        (!self.name.is_empty()).then(|| self.name.clone())
    }

    fn contract_link(&self, name: &str) -> LinkName {
        LinkName { namespace: self.contract_name(), name: name.to_owned() }
    }

    fn push_addresses(&self, source: &str, link: &LinkName, addresses: &[Prefix]) {
        for prefix in addresses {
            self.add(source.to_owned(), |batch| {
                addresses::add_address(batch, link, &(*prefix).into(), Write::Add);
            });
        }
    }

    /// A link that is there already, or is described elsewhere.
    pub fn link(&self, name: impl Into<String>) -> PlannedLink {
        PlannedLink { namespace: self.clone(), name: name.into() }
    }

    /// Alters a link when the topology is applied. As `ip link set`.
    pub fn change_link(&self, name: &str, settings: Vec<Setting>) {
        let link = self.contract_link(name);
        self.add(link_words(&link), |batch| links::add_settings(batch, &link, &settings));
    }

    /// The other end's addresses, by the name that the kind has for it.
    fn push_peer_addresses(&self, source: &str, veth: &Veth, addresses: &[Prefix]) {
        let namespace = match veth.peer.namespace.as_deref() {
            None => self.contract_name(),
            Some("") => None,
            Some(elsewhere) => Some(elsewhere.to_owned()),
        };
        let peer = LinkName { namespace, name: veth.peer.name.clone() };
        self.push_addresses(source, &peer, addresses);
    }
}

impl Place for PlannedNamespace {
    type Link = PlannedLink;

    fn name(&self) -> &str {
        &self.name
    }

    fn make_link(&self, draft: Draft) -> Result<PlannedLink> {
        let name = draft.spec.name.clone();
        let kind = draft.spec.kind.clone();
        let source = format!("{} `{name}` in {}", kind.word(), namespace_words(&self.name));
        if let Err(fault) = check_names(&draft.spec) {
            self.plan.borrow_mut().unnamed.get_or_insert(fault.context(&source));
        }
        let namespace = self.contract_name();
        self.add(source.clone(), |batch| {
            links::add_link(batch, namespace.as_deref(), &draft.spec);
        });
        for (port, how) in draft.ports {
            for settings in how.changes(&name) {
                let port = self.contract_link(&port);
                self.add(source.clone(), |batch| links::add_settings(batch, &port, &settings));
            }
        }
        self.push_addresses(&source, &self.contract_link(&name), &draft.addresses);
        if let Kind::Veth(veth) = &kind {
            self.push_peer_addresses(&source, veth, &draft.peer_addresses);
        }
        if let Some(vlans) = draft.vlans {
            let link = self.contract_link(&name);
            self.add(source, |batch| vlans::add_vlans(batch, &link, &vlans.into_list()));
        }
        Ok(PlannedLink { namespace: self.clone(), name })
    }

    fn put_route(&self, route: Route, how: Write) -> Result<()> {
        let place = namespace_words(&self.name);
        let source = match route.network() {
            Some(network) => format!("route to {network} in {place}"),
            None => format!("default route in {place}"),
        };
        let namespace = self.contract_name();
        self.add(source, |batch| routes::add_route(batch, namespace.as_deref(), &route, how));
        Ok(())
    }

    fn put_rule(&self, rule: Rule) -> Result<()> {
        let source = format!("rule in {}", namespace_words(&self.name));
        let namespace = self.contract_name();
        self.add(source, |batch| rules::add_rule(batch, namespace.as_deref(), &rule));
        Ok(())
    }

    fn set_sysctl(&self, key: &str, value: impl Display) -> Result<()> {
        let source = format!("sysctl `{key}` in {}", namespace_words(&self.name));
        let (namespace, value) = (self.contract_name(), value.to_string());
        self.add(source, |batch| {
            sysctls::add_sysctl(batch, namespace.as_deref(), key, &value);
        });
        Ok(())
    }
}

/// A link of a topology, for others to lie on and for addresses to be put on.
#[derive(Debug, Clone)]
pub struct PlannedLink {
    namespace: PlannedNamespace,
    name: String,
}

impl PlannedLink {
    /// The link's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The namespace that it will be in.
    pub fn namespace(&self) -> &PlannedNamespace {
        &self.namespace
    }
}

impl LinkReference for PlannedLink {
    fn path(&self) -> Result<LinkPath> {
        Ok(LinkPath::new(self.namespace.name(), &self.name))
    }
}

impl AnyLink for PlannedLink {
    fn put_address(&self, address: &Address, how: Write) -> Result<()> {
        let link = self.namespace.contract_link(&self.name);
        let source = format!("address {} of {}", Prefix::from(address.prefix), link_words(&link));
        self.namespace.add(source, |batch| addresses::add_address(batch, &link, address, how));
        Ok(())
    }

    fn put_neighbour(&self, neighbour: Neighbour, how: Write) -> Result<()> {
        let link = self.namespace.contract_link(&self.name);
        let address = std::net::IpAddr::from(neighbour.address);
        let source = format!("neighbour {address} of {}", link_words(&link));
        self.namespace.add(source, |batch| neighbours::add_neighbour(batch, &link, neighbour, how));
        Ok(())
    }

    fn put_qdisc(&self, qdisc: &Qdisc, how: Write) -> Result<()> {
        let link = self.namespace.contract_link(&self.name);
        let source = format!("queueing discipline of {}", link_words(&link));
        self.namespace.add(source, |batch| qdisc::add_qdisc(batch, &link, qdisc, how));
        Ok(())
    }

    fn clear_qdisc(&self) -> Result<()> {
        let link = self.namespace.contract_link(&self.name);
        let source = format!("queueing discipline of {}", link_words(&link));
        self.namespace.add(source, |batch| qdisc::add_qdisc_removal(batch, &link));
        Ok(())
    }

    fn set_vlans(&self, vlans: PortVlans) -> Result<()> {
        let link = self.namespace.contract_link(&self.name);
        let source = format!("VLANs of {}", link_words(&link));
        let vlans = vlans.into_list();
        self.namespace.add(source, |batch| vlans::add_vlans(batch, &link, &vlans));
        Ok(())
    }
}

/// The error of a builder's change, and whether anything is left.
fn told(failed: BatchError, sources: &[String]) -> Error {
    let place = usize::try_from(failed.index).unwrap_or(usize::MAX);
    let error = match sources.get(place) {
        Some(source) => Error::from(failed.error).context(source),
        None => Error::from(failed.error),
    };
    if failed.undone { error } else { error.context("a part of the topology is left") }
}

/// How an error speaks of a link.
fn link_words(link: &LinkName) -> String {
    let place = namespace_words(link.namespace.as_deref().unwrap_or_default());
    format!("link `{}` in {place}", link.name)
}
