//! Links: made, altered, moved and deleted on the host.

use super::super::host::forbidden;
use super::super::wakes::Waking;
use super::facts::{birth_facts, facts_of, facts_of_seen, flattens, last_mtu, names, parent_of};
use super::{Decision, Subject, named};
use crate::change::{
    Attribute, Change, Kind, LinkName, LinkRef, Name, NamespaceRef, Setting, Spec,
};
use crate::grant::{Capability, Facts};
use crate::kernel::{Error, LinkSight, Upper, kind};
use crate::text::help;

/// A veth's other end, by the names that a batch uses.
pub(super) fn peer(namespace: &NamespaceRef, spec: &Spec) -> Option<(Option<Name>, String)> {
    let Kind::Veth(veth) = &spec.kind else { return None };
    let there = veth.peer.namespace.clone().unwrap_or_else(|| namespace.name.clone());
    Some((there, veth.peer.name.clone()))
}

/// Somebody else's link that one of the run's own stands on.
pub(super) struct Below {
    /// nothing of the run's own is between
    pub(super) direct: bool,
    pub(super) link: LinkSight,
}

/// As deep as the kernel nests links (MAX_NEST_DEV of linux/netdevice.h).
const DEEPEST: usize = 8;

impl Decision<'_> {
    pub(super) fn create_link(
        &mut self,
        namespace: NamespaceRef,
        mut spec: Spec,
        shown: &str,
    ) -> Result<Change, Error> {
        let (own, namespace) = self.place(namespace)?;
        let sent = kind::sent_options(&spec);
        let parent = self.parent(&namespace, &spec, shown)?;
        let others = sent.iter().filter(|option| !kind::is_underlay(&spec.kind, option));
        let others: Vec<Attribute> = others.cloned().collect();
        self.uses(&namespace, spec.kind.word(), &others, shown)?;
        // One that is made in a namespace of the run's own gets what comes to that.
        if !own {
            self.policy.floor_of_ends(&namespace, spec.kind.word(), &sent, self.kernel)?;
        }
        if !own || parent.is_some() {
            self.may_stand(own, spec.kind.word(), spec.name.as_str())?;
            if let (false, Kind::Other(other)) = (own, &spec.kind)
                && kind::has_other_end(&other.kind)
            {
                let why = "the kernel would choose the name of its other end; a veth takes one from you, and others can be made in a namespace of the run's own";
                return Err(forbidden("making a link", spec.name.as_str(), why));
            }
            let facts = Facts { parent, ..birth_facts(&spec) };
            self.policy.need(Capability::HostLinkCreate, facts, &shown)?;
        }
        if let (false, Some(table)) = (own, kind::vrf_table(&spec)) {
            self.may_have_table(&namespace, spec.name.as_str(), table)?;
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

    /// Refuses kinds that would show what goes on in a namespace of others.
    fn may_stand(&self, own_space: bool, kind: &str, name: &str) -> Result<(), Error> {
        match kind::listens(kind) {
            Some(why) if !own_space => Err(forbidden(&format!("a link of kind {kind}"), name, why)),
            Some(_) | None => Ok(()),
        }
    }

    /// The name of a parent that is somebody else's, which has to be granted.
    fn parent(
        &mut self,
        namespace: &NamespaceRef,
        spec: &Spec,
        shown: &str,
    ) -> Result<Option<String>, Error> {
        let Some(parent) = parent_of(spec) else { return Ok(None) };
        let Some(Below { direct, link: seen }) = self.below(namespace, spec, shown)? else {
            return self.own_parent(namespace, &parent, spec);
        };
        if spec.settings.iter().any(kind::opens_parent) {
            self.modifies_bundle(&seen, shown)?;
        }
        if !direct {
            self.claims_by_birth(&seen, namespace, spec)?;
            return self.own_parent(namespace, &parent, spec);
        }
        let name = seen.reference.name.clone();
        let facts = Facts { parent: Some(name.clone()), ..birth_facts(spec) };
        self.policy.still(Capability::HostLinkCreate, facts, &shown)?;
        self.policy.floor_of_a_parent(&seen, self.kernel)?;
        if self.policy.takes_over(spec, &seen, self.kernel)? {
            self.policy.floor(&seen, self.kernel)?;
            let facts = Facts { link: Some(name.clone()), ..Facts::default() };
            self.policy.need(Capability::UplinkPassthru, facts, &shown)?;
        }
        self.claims_by_birth(&seen, namespace, spec)?;
        self.links.push(seen.reference);
        Ok(Some(name))
    }

    /// A parent of the run's own is no matter of grants, unless it is among others' links and
    /// nobody knows what the kind does there: the request goes to the parent's namespace.
    fn own_parent(
        &self,
        namespace: &NamespaceRef,
        parent: &LinkName,
        spec: &Spec,
    ) -> Result<Option<String>, Error> {
        let unknown = kind::parent(&spec.kind) == kind::Parent::Unknown;
        let there = self.place(self.reference(namespace, parent)?.namespace)?;
        Ok((unknown && !there.0).then(|| parent.name.clone()))
    }

    fn reference(&self, namespace: &NamespaceRef, parent: &LinkName) -> Result<LinkRef, Error> {
        let there = parent.namespace.clone().unwrap_or_else(|| namespace.name.clone());
        let cookie = if parent.namespace.is_none() { namespace.cookie } else { None };
        let there = NamespaceRef { name: there, cookie };
        self.place(there.clone())?;
        Ok(LinkRef { namespace: there, name: parent.name.clone(), index: None })
    }

    /// The link of others' that a new link would stand on.
    pub(super) fn below(
        &self,
        namespace: &NamespaceRef,
        spec: &Spec,
        shown: &str,
    ) -> Result<Option<Below>, Error> {
        self.below_within(namespace, spec, shown, DEEPEST)
    }

    /// `deepest`: how many links may be between. Those of one batch may name each other in a ring.
    fn below_within(
        &self,
        namespace: &NamespaceRef,
        spec: &Spec,
        shown: &str,
        deepest: usize,
    ) -> Result<Option<Below>, Error> {
        let Some(parent) = parent_of(spec) else { return Ok(None) };
        let link = self.reference(namespace, &parent)?;
        let key = (link.namespace.name.clone(), link.name.clone());
        // The kernel gives a macvlan on a macvlan the lower one's parent, an ipvlan likewise.
        let flat = |other: &str| flattens(spec.kind.word(), other);
        match self.kernel.see_link(&link) {
            Ok(seen) if seen.own || seen.in_own_space => {
                let Some(below) = &seen.below else { return Ok(None) };
                let direct = seen.parent.is_some() && flat(&seen.kind);
                Ok(Some(Below { direct, link: self.kernel.see_link(below)? }))
            }
            Ok(link) => Ok(Some(Below { direct: true, link })),
            Err(_) if self.together.links.contains(&key) => {
                let Some((there, born)) = self.together.born.get(&key) else { return Ok(None) };
                let Some(deepest) = deepest.checked_sub(1) else {
                    return Err(Error::Invalid(format!(
                        "{shown}: more than {DEEPEST} links stand on each other, or they do so in a ring{}",
                        help(
                            "name a parent that is there, or that this batch makes without the new link"
                        )
                    )));
                };
                let below = self.below_within(there, born, shown, deepest)?;
                let direct = |below: &Below| below.direct && flat(born.kind.word());
                Ok(below.map(|below| Below { direct: direct(&below), ..below }))
            }
            Err(error) => {
                if !self.place(link.namespace.clone())?.0 {
                    let facts = Facts { parent: Some(link.name), ..birth_facts(spec) };
                    self.policy.need(Capability::HostLinkCreate, facts, &shown)?;
                }
                Err(error)
            }
        }
    }

    /// Links that options name, other than a parent: what is somebody else's is altered by that,
    /// for it becomes a port, or is taken for one.
    fn uses(
        &mut self,
        namespace: &NamespaceRef,
        kind: &str,
        options: &[Attribute],
        shown: &str,
    ) -> Result<(), Error> {
        for option in kind::linked(kind, options) {
            let name = option.value.clone();
            let link = LinkRef { namespace: namespace.clone(), name, index: None };
            if let Subject::Foreign(seen) =
                self.subject(&link, Capability::HostLinkModify, shown)?
            {
                self.modifies(&seen, shown)?;
                self.links.push(seen.reference);
            }
        }
        Ok(())
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
                    let rule = "on the host a link's group is the run's mark";
                    return Err(Error::Invalid(rule.to_owned() + &help("leave `group` out")));
                }
                Setting::Other(attribute) if attribute.name == "index" => {
                    let rule = "on the host the kernel chooses the index";
                    return Err(Error::Invalid(rule.to_owned() + &help("leave `index` out")));
                }
                Setting::Master(Some(name)) => {
                    let link =
                        LinkRef { namespace: namespace.clone(), name: name.clone(), index: None };
                    if let Subject::Foreign(seen) =
                        self.subject(&link, Capability::HostLinkModify, shown)?
                    {
                        let all = self.modifies_bundle(&seen, shown)?;
                        // It may get a carrier by its new port.
                        let (port, up) = (&seen.reference, [Waking::Up]);
                        self.policy.floor_of_waking(port, up, &shown, self.kernel)?;
                        self.links.extend(all);
                        self.links.push(seen.reference);
                    }
                }
                Setting::Options(given) if !kind::is_own(given) => {
                    self.uses(namespace, &given.kind, &given.options, shown)?;
                    // It may have been made in the machine's own, wherever it is now.
                    let root = NamespaceRef::named(None);
                    let (kind, options) = (&given.kind, &given.options);
                    self.policy.floor_of_ends(&root, kind, options, self.kernel)?;
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
        for setting in &settings {
            if let Setting::Options(given) = setting
                && kind::is_own(given)
            {
                self.uses(&link.namespace, &given.kind, &given.options, shown)?;
            }
            self.enters(&link, setting, shown)?;
        }
        let names = names(&settings);
        let link = match self.subject(&link, Capability::HostLinkModify, shown)? {
            Subject::Own(None) => {
                if !self.place(link.namespace.clone())?.0 && !names.is_empty() {
                    let why = "what a batch makes there keeps its name until it is made";
                    return Err(forbidden("renaming a link", &link.name, why));
                }
                self.changes_born(&link, &settings, shown)?;
                link
            }
            Subject::Own(Some(seen)) => {
                self.changes_own(&seen, &settings, shown)?;
                self.alters_bundle(&seen, &settings, shown)?;
                seen.reference
            }
            Subject::Foreign(seen) => {
                self.modifies(&seen, shown)?;
                for name in names {
                    self.policy.need(Capability::HostLinkModify, named(name), &shown)?;
                }
                if let Some(below) = &seen.below {
                    let below = self.kernel.see_link(below)?;
                    let altered = (seen.kind.as_str(), Some(&seen.reference));
                    self.claims_by_settings(&below, altered, &settings)?;
                }
                self.alters_bundle(&seen, &settings, shown)?;
                seen.reference
            }
        };
        self.policy.floor_of_waking(&link, Waking::of(&settings), &shown, self.kernel)?;
        Ok(Change::ChangeLink { link, settings })
    }

    /// What the run made stays what its grant was for: under which name, and how large. What it
    /// stands on stays as it is.
    fn changes_own(
        &self,
        seen: &LinkSight,
        settings: &[Setting],
        shown: &str,
    ) -> Result<(), Error> {
        // One that it would have anyway is nobody's choice.
        let asked = last_mtu(settings);
        let mtu = asked.filter(|mtu| Some(*mtu) != seen.usual_mtu);
        let mtu = if asked.is_some() { mtu } else { seen.mtu };
        let facts = Facts { mtu, ..facts_of_seen(seen) };
        let names = names(settings);
        for name in names.iter().filter(|_| !seen.in_own_space) {
            let facts = Facts { name: Some((*name).to_owned()), ..facts.clone() };
            self.policy.need(Capability::HostLinkCreate, facts, &shown)?;
        }
        let bound = seen.own && (!seen.in_own_space || seen.parent.is_some());
        if bound && asked.is_some() && names.is_empty() {
            self.policy.still(Capability::HostLinkCreate, facts, &shown)?;
        }
        if let Some(below) = &seen.below {
            let below = self.kernel.see_link(below)?;
            self.reaches(&below, seen.parent.is_some(), settings, shown)?;
            self.joins_no_bundle(&seen.reference.namespace, &seen.kind, settings)?;
            self.claims_by_settings(&below, (&seen.kind, Some(&seen.reference)), settings)?;
        }
        Ok(())
    }

    /// The same of a link that the batch has yet to make.
    fn changes_born(&self, link: &LinkRef, settings: &[Setting], shown: &str) -> Result<(), Error> {
        let key = (link.namespace.name.clone(), link.name.clone());
        let Some((namespace, born)) = self.together.born.get(&key) else { return Ok(()) };
        let below = self.below(namespace, born, shown)?;
        let parent = below.as_ref().filter(|below| below.direct);
        let parent = parent.map(|below| below.link.reference.name.clone());
        let bound = parent.is_some() || !self.place(namespace.clone())?.0;
        if let (true, Some(mtu)) = (bound, last_mtu(settings)) {
            let facts = Facts { mtu: Some(mtu), parent, ..birth_facts(born) };
            self.policy.still(Capability::HostLinkCreate, facts, &shown)?;
        }
        let Some(below) = below else { return Ok(()) };
        self.reaches(&below.link, below.direct, settings, shown)?;
        self.joins_no_bundle(&link.namespace, born.kind.word(), settings)?;
        self.claims_by_settings(&below.link, (born.kind.word(), None), settings)
    }

    /// Settings of a link that reach down to somebody else's.
    fn reaches(
        &self,
        below: &LinkSight,
        direct: bool,
        settings: &[Setting],
        shown: &str,
    ) -> Result<(), Error> {
        if settings.iter().any(kind::opens_parent) {
            self.modifies_bundle(below, shown)?;
        }
        if direct && settings.iter().any(kind::makes_take_over) {
            self.policy.floor(below, self.kernel)?;
            let facts = Facts { link: Some(below.reference.name.clone()), ..Facts::default() };
            self.policy.need(Capability::UplinkPassthru, facts, &shown)?;
        }
        Ok(())
    }

    /// Needs the right to make a link like this one, which is the run's own, where it goes.
    fn creates(&self, seen: &LinkSight, shown: &str) -> Result<(), Error> {
        self.may_stand(false, &seen.kind, &seen.reference.name)?;
        self.policy.need(Capability::HostLinkCreate, facts_of_seen(seen), &shown)
    }

    pub(super) fn move_link(
        &mut self,
        link: LinkRef,
        to: NamespaceRef,
        shown: &str,
    ) -> Result<Change, Error> {
        let (own, to) = self.place(to)?;
        let link = match self.subject(&link, Capability::HostLinkMove, shown)? {
            Subject::Own(None) if own => link,
            Subject::Own(None) => {
                let why = "make it there at once";
                return Err(forbidden("moving a link that isn't made yet", &link.name, why));
            }
            Subject::Own(Some(seen)) if seen.own => {
                if !own {
                    self.creates(&seen, shown)?;
                }
                seen.reference
            }
            // Borrowed by the run, and in a namespace of its own; or nobody's but not to be moved.
            Subject::Own(Some(seen)) | Subject::Foreign(seen) => {
                let facts = named(&seen.reference.name);
                self.policy.need(Capability::HostLinkMove, facts, &shown)?;
                match (seen.in_own_space, own) {
                    (true, false) => self.goes_home(&seen, shown)?,
                    (true, true) => {}
                    (false, _) => {
                        self.policy.floor(&seen, self.kernel)?;
                        self.leaves_bundle(&seen, shown)?;
                    }
                }
                seen.reference
            }
        };
        self.nothing_goes_with(&link)?;
        Ok(Change::MoveLink { link, to })
    }

    /// Refuses to move what links of others stand on that would not outlast it.
    fn nothing_goes_with(&self, link: &LinkRef) -> Result<(), Error> {
        if link.index.is_none() {
            return Ok(());
        }
        let lost = self.kernel.lost_by_a_move(link)?;
        let Some(Upper { reference, kind }) = lost.first() else { return Ok(()) };
        let name = reference.name.escape_debug();
        let why = format!("`{name}` ({kind}) of others' stands on it, and would be lost with it");
        Err(forbidden("moving a link", &link.name.escape_debug().to_string(), &why))
    }

    pub(super) fn delete_link(&mut self, link: LinkRef, shown: &str) -> Result<Change, Error> {
        match self.subject(&link, Capability::HostLinkModify, shown)? {
            Subject::Own(None) => Ok(Change::DeleteLink { link }),
            Subject::Own(Some(seen)) if seen.own => Ok(Change::DeleteLink { link: seen.reference }),
            Subject::Own(Some(seen)) | Subject::Foreign(seen) => {
                if !seen.in_own_space {
                    // Whether it is there is for who may alter it.
                    let facts = named(&seen.reference.name);
                    self.policy.need(Capability::HostLinkModify, facts, &shown)?;
                }
                let why = "this run did not make it, and could not put it back";
                Err(forbidden("deleting a link", &seen.reference.name, why))
            }
        }
    }
}
