//! What each change needs on the host, and what it becomes there: references are filled in with
//! the objects that were looked at, and what is made carries the run's mark.

mod bridged;
mod bundle;
mod claim;
mod facts;
mod link;
mod route;
mod rule;
mod vrf;

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use ipnet::IpNet;
use netwright_network::setting::{Reach, SettingKey};

use super::coverage;
use super::host::{HostPolicy, forbidden};
use super::wakes::Waking;
use super::whose::{Object, Whose, another_runs};
use crate::change::{
    Address, Change, Kind, LinkRef, Name, NamespaceRef, Prefix, Setting, Spec, Write,
};
use crate::grant::{Capability, Facts};
use crate::kernel::mark::PROTOCOL;
use crate::kernel::{Error, Kernel, LinkSight, SpaceSight, Stations};
use crate::text::help;

/// A change as it may be made, and the others' links that it may touch by name.
pub(super) type Decided = (Change, Vec<LinkRef>);

impl HostPolicy {
    /// Decides about changes that will be made together; the error has its change's place.
    pub(super) fn decide_all(
        &self,
        changes: Vec<Change>,
        kernel: &dyn Kernel,
    ) -> Result<Vec<Decided>, (usize, Error)> {
        let together = Together::of(&changes);
        let decide = |(place, change)| {
            names_are_plain(&change).map_err(|rule| (place, Error::Invalid(rule)))?;
            let mut decision =
                Decision { policy: self, kernel, together: &together, links: Vec::new() };
            let change = decision.decide(change).map_err(|error| (place, error))?;
            Ok((change, decision.links))
        };
        changes.into_iter().enumerate().map(decide).collect()
    }
}

/// On the host names are read by others too, so they are plainer than a lab's.
fn names_are_plain(change: &Change) -> Result<(), String> {
    let renamed = |settings: &[Setting]| {
        settings.iter().try_for_each(|setting| match setting {
            Setting::Name(name) => netwright_network::names::on_host(name.as_str()),
            _ => Ok(()),
        })
    };
    match change {
        Change::CreateNamespace { name } => netwright_network::names::on_host(name.as_str()),
        Change::CreateLink { spec, .. } => {
            netwright_network::names::on_host(spec.name.as_str())?;
            renamed(&spec.settings)?;
            match &spec.kind {
                Kind::Veth(veth) => netwright_network::names::on_host(&veth.peer.name),
                _ => Ok(()),
            }
        }
        Change::ChangeLink { settings, .. } => renamed(settings),
        _ => Ok(()),
    }
}

/// What a batch makes, by name. The kernel layer holds to it: a link that is named without having
/// been looked at must be the run's own.
#[derive(Debug, Default)]
struct Together {
    namespaces: HashSet<Name>,
    links: HashSet<Key>,
    /// those that are born of a request of their own, and where
    born: HashMap<Key, (NamespaceRef, Spec)>,
    /// what will be connected to which link of which namespace
    networks: Vec<(Option<Name>, IpNet, String)>,
    /// links that are there already, and altered
    altered: HashSet<Key>,
    /// links that become ports, and of what
    masters: Vec<(Key, String)>,
    /// who has which addresses where they stand on others' links, once that was asked
    stations: RefCell<Vec<(LinkRef, Rc<Stations>)>>,
}

/// A link by the names that a batch uses.
type Key = (Option<Name>, String);

impl Together {
    fn of(changes: &[Change]) -> Self {
        let mut all = Self::default();
        for change in changes {
            if let Change::CreateNamespace { name } = change {
                all.namespaces.insert(name.clone());
            } else if let Change::CreateLink { namespace, spec } = change {
                let key = (namespace.name.clone(), spec.name.as_str().to_owned());
                all.links.insert(key.clone());
                all.join(&key, &spec.settings);
                if let (Some(peer), Kind::Veth(veth)) = (link::peer(namespace, spec), &spec.kind) {
                    all.join(&peer, &veth.peer_settings);
                    all.links.insert(peer);
                }
                all.born.insert(key, (namespace.clone(), spec.clone()));
            } else if let Change::ChangeLink { link, settings } = change {
                let key = (link.namespace.name.clone(), link.name.clone());
                all.join(&key, settings);
                all.altered.insert(key);
            } else if let Change::PutAddress { link, address, .. } = change {
                let connected = coverage::networks(&coverage::of_address(address));
                all.networks.extend(
                    connected
                        .into_iter()
                        .map(|network| (link.namespace.name.clone(), network, link.name.clone())),
                );
            }
        }
        all
    }

