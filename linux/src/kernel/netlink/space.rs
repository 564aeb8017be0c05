//! The namespaces of a run: names, descriptors, cookies, and a request socket in each.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::nsid::{NsidAttribute, NsidMessage};
use netwright_network::refusal;

use super::attributes;
use super::explain::missing;
use super::raw_link::{RawLink, get_link};
use super::socket::{Body, Failure, Refusal, Request, Socket};
use crate::change::{Name, NamespaceRef};
use crate::halt::Halt;
use crate::kernel::{Denial, Error, netns};

/// A namespace of the run.
#[derive(Debug)]
pub(crate) struct Space {
    pub(crate) name: Option<Name>,
    pub(crate) descriptor: Arc<OwnedFd>,
    pub(crate) cookie: u64,
    /// this run made it, so that all in it is the run's own
    pub(crate) own: bool,
    socket: Mutex<Socket>,
    /// the least index that no link of it had so far, as far as is known
    next_index: AtomicU32,
    /// ids that this namespace has for others, to their cookies
    ids: Mutex<HashMap<i32, u64>>,
}

/// What a thread inside a new namespace brings back.
pub(crate) type Opened = (OwnedFd, Socket, u64);

/// Opens what a namespace needs, in the calling thread's one.
pub(crate) fn open_here() -> io::Result<Opened> {
    let socket = Socket::open()?;
    let cookie = netns::cookie(socket.channel())?;
    Ok((netns::current()?, socket, cookie))
}

impl Space {
    pub(crate) fn new(name: Option<Name>, opened: Opened, next_index: u32) -> Self {
        let (descriptor, socket, cookie) = opened;
        Self {
            name,
            descriptor: Arc::new(descriptor),
            cookie,
            own: true,
            socket: Mutex::new(socket),
            next_index: AtomicU32::new(next_index),
            ids: Mutex::new(HashMap::new()),
        }
    }

    /// The same of somebody else's.
    pub(crate) fn foreign(name: Option<Name>, opened: Opened) -> Self {
        Self { own: false, ..Self::new(name, opened, 2) }
    }

    /// For messages: `namespace `ns1``, or `the root namespace`.
    pub(crate) fn shown(&self) -> String {
        refusal::place(self.name.as_ref().map(Name::as_str))
    }

    pub(crate) fn reference(&self) -> NamespaceRef {
        NamespaceRef { name: self.name.clone(), cookie: Some(self.cookie) }
    }

    pub(crate) fn raw_descriptor(&self) -> i32 {
        self.descriptor.as_raw_fd()
    }

    /// A panic elsewhere can't have left the socket in a state that matters: stale answers are
    /// told by their sequence number.
    fn socket(&self) -> MutexGuard<'_, Socket> {
        self.socket.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn execute(&self, request: &Request) -> Result<(), Failure> {
        self.socket().execute(request)
    }

    pub(crate) fn execute_all(
        &self,
        requests: &[Request],
        halt: &Halt,
    ) -> Vec<Result<(), Failure>> {
        self.socket().execute_all(requests, halt)
    }

    pub(crate) fn get(&self, message: &RouteNetlinkMessage) -> Result<Body, Failure> {
        self.socket().get(message)
    }

    pub(crate) fn dump(&self, message: &RouteNetlinkMessage) -> Result<Vec<Body>, Failure> {
        self.socket().dump(message)
    }

    /// Does `work` on a thread inside this namespace.
    pub(crate) fn within<T: Send>(
        &self,
        work: impl FnOnce() -> io::Result<T> + Send,
    ) -> io::Result<T> {
        netns::within(self.descriptor.as_fd(), work)
    }

    pub(crate) fn links(&self) -> Result<Vec<RawLink>, Failure> {
        Ok(self.dump(&get_link(None, None, false))?.iter().filter_map(RawLink::parse).collect())
    }

    /// The link of this name; the kernel also finds those that have it as an alternative name,
    /// which this does not.
    pub(crate) fn link(&self, name: &str) -> Result<Option<RawLink>, Failure> {
        let link = found(self.get(&get_link(None, Some(name), false)))?;
        Ok(link.filter(|link| link.name == name))
    }

    pub(crate) fn link_at(&self, index: u32) -> Result<Option<RawLink>, Failure> {
        found(self.get(&get_link(Some(index), None, false)))
    }

    /// The name that an index stands for now.
    pub(crate) fn name_at(&self, index: u32) -> Option<String> {
        self.link_at(index).ok().flatten().map(|found| found.name)
    }

    /// What a link is a port of.
    pub(crate) fn master_of(&self, link: &RawLink) -> Option<RawLink> {
        link.master().and_then(|index| self.link_at(index).ok().flatten())
    }

    /// The least index that is free, as far as is known, without taking it.
    pub(crate) fn peek_index(&self) -> u32 {
        self.next_index.load(Ordering::Relaxed)
    }

    /// Notes that an index is used.
    pub(crate) fn used_index(&self, index: u32) {
        self.next_index.fetch_max(index.saturating_add(1), Ordering::Relaxed);
    }

