//! Going into a lab that was kept.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use rustix::fs::{Mode, OFlags, open};
use rustix::mount::{MountFlags, mount};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::folder::Folder;
use crate::change::Name;
use crate::exit::{Exit, Failure};
use crate::kernel::{Netlink, netns};

/// This process is in the lab now, in its root namespace.
#[derive(Debug)]
pub struct Inside(());

impl Inside {
    /// Must come before the first thread, as [`super::enter`].
    pub fn go(name: &str) -> Result<Self, Failure> {
        let record = Folder::open()?.find(name)?;
        let failed = |error: io::Error| {
            let message = format!(
                "can't enter lab `{name}`: {error}\n  help: only the user who made it, or root, can"
            );
            Failure::new(Exit::Lacking, message)
        };
        let pid = Pid::from_raw(record.pid.cast_signed())
            .ok_or_else(|| failed(io::Error::from(io::ErrorKind::NotFound)))?;
        let holder = pidfd_open(pid, PidfdFlags::empty()).map_err(|error| failed(error.into()))?;
        if !record.is_alive() {
            return Err(failed(io::Error::other("its process has just ended")));
        }
        netns::join_lab(&holder).map_err(failed)?;
        Ok(Self(()))
    }

    /// The lab's kernel, with all of its namespaces.
    pub fn kernel(&self) -> Result<Netlink, Failure> {
        let failed = |error| Failure::new(Exit::Broken, format!("can't read the lab: {error}"));
        let root = netns::current().map_err(failed)?;
        let named = namespaces(self)?.into_iter().map(|(name, space)| (Some(name), space));
        Netlink::adopt([(None, root)].into_iter().chain(named).collect()).map_err(failed)
    }
}

/// The lab's namespaces, by name.
pub fn namespaces(_: &Inside) -> Result<Vec<(Name, OwnedFd)>, Failure> {
    let unreadable = |error: io::Error| {
        Failure::new(Exit::Broken, format!("can't read the lab's /run/netns: {error}"))
    };
    let mut found = Vec::new();
    for entry in fs::read_dir("/run/netns").map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let file = entry.file_name();
        let Some(name) = file.to_str().and_then(|name| name.parse::<Name>().ok()) else {
            continue;
        };
        let descriptor = open(entry.path(), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
            .map_err(|error| unreadable(error.into()))?;
        found.push((name, descriptor));
    }
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(found)
}

/// Becomes the program, in one of the lab's namespaces. Returns only when that fails.
pub fn exec(inside: &Inside, namespace: Option<&str>, program: &[OsString]) -> Failure {
    if let Some(name) = namespace
        && let Err(failure) = change_namespace(inside, name)
    {
        return failure;
    }
    // A /sys mounted in another namespace shows that one's links. Where this is forbidden, as in
    // some containers, the program runs with the old one, like under ip-netns(8).
    if netns::unshare_mounts().is_ok() {
        let _ = mount("sysfs", "/sys", "sysfs", MountFlags::empty(), None);
    }
    let Some((path, arguments)) = program.split_first() else {
        return Failure::usage("no program is given");
    };
    let error = Command::new(path).args(arguments).exec();
    let exit =
        if error.kind() == io::ErrorKind::NotFound { Exit::NotFound } else { Exit::NotExecutable };
    Failure::new(exit, format!("can't run `{}`: {error}", path.to_string_lossy().escape_debug()))
}

fn change_namespace(inside: &Inside, name: &str) -> Result<(), Failure> {
    let known = namespaces(inside)?;
    match known.iter().find(|(known, _)| known.as_str() == name) {
        Some((_, descriptor)) => netns::join_network(descriptor).map_err(|error| {
            Failure::new(Exit::Broken, format!("can't enter namespace `{name}`: {error}"))
        }),
        None => {
            let names: Vec<&str> = known.iter().map(|(known, _)| known.as_str()).collect();
            let help = match crate::near::nearest(name, names.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if names.is_empty() => {
                    "the lab has its root namespace only; leave out -n".to_owned()
                }
                None => format!("there are: {}", names.join(", ")),
            };
            Err(Failure::usage(format!(
                "the lab has no namespace `{}`\n  help: {help}",
                name.escape_debug()
            )))
        }
    }
}
