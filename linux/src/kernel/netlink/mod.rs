//! The real kernel, by rtnetlink: namespaces held by descriptors, and one request socket in each.

mod address;
mod adopted;
mod advertised;
mod anchor;
pub(crate) mod attributes;
mod batch;
mod beside;
mod born;
mod bundle;
mod carriers;
mod census;
mod change;
mod create;
mod distribution;
mod entry;
mod explain;
mod filter;
mod find;
mod follows;
mod foresee;
mod forwarding;
#[cfg(fuzzing)]
pub mod fuzzing;
mod guarded;
mod holdings;
mod host;
mod labels;
mod lacking;
mod lacking_link;
mod lasting;
mod lent;
mod lifetime;
mod lives;
mod lookalike;
mod multicast;
mod named;
mod namespace;
mod narrow;
mod neighbour;
mod objects;
mod offered;
mod opaque;
mod order;
mod port;
mod port_vlan;
mod put;
mod qdisc;
mod qdisc_message;
mod qdisc_told;
mod queueing;
mod raw_dump;
mod raw_link;
mod recover;
mod redirects;
mod restore;
mod revert;
mod route;
mod route_message;
mod route_metrics;
mod rule;
mod sequence;
mod settings;
mod show;
mod since;
mod socket;
mod space;
mod stations;
mod sysctl;
mod tables;
mod tuntap;
mod uplink;
mod upper;
mod verify;
mod ways;

pub use self::explain::broken as explain_io;
pub use self::host::Witness;
pub use self::named::named_by;
pub use self::qdisc_told::settled as settled_options;

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex};

use self::space::{Space, Spaces, open_here};
use super::failpoint::Failpoint;
use super::mark::Mark;
use super::uplink::Uplinks;
use super::{
    BatchError, Census, Claimed, Error, Kernel, Lacking, LinkSight, NamespaceWatcher, Put,
    SpaceSight, Stations, Upper, netns,
};
use crate::change::{
    Answer, Applied, Change, Entry, LinkRef, Name, NamespaceRef, Query, Route, Undo,
};
use crate::halt::Halt;
use crate::kernel::Permitted;
use crate::records::Claim;

/// The kernel of this machine, for one run.
#[derive(Debug)]
pub struct Netlink {
    spaces: Spaces,
    /// the first index that a link of a new namespace gets: some kernels put links of their own
    /// into each
    fresh_index: u32,
    /// links that were moved: where they are, and the index that they had before
    moves: Vec<change::Move>,
    /// links of others that are away from home
    lent: Vec<lent::Lent>,
    /// namespaces of a run that has ended which could not be found
    absent: recover::Absent,
    /// links of such a run that could not be deleted where somebody has moved them
    strays: Vec<String>,
    /// links that were found, while many are made on the same parent
    found: find::Found,
    /// what a run on the host's own network knows about what is its own; a lab is all the run's
    host: Option<host::Host>,
    /// the links of the deployment, where one is altered
    lives: Vec<lives::Life>,
    failpoint: Failpoint,
    /// told of each new namespace
    watcher: Option<NamespaceWatcher>,
    /// how a lab gets children of the host's links
    uplinks: Option<Uplinks>,
    /// what was made on them, by namespace's cookie and index
    children: Mutex<HashMap<(u64, u32), String>>,
    /// tables of netem's jitter, which the kernel does not tell again
    tables: qdisc::Tables,
    offers: offered::Offers,
    /// asked between two pieces of work
    halt: Halt,
}

impl Netlink {
    /// Inside a lab that was entered: its root namespace is the calling thread's.
    pub fn for_lab() -> io::Result<Self> {
        Self::rooted(None, open_here()?)
    }

    /// A kept lab, by the descriptors of its namespaces; the one without a name is its root.
    pub fn adopt(namespaces: Vec<(Option<Name>, OwnedFd)>) -> io::Result<Self> {
        let mut kernel = Self::empty(None);
        for (name, descriptor) in namespaces {
            let (_, socket, cookie) = netns::within(descriptor.as_fd(), open_here)?;
            kernel.take_in(name, (descriptor, socket, cookie))?;
        }
        Ok(kernel)
    }

    /// The machine's own network: the namespace that the program was started in. What a run makes
    /// there has to carry its mark.
    pub fn for_host(mark: Mark) -> io::Result<Self> {
        let mut kernel = Self::empty(Some(host::Host::new(mark)));
        kernel.take_in_foreign(None, open_here()?)?;
        Ok(kernel)
    }

    /// Joins a lab to links of the host.
    pub fn join(&mut self, uplinks: Option<Uplinks>) {
        self.uplinks = uplinks;
    }

