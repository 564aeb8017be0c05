//! Processes: where every one that this program starts is started, and every one that it ends is
//! ended.
//!
//! What is started has of this process's descriptors only those that it is given: a lock or a pipe
//! of whoever called netwright would otherwise live on in a process that outlives the call. What is
//! ended is pinned first, by a pidfd, so that its number can't go to another process between look
//! and signal.
#![expect(unsafe_code, reason = "the standard library can't close what it didn't open")]

use std::ffi::OsStr;
use std::io::{self, Read as _};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Output};
use std::time::{Duration, Instant};

use crate::exit::{Exit, Failure};
use crate::halt::{Halt, Halted, signals};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, RawDir, open};
use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, getpid, getppid, kill_process, kill_process_group, pidfd_open,
    pidfd_send_signal, set_parent_process_death_signal,
};

/// This program again, in one of its hidden roles.
pub(crate) fn itself(role: &str) -> Command {
    let mut command = program("/proc/self/exe");
    command.arg(role);
    command
}

/// A program that is started as a child: it gets its three streams and nothing else.
pub(crate) fn program(path: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(path);
    // SAFETY: between fork and exec, and a system call is all that it does.
    unsafe { command.pre_exec(close_others) };
    command
}

/// Why a process of ours was not started, for people: what it is, and what allows it where the machine
/// may have no more of them.
pub(crate) fn not_started(what: &str, error: &io::Error) -> Failure {
    Failure::of_system(format_args!("can't start {what}"), error, Exit::Lacking)
}

/// Becomes a program, which keeps what the caller of netwright has opened for it. Returns only when
/// that fails.
pub(crate) fn become_program(path: &OsStr, arguments: &[impl AsRef<OsStr>]) -> io::Error {
    Command::new(path).args(arguments).exec()
}

/// All but the three streams goes with the coming exec.
fn close_others() -> io::Result<()> {
    // The standard library tells by a descriptor of its own whether the exec came about; so they
    // are closed by that, and not here.
    let flags = libc::CLOSE_RANGE_CLOEXEC;
    // SAFETY: marks descriptors; nothing is closed and no memory is touched.
    match unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, flags) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// A child that doesn't outlive this value.
#[derive(Debug)]
pub(crate) struct Owned {
    child: Child,
    pinned: Pinned,
}

impl Owned {
    pub(crate) fn start(command: &mut Command) -> io::Result<Self> {
        let mut child = command.spawn()?;
        match Pinned::open(child.id()) {
            Ok(pinned) => Ok(Self { child, pinned }),
            Err(error) => {
                // Not yet waited for, so that its number is still its own.
                let _ = child.kill().and_then(|()| child.wait());
                Err(error)
            }
        }
    }

    pub(crate) fn stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    pub(crate) fn stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    pub(crate) fn stderr(&mut self) -> Option<ChildStderr> {
        self.child.stderr.take()
    }

    pub(crate) fn pinned(&self) -> &Pinned {
        &self.pinned
    }

    pub(crate) fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait()
    }

    /// Ends it with the group that it is the first of. Nobody has waited for it, so that its number,
    /// which is the group's, is still its own.
    fn end_group(&mut self) {
        let number = i32::try_from(self.pinned.number()).ok().and_then(Pid::from_raw);
        for (signal, patience) in [(Signal::TERM, TO_END), (Signal::KILL, Duration::ZERO)] {
            // What is over by now needs no end.
            let _ = number.map(|group| kill_process_group(group, signal));
            let _ = self.pinned.is_over_within(patience);
        }
        self.end();
    }

    /// Ends it if it hasn't ended by itself.
    pub(crate) fn end(&mut self) -> Option<ExitStatus> {
        self.pinned.end().and_then(|()| self.child.wait()).ok()
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        self.end();
    }
}

/// Why there is no output of a group of processes.
#[derive(Debug)]
#[cfg_attr(fuzzing, allow(dead_code, reason = "what builds recipes is left out then"))]
pub(crate) enum Stopped {
    Failed(io::Error),
    Halted(Halted),
}

/// So often it is asked whether a group may go on.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);
/// So long a group that is asked to end may take for it.
const TO_END: Duration = Duration::from_secs(3);

/// Starts a program as the first of a group of processes, and waits for what it writes. The whole
/// group ends before this returns, where it may not go on; and the program itself where this process
/// is killed.
#[cfg_attr(fuzzing, allow(dead_code, reason = "what builds recipes is left out then"))]
pub(crate) fn output_of_group(command: &mut Command, halt: &Halt) -> Result<Output, Stopped> {
    let parent = getpid();
    // SAFETY: between fork and exec, and system calls are all that it does.
    unsafe {
        command.process_group(0).pre_exec(move || {
            close_others()?;
            set_parent_process_death_signal(Some(Signal::TERM))?;
            match getppid() == Some(parent) {
                true => Ok(()),
                false => Err(Errno::SRCH.into()),
            }
        })
    };
    let _held = signals::held();
    let mut owned = Owned::start(command).map_err(Stopped::Failed)?;
    let stdout = owned.stdout();
    let reader = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        stdout.map_or(Ok(0), |mut stdout| stdout.read_to_end(&mut bytes)).map(|_| bytes)
    });
    while !owned.pinned.is_over_within(BETWEEN_LOOKS).map_err(Stopped::Failed)? {
        if let Err(why) = halt.may_go_on() {
            owned.end_group();
            return Err(Stopped::Halted(why));
        }
    }
    let status = owned.wait().map_err(Stopped::Failed)?;
    let read = reader.join().map_err(|_| io::Error::other("its output can't be read"));
    let stdout = read.and_then(|read| read).map_err(Stopped::Failed)?;
    Ok(Output { status, stdout, stderr: Vec::new() })
}

