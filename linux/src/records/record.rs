//! What a journal on tmpfs holds, and how a record is written: its length, its checksum, its text.
//! `reading` reads them.

use serde::{Deserialize, Serialize};

use super::claim::Claim;
use crate::change::{Change, Name, NamespaceRef, Undo};

/// No record is longer; a length beyond it is no record.
pub(super) const LONGEST: usize = 1 << 24;
/// Length and checksum, 4 bytes each.
pub(super) const HEADER: usize = 8;

/// What /run/netns was before a run gave the first name in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedFolder {
    pub(crate) was_there: bool,
    pub(crate) was_mount: bool,
}

/// One line of a run's history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Record {
    Head(Head),
    /// a namespace of others' that the operator named
    Attached(NamespaceRef),
    /// a namespace that the run has made, before it has its name
    Namespace {
        name: Name,
        cookie: u64,
        /// /run/netns as it was before
        folder: Option<NamedFolder>,
        /// what the machine's own namespace calls it, for as long as it is there
        #[serde(default)]
        id: Option<i32>,
    },
    /// a change is about to be made; `foreseen` takes it back if no outcome follows
    Intent {
        number: u64,
        change: Change,
        foreseen: Undo,
    },
    Done {
        number: u64,
        undo: Undo,
    },
    /// the kernel said no
    Failed {
        number: u64,
    },
    Undone {
        number: u64,
    },
    /// something of others' that this run uses or alters
    Claim(Claim),
    /// the run's end: what it made stays
    Kept(Kept),
    /// it stays for good
    Confirmed,
    /// a deployment is altered: the changes from this number on are not part of it until it is
    /// kept again
    Reopened {
        from: u64,
    },
    /// undo was given up; only somebody who asks for it takes it up again
    GivenUp,
}

/// Whose journal it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    pub schema: u32,
    /// the link group of what the run makes
    pub group: u32,
    /// nothing that it tells of has outlived its boot
    pub boot: String,
    pub pid: u32,
    /// the machine's own namespace, as the run sees it, by its cookie
    pub root: u64,
    /// of the scenario or recipe
    pub name: String,
    /// what was typed
    pub what: String,
    /// seconds since 1970
    pub created: u64,
    /// of the program that wrote it
    #[serde(default)]
    pub version: String,
}

/// What became a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    pub name: String,
    /// taken back at this moment of CLOCK_BOOTTIME, in milliseconds, unless it is confirmed
    pub until: Option<u64>,
    /// what its checks are read from
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scenario: Option<Remembered>,
}

/// A scenario as it was read, to be read again: by whoever asks for its checks later on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// of the file
    pub name: String,
    pub text: String,
    pub parameters: Vec<Parameter>,
}

/// One `-p KEY=VALUE`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    pub key: String,
    pub value: String,
    /// the file it was read from, as faults call it
    pub file: Option<String>,
}

impl Remembered {
    /// Bytes that it takes, about.
    pub fn length(&self) -> usize {
        let parameters = self.parameters.iter().map(|one| one.key.len() + one.value.len());
        self.text.len() + parameters.sum::<usize>()
    }
}

/// The bytes of a record.
pub fn encode(record: &Record) -> serde_json::Result<Vec<u8>> {
    let mut bytes = vec![0; HEADER];
    serde_json::to_writer(&mut bytes, record)?;
    let (header, text) = bytes.split_at_mut(HEADER);
    header[..4].copy_from_slice(&(text.len() as u32).to_le_bytes());
    header[4..].copy_from_slice(&crc32fast::hash(text).to_le_bytes());
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::{Record, encode};
    use crate::records::decode;

    fn two() -> Vec<u8> {
        let mut bytes = encode(&Record::Failed { number: 1 }).expect("plain data");
        bytes.extend(encode(&Record::Undone { number: 2 }).expect("plain data"));
        bytes
    }

    #[test]
    fn records_come_back() {
        let bytes = two();
        let expected = vec![Record::Failed { number: 1 }, Record::Undone { number: 2 }];
        assert_eq!(decode(&bytes), (expected, bytes.len()));
    }

    #[test]
    fn a_torn_record_ends_the_journal() {
        let bytes = two();
        let whole = encode(&Record::Failed { number: 1 }).expect("plain data").len();
        for length in whole..bytes.len() {
            let (records, read) = decode(&bytes[..length]);
            assert_eq!((records.len(), read), (1, whole), "{length} bytes");
        }
    }

    #[test]
    fn a_changed_byte_ends_the_journal() {
        for place in 0..two().len() {
            let mut bytes = two();
            bytes[place] ^= 0x20;
            let (records, _) = decode(&bytes);
            assert!(records.len() < 2, "byte {place} was believed");
        }
    }

    #[test]
    fn space_that_was_only_reserved_is_no_record() {
        let mut bytes = two();
        let length = bytes.len();
        bytes.extend([0; 4096]);
        assert_eq!(decode(&bytes).1, length);
    }
}