    fn empty(host: Option<host::Host>) -> Self {
        Self {
            spaces: Spaces::default(),
            fresh_index: 2,
            moves: Vec::new(),
            lent: Vec::new(),
            absent: recover::Absent::new(),
            strays: Vec::new(),
            found: find::Found::default(),
            tables: qdisc::Tables::default(),
            offers: offered::Offers::default(),
            halt: Halt::default(),
            host,
            lives: Vec::new(),
            failpoint: Failpoint::of_environment(),
            watcher: None,
            uplinks: None,
            children: Mutex::default(),
        }
    }

    fn rooted(name: Option<Name>, opened: space::Opened) -> io::Result<Self> {
        let mut kernel = Self::empty(None);
        kernel.take_in(name, opened)?;
        Ok(kernel)
    }

    fn take_in(&mut self, name: Option<Name>, opened: space::Opened) -> io::Result<()> {
        let space = self.spaces.insert(Space::new(name, opened, 2));
        space.resync().map_err(|failure| io::Error::other(format!("{failure:?}")))
    }

    /// Takes in a namespace that this run did not make.
    fn take_in_foreign(&mut self, name: Option<Name>, opened: space::Opened) -> io::Result<()> {
        let space = self.spaces.insert(Space::foreign(name, opened));
        space.resync().map_err(|failure| io::Error::other(format!("{failure:?}")))
    }

    /// Applies one change; `undoing` where it takes another one back.
    fn perform(&mut self, change: &Change, undoing: bool) -> Result<Applied, Error> {
        if !undoing {
            self.halt.may_go_on()?;
            self.failpoint.pass(change)?;
            self.check_offered(change)?;
        }
        match change {
            Change::CreateNamespace { name } => self.create_namespace(change, name),
            Change::DeleteNamespace { namespace } => {
                self.delete_namespace(change, namespace, undoing)
            }
            Change::SetNamespaceId { namespace, peer, id } => {
                self.set_namespace_id(change, namespace, peer, *id)
            }
            Change::CreateLink { namespace, spec } => self.create_link(change, namespace, spec),
            Change::ChangeLink { link, settings } => {
                self.change_link(change, link, settings, undoing)
            }
            Change::MoveLink { link, to } => self.move_link(change, link, to, undoing),
            Change::DeleteLink { link } => self.delete_link(change, link),
            Change::PutAddress { link, address, how } => {
                self.put_address(change, link, address, *how)
            }
            Change::RemoveAddress { link, prefix, peer } => {
                self.remove_address(change, link, *prefix, *peer, undoing)
            }
            Change::PutRoute { namespace, route, how } => {
                self.put_route(change, namespace, route, *how)
            }
            Change::RemoveRoute { namespace, route } => {
                self.remove_route(change, namespace, route, undoing)
            }
            Change::AddRule { namespace, rule } => self.add_rule(change, namespace, rule),
            Change::RemoveRule { namespace, rule } => self.remove_rule(change, namespace, rule),
            Change::PutNeighbour { link, neighbour, how } => {
                self.put_neighbour(change, link, neighbour, *how)
            }
            Change::RemoveNeighbour { link, address, proxy, put: _ } => {
                self.remove_neighbour(change, link, *address, *proxy)
            }
            Change::PutEntry { link, entry, how } => self.put_entry(change, link, entry, *how),
            Change::RemoveEntry { link, entry } => self.remove_entry(change, link, entry),
            Change::SetSysctl { namespace, key, value } => {
                self.set_sysctl(change, namespace, key, value, undoing)
            }
            Change::RestoreSysctls { namespace, settings } => {
                self.restore_sysctls(namespace, settings)
            }
            Change::OrderAddresses { link, addresses } => {
                self.order_addresses(change, link, addresses)
            }
            Change::PutQdisc { link, qdisc, how } => {
                self.put_qdisc(change, link, (qdisc, *how), undoing)
            }
            Change::RemoveQdisc { link } => self.remove_qdisc(change, link, undoing),
            Change::PutVlan { link, vlan } => self.put_vlan(change, link, *vlan),
            Change::RemoveVlan { link, first, last } => {
                self.remove_vlan(change, link, *first, *last)
            }
            Change::SetVlans { link, vlans } => self.set_vlans(change, link, vlans),
        }
    }
}

impl Kernel for Netlink {
    fn heed(&mut self, halt: Halt) {
        self.halt = halt;
    }

    fn apply(&mut self, change: &Permitted<Change>) -> Result<Applied, Error> {
        let applied =
            self.expecting(change.links().to_vec(), |kernel| kernel.perform(change.get(), false))?;
        self.guard_after(&[change.get()]).inspect_err(|_| {
            // The error counts; what stays is listed by the check for leaks.
            let _ = self.take_back(&applied.undo);
        })?;
        self.note_put(change.get(), &applied.undo);
        Ok(applied)
    }

