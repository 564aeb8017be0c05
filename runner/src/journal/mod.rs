//! Remembers each change with what undoes it: the intent before the kernel is asked, the undo
//! after it has answered.
//!
//! A lab's journal lives in memory: what it describes lives in a lab, which the kernel takes apart
//! when the run's process ends, however it ends. On the host it is written to a folder on tmpfs
//! too, where another process finds it.

mod folder;
mod log;
mod strange;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use folder::{Folder, Owned, Told, file_name};
pub use log::Log;
pub use strange::Strange;

pub use crate::records::{
    Borrowed, Claim, Claimed, Entry, Fate, Flaw, Head, History, Kept, Label, MadeLinks,
    NamedFolder, Nature, Reading, Record, SCHEMA, borrowed_by, decode, encode, known, read,
};

use crate::change::{Change, Name, Undo};
use crate::halt::Halt;
use crate::text::help;

/// A change that was made, and how it is taken back.
#[derive(Debug, Clone)]
pub struct Standing {
    number: u64,
    pub change: Change,
    pub undo: Undo,
}

/// The place of a change that is about to be made.
#[derive(Debug)]
pub struct Intent(usize);

/// A run's changes, in the order in which they were made.
#[derive(Debug, Default)]
pub struct Journal {
    entries: Vec<(Change, Option<Undo>)>,
    lasting: Option<Lasting>,
    /// no change was ever written down
    untouched: bool,
    /// the number of its first change, where it goes on with another's
    first: usize,
    /// the deployment that is altered, as it was
    reopened: Option<Kept>,
}

/// A journal that outlives the run.
#[derive(Debug, Clone)]
pub struct Lasting {
    folder: Arc<Folder>,
    file: String,
    log: Arc<Mutex<Log>>,
    claims: Vec<Claim>,
}

impl Lasting {
    pub fn new(folder: Folder, head: &Head, log: Log) -> Self {
        Self {
            folder: Arc::new(folder),
            file: file_name(head.group),
            log: Arc::new(Mutex::new(log)),
            claims: Vec::new(),
        }
    }

    /// One that is written on.
    pub fn resumed(folder: Folder, history: &History, log: Log) -> Self {
        Self { claims: history.claims.clone(), ..Self::new(folder, &history.head, log) }
    }

    /// A panic elsewhere leaves whole records only.
    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn write(&self, record: &Record) -> io::Result<()> {
        self.log().write(record)
    }

    /// A namespace was made and has no name yet.
    pub fn namespace(
        &self,
        name: &Name,
        cookie: u64,
        folder: Option<NamedFolder>,
        id: Option<i32>,
    ) -> io::Result<()> {
        self.write(&Record::Namespace { name: name.clone(), cookie, folder, id })
    }

    /// Claims what a change uses or alters.
    ///
    /// # Errors
    /// The sentence says who has it.
    fn claim(&mut self, claims: Vec<Claim>, halt: &Halt) -> Result<(), String> {
        let unclaimed = |claim: &Claim| !self.claims.contains(claim);
        let new: Vec<Claim> = claims.into_iter().filter(unclaimed).collect();
        if new.is_empty() {
            return Ok(());
        }
        let failed = |error: io::Error| format!("the journals can't be locked: {error}");
        let _lock = self.folder.lock(halt).map_err(failed)?;
        for file in self.folder.files().into_iter().filter(|file| *file != self.file) {
            let (history, alive) = match self.folder.told(&file) {
                Told::Nothing => continue,
                Told::Strange(strange) => return Err(strange.keeps_from(&new)),
                Told::History(history, alive) => match Strange::of_history(file, &history, alive) {
                    Some(strange) => return Err(strange.keeps_from(&new)),
                    None => (history, alive),
                },
            };
            for claim in &new {
                if let Some(theirs) = history.claims.iter().find(|theirs| theirs.excludes(claim)) {
                    return Err(taken(theirs, claim, &history, alive));
                }
            }
        }
        for claim in new {
            self.write(&Record::Claim(claim.clone())).map_err(|error| unwritable(&error))?;
            self.claims.push(claim);
        }
        Ok(())
    }
}

/// Who has what two runs can't both have.
fn taken(theirs: &Claim, ours: &Claim, history: &History, alive: bool) -> String {
    let verb = if theirs.alone { "was altered" } else { "is used" };
    let (name, pid) = (&history.head.name, history.head.pid);
    let (who, remedy) = match &history.kept {
        Some(kept) => {
            let name = &kept.name;
            (format!("deployment `{name}`"), format!("`netwright destroy {name}` takes it back"))
        }
        None if alive => {
            (format!("a run of `{name}` (process {pid})"), "wait until it has ended".to_owned())
        }
        None => (
            format!("a run of `{name}` that was not undone"),
            "`netwright gc` takes back what it left".to_owned(),
        ),
    };
    let what = &ours.what;
    format!("{what} {verb} by {who}, and this run would alter what that relies on{}", help(remedy))
}

