//! The two processes between the runner and a program.

use std::io::{self, stdin};
use std::os::fd::AsFd as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{ExitStatus, Stdio};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};
use rustix::process::{Signal, getppid, set_parent_process_death_signal, setsid};

use crate::exit::{Exit, Failure};
use crate::kernel::netns;
use crate::process;

/// All that a program gets of an environment.
const ENVIRONMENT: [(&str, &str); 3] = [
    ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
    ("HOME", "/"),
    ("LANG", "C.UTF-8"),
];

/// What `netwright __program RUNNER PROGRAM ARGUMENT…` does, with the network namespace as its
/// standard input: starts the first process of the program's own, and ends as that does.
pub fn enter(runner: u32, words: &[String]) -> Result<Exit, Failure> {
    let failed = |what: &'static str| {
        move |error: io::Error| Failure::new(Exit::NotExecutable, format!("{what}: {error}"))
    };
    set_parent_process_death_signal(Some(Signal::KILL))
        .map_err(|errno| failed("prctl")(errno.into()))?;
    if getppid().is_none_or(|parent| parent.as_raw_pid().cast_unsigned() != runner) {
        return Err(Failure::new(Exit::Broken, "the run is over"));
    }
    // A terminal's signals are for the run, which ends this.
    let _ = setsid();
    netns::join_network(stdin().as_fd()).map_err(failed("can't enter the network namespace"))?;
    netns::unshare_processes().map_err(failed("can't make a process namespace"))?;
    let mut first = process::itself("__first")
        .args(words)
        .stdin(Stdio::piped())
        .spawn()
        .map_err(failed("can't start the first process"))?;
    // Its other end is held until this process ends, and tells that by being closed.
    let _held = first.stdin.take();
    let status = first.wait().map_err(failed("can't wait for the program"))?;
    std::process::exit(code(status))
}

/// What `netwright __first PROGRAM ARGUMENT…` does, as the first process of a namespace.
pub fn first(words: &[String]) -> Result<Exit, Failure> {
    let broken = |error: io::Error| Failure::new(Exit::Broken, error.to_string());
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(|errno| broken(errno.into()))?;
    let input = stdin();
    let gone = poll(&mut [PollFd::new(&input, PollFlags::empty())], Some(&Timespec::default()));
    if gone != Ok(0) {
        return Err(Failure::new(Exit::Broken, "the run is over"));
    }
    mounts();
    let Some((program, arguments)) = words.split_first() else {
        return Err(Failure::usage("no program is given"));
    };
    let started = process::program(program)
        .args(arguments)
        .env_clear()
        .envs(ENVIRONMENT)
        .stdin(Stdio::null())
        .process_group(0)
        .spawn();
    match started {
        Ok(mut running) => {
            let status = running.wait().map_err(broken)?;
            // With this process go all others of the namespace.
            std::process::exit(code(status))
        }
        Err(error) => {
            let exit = match error.kind() {
                io::ErrorKind::NotFound => Exit::NotFound,
                _ => Exit::NotExecutable,
            };
            Err(Failure::new(exit, format!("can't run `{}`: {error}", program.escape_debug())))
        }
    }
}

/// Its own /proc and /sys, where the machine allows that: some containers forbid it, and the
/// program then sees theirs.
fn mounts() {
    let private = MountPropagationFlags::REC | MountPropagationFlags::PRIVATE;
    if mount_change("/", private).is_ok() {
        let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
        let _ = mount("proc", "/proc", "proc", flags, None);
        let _ = mount("sysfs", "/sys", "sysfs", flags, None);
    }
}

fn code(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(255)
}
