//! What a kept lab was made by. The process that holds it has it as its standard input, a file in
//! memory, so that it is there for exactly as long as the lab.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};

use rustix::fs::{MemfdFlags, Mode, OFlags, memfd_create, open};
use serde::{Deserialize, Serialize};

use crate::change::Change;
use crate::process::Pinned;
use crate::scenario::Remembered;

/// Longer is nobody's of ours. A lab of a thousand nodes has a megabyte.
const LONGEST: u64 = 1 << 26;

/// The changes of a kept lab.
#[derive(Debug)]
pub struct Origin {
    pub changes: Vec<Change>,
    /// what its checks are read from
    pub scenario: Option<Remembered>,
    file: File,
}

#[derive(Default, Serialize, Deserialize)]
struct Written<'a> {
    changes: Cow<'a, [Change]>,
    scenario: Option<Cow<'a, Remembered>>,
}

impl Origin {
    /// For a lab that is about to be kept.
    pub fn new<'a>(
        changes: impl Iterator<Item = &'a Change>,
        scenario: Option<Remembered>,
    ) -> io::Result<Self> {
        let file = File::from(memfd_create("netwright-lab", MemfdFlags::CLOEXEC)?);
        let mut origin = Self { changes: Vec::new(), scenario, file };
        origin.add(changes)?;
        origin.file.rewind()?;
        Ok(origin)
    }

    /// The file of a lab that is held. To be opened before the lab is entered, from where its process
    /// may not be looked into.
    pub(super) fn open(holder: &Pinned) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NONBLOCK;
        Ok(open(holder.path("fd/0"), flags, Mode::empty())?.into())
    }

    /// Whatever runs in the lab could have written there: the changes are made inside the lab alone,
    /// and what is no list of changes is an empty one.
    pub(super) fn read(file: File) -> Self {
        let mut text = Vec::new();
        let regular = file.metadata().is_ok_and(|about| about.is_file());
        let read = regular && (&file).take(LONGEST).read_to_end(&mut text).is_ok();
        let written: Option<Written<'_>> =
            read.then(|| serde_json::from_slice(&text).ok()).flatten();
        let Written { changes, scenario } = written.unwrap_or_default();
        Self { changes: changes.into_owned(), scenario: scenario.map(Cow::into_owned), file }
    }

    pub(super) fn into_file(self) -> File {
        self.file
    }

    /// More was made, and stays.
    pub fn add<'a>(&mut self, changes: impl Iterator<Item = &'a Change>) -> io::Result<()> {
        self.changes.extend(changes.map(Change::by_name));
        let scenario = self.scenario.as_ref().map(Cow::Borrowed);
        let written = Written { changes: Cow::Borrowed(&self.changes), scenario };
        let text = serde_json::to_vec(&written).map_err(io::Error::other)?;
        self.file.rewind()?;
        self.file.set_len(0)?;
        self.file.write_all(&text)
    }
}
