//! A journal on tmpfs: written by the run that makes changes, or by who takes them back.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use rustix::fs::{FallocateFlags, fallocate};

use crate::crash;
use crate::records::{Record, encode};

/// Space is reserved in such pieces, so that it is known before a change whether what follows it
/// can be written.
const PIECE: u64 = 256 << 10;
/// Always free beyond what is being written: an outcome with all that it restores.
const RESERVE: u64 = 128 << 10;

/// The end of a journal, to be written on.
#[derive(Debug)]
pub struct Log {
    file: File,
    /// where the next record goes
    at: u64,
    /// how far space is reserved
    reserved: u64,
}

impl Log {
    /// A new one.
    ///
    /// # Errors
    /// `ENOSPC` where the folder is full.
    pub(super) fn create(file: File) -> io::Result<Self> {
        let mut log = Self { file, at: 0, reserved: 0 };
        log.reserve(0)?;
        Ok(log)
    }

    /// Goes on after the last whole record. The space behind it stays reserved: what was made is taken
    /// back in a folder that is full by now, too.
    pub(super) fn resume(file: File, at: u64) -> io::Result<Self> {
        let end = file.metadata()?.len();
        // What was being written there is no record, and must never become the start of one.
        let mut clean = at;
        while clean < end {
            let zeros = &[0; 4096][..usize::try_from(end - clean).unwrap_or(4096).min(4096)];
            file.write_all_at(zeros, clean)?;
            clean += zeros.len() as u64;
        }
        Ok(Self { file, at, reserved: end.max(at) })
    }

    /// Writes a record that a change must not be made without.
    ///
    /// # Errors
    /// `ENOSPC` where the folder is full.
    pub fn write(&mut self, record: &Record) -> io::Result<()> {
        let bytes = encode(record)?;
        self.reserve(bytes.len() as u64 + RESERVE)?;
        crash::point();
        if crash::is_now() {
            // Half of it, as if the process had ended in the middle.
            self.file.write_all_at(&bytes[..bytes.len() / 2], self.at)?;
            crash::end();
        }
        self.file.write_all_at(&bytes, self.at)?;
        self.at += bytes.len() as u64;
        crash::point();
        Ok(())
    }

    fn reserve(&mut self, more: u64) -> io::Result<()> {
        let needed = self.at + more.max(RESERVE);
        while self.reserved < needed {
            fallocate(&self.file, FallocateFlags::empty(), self.reserved, PIECE)?;
            self.reserved += PIECE;
        }
        Ok(())
    }
}
