//! Namespaces: the program's only unshare and setns, and with them its only unsafe code.
#![expect(unsafe_code, reason = "namespaces belong to threads, which Rust can't express")]

use std::fs;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd as _, OwnedFd};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::thread;

use rustix::fs::{CWD, Mode, OFlags, fstat, fstatfs, open, openat};
use rustix::mount::{MountPropagationFlags, mount_change};
use rustix::process::{getgid, getuid};
use rustix::thread::{
    LinkNameSpaceType, ThreadNameSpaceType, UnshareFlags, move_into_link_name_space,
    move_into_thread_name_spaces, unshare_unsafe,
};

/// What a lab could not be entered for.
#[derive(Debug)]
pub struct EnterError {
    /// such as `unshare(user, mount, network)`
    pub step: &'static str,
    pub source: io::Error,
}

/// Puts this process into a user, mount and network namespace of its own, as root in them.
///
/// Must come before the first thread: user_namespaces(7) refuses a multithreaded caller, and
/// other threads would stay outside. Root keeps all of his ids, so that files look the same
/// inside; anyone else may map only himself.
pub fn enter_lab() -> Result<(), EnterError> {
    let failed = |step| move |source: io::Error| EnterError { step, source };
    let (user, group) = (getuid().as_raw(), getgid().as_raw());
    let helper = match user {
        0 => Some(Mapper::start().map_err(failed("fork"))?),
        _ => None,
    };
    let flags = UnshareFlags::NEWUSER | UnshareFlags::NEWNS | UnshareFlags::NEWNET;
    // SAFETY: no other thread exists yet, and no descriptor table is unshared.
    unsafe { unshare_unsafe(flags) }
        .map_err(|errno| failed("unshare(user, mount, network)")(errno.into()))?;
    let mapped = match helper {
        Some(helper) => helper.finish().map_err(failed("wait for the id maps"))?,
        None => false,
    };
    if !mapped {
        fs::write("/proc/self/setgroups", "deny").map_err(failed("write /proc/self/setgroups"))?;
        let users = fs::write("/proc/self/uid_map", format!("0 {user} 1"));
        users.map_err(failed("write /proc/self/uid_map"))?;
        let groups = fs::write("/proc/self/gid_map", format!("0 {group} 1"));
        groups.map_err(failed("write /proc/self/gid_map"))?;
    }
    mount_change("/", MountPropagationFlags::REC | MountPropagationFlags::PRIVATE)
        .map_err(|errno| failed("make mounts private")(errno.into()))
}

/// A child that stays outside: only who has rights there may map more than one id.
struct Mapper {
    child: libc::pid_t,
    entered: fs::File,
}

impl Mapper {
    fn start() -> io::Result<Self> {
        let (waits, entered) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        let parent = std::process::id();
        // SAFETY: no other thread exists yet, so the child may run any code; it ends by _exit.
        match unsafe { libc::fork() } {
            -1 => Err(io::Error::last_os_error()),
            0 => {
                drop(entered);
                let mapped = map_all(&mut fs::File::from(waits), parent).is_ok();
                // SAFETY: ends the child without the parent's exit handlers.
                unsafe { libc::_exit(i32::from(!mapped)) }
            }
            child => Ok(Self { child, entered: entered.into() }),
        }
    }

    /// Whether all ids are mapped.
    fn finish(mut self) -> io::Result<bool> {
        self.entered.write_all(&[1])?;
        let mut status = 0;
        // SAFETY: status lives for the call, and the child is ours and not yet waited for.
        while unsafe { libc::waitpid(self.child, &raw mut status, 0) } == -1 {
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        }
        Ok(status == 0)
    }
}

/// Maps each id to itself once the parent is in its new user namespace.
fn map_all(entered: &mut fs::File, parent: u32) -> io::Result<()> {
    let mut byte = [0];
    entered.read_exact(&mut byte)?;
    for map in ["uid_map", "gid_map"] {
        let ranges = fs::read_to_string(format!("/proc/self/{map}"))?;
        let mut same = String::new();
        for range in ranges.lines() {
            if let [inside, _, count] = range.split_whitespace().collect::<Vec<_>>()[..] {
                same += &format!("{inside} {inside} {count}\n");
            }
        }
        fs::write(format!("/proc/{parent}/{map}"), same)?;
    }
    Ok(())
}

