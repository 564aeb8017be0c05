//! The network of the in-memory host, answering like the kernel where recipes notice.

mod batch;
mod create;
mod ensure;
mod layer3;
mod qdisc;
mod routes;
mod settings;

use std::collections::BTreeMap;

use netwright_network::refusal::{self, MISSING};
use netwright_network::setting::{Reach, SettingKey};

pub(crate) use batch::order;

use super::change::{Change, Site};
use crate::MacAddress;
use crate::link::kind::attribute;
use crate::wit::addresses::Address;
use crate::wit::fdb::Entry;
use crate::wit::links::{Info, Kind, LinkName};
use crate::wit::neighbours::Neighbour;
use crate::wit::qdisc::Qdisc;
use crate::wit::routes::Route;
use crate::wit::rules::Rule;
use crate::wit::types::{Attribute, Detail, Error, KernelError};
use crate::wit::vlans::Vlan;

/// Why a change can't be.
#[derive(Debug, Clone)]
pub(crate) enum Refusal {
    /// What the kernel answers: a number of errno(3), its name, and more where it says more.
    Kernel { errno: i32, name: &'static str, text: &'static str },
    /// What the host says before it asks the kernel.
    Said(String),
    /// Nothing has the name.
    Missing(String),
}

impl Refusal {
    const fn new(errno: i32, name: &'static str, text: &'static str) -> Self {
        Self::Kernel { errno, name, text }
    }
}

/// With its remedy on a line of its own.
fn whole(refusal: refusal::Refusal) -> String {
    refusal.told(|help| format!("\n  help: {help}"))
}

/// A link or namespace that is gone though its handle is not, which the handle tells.
const GONE: Refusal = Refusal::new(19, "ENODEV", "no such link");
const NO_ENTRY: Refusal = Refusal::new(2, "ENOENT", "no such entry");
const NO_SUCH: Refusal = Refusal::new(3, "ESRCH", "nothing is as described");
const EXISTS: Refusal = Refusal::new(17, "EEXIST", "it is there already");
const INVALID: Refusal = Refusal::new(22, "EINVAL", "invalid argument");

pub(crate) type Answer<T> = Result<T, Refusal>;

/// The number of a namespace, never used again.
pub(crate) type NamespaceId = u32;
/// The number of a link over all namespaces, never used again.
pub(crate) type LinkId = u32;

/// The run's root namespace.
pub(crate) const ROOT: NamespaceId = 0;

/// The state of one namespace but for its links.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stack {
    pub(crate) name: String,
    pub(crate) routes: Vec<Route>,
    pub(crate) rules: Vec<Rule>,
    /// by the key with slashes by which the kernel tells a value most exactly
    sysctls: BTreeMap<String, String>,
}

impl Stack {
    /// What nobody has set reads as 0 here.
    pub(crate) fn sysctl(&self, key: &SettingKey) -> &str {
        self.sysctls.get(&key.finest().to_string()).map_or("0", String::as_str)
    }
}

/// A key however it is spelled.
pub(crate) fn setting(key: &str) -> Result<SettingKey, Error> {
    SettingKey::of(key).map_err(|wrong| Error::Invalid(wrong.explain(key)))
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LinkState {
    pub(crate) namespace: NamespaceId,
    pub(crate) index: u32,
    pub(crate) name: String,
    pub(crate) kind: Nature,
    pub(crate) parent: Option<LinkId>,
    pub(crate) peer: Option<LinkId>,
    pub(crate) master: Option<LinkId>,
    pub(crate) up: bool,
    pub(crate) mtu: u32,
    pub(crate) mac: Option<MacAddress>,
    pub(crate) promiscuous: bool,
    pub(crate) alias: Option<String>,
    pub(crate) group: u32,
    pub(crate) queue_length: u32,
    pub(crate) addresses: Vec<Address>,
    pub(crate) neighbours: Vec<Neighbour>,
    pub(crate) entries: Vec<Entry>,
    /// what somebody put there
    pub(crate) qdisc: Option<Qdisc>,
    /// of a bridge's port; none as long as nobody altered them
    pub(crate) vlans: Option<Vec<Vlan>>,
    /// settings that nothing here depends on, in ip(8)'s words
    pub(crate) extra: Vec<Attribute>,
}

/// What a link is: made by a recipe, or there from the beginning.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Nature {
    Loopback,
    Device,
    Made(Kind),
}

