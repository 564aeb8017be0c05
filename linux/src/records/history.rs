//! What a journal tells, once it is read.

use std::collections::HashMap;

use super::borrowed;
use super::claim::Claim;
use super::links::MadeLinks;
use super::reading::Flaw;
use super::record::{Head, Kept, NamedFolder, Record};
use crate::change::{Change, Name, NamespaceRef, Undo};

/// The form of journals that this program writes and reads.
pub const SCHEMA: u32 = 1;

/// A run's history up to now.
#[derive(Debug, Clone)]
pub struct History {
    pub head: Head,
    pub attached: Vec<NamespaceRef>,
    /// namespaces that the run has made, by name and cookie
    pub made: Vec<(Name, u64)>,
    /// what the machine's own namespace calls those, by cookie
    pub ids: HashMap<u64, i32>,
    /// /run/netns as it was before the first of them
    pub folder: Option<NamedFolder>,
    /// the changes that stand or may stand, oldest first
    pub entries: Vec<Entry>,
    /// those that were taken back, each with how many were numbered by then
    undone: Vec<(Entry, u64)>,
    pub claims: Vec<Claim>,
    /// links that were ever made
    pub links: MadeLinks,
    pub kept: Option<Kept>,
    /// a deployment that was to be altered, as it was, and the number of the first change of that
    pub reopened: Option<(u64, Kept)>,
    pub confirmed: bool,
    pub given_up: bool,
    /// why it may not tell all
    pub flaw: Option<Flaw>,
    /// how many changes were numbered so far
    numbered: u64,
}

/// A change that was not taken back.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub number: u64,
    pub change: Change,
    pub undo: Undo,
    /// its outcome is known; else the run ended before it was told
    pub certain: bool,
}

/// What is to become of what a journal tells of, once its run has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// nobody waits for an answer: it goes
    Undone,
    /// only who asks for it takes it up
    Left,
    /// a deployment
    Stays,
    /// a deployment until this moment of CLOCK_BOOTTIME, in milliseconds
    Until(u64),
}

impl History {
    /// None without a head, or with one that this program doesn't know.
    pub fn of(records: Vec<Record>) -> Option<Self> {
        let mut records = records.into_iter();
        let Some(Record::Head(head)) = records.next() else { return None };
        if head.schema != SCHEMA {
            return None;
        }
        let mut history = Self {
            head,
            attached: Vec::new(),
            made: Vec::new(),
            ids: HashMap::new(),
            folder: None,
            entries: Vec::new(),
            undone: Vec::new(),
            claims: Vec::new(),
            links: MadeLinks::default(),
            kept: None,
            reopened: None,
            confirmed: false,
            given_up: false,
            flaw: None,
            numbered: 0,
        };
        records.for_each(|record| history.take(record));
        Some(history)
    }

    fn take(&mut self, record: Record) {
        self.links.take(&record);
        match record {
            // There is one, at the start.
            Record::Head(_) => {}
            Record::Attached(namespace) => self.attached.push(namespace),
            Record::Namespace { name, cookie, folder, id } => {
                self.made.push((name, cookie));
                self.ids.extend(id.map(|id| (cookie, id)));
                self.folder = self.folder.or(folder);
            }
            Record::Intent { number, change, foreseen: undo } => {
                self.numbered = self.numbered.max(number.saturating_add(1));
                self.entries.push(Entry { number, change, undo, certain: false });
            }
            Record::Done { number, undo } => {
                let entry = self.entries.iter_mut().rfind(|entry| entry.number == number);
                if let Some(entry) = entry {
                    entry.undo = undo;
                    entry.certain = true;
                }
            }
            Record::Failed { number } => self.entries.retain(|entry| entry.number != number),
            Record::Undone { number } => {
                let gone = self.entries.extract_if(.., |entry| entry.number == number);
                self.undone.extend(gone.map(|entry| (entry, self.numbered)));
            }
            Record::Claim(claim) => self.claims.push(claim),
            Record::Kept(kept) => {
                if kept.until.is_none() {
                    self.stand();
                }
                self.kept = Some(kept);
            }
            Record::Confirmed => {
                self.confirmed = true;
                self.stand();
            }
            // One that waits to be confirmed is not altered, so that it stood for good.
            Record::Reopened { from } => {
                self.reopened = self.kept.take().map(|kept| (from, kept));
                self.confirmed = false;
            }
            Record::GivenUp => self.given_up = true,
        }
    }

