//! What is read: ordinary files where somebody else may have named them, and never more than a
//! bound.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags, fstat, open};

use super::{Refused, kind, special};

/// Opens an ordinary file. What it is, is known before it is opened: to open a pipe would be to
/// wait, and to open a device may already do something.
pub(crate) fn ordinary(path: &Path) -> Result<File, Refused> {
    let found: OwnedFd = open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
    match kind(&fstat(&found)?) {
        FileType::RegularFile => {}
        other => return Err(Refused::Special(special(other))),
    }
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let again = format!("/proc/self/fd/{}", found.as_raw_fd());
    Ok(File::from(open(again, flags, Mode::empty())?))
}

/// All of it, where that is no more than `longest` bytes. It may grow meanwhile.
pub(crate) fn bounded(file: impl Read, longest: u64) -> Result<Vec<u8>, Refused> {
    let mut bytes = Vec::new();
    file.take(longest.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > longest { Err(Refused::TooLong(longest)) } else { Ok(bytes) }
}
