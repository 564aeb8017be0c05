//! What a kept lab was made by. The process that holds it has it as its standard input, a file in
//! memory, so that it is there for exactly as long as the lab.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};

use rustix::fs::{MemfdFlags, Mode, OFlags, memfd_create, open};
use serde::{Deserialize, Serialize};

use crate::change::Change;
use crate::journal;
use crate::process::Pinned;
use crate::records::Remembered;

/// Longer is nobody's of ours. A lab of a thousand nodes has a megabyte.
const LONGEST: u64 = 1 << 26;

/// The changes of a kept lab.
#[derive(Debug)]
pub struct Origin {
    pub changes: Vec<Change>,
    /// what its checks are read from
    pub scenario: Option<Remembered>,
    /// what is there is nothing that this program knows: another version may have written it
    unknown: bool,
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
        let mut origin = Self { changes: Vec::new(), scenario, unknown: false, file };
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
        let written = read.then(|| serde_json::from_slice(&text).ok()).flatten();
        let written: Option<Written<'_>> = written.as_ref().and_then(journal::known);
        let unknown = written.is_none() && !text.is_empty();
        let Written { changes, scenario } = written.unwrap_or_default();
        let (changes, scenario) = (changes.into_owned(), scenario.map(Cow::into_owned));
        Self { changes, scenario, unknown, file }
    }

    pub(super) fn into_file(self) -> File {
        self.file
    }

    /// More was made, and stays.
    ///
    /// # Errors
    /// Nothing is written over what this program doesn't know.
    pub fn add<'a>(&mut self, changes: impl Iterator<Item = &'a Change>) -> io::Result<()> {
        if self.unknown {
            return Err(io::Error::other("another netwright has written what it was made by"));
        }
        self.changes.extend(changes.map(Change::by_name));
        let scenario = self.scenario.as_ref().map(Cow::Borrowed);
        let written = Written { changes: Cow::Borrowed(&self.changes), scenario };
        let text = serde_json::to_vec(&written).map_err(io::Error::other)?;
        self.file.rewind()?;
        self.file.set_len(0)?;
        self.file.write_all(&text)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Seek as _, Write as _};

    use super::Origin;
    use crate::change::Change;

    fn held(text: &str) -> std::fs::File {
        let mut file = Origin::new(std::iter::empty(), None).expect("memory").into_file();
        file.set_len(0).and_then(|()| file.write_all(text.as_bytes())).expect("memory");
        file.rewind().expect("memory");
        file
    }

    #[test]
    fn what_another_version_has_written_is_not_written_over() {
        let change = Change::CreateNamespace { name: "n1".parse().expect("a name") };
        let change = serde_json::to_string(&change).expect("plain data");
        let own = format!("{{\"changes\":[{change}],\"scenario\":null}}");
        let later = own.replacen('{', "{\"later\":1,", 1);
        let inside = own.replace("\"n1\"", "\"n1\",\"later\":1");
        let texts =
            [(&*own, true), (&*later, false), (&*inside, false), ("[]", false), ("{", false)];
        for (text, known) in texts {
            let mut origin = Origin::read(held(text));
            assert_eq!(origin.changes.len(), usize::from(known), "{text}");
            let more = [Change::CreateNamespace { name: "n2".parse().expect("a name") }];
            assert_eq!(origin.add(more.iter()).is_ok(), known, "{text}");
            let mut file = origin.into_file();
            let mut now = String::new();
            file.rewind().and_then(|()| file.read_to_string(&mut now)).expect("memory");
            assert_eq!(now == text, !known, "{text}: {now}");
        }
    }
}