#[derive(Debug, Clone)]
pub(crate) struct Network {
    pub(crate) stacks: BTreeMap<NamespaceId, Stack>,
    pub(crate) links: BTreeMap<LinkId, LinkState>,
    next_namespace: NamespaceId,
    next_link: LinkId,
}

impl Network {
    /// The root namespace with its `lo`, which is up.
    pub(crate) fn new() -> Self {
        let mut network = Self {
            stacks: BTreeMap::new(),
            links: BTreeMap::new(),
            next_namespace: ROOT,
            next_link: 1,
        };
        network.add_stack("");
        network.links.values_mut().for_each(|lo| lo.up = true);
        network
    }

    fn add_stack(&mut self, name: &str) -> NamespaceId {
        let id = self.next_namespace;
        self.next_namespace += 1;
        let rules = routes::first_rules();
        let stack = Stack { name: name.to_owned(), rules, ..Stack::default() };
        self.stacks.insert(id, stack);
        let lo = self.add_link(id, "lo", Nature::Loopback);
        if let Some(lo) = self.links.get_mut(&lo) {
            (lo.mtu, lo.mac) = (65536, Some(MacAddress([0; 6])));
        }
        id
    }

    fn add_link(&mut self, namespace: NamespaceId, name: &str, kind: Nature) -> LinkId {
        let id = self.next_link;
        self.next_link += 1;
        let index = self.free_index(namespace);
        let [_, _, high, low] = id.to_be_bytes();
        let link = LinkState {
            namespace,
            index,
            name: name.to_owned(),
            kind,
            parent: None,
            peer: None,
            master: None,
            up: false,
            mtu: 1500,
            mac: Some(MacAddress([0x02, 0, 0, 0, high, low])),
            promiscuous: false,
            alias: None,
            group: 0,
            queue_length: 1000,
            addresses: Vec::new(),
            neighbours: Vec::new(),
            entries: Vec::new(),
            qdisc: None,
            vlans: None,
            extra: Vec::new(),
        };
        self.links.insert(id, link);
        id
    }

    /// The lowest number above all that are taken in the namespace.
    fn free_index(&self, namespace: NamespaceId) -> u32 {
        let inside = self.links.values().filter(|link| link.namespace == namespace);
        inside.map(|link| link.index).max().unwrap_or(0) + 1
    }

    /// A link that is there before the recipe comes, such as the machine's own.
    pub(crate) fn add_device(&mut self, namespace: NamespaceId, name: &str) -> LinkId {
        let id = self.add_link(namespace, name, Nature::Device);
        if let Some(link) = self.links.get_mut(&id) {
            link.up = true;
        }
        id
    }

    pub(crate) fn namespace(&self, name: &str) -> Answer<NamespaceId> {
        let found = self.stacks.iter().find(|(_, stack)| stack.name == name);
        found.map(|(id, _)| *id).ok_or_else(|| {
            let mut names: Vec<_> = self.stacks.values().map(|one| one.name.as_str()).collect();
            names.retain(|name| !name.is_empty());
            names.sort_unstable();
            Refusal::Missing(whole(refusal::no_namespace(name, &names)))
        })
    }

    pub(crate) fn namespace_name(&self, id: NamespaceId) -> &str {
        self.stacks.get(&id).map_or("", |stack| stack.name.as_str())
    }

    pub(crate) fn stack(&self, id: NamespaceId) -> Answer<&Stack> {
        self.stacks.get(&id).ok_or(GONE)
    }

    fn stack_mut(&mut self, name: &str) -> Answer<&mut Stack> {
        let id = self.namespace(name)?;
        self.stacks.get_mut(&id).ok_or(GONE)
    }

