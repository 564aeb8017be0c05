//! Takes back what runs on the host left behind, by their journals: after a crash, when a
//! deployment was not confirmed in time, or because somebody asks for it.

mod command;
mod watch;

use std::io::{self, Write as _};

pub(crate) use command::{busy, destroy_or_fail, remember};
pub use command::{confirm, destroy, gc};
pub use watch::watch;
pub(crate) use watch::{moment_after, now, start as watch_over};

use crate::crash;
use crate::exit::{Exit, Failure};
use crate::halt::signals;
use crate::journal::{Entry, Fate, Folder, History, Kept, Log, Owned, Record};
use crate::kernel::{Kernel, Netlink};
use crate::report::counted;

/// What came of taking a run back.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Recovered {
    /// the run, by its link group
    pub run: String,
    /// of the scenario, recipe or deployment
    pub name: String,
    pub undone: usize,
    /// what is still there, and why
    pub left: Vec<String>,
    /// by whoever sent a second signal
    #[serde(skip)]
    stopped: bool,
}

impl Recovered {
    /// For people: one line, and one for each thing that is left.
    pub fn shown(&self) -> String {
        let Self { run, name, undone, left, stopped: _ } = self;
        let undone = counted(*undone, "change");
        let mut text = format!("run {run} of `{name}`: {undone} undone");
        for what in left {
            text.push_str(&format!("\n  left: {what}"));
        }
        text
    }

    fn exit(all: &[Self]) -> Exit {
        if all.iter().all(|one| one.left.is_empty()) { Exit::Done } else { Exit::UndoIncomplete }
    }
}

/// Takes back every run that has ended without doing so itself, and every deployment whose time
/// to be confirmed is over.
pub fn overdue(folder: &Folder) -> Vec<Recovered> {
    recover_all(folder, false)
}

/// The same, and what was given up before.
fn unfinished(folder: &Folder) -> Vec<Recovered> {
    recover_all(folder, true)
}

fn recover_all(folder: &Folder, given_up_too: bool) -> Vec<Recovered> {
    let due = |history: &History| match history.fate() {
        Fate::Undone => true,
        Fate::Until(moment) => moment <= watch::now(),
        Fate::Left => given_up_too,
        Fate::Stays => false,
    };
    let mut recovered = Vec::new();
    for file in folder.files() {
        if let Some(owned) = folder.take(&file).filter(|owned| due(&owned.history)) {
            recovered.push(recover(folder, owned));
        }
        if recovered.last().is_some_and(|last: &Recovered| last.stopped) {
            break;
        }
    }
    recovered
}

/// Takes back one run, newest change first, and goes on past failures. Its journal goes with the
/// last of it.
pub fn recover(folder: &Folder, owned: Owned) -> Recovered {
    let file = owned.file().to_owned();
    let history = &owned.history;
    let name = history.name().to_owned();
    let run = format!("{:08x}", history.head.group);
    let mut recovered = Recovered { run, name, undone: 0, left: Vec::new(), stopped: false };
    let opened = Netlink::for_recovery(history).map(|kernel| (kernel, history.clone()));
    let (kernel, history) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            recovered.left.push(format!("the network of the run can't be entered: {error}"));
            return recovered;
        }
    };
    match owned.into_log() {
        Ok((_, log)) => {
            let recovery = Recovery { kernel, history, log, recovered: &mut recovered };
            if recovery.carry_out() {
                return recovered;
            }
        }
        Err(error) => recovered.left.push(format!("its journal can't be written: {error}")),
    }
    if recovered.left.is_empty()
        && let Err(error) = folder.remove(&file)
    {
        recovered.left.push(format!("its journal can't be removed: {error}"));
    }
    recovered
}

struct Recovery<'a> {
    kernel: Netlink,
    history: History,
    log: Log,
    recovered: &'a mut Recovered,
}

impl Recovery<'_> {
    /// Whether a deployment stays, which was to be altered.
    fn carry_out(mut self) -> bool {
        let entries: Vec<Entry> = self.history.to_undo().cloned().collect();
        let _held = signals::held();
        let mut told = false;
        for (place, entry) in entries.iter().enumerate() {
            if signals::answer().is_some() {
                let rest = &entries[place..];
                if told {
                    let left = |entry: &Entry| format!("{}: a signal ended it", entry.change);
                    self.recovered.left.extend(rest.iter().map(left));
                    self.recovered.stopped = true;
                    if self.history.reopened.is_none() {
                        // Also of a deployment, which was about to go: `gc` is to finish it.
                        let _: io::Result<()> = self.log.write(&Record::GivenUp);
                    }
                    return true;
                }
                told = true;
                tell_on(rest.len());
            }
            crash::point();
            let outcome = self.kernel.revert(&entry.undo);
            let differences = self.kernel.differences(&entry.undo);
            match outcome {
                Err(error) => self.recovered.left.push(format!("{}: {error}", entry.change)),
                Ok(()) if differences.is_empty() => self.note(entry),
                Ok(()) => {
                    let differences = differences.join("; ");
                    self.recovered.left.push(format!("{}: {differences}", entry.change));
                }
            }
        }
        crash::point();
        if let Some((_, kept)) = self.history.reopened.take() {
            if self.recovered.left.is_empty()
                && let Err(error) = self.log.write(&Record::Kept(Kept { until: None, ..kept }))
            {
                self.recovered.left.push(format!("its journal can't be written: {error}"));
            }
            return true;
        }
        self.kernel.sweep(&self.history);
        self.recovered.left.extend(self.kernel.remains());
        false
    }

    fn note(&mut self, entry: &Entry) {
        self.recovered.undone += 1;
        // It is taken back again by the next one where this can't be written: that does nothing.
        let _: io::Result<()> = self.log.write(&Record::Undone { number: entry.number });
    }
}

/// What a first signal is answered with; to standard error, where somebody hears it.
fn tell_on(rest: usize) {
    let _ = writeln!(anstream::stderr(), "{}", going_on(rest));
}

/// The same in words.
pub(crate) fn going_on(rest: usize) -> String {
    let rest = counted(rest, "change");
    format!("taking back goes on, {rest} to go; another signal ends it and leaves them")
}

/// Who alters the host's network has to be allowed to; else it is told so.
pub(crate) fn need_rights(refusal: &str) -> Result<(), Failure> {
    use rustix::thread::{CapabilitySet, capabilities};
    let rights = capabilities(None)
        .map_err(|errno| Failure::new(Exit::Lacking, format!("capabilities: {errno}")))?;
    if rights.effective.contains(CapabilitySet::NET_ADMIN) {
        return Ok(());
    }
    Err(Failure::new(Exit::Lacking, refusal))
}