    /// Looks which indexes are used, after the kernel refused one.
    pub(crate) fn resync(&self) -> Result<(), Failure> {
        let highest = self.links()?.iter().map(|link| link.index).max().unwrap_or(1);
        self.used_index(highest);
        Ok(())
    }

    /// The id that this namespace has for another, where it has one.
    pub(crate) fn id_of(&self, other: &Space) -> Result<Option<i32>, Failure> {
        let mut message = NsidMessage::default();
        let descriptor = other.raw_descriptor().unsigned_abs();
        message.attributes.push(NsidAttribute::Fd(descriptor));
        let (_, body) = self.get(&RouteNetlinkMessage::GetNsId(message))?;
        /// linux/net_namespace.h; struct rtgenmsg before it is padded to 4 bytes
        const NETNSA_NSID: u16 = 1;
        let id = attributes::find(body.get(4..).unwrap_or_default(), NETNSA_NSID)
            .and_then(attributes::u32_of)
            .map(|id| id as i32);
        Ok(id.filter(|id| *id >= 0))
    }

    fn ids(&self) -> MutexGuard<'_, HashMap<i32, u64>> {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn found(answer: Result<Body, Failure>) -> Result<Option<RawLink>, Failure> {
    match answer {
        Ok(body) => Ok(RawLink::parse(&body)),
        Err(Failure::Refused(Refusal { errno: libc::ENODEV, .. })) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// All namespaces of the run.
#[derive(Debug, Default)]
pub(crate) struct Spaces {
    by_cookie: HashMap<u64, Arc<Space>>,
    by_name: BTreeMap<Option<Name>, u64>,
    /// names of namespaces that other runs have made, with whose they are
    withheld: BTreeMap<Name, String>,
}

impl Spaces {
    pub(crate) fn insert(&mut self, space: Space) -> Arc<Space> {
        let space = Arc::new(space);
        self.by_name.insert(space.name.clone(), space.cookie);
        self.by_cookie.insert(space.cookie, Arc::clone(&space));
        space
    }

    pub(crate) fn remove(&mut self, cookie: u64) {
        if let Some(space) = self.by_cookie.remove(&cookie)
            && self.by_name.get(&space.name) == Some(&cookie)
        {
            self.by_name.remove(&space.name);
        }
    }

    pub(crate) fn withhold(&mut self, name: Name, whose: String) {
        self.withheld.insert(name, whose);
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Space>> {
        self.by_name.values().filter_map(|cookie| self.by_cookie.get(cookie))
    }

    pub(crate) fn named(&self, name: Option<&Name>) -> Option<&Arc<Space>> {
        self.by_cookie.get(self.by_name.get(&name.cloned())?)
    }

    /// The namespace that a reference means.
    pub(crate) fn find(&self, reference: &NamespaceRef) -> Result<Arc<Space>, Error> {
        if let Some(cookie) = reference.cookie {
            return self.by_cookie.get(&cookie).cloned().ok_or_else(|| {
                let name = reference.name.as_ref().map_or("root", Name::as_str);
                Error::Gone(format!("namespace `{name}`"))
            });
        }
        self.named(reference.name.as_ref()).cloned().ok_or_else(|| {
            let name = reference.name.as_ref().map_or("root", Name::as_str);
            if let Some(whose) = reference.name.as_ref().and_then(|name| self.withheld.get(name)) {
                return Error::Denied(Denial {
                    capability: "host.namespace".to_owned(),
                    target: format!("namespace `{name}`"),
                    hint: format!("{whose} has made it, and no grant lets another run in"),
                    told: None,
                });
            }
            let known: Vec<_> = self.by_name.keys().flatten().map(Name::as_str).collect();
            missing(refusal::no_namespace(name, &known))
        })
    }

    /// The namespace that has the link which a link's index below it means: what it stands on, or its
    /// other end (IFLA_LINK, IFLA_LINK_NETNSID).
    pub(crate) fn below(&self, space: &Arc<Space>, link: &RawLink) -> Option<Arc<Space>> {
        match link.link_nsid() {
            None => Some(Arc::clone(space)),
            Some(id) => self.by_id(space, id),
        }
    }

    /// The namespace that `space` calls by an id.
    pub(crate) fn by_id(&self, space: &Space, id: i32) -> Option<Arc<Space>> {
        if let Some(cookie) = space.ids().get(&id) {
            return self.by_cookie.get(cookie).cloned();
        }
        let known: Vec<u64> = space.ids().values().copied().collect();
        for other in self.by_cookie.values().filter(|other| !known.contains(&other.cookie)) {
            if let Ok(Some(found)) = space.id_of(other) {
                space.ids().insert(found, other.cookie);
                if found == id {
                    return Some(Arc::clone(other));
                }
            }
        }
        None
    }

    /// Forgets which ids namespaces have for one that got or lost one.
    pub(crate) fn forget_ids(&self, space: &Space) {
        space.ids().clear();
    }
}
