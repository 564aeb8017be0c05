//! Links come and go.

use netwright_network::kind::is_immovable;
use netwright_network::refusal;

use super::{
    Answer, EXISTS, GONE, INVALID, LinkId, LinkState, NamespaceId, Nature, Network, Refusal, Site,
};
use crate::link::kind::attribute;
use crate::wit::links::{Kind, Macvlan, MacvlanMode, Setting, Spec, Veth};
use crate::wit::types::Attribute;

const PASSTHRU_ALONE: Refusal =
    Refusal::new(22, "EINVAL", "a passthru child shares its parent with no other");
const NOPROMISC_WITHOUT_PASSTHRU: Refusal =
    Refusal::new(22, "EINVAL", "`nopromisc` needs mode passthru");
const NO_PARENT: Refusal = Refusal::new(22, "EINVAL", "the kind needs a parent");
const LONGEST_NAME: usize = 15;

/// The bytes that vxlan puts before each frame: outer IPv4, UDP, its own and the inner Ethernet
/// header.
const VXLAN_OVERHEAD: u32 = 50;

impl Nature {
    /// As `ip -d link` names it.
    pub(crate) fn word(&self) -> &str {
        match self {
            Self::Loopback => "loopback",
            Self::Device => "device",
            Self::Made(kind) => kind.word(),
        }
    }

    fn macvlan(&self) -> Option<&Macvlan> {
        match self {
            Self::Made(Kind::Macvlan(data) | Kind::Macvtap(data)) => Some(data),
            Self::Loopback | Self::Device | Self::Made(_) => None,
        }
    }
}

impl LinkState {
    pub(crate) fn macvlan(&self) -> Option<&Macvlan> {
        self.kind.macvlan()
    }

    pub(crate) fn is_passthru(&self) -> bool {
        self.macvlan().is_some_and(|data| data.mode == Some(MacvlanMode::Passthru))
    }

    pub(crate) fn is_nopromisc(&self) -> bool {
        self.macvlan().is_some_and(|data| data.nopromisc)
    }

    /// Whether a recipe can open it for its frames.
    pub(crate) fn is_tap(&self) -> bool {
        matches!(
            &self.kind,
            Nature::Made(Kind::Macvtap(_) | Kind::Ipvtap(_) | Kind::Tun(_) | Kind::Tap(_))
        )
    }

    /// RFC 2863's words as the kernel gives them.
    pub(crate) fn operational_state(&self, carrier: bool) -> &'static str {
        match (&self.kind, self.up, carrier) {
            (Nature::Loopback, true, _) => "unknown",
            (_, true, true) => "up",
            (_, true, false) if self.parent.is_some() => "lowerlayerdown",
            (_, true, false) | (_, false, _) => "down",
        }
    }

    pub(crate) fn flags(&self, carrier: bool) -> Vec<String> {
        let loopback = self.kind == Nature::Loopback;
        let flags = [
            (loopback, "LOOPBACK"),
            (!loopback, "BROADCAST"),
            (!loopback, "MULTICAST"),
            (self.promiscuous, "PROMISC"),
            (self.up, "UP"),
            (self.up && carrier, "LOWER_UP"),
        ];
        flags.iter().filter(|(on, _)| *on).map(|(_, flag)| (*flag).to_owned()).collect()
    }

    /// The kind's data in ip(8)'s words.
    pub(crate) fn details(&self) -> Vec<Attribute> {
        match &self.kind {
            Nature::Loopback | Nature::Device => Vec::new(),
            Nature::Made(kind) => details(kind),
        }
    }
}

fn details(kind: &Kind) -> Vec<Attribute> {
    match kind {
        Kind::Macvlan(data) | Kind::Macvtap(data) => {
            let mut details = vec![attribute("mode", data.mode.unwrap_or(MacvlanMode::Vepa))];
            details.extend(data.nopromisc.then(|| attribute("flags", "nopromisc")));
            details.extend(data.nodst.then(|| attribute("flags", "nodst")));
            details.extend(
                data.sources.iter().map(|mac| attribute("macaddr", crate::MacAddress::from(*mac))),
            );
            let length = data.broadcast_queue_length;
            details.extend(length.map(|length| attribute("bcqueuelen", length)));
            details
        }
        Kind::Bridge(options) | Kind::Vxlan(options) => options.clone(),
        Kind::Vlan(vlan) => {
            let mut details = vec![attribute("id", vlan.id)];
            details.extend(vlan.options.iter().cloned());
            details
        }
        Kind::Ipvlan(data) | Kind::Ipvtap(data) => {
            let mode = data.mode.map(|mode| attribute("mode", mode));
            mode.into_iter().chain(data.flag.map(|flag| attribute("flag", flag))).collect()
        }
        Kind::Vrf(table) => vec![attribute("table", table)],
        Kind::Other(other) => other.options.clone(),
        Kind::Veth(_) | Kind::Dummy | Kind::Ifb | Kind::Tun(_) | Kind::Tap(_) => Vec::new(),
    }
}

