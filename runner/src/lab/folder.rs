//! The folder with a record for each kept lab: the operator's own, on tmpfs where there is one.
//!
//! Whoever holds a lab holds its record's lock (flock(2)), from before the record can be seen until
//! the kernel ends both. So a record whose lock is free tells of a lab that is gone, and one whose
//! lock is held of one that lives: no process's number is believed, from whichever namespaces one
//! looks.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::fs::{
    AtFlags, CWD, Dir, FlockOperation, Mode, OFlags, RenameFlags, flock, linkat, openat,
    renameat_with, unlinkat,
};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::hold::{self, Holder};
use super::origin::Origin;
use super::sweeper::Sweeper;
use crate::crash;
use crate::exit::{Exit, Failure};
use crate::file::bounded;
use crate::naming::{self, Taken, title};
use crate::store;

/// Records are small; more is somebody else's file.
const LONGEST_RECORD: u64 = 1 << 20;
const LABS: &str = store::LABS;
const SUFFIX: &str = ".json";
/// The form of records that this program writes. Those of 1 were locked by nobody.
const SCHEMA: u32 = 2;

/// A kept lab.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Record {
    pub schema: u32,
    pub name: String,
    /// The process that holds the lab, as whoever kept it numbers processes: for people, and as
    /// where to look first.
    pub pid: u32,
    pub boot: String,
    /// Seconds since 1970.
    pub created: u64,
    pub scenario: String,
    pub namespaces: usize,
}

/// A lab that is there: its record, and the record's file, which the process that holds the lab has
/// open as well.
#[derive(Debug)]
pub struct Lab {
    pub record: Record,
    pub(super) file: File,
}

/// What a record is to who reads it.
enum Found {
    Lab(Lab),
    /// another version's, which may be of a lab that is there
    Other {
        schema: u64,
        process: Option<u64>,
    },
    /// of another boot: what it tells of is gone
    Past,
    /// nobody can tell what it says, and why
    Unread(String),
}

/// The folder, by descriptor, so that it stays the same one whatever is mounted over it.
pub struct Folder {
    path: PathBuf,
    descriptor: OwnedFd,
}

/// A name that is ours, for a lab that is about to be made.
pub struct Reservation {
    folder: Folder,
    taken: Taken,
    scenario: String,
    /// a deployment: nothing is kept of what failed a check
    strict: bool,
    /// takes the lab apart that has the name until this one is ready
    sweeper: Option<Sweeper>,
}

impl Folder {
    pub fn open() -> Result<Self, Failure> {
        let path = store::path().join(LABS);
        let descriptor = store::open_records(LABS, "records of labs")?;
        Ok(Self { path, descriptor })
    }

    /// For a lab that is about to be made under a name that is ours, and that no lab has.
    pub(crate) fn reserve(self, taken: Taken, scenario: &str) -> Result<Reservation, Failure> {
        let name = taken.name();
        if self.has(name)? {
            return Err(Failure::usage(format!(
                "lab `{name}` is kept already\n  help: `netwright destroy {name}` takes it apart"
            )));
        }
        self.sweep(&taken)?;
        Ok(Reservation {
            folder: self,
            taken,
            scenario: scenario.to_owned(),
            strict: false,
            sweeper: None,
        })
    }

    /// The same for a deployment. A lab that has the name already keeps it until the new one is
    /// held, and is taken apart then.
    pub(crate) fn replace(self, taken: Taken, scenario: &str) -> Result<Reservation, Failure> {
        self.sweep(&taken)?;
        let old = self.has(taken.name())?;
        let sweeper = old.then(|| Sweeper::start(taken.name())).transpose()?;
        let scenario = scenario.to_owned();
        Ok(Reservation { folder: self, taken, scenario, strict: true, sweeper })
    }

    /// The lab of that name, where there is one.
    ///
    /// # Errors
    /// Where another version of this program has one of that name.
    pub fn find(&self, name: &str) -> Result<Option<Lab>, Failure> {
        if title(name).is_err() {
            return Ok(None);
        }
        match self.read(&file_name(name)) {
            Some(Found::Other { schema, process }) => {
                Err(self.of_another_version(name, schema, process))
            }
            Some(Found::Unread(why)) => Err(self.unread(name, &why)),
            Some(Found::Lab(lab)) if lab.record.name != name => {
                Err(self.unread(name, "it is another lab's"))
            }
            Some(Found::Lab(lab)) if lab.is_alive() => Ok(Some(lab)),
            // A copy has no lock.
            Some(Found::Lab(lab)) if hold::is_there(lab.record.pid) => {
                let why = format!("it is not the one that process {} holds", lab.record.pid);
                Err(self.unread(name, &why))
            }
            Some(Found::Lab(_) | Found::Past) | None => Ok(None),
        }
    }

