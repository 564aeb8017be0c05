//! Takes back what runs on the host left behind, by their journals: after a crash, when a
//! deployment was not confirmed in time, or because somebody asks for it.

mod command;
mod watch;

use std::io;
use std::mem::take;
use std::time::Duration;

pub(crate) use command::{busy, destroy_or_fail, remember};
pub use command::{confirm, destroy, forget, gc};
pub(crate) use watch::start as watch_over;
pub use watch::watch;

use netwright_network::shell::Word;

use crate::clock;
use crate::crash;
use crate::exit::{Exit, Failure};
use crate::halt::signals;
use crate::journal::{Entry, Fate, Folder, History, Kept, Log, Owned, Record, Strange};
use crate::kernel::again::{self, Late};
use crate::kernel::{Kernel, Netlink};
use crate::report::Line;
use crate::text::counted;

/// A namespace without a name may be there so long after the last word of the run that had it: what
/// is found by nobody then counts as out of reach.
const GOING: Duration = Duration::from_secs(10);
/// The same, however long ago that was.
const AT_LEAST: Duration = Duration::from_secs(1);

/// What came of taking a run back.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Recovered {
    /// the run, by its link group; of a lab there is none
    #[serde(skip_serializing_if = "String::is_empty")]
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
        let mut text = match run.is_empty() {
            true => format!("`{name}`: nothing undone"),
            false => format!("run {run} of `{name}`: {undone} undone"),
        };
        for what in left {
            text.push_str(&format!("\n  left: {what}"));
        }
        text
    }

    /// Of one whose journal nobody here can go by.
    fn left_alone(strange: &Strange) -> Self {
        Self {
            run: strange.run.clone(),
            name: strange.shown(),
            undone: 0,
            left: vec![format!("{}\n  help: {}", strange.why(), strange.help())],
            stopped: false,
        }
    }

    /// Of a lab of another version, which may be there.
    fn lab_left_alone(name: &str, why: String) -> Self {
        let name = name.escape_debug().to_string();
        Self { run: String::new(), name, undone: 0, left: vec![why], stopped: false }
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
        Fate::Until(moment) => moment <= clock::now(),
        Fate::Left => given_up_too,
        Fate::Stays => false,
    };
    let mut recovered = Vec::new();
    for file in folder.files() {
        // Who asks for what is left waits for it; a run that starts does not.
        let owned = if given_up_too { folder.take_left(&file) } else { folder.take(&file) };
        let owned = owned.filter(|owned| due(&owned.history));
        // Of one that is damaged nobody knows whether it is due.
        if let Some(owned) = owned.filter(|owned| owned.history.flaw.is_none()) {
            recovered.push(recover(folder, owned));
        }
        if recovered.last().is_some_and(|last: &Recovered| last.stopped) {
            break;
        }
    }
    let left = folder.strange().into_iter().filter(|strange| !strange.alive);
    recovered.extend(left.map(|strange| Recovered::left_alone(&strange)));
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
    let (mut kernel, history) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            recovered.left.push(format!("the network of the run can't be entered: {error}"));
            return recovered;
        }
    };
    if !kernel.has_root() && !history.is_empty() {
        recovered.left.push(out_of_reach(&history));
        return recovered;
    }
    kernel.wait_for_absent(&history, GOING.saturating_sub(owned.quiet()).max(AT_LEAST));
    // Nothing is written on a journal that can't be read to its end.
    let log = match history.flaw {
        Some(_) => None,
        None => match owned.into_log() {
            Ok((_, log)) => Some(log),
            Err(error) => {
                recovered.left.push(format!("its journal can't be written: {error}"));
                return recovered;
            }
        },
    };
    let strange = Strange::of_history(file.clone(), &history, false);
    let late = Late::default();
    let recovery = Recovery { kernel, history, log, recovered: &mut recovered, late };
    let stays = recovery.carry_out();
    if let Some(strange) = strange {
        let name = strange.pasted();
        recovered.left.push(format!(
            "{}, so that more may be left\n  help: look for it, then `netwright gc --forget {name}`",
            strange.why()
        ));
    }
    if recovered.left.is_empty()
        && !stays
        && let Err(error) = folder.remove(&file)
    {
        recovered.left.push(format!("its journal can't be removed: {error}"));
    }
    recovered
}

/// What is told of a run whose network isn't there where somebody wants to take it back.
fn out_of_reach(history: &History) -> String {
    let name = history.name().escape_debug();
    let verb = match &history.kept {
        Some(_) => format!("destroy {name}"),
        None => "gc".to_owned(),
    };
    let count = counted(history.to_undo().count(), "change");
    format!(
        "the network namespace of this run isn't found, so that nothing of its {count} was taken back\n  help: run `netwright {verb}` in the network, mount and process namespace that it was made in; where that is gone for good, `netwright gc --forget {name}`"
    )
}

