//! The folder with what outlives a run: the records of kept labs, and the journals of the host.
//!
//! It is on tmpfs where the machine has one, and so lives as long as what it tells of.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rustix::fs::{Mode, OFlags, fstat, mkdir, open, openat, stat};
use rustix::io::Errno;
use rustix::process::geteuid;

use crate::exit::{Exit, Failure};
use crate::file::{Missing, is_borrowed, is_ordinary, is_ours, trail};

/// Where everything is kept, for who wants it elsewhere.
pub(crate) const VARIABLE: &str = "NETWRIGHT_RUNTIME_DIR";

/// What is in it: records of labs, journals of runs, names that are taken.
pub(crate) const LABS: &str = "labs";
pub(crate) const RUNS: &str = "runs";
pub(crate) const NAMES: &str = "names";

/// The folder, and those in it.
pub(crate) fn folders() -> [PathBuf; 4] {
    let path = path();
    [path.join(LABS), path.join(RUNS), path.join(NAMES), path]
}

/// Root's is the same whoever became root, so that everybody finds what another one left. For
/// others it is under XDG_RUNTIME_DIR where that is their own: su(1) may pass on another user's.
/// Root of a user namespace is one of the others, for /run is nobody's there. Under sudo(8) and the
/// like the caller's variables say nothing.
pub(crate) fn path() -> PathBuf {
    let path = named();
    // Processes of ours look for it from elsewhere.
    std::path::absolute(&path).unwrap_or(path)
}

fn named() -> PathBuf {
    let named = std::env::var_os(VARIABLE).filter(|folder| !folder.is_empty());
    if let Some(folder) = named.filter(|_| !is_borrowed()) {
        return PathBuf::from(folder);
    }
    let user = geteuid().as_raw();
    let own = |folder: &PathBuf| stat(folder).is_ok_and(|about| is_ours(&about));
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
    // Whoever can move a level away takes with it what tells of labs and deployments.
    if let Some(distrust) = trail(&folder, Missing::Refused)?.distrust {
        let why = distrust.to_string();
        return Err(io::Error::other(why.lines().next().unwrap_or_default().to_owned()));
    }
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
    if !is_ours(&about) || about.st_mode & 0o077 != 0 {
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
    let about = fstat(&file)?;
    let ours = is_ordinary(&about) && is_ours(&about) && about.st_nlink <= 1;
    if ours { Ok(file) } else { Err(Errno::PERM.into()) }
}

/// Another one after each boot (proc(5)).
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
/// A UUID and some.
const LONGEST_ID: u64 = 64;

static BOOT: OnceLock<String> = OnceLock::new();

/// Which boot this is.
///
/// # Errors
/// Where /proc isn't mounted whole, as with `subset=pid`: then nobody knows of any record whether what
/// it tells of is gone.
pub(crate) fn boot_id() -> io::Result<&'static str> {
    if let Some(known) = BOOT.get() {
        return Ok(known);
    }
    let mut text = String::new();
    let unread = |error: io::Error| io::Error::new(error.kind(), format!("{BOOT_ID}: {error}"));
    File::open(BOOT_ID)
        .and_then(|file| file.take(LONGEST_ID).read_to_string(&mut text))
        .map_err(unread)?;
    match text.trim() {
        "" => Err(io::Error::other(format!("{BOOT_ID} is empty"))),
        id => Ok(BOOT.get_or_init(|| id.to_owned())),
    }
}

/// Whether something is certain to be of another boot.
pub(crate) fn is_another_boot(id: &str) -> bool {
    boot_id().is_ok_and(|own| own != id)
}

/// Opens a folder of records that tell of this boot.
///
/// # Errors
/// Of what it is for, where it can't be used, or nobody could tell what its records mean.
pub(crate) fn open_records(name: &str, purpose: &str) -> Result<OwnedFd, Failure> {
    if let Err(error) = boot_id() {
        let message = format!(
            "nobody can tell which of the {purpose} are this boot's, so that all stay as they are: {error}\n  help: run it where /proc is mounted whole"
        );
        return Err(Failure::new(Exit::Lacking, message));
    }
    open_private(name).map_err(|error| unusable(name, purpose, &error))
}

/// What is said where such a folder can't be used.
pub(crate) fn unusable(name: &str, purpose: &str, error: &io::Error) -> Failure {
    let folder = crate::text::path(path().join(name));
    let help = match error.raw_os_error() {
        Some(libc::ENOSPC | libc::EDQUOT) => {
            format!("make room there, or set {VARIABLE} to a folder on tmpfs")
        }
        Some(_) | None => format!("set {VARIABLE} to a folder of your own"),
    };
    let message = format!("can't use `{folder}` for the {purpose}: {error}\n  help: {help}");
    Failure::new(Exit::Lacking, message)
}
