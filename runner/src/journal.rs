//! Remembers each change with what undoes it: the intent before the kernel is asked, the undo
//! after it has answered.

use crate::change::{Change, Undo};

/// A change that was made, and how it is taken back.
#[derive(Debug, Clone)]
pub struct Record {
    pub change: Change,
    pub undo: Undo,
}

/// The place of a change that is about to be made.
#[derive(Debug)]
pub struct Intent(usize);

/// A run's changes, in the order in which they were made.
///
/// It lives in memory: what it describes lives in a lab, which the kernel takes apart when the
/// run's process ends, however it ends.
#[derive(Debug, Default)]
pub struct Journal {
    entries: Vec<(Change, Option<Undo>)>,
}

impl Journal {
    pub fn intend(&mut self, change: &Change) -> Intent {
        self.entries.push((change.clone(), None));
        Intent(self.entries.len() - 1)
    }

    pub fn done(&mut self, Intent(place): Intent, undo: Undo) {
        self.entries[place].1 = Some(undo);
    }

    /// The kernel said no: there is nothing to undo.
    pub fn failed(&mut self, Intent(place): Intent) {
        self.entries[place].1 = None;
    }

    /// Takes out the newest change that was made.
    pub fn newest(&mut self) -> Option<Record> {
        while let Some((change, undo)) = self.entries.pop() {
            if let Some(undo) = undo {
                return Some(Record { change, undo });
            }
        }
        None
    }

    /// The changes that stand, oldest first.
    pub fn changes(&self) -> impl Iterator<Item = &Change> {
        self.entries.iter().filter(|(_, undo)| undo.is_some()).map(|(change, _)| change)
    }
}