    fn unread(&self, name: &str, why: &str) -> Failure {
        let file = crate::text::path(self.path.join(file_name(name)));
        let help = match self.held_unread(name) {
            Some(_) => {
                format!("put `{file}` right, or `netwright destroy {name}` takes the lab apart")
            }
            None => format!(
                "put `{file}` right, or end the lab's process, if it lives, and remove that file"
            ),
        };
        let message = format!(
            "the record of lab `{name}` can't be read, so that it is left as it is: {why}\n  help: {help}"
        );
        Failure::new(Exit::Broken, message)
    }

    /// A lab whose record tells nothing any more, but is still the one that its process holds: all that
    /// has to be known to take it apart.
    fn held_unread(&self, name: &str) -> Option<Lab> {
        title(name).ok()?;
        let file = store::open_own(&self.descriptor, &file_name(name), OFlags::RDONLY).ok()?;
        if Self::found(file.try_clone().ok()?).is_ok() {
            return None;
        }
        let (name, boot, scenario) = (name.to_owned(), String::new(), String::new());
        let (schema, pid, created, namespaces) = (SCHEMA, 0, 0, 0);
        let record = Record { schema, name, pid, boot, created, scenario, namespaces };
        Some(Lab { record, file }).filter(Lab::is_alive)
    }

    fn of_another_version(&self, name: &str, schema: u64, process: Option<u64>) -> Failure {
        let file = crate::text::path(self.path.join(file_name(name)));
        let process =
            process.map_or_else(|| "its process".to_owned(), |pid| format!("process {pid}"));
        let message = format!(
            "lab `{name}` was kept by another version of netwright: its record has schema {schema}, and this one knows {SCHEMA}\n  help: let that version take it apart; else end {process}, where it still is that lab's, and remove `{file}`"
        );
        Failure::new(Exit::Broken, message)
    }

    pub fn has(&self, name: &str) -> Result<bool, Failure> {
        self.find(name).map(|lab| lab.is_some())
    }

    /// None where there is none.
    fn read(&self, name: &str) -> Option<Found> {
        let file = match store::open_own(&self.descriptor, name, OFlags::RDONLY) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => return Some(Found::Unread(error.to_string())),
        };
        Some(Self::found(file).unwrap_or_else(|error| Found::Unread(error.to_string())))
    }

    fn found(file: File) -> io::Result<Found> {
        let text = bounded(&file, LONGEST_RECORD).map_err(io::Error::other)?;
        let value: Value = serde_json::from_slice(&text)?;
        let boot = value.get("boot").and_then(Value::as_str);
        let Some(schema) = value.get("schema").and_then(Value::as_u64) else {
            return Err(io::Error::other("it has no schema"));
        };
        if boot.is_some_and(store::is_another_boot) {
            return Ok(Found::Past);
        }
        if schema != u64::from(SCHEMA) {
            // Whatever else its form is.
            let process = value.get("pid").and_then(Value::as_u64);
            return Ok(Found::Other { schema, process });
        }
        Ok(Found::Lab(Lab { record: serde_json::from_value(value)?, file }))
    }

    /// All labs that are there, by name. Records of labs that are gone are removed.
    pub fn all(&self) -> Vec<Record> {
        let mut records = Vec::new();
        for name in self.names() {
            match self.find(&name) {
                Ok(Some(lab)) => records.push(lab.record),
                // Nobody can give the name to another one meanwhile.
                Ok(None) => {
                    if let Ok(Some(taken)) = Taken::at_once(&name) {
                        self.remove_dead(&taken);
                    }
                }
                Err(_) => {}
            }
        }
        records.sort_by(|one, other| one.name.cmp(&other.name));
        records
    }

    /// Those that nobody here can go by, such as other versions': names, and why.
    pub fn strange(&self) -> Vec<(String, Failure)> {
        let strange = |name: String| self.find(&name).err().map(|failure| (name, failure));
        let mut strange: Vec<_> = self.names().into_iter().filter_map(strange).collect();
        strange.sort_by(|(one, _), (other, _)| one.cmp(other));
        strange
    }

    /// Of all records, whatever is in them.
    fn names(&self) -> Vec<String> {
        let Ok(entries) = Dir::read_from(&self.descriptor) else { return Vec::new() };
        let files = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
        files.filter_map(|file| file.strip_suffix(SUFFIX).map(str::to_owned)).collect()
    }

    /// What another boot or a killed process left behind.
    fn remove_dead(&self, taken: &Taken) {
        if let Ok(None) = self.find(taken.name()) {
            // Where it can't be removed it means nothing all the same.
            let _ = unlinkat(&self.descriptor, file_name(taken.name()), AtFlags::empty());
        }
    }

    /// Takes apart what has the name, and says whether anything had.
    pub(super) fn destroy(&self, taken: &Taken) -> Result<bool, Failure> {
        self.sweep(taken)?;
        let name = taken.name();
        let lab = self.find(name).or_else(|failure| match self.held_unread(name) {
            Some(lab) => Ok(Some(lab)),
            None => Err(failure),
        })?;
        lab.as_ref().map_or(Ok(()), hold::end)?;
        self.forget(&file_name(name))?;
        Ok(lab.is_some())
    }

    /// Takes apart what a run under this name left that was killed while one lab took another one's
    /// place.
    pub(super) fn sweep(&self, taken: &Taken) -> Result<(), Failure> {
        self.sweep_draft(&draft_name(taken.name()))
    }

    fn sweep_draft(&self, draft: &str) -> Result<(), Failure> {
        match self.read(draft) {
            Some(Found::Lab(lab)) if lab.is_alive() => hold::end(&lab)?,
            // What another version has begun it ends.
            Some(Found::Other { .. } | Found::Unread(_)) => return Ok(()),
            Some(Found::Lab(_) | Found::Past) | None => {}
        }
        self.forget(draft)
    }

    fn forget(&self, file: &str) -> Result<(), Failure> {
        match unlinkat(&self.descriptor, file, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(Failure::new(
                Exit::UndoIncomplete,
                format!("can't remove record `{file}` of a lab: {error}"),
            )),
        }
    }

    /// A record that nobody can see yet, and its lock.
    fn draft(&self) -> io::Result<File> {
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        let file = File::from(openat(&self.descriptor, ".", flags, Mode::RUSR | Mode::WUSR)?);
        flock(&file, FlockOperation::NonBlockingLockExclusive)?;
        Ok(file)
    }

    /// Shows a record to everybody, in place of the one that has its name.
    fn show(&self, mut file: &File, record: &Record) -> io::Result<()> {
        file.write_all(serde_json::to_string_pretty(record)?.as_bytes())?;
        let (draft, name) = (draft_name(&record.name), file_name(&record.name));
        let source = format!("/proc/self/fd/{}", file.as_raw_fd());
        linkat(CWD, source, &self.descriptor, &draft, AtFlags::SYMLINK_FOLLOW)?;
        crash::point();
        let folder = &self.descriptor;
        match renameat_with(folder, &draft, folder, &name, RenameFlags::EXCHANGE) {
            // There is no other one.
            Err(Errno::NOENT) => {
                Ok(renameat_with(folder, &draft, folder, &name, RenameFlags::NOREPLACE)?)
            }
            exchanged => Ok(exchanged?),
        }
    }
}