    pub(crate) fn find_link(&self, namespace: NamespaceId, name: &str) -> Option<LinkId> {
        let is_it = |link: &LinkState| link.namespace == namespace && link.name == name;
        self.links.iter().find(|(_, link)| is_it(link)).map(|(id, _)| *id)
    }

    /// The link of a name, or which links there are.
    fn known_link(&self, namespace: NamespaceId, name: &str) -> Answer<LinkId> {
        self.find_link(namespace, name).ok_or_else(|| {
            let place = Some(self.namespace_name(namespace)).filter(|name| !name.is_empty());
            let links = self.links_in(namespace);
            let names = links.iter().filter_map(|id| Some(self.links.get(id)?.name.as_str()));
            let names: Vec<_> = names.collect();
            Refusal::Missing(whole(refusal::no_link(&refusal::place(place), name, &names)))
        })
    }

    pub(crate) fn link_at(&self, site: &Site) -> Answer<LinkId> {
        let namespace = self.namespace(&site.namespace)?;
        self.known_link(namespace, &site.name)
    }

    pub(crate) fn link(&self, id: LinkId) -> Answer<&LinkState> {
        self.links.get(&id).ok_or(GONE)
    }

    fn link_mut(&mut self, id: LinkId) -> Answer<&mut LinkState> {
        self.links.get_mut(&id).ok_or(GONE)
    }

    pub(crate) fn site(&self, id: LinkId) -> Answer<Site> {
        let link = self.link(id)?;
        let namespace = self.namespace_name(link.namespace).to_owned();
        Ok(Site { namespace, name: link.name.clone() })
    }

    /// A link as one in a namespace speaks of it.
    fn named_by(&self, speaker: NamespaceId, link: &LinkName) -> Answer<LinkId> {
        let namespace = match &link.namespace {
            Some(name) => self.namespace(name)?,
            None => speaker,
        };
        self.known_link(namespace, &link.name)
    }

    /// The links of a namespace, by index.
    pub(crate) fn links_in(&self, namespace: NamespaceId) -> Vec<LinkId> {
        let mut inside: Vec<_> =
            self.links.iter().filter(|(_, link)| link.namespace == namespace).collect();
        inside.sort_by_key(|(_, link)| link.index);
        inside.into_iter().map(|(id, _)| *id).collect()
    }

    /// Up, with all that it lies on and its other end.
    pub(crate) fn carrier(&self, id: LinkId) -> bool {
        let Some(link) = self.links.get(&id) else { return false };
        let peer_up = link.peer.is_none_or(|peer| self.links.get(&peer).is_some_and(|p| p.up));
        link.up && peer_up && link.parent.is_none_or(|parent| self.carrier(parent))
    }

    /// Children in need of every frame, and the recipe's own wish.
    pub(crate) fn promiscuity(&self, id: LinkId) -> u32 {
        let wish = self.links.get(&id).is_some_and(|link| link.promiscuous);
        let children = self.links.values().filter(|child| child.parent == Some(id) && child.up);
        let passthru = children.filter(|child| child.is_passthru() && !child.is_nopromisc());
        let ports = self.links.get(&id).is_some_and(|link| link.master.is_some());
        u32::from(wish) + u32::from(ports) + u32::try_from(passthru.count()).unwrap_or(u32::MAX)
    }

    pub(crate) fn info(&self, id: LinkId) -> Answer<Info> {
        let link = self.link(id)?;
        let named = |other: Option<LinkId>| {
            let other = self.links.get(&other?)?;
            let elsewhere = other.namespace != link.namespace;
            let namespace = elsewhere.then(|| self.namespace_name(other.namespace).to_owned());
            Some(LinkName { namespace, name: other.name.clone() })
        };
        let carrier = self.carrier(id);
        let promiscuity = self.promiscuity(id);
        Ok(Info {
            index: link.index,
            name: link.name.clone(),
            kind: link.kind.word().to_owned(),
            up: link.up,
            carrier,
            operational_state: link.operational_state(carrier).to_owned(),
            flags: link.flags(carrier),
            mtu: link.mtu,
            mac: link.mac.map(MacAddress::into),
            promiscuity,
            transmit_queue_length: link.queue_length,
            group: link.group,
            parent: named(link.parent),
            master: named(link.master).map(|master| master.name),
            peer: named(link.peer),
            alias: link.alias.clone(),
            data: link.details(),
            extra: link.extra.clone(),
        })
    }

