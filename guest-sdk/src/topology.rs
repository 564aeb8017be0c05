//! Topologies: links, addresses and routes collected first and made by the host in one batch.

use std::cell::RefCell;
use std::fmt::Display;
use std::ops::Deref;
use std::rc::Rc;

use crate::ensure::check_names;
use crate::link::builder::Draft;
use crate::link::reference::namespace_words;
use crate::link::{LinkPath, LinkReference};
use crate::place::Place;
use crate::wit::addresses::Address;
use crate::wit::batch::{BatchError, Change, Step};
use crate::wit::links::{Kind, LinkName, Setting, Veth};
use crate::wit::neighbours::Neighbour;
use crate::wit::qdisc::Qdisc;
use crate::wit::routes::Route;
use crate::wit::rules::Rule;
use crate::wit::types::Write;
use crate::{AnyLink, Error, PortVlans, Prefix, Result, host};

/// What is to be made, and of which builder each change is.
#[derive(Debug, Default)]
struct Plan {
    steps: Vec<Step>,
    /// one for each change, for the error that names it
    sources: Vec<String>,
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
        self.push(Change::CreateNamespace(namespace.name.clone()));
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

    /// A change as the contract has it, without a builder.
    pub fn push(&self, change: Change) {
        let source = source(&change);
        self.root.push_from(source, change);
    }

    /// How many changes there are so far.
    pub fn len(&self) -> usize {
        self.root.plan.borrow().steps.len()
    }

    /// Nothing is described yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What there is so far, in the order of its description.
    pub fn steps(&self) -> Vec<Step> {
        self.root.plan.borrow().steps.clone()
    }

    /// Makes all of it in one call and begins anew. The error names the builder that failed, and
    /// nothing of the batch is left then.
    pub fn apply(&self) -> Result<()> {
        let Plan { steps, sources } = self.root.plan.take();
        host::batch::apply_steps(&steps).map_err(|failed| told(failed, &sources))
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
        let Plan { steps, sources } = self.root.plan.take();
        for (step, source) in steps.iter().zip(&sources) {
            check_names(step).map_err(|fault| fault.context(source))?;
        }
        host::ensure::apply(&steps).map_err(|failed| told(failed, &sources))
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
    fn push_from(&self, source: String, change: Change) {
        self.push_step(source, Step::Change(change));
    }

    fn push_step(&self, source: String, step: Step) {
        let mut plan = self.plan.borrow_mut();
        plan.steps.push(step);
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
            let change = Change::PutAddress((link.clone(), (*prefix).into(), Write::Add));
            self.push_from(source.to_owned(), change);
        }
    }

    /// A link that is there already, or is described elsewhere.
    pub fn link(&self, name: impl Into<String>) -> PlannedLink {
        PlannedLink { namespace: self.clone(), name: name.into() }
    }

    /// Alters a link when the topology is applied. As `ip link set`.
    pub fn change_link(&self, name: &str, settings: Vec<Setting>) {
        let change = Change::ChangeLink((self.contract_link(name), settings));
        self.push_from(source(&change), change);
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
        let create = Change::CreateLink((self.contract_name(), draft.spec));
        let source = source(&create);
        self.push_from(source.clone(), create);
        for (port, how) in draft.ports {
            for settings in how.changes(&name) {
                let change = Change::ChangeLink((self.contract_link(&port), settings));
                self.push_from(source.clone(), change);
            }
        }
        self.push_addresses(&source, &self.contract_link(&name), &draft.addresses);
        if let Kind::Veth(veth) = &kind {
            self.push_peer_addresses(&source, veth, &draft.peer_addresses);
        }
        if let Some(vlans) = draft.vlans {
            let step = Step::SetVlans((self.contract_link(&name), vlans.into_list()));
            self.push_step(source, step);
        }
        Ok(PlannedLink { namespace: self.clone(), name })
    }

    fn put_route(&self, route: Route, how: Write) -> Result<()> {
        let change = Change::PutRoute((self.contract_name(), route, how));
        self.push_from(source(&change), change);
        Ok(())
    }

    fn put_rule(&self, rule: Rule) -> Result<()> {
        let change = Change::AddRule((self.contract_name(), rule));
        self.push_from(source(&change), change);
        Ok(())
    }

    fn set_sysctl(&self, key: &str, value: impl Display) -> Result<()> {
        let change = Change::SetSysctl((self.contract_name(), key.to_owned(), value.to_string()));
        self.push_from(source(&change), change);
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
        let change = Change::PutAddress((link, address.clone(), how));
        self.namespace.push_from(source(&change), change);
        Ok(())
    }

    fn put_neighbour(&self, neighbour: Neighbour, how: Write) -> Result<()> {
        let link = self.namespace.contract_link(&self.name);
        let change = Change::PutNeighbour((link, neighbour, how));
        self.namespace.push_from(source(&change), change);
        Ok(())
    }

    fn put_qdisc(&self, qdisc: &Qdisc, how: Write) -> Result<()> {
        let link = self.namespace.contract_link(&self.name);
        let source = format!("queueing discipline of {}", link_words(&link));
        self.namespace.push_step(source, Step::PutQdisc((link, qdisc.clone(), how)));
        Ok(())
    }

    fn clear_qdisc(&self) -> Result<()> {
        let link = self.namespace.contract_link(&self.name);
        let source = format!("queueing discipline of {}", link_words(&link));
        self.namespace.push_step(source, Step::RemoveQdisc(link));
        Ok(())
    }

    fn set_vlans(&self, vlans: PortVlans) -> Result<()> {
        let link = self.namespace.contract_link(&self.name);
        let source = format!("VLANs of {}", link_words(&link));
        self.namespace.push_step(source, Step::SetVlans((link, vlans.into_list())));
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

fn place(namespace: &Option<String>) -> String {
    namespace_words(namespace.as_deref().unwrap_or(""))
}

fn link_words(link: &LinkName) -> String {
    format!("link `{}` in {}", link.name, place(&link.namespace))
}

/// How an error speaks of a change.
fn source(change: &Change) -> String {
    let link = link_words;
    match change {
        Change::CreateNamespace(name) => namespace_words(name),
        Change::CreateLink((namespace, spec)) => {
            format!("{} `{}` in {}", spec.kind.word(), spec.name, place(namespace))
        }
        Change::ChangeLink((name, _)) => link(name),
        Change::PutAddress((name, address, _)) => {
            format!("address {} of {}", Prefix::from(address.prefix), link(name))
        }
        Change::PutRoute((namespace, route, _)) => match route.network() {
            Some(network) => format!("route to {network} in {}", place(namespace)),
            None => format!("default route in {}", place(namespace)),
        },
        Change::AddRule((namespace, _)) => format!("rule in {}", place(namespace)),
        Change::PutNeighbour((name, neighbour, _)) => {
            format!("neighbour {} of {}", std::net::IpAddr::from(neighbour.address), link(name))
        }
        Change::SetSysctl((namespace, key, _)) => format!("sysctl `{key}` in {}", place(namespace)),
    }
}