impl Lab {
    /// Whether some process holds it.
    fn is_alive(&self) -> bool {
        flock(&self.file, FlockOperation::NonBlockingLockShared) == Err(Errno::WOULDBLOCK)
    }
}

impl Reservation {
    /// Gives the lab that this process is in to a process that holds it, and takes apart the one
    /// whose place it takes.
    pub(crate) fn keep<'a>(
        &mut self,
        namespaces: &[(String, BorrowedFd<'a>)],
        origin: Origin,
    ) -> Result<(), Failure> {
        let path = self.folder.path.clone();
        let failed = |step: &str, error: io::Error| {
            let doing = format!("can't keep the lab in `{}`: {step}", crate::text::path(&path));
            Failure::of_system(doing, &error, Exit::Broken)
        };
        hold::name(namespaces)?;
        let boot = store::boot_id().map_err(|error| failed("note the boot", error))?.to_owned();
        let file = self.folder.draft().map_err(|error| failed("make its record", error))?;
        let holder = Holder::start(origin, file.as_fd())
            .map_err(|error| failed("start its process", error))?;
        crash::point();
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let record = Record {
            schema: SCHEMA,
            name: self.taken.name().to_owned(),
            pid: holder.process(),
            boot,
            created: since.map_or(0, |since| since.as_secs()),
            scenario: self.scenario.clone(),
            namespaces: namespaces.len(),
        };
        self.folder.show(&file, &record).map_err(|error| failed("write its record", error))?;
        crash::point();
        holder.release();
        // The lock is the holder's alone from now on.
        drop(file);
        match self.sweeper.take() {
            Some(sweeper) => sweeper.sweep(self.taken.name()),
            // At most a record of nobody was in the way.
            None => self.folder.forget(&draft_name(self.taken.name())),
        }
    }

    pub fn name(&self) -> &str {
        self.taken.name()
    }

    /// Whether a run that ended so is worth keeping: one to look into, or a deployment that works.
    pub fn wants(&self, exit: Exit) -> bool {
        exit == Exit::Done || (exit == Exit::Failed && !self.strict)
    }
}

impl Folder {
    /// The same for a process that this one's starter has the name for.
    pub(super) fn sweep_for(&self, name: &str) -> Result<(), Failure> {
        self.sweep_draft(&draft_name(name))
    }
}

/// Ends what killed runs left of labs, where nobody works on them.
pub(crate) fn sweep() -> Result<(), Failure> {
    let folder = Folder::open()?;
    for name in folder.names() {
        let left = name.strip_prefix('.').map(naming::Taken::at_once);
        if let Some(Ok(Some(taken))) = left {
            folder.sweep(&taken)?;
        }
    }
    Ok(())
}

fn file_name(lab: &str) -> String {
    format!("{lab}{SUFFIX}")
}

/// While one record takes another one's place; no lab has such a name.
fn draft_name(lab: &str) -> String {
    format!(".{lab}{SUFFIX}")
}