pub fn unwritable(error: &io::Error) -> String {
    format!(
        "the journal can't be written, so nothing more is changed: {error}\n  help: make room in {}",
        crate::text::path(crate::store::path())
    )
}

impl Journal {
    /// One that outlives the run.
    pub fn lasting(lasting: Lasting) -> Self {
        let mut journal = Self::default();
        journal.lasting = Some(lasting);
        journal.untouched = true;
        journal
    }

    /// One that goes on with a deployment's. Its own changes alone are taken back by this run, and
    /// by whoever finds it unfinished.
    pub fn reopened(lasting: Lasting, history: &History) -> io::Result<Self> {
        let from = history.next();
        lasting.write(&Record::Reopened { from })?;
        let first = usize::try_from(from).unwrap_or(usize::MAX);
        let mut journal = Self::lasting(lasting);
        journal.first = first;
        journal.reopened = history.kept.clone();
        Ok(journal)
    }

    /// Whether it wants to know of a change's undo before the change is made.
    pub fn wants_foresight(&self) -> bool {
        self.lasting.is_some()
    }

    /// Claims what changes use or alter, for as long as the journal is there.
    pub fn claim(&mut self, claims: Vec<Claim>, halt: &Halt) -> Result<(), String> {
        self.lasting.as_mut().map_or(Ok(()), |lasting| lasting.claim(claims, halt))
    }

    /// # Errors
    /// The change must not be made: if the run ended in the middle, nobody would know of it.
    pub fn intend(&mut self, change: &Change, foreseen: Undo) -> io::Result<Intent> {
        let place = self.entries.len();
        let number = self.number(place);
        self.untouched = false;
        if let Some(lasting) = &self.lasting {
            lasting.write(&Record::Intent { number, change: change.clone(), foreseen })?;
        }
        self.entries.push((change.clone(), None));
        Ok(Intent(place))
    }

    pub fn done(&mut self, Intent(place): Intent, undo: Undo) {
        let number = self.number(place);
        self.note(|| Record::Done { number, undo: undo.clone() });
        self.entries[place].1 = Some(undo);
    }

    /// The kernel said no: there is nothing to undo.
    pub fn failed(&mut self, Intent(place): Intent) {
        self.note(|| Record::Failed { number: self.number(place) });
        self.entries[place].1 = None;
    }

    /// Takes out the newest change that was made.
    pub fn newest(&mut self) -> Option<Standing> {
        while let Some((change, undo)) = self.entries.pop() {
            if let Some(undo) = undo {
                let number = self.number(self.entries.len());
                return Some(Standing { number, change, undo });
            }
        }
        None
    }

    /// A change that was taken out was undone.
    pub fn undone(&self, standing: &Standing) {
        self.note(|| Record::Undone { number: standing.number });
    }

    /// The changes that stand, oldest first.
    pub fn changes(&self) -> impl Iterator<Item = &Change> {
        self.entries.iter().filter(|(_, undo)| undo.is_some()).map(|(change, _)| change)
    }

    /// Takes out the deletions of links that nothing undoes: what the links were is not known.
    pub fn take_lost(&mut self) -> Vec<Change> {
        let is_lost = |(change, undo): &mut (Change, Option<Undo>)| {
            matches!(change, Change::DeleteLink { .. })
                && undo.take_if(|undo| undo.steps.is_empty()).is_some()
        };
        self.entries.extract_if(.., is_lost).map(|(change, _)| change).collect()
    }

    /// What it tells of stays.
    pub fn keep(&mut self, kept: Kept) -> io::Result<()> {
        self.untouched = false;
        self.lasting.as_ref().map_or(Ok(()), |lasting| lasting.write(&Record::Kept(kept)))
    }

    /// Whether it goes on with a deployment, whose mark stays.
    pub fn is_reopened(&self) -> bool {
        self.reopened.is_some()
    }

    fn number(&self, place: usize) -> u64 {
        (self.first + place) as u64
    }

    /// Everything was taken back; a deployment that was to be altered is what it was.
    pub fn finish(&mut self) -> io::Result<()> {
        if let Some(kept) = self.reopened.take() {
            // It stood for good, or it would not have been altered.
            let record = Record::Kept(Kept { until: None, ..kept });
            return self.lasting.take().map_or(Ok(()), |lasting| lasting.write(&record));
        }
        self.lasting.take().map_or(Ok(()), |lasting| lasting.folder.remove(&lasting.file))
    }

    /// Something is left, and nobody but who asks for it shall take it up.
    pub fn give_up(&self) {
        self.note(|| Record::GivenUp);
    }

    /// What has happened already. Where it can't be written, the intent before it is what whoever
    /// recovers goes by, and finds the rest by the mark.
    fn note(&self, record: impl FnOnce() -> Record) {
        if let Some(lasting) = &self.lasting {
            let _ = lasting.write(&record());
        }
    }
}

/// A run that made nothing leaves no journal; one that did ends it in words.
impl Drop for Journal {
    fn drop(&mut self) {
        if self.entries.is_empty() && self.untouched {
            // An empty journal is removed by whoever finds it.
            let _ = self.finish();
        }
    }
}
