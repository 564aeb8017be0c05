//! The process that holds a kept lab: it does nothing, but the lab lives as long as it does.

use std::fs;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, open};
use rustix::mount::{MountFlags, mount, mount_bind};
use rustix::process::{
    Pid, PidfdFlags, Signal, kill_process, pidfd_open, pidfd_send_signal, setsid,
};

use super::folder::Record;
use super::origin::Origin;
use crate::change::Change;
use crate::exit::{Exit, Failure};

/// Where ip(8) and `netwright exec` look for namespaces.
const NAMED: &str = "/run/netns";

/// Gives the lab's namespaces their names under /run/netns, in the lab's own mount namespace, and
/// starts the process that holds them, and what they were made by. Returns its pid.
pub fn keep<'a>(
    namespaces: impl Iterator<Item = (String, BorrowedFd<'a>)>,
    changes: impl Iterator<Item = &'a Change>,
) -> Result<u32, Failure> {
    let failed = |step: &str, error: io::Error| {
        Failure::new(Exit::Broken, format!("can't keep the lab: {step}: {error}"))
    };
    mount_named().map_err(|error| failed("mount /run/netns", error))?;
    for (name, descriptor) in namespaces {
        bind(&name, descriptor)
            .map_err(|error| failed(&format!("bind /run/netns/{name}"), error))?;
    }
    let origin = Origin::new(changes).map_err(|error| failed("note its changes", error))?;
    let holder = Command::new("/proc/self/exe")
        .arg("__hold")
        .current_dir("/")
        .env_clear()
        .stdin(Stdio::from(origin.into_file()))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| failed("start its process", error))?;
    Ok(holder.id())
}

fn mount_named() -> io::Result<()> {
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    let over = if Path::new(NAMED).is_dir() { NAMED } else { "/run" };
    mount("netwright", over, "tmpfs", flags, Some(c"mode=755"))?;
    if over != NAMED {
        fs::create_dir(NAMED)?;
    }
    Ok(())
}

fn bind(name: &str, descriptor: BorrowedFd<'_>) -> io::Result<()> {
    let path = Path::new(NAMED).join(name);
    open(&path, OFlags::CREATE | OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    Ok(mount_bind(format!("/proc/self/fd/{}", descriptor.as_raw_fd()), &path)?)
}

/// What `netwright __hold` does: nothing, away from any terminal, until it is ended.
pub fn hold() -> ! {
    // It fails only for a process that leads its group already, which is as good.
    let _ = setsid();
    loop {
        std::thread::park();
    }
}

/// Ends every process of the lab, the holder last, and waits until they are gone.
pub(super) fn end(record: &Record) -> Result<(), Failure> {
    let failed = |error: io::Error| {
        let message = format!("can't end process {} of lab `{}`: {error}", record.pid, record.name);
        Failure::new(Exit::UndoIncomplete, message)
    };
    let Some(pid) = Pid::from_raw(record.pid.cast_signed()) else { return Ok(()) };
    let holder = match pidfd_open(pid, PidfdFlags::empty()) {
        Err(rustix::io::Errno::SRCH) => return Ok(()),
        opened => opened.map_err(|error| failed(error.into()))?,
    };
    // Asked again with the process pinned: the pid may have gone to another one meanwhile.
    if !record.is_alive() {
        return Ok(());
    }
    for inhabitant in inhabitants(record.pid) {
        // Whoever ended by itself meanwhile needs no signal.
        let _ = kill_process(inhabitant, Signal::KILL);
    }
    pidfd_send_signal(&holder, Signal::KILL).map_err(|error| failed(error.into()))?;
    let patience = Timespec { tv_sec: 10, tv_nsec: 0 };
    match poll(&mut [PollFd::new(&holder, PollFlags::IN)], Some(&patience)) {
        Ok(0) => Err(failed(io::Error::from(io::ErrorKind::TimedOut))),
        Ok(_) => Ok(()),
        Err(error) => Err(failed(error.into())),
    }
}

/// The other processes in the holder's user namespace.
fn inhabitants(holder: u32) -> Vec<Pid> {
    let space = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/user")).ok();
    let Some(lab) = space(&holder.to_string()) else { return Vec::new() };
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    processes
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|pid| pid.bytes().all(|byte| byte.is_ascii_digit()))
        .filter(|pid| *pid != holder.to_string() && space(pid).as_ref() == Some(&lab))
        .filter_map(|pid| Pid::from_raw(pid.parse().ok()?))
        .collect()
}
