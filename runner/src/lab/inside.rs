//! Going into a lab that was kept.

use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;

use rustix::fs::{Mode, OFlags, open};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::folder::Folder;
use super::origin::Origin;
use crate::change::Name;
use crate::exit::{Exit, Failure};
use crate::kernel::{Netlink, netns};

/// This process is in the lab now, in its root namespace.
#[derive(Debug)]
pub struct Inside {
    /// see [`Origin`]
    origin: File,
}

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
        let origin = Origin::open(record.pid).map_err(failed)?;
        netns::join_lab(&holder).map_err(failed)?;
        Ok(Self { origin })
    }

    /// The lab's kernel, with all of its namespaces.
    pub fn kernel(&self) -> Result<Netlink, Failure> {
        let failed = |error| Failure::new(Exit::Broken, format!("can't read the lab: {error}"));
        let root = netns::current().map_err(failed)?;
        let named = namespaces(self)?.into_iter().map(|(name, space)| (Some(name), space));
        Netlink::adopt([(None, root)].into_iter().chain(named).collect()).map_err(failed)
    }

    /// What the lab was made by.
    pub fn into_origin(self) -> Origin {
        Origin::read(self.origin)
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
        let Some(name) = file.to_str().and_then(|name| Name::new_namespace(name).ok()) else {
            continue;
        };
        let descriptor = open(entry.path(), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
            .map_err(|error| unreadable(error.into()))?;
        found.push((name, descriptor));
    }
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(found)
}
