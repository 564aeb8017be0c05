//! Whose a file is: the only place where an owner's number means somebody. In a user namespace all
//! who have no number there are shown by one, which may be any stranger's, root's of the machine, or
//! even this user's.

use std::collections::HashSet;
use std::fmt;
use std::fs::read_to_string;
use std::path::Path;
use std::sync::OnceLock;

use rustix::fs::Stat;
use rustix::process::{getegid, geteuid};

use super::{Identity, is_ordinary};

/// Where no other number is told, user_namespaces(7).
const USUAL: u32 = 65534;
/// Each number means itself: there are none without one.
const EVERYBODY: [&str; 3] = ["0", "0", "4294967295"];
/// Folders, or links, that are root's on any machine (file-hierarchy(7)): nobody else can make
/// something where they are, and nobody gives one of these to a user.
const ROOTS: [&str; 19] = [
    "/",
    "/dev",
    "/dev/shm",
    "/etc",
    "/etc/netwright",
    "/home",
    "/proc",
    "/root",
    "/run",
    "/run/lock",
    "/run/user",
    "/tmp",
    "/usr",
    "/var",
    "/var/cache",
    "/var/home",
    "/var/lib",
    "/var/run",
    "/var/tmp",
];

/// What was root's before this process entered a user namespace of its own.
static KNOWN: OnceLock<HashSet<Identity>> = OnceLock::new();

/// Who something belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    Us,
    Root,
    Other(u32),
    /// has no number here
    Unknown,
}

impl fmt::Display for Owner {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Us => write!(out, "user {}", geteuid().as_raw()),
            Self::Root => write!(out, "root"),
            Self::Other(number) => write!(out, "user {number}"),
            Self::Unknown => write!(out, "a user who has no number in this user namespace"),
        }
    }
}

impl Owner {
    pub(crate) fn of(about: &Stat) -> Self {
        Self::of_number(about.st_uid, geteuid().as_raw(), unmapped("uid"))
    }

    /// The owner of a level of a path; some are root's whatever number they show.
    pub(crate) fn at(about: &Stat, way: &Path) -> Self {
        let owner = Self::of(about);
        let known = || KNOWN.get().is_some_and(|known| known.contains(&Identity::of(about)));
        let roots = || ROOTS.iter().any(|named| Path::new(named) == way);
        match owner {
            Self::Unknown if known() || roots() => Self::Root,
            owner => owner,
        }
    }

    /// `unmapped`: the number of all who have none.
    fn of_number(number: u32, us: u32, unmapped: Option<u32>) -> Self {
        if unmapped == Some(number) {
            Self::Unknown
        } else if number == us {
            Self::Us
        } else if number == 0 {
            Self::Root
        } else {
            Self::Other(number)
        }
    }

    pub(crate) fn is_trusted(self) -> bool {
        matches!(self, Self::Us | Self::Root)
    }
}

pub(crate) fn is_ours(about: &Stat) -> bool {
    Owner::of(about) == Owner::Us
}

/// Whether an ordinary file holds what this user wrote, and nobody else: it is under one name, so
/// that it wasn't brought here from where it means something else.
pub(crate) fn is_ours_alone(about: &Stat) -> bool {
    let others = if is_our_group(about) { 0o002 } else { 0o022 };
    is_ordinary(about) && is_ours(about) && about.st_nlink == 1 && about.st_mode & others == 0
}

/// A group of this user's own, or root's.
pub(super) fn is_our_group(about: &Stat) -> bool {
    let known = unmapped("gid") != Some(about.st_gid);
    known && (about.st_gid == 0 || about.st_gid == getegid().as_raw())
}

/// Keeps in mind which levels of paths are root's, for a user namespace in which root may have no
/// number. Before it is entered.
pub(super) fn know(levels: impl IntoIterator<Item = Identity>) {
    // Who has entered two of them knows what it knew in the first one.
    let _ = KNOWN.set(levels.into_iter().collect());
}

/// The number of all who have none here; none where everybody has one.
fn unmapped(kind: &str) -> Option<u32> {
    let map = read_to_string(format!("/proc/self/{kind}_map")).unwrap_or_default();
    if map.split_whitespace().eq(EVERYBODY) {
        return None;
    }
    let told = read_to_string(format!("/proc/sys/kernel/overflow{kind}")).ok();
    Some(told.and_then(|told| told.trim().parse().ok()).unwrap_or(USUAL))
}

#[cfg(test)]
mod tests {
    use super::Owner;

    #[test]
    fn who_has_no_number_is_neither_root_nor_this_user() {
        let inside = Some(65534);
        assert_eq!(Owner::of_number(65534, 0, inside), Owner::Unknown);
        // This user may be one of those.
        assert_eq!(Owner::of_number(65534, 65534, inside), Owner::Unknown);
        assert_eq!(Owner::of_number(65534, 65534, None), Owner::Us);
        assert_eq!(Owner::of_number(65534, 1000, None), Owner::Other(65534));
        // Another number may be chosen (kernel.overflowuid).
        assert_eq!(Owner::of_number(1000, 1000, Some(1000)), Owner::Unknown);
        assert_eq!(Owner::of_number(0, 0, inside), Owner::Us);
        assert_eq!(Owner::of_number(0, 1000, inside), Owner::Root);
        assert_eq!(Owner::of_number(1001, 1000, inside), Owner::Other(1001));
    }
}
