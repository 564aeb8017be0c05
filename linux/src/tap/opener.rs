//! The opener: a small process that opens character devices for a lab, where no one may make
//! their nodes. This module's only unsafe code is the fork.
#![expect(unsafe_code, reason = "a process without a program of its own needs fork")]

use std::fs;
use std::io;
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::{Mutex, PoisonError};

use rustix::fs::{AtFlags, CWD, Dev, FileType, Mode, OFlags, major, mknodat, openat, unlinkat};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsconfig_set_string, fsmount,
    fsopen,
};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use rustix::process::{
    Pid, Signal, WaitOptions, chdir, geteuid, getpid, getppid, set_parent_process_death_signal,
    setsid, waitpid,
};
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};
use rustix::thread::CapabilitySet;

use crate::rights::keep_only_for_good;

/// A request is a device's number; an answer is an error number, 0 with the descriptor. Both in
/// the machine's byte order: the two ends are one program.
const REQUEST: usize = size_of::<Dev>();
const ANSWER: usize = size_of::<i32>();
/// Where /proc/devices lists what may be opened.
const KINDS: [&str; 2] = ["macvtap", "ipvtap"];

/// The way to the opener process, which ends with it.
///
/// Whatever ends this process, the opener goes: its socket is closed, and the kernel kills it.
/// The nodes that it makes are in a file system that only it can see, and are gone before
/// they are of use to anyone.
#[derive(Debug)]
pub struct Opener {
    /// a request and its answer belong together
    socket: Mutex<OwnedFd>,
    process: Pid,
}

impl Opener {
    /// Starts the process; `None` for a user who isn't root, whom it couldn't help.
    ///
    /// Must come before the first thread (the new process would have locks that nobody
    /// releases) and before the lab is entered (which gives up the right to make nodes).
    pub fn start() -> io::Result<Option<Self>> {
        if !geteuid().is_root() {
            return Ok(None);
        }
        let (ours, theirs) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        let parent = getpid();
        // SAFETY: this process has one thread, so that the new one has every lock released;
        // `serve` never returns into the caller's code.
        match unsafe { libc::fork() } {
            -1 => Err(io::Error::last_os_error()),
            0 => {
                drop(ours);
                let code = serve(theirs, parent).map_or_else(Errno::raw_os_error, |()| 0);
                // SAFETY: ends the process at once, without the caller's exit handlers.
                unsafe { libc::_exit(code) }
            }
            process => {
                let process = Pid::from_raw(process).ok_or(io::ErrorKind::InvalidData)?;
                Ok(Some(Self { socket: Mutex::new(ours), process }))
            }
        }
    }

    /// Opens a macvtap's or ipvtap's character device.
    ///
    /// # Errors
    /// `EPERM` for the number of any other device, and where this process is root in a user
    /// namespace only, which can't make nodes; `EPIPE` where the process is gone, else what
    /// opening it gave: `EBUSY` where its queues are taken.
    pub fn open(&self, number: Dev) -> io::Result<OwnedFd> {
        let socket = self.socket.lock().unwrap_or_else(PoisonError::into_inner);
        rustix::net::send(socket.as_fd(), &number.to_ne_bytes(), SendFlags::NOSIGNAL)?;
        let mut answer = [0; ANSWER];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let received = recvmsg(
            socket.as_fd(),
            &mut [IoSliceMut::new(&mut answer)],
            &mut ancillary,
            RecvFlags::CMSG_CLOEXEC,
        )?;
        if received.bytes != ANSWER {
            return Err(Errno::PIPE.into());
        }
        let descriptor = ancillary.drain().find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
            _ => None,
        });
        descriptor.ok_or_else(|| io::Error::from_raw_os_error(i32::from_ne_bytes(answer)))
    }

    /// Ends the process, in microseconds, and gives its exit code, which is 0; none where a signal
    /// ended it. Without this it would stay a zombie.
    pub fn end(&mut self) -> io::Result<Option<i32>> {
        let socket = self.socket.get_mut().unwrap_or_else(PoisonError::into_inner);
        rustix::net::shutdown(socket.as_fd(), rustix::net::Shutdown::Both)?;
        let ended = waitpid(Some(self.process), WaitOptions::empty())?;
        Ok(ended.and_then(|(_, status)| status.exit_status()))
    }

    /// For tests that look whether it ends.
    pub fn process_id(&self) -> i32 {
        self.process.as_raw_nonzero().get()
    }
}