    /// A setting of a link is there with the link. Of the others nothing here knows which there are.
    pub(crate) fn check_setting(&self, namespace: NamespaceId, key: &SettingKey) -> Answer<()> {
        match key.reach() {
            Reach::Link(name) if self.find_link(namespace, name).is_none() => Err(NO_ENTRY),
            Reach::Link(_) | Reach::EveryLink | Reach::Stack => Ok(()),
        }
    }

    /// Makes one change, or says why the kernel would not.
    pub(crate) fn apply(&mut self, change: &Change) -> Result<(), Error> {
        self.make(change).map_err(|refusal| refusal.of(&change.to_string()))
    }

    fn make(&mut self, change: &Change) -> Answer<()> {
        match change {
            Change::CreateNamespace { name } => {
                if self.namespace(name).is_ok() {
                    return Err(EXISTS);
                }
                self.add_stack(name);
                Ok(())
            }
            Change::DeleteNamespace { name } => self.delete_namespace(name),
            Change::SetNamespaceId { namespace, peer, .. } => {
                self.namespace(namespace).and(self.namespace(peer)).map(|_| ())
            }
            Change::CreateLink { namespace, spec } => self.create_link(namespace, spec),
            Change::ChangeLink { link, settings } => self.change_link(link, settings),
            Change::MoveLink { link, to } => self.move_link(link, to),
            Change::DeleteLink { link } => self.delete_link(link),
            Change::PutAddress { link, address, how } => self.put_address(link, address, *how),
            Change::RemoveAddress { link, prefix, .. } => self.remove_address(link, *prefix),
            Change::PutRoute { namespace, route, how } => self.put_route(namespace, route, *how),
            Change::RemoveRoute { namespace, route } => self.remove_route(namespace, route),
            Change::AddRule { namespace, rule } => self.add_rule(namespace, rule),
            Change::RemoveRule { namespace, rule } => self.remove_rule(namespace, rule),
            Change::PutNeighbour { link, neighbour, how } => {
                self.put_neighbour(link, neighbour, *how)
            }
            Change::RemoveNeighbour { link, address, proxy } => {
                self.remove_neighbour(link, *address, *proxy)
            }
            Change::PutEntry { link, entry, how } => self.put_entry(link, entry, *how),
            Change::RemoveEntry { link, entry } => self.remove_entry(link, entry),
            Change::SetSysctl { namespace, key, value } => {
                let key = setting(key).map_err(|_| INVALID)?;
                self.check_setting(self.namespace(namespace)?, &key)?;
                let finest = key.finest().to_string();
                self.stack_mut(namespace)?.sysctls.insert(finest, value.clone());
                Ok(())
            }
            Change::PutQdisc { link, qdisc, how } => self.put_qdisc(link, qdisc, *how),
            Change::RemoveQdisc { link } => self.remove_qdisc(link),
            Change::PutVlan { link, vlan } => self.put_vlan(link, *vlan),
            Change::RemoveVlan { link, first, last } => self.remove_vlan(link, *first, *last),
            Change::SetVlans { link, vlans } => self.set_vlans(link, vlans),
        }
    }
}

impl Refusal {
    /// As the host passes it on.
    pub(crate) fn of(self, operation: &str) -> Error {
        match self {
            Self::Kernel { errno, name, text } => Error::Kernel(KernelError {
                errno,
                name: name.to_owned(),
                operation: operation.to_owned(),
                text: Some(text.to_owned()),
                hint: None,
                extra: Vec::new(),
            }),
            Self::Said(sentence) => Error::Invalid(sentence),
            Self::Missing(sentence) => {
                Error::Other(Detail { message: sentence, extra: vec![attribute(MISSING, "")] })
            }
        }
    }
}
