//! Whose a folder is: what this user trusts, policies, answers, machine code, lies where nobody but
//! root and this user can have put it, taken it away or put another in its place. For that each
//! level counts, up to the root, as with sshd(8)'s StrictModes.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use netwright_network::shell::Word;
use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, Stat, fstat, mkdirat, openat, readlinkat, statat,
};
use rustix::io::Errno;
use rustix::process::geteuid;

use super::folder::{Missing, parts};
use super::owner::{self, Owner};
use super::{Identity, kind};

const MOST_LINKS: usize = 40;

/// Whether this is root by sudo(8), doas(1) or pkexec(1): whoever may run this as root shall not
/// decide by their own files and variables what root does.
pub(crate) fn is_borrowed() -> bool {
    let told = ["SUDO_UID", "SUDO_USER", "SUDO_COMMAND", "DOAS_USER", "PKEXEC_UID"];
    geteuid().is_root() && told.iter().any(|name| std::env::var_os(name).is_some())
}

/// A level of a path that others can alter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Distrust {
    #[error("`{0}` belongs to {1}")]
    Owner(String, Owner),
    #[error("`{0}` can be written by others (mode {1:03o})\n  help: chmod go-w {word}", word = Word(.0))]
    Open(String, u32),
    #[error("`{0}` is a symbolic link of {1}")]
    Link(String, Owner),
}

/// What a path led to.
#[derive(Debug)]
pub(crate) struct Trail {
    /// none where there is no such folder
    pub(crate) folder: Option<OwnedFd>,
    /// the first level that others can alter, of those that are there
    pub(crate) distrust: Option<Distrust>,
    /// the levels and links on the way that are root's
    roots: Vec<Identity>,
}

/// Keeps in mind which levels of these paths are root's, for the user namespace that this process is
/// about to enter: an ordinary user's has no number for root.
pub(crate) fn know_roots_of(paths: impl IntoIterator<Item = PathBuf>) {
    let trails = paths.into_iter().filter_map(|path| trail(&path, Missing::Refused).ok());
    owner::know(trails.flat_map(|trail| trail.roots));
}

/// Follows an absolute path to a folder, looking at each level on the way; the last one is looked
/// at by whoever uses it. What is missing is made for this user alone, but nothing below a level
/// that others can alter.
pub(crate) fn trail(path: &Path, missing: Missing) -> io::Result<Trail> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let top = || openat(CWD, "/", flags, Mode::empty());
    let mut here = top()?;
    let mut way = PathBuf::from("/");
    let mut left = parts(path);
    let (mut distrust, mut links) = (None, 0);
    let mut roots = Vec::new();
    while let Some(part) = left.pop_front() {
        let about = fstat(&here)?;
        roots.extend(known_root(&about, &way));
        if distrust.is_none() {
            distrust = level(&about, &way);
        }
        let missing = if distrust.is_none() { missing } else { Missing::Refused };
        match enter(&here, &part, missing, flags) {
            Ok(next) => {
                here = next;
                way.push(&part);
            }
            Err(Errno::NOENT) => return Ok(Trail { folder: None, distrust, roots }),
            Err(Errno::NOTDIR | Errno::LOOP) => {
                let Some((about, target)) = link(&here, &part)? else {
                    return Ok(Trail { folder: None, distrust, roots });
                };
                let named = way.join(&part);
                roots.extend(known_root(&about, &named));
                let owner = Owner::at(&about, &named);
                if distrust.is_none() && !owner.is_trusted() {
                    distrust = Some(Distrust::Link(crate::text::path(named), owner));
                }
                links += 1;
                if links > MOST_LINKS {
                    return Err(Errno::LOOP.into());
                }
                if target.is_absolute() {
                    here = top()?;
                    way = PathBuf::from("/");
                }
                parts(&target).into_iter().rev().for_each(|part| left.push_front(part));
            }
            Err(error) => return Err(error.into()),
        }
    }
    roots.extend(known_root(&fstat(&here)?, &way));
    Ok(Trail { folder: Some(here), distrust, roots })
}

fn known_root(about: &Stat, way: &Path) -> Option<Identity> {
    (Owner::at(about, way) == Owner::Root).then(|| Identity::of(about))
}

fn enter(here: &OwnedFd, part: &OsStr, missing: Missing, flags: OFlags) -> Result<OwnedFd, Errno> {
    match openat(here, part, flags, Mode::empty()) {
        Err(Errno::NOENT) if missing == Missing::Made => match mkdirat(here, part, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => openat(here, part, flags, Mode::empty()),
            Err(error) => Err(error),
        },
        opened => opened,
    }
}

/// What it is and where it leads; none for what is no link.
fn link(here: &OwnedFd, part: &OsStr) -> io::Result<Option<(Stat, PathBuf)>> {
    let about = statat(here, part, AtFlags::SYMLINK_NOFOLLOW)?;
    if kind(&about) != FileType::Symlink {
        return Ok(None);
    }
    let target = readlinkat(here, part, Vec::new())?.into_bytes();
    Ok(Some((about, PathBuf::from(OsString::from_vec(target)))))
}

/// A group of this user's own is this user, as Debian's and Fedora's are; in a folder like /tmp
/// nobody can take away what is another's (sticky, chmod(1)).
fn level(about: &Stat, way: &Path) -> Option<Distrust> {
    let shown = || crate::text::path(way);
    let owner = Owner::at(about, way);
    if !owner.is_trusted() {
        return Some(Distrust::Owner(shown(), owner));
    }
    let sticky = about.st_mode & 0o1000 != 0;
    let others = about.st_mode & 0o002 != 0;
    let group = about.st_mode & 0o020 != 0 && !owner::is_our_group(about);
    let open = !sticky && (others || group);
    open.then(|| Distrust::Open(shown(), about.st_mode & 0o777))
}