impl Drop for Opener {
    fn drop(&mut self) {
        // An error means that somebody else waited for it.
        let _ended = self.end();
    }
}

/// The life of the opener process, until its socket is closed.
fn serve(socket: OwnedFd, parent: Pid) -> Result<(), Errno> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // The parent may have ended before the line above.
    if getppid() != Some(parent) {
        return Err(Errno::SRCH);
    }
    // A terminal's signals are for the parent, which needs us while it cleans up.
    setsid()?;
    let _named = rustix::thread::set_name(c"netwright-open");
    chdir("/")?;
    let socket = keep_only(socket)?;
    let nodes = mount_nodes()?;
    keep_only_for_good(CapabilitySet::MKNOD)?;
    loop {
        let mut request = [0; REQUEST];
        let (length, _) = rustix::net::recv(socket.as_fd(), &mut request, RecvFlags::empty())?;
        if length != REQUEST {
            return Ok(());
        }
        let device = Dev::from_ne_bytes(request);
        answer(socket.as_fd(), open_device(nodes.as_fd(), device))?;
    }
}

/// Closes everything else that was inherited: a pipe held open here would keep its reader waiting.
fn keep_only(socket: OwnedFd) -> Result<OwnedFd, Errno> {
    let null = openat(CWD, "/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?;
    dup2_stdin(&null)?;
    dup2_stdout(&null)?;
    dup2_stderr(&null)?;
    drop(null);
    let kept = socket.as_raw_fd() as libc::c_uint;
    for (first, last) in [(3, kept.saturating_sub(1)), (kept + 1, libc::c_uint::MAX)] {
        if first <= last {
            // SAFETY: nothing in this process uses these descriptors any more.
            unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
        }
    }
    Ok(socket)
}

/// A file system without a place in any tree, gone with this process.
fn mount_nodes() -> Result<OwnedFd, Errno> {
    let filesystem = fsopen("tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_set_string(filesystem.as_fd(), "size", "4096")?;
    fsconfig_set_string(filesystem.as_fd(), "mode", "0700")?;
    fsconfig_create(filesystem.as_fd())?;
    let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NOEXEC;
    fsmount(filesystem.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, attributes)
}

fn open_device(nodes: BorrowedFd<'_>, device: Dev) -> Result<OwnedFd, Errno> {
    if !is_tap(major(device)) {
        return Err(Errno::PERM);
    }
    let mode = Mode::RUSR | Mode::WUSR;
    mknodat(nodes, "tap", FileType::CharacterDevice, mode, device)?;
    let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let opened = openat(nodes, "tap", flags, Mode::empty());
    unlinkat(nodes, "tap", AtFlags::empty())?;
    opened
}

/// Whether /proc/devices says that character devices of this number are a macvtap's or ipvtap's.
fn is_tap(number: u32) -> bool {
    let devices = fs::read_to_string("/proc/devices").unwrap_or_default();
    let characters = devices.split("\n\n").next().unwrap_or_default();
    characters.lines().any(|line| {
        line.trim().split_once(' ').is_some_and(|(listed, kind)| {
            listed.parse() == Ok(number) && KINDS.contains(&kind.trim())
        })
    })
}

fn answer(socket: BorrowedFd<'_>, opened: Result<OwnedFd, Errno>) -> Result<(), Errno> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let (errno, descriptor) = match &opened {
        Ok(file) => (0, Some([file.as_fd()])),
        Err(errno) => (errno.raw_os_error(), None),
    };
    if let Some(descriptor) = &descriptor {
        // The space above is for exactly this one.
        ancillary.push(SendAncillaryMessage::ScmRights(descriptor));
    }
    let bytes = errno.to_ne_bytes();
    sendmsg(socket, &[IoSlice::new(&bytes)], &mut ancillary, SendFlags::NOSIGNAL)?;
    Ok(())
}
