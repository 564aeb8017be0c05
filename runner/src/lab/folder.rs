//! The folder with a record for each kept lab: the operator's own, on tmpfs where there is one.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::fs::{AtFlags, Dir, Mode, OFlags, openat, renameat, unlinkat};
use serde::{Deserialize, Serialize};

use super::hold;
use crate::exit::{Exit, Failure};
use crate::store;

/// Records are small; more is somebody else's file.
const LONGEST_RECORD: u64 = 1 << 20;
const LABS: &str = "labs";

/// A kept lab.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Record {
    pub schema: u32,
    pub name: String,
    /// The process that holds the lab; 0 while the lab is still being made.
    pub pid: u32,
    /// When that process started, in clock ticks since boot (proc(5), stat field 22): pids are
    /// used again.
    pub started: u64,
    pub boot: String,
    /// Seconds since 1970.
    pub created: u64,
    pub scenario: String,
    pub namespaces: usize,
}

impl Record {
    pub fn is_alive(&self) -> bool {
        self.boot == store::boot_id() && store::started(self.pid) == Some(self.started)
    }
}

/// The folder, by descriptor, so that it stays the same one whatever is mounted over it.
pub struct Folder {
    path: PathBuf,
    descriptor: OwnedFd,
}

/// A name that was free and is ours now.
pub struct Reservation {
    folder: Folder,
    name: String,
    kept: bool,
    /// a deployment: nothing is kept of what failed a check
    strict: bool,
    /// the lab that has the name until this one is ready
    replaced: Option<Record>,
}

impl Folder {
    pub fn open() -> Result<Self, Failure> {
        let path = store::path().join(LABS);
        let descriptor = store::open_private(LABS).map_err(|error| {
            let (shown, variable) = (crate::report::path(&path), store::VARIABLE);
            let message = format!(
                "can't use `{shown}` for the records of labs: {error}\n  help: set {variable} to a folder of your own"
            );
            Failure::new(Exit::Lacking, message)
        })?;
        Ok(Self { path, descriptor })
    }

    /// Takes the name for a lab that is about to be made.
    pub fn reserve(self, name: &str, scenario: &str) -> Result<Reservation, Failure> {
        crate::scenario::title(name).map_err(|rule| Failure::usage(format!("--keep: {rule}")))?;
        if self.has(name) {
            return Err(Failure::usage(format!(
                "lab `{name}` is kept already\n  help: `netwright destroy {name}` takes it apart"
            )));
        }
        let record = Record {
            schema: 1,
            name: name.to_owned(),
            pid: std::process::id(),
            started: store::started(std::process::id()).unwrap_or_default(),
            boot: store::boot_id(),
            created: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| since.as_secs()),
            scenario: scenario.to_owned(),
            namespaces: 0,
        };
        self.write(&record)?;
        let name = name.to_owned();
        Ok(Reservation { folder: self, name, kept: false, strict: false, replaced: None })
    }

    /// Takes the name for a lab that is about to be made. A lab that has it already keeps it until
    /// the new one is held, and is taken apart then.
    pub fn replace(self, name: &str, scenario: &str) -> Result<Reservation, Failure> {
        match self.find(name) {
            Err(_) => {
                let mut reservation = self.reserve(name, scenario)?;
                reservation.strict = true;
                Ok(reservation)
            }
            Ok(old) => {
                let (name, replaced) = (name.to_owned(), Some(old));
                Ok(Reservation { folder: self, name, kept: false, strict: true, replaced })
            }
        }
    }

    fn write(&self, record: &Record) -> Result<(), Failure> {
        let draft = format!(".{}.{}", record.name, std::process::id());
        let text = serde_json::to_string_pretty(record).map_err(io::Error::other);
        text.and_then(|text| {
            let flags = OFlags::WRONLY
                | OFlags::CREATE
                | OFlags::TRUNC
                | OFlags::NOFOLLOW
                | OFlags::CLOEXEC;
            let file = openat(&self.descriptor, &draft, flags, Mode::RUSR | Mode::WUSR)?;
            File::from(file).write_all(text.as_bytes())?;
            Ok(renameat(&self.descriptor, &draft, &self.descriptor, file_name(&record.name))?)
        })
        .map_err(|error| {
            let message =
                format!("can't write a record into `{}`: {error}", crate::report::path(&self.path));
            Failure::new(Exit::Lacking, message)
        })
    }

    /// The record of a lab that is there.
    pub fn find(&self, name: &str) -> Result<Record, Failure> {
        let record = crate::scenario::title(name)
            .ok()
            .and_then(|_| self.read(&file_name(name)))
            .filter(|record| record.name == name);
        match record {
            Some(record) if record.is_alive() => Ok(record),
            _ => {
                let name = name.escape_debug();
                Err(Failure::usage(format!("no lab `{name}` is kept")))
            }
        }
    }

    pub fn has(&self, name: &str) -> bool {
        self.find(name).is_ok()
    }

    fn read(&self, file: &str) -> Option<Record> {
        let file = store::open_own(&self.descriptor, file, OFlags::RDONLY).ok()?;
        if file.metadata().ok()?.len() > LONGEST_RECORD {
            return None;
        }
        let mut text = String::new();
        file.take(LONGEST_RECORD).read_to_string(&mut text).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// All labs that are there, by name. Records of labs that are gone are removed.
    pub fn all(&self) -> Vec<Record> {
        let mut records = Vec::new();
        let Ok(entries) = Dir::read_from(&self.descriptor) else { return records };
        for entry in entries.flatten() {
            let file = entry.file_name().to_string_lossy().into_owned();
            let Some(name) = file.strip_suffix(".json") else { continue };
            match self.read(&file) {
                Some(record) if record.name == name && record.is_alive() => records.push(record),
                // What another boot or a killed process left behind.
                Some(_) | None => {
                    let _ = unlinkat(&self.descriptor, &file, AtFlags::empty());
                }
            }
        }
        records.sort_by(|one, other| one.name.cmp(&other.name));
        records
    }

    pub fn forget(&self, name: &str) -> Result<(), Failure> {
        match unlinkat(&self.descriptor, file_name(name), AtFlags::empty()) {
            Ok(()) | Err(rustix::io::Errno::NOENT) => Ok(()),
            Err(error) => Err(Failure::new(
                Exit::UndoIncomplete,
                format!("can't remove the record of lab `{name}`: {error}"),
            )),
        }
    }
}

impl Reservation {
    /// The lab is held by this process from now on.
    pub fn keep(mut self, pid: u32, namespaces: usize) -> Result<(), Failure> {
        let gone = || Failure::new(Exit::Broken, "the record of the lab is gone");
        let mut record = self.folder.read(&file_name(&self.name)).ok_or_else(gone)?;
        record.pid = pid;
        record.started = store::started(pid).unwrap_or_default();
        record.namespaces = namespaces;
        self.folder.write(&record)?;
        self.kept = true;
        self.replaced.take().map_or(Ok(()), |old| hold::end(&old))
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether a run that ended so is worth keeping: one to look into, or a deployment that works.
    pub fn wants(&self, exit: Exit) -> bool {
        exit == Exit::Done || (exit == Exit::Failed && !self.strict)
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if !self.kept && self.replaced.is_none() {
            // A record without its process means nothing, and is removed by whoever reads it.
            let _ = self.folder.forget(&self.name);
        }
    }
}

fn file_name(lab: &str) -> String {
    format!("{lab}.json")
}
