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
/// For the operator's own, to end by themselves.
const COURTESY: Duration = Duration::from_secs(3);
/// So many looks in a row that find nobody.
const QUIET_LOOKS: u32 = 2;

/// Gives the lab's namespaces their names under /run/netns, in the lab's own mount namespace.
pub(super) fn name(namespaces: &[(String, BorrowedFd<'_>)]) -> Result<(), Failure> {
    let failed = |step: &str, error: io::Error| {
        Failure::of_system(format_args!("can't keep the lab: {step}"), &error, Exit::Broken)
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
    let find = || {
        let mut found = None;
        // Where nobody can look there is none.
        let _ = process::each(|process| found = found.take().or(Some(process).filter(holds)));
        found
    };
    known.or_else(find).ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::NotFound,
            "the process that holds it can't be seen from here, where other processes are",
        )
    })
}

/// Whether that process holds some lab.
pub(super) fn is_there(process: u32) -> bool {
    let Ok(process) = Pinned::open(process) else { return false };
    let words = fs::read(process.path("cmdline")).unwrap_or_default();
    let role = words.split(|byte| *byte == 0).nth(1);
    role == Some(b"__hold".as_slice()) && !process.is_over()
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
    Inhabitants { space: &space, holder: &holder }.end().map_err(failed)?;
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
struct Inhabitants<'a> {
    space: &'a OwnedFd,
    holder: &'a Pinned,
}

impl Inhabitants<'_> {
    /// Ends all of them, each as soon as it is found: what it has started by then is found behind it.
    /// So one look that finds none is enough, but where the numbers of processes began again.
    fn end(&self) -> io::Result<()> {
        self.send_home()?;
        let until = Instant::now() + PATIENCE;
        let mut quiet = 0;
        while quiet < QUIET_LOOKS {
            let mut ended = Vec::new();
            self.each(|inhabitant| {
                let outcome = inhabitant.end();
                ended.push((inhabitant, outcome));
            })?;
            quiet = if ended.is_empty() { quiet + 1 } else { 0 };
            for (inhabitant, outcome) in ended {
                outcome?;
                let left = until.saturating_duration_since(Instant::now());
                if !inhabitant.is_over_within(left)? {
                    let process = inhabitant.number();
                    return Err(io::Error::other(format!("process {process} doesn't end")));
                }
            }
            if quiet == 0 && Instant::now() >= until {
                let why = "programs in it start others faster than they can be ended";
                return Err(io::Error::other(why));
            }
        }
        Ok(())
    }

    /// The operator's own commands that look into the lab, or have just kept it, are no programs of
    /// its: they are told, and end by themselves with their codes. A program of the lab's may be this
    /// one, too, so that nothing else follows from that.
    fn send_home(&self) -> io::Result<()> {
        let program = |path: &str| statat(CWD, path, AtFlags::empty());
        let Ok(own) = program("/proc/self/exe") else { return Ok(()) };
        let is_netwright = |process: &Pinned| {
            program(&process.path("exe"))
                .is_ok_and(|its| (its.st_dev, its.st_ino) == (own.st_dev, own.st_ino))
        };
        let mut told = Vec::new();
        self.each(|process| told.extend(Some(process).filter(is_netwright)))?;
        told.iter().try_for_each(Pinned::ask_to_end)?;
        let until = Instant::now() + COURTESY;
        for process in &told {
            process.is_over_within(until.saturating_duration_since(Instant::now()))?;
        }
        Ok(())
    }

    fn each(&self, mut look: impl FnMut(Pinned)) -> io::Result<()> {
        process::each(|process| {
            let inside = user_space(&process).and_then(|its| {
                Ok(netns::is_same(&its, self.space)? || netns::is_below(&its, self.space)?)
            });
            // Who may not be asked is in no lab of this user's.
            if process.number() != self.holder.number() && inside.unwrap_or(false) {
                look(process);
            }
        })
    }
}
