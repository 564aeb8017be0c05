//! Namespaces of somebody else's that the operator named in his grants: of containers, of
//! processes, and those that have a name under /run/netns already.

mod docker;

use std::collections::HashMap;
use std::fs;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, openat};

use crate::change::Name;
use crate::exit::{Exit, Failure};
use crate::grant::{Capability, Facts, Grants, Key, Request};
use crate::journal::Folder;
use crate::kernel::{Netlink, named_by, netns};
use crate::process::Pinned;

/// Where ip(8) keeps names of namespaces.
const NAMED: &str = "/run/netns";

/// Takes in every namespace that the grants name. Before any recipe runs: nothing is touched where
/// one of them is not to be had.
///
/// What another run has made is that run's, whatever the grants cover: a name of it is withheld, a
/// process or container in it refused.
pub(crate) fn attach(grants: &Grants, kernel: &mut Netlink) -> Result<(), Failure> {
    let others = Others::of(kernel.group());
    for container in grants.named(Capability::HostNamespace, Key::Docker) {
        let what = format!("container `{container}`");
        let namespace = of_container(&container, &what)?;
        others.refuse(&what, &namespace)?;
        take_in(kernel, &format!("docker:{container}"), &what, namespace)?;
    }
    for process in grants.named(Capability::HostNamespace, Key::Pid) {
        let what = format!("process {process}");
        let number = process.parse().map_err(|_| refused(&what, "is no number"))?;
        let namespace = of_process(number, &what)?.0;
        others.refuse(&what, &namespace)?;
        take_in(kernel, &format!("pid:{process}"), &what, namespace)?;
    }
    for (name, namespace) in named(grants) {
        let what = format!("namespace `{name}`");
        match others.made(Some(&name), &namespace) {
            Some(whose) => {
                kernel.withhold(Name::of_namespace(&name).map_err(Failure::usage)?, whose)
            }
            None => take_in(kernel, &name, &what, namespace)?,
        }
    }
    Ok(())
}

fn refused(what: &str, why: &str) -> Failure {
    Failure::usage(format!("--grant: {what} {why}"))
}

/// What other runs of netwright have made.
struct Others {
    /// by cookie, with whose it is
    made: HashMap<u64, String>,
    own: Option<u32>,
}

impl Others {
    /// `own`: the mark of this run, or of the deployment that it is about.
    fn of(own: Option<u32>) -> Self {
        let mut made = HashMap::new();
        // Who may not look there has none.
        let folder = Folder::open().ok();
        let files = folder
            .iter()
            .flat_map(|folder| folder.files().into_iter().map(move |file| (folder, file)));
        for (history, _) in files.filter_map(|(folder, file)| folder.read(&file)) {
            if Some(history.head.group) != own {
                let whose = format!("run {:08x} of `{}`", history.head.group, history.name());
                made.extend(history.made.iter().map(|(_, cookie)| (*cookie, whose.clone())));
            }
        }
        Self { made, own }
    }

    /// Whose it is, where it is another run's: by the journals, and by the file that its name is
    /// mounted on, which is there where the journal isn't.
    fn made(&self, name: Option<&str>, namespace: &OwnedFd) -> Option<String> {
        let by_journal = netns::cookie_of(namespace).ok().and_then(|cookie| self.made.get(&cookie));
        let by_mark = || {
            let group = named_by(name?).ok()??;
            (Some(group) != self.own).then(|| format!("run {group:08x}"))
        };
        by_journal.cloned().or_else(by_mark)
    }

    fn refuse(&self, what: &str, namespace: &OwnedFd) -> Result<(), Failure> {
        match self.made(None, namespace) {
            None => Ok(()),
            Some(whose) => Err(refused(
                what,
                &format!(
                    "is in a namespace that {whose} has made, and no grant lets another run in"
                ),
            )),
        }
    }
}

fn take_in(
    kernel: &mut Netlink,
    name: &str,
    what: &str,
    namespace: OwnedFd,
) -> Result<(), Failure> {
    let named = Name::of_namespace(name).map_err(Failure::usage)?;
    let attached = kernel.attach(named.clone(), &namespace).map_err(|error| {
        let message = format!("can't enter the network namespace of {what}: {error}");
        Failure::new(Exit::Lacking, message)
    })?;
    match attached {
        None => Ok(()),
        // A deployment has it already.
        Some(Some(other)) if other == named => Ok(()),
        Some(None) => Err(refused(what, "has the machine's own network, and no namespace")),
        Some(Some(other)) => Err(refused(what, &format!("has the same namespace as `{other}`"))),
    }
}

/// The network namespace of a container's first process. Docker is asked again once that is pinned:
/// the container may have ended after the first answer, and its number have gone to another process.
fn of_container(container: &str, what: &str) -> Result<OwnedFd, Failure> {
    let process = docker::process_of(container)?;
    let (namespace, pinned) = of_process(process, what)?;
    if docker::process_of(container)? != process || pinned.is_over() {
        return Err(refused(what, "was started again just now\n  help: try again"));
    }
    Ok(namespace)
}

/// The network namespace of a process, pinned so that its number can't go to another one between.
fn of_process(process: u32, what: &str) -> Result<(OwnedFd, Pinned), Failure> {
    let gone = || refused(what, "does not run");
    let pinned = Pinned::open(process).map_err(|_| gone())?;
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let namespace = openat(CWD, pinned.path("ns/net"), flags, Mode::empty()).map_err(|errno| {
        let message = format!("can't open the network namespace of {what}: {errno}");
        Failure::new(Exit::Lacking, format!("{message}\n  help: run it as root"))
    })?;
    if pinned.is_over() { Err(gone()) } else { Ok((namespace, pinned)) }
}

/// Those under /run/netns that the grants cover.
fn named(grants: &Grants) -> Vec<(String, OwnedFd)> {
    let Ok(entries) = fs::read_dir(NAMED) else { return Vec::new() };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let covered = |name: &String| {
        let facts = Facts { name: Some(name.clone()), ..Facts::default() };
        let request = Request::new(Capability::HostNamespace, facts);
        Name::new_namespace(name).is_ok() && grants.allows(&request).is_ok()
    };
    let opened = |name: String| {
        // A name whose file is no namespace is one that somebody is just giving, or has not taken
        // away.
        let file = netns::open_named(&Path::new(NAMED).join(&name)).ok()?;
        Some((name, file))
    };
    names.filter(covered).filter_map(opened).collect()
}
