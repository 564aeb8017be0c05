//! A run that has ended is taken back by another process: the namespaces are found again by their
//! cookies, and what the run made by its mark.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{Mode, OFlags, fstat, open};

use super::change::{Move, delete_request};
use super::find::reference;
use super::space::{Space, open_here};
use super::{Netlink, host, named};
use crate::change::{Change, NamespaceRef};
use crate::journal::History;
use crate::kernel::mark::Mark;
use crate::kernel::netns;

/// Where others keep names of namespaces.
const NAMED_BY_DOCKER: &str = "/run/docker/netns";

impl Netlink {
    /// The network of a run that has ended. What is found of it is taken in; a namespace that
    /// isn't found has gone, and all in it.
    pub fn for_recovery(history: &History) -> io::Result<Self> {
        let mark = Mark::of_run(history.head.group);
        let mut host = host::Host::new(mark);
        host.folder = history.folder;
        let mut kernel = Self::empty(Some(host));
        let mut wanted: BTreeSet<u64> = history.made.iter().map(|(_, cookie)| *cookie).collect();
        wanted.extend(history.attached.iter().filter_map(|namespace| namespace.cookie));
        wanted.insert(history.head.root);
        let mut found = find(&wanted);
        let mut taken = |kernel: &mut Self, name, cookie, own| -> io::Result<()> {
            let Some(namespace) = found.remove(&cookie) else { return Ok(()) };
            let opened = netns::within(namespace.as_fd(), open_here)?;
            let space = match own {
                true => Space::new(name, opened, 2),
                false => Space::foreign(name, opened),
            };
            kernel.spaces.insert(space);
            Ok(())
        };
        taken(&mut kernel, None, history.head.root, false)?;
        for NamespaceRef { name, cookie } in &history.attached {
            taken(&mut kernel, name.clone(), cookie.unwrap_or_default(), false)?;
        }
        for (name, cookie) in &history.made {
            taken(&mut kernel, Some(name.clone()), *cookie, true)?;
        }
        kernel.know_made();
        kernel.know_moves(history);
        Ok(kernel)
    }

    /// What carries the mark is the run's own.
    fn know_made(&self) {
        let Some(host) = &self.host else { return };
        for space in self.spaces.all() {
            let links = space.links().unwrap_or_default();
            for link in links.iter().filter(|link| link.group() == host.mark.group()) {
                self.note_made(space, link.index);
            }
        }
    }

    /// Where the links of others are that the run moved.
    fn know_moves(&mut self, history: &History) {
        for entry in &history.entries {
            let Change::MoveLink { link, to } = &entry.change else { continue };
            let (Some(cookie), Some(index)) = (link.namespace.cookie, link.index) else { continue };
            let Ok(space) = self.spaces.find(to) else { continue };
            let Ok(Some(now)) = space.link(&link.name) else { continue };
            let home = self.spaces.all().find(|home| home.cookie == cookie);
            let is_home = |home: &Arc<Space>| {
                home.link_at(index).ok().flatten().is_some_and(|there| there.name == link.name)
            };
            let left = !home.is_some_and(is_home);
            if left && (!self.is_own(&space, &now) || space.own) {
                self.moves.push(Move { at: (space.cookie, now.index), from: (cookie, index) });
            }
        }
    }

    /// Deletes what still carries the mark outside the run's own namespaces, and those namespaces;
    /// also what the journal has no outcome for. What could not be deleted is told by `remains`.
    pub fn sweep(&mut self, history: &History) {
        let Some(mark) = self.host.as_ref().map(|host| host.mark) else { return };
        for space in self.foreign_spaces() {
            for link in space.links().unwrap_or_default() {
                if link.group() == mark.group() {
                    tracing::debug!(link = %reference(space, &link).name, "swept");
                    // `remains` looks whether it worked.
                    let _ = space.execute(&delete_request(link.index));
                }
            }
        }
        for (name, cookie) in &history.made {
            let namespace = NamespaceRef { name: Some(name.clone()), cookie: Some(*cookie) };
            if self.spaces.find(&namespace).is_ok() {
                let change = Change::DeleteNamespace { namespace: namespace.clone() };
                let _ = self.delete_namespace(&change, &namespace, true);
            }
            let _ = named::remove_place(name, mark);
        }
        // With its last namespace a run puts the folder back; one that ended before its first had
        // a name has to be helped.
        let _ = self.restore_folder();
    }

    /// Whether the machine's own namespace of the run was found.
    pub fn has_root(&self) -> bool {
        self.spaces.named(None).is_some()
    }
}

/// The namespaces with these cookies: the caller's own, those that have names, and those that some
/// process is in.
fn find(wanted: &BTreeSet<u64>) -> BTreeMap<u64, OwnedFd> {
    let mut found = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for path in candidates() {
        if found.len() == wanted.len() {
            break;
        }
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let Ok(namespace) = open(&path, flags, Mode::empty()) else { continue };
        let Ok(about) = fstat(&namespace) else { continue };
        if !seen.insert((about.st_dev, about.st_ino)) {
            continue;
        }
        // What is no network namespace can't be entered.
        let Ok((_, _, cookie)) = netns::within(namespace.as_fd(), open_here) else { continue };
        if wanted.contains(&cookie) {
            found.insert(cookie, namespace);
        }
    }
    found
}

fn candidates() -> impl Iterator<Item = PathBuf> {
    let in_folder = |folder: &str| {
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
    };
    let is_process = |path: &PathBuf| {
        path.file_name().is_some_and(|name| name.as_encoded_bytes().iter().all(u8::is_ascii_digit))
    };
    let of_processes = in_folder("/proc").filter(is_process).map(|path| path.join("ns/net"));
    std::iter::once(Path::new("/proc/self/ns/net").to_path_buf())
        .chain(in_folder(named::FOLDER))
        .chain(in_folder(NAMED_BY_DOCKER))
        .chain(of_processes)
}
