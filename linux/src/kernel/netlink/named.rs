//! Named namespaces of the host, as ip-netns(8) has them: bind mounts under /run/netns.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, fstat, linkat, open, openat, statat};
use rustix::io::Errno;
use rustix::mount::{
    MountPropagationFlags, OpenTreeFlags, UnmountFlags, mount_bind, mount_bind_recursive,
    mount_change, open_tree, unmount,
};

use super::space::Space;
use crate::change::Name;
use crate::halt::Halt;
use crate::kernel::mark::Mark;
use crate::kernel::netns;
use crate::records::NamedFolder;

/// NETNS_RUN_DIR of iproute2.
pub(crate) const FOLDER: &str = "/run/netns";
/// Bytes that the file below a name may have.
const LONGEST_PLACE: u64 = 64;

fn path(name: &Name) -> PathBuf {
    Path::new(FOLDER).join(name.as_str())
}

/// As `ip netns add`, of a namespace that exists: its name is seen in all mount namespaces that
/// share /run.
///
/// # Errors
/// `EEXIST` where there is such a name.
pub(super) fn add(name: &Name, namespace: impl AsFd, mark: Mark, halt: &Halt) -> io::Result<()> {
    let folder = shared_folder()?;
    // As iproute2 does: others may be making the folder a mount, or ending that, right now.
    halt.wait_for_lock(&folder)?;
    let path = path(name);
    put_place(&folder, name, mark)?;
    let source = format!("/proc/self/fd/{}", namespace.as_fd().as_raw_fd());
    mount_bind(source, &path).map_err(|errno| {
        // Nothing is mounted there, so that this is the file made above.
        let _ = fs::remove_file(&path);
        errno.into()
    })
}

/// What a name's file says under the mount: whose it is.
fn place_of(mark: Mark) -> String {
    format!("netwright {:08x}\n", mark.group())
}

/// The file that the namespace is mounted on. It says from its first moment on whose it is.
fn put_place(folder: &OwnedFd, name: &Name, mark: Mark) -> io::Result<()> {
    let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
    let file = match openat(folder, ".", flags, Mode::RUSR) {
        Ok(file) => file,
        // A file system without files that have no name.
        Err(Errno::OPNOTSUPP | Errno::ISDIR) => {
            let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
            let file = openat(folder, name.as_str(), flags, Mode::RUSR)?;
            return fs::File::from(file).write_all(place_of(mark).as_bytes());
        }
        Err(errno) => return Err(errno.into()),
    };
    fs::File::from(file.try_clone()?).write_all(place_of(mark).as_bytes())?;
    let source = format!("/proc/self/fd/{}", file.as_raw_fd());
    Ok(linkat(CWD, source, folder, name.as_str(), AtFlags::SYMLINK_FOLLOW)?)
}

/// The mark of the run that gave a name, by the file below the mount; none where that says nothing.
///
/// # Errors
/// Where this process may not look below mounts.
pub fn named_by(name: &str) -> io::Result<Option<u32>> {
    mark_in(&below_mounts()?, name)
}

/// The folder alone, without what is mounted in it.
fn below_mounts() -> io::Result<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    Ok(open_tree(CWD, FOLDER, flags)?)
}

fn mark_in(folder: &OwnedFd, name: &str) -> io::Result<Option<u32>> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = fs::File::from(openat(folder, name, flags, Mode::empty())?);
    let mut text = String::new();
    if file.metadata()?.is_file() {
        file.take(LONGEST_PLACE).read_to_string(&mut text)?;
    }
    let group = text.strip_prefix("netwright ").and_then(|text| text.strip_suffix('\n'));
    Ok(group.and_then(|group| u32::from_str_radix(group, 16).ok()))
}

/// The namespaces under /run/netns whose names are a run's, by what is written below their mounts.
pub(super) fn of_run(mark: Mark) -> Vec<(Name, OwnedFd)> {
    let Ok(folder) = below_mounts() else { return Vec::new() };
    let entries = fs::read_dir(FOLDER).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<Name>().ok());
    let ours = names.filter(
        |name| matches!(mark_in(&folder, name.as_str()), Ok(Some(group)) if group == mark.group()),
    );
    ours.filter_map(|name| {
        let namespace = netns::open_named(&path(&name)).ok()?;
        Some((name, namespace))
    })
    .collect()
}

/// Removes a run's file for a name on which no namespace is mounted.
pub(super) fn remove_place(name: &Name, mark: Mark) -> io::Result<()> {
    let path = path(name);
    match fs::read_to_string(&path) {
        Ok(text) if text == place_of(mark) => fs::remove_file(&path),
        Ok(_) => Ok(()),
        // A namespace is mounted on it, or there is none.
        Err(_) => Ok(()),
    }
}

/// The folder, which is a shared mount from here on.
fn shared_folder() -> io::Result<OwnedFd> {
    match fs::create_dir(FOLDER) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    // What is no folder is not mounted either.
    drop(open(FOLDER, flags, Mode::empty())?);
    let shared =
        || mount_change(FOLDER, MountPropagationFlags::SHARED | MountPropagationFlags::REC);
    match shared() {
        // It is no mount yet.
        Err(Errno::INVAL) => {
            mount_bind_recursive(FOLDER, FOLDER)?;
            shared()?;
        }
        answer => answer?,
    }
    Ok(open(FOLDER, flags, Mode::empty())?)
}

/// Takes the name away, if it is still this namespace's.
pub(super) fn remove(space: &Space) -> io::Result<()> {
    let Some(name) = &space.name else { return Ok(()) };
    if !is_named(space) {
        return Ok(());
    }
    let path = path(name);
    unmount(&path, UnmountFlags::DETACH)?;
    fs::remove_file(&path)
}

/// Whether the namespace still has its name under /run/netns.
pub(super) fn is_named(space: &Space) -> bool {
    let Some(name) = &space.name else { return false };
    let there = statat(CWD, path(name), AtFlags::SYMLINK_NOFOLLOW);
    let ours = fstat(&*space.descriptor);
    matches!((there, ours), (Ok(one), Ok(other)) if one.st_dev == other.st_dev && one.st_ino == other.st_ino)
}

/// /run/netns as it is before the first name is given.
pub(super) fn folder_now() -> NamedFolder {
    NamedFolder { was_there: Path::new(FOLDER).is_dir(), was_mount: is_mount() }
}

/// Puts it back, unless others have names in it by now.
pub(super) fn restore_folder(before: NamedFolder, halt: &Halt) -> io::Result<()> {
    if before.was_mount || !is_mount() {
        return Ok(());
    }
    let empty = || Ok::<_, io::Error>(fs::read_dir(FOLDER)?.next().is_none());
    let folder = open(FOLDER, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    halt.wait_for_lock(&folder)?;
    if !empty()? {
        return Ok(());
    }
    unmount(FOLDER, UnmountFlags::DETACH)?;
    if !before.was_there && empty()? {
        fs::remove_dir(FOLDER)?;
    }
    Ok(())
}

fn is_mount() -> bool {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    mounts.lines().any(|line| line.split(' ').nth(4) == Some(FOLDER))
}