struct Recovery<'a> {
    kernel: Netlink,
    history: History,
    log: Option<Log>,
    recovered: &'a mut Recovered,
    late: Late<Entry>,
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
                    self.tell_late();
                    let left = |entry: &Entry| format!("{}: a signal ended it", entry.change);
                    self.recovered.left.extend(rest.iter().map(left));
                    self.recovered.stopped = true;
                    if self.history.reopened.is_none() {
                        // Also of a deployment, which was about to go: `gc` is to finish it.
                        if let Some(log) = &mut self.log {
                            let _: io::Result<()> = log.write(&Record::GivenUp);
                        }
                    }
                    return true;
                }
                told = true;
                tell_on(rest.len());
            }
            crash::point();
            self.take_back(entry);
        }
        self.try_again();
        crash::point();
        if let Some((_, kept)) = self.history.reopened.take() {
            if self.recovered.left.is_empty()
                && let Some(log) = &mut self.log
                && let Err(error) = log.write(&Record::Kept(Kept { until: None, ..kept }))
            {
                self.recovered.left.push(format!("its journal can't be written: {error}"));
            }
            return true;
        }
        self.kernel.sweep(&self.history);
        for namespace in self.kernel.made_out_of_reach(&self.history) {
            let left = &mut self.recovered.left;
            if !left.iter().any(|what| what.contains(namespace)) {
                left.push(unfound(namespace, &self.history));
            }
        }
        self.recovered.left.extend(self.kernel.remains());
        // What is left of a deployment that somebody took back is none any more.
        if !self.recovered.left.is_empty()
            && self.history.fate() == Fate::Stays
            && let Some(log) = &mut self.log
        {
            let _: io::Result<()> = log.write(&Record::GivenUp);
        }
        false
    }

    fn take_back(&mut self, entry: &Entry) {
        let change = &entry.change;
        if self.history.flaw.is_some() && !entry.certain {
            let left = format!("{change}: whether it was made is not to be read");
            self.recovered.left.push(left);
            return;
        }
        let mut undo = again::undecided(&entry.undo, self.history.taken_back_since(entry));
        // A deployment was read back when it was made, so that what is otherwise now is somebody's;
        // unless it is the deployment's own that isn't back.
        if self.history.kept.is_some() && self.late.is_empty() {
            let told;
            (undo, told) = self.kernel.without_theirs(&entry.change, &undo, self.late.settings());
            told.into_iter().for_each(|line| Line::new().message(line).complain());
        }
        self.late.note(&undo);
        match again::take_back(&mut self.kernel, &undo) {
            Ok(()) => self.settle(entry),
            Err(unfinished) => self.late.add(entry.clone(), unfinished),
        }
    }

    /// What is back, as far as it can be reached.
    fn settle(&mut self, entry: &Entry) {
        match self.kernel.out_of_reach(&self.history, entry) {
            None => self.note(entry),
            Some(namespace) => {
                let why = unfound(namespace, &self.history);
                self.recovered.left.push(format!("{}: {why}", entry.change));
            }
        }
    }

    /// What failed at its turn, once all else is back.
    fn try_again(&mut self) {
        let back = self.late.try_again(&mut self.kernel);
        back.iter().for_each(|entry| self.settle(entry));
        self.tell_late();
    }

    fn tell_late(&mut self) {
        let left = take(&mut self.late).into_left();
        let told = left.map(|(entry, why)| format!("{}: {}", entry.change, why.shown()));
        self.recovered.left.extend(told);
    }

    fn note(&mut self, entry: &Entry) {
        self.recovered.undone += 1;
        // It is taken back again by the next one where this can't be written: that does nothing.
        if let Some(log) = &mut self.log {
            let _: io::Result<()> = log.write(&Record::Undone { number: entry.number });
        }
    }
}

/// What a first signal is answered with; to standard error, where somebody hears it.
fn tell_on(rest: usize) {
    Line::new().message(going_on(rest)).complain();
}

/// The same in words.
pub(crate) fn going_on(rest: usize) -> String {
    let rest = counted(rest, "change");
    format!("taking back goes on, {rest} to go; another signal ends it and leaves them")
}

/// A namespace that is out of reach.
fn unfound(namespace: &str, history: &History) -> String {
    let name = Word(history.name());
    format!(
        "{namespace} isn't found\n  help: take this back in the mount and process namespace where it has its name; where it is gone for good, `netwright gc --forget {name}`"
    )
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
