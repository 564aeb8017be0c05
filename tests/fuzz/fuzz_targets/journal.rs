//! The reader of journals, and what recovery decides by them, against a model that looks at one
//! change at a time. No kernel is asked.
#![no_main]

use libfuzzer_sys::fuzz_target;
use netwright::journal::{Entry, Fate, History, Record, decode, encode};
use netwright_fuzz::harmless;

// The first byte says how: raw bytes, or lines of JSON that get the frame of a record each; the
// second one, where recovery itself is interrupted.
fuzz_target!(|bytes: &[u8]| {
    let [how, cut, rest @ ..] = bytes else { return };
    let framed = if how % 2 == 0 { rest.to_vec() } else { frames(rest) };
    let (records, read) = decode(&framed);
    assert!(read <= framed.len());
    assert_eq!(decode(&framed[..read]), (records.clone(), read));
    torn(&framed, &records, usize::from(*cut));
    let Some(history) = History::of(records.clone()) else { return };
    assert_eq!(standing(&records), history.entries);
    assert_eq!(fate(&records), history.fate());
    for entry in &history.entries {
        harmless(&entry.change.to_string());
        entry.undo.steps.iter().for_each(|step| harmless(&step.to_string()));
    }
    interrupted(records, &history, usize::from(*cut));
});

/// Each line as a record's text, with the length and the checksum that it would have.
fn frames(text: &[u8]) -> Vec<u8> {
    let mut all = Vec::new();
    for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        all.extend((line.len() as u32).to_le_bytes());
        all.extend(crc32fast::hash(line).to_le_bytes());
        all.extend(line);
    }
    all
}

/// A journal that ends anywhere tells the beginning of what the whole one tells.
fn torn(framed: &[u8], records: &[Record], cut: usize) {
    let length = framed.len() * cut / 255;
    let (fewer, read) = decode(&framed[..length]);
    assert!(read <= length && records.starts_with(&fewer));
}

/// The changes that stand: an intent without a later word that it failed or was undone.
fn standing(records: &[Record]) -> Vec<Entry> {
    let stands = |(place, record): (usize, &Record)| {
        let Record::Intent { number, change, foreseen } = record else { return None };
        let later = &records[place + 1..];
        let gone = |record: &Record| match record {
            Record::Failed { number: other } | Record::Undone { number: other } => number == other,
            _ => false,
        };
        if later.iter().any(gone) {
            return None;
        }
        // An outcome belongs to the newest intent of its number.
        let again = |record: &Record| matches!(record, Record::Intent { number: other, .. } if number == other);
        let mine = later.iter().take_while(|record| !again(record));
        let undo = mine.filter_map(|record| match record {
            Record::Done { number: other, undo } if number == other => Some(undo.clone()),
            _ => None,
        });
        let undo = undo.last();
        let (number, change, certain) = (*number, change.clone(), undo.is_some());
        Some(Entry { number, change, undo: undo.unwrap_or_else(|| foreseen.clone()), certain })
    };
    records.iter().enumerate().filter_map(stands).collect()
}

fn fate(records: &[Record]) -> Fate {
    let kept = records.iter().rev().find_map(|record| match record {
        Record::Kept(kept) => Some(kept.until),
        _ => None,
    });
    if records.contains(&Record::GivenUp) {
        return Fate::Left;
    }
    match kept {
        None => Fate::Undone,
        Some(Some(moment)) if !records.contains(&Record::Confirmed) => Fate::Until(moment),
        Some(_) => Fate::Stays,
    }
}

/// Recovery undoes newest first, leaves out what goes with a namespace of the run, and when it is
/// itself interrupted, the next one goes on where it was.
fn interrupted(mut records: Vec<Record>, history: &History, cut: usize) {
    let list: Vec<Entry> = history.to_undo().cloned().collect();
    let mut left = history.entries.iter().rev();
    for entry in &list {
        let skipped = left.by_ref().take_while(|other| *other != entry);
        for other in skipped {
            let cookie = other.change.namespace().and_then(|namespace| namespace.cookie);
            assert!(history.made.iter().any(|(_, made)| Some(*made) == cookie));
        }
    }
    let mut numbers: Vec<u64> = history.entries.iter().map(|entry| entry.number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    if numbers.len() < history.entries.len() {
        // No run gives a number twice.
        return;
    }
    let done = list.len() * cut / 255;
    records.extend(list[..done].iter().map(|entry| Record::Undone { number: entry.number }));
    let bytes: Vec<u8> =
        records.iter().flat_map(|record| encode(record).expect("it was read from JSON")).collect();
    let (again, read) = decode(&bytes);
    assert_eq!((again.len(), read), (records.len(), bytes.len()));
    let next = History::of(again).expect("the head is there");
    let numbers = |list: &mut dyn Iterator<Item = &Entry>| -> Vec<u64> {
        list.map(|entry| entry.number).collect()
    };
    assert_eq!(numbers(&mut next.to_undo()), numbers(&mut list[done..].iter()));
}
