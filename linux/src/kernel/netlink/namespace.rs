//! Namespaces: held by their descriptors alone in a lab, named under /run/netns on the host.

use std::io;
use std::os::fd::AsRawFd as _;
use std::thread;

use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::nsid::{NsidAttribute, NsidMessage};

use super::Netlink;
use super::explain::{broken, explain, lacking};
use super::host::Witness;
use super::named;
use super::raw_link::RawLink;
use super::socket::{Failure, Refusal, Request};
use super::space::{Opened, Space, open_here};
use crate::change::{Applied, Change, Made, Name, NamespaceRef, Undo};
use crate::halt::Halt;
use crate::kernel::{Error, KernelError, NamespaceWatcher, netns};
use crate::text::help;

/// Threads that make namespaces: above two, they only wait for one another's locks.
const MAKERS: usize = 2;

impl Netlink {
    pub(super) fn create_namespace(
        &mut self,
        change: &Change,
        name: &Name,
    ) -> Result<Applied, Error> {
        self.check_free(change, name)?;
        let made = netns::create(open_here).map(|(_, opened)| opened);
        let opened = made.map_err(|error| namespace_error(&error, change))?;
        self.take_namespace(change, name, opened)
    }

    pub(super) fn check_free(&self, change: &Change, name: &Name) -> Result<(), Error> {
        if self.spaces.named(Some(name)).is_none() {
            return Ok(());
        }
        Err(Error::Kernel(KernelError {
            errno: libc::EEXIST,
            operation: change.to_string(),
            text: None,
            hint: Some(format!("this run has a namespace `{name}` already")),
        }))
    }

    /// Takes a new namespace in, under its name.
    pub(super) fn take_namespace(
        &mut self,
        change: &Change,
        name: &Name,
        opened: Opened,
    ) -> Result<Applied, Error> {
        let id = self.call(&opened);
        if let Some(host) = &mut self.host {
            let folder = *host.folder.get_or_insert_with(named::folder_now);
            if let Some(Witness(tell)) = &mut host.witness {
                tell(name, opened.2, folder, id)?;
            }
            named::add(name, &opened.0, host.mark, &self.halt)
                .map_err(|error| broken(&error, change))?;
        }
        let space = Space::new(Some(name.clone()), opened, self.fresh_index);
        let space = self.spaces.insert(space);
        if self.spaces.all().count() <= 2 && space.resync().is_ok() {
            self.fresh_index = space.peek_index();
        }
        if let Some(NamespaceWatcher(tell)) = &mut self.watcher {
            tell(name, &space.descriptor);
        }
        let reference = space.reference();
        Ok(Applied {
            made: Made::Namespace(reference.clone()),
            undo: Undo { steps: vec![Change::DeleteNamespace { namespace: reference }] },
        })
    }

    /// The kernel removes a namespace after its last descriptor, when it finds the time, and what
    /// is in it. What reaches out of it, a veth's end or a child of somebody's link, is removed
    /// before, so that it is gone elsewhere when this returns; not when `hastily`, as in undoing
    /// a whole lab, for each takes 15 ms.
    pub(super) fn delete_namespace(
        &mut self,
        change: &Change,
        namespace: &NamespaceRef,
        hastily: bool,
    ) -> Result<Applied, Error> {
        let space = self.spaces.find(namespace)?;
        if space.name.is_none() {
            return Err(Error::Invalid("the root namespace can't be deleted".to_owned()));
        }
        if hastily {
            self.bring_all_home(&space)?;
        }
        self.check_stood_on_in(&space)?;
        let hastily = hastily && self.host.is_none();
        let links = if hastily { Vec::new() } else { space.links().unwrap_or_default() };
        if let Some(link) = links.iter().find(|link| self.is_borrowed(&space, link)) {
            return Err(Error::Invalid(format!(
                "{} holds `{}`, which was moved there and is not the run's own{}",
                space.shown(),
                link.name.escape_debug(),
                help("move it back first")
            )));
        }
        self.check_nobodys(&space, &links)?;
        let reaches_out = |link: &&RawLink| link.link_nsid().is_some();
        for link in links.iter().filter(reaches_out).filter(|link| self.may_delete(&space, link)) {
            // What can't be removed by itself goes with the namespace.
            let _ = space.execute(&super::change::delete_request(link.index));
        }
        if self.host.is_some() {
            named::remove(&space).map_err(|error| broken(&error, change))?;
        }
        self.spaces.remove(space.cookie);
        self.restore_folder().map_err(|error| broken(&error, change))?;
        Ok(Applied { made: Made::Nothing, undo: Undo::default() })
    }