/// Puts this process into the user, mount and network namespaces of the process that holds a lab.
/// Must come before the first thread, as [`enter_lab`].
pub fn join_lab(holder: impl AsFd) -> io::Result<()> {
    let spaces =
        ThreadNameSpaceType::USER | ThreadNameSpaceType::MOUNT | ThreadNameSpaceType::NETWORK;
    Ok(move_into_thread_name_spaces(holder.as_fd(), spaces)?)
}

/// Moves the calling thread, which should be the only one, into a network namespace.
pub fn join_network(namespace: impl AsFd) -> io::Result<()> {
    Ok(move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?)
}

/// Gives the calling thread, which should be the only one, mounts of its own.
pub fn unshare_mounts() -> io::Result<()> {
    // SAFETY: only this thread's view of mounts, root and working folder changes.
    Ok(unsafe { unshare_unsafe(UnshareFlags::NEWNS) }?)
}

/// Gives the calling thread, which should be the only one, mounts of its own, and the processes that
/// it starts from now on a namespace of their own, with the first of which all of them end.
pub fn unshare_processes() -> io::Result<()> {
    let flags = UnshareFlags::NEWPID | UnshareFlags::NEWNS | UnshareFlags::NEWIPC;
    // SAFETY: no other thread exists, and memory and descriptors stay as they are.
    Ok(unsafe { unshare_unsafe(flags) }?)
}

