//! What a link has to be opened, by the sysfs of its namespace.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{CWD, Dev, Dir, FileType, Mode, OFlags, fstat, makedev, openat};
use rustix::io::Errno;
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsmount, fsopen};

/// The flags of a tun or tap that sysfs shows, uapi/linux/if_tun.h.
const TAP: u32 = libc::IFF_TAP as u32;
const MULTI_QUEUE: u32 = libc::IFF_MULTI_QUEUE as u32;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Device {
    Missing,
    /// a link that isn't a tap of any kind
    Other,
    Character(CharacterDevice),
    Queue(Queue),
}

/// Of a macvtap or ipvtap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CharacterDevice {
    pub(super) kind: &'static str,
    pub(super) number: Dev,
    /// the link's, only to find a node that is there
    index: u32,
}

/// Of a tun or tap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Queue {
    /// a tap; a tun has no link layer
    pub(super) ethernet: bool,
    /// made with `multi_queue`
    pub(super) many: bool,
}

/// Looks a link up in the calling thread's network namespace.
///
/// A /sys that is mounted already shows the namespace that it was mounted in, so this mounts
/// another. It's attached nowhere and goes with its descriptor. In a user namespace the kernel
/// allows it only while some /sys is mounted without anything hidden (fs/namespace.c,
/// `mount_too_revealing`); EPERM otherwise.
pub(super) fn find(link: &str) -> io::Result<Device> {
    let sysfs = mount_sysfs()?;
    let path = format!("class/net/{link}");
    let directory = match open_directory(sysfs.as_fd(), &path) {
        Ok(directory) => directory,
        Err(Errno::NOENT) => return Ok(Device::Missing),
        Err(errno) => return Err(errno.into()),
    };
    if let Some(flags) = read(directory.as_fd(), "tun_flags")? {
        let flags = parse_hexadecimal(&flags)?;
        return Ok(Device::Queue(Queue {
            ethernet: flags & TAP != 0,
            many: flags & MULTI_QUEUE != 0,
        }));
    }
    for kind in ["macvtap", "ipvtap"] {
        if let Some(number) = character_device(directory.as_fd(), kind)? {
            let index = read(directory.as_fd(), "ifindex")?.unwrap_or_default();
            return Ok(Device::Character(CharacterDevice {
                kind,
                number,
                index: index.trim().parse().map_err(io::Error::other)?,
            }));
        }
    }
    Ok(Device::Other)
}

impl CharacterDevice {
    /// The node that devtmpfs has under the link's index, if it is this link's.
    pub(super) fn open_existing_node(self) -> Option<OwnedFd> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let path = format!("/dev/tap{}", self.index);
        // Looking first: opening another's device would take a queue of it.
        let node = openat(CWD, &path, flags, Mode::empty()).ok()?;
        let status = fstat(&node).ok()?;
        let right = FileType::from_raw_mode(status.st_mode) == FileType::CharacterDevice
            && status.st_rdev == self.number;
        if !right {
            return None;
        }
        let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let through = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&node));
        openat(CWD, through, flags, Mode::empty()).ok()
    }
}

fn mount_sysfs() -> io::Result<OwnedFd> {
    let filesystem = fsopen("sysfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_create(filesystem.as_fd())?;
    let attributes = MountAttrFlags::MOUNT_ATTR_RDONLY
        | MountAttrFlags::MOUNT_ATTR_NOSUID
        | MountAttrFlags::MOUNT_ATTR_NODEV
        | MountAttrFlags::MOUNT_ATTR_NOEXEC;
    Ok(fsmount(filesystem.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, attributes)?)
}

/// The number in `KIND/tap<index>/dev` below the link's directory.
fn character_device(link: BorrowedFd<'_>, kind: &str) -> io::Result<Option<Dev>> {
    let class = match open_directory(link, kind) {
        Ok(class) => class,
        Err(Errno::NOENT) => return Ok(None),
        Err(errno) => return Err(errno.into()),
    };
    for entry in Dir::read_from(&class)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy();
        if !name.starts_with("tap") {
            continue;
        }
        if let Some(number) = read(class.as_fd(), &format!("{name}/dev"))? {
            return parse_number(&number).map(Some);
        }
    }
    Ok(None)
}

fn open_directory(at: BorrowedFd<'_>, path: &str) -> Result<OwnedFd, Errno> {
    openat(at, path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
}

/// A small file's content; nothing where there is no such file.
fn read(at: BorrowedFd<'_>, path: &str) -> io::Result<Option<String>> {
    let file = match openat(at, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()) {
        Ok(file) => file,
        Err(Errno::NOENT) => return Ok(None),
        Err(errno) => return Err(errno.into()),
    };
    io::read_to_string(std::fs::File::from(file)).map(Some)
}

fn parse_hexadecimal(text: &str) -> io::Result<u32> {
    u32::from_str_radix(text.trim().trim_start_matches("0x"), 16).map_err(io::Error::other)
}

/// `MAJOR:MINOR`
fn parse_number(text: &str) -> io::Result<Dev> {
    let (major, minor) = text.trim().split_once(':').ok_or(io::ErrorKind::InvalidData)?;
    let parse = |part: &str| part.parse::<u32>().map_err(io::Error::other);
    Ok(makedev(parse(major)?, parse(minor)?))
}