    fn apply_all(&mut self, changes: &[Permitted<Change>]) -> Result<Vec<Applied>, BatchError> {
        let links = changes.iter().flat_map(Permitted::links).cloned().collect();
        let changes: Vec<&Change> = changes.iter().map(Permitted::get).collect();
        let applied = self.expecting(links, |kernel| kernel.perform_all(&changes))?;
        self.guard_after(&changes).map_err(|error| {
            let undone = applied.iter().rev().map(|one| self.take_back(&one.undo));
            let left = undone.filter_map(Result::err).collect();
            BatchError { left, ..BatchError::new(changes.len() - 1, error) }
        })?;
        changes.iter().zip(&applied).for_each(|(change, one)| self.note_put(change, &one.undo));
        Ok(applied)
    }

    fn foresee(&self, changes: &[Permitted<Change>]) -> Vec<Undo> {
        changes.iter().map(|change| self.foreseen(change.get())).collect()
    }

    fn lacking(&self, change: &Change) -> Result<Lacking, Error> {
        self.halt.may_go_on()?;
        self.lacking_of(change)
    }

    fn claims(&self, change: &Permitted<Change>) -> Vec<Claim> {
        self.claims_of(change)
    }

    fn revert(&mut self, undo: &Undo) -> Result<(), Error> {
        let done = self.take_back(undo);
        undo.steps.iter().for_each(|step| self.note_put(step, &Undo::default()));
        done
    }

    fn query(&self, query: &Permitted<Query>) -> Result<Answer, Error> {
        self.halt.may_go_on()?;
        self.answer(query.get())
    }

    fn namespaces(&self) -> Vec<(Name, Arc<OwnedFd>)> {
        let named = |space: &Arc<Space>| Some((space.name.clone()?, Arc::clone(&space.descriptor)));
        self.spaces.all().filter_map(named).collect()
    }

    fn watch_namespaces(&mut self, watcher: NamespaceWatcher) {
        self.watcher = Some(watcher);
    }

    fn unmarked(&self, namespace: &NamespaceRef) -> Vec<u32> {
        self.unmarked_in(namespace)
    }

    fn adopt(&self, namespace: &NamespaceRef, before: &[u32]) {
        self.adopt_all_but(namespace, before);
    }

    fn namespace_descriptor(&self, namespace: &NamespaceRef) -> Result<Arc<OwnedFd>, Error> {
        Ok(Arc::clone(&self.spaces.find(namespace)?.descriptor))
    }

    fn may_claim(&self, uplink: &str, claimed: &Claimed) -> Result<(), Error> {
        self.uplinks.as_ref().map_or(Ok(()), |uplinks| uplinks.may_claim(uplink, claimed))
    }

    fn uplink_of(&self, change: &Change) -> Option<String> {
        self.reached_uplink(change)
    }

    fn see_space(&self, namespace: &NamespaceRef) -> Result<SpaceSight, Error> {
        self.halt.may_go_on()?;
        let space = self.spaces.find(namespace)?;
        Ok(SpaceSight { reference: space.reference(), own: space.own })
    }

    fn has_put(&self, put: &Put) -> bool {
        self.is_put(put)
    }

    fn see_link(&self, link: &LinkRef) -> Result<LinkSight, Error> {
        self.halt.may_go_on()?;
        self.sight(link)
    }

    fn bundle_of(&self, link: &LinkRef) -> Result<Vec<LinkSight>, Error> {
        self.bundle_of(link)
    }

    fn is_altered(&self, link: &LinkRef) -> bool {
        self.is_altered(link)
    }

    fn losers_of(
        &self,
        namespace: &NamespaceRef,
        port: Option<&LinkRef>,
        entry: &Entry,
    ) -> Result<Vec<LinkSight>, Error> {
        self.losers(namespace, port, entry)
    }

    fn hands_on(&self, link: &LinkRef) -> Result<bool, Error> {
        self.hands_on(link)
    }

    fn lost_by_a_move(&self, link: &LinkRef) -> Result<Vec<Upper>, Error> {
        self.lost_by_a_move(link)
    }

    fn stations(&self, link: &LinkRef) -> Result<Stations, Error> {
        self.stations_on(link)
    }

    fn carriers(&self, here: IpAddr, there: IpAddr) -> Result<Vec<LinkRef>, Error> {
        self.links_between(here, there)
    }

    fn ways(&self, from: IpAddr, to: IpAddr) -> Result<Vec<Route>, Error> {
        self.ways_of(&*self.spaces.find(&NamespaceRef::named(None))?, from, to)
    }

    fn census(&self) -> Result<Census, Error> {
        self.counted()
    }

    fn differences(&self, undo: &Undo) -> Vec<String> {
        // A lab goes as a whole.
        if self.host.is_none() {
            return Vec::new();
        }
        if let Some(remade) = self.remade(undo) {
            return remade.err().into_iter().collect();
        }
        undo.steps.iter().filter_map(|step| self.difference(&self.of_now(undo, step)?)).collect()
    }

    fn unfinished(&self, undo: &Undo) -> Undo {
        self.unfinished_of(undo)
    }

    fn remains(&self) -> Vec<String> {
        self.marked()
    }
}