impl Network {
    pub(super) fn create_link(&mut self, namespace: &str, spec: &Spec) -> Answer<()> {
        let home = self.namespace(namespace)?;
        self.check_name(home, &spec.name)?;
        let parent = self.parent_of(home, spec)?;
        if let (Some(parent), Some(data)) = (parent, Nature::Made(spec.kind.clone()).macvlan()) {
            self.check_macvlan(parent, data)?;
        }
        let id = self.add_link(home, &spec.name, Nature::Made(spec.kind.clone()));
        let made = self.furnish(id, parent, spec);
        if made.is_err() {
            self.forget(id);
        }
        made
    }

    /// All that can fail once the link is there.
    fn furnish(&mut self, id: LinkId, parent: Option<LinkId>, spec: &Spec) -> Answer<()> {
        let home = self.link(id)?.namespace;
        if let Some(parent) = parent {
            self.inherit(id, parent)?;
        }
        if let Kind::Tun(_) = &spec.kind {
            self.link_mut(id)?.mac = None;
        }
        if let Kind::Veth(veth) = &spec.kind {
            self.add_peer(id, home, veth)?;
        }
        self.set_all(id, &spec.settings)
    }

    pub(super) fn check_name(&self, namespace: NamespaceId, name: &str) -> Answer<()> {
        if name.is_empty() || name.len() > LONGEST_NAME || name.contains('/') {
            return Err(INVALID);
        }
        if self.find_link(namespace, name).is_some() { Err(EXISTS) } else { Ok(()) }
    }

    /// The lower link; a macvlan on a macvlan lies on that one's parent (macvlan_common_newlink).
    pub(super) fn parent_of(&self, home: NamespaceId, spec: &Spec) -> Answer<Option<LinkId>> {
        let needed = match &spec.kind {
            Kind::Macvlan(_) | Kind::Macvtap(_) | Kind::Vlan(_) => true,
            Kind::Ipvlan(_) | Kind::Ipvtap(_) => true,
            Kind::Veth(_) | Kind::Bridge(_) | Kind::Vxlan(_) | Kind::Dummy | Kind::Ifb => false,
            Kind::Tun(_) | Kind::Tap(_) | Kind::Vrf(_) | Kind::Other(_) => false,
        };
        let Some(name) = &spec.parent else {
            return if needed { Err(NO_PARENT) } else { Ok(None) };
        };
        let parent = self.named_by(home, name)?;
        let is_macvlan = matches!(&spec.kind, Kind::Macvlan(_) | Kind::Macvtap(_));
        match self.link(parent)? {
            lower if lower.kind == Nature::Loopback && is_macvlan => Err(INVALID),
            lower if lower.macvlan().is_some() && is_macvlan => Ok(lower.parent),
            _ => Ok(Some(parent)),
        }
    }

    fn check_macvlan(&self, parent: LinkId, data: &Macvlan) -> Answer<()> {
        let passthru = data.mode == Some(MacvlanMode::Passthru);
        if data.nopromisc && !passthru {
            return Err(NOPROMISC_WITHOUT_PASSTHRU);
        }
        let mut siblings = self
            .links
            .values()
            .filter(|link| link.parent == Some(parent) && link.macvlan().is_some());
        let alone = if passthru {
            siblings.next().is_none()
        } else {
            !siblings.any(LinkState::is_passthru)
        };
        if alone { Ok(()) } else { Err(PASSTHRU_ALONE) }
    }

