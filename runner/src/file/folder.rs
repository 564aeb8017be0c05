//! A folder that the operator named, opened once: what is done in it later is done by its
//! descriptor, whatever becomes of the names on the way.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, mkdirat, openat, readlinkat, statat};
use rustix::io::Errno;

use super::owner::Owner;
use super::{Refused, kind};

/// What becomes of a folder that isn't there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    Made,
    Refused,
}

/// Whether the last part of the path may be a link, where the others may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Last {
    NoLink,
    AsTheOthers,
}

/// As many links as the kernel follows, path_resolution(7).
const MOST_LINKS: usize = 40;

/// Opens a folder. Somebody else may have put links into what the operator works in, such as a
/// checkout: so no part of a path that begins there is followed. A path from the root on was typed
/// by somebody who knows the place, and may lead over links of root's and the operator's own.
pub(crate) fn folder(path: &Path, last: Last, missing: Missing) -> Result<OwnedFd, Refused> {
    let from_root = path.is_absolute();
    let mut here = start(from_root)?;
    let mut parts = parts(path);
    let mut way = if from_root { PathBuf::from("/") } else { PathBuf::new() };
    let mut links = 0;
    while let Some(part) = parts.pop_front() {
        let below = way.join(&part);
        match enter(&here, &part, missing) {
            Ok(next) => {
                here = next;
                way = below;
            }
            Err(Errno::NOTDIR | Errno::LOOP) => {
                let about = statat(&here, &part, AtFlags::SYMLINK_NOFOLLOW)?;
                if kind(&about) != FileType::Symlink {
                    return Err(Refused::System(io::ErrorKind::NotADirectory.into()));
                }
                let closed = parts.is_empty() && last == Last::NoLink;
                if !from_root || closed || !Owner::at(&about, &below).is_trusted() {
                    return Err(Refused::Link(crate::text::path(&below)));
                }
                links += 1;
                if links > MOST_LINKS {
                    return Err(Errno::LOOP.into());
                }
                let target = readlinkat(&here, &part, Vec::new())?.into_bytes();
                let target = PathBuf::from(OsString::from_vec(target));
                if target.is_absolute() {
                    here = start(true)?;
                    way = PathBuf::from("/");
                }
                self::parts(&target).into_iter().rev().for_each(|part| parts.push_front(part));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(here)
}

fn start(from_root: bool) -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    openat(CWD, if from_root { "/" } else { "." }, flags, Mode::empty())
}

/// `.` changes nothing, and `/` is where it starts.
pub(super) fn parts(path: &Path) -> VecDeque<OsString> {
    let named = |part: Component<'_>| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::CurDir | Component::RootDir | Component::Prefix(_) => None,
    };
    path.components().filter_map(named).collect()
}

fn enter(here: &OwnedFd, part: &OsString, missing: Missing) -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match openat(here, part, flags, Mode::empty()) {
        Err(Errno::NOENT) if missing == Missing::Made => {
            match mkdirat(here, part, Mode::from_raw_mode(0o777)) {
                Ok(()) | Err(Errno::EXIST) => openat(here, part, flags, Mode::empty()),
                Err(error) => Err(error),
            }
        }
        opened => opened,
    }
}
