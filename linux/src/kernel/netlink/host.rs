//! A run on the host's own network: what is its own there, and what it may touch by name.
//!
//! The policy has decided about links as it saw them. Between that and the request a name may go
//! to another link; so every link that is found by name is compared with what the policy saw, and
//! one that the policy was never shown is refused, whoever forgot it.

use std::collections::{HashMap, HashSet};
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};

use super::Netlink;
use super::explain::explain;
use super::find::{gone, reference};
use super::lives;
use super::raw_link::{IFF_LOOPBACK, RawLink};
use super::socket::Request;
use super::space::{Opened, Space, open_here};
use crate::change::{LinkRef, Name, NamespaceRef, Setting};
use crate::kernel::mark::{Mark, PROTOCOL};
use crate::kernel::{Error, LinkSight, kind, netns};
use crate::records::{History, MadeLinks, NamedFolder};

/// Of one run on the host's own network.
#[derive(Debug)]
pub(super) struct Host {
    pub(super) mark: Mark,
    /// links that the run made, by namespace's cookie and index
    made: Mutex<HashSet<(u64, u32)>>,
    /// what the run has put beside what others have
    pub(super) put: super::put::Things,
    /// others' links that the changes under way may name, as the policy saw them; `None` while
    /// nothing is changed, or something is put back
    expected: Option<Vec<LinkRef>>,
    /// /run/netns as it was before the run's first name there
    pub(super) folder: Option<NamedFolder>,
    /// what is the run's own is foreseen too: it goes on with a deployment, of which more than the
    /// mark has to be told apart
    pub(super) foresees_all: bool,
    /// told of each namespace before it has its name
    pub(super) witness: Option<Witness>,
    /// of links of the run's own that somebody chose, by namespace's cookie and index
    mtus: Mutex<HashMap<(u64, u32), u32>>,
    /// links of others' that the run uses, as they were
    pub(super) borrowed: super::lookalike::Borrowed,
    /// which links are the run's own, where its journal tells that
    pub(super) told: Option<MadeLinks>,
    /// settings of links of the run's own that somebody chose
    pub(super) chosen: super::guarded::Chosen,
}

/// Called with a namespace's name and cookie, with what /run/netns was before the run, and with what
/// the machine's own namespace calls it.
pub struct Witness(pub Box<Tell>);

type Tell = dyn FnMut(&Name, u64, NamedFolder, Option<i32>) -> Result<(), Error> + Send;

impl std::fmt::Debug for Witness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Witness")
    }
}

impl Host {
    pub(super) fn new(mark: Mark) -> Self {
        Self {
            mark,
            made: Mutex::default(),
            put: super::put::Things::default(),
            expected: None,
            folder: None,
            foresees_all: false,
            witness: None,
            borrowed: super::lookalike::Borrowed::default(),
            told: None,
            mtus: Mutex::default(),
            chosen: super::guarded::Chosen::default(),
        }
    }

    fn made(&self, space: &Space, index: u32) -> bool {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.contains(&(space.cookie, index))
    }
}

impl Netlink {
    /// A request as it is, or, where a test wants its change to fail, one that the kernel refuses.
    pub(super) fn spoiled(&self, request: Request) -> Request {
        match self.failpoint.hit() {
            true => super::change::delete_request(i32::MAX.unsigned_abs()),
            false => request,
        }
    }

    /// The namespaces that the run has so far.
    pub fn taken_in(&self) -> Vec<NamespaceRef> {
        self.spaces.all().map(|space| space.reference()).collect()
    }

    /// Foresees what takes changes of the deployment's own links back, too.
    pub fn foresee_all(&mut self, deployment: &History) {
        if let Some(host) = &mut self.host {
            host.foresees_all = true;
            self.lives = lives::of(deployment);
        }
    }

    /// Has somebody told of each new namespace before it has its name.
    pub fn witnessed_by(&mut self, witness: Witness) {
        if let Some(host) = &mut self.host {
            host.witness = Some(witness);
        }
    }

    /// Takes in a namespace of somebody else's, which the operator named.
    ///
    /// Where it is one that is known already, this is its name: `None` the machine's own.
    pub fn attach(
        &mut self,
        name: Name,
        namespace: &OwnedFd,
    ) -> std::io::Result<Option<Option<Name>>> {
        let opened = netns::within(namespace.as_fd(), open_here)?;
        let known = self.known(&opened);
        if known.is_none() {
            self.take_in_foreign(Some(name), opened)?;
        }
        Ok(known)
    }

    /// The same of a lab's, in which all is the run's own.
    pub fn attach_lab(
        &mut self,
        name: Name,
        namespace: &OwnedFd,
    ) -> std::io::Result<Option<Option<Name>>> {
        let opened = netns::within(namespace.as_fd(), open_here)?;
        let known = self.known(&opened);
        if known.is_none() {
            self.take_in(Some(name), opened)?;
        }
        Ok(known)
    }

