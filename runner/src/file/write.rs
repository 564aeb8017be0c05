//! What is written whole: a draft under a name of its own takes the place of what is there. So
//! nothing is ever written through a link, symbolic or hard, and whoever reads meanwhile reads all
//! of the one or all of the other.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Write as _;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, Stat, fchmod, fstat, openat, renameat, statat, unlinkat,
};
use rustix::io::Errno;

use super::folder::{Last, Missing, folder};
use super::owner::{Owner, is_ours};
use super::{Refused, kind, special};

/// Of the bits of a folder's mode the one by which each may take away only what is theirs.
const STICKY: u32 = 0o1000;
/// Names for a draft that are tried.
const MOST_TRIES: u32 = 16;

/// A file by its name in its folder, and what is there now.
pub(super) struct Place<'a> {
    pub(super) folder: OwnedFd,
    pub(super) name: &'a OsStr,
}

impl<'a> Place<'a> {
    /// Where a path leads that the operator typed.
    pub(super) fn of(path: &'a Path) -> Result<Self, Refused> {
        // Where that is meant to be a folder it isn't taken for a file.
        let typed = path.as_os_str().as_bytes();
        if typed.ends_with(b"/") || typed.ends_with(b"/.") {
            return Err(Refused::Special("the name of a folder"));
        }
        let name = path.file_name().ok_or(Refused::Special("the name of a folder"))?;
        let above = path.parent().unwrap_or(Path::new(""));
        Ok(Self { folder: folder(above, Last::AsTheOthers, Missing::Refused)?, name })
    }

    pub(super) fn found(&self) -> Result<Option<Stat>, Refused> {
        found(&self.folder, self.name)
    }
}

/// Where each may take away only what is theirs, others' things are none of ours.
pub(super) fn are_ours(folder: &Stat, there: &Stat) -> Result<(), Refused> {
    let sticky = folder.st_mode & STICKY != 0;
    if sticky && !is_ours(there) {
        return Err(Refused::Others(Owner::of(there)));
    }
    Ok(())
}

/// Whether others can put something there.
fn is_open(folder: &Stat) -> bool {
    !is_ours(folder) || folder.st_mode & 0o022 != 0
}

fn found(folder: impl AsFd, name: &OsStr) -> Result<Option<Stat>, Refused> {
    match statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(about) => Ok(Some(about)),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Writes a file of a folder that is open already, such as the one for artifacts.
pub(crate) fn in_folder(
    folder: impl AsFd,
    name: impl AsRef<OsStr>,
    bytes: &[u8],
) -> Result<(), Refused> {
    let name = name.as_ref();
    let draft = Draft::replacing(&folder, found(&folder, name)?.as_ref())?;
    draft.filled(bytes)?.take(name)
}

/// Writes the file that a path names.
pub(crate) fn whole(path: &Path, bytes: &[u8]) -> Result<(), Refused> {
    let place = Place::of(path)?;
    let written = in_folder(&place.folder, place.name, bytes);
    match written {
        Err(Refused::System(error)) if is_closed(&error) => {
            in_place(&place, error)?.write_all(bytes)?;
            Ok(())
        }
        written => written,
    }
}

/// A file that is empty yet and has its name: for what is written as it happens.
pub(super) fn begun(place: &Place<'_>, there: Option<&Stat>) -> Result<File, Refused> {
    let begin = || Draft::replacing(&place.folder, there)?.begin(place.name);
    match begin() {
        Err(Refused::System(error)) if there.is_some() && is_closed(&error) => {
            in_place(place, error)
        }
        begun => begun,
    }
}

/// Whether a folder lets nothing be replaced, though a file in it may be writable: it is closed, or
/// the file is a mount of its own.
fn is_closed(error: &std::io::Error) -> bool {
    let closed = [Errno::ACCESS, Errno::PERM, Errno::ROFS, Errno::BUSY];
    closed.iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

/// What is there itself, emptied; only an ordinary file under this one name.
fn in_place(place: &Place<'_>, why: std::io::Error) -> Result<File, Refused> {
    let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = openat(&place.folder, place.name, flags, Mode::empty());
    let Ok(file) = file else { return Err(why.into()) };
    let about = fstat(&file)?;
    if kind(&about) != FileType::RegularFile {
        return Err(Refused::Special(special(kind(&about))));
    }
    if about.st_nlink > 1 {
        return Err(Refused::Linked(u64::from(about.st_nlink as u32)));
    }
    let file = File::from(file);
    file.set_len(0)?;
    Ok(file)
}

/// A file under a name that nobody else has; gone unless it takes another's place.
struct Draft<F: AsFd> {
    folder: F,
    name: String,
    file: File,
    placed: bool,
}

impl<F: AsFd> Draft<F> {
    /// # Errors
    /// Where what is there is no ordinary file, or another one's that this user could not replace
    /// without root's rights.
    fn replacing(folder: F, there: Option<&Stat>) -> Result<Self, Refused> {
        if let Some(about) = there {
            if kind(about) != FileType::RegularFile {
                return Err(Refused::Special(special(kind(about))));
            }
            are_ours(&fstat(&folder)?, about)?;
        }
        let private = !is_open(&fstat(&folder)?);
        let draft = Self::new(folder)?;
        if let Some(about) = there.filter(|about| is_ours(about)) {
            let usual = fstat(&draft.file)?.st_mode;
            // In a folder of others' they may have put it there, by a hard link: then it may close
            // the new one, and not open it.
            let allowed = if private && about.st_nlink == 1 { 0o777 } else { usual };
            fchmod(&draft.file, Mode::from_raw_mode(about.st_mode & allowed & 0o777))?;
        }
        Ok(draft)
    }

    fn new(folder: F) -> Result<Self, Refused> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().subsec_nanos();
        for number in 0..MOST_TRIES {
            let name = format!(".netwright-{}-{now:x}-{number}", std::process::id());
            let mode = Mode::from_raw_mode(0o666);
            match openat(&folder, &name, flags | OFlags::CLOEXEC, mode) {
                Ok(file) => {
                    return Ok(Self { folder, name, file: File::from(file), placed: false });
                }
                Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Errno::EXIST.into())
    }

    fn filled(mut self, bytes: &[u8]) -> Result<Self, Refused> {
        self.file.write_all(bytes)?;
        Ok(self)
    }

    fn take(mut self, name: &OsStr) -> Result<(), Refused> {
        renameat(&self.folder, &self.name, &self.folder, name)?;
        self.placed = true;
        Ok(())
    }

    fn begin(self, name: &OsStr) -> Result<File, Refused> {
        let file = self.file.try_clone()?;
        self.take(name)?;
        Ok(file)
    }
}

impl<F: AsFd> Drop for Draft<F> {
    fn drop(&mut self) {
        if !self.placed {
            // What kept it from its place is what is told.
            let _ = unlinkat(&self.folder, &self.name, AtFlags::empty());
        }
    }
}
