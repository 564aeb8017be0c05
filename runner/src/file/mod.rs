//! The one way to files that somebody else may have prepared: what is read is ordinary and bounded,
//! what is written goes nowhere but where the operator said, and whose a folder is, is looked at
//! level by level. All of it is asked of descriptors, so that what was checked is what is used.

mod folder;
mod output;
mod owner;
mod read;
mod trust;
mod write;

pub(crate) use folder::{Last, Missing, folder};
pub(crate) use output::Output;
pub(crate) use owner::{Owner, is_ours, is_ours_alone};
pub(crate) use read::{bounded, ordinary};
pub(crate) use trust::{Distrust, Trail, is_borrowed, know_roots_of, trail};
pub(crate) use write::{in_folder, whole};

use std::io;
use std::time::Duration;

use rustix::fs::{FileType, Stat};
use rustix::io::Errno;

/// Why a file or folder is not used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error("{0}")]
    System(#[from] io::Error),
    #[error("`{0}` is a symbolic link\n  help: name what it points to")]
    Link(String),
    #[error("it is {0}")]
    Special(&'static str),
    #[error("it belongs to {0}, in a folder where each may replace only what is theirs")]
    Others(Owner),
    #[error("it has {0} names (hard links), and can't be replaced in this folder")]
    Linked(u64),
    #[error("it is a pipe that nobody has read from for {} s", .0.as_secs_f64())]
    NobodyReads(Duration),
    #[error("another flag names that file")]
    Written,
    #[error("it has more than {0} bytes")]
    TooLong(u64),
}

impl From<Errno> for Refused {
    fn from(errno: Errno) -> Self {
        Self::System(errno.into())
    }
}

/// Which file it is, whatever its names are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    pub(crate) fn of(about: &Stat) -> Self {
        Self { device: about.st_dev, inode: about.st_ino }
    }
}

pub(crate) fn is_ordinary(about: &Stat) -> bool {
    kind(about) == FileType::RegularFile
}

fn kind(about: &Stat) -> FileType {
    FileType::from_raw_mode(about.st_mode)
}

/// What it is, where that is no ordinary file.
fn special(kind: FileType) -> &'static str {
    match kind {
        FileType::RegularFile => "an ordinary file",
        FileType::Directory => "a folder",
        FileType::Symlink => "a symbolic link",
        FileType::Fifo => "a pipe",
        FileType::Socket => "a socket",
        FileType::CharacterDevice => "a character device",
        FileType::BlockDevice => "a block device",
        FileType::Unknown => "no ordinary file",
    }
}
