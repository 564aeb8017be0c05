//! A run that has ended is taken back by another process: the namespaces are found again by their
//! cookies, and what the run made by its mark.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags, fstat, open};

use super::change::delete_request;
use super::find::reference;
use super::raw_link::RawLink;
use super::space::{Opened, Space, open_here};
use super::{Netlink, host, named};
use crate::change::{Change, Name, NamespaceRef};
use crate::halt::signals;
use crate::kernel::mark::Mark;
use crate::kernel::netns;
use crate::records::{Entry, History};

/// Namespaces that could not be found and may be there all the same, by cookie, as messages name them.
pub(super) type Absent = BTreeMap<u64, String>;

/// How often the kernel is asked whether a namespace is gone.
const STEP: Duration = Duration::from_millis(20);

/// Where others keep names of namespaces.
const NAMED_BY_DOCKER: &str = "/run/docker/netns";

impl Netlink {
    /// The network of a run that has ended. What is found of it is taken in. A namespace that isn't
    /// found may be out of reach: only of one that the run made the kernel tells whether it is gone,
    /// and all in it.
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
        kernel.know_absent(history);
        kernel.know_made(history);
        kernel.know_lent(history);
        kernel.know_borrowed(history);
        kernel.know_put(history);
        kernel.remember_tables(history.entries.iter().map(|entry| &entry.change));
        Ok(kernel)
    }

    fn know_absent(&mut self, history: &History) {
        let known = |cookie: u64| self.spaces.all().any(|space| space.cookie == cookie);
        let attached =
            history.attached.iter().filter_map(|one| Some((one.cookie?, one.name.as_ref()?)));
        let attached = attached.filter(|(cookie, _)| !known(*cookie));
        let made = history.made.iter().map(|(name, cookie)| (*cookie, name));
        let made = made.filter(|(cookie, _)| !known(*cookie));
        let shown = |(cookie, name): (u64, &Name)| (cookie, format!("namespace `{name}`"));
        self.absent = attached.chain(made).map(shown).collect();
        self.wait_for_absent(history, Duration::ZERO);
    }

    /// Waits for namespaces of the run that nobody can find: where it was killed before they had a
    /// name, or after that, they go with the last of its descriptors, and the kernel takes those
    /// away once it gets to it.
    pub fn wait_for_absent(&mut self, history: &History, patience: Duration) {
        let Some(root) = self.spaces.named(None).cloned() else { return };
        let until = Instant::now() + patience;
        loop {
            let mut asked = false;
            self.absent.retain(|cookie, _| match history.ids.get(cookie) {
                None => true,
                Some(id) => {
                    let there = !Self::is_gone(&root, *id);
                    asked |= there;
                    there
                }
            });
            if !asked || Instant::now() >= until || signals::pending().is_some() {
                return;
            }
            thread::sleep(STEP);
        }
    }

    /// What of a change, or of what takes it back, is in a namespace that can't be found and may be
    /// there all the same.
    pub fn out_of_reach(&self, history: &History, entry: &Entry) -> Option<&str> {
        let changes = std::iter::once(&entry.change).chain(&entry.undo.steps);
        let places = changes.flat_map(|change| {
            let to = match change {
                Change::MoveLink { to, .. } => Some(to),
                _ => None,
            };
            change.namespace().into_iter().chain(to)
        });
        let mut absent = places.filter_map(|place| self.absent.get(&history.place(place)?));
        absent.next().map(String::as_str)
    }

    /// Those that the run made.
    pub fn made_out_of_reach(&self, history: &History) -> Vec<&str> {
        let of = |(_, cookie): &(Name, u64)| self.absent.get(cookie).map(String::as_str);
        history.made.iter().filter_map(of).collect()
    }

    /// What carries the mark is the run's own; among others' links where the journal knows of it, too.
    fn know_made(&mut self, history: &History) {
        for space in self.spaces.all() {
            let links = space.links().unwrap_or_default();
            for link in links.iter().filter(|link| self.is_made_by(history, space, link)) {
                self.note_made(space, link.index);
            }
        }
        if let Some(host) = &mut self.host {
            host.told = Some(history.links.clone());
        }
    }

    fn is_made_by(&self, history: &History, space: &Space, link: &RawLink) -> bool {
        let mark = self.host.as_ref().map(|host| host.mark.group());
        let known = || {
            let (name, kind) = (&link.name, link.kind());
            history.links.has(history, space.cookie, link.index, name, &kind)
        };
        mark == Some(link.group()) && (space.own || history.flaw.is_some() || known())
    }

    /// Deletes what somebody has moved to namespaces that the run doesn't know.
    fn sweep_elsewhere(&mut self, history: &History) {
        if history.links.is_empty() {
            return;
        }
        let known: BTreeSet<u64> = self.spaces.all().map(|space| space.cookie).collect();
        for (cookie, opened) in others(&known) {
            let space = Arc::new(Space::foreign(None, opened));
            for link in space.links().unwrap_or_default() {
                // One that went with its other end is none that stays.
                let stays = || {
                    space.execute(&delete_request(link.index)).is_err()
                        && !matches!(space.link_at(link.index), Ok(None))
                };
                if self.is_made_by(history, &space, &link)
                    && (self.check_objects_of(&space, &link).is_err() || stays())
                {
                    let name = link.name.escape_debug();
                    self.strays.push(format!(
                        "link `{name}`, in a namespace that it was moved to (cookie {cookie})"
                    ));
                }
            }
        }
    }

    /// Deletes what still carries the mark outside the run's own namespaces, and those namespaces;
    /// also what the journal has no outcome for. What could not be deleted is told by `remains`.
    pub fn sweep(&mut self, history: &History) {
        let Some(mark) = self.host.as_ref().map(|host| host.mark) else { return };
        for space in self.foreign_spaces() {
            for link in space.links().unwrap_or_default() {
                if link.group() == mark.group()
                    && self.may_delete(space, &link)
                    && self.check_stood_on(space, &link).is_ok()
                {
                    tracing::debug!(link = %reference(space, &link).name, "swept");
                    // `remains` looks whether it worked.
                    let _ = space.execute(&delete_request(link.index));
                }
            }
        }
        self.sweep_elsewhere(history);
        for (name, cookie) in &history.made {
            let namespace = NamespaceRef { name: Some(name.clone()), cookie: Some(*cookie) };
            if self.spaces.find(&namespace).is_ok() {
                let change = Change::DeleteNamespace { namespace: namespace.clone() };
                let _ = self.delete_namespace(&change, &namespace, true);
            }
            let _ = named::remove_place(name, mark);
        }
        if history.flaw.is_some() {
            self.sweep_names(mark);
        }
        // With its last namespace a run puts the folder back; one that ended before its first had
        // a name has to be helped.
        let _ = self.restore_folder();
    }

    /// Deletes the namespaces whose names say that they are the run's, whatever its journal tells.
    fn sweep_names(&mut self, mark: Mark) {
        for (name, namespace) in named::of_run(mark) {
            let Ok(opened) = netns::within(namespace.as_fd(), open_here) else { continue };
            let space = self.spaces.insert(Space::new(Some(name), opened, 2));
            let change = Change::DeleteNamespace { namespace: space.reference() };
            // `remains` looks whether it worked.
            let _ = self.delete_namespace(&change, &space.reference(), true);
        }
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
    for (cookie, (namespace, _, _)) in all() {
        if wanted.contains(&cookie) {
            found.insert(cookie, namespace);
        }
        if found.len() == wanted.len() {
            break;
        }
    }
    found
}

/// All others that can be found.
pub(super) fn others(known: &BTreeSet<u64>) -> impl Iterator<Item = (u64, Opened)> {
    all().filter(|(cookie, _)| !known.contains(cookie))
}

/// Each namespace that has a name, or that some process is in, once, with its cookie.
fn all() -> impl Iterator<Item = (u64, Opened)> {
    let mut seen = BTreeSet::new();
    candidates().filter_map(move |path| {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let namespace = open(&path, flags, Mode::empty()).ok()?;
        let about = fstat(&namespace).ok()?;
        if !seen.insert((about.st_dev, about.st_ino)) {
            return None;
        }
        // What is no network namespace can't be entered.
        let opened = netns::within(namespace.as_fd(), open_here).ok()?;
        Some((opened.2, opened))
    })
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
