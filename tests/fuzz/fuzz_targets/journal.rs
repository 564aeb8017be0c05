//! The reader of journals, and what recovery decides by them, against a model that looks at one
//! change at a time. No kernel is asked.
#![no_main]

use libfuzzer_sys::fuzz_target;
use netwright_fuzz::harmless;
use netwright_linux::change::Change;
use netwright_linux::records::{Entry, Fate, Flaw, History, Record, decode, encode, read};

// The first byte says how: raw bytes, or lines of JSON that get the frame of a record each; the
// second one, where recovery itself is interrupted.
fuzz_target!(|bytes: &[u8]| {
    let [how, cut, rest @ ..] = bytes else { return };
    let framed = if how % 2 == 0 { rest.to_vec() } else { frames(rest) };
    let (records, read) = decode(&framed);
    assert!(read <= framed.len());
    assert_eq!(decode(&framed[..read]), (records.clone(), read));
    torn(&framed, &records, usize::from(*cut));
    strange(&framed, &records);
    altered(&records, usize::from(*cut), *how);
    later(&records, usize::from(*cut));
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

/// What is not known is told, whatever it is: a history without a flaw is all of a journal but the
/// space behind it, or the beginning of a record.
fn strange(framed: &[u8], records: &[Record]) {
    let reading = read(framed);
    assert_eq!(&reading.records[..reading.sound], records);
    match reading.flaw {
        None => assert_eq!(reading.records.len(), reading.sound),
        Some(Flaw::Damaged { at } | Flaw::Unknown { at, .. }) => assert!(at < framed.len()),
        Some(Flaw::Schema { schema }) => assert_ne!(schema, 1),
    }
    // Each line that is whole, and no record of this version, is a flaw of another one.
    let mut rest = framed;
    while let Some(more) = frame(rest) {
        if decode(&rest[..rest.len() - more.len()]).0.is_empty() {
            assert!(matches!(read(framed).flaw, Some(Flaw::Unknown { .. } | Flaw::Schema { .. })));
        }
        rest = more;
    }
}

/// What follows a whole line.
fn frame(bytes: &[u8]) -> Option<&[u8]> {
    let number = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let length = number(0)? as usize;
    let text = bytes.get(8..8 + length).filter(|text| !text.is_empty() && length <= 1 << 24)?;
    (crc32fast::hash(text) == number(4)?).then(|| &bytes[8 + length..])
}

fn written(records: &[Record]) -> Vec<u8> {
    records.iter().flat_map(|record| encode(record).expect("it was read from JSON")).collect()
}

/// A byte of a whole journal that is altered is noticed, and no other record is lost by it.
fn altered(records: &[Record], place: usize, mask: u8) {
    let mut bytes = written(records);
    if bytes.is_empty() || mask == 0 {
        return;
    }
    let at = (bytes.len() - 1) * place / 255;
    bytes[at] ^= mask;
    bytes.resize(bytes.len() + 64, 0);
    let reading = read(&bytes);
    assert!(reading.flaw.is_some(), "byte {at} ^ {mask:#x} of {} was believed", bytes.len());
    assert!(reading.records.len() + 1 >= records.len());
}

/// A record of a later version, anywhere: it is told, all others are read, and what comes before it is
/// not taken for all there is.
fn later(records: &[Record], place: usize) {
    let text = br#"{"later":{"of":1}}"#;
    let mut bytes = Vec::new();
    let at = records.len() * place / 255;
    bytes.extend(written(&records[..at]));
    bytes.extend((text.len() as u32).to_le_bytes());
    bytes.extend(crc32fast::hash(text).to_le_bytes());
    bytes.extend(text);
    bytes.extend(written(&records[at..]));
    let reading = read(&bytes);
    assert_eq!((reading.records.as_slice(), reading.sound), (records, at));
    assert!(matches!(reading.flaw, Some(Flaw::Unknown { .. })) && !reading.is_nothing());
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
            // A link of others' that was moved there does not go with it.
            assert!(!matches!(other.change, Change::MoveLink { .. }));
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