    /// What a child has of its parent.
    fn inherit(&mut self, id: LinkId, parent: LinkId) -> Answer<()> {
        let lower = self.link(parent)?;
        let (mtu, mac) = (lower.mtu, lower.mac);
        let link = self.link_mut(id)?;
        link.parent = Some(parent);
        let same_mac = match &link.kind {
            Nature::Made(Kind::Vlan(_) | Kind::Ipvlan(_) | Kind::Ipvtap(_)) => true,
            Nature::Loopback | Nature::Device | Nature::Made(_) => link.is_passthru(),
        };
        if same_mac {
            link.mac = mac;
        }
        link.mtu = match &link.kind {
            Nature::Made(Kind::Vxlan(_)) => mtu.saturating_sub(VXLAN_OVERHEAD),
            Nature::Loopback | Nature::Device | Nature::Made(_) => mtu,
        };
        Ok(())
    }

    /// An MTU that the parent can carry.
    pub(super) fn check_mtu(&self, id: LinkId, mtu: u32) -> Answer<()> {
        let link = self.link(id)?;
        if link.macvlan().is_none() {
            return Ok(());
        }
        match link.parent.map(|parent| self.link(parent)).transpose()? {
            Some(parent) if mtu > parent.mtu => Err(Refusal::Said(refusal::mtu_above_parent(
                &link.name,
                mtu,
                &parent.name,
                parent.mtu,
            ))),
            Some(_) | None => Ok(()),
        }
    }

    fn add_peer(&mut self, id: LinkId, home: NamespaceId, veth: &Veth) -> Answer<()> {
        let there = match &veth.peer.namespace {
            Some(name) => self.namespace(name)?,
            None => home,
        };
        self.check_name(there, &veth.peer.name)?;
        let kind = self.link(id)?.kind.clone();
        let peer = self.add_link(there, &veth.peer.name, kind);
        self.link_mut(id)?.peer = Some(peer);
        self.link_mut(peer)?.peer = Some(id);
        self.set_all(peer, &veth.peer_settings)
    }

    pub(super) fn set_all(&mut self, id: LinkId, settings: &[Setting]) -> Answer<()> {
        // Up comes last, whatever the order: what it needs may be said after it.
        let (last, first): (Vec<_>, Vec<_>) =
            settings.iter().partition(|setting| matches!(setting, Setting::Up(true)));
        first.into_iter().chain(last).try_for_each(|setting| self.set(id, setting))
    }

    pub(super) fn delete_link(&mut self, site: &Site) -> Answer<()> {
        let id = self.link_at(site)?;
        match &self.link(id)?.kind {
            Nature::Loopback => Err(Refusal::new(95, "EOPNOTSUPP", "this link can't be deleted")),
            Nature::Device | Nature::Made(_) => {
                self.forget(id);
                Ok(())
            }
        }
    }

    /// Takes a link away with its other end and all that lies on it, wherever that is.
    pub(super) fn forget(&mut self, id: LinkId) {
        let Some(gone) = self.links.remove(&id) else { return };
        self.forget_routes(gone.namespace);
        for link in self.links.values_mut().filter(|link| link.master == Some(id)) {
            link.master = None;
        }
        let with_it = |link: &LinkState| link.parent == Some(id) || link.peer == Some(id);
        let orphans: Vec<_> =
            self.links.iter().filter(|(_, link)| with_it(link)).map(|(id, _)| *id).collect();
        orphans.into_iter().for_each(|orphan| self.forget(orphan));
    }

    pub(super) fn delete_namespace(&mut self, name: &str) -> Answer<()> {
        let id = self.namespace(name)?;
        if id == super::ROOT {
            return Err(INVALID);
        }
        self.links_in(id).into_iter().for_each(|link| self.forget(link));
        self.stacks.remove(&id).map(|_| ()).ok_or(GONE)
    }

    /// The link is down and without addresses where it comes to.
    pub(super) fn move_link(&mut self, site: &Site, to: &str) -> Answer<()> {
        let id = self.link_at(site)?;
        let target = self.namespace(to)?;
        let kind = &self.link(id)?.kind;
        if *kind == Nature::Loopback || is_immovable(kind.word()) {
            return Err(INVALID);
        }
        self.check_name(target, &site.name)?;
        let (old, index) = (self.link(id)?.namespace, self.link(id)?.index);
        let taken = self
            .links_in(target)
            .iter()
            .any(|other| self.links.get(other).is_some_and(|other| other.index == index));
        let index = if taken { self.free_index(target) } else { index };
        let link = self.links.get_mut(&id).ok_or(GONE)?;
        (link.namespace, link.index, link.up, link.master) = (target, index, false, None);
        link.addresses.clear();
        link.neighbours.clear();
        self.forget_routes(old);
        Ok(())
    }
}
