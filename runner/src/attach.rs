//! Namespaces of somebody else's that the operator named in his grants: of containers, of
//! processes, and those that have a name under /run/netns already.

mod docker;

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{CWD, Mode, OFlags, fstatfs, open, openat};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::change::Name;
use crate::exit::{Exit, Failure};
use crate::grant::{Capability, Facts, Grants, Key, Request};
use crate::kernel::Netlink;

/// Where ip(8) keeps names of namespaces.
const NAMED: &str = "/run/netns";
/// NSFS_MAGIC of linux/magic.h
const NAMESPACES: i64 = 0x6e73_6673;

/// Takes in every namespace that the grants name. Before any recipe runs: nothing is touched where
/// one of them is not to be had.
pub(crate) fn attach(grants: &Grants, kernel: &mut Netlink) -> Result<(), Failure> {
    for container in grants.named(Capability::HostNamespace, Key::Docker) {
        let process = docker::process_of(&container)?;
        let what = format!("container `{container}`");
        take_in(kernel, &format!("docker:{container}"), &what, of_process(process, &what)?)?;
    }
    for process in grants.named(Capability::HostNamespace, Key::Pid) {
        let what = format!("process {process}");
        let number = process.parse().map_err(|_| refused(&what, "is no number"))?;
        take_in(kernel, &format!("pid:{process}"), &what, of_process(number, &what)?)?;
    }
    for (name, namespace) in named(grants) {
        let what = format!("namespace `{name}`");
        take_in(kernel, &name, &what, namespace)?;
    }
    Ok(())
}

fn refused(what: &str, why: &str) -> Failure {
    Failure::usage(format!("--grant: {what} {why}"))
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

/// The network namespace of a process, pinned so that its number can't go to another one between.
fn of_process(process: u32, what: &str) -> Result<OwnedFd, Failure> {
    let gone = || refused(what, "does not run");
    let pid = Pid::from_raw(process.cast_signed()).ok_or_else(gone)?;
    let pinned = pidfd_open(pid, PidfdFlags::empty()).map_err(|_| gone())?;
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let path = format!("/proc/{process}/ns/net");
    let namespace = openat(CWD, path, flags, Mode::empty()).map_err(|errno| {
        let message = format!("can't open the network namespace of {what}: {errno}");
        Failure::new(Exit::Lacking, format!("{message}\n  help: run it as root"))
    })?;
    let ended = poll(&mut [PollFd::new(&pinned, PollFlags::IN)], Some(&Timespec::default()));
    if ended == Ok(0) { Ok(namespace) } else { Err(gone()) }
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
        let file = open_namespace(&Path::new(NAMED).join(&name)).ok()?;
        Some((name, file))
    };
    names.filter(covered).filter_map(opened).collect()
}

/// A name whose file is no namespace is one that somebody is just giving, or has not taken away.
fn open_namespace(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let file = open(path, flags, Mode::empty())?;
    if fstatfs(&file)?.f_type != NAMESPACES {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    Ok(file)
}
