//! The process that holds a kept lab: it does nothing, but the lab lives as long as it does.

use std::fs;
use std::io::{self, Read as _};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, fstat, open, statat};
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_bind, mount_change};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::setsid;
use rustix::stdio::dup2_stderr;

use super::folder::Lab;
use super::origin::Origin;
use crate::exit::{Exit, Failure};
use crate::kernel::netns;
use crate::process::{self, Pinned};

/// Where ip(8) and `netwright exec` look for namespaces.
const NAMED: &str = "/run/netns";
/// For processes that were told to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// Gives the lab's namespaces their names under /run/netns, in the lab's own mount namespace.
pub(super) fn name(namespaces: &[(String, BorrowedFd<'_>)]) -> Result<(), Failure> {
    let failed = |step: &str, error: io::Error| {
        Failure::new(Exit::Broken, format!("can't keep the lab: {step}: {error}"))
    };
    mount_named().map_err(|error| failed("mount /run/netns", error))?;
    for (name, descriptor) in namespaces {
        bind(name, *descriptor)
            .map_err(|error| failed(&format!("bind /run/netns/{name}"), error))?;
    }
    Ok(())
}

fn mount_named() -> io::Result<()> {
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    let over = if Path::new(NAMED).is_dir() { NAMED } else { "/run" };
    mount("netwright", over, "tmpfs", flags, Some(c"mode=755"))?;
    if over != NAMED {
        fs::create_dir(NAMED)?;
        mount_bind(NAMED, NAMED)?;
    }
    // What `ip netns add` of a program mounts there, with mounts of its own, is the lab's.
    Ok(mount_change(NAMED, MountPropagationFlags::SHARED)?)
}

fn bind(name: &str, descriptor: BorrowedFd<'_>) -> io::Result<()> {
    let path = Path::new(NAMED).join(name);
    open(&path, OFlags::CREATE | OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    Ok(mount_bind(format!("/proc/self/fd/{}", descriptor.as_raw_fd()), &path)?)
}

/// A process that holds a lab once its record can be seen, and ends if this one does before.
pub(super) struct Holder {
    process: u32,
    /// closed when this process has done its part, or ends
    told: OwnedFd,
}

impl Holder {
    /// Its standard input is what the lab was made by, its standard output the record, and with
    /// that the record's lock.
    pub(super) fn start(origin: Origin, record: BorrowedFd<'_>) -> io::Result<Self> {
        let (waits, told) = pipe_with(PipeFlags::CLOEXEC)?;
        let mut command = process::itself("__hold");
        command.current_dir("/").env_clear();
        command.stdin(Stdio::from(origin.into_file()));
        command.stdout(Stdio::from(record.try_clone_to_owned()?));
        command.stderr(Stdio::from(waits));
        Ok(Self { process: command.spawn()?.id(), told })
    }

    pub(super) fn process(&self) -> u32 {
        self.process
    }

    pub(super) fn release(self) {
        drop(self.told);
    }
}

/// What `netwright __hold` does: nothing, away from any terminal, until it is ended.
pub fn hold() -> ! {
    // It fails only for a process that leads its group already, which is as good.
    let _ = setsid();
    // The end comes when the record is there, or whoever was to write it is gone.
    if let Ok(waits) = io::stderr().as_fd().try_clone_to_owned() {
        let _ = fs::File::from(waits).read(&mut [0]);
    }
    if fstat(io::stdout()).is_ok_and(|record| record.st_nlink == 0) {
        std::process::exit(0);
    }
    if let Ok(null) = fs::File::options().write(true).open("/dev/null") {
        let _ = dup2_stderr(&null);
    }
    loop {
        std::thread::park();
    }
}

/// The process that holds a lab: the one that has the lab's record as its standard output.
///
/// # Errors
/// `NotFound` where it can't be seen: this process is in another process namespace, or may not look.
pub(super) fn holder(lab: &Lab) -> io::Result<Pinned> {
    let record = fstat(&lab.file)?;
    let holds = |process: &Pinned| {
        let output = statat(CWD, process.path("fd/1"), AtFlags::empty());
        output.is_ok_and(|output| (output.st_dev, output.st_ino) == (record.st_dev, record.st_ino))
            && !process.is_over()
    };
    let known = Pinned::open(lab.record.pid).ok().filter(holds);
    known.or_else(|| process::all().find(holds)).ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::NotFound,
            "the process that holds it can't be seen from here, where other processes are",
        )
    })
}

/// Ends every process of a lab, the holder last, and waits until they are gone.
///
/// A process is the lab's when its user namespace is the holder's or one below; and that is a lab's
/// only when it is below this process's own: never that one, nor one that it is in itself.
pub(super) fn end(lab: &Lab) -> Result<(), Failure> {
    let failed = |error: io::Error| {
        let name = &lab.record.name;
        let message = format!("can't take lab `{name}` apart: {error}");
        Failure::new(Exit::UndoIncomplete, message)
    };
    let holder = holder(lab).map_err(|error| {
        Failure::new(
            Exit::Lacking,
            format!(
                "can't take lab `{}` apart: {error}\n  help: run it where the lab was kept",
                lab.record.name
            ),
        )
    })?;
    let space = user_space(&holder).map_err(failed)?;
    let own = netns::user_space("/proc/self/ns/user").map_err(failed)?;
    if !netns::is_below(&space, &own).map_err(failed)? {
        let name = &lab.record.name;
        return Err(Failure::new(
            Exit::Lacking,
            format!(
                "lab `{name}` can't be taken apart from inside\n  help: run it where the lab was kept"
            ),
        ));
    }
    let until = Instant::now() + PATIENCE;
    loop {
        let inhabitants = inhabitants(&space, &holder);
        if inhabitants.is_empty() {
            break;
        }
        for inhabitant in &inhabitants {
            inhabitant.end().map_err(failed)?;
        }
        for inhabitant in &inhabitants {
            let left = until.saturating_duration_since(Instant::now());
            if !inhabitant.is_over_within(left).map_err(failed)? {
                let process = inhabitant.number();
                return Err(failed(io::Error::other(format!("process {process} doesn't end"))));
            }
        }
    }
    holder.end().map_err(failed)?;
    match holder.is_over_within(PATIENCE).map_err(failed)? {
        true => Ok(()),
        false => Err(failed(io::Error::from(io::ErrorKind::TimedOut))),
    }
}

fn user_space(process: &Pinned) -> io::Result<OwnedFd> {
    let space = netns::user_space(&process.path("ns/user"))?;
    // Else it may be another one's, which has the number by now.
    match process.is_over() {
        true => Err(io::Error::other("its process has just ended")),
        false => Ok(space),
    }
}

/// The other processes in a lab's user namespace, and in those below.
fn inhabitants(space: &OwnedFd, holder: &Pinned) -> Vec<Pinned> {
    let lives_there = |process: &Pinned| {
        let inside = user_space(process)
            .and_then(|its| Ok(netns::is_same(&its, space)? || netns::is_below(&its, space)?));
        process.number() != holder.number() && inside.unwrap_or(false)
    };
    process::all().filter(lives_there).collect()
}