    /// What it is now stays: links that were deleted are not made again any more.
    fn stand(&mut self) {
        self.reopened = None;
        for entry in &mut self.entries {
            if matches!(entry.change, Change::DeleteLink { .. }) {
                entry.undo = Undo::default();
            }
        }
    }

    /// The cookie of a namespace of the run's, which a change of a batch names by its name alone.
    pub fn place(&self, namespace: &NamespaceRef) -> Option<u64> {
        let Some(name) = &namespace.name else { return namespace.cookie.or(Some(self.head.root)) };
        let made = || self.made.iter().find(|(made, _)| made == name).map(|(_, cookie)| *cookie);
        let attached = || self.attached.iter().find(|one| one.name.as_ref() == Some(name))?.cookie;
        namespace.cookie.or_else(made).or_else(attached)
    }

    /// Whether there is nothing of it anywhere.
    pub fn is_empty(&self) -> bool {
        let nothing = self.entries.is_empty() && self.made.is_empty();
        nothing && self.kept.is_none() && self.flaw.is_none()
    }

    /// The number of the next change.
    pub fn next(&self) -> u64 {
        self.numbered
    }

    /// Whether it is a deployment that goes by itself unless somebody confirms it.
    pub fn waits(&self) -> bool {
        matches!(self.fate(), Fate::Until(_))
    }

    pub fn name(&self) -> &str {
        let reopened = self.reopened.as_ref().map(|(_, kept)| kept);
        self.kept.as_ref().or(reopened).map_or(&self.head.name, |kept| &kept.name)
    }

    /// What whoever takes the run back has to undo, one by one and in this order: all, or what was
    /// done since it was reopened.
    pub fn to_undo(&self) -> impl Iterator<Item = &Entry> {
        let stays = self.reopened.is_some();
        let from = self.reopened.as_ref().map_or(0, |(from, _)| *from);
        let due = self.entries.iter().rev().filter(move |entry| entry.number >= from);
        let borrowed = borrowed::numbers(self);
        due.filter(move |entry| {
            stays || borrowed.contains(&entry.number) || !self.goes_with_its_namespace(entry)
        })
    }

    /// The undos of changes that are older than one that stands, and were taken back since it was
    /// made: it failed at its turn.
    pub fn taken_back_since(&self, entry: &Entry) -> impl Iterator<Item = &Undo> + Clone {
        let number = entry.number;
        let since = self
            .undone
            .iter()
            .filter(move |(older, numbered)| older.number < number && number < *numbered);
        since.map(|(older, _)| &older.undo)
    }

    /// What a namespace of the run holds goes with it. A link that was moved there does not.
    fn goes_with_its_namespace(&self, entry: &Entry) -> bool {
        let cookie = entry.change.namespace().and_then(|namespace| namespace.cookie);
        let made = |cookie| self.made.iter().any(|(_, made)| *made == cookie);
        !matches!(entry.change, Change::DeleteNamespace { .. } | Change::MoveLink { .. })
            && cookie.is_some_and(made)
    }