    /// Gives a new namespace an id in the machine's own one, which lasts for as long as it does:
    /// whoever takes the run back and doesn't find it asks there whether it is gone. None in a lab.
    fn call(&self, (descriptor, _, cookie): &Opened) -> Option<i32> {
        /// Far from those that the kernel gives by itself, which begin with 0.
        const FIRST: u64 = 1 << 30;
        self.host.as_ref()?;
        let root = self.spaces.named(None)?;
        let id = i32::try_from(FIRST | (cookie % FIRST)).ok()?;
        let mut message = NsidMessage::default();
        message.attributes.push(NsidAttribute::Id(id));
        message.attributes.push(NsidAttribute::Fd(descriptor.as_raw_fd().unsigned_abs()));
        let request = Request { message: RouteNetlinkMessage::NewNsId(message), flags: 0 };
        root.execute(&request).is_ok().then_some(id)
    }

    /// Whether a namespace that had this id in the machine's own one is gone: nobody has it.
    pub(super) fn is_gone(root: &Space, id: i32) -> bool {
        let mut message = NsidMessage::default();
        message.attributes.push(NsidAttribute::Id(id));
        let answer = root.get(&RouteNetlinkMessage::GetNsId(message));
        matches!(answer, Err(Failure::Refused(Refusal { errno: libc::ENOENT, .. })))
    }

    /// Puts /run/netns back once the run has no name in it any more.
    pub(super) fn restore_folder(&mut self) -> io::Result<()> {
        let more = self.spaces.all().any(|space| space.own && space.name.is_some());
        let Some(host) = self.host.as_mut().filter(|_| !more) else { return Ok(()) };
        host.folder.take().map_or(Ok(()), |folder| named::restore_folder(folder, &self.halt))
    }

    pub(super) fn set_namespace_id(
        &mut self,
        change: &Change,
        namespace: &NamespaceRef,
        peer: &NamespaceRef,
        id: i32,
    ) -> Result<Applied, Error> {
        let (space, other) = (self.spaces.find(namespace)?, self.spaces.find(peer)?);
        if id < -1 {
            return Err(Error::Invalid(format!(
                "a namespace id is {id}; 0 and above are allowed, and -1 for any that is free"
            )));
        }
        let mut message = NsidMessage::default();
        message.attributes.push(NsidAttribute::Id(id));
        message.attributes.push(NsidAttribute::Fd(other.raw_descriptor().unsigned_abs()));
        let request = Request { message: RouteNetlinkMessage::NewNsId(message), flags: 0 };
        space.execute(&request).map_err(|failure| explain(failure, change))?;
        self.spaces.forget_ids(&space);
        // The kernel has no request that takes an id away; it goes with either namespace.
        Ok(Applied { made: Made::Nothing, undo: Undo::default() })
    }
}

/// Makes many namespaces, on several threads; fewer where work may not go on.
pub(super) fn create_many(count: usize, halt: &Halt) -> Vec<io::Result<Opened>> {
    let share = count.div_ceil(MAKERS);
    thread::scope(|scope| {
        let makers: Vec<_> = (0..MAKERS)
            .map(|maker| {
                let mine = share.min(count.saturating_sub(maker * share));
                thread::Builder::new().name("namespaces".to_owned()).spawn_scoped(
                    scope,
                    move || {
                        let going = (0..mine).take_while(|_| halt.may_go_on().is_ok());
                        going.map(|_| create_here()).collect()
                    },
                )
            })
            .collect();
        let mut all: Vec<io::Result<Opened>> = Vec::with_capacity(count);
        for maker in makers {
            match maker {
                Ok(worker) => {
                    let mut made: Vec<_> =
                        worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                    all.append(&mut made);
                }
                Err(error) => all.push(Err(error)),
            }
        }
        all
    })
}

/// Leaves the calling thread in the new namespace.
fn create_here() -> io::Result<Opened> {
    netns::unshare_network()?;
    open_here()
}

pub(super) fn namespace_error(error: &io::Error, change: &Change) -> Error {
    match error.raw_os_error() {
        // That of memory is told by others; of namespaces there may be so many.
        Some(libc::ENOSPC) => lacking(
            error,
            change,
            "raise `sysctl user.max_net_namespaces` of this user namespace or of an outer one",
        ),
        _ => broken(error, change),
    }
}