    /// The name of a namespace that was taken in before.
    fn known(&self, opened: &Opened) -> Option<Option<Name>> {
        let known = self.spaces.all().find(|space| space.cookie == opened.2);
        known.map(|space| space.name.clone())
    }

    /// Leaves out a namespace that another run has made; the recipe is told whose it is.
    pub fn withhold(&mut self, name: Name, whose: String) {
        self.spaces.withhold(name, whose);
    }

    /// The mark of the run; none in a lab.
    pub fn group(&self) -> Option<u32> {
        self.host.as_ref().map(|host| host.mark.group())
    }

    /// Notes a link as the run's own.
    pub(super) fn note_made(&self, space: &Space, index: u32) {
        if let Some(host) = &self.host {
            let mut made = host.made.lock().unwrap_or_else(PoisonError::into_inner);
            made.insert((space.cookie, index));
        }
    }

    /// Whether this run made a link: by identity and by the mark that it still carries.
    pub(super) fn is_own(&self, space: &Space, link: &RawLink) -> bool {
        let Some(host) = &self.host else { return true };
        host.made(space, link.index) && (space.own || link.group() == host.mark.group())
    }

    /// Whether a link has the index of one that this run made, and is another.
    pub(super) fn lost_its_mark(&self, space: &Space, link: &RawLink) -> bool {
        let made = self.host.as_ref().is_some_and(|host| host.made(space, link.index));
        made && !self.is_own(space, link)
    }

    /// Whether a link carries the mark of another run.
    pub(super) fn is_of_another_run(&self, link: &RawLink) -> bool {
        let own = self.host.as_ref().map(|host| host.mark.group());
        Mark::is_of_any_run(link.group()) && own.is_some_and(|own| own != link.group())
    }

    /// A link of somebody else's that was moved to where it is.
    pub(super) fn is_borrowed(&self, space: &Space, link: &RawLink) -> bool {
        let Some(host) = &self.host else { return false };
        !host.made(space, link.index) && self.is_lent(space, link.index)
    }

    /// Applies changes that may touch no links of others by name but these.
    pub(super) fn expecting<T>(
        &mut self,
        links: Vec<LinkRef>,
        apply: impl FnOnce(&mut Self) -> T,
    ) -> T {
        if let Some(host) = &mut self.host {
            host.expected = Some(links);
        }
        let answer = apply(self);
        if let Some(host) = &mut self.host {
            host.expected = None;
        }
        answer
    }

    /// Refuses a link that was found by name in somebody else's namespace, unless it is the run's
    /// own or the very one that the policy saw under this name.
    pub(super) fn check_expected(&self, space: &Space, link: &RawLink) -> Result<(), Error> {
        let expected = self.host.as_ref().and_then(|host| host.expected.as_ref());
        let Some(expected) = expected else { return Ok(()) };
        let seen = |expected: &LinkRef| {
            expected.namespace.cookie == Some(space.cookie)
                && expected.name == link.name
                && expected.index == Some(link.index)
        };
        if space.own || self.is_own(space, link) || expected.iter().any(seen) {
            return Ok(());
        }
        Err(gone(space, &reference(space, link)))
    }

    /// A link that is referred to by index, before anything is done to it: it must still have the
    /// name that it was opened by.
    pub(super) fn sight(&self, link: &LinkRef) -> Result<LinkSight, Error> {
        let space = self.spaces.find(&link.namespace)?;
        let raw = match link.index {
            Some(index) => self.link_at(&space, link, index)?,
            None => self.seen_by_name(&space, &link.name)?,
        };
        if raw.name != link.name && !space.own {
            return Err(gone(&space, link));
        }
        let master = space.master_of(&raw);
        let parent = self.parent(&space, &raw);
        let usual_mtu = usual_mtu(&raw.kind(), parent.as_ref().map(|(_, parent)| parent));
        let chosen_mtu = self.chosen_mtu(&space, raw.index);
        Ok(LinkSight {
            reference: reference(&space, &raw),
            in_own_space: space.own,
            own: self.is_own(&space, &raw) && !self.is_borrowed(&space, &raw),
            kind: raw.kind(),
            alias: raw.alias(),
            group: raw.group(),
            loopback: raw.has(IFF_LOOPBACK),
            master: master.map(|master| (master.name.clone(), master.kind())),
            parent: self.foreign(parent),
            below: self.first_foreign(&space, &raw),
            vlan: kind::vlan_of(&raw.kind(), raw.data()),
            mtu: chosen_mtu.filter(|chosen| Some(*chosen) != usual_mtu),
            usual_mtu,
        })
    }