    pub fn fate(&self) -> Fate {
        match &self.kept {
            _ if self.given_up => Fate::Left,
            None => Fate::Undone,
            Some(Kept { until: Some(until), .. }) if !self.confirmed => Fate::Until(*until),
            Some(_) => Fate::Stays,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Fate, History, SCHEMA};
    use crate::change::{Change, LinkRef, NamespaceRef, Undo};
    use crate::records::record::{Head, Kept, Record};

    fn head() -> Record {
        Record::Head(Head {
            schema: SCHEMA,
            group: 0x6e00_0001,
            boot: "b".to_owned(),
            pid: 1,
            root: 1,
            name: "lan".to_owned(),
            what: "lan.yaml".to_owned(),
            created: 0,
            version: String::new(),
        })
    }

    fn intent(number: u64) -> Record {
        let name = "n1".parse().expect("a name");
        Record::Intent {
            number,
            change: Change::CreateNamespace { name },
            foreseen: Undo::default(),
        }
    }

    fn numbers(records: Vec<Record>) -> Vec<u64> {
        let history = History::of(records).expect("it has a head");
        history.entries.iter().map(|entry| entry.number).collect()
    }

    #[test]
    fn what_failed_or_was_undone_stands_no_longer() {
        let records = vec![
            head(),
            intent(0),
            intent(1),
            intent(2),
            Record::Failed { number: 1 },
            Record::Done { number: 2, undo: Undo::default() },
            Record::Undone { number: 2 },
        ];
        assert_eq!(numbers(records), [0]);
    }

    #[test]
    fn a_deployment_that_was_to_be_altered_goes_back_to_what_it_was() {
        let kept = |until| Record::Kept(Kept { name: "lan".to_owned(), until, scenario: None });
        let start = vec![head(), intent(0), kept(None), Record::Reopened { from: 1 }, intent(1)];
        let of = |more: Vec<Record>| {
            let history = History::of([start.clone(), more].concat()).expect("it has a head");
            let due: Vec<u64> = history.to_undo().map(|entry| entry.number).collect();
            (history.fate(), due)
        };
        assert_eq!(of(vec![]), (Fate::Undone, vec![1]));
        assert_eq!(of(vec![kept(Some(5))]), (Fate::Until(5), vec![1]));
        assert_eq!(of(vec![kept(None)]), (Fate::Stays, vec![1, 0]));
        assert_eq!(of(vec![kept(Some(5)), Record::Confirmed]), (Fate::Stays, vec![1, 0]));
    }

    #[test]
    fn a_link_that_was_deleted_is_made_again_until_that_stands() {
        let namespace = NamespaceRef::named(None);
        let link = LinkRef { namespace, name: "d".to_owned(), index: None };
        let deleted = |undo| Record::Intent {
            number: 1,
            change: Change::DeleteLink { link: link.clone() },
            foreseen: undo,
        };
        let Record::Intent { change, .. } = intent(0) else { unreachable!("it is one") };
        let again = Undo { steps: vec![change] };
        let kept = |until| Record::Kept(Kept { name: "lan".to_owned(), until, scenario: None });
        let start = [head(), intent(0), kept(None), Record::Reopened { from: 1 }, deleted(again)];
        let steps = |more: &[Record]| {
            let history = History::of([&start[..], more].concat()).expect("it has a head");
            history.entries[1].undo.steps.len()
        };
        assert_eq!(steps(&[]), 1);
        assert_eq!(steps(&[kept(Some(5))]), 1);
        assert_eq!(steps(&[kept(None)]), 0);
        assert_eq!(steps(&[kept(Some(5)), Record::Confirmed]), 0);
    }

    #[test]
    fn a_journal_without_a_head_tells_nothing() {
        assert!(History::of(vec![intent(0)]).is_none());
        assert!(History::of(Vec::new()).is_none());
    }

    #[test]
    fn a_deployment_goes_unless_it_is_confirmed_in_time() {
        let fate = |more: Vec<Record>| {
            let records = [vec![head()], more].concat();
            History::of(records).expect("it has a head").fate()
        };
        let kept = |until| Record::Kept(Kept { name: "lan".to_owned(), until, scenario: None });
        assert_eq!(fate(vec![]), Fate::Undone);
        assert_eq!(fate(vec![kept(None)]), Fate::Stays);
        assert_eq!(fate(vec![kept(Some(5))]), Fate::Until(5));
        assert_eq!(fate(vec![kept(Some(5)), Record::Confirmed]), Fate::Stays);
        assert_eq!(fate(vec![Record::GivenUp]), Fate::Left);
    }
}