/// The calling thread's network namespace.
pub fn current() -> io::Result<OwnedFd> {
    Ok(open("/proc/thread-self/ns/net", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?)
}

/// NSFS_MAGIC of linux/magic.h
const NAMESPACES: i64 = 0x6e73_6673;
/// linux/nsfs.h: the user namespace that a namespace belongs to, the one that a user namespace is in,
/// and what kind a namespace is of.
const NS_GET_USERNS: libc::Ioctl = 0xb701;
const NS_GET_PARENT: libc::Ioctl = 0xb702;
const NS_GET_NSTYPE: libc::Ioctl = 0xb703;

/// A process's user namespace, by its path in /proc.
pub fn user_space(path: &str) -> io::Result<OwnedFd> {
    Ok(open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?)
}

/// Whether two descriptors are of one namespace.
pub fn is_same(one: impl AsFd, other: impl AsFd) -> io::Result<bool> {
    let (one, other) = (fstat(one)?, fstat(other)?);
    Ok((one.st_dev, one.st_ino) == (other.st_dev, other.st_ino))
}

/// Whether a user namespace was made inside another one, or inside one that was. What this process
/// may not look at is none.
pub fn is_below(space: impl AsFd, other: impl AsFd) -> io::Result<bool> {
    let mut space = space.as_fd().try_clone_to_owned()?;
    loop {
        space = match ask(&space, NS_GET_PARENT) {
            Ok(parent) => parent,
            // The first one, or one that this process is in or beside.
            Err(error) if error.raw_os_error() == Some(libc::EPERM) => return Ok(false),
            Err(error) => return Err(error),
        };
        if is_same(&space, &other)? {
            return Ok(true);
        }
    }
}

/// Whether a namespace belongs to this process's user namespace: whoever is root in another one can
/// have made anything in it.
pub fn is_ours(namespace: impl AsFd) -> io::Result<bool> {
    let namespace = namespace.as_fd().try_clone_to_owned()?;
    is_same(ask(&namespace, NS_GET_USERNS)?, user_space("/proc/self/ns/user")?)
}

/// Asks for a namespace by one of nsfs' requests.
fn ask(space: &OwnedFd, request: libc::Ioctl) -> io::Result<OwnedFd> {
    // SAFETY: the request takes no argument and gives a new descriptor, which is owned by nobody.
    match unsafe { libc::ioctl(space.as_raw_fd(), request) } {
        -1 => Err(io::Error::last_os_error()),
        // SAFETY: as above.
        other => Ok(unsafe { OwnedFd::from_raw_fd(other) }),
    }
}

/// Opens a name of a network namespace, as ip(8) keeps them; without waiting for anything and
/// without following a link, whatever has been put there.
///
/// # Errors
/// `InvalidInput` for what is no network namespace.
pub fn open_named(path: &Path) -> io::Result<OwnedFd> {
    let other = || io::Error::new(io::ErrorKind::InvalidInput, "it is no network namespace");
    let flags = OFlags::PATH | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let there = openat(CWD, path, flags, Mode::empty())?;
    if fstatfs(&there)?.f_type != NAMESPACES {
        return Err(other());
    }
    // What was just looked at, and not what has the name by now.
    let pinned = format!("/proc/self/fd/{}", there.as_raw_fd());
    let namespace = open(pinned, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    // SAFETY: the request takes no argument and gives a number.
    match unsafe { libc::ioctl(namespace.as_raw_fd(), NS_GET_NSTYPE) } {
        libc::CLONE_NEWNET => Ok(namespace),
        -1 => Err(io::Error::last_os_error()),
        _ => Err(other()),
    }
}

/// The cookie of a network namespace; none where it can't be entered.
pub fn cookie_of(namespace: impl AsFd) -> io::Result<u64> {
    within(namespace.as_fd(), || cookie(UnixDatagram::unbound()?))
}

/// Makes a network namespace on a thread of its own and does `work` inside it.
pub fn create<T: Send>(work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<(OwnedFd, T)> {
    on_thread(|| {
        unshare_network()?;
        Ok((current()?, work()?))
    })
}

/// Moves the calling thread into a new network namespace; only for threads that end afterwards.
pub fn unshare_network() -> io::Result<()> {
    // SAFETY: only this thread's network namespace changes; memory and descriptors stay shared.
    Ok(unsafe { unshare_unsafe(UnshareFlags::NEWNET) }?)
}

/// Does `work` inside a namespace, on a thread of its own. What it opens stays there.
pub fn within<T: Send>(
    namespace: BorrowedFd<'_>,
    work: impl FnOnce() -> io::Result<T> + Send,
) -> io::Result<T> {
    on_thread(|| {
        // Entering takes CAP_SYS_ADMIN, which a run in the machine's own may have given up.
        if !is_here(namespace)? {
            move_into_link_name_space(namespace, Some(LinkNameSpaceType::Network))?;
        }
        work()
    })
}

/// Whether the calling thread is in this namespace already.
fn is_here(namespace: BorrowedFd<'_>) -> io::Result<bool> {
    let (there, here) = (rustix::fs::fstat(namespace)?, rustix::fs::fstat(current()?)?);
    Ok((there.st_dev, there.st_ino) == (here.st_dev, here.st_ino))
}

/// Does `work` on a thread with mounts of its own: what it mounts and unmounts, nobody else sees.
pub fn with_private_mounts<T: Send>(work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
    on_thread(|| {
        unshare_mounts()?;
        mount_change("/", MountPropagationFlags::REC | MountPropagationFlags::PRIVATE)?;
        work()
    })
}

fn on_thread<T: Send>(work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
    thread::scope(|scope| {
        let worker =
            thread::Builder::new().name("namespace".to_owned()).spawn_scoped(scope, work)?;
        worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// The cookie of the namespace that a socket belongs to (SO_NETNS_COOKIE), never used again
/// while the machine is up.
pub fn cookie(socket: impl AsFd) -> io::Result<u64> {
    let mut cookie = 0_u64;
    let mut length = size_of::<u64>() as libc::socklen_t;
    // SAFETY: value and length point to a u64 and its size, both alive for the call.
    let answer = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_NETNS_COOKIE,
            (&raw mut cookie).cast(),
            &raw mut length,
        )
    };
    if answer == 0 { Ok(cookie) } else { Err(io::Error::last_os_error()) }
}
