//! Links: made, altered, moved and deleted on the host.

use super::super::host::forbidden;
use super::{Decision, Subject, named};
use crate::change::{Change, Kind, LinkName, LinkRef, Name, NamespaceRef, Setting, Spec};
use crate::grant::{Capability, Facts};
use crate::kernel::kind;
use crate::kernel::{Error, LinkSight};

/// A veth's other end, by the names that a batch uses.
pub(super) fn peer(namespace: &NamespaceRef, spec: &Spec) -> Option<(Option<Name>, String)> {
    let Kind::Veth(veth) = &spec.kind else { return None };
    let there = veth.peer.namespace.clone().unwrap_or_else(|| namespace.name.clone());
    Some((there, veth.peer.name.clone()))
}

impl Decision<'_> {
    pub(super) fn create_link(
        &mut self,
        namespace: NamespaceRef,
        mut spec: Spec,
        shown: &str,
    ) -> Result<Change, Error> {
        let (own, namespace) = self.place(namespace)?;
        let parent = match &spec.parent {
            Some(parent) => self.parent(&namespace, parent, &spec, shown)?,
            None => None,
        };
        if !own || parent.is_some() {
            let mut facts = facts_of(kind::name(&spec.kind), spec.name.as_str(), &spec.settings);
            facts.parent = parent;
            if let Kind::Vlan(vlan) = &spec.kind {
                facts.vlan = Some(vlan.id);
            }
            self.policy.need(Capability::HostLinkCreate, facts, &shown)?;
        }
        let group = self.policy.mark.group();
        if let Some((there, name)) = peer(&namespace, &spec)
            && let Kind::Veth(veth) = &mut spec.kind
        {
            let there = NamespaceRef::named(there);
            if !self.place(there.clone())?.0 {
                let facts = facts_of("veth", &name, &veth.peer_settings);
                self.policy.need(Capability::HostLinkCreate, facts, &shown)?;
            }
            self.settings(&there, &veth.peer_settings, shown)?;
            veth.peer_settings.push(Setting::Group(group));
        }
        self.settings(&namespace, &spec.settings, shown)?;
        spec.settings.push(Setting::Group(group));
        Ok(Change::CreateLink { namespace, spec })
    }

    /// The name of a parent that is somebody else's, which has to be granted.
    fn parent(
        &mut self,
        namespace: &NamespaceRef,
        parent: &LinkName,
        spec: &Spec,
        shown: &str,
    ) -> Result<Option<String>, Error> {
        let there = parent.namespace.clone().unwrap_or_else(|| namespace.name.clone());
        let cookie = if parent.namespace.is_none() { namespace.cookie } else { None };
        let there = NamespaceRef { name: there, cookie };
        let link = LinkRef { namespace: there, name: parent.name.clone(), index: None };
        self.place(link.namespace.clone())?;
        let key = (link.namespace.name.clone(), link.name.clone());
        let seen = match self.kernel.see_link(&link) {
            Ok(seen) if seen.own || seen.in_own_space => return Ok(None),
            Ok(seen) => seen,
            Err(_) if self.together.links.contains(&key) => return Ok(None),
            Err(error) => {
                if !self.place(link.namespace.clone())?.0 {
                    let mut facts =
                        facts_of(kind::name(&spec.kind), spec.name.as_str(), &spec.settings);
                    facts.parent = Some(link.name);
                    self.policy.need(Capability::HostLinkCreate, facts, &shown)?;
                }
                return Err(error);
            }
        };
        self.policy.floor_of_a_parent(&seen)?;
        let name = seen.reference.name.clone();
        if kind::takes_over(&spec.kind) {
            self.policy.floor(&seen, self.kernel)?;
            let facts = Facts { link: Some(name.clone()), ..Facts::default() };
            self.policy.need(Capability::UplinkPassthru, facts, &shown)?;
        }
        self.links.push(seen.reference);
        Ok(Some(name))
    }

    /// Settings of a link of the run's own: those that reach to other links, and those that are
    /// not the recipe's to choose.
    fn settings(
        &mut self,
        namespace: &NamespaceRef,
        settings: &[Setting],
        shown: &str,
    ) -> Result<(), Error> {
        for setting in settings {
            match setting {
                Setting::Group(_) => {
                    return Err(Error::Invalid(
                        "on the host a link's group is the run's mark\n  help: leave `group` out"
                            .to_owned(),
                    ));
                }
                Setting::Other(attribute) if attribute.name == "index" => {
                    return Err(Error::Invalid(
                        "on the host the kernel chooses the index\n  help: leave `index` out"
                            .to_owned(),
                    ));
                }
                Setting::Master(Some(name)) => {
                    let link =
                        LinkRef { namespace: namespace.clone(), name: name.clone(), index: None };
                    if let Subject::Foreign(seen) =
                        self.subject(&link, Capability::HostLinkModify)?
                    {
                        self.modifies(&seen, shown)?;
                        self.links.push(seen.reference);
                    }
                }
                Setting::Up(_)
                | Setting::Mtu(_)
                | Setting::Mac(_)
                | Setting::Broadcast(_)
                | Setting::Name(_)
                | Setting::Alias(_)
                | Setting::TransmitQueueLength(_)
                | Setting::Promiscuous(_)
                | Setting::AllMulticast(_)
                | Setting::Multicast(_)
                | Setting::Arp(_)
                | Setting::Dynamic(_)
                | Setting::Trailers(_)
                | Setting::Carrier(_)
                | Setting::ProtocolDown(_)
                | Setting::Master(None)
                | Setting::Macvlan(_)
                | Setting::Options(_)
                | Setting::Other(_) => {}
            }
        }
        Ok(())
    }

    pub(super) fn change_link(
        &mut self,
        link: LinkRef,
        settings: Vec<Setting>,
        shown: &str,
    ) -> Result<Change, Error> {
        self.settings(&link.namespace, &settings, shown)?;
        let names = settings.iter().filter_map(|setting| match setting {
            Setting::Name(name) => Some(name.clone()),
            _ => None,
        });
        let names: Vec<Name> = names.collect();
        let link = match self.subject(&link, Capability::HostLinkModify)? {
            Subject::Own(None) => {
                if !self.place(link.namespace.clone())?.0 && !names.is_empty() {
                    let why = "what a batch makes there keeps its name until it is made";
                    return Err(forbidden("renaming a link", &link.name, why));
                }
                link
            }
            Subject::Own(Some(seen)) => {
                for name in names.iter().filter(|_| !seen.in_own_space) {
                    self.creates(&seen, name.as_str(), shown)?;
                }
                seen.reference
            }
            Subject::Foreign(seen) => {
                self.modifies(&seen, shown)?;
                for name in &names {
                    self.policy.need(Capability::HostLinkModify, named(name.as_str()), &shown)?;
                }
                seen.reference
            }
        };
        Ok(Change::ChangeLink { link, settings })
    }

    /// Needs the right to make a link like this one, which is the run's own, under a name.
    fn creates(&self, seen: &LinkSight, name: &str, shown: &str) -> Result<(), Error> {
        let facts = facts_of(&seen.kind, name, &[]);
        self.policy.need(Capability::HostLinkCreate, facts, &shown)
    }

    pub(super) fn move_link(
        &mut self,
        link: LinkRef,
        to: NamespaceRef,
        shown: &str,
    ) -> Result<Change, Error> {
        let (own, to) = self.place(to)?;
        let link = match self.subject(&link, Capability::HostLinkMove)? {
            Subject::Own(None) if own => link,
            Subject::Own(None) => {
                let why = "make it there at once";
                return Err(forbidden("moving a link that isn't made yet", &link.name, why));
            }
            Subject::Own(Some(seen)) if seen.own => {
                if !own {
                    self.creates(&seen, &seen.reference.name, shown)?;
                }
                seen.reference
            }
            // Borrowed by the run, and in a namespace of its own; or nobody's but not to be moved.
            Subject::Own(Some(seen)) | Subject::Foreign(seen) => {
                if !seen.in_own_space {
                    self.policy.floor(&seen, self.kernel)?;
                }
                let facts = named(&seen.reference.name);
                self.policy.need(Capability::HostLinkMove, facts, &shown)?;
                seen.reference
            }
        };
        Ok(Change::MoveLink { link, to })
    }

    pub(super) fn delete_link(&mut self, link: LinkRef) -> Result<Change, Error> {
        match self.subject(&link, Capability::HostLinkModify)? {
            Subject::Own(None) => Ok(Change::DeleteLink { link }),
            Subject::Own(Some(seen)) if seen.own => Ok(Change::DeleteLink { link: seen.reference }),
            Subject::Own(Some(seen)) | Subject::Foreign(seen) => {
                let why = "this run did not make it, and could not put it back";
                Err(forbidden("deleting a link", &seen.reference.name, why))
            }
        }
    }
}

fn facts_of(kind: &str, name: &str, settings: &[Setting]) -> Facts {
    let mtu = settings.iter().find_map(|setting| match setting {
        Setting::Mtu(mtu) => Some(*mtu),
        _ => None,
    });
    Facts { kind: Some(kind.to_owned()), name: Some(name.to_owned()), mtu, ..Facts::default() }
}