/// A process, by descriptor: the same one, whatever becomes of its number.
#[derive(Debug)]
pub(crate) struct Pinned {
    process: u32,
    descriptor: OwnedFd,
}

impl Pinned {
    /// # Errors
    /// `ESRCH` where there is none of that number.
    pub(crate) fn open(process: u32) -> io::Result<Self> {
        let number = i32::try_from(process).ok().and_then(Pid::from_raw);
        let pid = number.ok_or(Errno::SRCH)?;
        Ok(Self { process, descriptor: pidfd_open(pid, PidfdFlags::empty())? })
    }

    /// Its number, here and for as long as it isn't over.
    pub(crate) fn number(&self) -> u32 {
        self.process
    }

    /// A file of its below /proc.
    pub(crate) fn path(&self, file: &str) -> String {
        format!("/proc/{}/{file}", self.process)
    }

    pub(crate) fn is_over(&self) -> bool {
        self.is_over_within(Duration::ZERO).unwrap_or(true)
    }

    /// Waits so long for its end.
    pub(crate) fn is_over_within(&self, patience: Duration) -> io::Result<bool> {
        let until = Instant::now() + patience;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let left = Timespec::try_from(left).map_err(|_| io::ErrorKind::InvalidInput)?;
            match poll(&mut [PollFd::new(&self.descriptor, PollFlags::IN)], Some(&left)) {
                Ok(count) => return Ok(count > 0),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    /// Waits for its end, however long it takes.
    pub(crate) fn wait(&self) {
        while poll(&mut [PollFd::new(&self.descriptor, PollFlags::IN)], None) == Err(Errno::INTR) {}
    }

    /// SIGKILL; nothing where it is over.
    pub(crate) fn end(&self) -> io::Result<()> {
        self.signal(Signal::KILL)
    }

    /// SIGTERM: it may end as it likes.
    pub(crate) fn ask_to_end(&self) -> io::Result<()> {
        self.signal(Signal::TERM)
    }

    fn signal(&self, signal: Signal) -> io::Result<()> {
        match pidfd_send_signal(&self.descriptor, signal) {
            Ok(()) | Err(Errno::SRCH) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }

    /// The same process, held by another value.
    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        Ok(Self { process: self.process, descriptor: self.descriptor.try_clone()? })
    }
}

impl AsFd for Pinned {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

/// Looks at every process that can be seen from here, in the order of their numbers, each as soon as
/// it is found: one that is there when the last has been looked at was looked at itself, whatever
/// starts and ends meanwhile, for a new one has a greater number. (Once numbers begin again from the
/// start, which they do after some millions, a second look is needed.)
pub(crate) fn each(mut look: impl FnMut(Pinned)) -> io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = open("/proc", flags, Mode::empty())?;
    // So small that few numbers are read at once: who forks and ends has another one soon.
    let mut buffer = [MaybeUninit::uninit(); 64];
    let mut entries = RawDir::new(folder, &mut buffer);
    while let Some(entry) = entries.next() {
        let number = entry?.file_name().to_str().ok().and_then(|name| name.parse().ok());
        number.and_then(|number| Pinned::open(number).ok()).into_iter().for_each(&mut look);
    }
    Ok(())
}

/// For tests: this process ends as by kill -9.
pub(crate) fn end_self() -> ! {
    let _ = kill_process(getpid(), Signal::KILL);
    // The signal may come a moment later.
    loop {
        std::thread::park();
    }
}

/// For tests: this process stops until somebody sends SIGCONT.
pub(crate) fn stop_self() {
    let _ = kill_process(getpid(), Signal::STOP);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Owned, Pinned, program};

    #[test]
    fn a_child_ends_with_whoever_owns_it() {
        let owned = Owned::start(program("sleep").arg("600")).expect("sleep(1) is installed");
        let pinned = Pinned::open(owned.pinned().number()).expect("it runs");
        assert!(!pinned.is_over());
        drop(owned);
        assert!(pinned.is_over_within(Duration::from_secs(60)).expect("it can be asked"));
        pinned.end().expect("ending what is over does nothing");
    }

    #[test]
    fn there_is_no_process_0() {
        assert!(Pinned::open(0).is_err());
        assert!(Pinned::open(u32::MAX).is_err());
    }
}