    fn join(&mut self, port: &Key, settings: &[Setting]) {
        self.masters.extend(settings.iter().filter_map(|setting| match setting {
            Setting::Master(Some(master)) => Some((port.clone(), master.clone())),
            _ => None,
        }));
    }
}

/// A link that a change names.
enum Subject {
    /// the run's own, or in a namespace of its own; what the batch has yet to make has no sight
    Own(Option<LinkSight>),
    Foreign(LinkSight),
}

struct Decision<'a> {
    policy: &'a HostPolicy,
    kernel: &'a dyn Kernel,
    together: &'a Together,
    links: Vec<LinkRef>,
}

impl Decision<'_> {
    fn decide(&mut self, change: Change) -> Result<Change, Error> {
        let shown = change.to_string();
        match change {
            Change::CreateNamespace { name } => {
                let facts = Facts { name: Some(name.to_string()), ..Facts::default() };
                self.policy.need(Capability::HostNamespace, facts, &shown)?;
                Ok(Change::CreateNamespace { name })
            }
            Change::DeleteNamespace { namespace } => {
                let namespace = self.own_space(namespace, "deleting a namespace")?;
                Ok(Change::DeleteNamespace { namespace })
            }
            Change::SetNamespaceId { namespace, peer, id } => {
                let what = "giving a namespace an id";
                let namespace = self.own_space(namespace, what)?;
                Ok(Change::SetNamespaceId { namespace, peer: self.own_space(peer, what)?, id })
            }
            Change::CreateLink { namespace, spec } => self.create_link(namespace, spec, &shown),
            Change::ChangeLink { link, settings } => self.change_link(link, settings, &shown),
            Change::MoveLink { link, to } => self.move_link(link, to, &shown),
            Change::DeleteLink { link } => self.delete_link(link, &shown),
            Change::PutAddress { link, address, how } => {
                self.put_address(link, address, how, &shown)
            }
            Change::RemoveAddress { link, prefix, peer } => {
                self.remove_address(link, prefix, peer, &shown)
            }
            Change::PutRoute { namespace, route, how } => {
                self.put_route(namespace, route, how, &shown)
            }
            Change::RemoveRoute { namespace, route } => self.remove_route(namespace, route, &shown),
            Change::AddRule { namespace, rule } => self.add_rule(namespace, rule, &shown),
            Change::RemoveRule { namespace, rule } => self.remove_rule(namespace, rule, &shown),
            Change::PutNeighbour { link, neighbour, how } => {
                Ok(Change::PutNeighbour { link: self.alters(link, &shown)?, neighbour, how })
            }
            Change::RemoveNeighbour { link, address, proxy, put } => {
                let link = self.alters(link, &shown)?;
                Ok(Change::RemoveNeighbour { link, address, proxy, put })
            }
            Change::PutEntry { link, entry, how } => self.put_entry(link, entry, how, &shown),
            Change::RemoveEntry { link, entry } => {
                Ok(Change::RemoveEntry { link: self.alters(link, &shown)?, entry })
            }
            Change::SetSysctl { namespace, key, value } => self.set_sysctl(namespace, key, value),
            // Of a lab that is mended; no recipe has a word for it.
            Change::RestoreSysctls { .. } | Change::OrderAddresses { .. } => {
                let why = "only what an undo knows of is put back";
                Err(forbidden("altering settings", &shown, why))
            }
            Change::PutQdisc { link, qdisc, how } => {
                Ok(Change::PutQdisc { link: self.alters(link, &shown)?, qdisc, how })
            }
            Change::RemoveQdisc { link } => {
                Ok(Change::RemoveQdisc { link: self.alters(link, &shown)? })
            }
            Change::PutVlan { link, vlan } => {
                Ok(Change::PutVlan { link: self.alters(link, &shown)?, vlan })
            }
            Change::RemoveVlan { link, first, last } => {
                Ok(Change::RemoveVlan { link: self.alters(link, &shown)?, first, last })
            }
            Change::SetVlans { link, vlans } => {
                Ok(Change::SetVlans { link: self.alters(link, &shown)?, vlans })
            }
        }
    }

    /// The namespace as it is; `None` where the batch has yet to make it.
    fn space(&self, namespace: &NamespaceRef) -> Result<Option<SpaceSight>, Error> {
        let new = namespace.cookie.is_none()
            && namespace.name.as_ref().is_some_and(|name| self.together.namespaces.contains(name));
        match self.policy.space(namespace, self.kernel) {
            // A name that is taken makes the batch fail before anything else of it happens.
            Ok(seen) => Ok(Some(seen)),
            Err(_) if new => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether all in a namespace is the run's own, and the namespace with its cookie.
    fn place(&self, namespace: NamespaceRef) -> Result<(bool, NamespaceRef), Error> {
        Ok(match self.space(&namespace)? {
            Some(seen) => {
                let whose = self.policy.whose(Object::Space(&seen), self.kernel);
                (whose == Whose::Ours, seen.reference)
            }
            None => (true, namespace),
        })
    }

    fn own_space(&self, namespace: NamespaceRef, what: &str) -> Result<NamespaceRef, Error> {
        let name = namespace.name.as_ref().map_or("the machine's own namespace", Name::as_str);
        let name = name.to_owned();
        match self.place(namespace)? {
            (true, namespace) => Ok(namespace),
            (false, _) => Err(forbidden(what, &name, "this run did not make it")),
        }
    }

    /// What a reference to a link means now. `capability` is what the link would need: whether it
    /// is there is told only to those who have that.
    fn subject(
        &self,
        link: &LinkRef,
        capability: Capability,
        shown: &str,
    ) -> Result<Subject, Error> {
        let need = |this: &Self| this.policy.need(capability, named(&link.name), &shown);
        self.subject_needing(link, &need)
    }

    /// The same of one that needs something else.
    fn subject_needing(
        &self,
        link: &LinkRef,
        need: &dyn Fn(&Self) -> Result<(), Error>,
    ) -> Result<Subject, Error> {
        self.place(link.namespace.clone())?;
        let key = (link.namespace.name.clone(), link.name.clone());
        let new = link.index.is_none() && self.together.links.contains(&key);
        match self.kernel.see_link(link) {
            Ok(seen) if self.policy.whose(Object::Link(&seen), self.kernel) == Whose::Ours => {
                Ok(Subject::Own(Some(seen)))
            }
            Ok(seen) => Ok(Subject::Foreign(seen)),
            Err(_) if new => Ok(Subject::Own(None)),
            Err(error) => {
                if !self.place(link.namespace.clone())?.0 {
                    need(self)?;
                }
                Err(error)
            }
        }
    }

    /// A link that is altered in place: the run's own, or one that may be.
    fn alters(&mut self, link: LinkRef, shown: &str) -> Result<LinkRef, Error> {
        match self.subject(&link, Capability::HostLinkModify, shown)? {
            Subject::Own(None) => Ok(link),
            Subject::Own(Some(seen)) => Ok(seen.reference),
            Subject::Foreign(seen) => {
                self.modifies(&seen, shown)?;
                Ok(seen.reference)
            }
        }
    }

    /// Needs the right to alter somebody else's link.
    fn modifies(&self, seen: &LinkSight, shown: &str) -> Result<(), Error> {
        self.policy.need(Capability::HostLinkModify, named(&seen.reference.name), &shown)?;
        self.policy.floor(seen, self.kernel)
    }

    fn put_address(
        &mut self,
        link: LinkRef,
        mut address: Address,
        how: Write,
        shown: &str,
    ) -> Result<Change, Error> {
        let needs = |this: &Self| this.needs_address(&link.name, &address, shown);
        let link = match self.subject_needing(&link, &needs)? {
            Subject::Own(seen) => {
                let own = match &seen {
                    Some(seen) => seen.in_own_space,
                    None => self.place(link.namespace.clone())?.0,
                };
                if !own {
                    let name = seen.as_ref().map_or(&link.name, |seen| &seen.reference.name);
                    self.needs_address(name, &address, shown)?;
                }
                self.claims_by_address(&link, seen.as_ref(), &address, shown)?;
                let link = seen.map_or(link, |seen| seen.reference);
                if own {
                    return Ok(Change::PutAddress { link, address, how });
                }
                link
            }
            Subject::Foreign(seen) => {
                self.needs_address(&seen.reference.name, &address, shown)?;
                self.policy.floor(&seen, self.kernel)?;
                self.claims_by_address(&link, Some(&seen), &address, shown)?;
                if how != Write::Add
                    && self.whose_address(&seen.reference, address.prefix, shown)? != Whose::Ours
                {
                    self.modifies(&seen, shown)?;
                }
                seen.reference
            }
        };
        self.policy.floor_of_an_address(&link.namespace, &address, self.kernel)?;
        self.puts_into_vrfs(&link, &address, shown)?;
        address.protocol = mark(address.protocol)?;
        Ok(Change::PutAddress { link, address, how })
    }

    /// Needs the right to all that the kernel makes of an address.
    fn needs_address(&self, link: &str, address: &Address, shown: &str) -> Result<(), Error> {
        for network in coverage::networks(&coverage::of_address(address)) {
            let (cidr, link) = (Some(network), Some(link.to_owned()));
            let facts = Facts { cidr, link, ..Facts::default() };
            self.policy.need(Capability::HostAddressAdd, facts, &shown)?;
        }
        Ok(())
    }

    fn remove_address(
        &mut self,
        link: LinkRef,
        prefix: Prefix,
        peer: Option<Prefix>,
        shown: &str,
    ) -> Result<Change, Error> {
        let link = match self.subject(&link, Capability::HostLinkModify, shown)? {
            Subject::Own(None) => link,
            Subject::Own(Some(seen)) => seen.reference,
            Subject::Foreign(seen) => {
                if self.whose_address(&seen.reference, prefix, shown)? != Whose::Ours {
                    self.modifies(&seen, shown)?;
                }
                self.policy.floor(&seen, self.kernel)?;
                seen.reference
            }
        };
        Ok(Change::RemoveAddress { link, prefix, peer })
    }

    /// The links that have certain addresses of a namespace, and whose each address is.
    fn held(
        &self,
        namespace: &NamespaceRef,
        wanted: impl Fn(std::net::IpAddr) -> bool,
    ) -> Result<Vec<(LinkRef, Whose)>, Error> {
        use crate::change::{Answer, Query};
        let query = Query::Addresses { namespace: namespace.clone(), family: None };
        let Answer::Addresses(all) = super::look(query, self.kernel)? else {
            return Ok(Vec::new());
        };
        let found = all.iter().filter(|info| wanted(info.address.prefix.address)).map(|info| {
            let (namespace, name) = (namespace.clone(), info.link.clone());
            let link = LinkRef { namespace, name, index: None };
            let object = Object::Address { link: &link, address: &info.address };
            let whose = self.policy.whose(object, self.kernel);
            (link, whose)
        });
        Ok(found.collect())
    }

    /// Whose the address on somebody else's link is.
    ///
    /// # Errors
    /// Another run's is not touched.
    fn whose_address(&self, link: &LinkRef, prefix: Prefix, shown: &str) -> Result<Whose, Error> {
        use crate::change::{Answer, Query};
        let query = Query::Addresses { namespace: link.namespace.clone(), family: None };
        let Answer::Addresses(all) = super::look(query, self.kernel)? else {
            return Ok(Whose::Others);
        };
        let there = all.iter().filter(|info| info.link == link.name);
        let there = there.map(|info| &info.address).find(|address| address.prefix == prefix);
        let whose = |address| self.policy.whose(Object::Address { link, address }, self.kernel);
        match there.map(whose) {
            Some(Whose::AnotherRuns) => Err(another_runs("altering an address", shown)),
            whose => Ok(whose.unwrap_or(Whose::Others)),
        }
    }

    fn set_sysctl(
        &mut self,
        namespace: NamespaceRef,
        key: String,
        value: String,
    ) -> Result<Change, Error> {
        let (own, namespace) = self.place(namespace)?;
        if !own {
            let known =
                SettingKey::of(&key).map_err(|wrong| Error::Invalid(wrong.explain(&key)))?;
            self.policy.need_setting(&key)?;
            self.policy.floor_of_a_router(&namespace, &known, self.kernel)?;
            match known.reach() {
                Reach::Stack => {}
                Reach::EveryLink => HostPolicy::floor_of_every_link(&known)?,
                Reach::Link(name) => {
                    let (namespace, name) = (namespace.clone(), name.to_owned());
                    let link = LinkRef { namespace, name, index: None };
                    if let Ok(seen) = self.kernel.see_link(&link)
                        && !seen.own
                    {
                        self.policy.floor(&seen, self.kernel)?;
                        if known.wakes_routes() {
                            let (link, ways) = (&seen.reference, [Waking::Setting]);
                            self.policy.floor_of_waking(link, ways, &known, self.kernel)?;
                        }
                    }
                }
            }
        }
        Ok(Change::SetSysctl { namespace, key, value })
    }
}

fn named(name: &str) -> Facts {
    Facts { name: Some(name.to_owned()), ..Facts::default() }
}

/// The protocol number of what is made: the mark, which nobody may choose.
fn mark(asked: Option<u8>) -> Result<Option<u8>, Error> {
    match asked {
        None | Some(PROTOCOL) => Ok(Some(PROTOCOL)),
        Some(_) => Err(Error::Invalid(format!(
            "on the host the protocol is {PROTOCOL}, by which what netwright made is known{}",
            help("leave `proto` out")
        ))),
    }
}
