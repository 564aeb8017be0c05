//! The folder with what outlives a run: the records of kept labs, and the journals of the host.
//!
//! It is on tmpfs where the machine has one, and so lives as long as what it tells of.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, fstat, mkdir, open, openat};
use rustix::io::Errno;
use rustix::process::geteuid;

use crate::file::is_borrowed;

/// Where everything is kept, for who wants it elsewhere.
pub(crate) const VARIABLE: &str = "NETWRIGHT_RUNTIME_DIR";

/// Root's is the same whoever became root, so that everybody finds what another one left. For
/// others it is under XDG_RUNTIME_DIR where that is their own: su(1) may pass on another user's.
/// Root of a user namespace is one of the others, for /run is nobody's there. Under sudo(8) and the
/// like the caller's variables say nothing.
pub(crate) fn path() -> PathBuf {
    let named = std::env::var_os(VARIABLE).filter(|folder| !folder.is_empty());
    if let Some(folder) = named.filter(|_| !is_borrowed()) {
        return PathBuf::from(folder);
    }
    let user = geteuid().as_raw();
    let own = |folder: &PathBuf| folder.metadata().is_ok_and(|about| about.uid() == user);
    if user == 0 && own(&PathBuf::from("/run")) {
        return PathBuf::from("/run/netwright");
    }
    match std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(own) {
        Some(folder) => folder.join("netwright"),
        None => std::env::temp_dir().join(format!("netwright-{user}")),
    }
}

/// Opens a folder of ours below [`path`], made if need be, and makes sure that both are this
/// user's alone.
pub(crate) fn open_private(name: &str) -> io::Result<OwnedFd> {
    let folder = path();
    private(&folder)?;
    private(&folder.join(name))
}

fn private(path: &Path) -> io::Result<OwnedFd> {
    match mkdir(path, Mode::RWXU) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(error) => return Err(error.into()),
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let descriptor = open(path, flags, Mode::empty())?;
    let about = fstat(&descriptor)?;
    if about.st_uid != geteuid().as_raw() || about.st_mode & 0o077 != 0 {
        return Err(io::Error::other("it belongs to or is open to others"));
    }
    Ok(descriptor)
}

/// Opens a file of such a folder: this user's own, regular, under no second name.
///
/// # Errors
/// `EPERM` for what somebody else may have put there.
pub(crate) fn open_own(folder: impl AsFd, name: &str, flags: OFlags) -> io::Result<File> {
    let flags = flags | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(openat(folder, name, flags, Mode::RUSR | Mode::WUSR)?);
    let about = file.metadata()?;
    let ours = about.is_file() && about.uid() == geteuid().as_raw() && about.nlink() <= 1;
    if ours { Ok(file) } else { Err(Errno::PERM.into()) }
}

/// Another one after each boot (proc(5), /proc/sys/kernel/random/boot_id).
pub(crate) fn boot_id() -> String {
    let mut text = String::new();
    let file = File::open("/proc/sys/kernel/random/boot_id");
    // Where it can't be read nothing is taken for this boot's.
    let _ = file.and_then(|mut file| file.read_to_string(&mut text));
    text.trim().to_owned()
}
