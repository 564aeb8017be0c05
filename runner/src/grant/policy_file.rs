//! Policy files: what the operator gives and forbids for good.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Mode, OFlags, Stat, fstat, openat, stat};

use super::PolicyLists;
use super::Rule;
use crate::document::Faults;
use crate::file::{Distrust, Identity, Missing, Owner, bounded, is_borrowed, trail};
use crate::text;

/// Of one file.
const LONGEST: u64 = 1 << 20;

const MACHINE: &str = "/etc/netwright/policy.yaml";

/// What the policy files say together.
#[derive(Debug, Clone, Default)]
pub struct Policies {
    pub allow: Vec<Rule>,
    pub deny: Vec<Rule>,
}

impl Policies {
    /// Reads the machine's file and the user's, where there are such. One that can't be trusted
    /// or understood is an error, never passed over: it may forbid something.
    pub fn load() -> Result<Self, String> {
        let mut policies = Self::default();
        let files = std::iter::once(PathBuf::from(MACHINE)).chain(users());
        for path in files {
            let Some(text) = read_trusted(&path)? else { continue };
            let lists = PolicyLists::parse(&text, &text::path(&path))
                .map_err(|faults: Faults| faults.to_string())?;
            policies.allow.extend(lists.allow);
            policies.deny.extend(lists.deny);
        }
        Ok(policies)
    }
}

impl Policies {
    /// Whether this is a folder that policies are read from.
    pub(crate) fn are_in(folder: &OwnedFd) -> bool {
        let Ok(about) = fstat(folder) else { return false };
        let files = std::iter::once(PathBuf::from(MACHINE)).chain(users());
        let mut folders = files.filter_map(|file| stat(file.parent()?).ok());
        folders.any(|known| Identity::of(&known) == Identity::of(&about))
    }
}

/// The user's own file. None under sudo(8), doas(1) and pkexec(1): whoever may run this as root
/// shall not decide what root allows.
fn users() -> Option<PathBuf> {
    Some(own_config_folder()?.join("policy.yaml"))
}

/// `$XDG_CONFIG_HOME/netwright` or `~/.config/netwright`; none where that may be another user's.
pub(crate) fn own_config_folder() -> Option<PathBuf> {
    if is_borrowed() {
        return None;
    }
    let set = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = set("XDG_CONFIG_HOME").or_else(|| Some(set("HOME")?.join(".config")))?;
    Some(folder.join("netwright"))
}

/// The text of a file that nobody but root and this user can have written, or have taken away; none
/// where there is no file. All of it is asked of descriptors, so that what was checked is what is
/// read.
fn read_trusted(path: &Path) -> Result<Option<String>, String> {
    let refused = |error: &dyn std::fmt::Display| format!("policy `{}`: {error}", text::path(path));
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return Ok(None) };
    let unopened =
        |error: &dyn std::fmt::Display| refused(&format!("its folder can't be opened: {error}"));
    let trail = trail(folder, Missing::Refused).map_err(|error| unopened(&error))?;
    // Whoever can write to a level above can move the file away, and with it what it forbids.
    let above = match trail.distrust {
        Some(open @ Distrust::Open(..)) => return Err(refused(&open)),
        other => other,
    };
    let Some(folder) = trail.folder else { return Ok(None) };
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = match absent(openat(&folder, name, flags | OFlags::NOFOLLOW, Mode::empty())) {
        Ok(Some(descriptor)) => descriptor,
        Ok(None) => return Ok(None),
        Err(rustix::io::Errno::LOOP) => {
            return Err(refused(&"it is a symbolic link\n  help: put the file itself there"));
        }
        Err(error) => return Err(refused(&format!("it can't be opened: {error}"))),
    };
    trusted(&folder, "its folder").map_err(|rule| refused(&rule))?;
    let about = trusted(&file, "it").map_err(|rule| refused(&rule))?;
    if FileType::from_raw_mode(about.st_mode) != FileType::RegularFile {
        return Err(refused(&"it is not a file"));
    }
    if let Some(above) = above {
        return Err(refused(&above));
    }
    let read = text(file).map_err(|error| refused(&format!("it can't be read: {error}")))?;
    Ok(Some(read))
}

fn absent(
    opened: Result<OwnedFd, rustix::io::Errno>,
) -> Result<Option<OwnedFd>, rustix::io::Errno> {
    match opened {
        Ok(descriptor) => Ok(Some(descriptor)),
        Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => Ok(None),
        Err(error) => Err(error),
    }
}

fn trusted(descriptor: &impl AsFd, what: &str) -> Result<Stat, String> {
    let about = fstat(descriptor).map_err(|error| format!("{what} can't be examined: {error}"))?;
    let owner = Owner::of(&about);
    if !owner.is_trusted() {
        return Err(format!("{what} belongs to {owner}, neither to root nor to {}", Owner::Us));
    }
    if about.st_mode & 0o022 != 0 {
        return Err(format!(
            "{what} can be written by others (mode {:03o})\n  help: chmod go-w",
            about.st_mode & 0o777
        ));
    }
    Ok(about)
}

fn text(descriptor: OwnedFd) -> io::Result<String> {
    let bytes = bounded(File::from(descriptor), LONGEST).map_err(io::Error::other)?;
    String::from_utf8(bytes).map_err(io::Error::other)
}