    /// What a link stands on.
    pub(super) fn parent(
        &self,
        space: &Arc<Space>,
        link: &RawLink,
    ) -> Option<(Arc<Space>, RawLink)> {
        let kind = link.kind();
        if kind::has_other_end(&kind) {
            return None;
        }
        let below = self.spaces.below(space, link)?;
        let mut name_of = |index| below.name_at(index);
        let data = kind::read(&kind, link.data(), &mut name_of);
        let underlay = data.iter().find(|option| option.name == "dev");
        let found = match (link.link(), underlay) {
            (Some(index), _) if index != link.index => below.link_at(index).ok().flatten(),
            (_, Some(option)) => below.link(&option.value).ok().flatten(),
            (_, None) => None,
        };
        found.map(|found| (below, found))
    }

    /// A link that is somebody else's.
    fn foreign(&self, link: Option<(Arc<Space>, RawLink)>) -> Option<LinkRef> {
        let (space, link) = link?;
        (!space.own && !self.is_own(&space, &link)).then(|| reference(&space, &link))
    }

    /// The first link of somebody else's that one stands on.
    fn first_foreign(&self, space: &Arc<Space>, link: &RawLink) -> Option<LinkRef> {
        // As deep as the kernel nests links (MAX_NEST_DEV).
        const DEEPEST: usize = 8;
        let mut below = self.parent(space, link)?;
        for _ in 0..DEEPEST {
            if let Some(foreign) = self.foreign(Some(below.clone())) {
                return Some(foreign);
            }
            below = self.parent(&below.0, &below.1)?;
        }
        None
    }

    /// Notes the MTU that a link of the run's own was given.
    pub(super) fn note_mtu(&self, space: &Space, index: u32, settings: &[Setting]) {
        if let (Some(host), Some(mtu)) = (&self.host, super::settings::mtu(settings)) {
            let mut mtus = host.mtus.lock().unwrap_or_else(PoisonError::into_inner);
            mtus.insert((space.cookie, index), mtu);
        }
    }

    fn chosen_mtu(&self, space: &Space, index: u32) -> Option<u32> {
        let mtus = self.host.as_ref()?.mtus.lock().unwrap_or_else(PoisonError::into_inner);
        mtus.get(&(space.cookie, index)).copied()
    }

    /// What is known of a link goes with it to another namespace.
    pub(super) fn note_moved(&self, from: (u64, u32), to: (u64, u32)) {
        if let Some(host) = &self.host {
            let mut mtus = host.mtus.lock().unwrap_or_else(PoisonError::into_inner);
            let mtu = mtus.remove(&from);
            mtus.extend(mtu.map(|mtu| (to, mtu)));
        }
    }

    /// As `link_by_name`, before the policy has decided.
    fn seen_by_name(&self, space: &Space, name: &str) -> Result<RawLink, Error> {
        let found = space.link(name).map_err(|failure| explain(failure, &"link show"))?;
        found.ok_or_else(|| self.no_link(space, name))
    }

    /// For a name that no link has; what others have is not told to everybody.
    pub(super) fn no_link(&self, space: &Space, name: &str) -> Error {
        if space.own {
            return super::explain::no_link(space, name);
        }
        Error::Invalid(format!("{} has no link `{}`", space.shown(), name.escape_debug()))
    }

    /// Namespaces that the run did not make.
    pub(super) fn foreign_spaces(&self) -> impl Iterator<Item = &Arc<Space>> {
        self.spaces.all().filter(|space| !space.own)
    }

    /// What carries the run's mark in namespaces that it did not make, and its own namespaces that
    /// are still named.
    pub(super) fn marked(&self) -> Vec<String> {
        let Some(host) = &self.host else { return Vec::new() };
        let mut found = Vec::new();
        for space in self.foreign_spaces() {
            for link in space.links().unwrap_or_default() {
                let ours = host.told.is_none() || self.is_own(space, &link);
                if ours && link.group() == host.mark.group() {
                    found.push(format!("link `{}` of {}", link.name, space.shown()));
                }
            }
        }
        found.extend(self.strays.iter().cloned());
        let named = self.spaces.all().filter(|space| space.own && super::named::is_named(space));
        found.extend(named.map(|space| space.shown()));
        found
    }
}

/// The MTU of a link that nobody chose one for: of children their parent's (macvlan_init and its
/// like), of others Ethernet's (ether_setup).
fn usual_mtu(kind: &str, parent: Option<&RawLink>) -> Option<u32> {
    match kind {
        "macvlan" | "macvtap" | "ipvlan" | "ipvtap" | "vlan" => parent.map(RawLink::mtu),
        "bridge" | "dummy" | "ifb" | "tap" | "tun" | "veth" => Some(1500),
        _ => None,
    }
}

/// Whether a route, rule or address is one that some run of netwright made.
pub(super) fn is_marked(protocol: Option<u8>) -> bool {
    protocol == Some(PROTOCOL)
}
