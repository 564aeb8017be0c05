//! The folder that a run keeps files in. Each of them is of one of three: of the program, such as a
//! capture or `--junit`; of the step whose recipe attached it; or of somebody else, who had it there
//! before. Nobody's file is replaced by another one's, but by the program's own.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use rustix::fs::{AtFlags, Mode, OFlags, Stat, fstat, openat, statat};
use rustix::io::Errno;

use crate::file::{self, Identity, Refused};

/// What earlier runs attached, so that the next may replace it. No recipe can attach a file of such
/// a name.
const LIST: &str = ".netwright";
const LONGEST_LIST: u64 = 1 << 20;

/// Opened once, so that nobody can put another folder in its place.
#[derive(Debug)]
pub struct Artifacts {
    pub(crate) path: PathBuf,
    folder: OwnedFd,
    /// what the program itself writes meanwhile, wherever that is
    own: Vec<Identity>,
    /// what this run has kept
    kept: BTreeMap<String, (Owner, Identity)>,
    /// what runs before it attached, as it was then
    earlier: BTreeMap<String, String>,
}

/// Whose a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    Program,
    /// by the step's number
    Step(usize),
}

impl Artifacts {
    /// `own`: the files that the operator lets the program write.
    pub(crate) fn new(path: PathBuf, folder: OwnedFd, own: Vec<Identity>) -> Self {
        let earlier = listed(&folder);
        Self { path, folder, own, kept: BTreeMap::new(), earlier }
    }

    /// Keeps a file; why not, where it can't be.
    pub(super) fn keep(&mut self, name: &str, owner: Owner, data: &[u8]) -> Result<(), String> {
        self.may_be_replaced(name, owner)?;
        file::in_folder(&self.folder, name, data).map_err(|error| error.to_string())?;
        let about = self.found(name).map_err(|error| error.to_string())?;
        let Some(about) = about else { return Err("somebody removed it".to_owned()) };
        self.kept.insert(name.to_owned(), (owner, Identity::of(&about)));
        match owner {
            Owner::Program => {}
            Owner::Step(_) => {
                self.earlier.insert(name.to_owned(), as_it_is(&about));
                // Without it the next run replaces nothing.
                let _ = file::in_folder(&self.folder, LIST, self.list().as_bytes());
            }
        }
        Ok(())
    }

    fn may_be_replaced(&self, name: &str, owner: Owner) -> Result<(), String> {
        let Some(about) = self.found(name).map_err(|error| error.to_string())? else {
            return Ok(());
        };
        let there = Identity::of(&about);
        if self.own.contains(&there) {
            return Err("netwright itself writes that file".to_owned());
        }
        let whose = self.kept.get(name).filter(|(_, kept)| *kept == there).map(|(whose, _)| *whose);
        let attached = || self.earlier.get(name).is_some_and(|was| *was == as_it_is(&about));
        match (owner, whose) {
            (Owner::Program, _) => Ok(()),
            (Owner::Step(_), Some(Owner::Program)) => {
                Err("netwright has kept a file of that name".to_owned())
            }
            (Owner::Step(step), Some(Owner::Step(other))) if step != other => {
                Err("another step has kept a file of that name".to_owned())
            }
            (Owner::Step(_), Some(Owner::Step(_))) => Ok(()),
            // What can't be replaced at all is told by whoever would.
            (Owner::Step(_), None) if !file::is_ordinary(&about) || attached() => Ok(()),
            (Owner::Step(_), None) => {
                Err("it was there before, and no recipe attached it".to_owned())
            }
        }
    }

    fn found(&self, name: &str) -> io::Result<Option<Stat>> {
        match statat(&self.folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(about) => Ok(Some(about)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn list(&self) -> String {
        self.earlier.iter().fold(String::new(), |mut text, (name, was)| {
            // Writing to a string can't fail.
            let _ = writeln!(text, "{name} {was}");
            text
        })
    }
}

/// What is another file, or was written on, is so no longer.
fn as_it_is(about: &Stat) -> String {
    let (inode, length) = (about.st_ino, about.st_size);
    format!("{inode} {length} {}.{:09}", about.st_mtime, about.st_mtime_nsec)
}

fn listed(folder: &OwnedFd) -> BTreeMap<String, String> {
    let read = || -> Result<Vec<u8>, Refused> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = std::fs::File::from(openat(folder, LIST, flags, Mode::empty())?);
        // In a folder that others may use, anybody can make one, and let it name any file there.
        if !file::is_ours_alone(&fstat(&file)?) {
            return Ok(Vec::new());
        }
        file::bounded(file, LONGEST_LIST)
    };
    let text = String::from_utf8(read().unwrap_or_default()).unwrap_or_default();
    let line = |line: &str| line.split_once(' ').map(|(name, was)| (name.into(), was.into()));
    text.lines().filter_map(line).collect()
}
