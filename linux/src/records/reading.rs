//! A journal's bytes as records: how far they tell a history, and what keeps them from telling it.
//!
//! A writer may end anywhere, so that half a record at the end is nothing unusual. All else that is no
//! record of ours counts as a flaw, and nothing is done by such a journal that nobody asked for: it
//! may be another version's, or what is lost of it may have said that all of it stays.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::claim::Claim;
use super::history::SCHEMA;
use super::record::{HEADER, LONGEST, Record};

/// Pages are written whole, whenever a writer is killed.
const PAGE: usize = 4096;
/// So many bytes are looked through for where records go on behind a flaw.
const BUDGET: usize = 1 << 28;

/// What a journal's bytes tell.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reading {
    /// what could be read, before a flaw and behind it
    pub records: Vec<Record>,
    /// how many of them come before the first flaw
    pub sound: usize,
    /// how many bytes they take
    pub length: usize,
    pub flaw: Option<Flaw>,
    /// what a journal says of itself that is not to be read otherwise
    pub label: Label,
}

/// Why a journal can't be believed to tell all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    /// whole, and of a form that this program does not read
    Schema { schema: u64 },
    /// whole, and nothing that this program knows
    Unknown { at: usize, what: String },
    /// neither a record nor the beginning of one
    Damaged { at: usize },
}

/// Who wrote a journal and for what, as far as any version says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Label {
    pub version: Option<String>,
    pub name: Option<String>,
    pub claims: Vec<Claim>,
}

/// All whole records from the start that this program knows, and how many bytes they take. What
/// follows was being written when the writer ended, or is no record of ours.
pub fn decode(bytes: &[u8]) -> (Vec<Record>, usize) {
    let Reading { mut records, sound, length, .. } = read(bytes);
    records.truncate(sound);
    (records, length)
}

/// Reads all that can be.
pub fn read(bytes: &[u8]) -> Reading {
    let mut reading = Reading::default();
    let mut at = 0;
    let mut budget = BUDGET;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        if let Some(text) = frame(rest) {
            reading.take(at, text);
            at += HEADER + text.len();
        } else if rest.iter().all(|byte| *byte == 0) || is_torn(rest, at) {
            return reading;
        } else {
            reading.note(Flaw::Damaged { at });
            match next(bytes, at, &mut budget) {
                Some(next) => at = next,
                None => return reading,
            }
        }
    }
}

impl Reading {
    fn take(&mut self, at: usize, text: &[u8]) {
        let value: Option<Value> = serde_json::from_slice(text).ok();
        if let Some(value) = &value {
            self.label.take(value);
            let schema = value.pointer("/head/schema").and_then(Value::as_u64);
            if let Some(schema) = schema.filter(|schema| *schema != u64::from(SCHEMA)) {
                self.note(Flaw::Schema { schema });
                return;
            }
        }
        match value.as_ref().and_then(known) {
            Some(record) => {
                self.records.push(record);
                if self.flaw.is_none() {
                    self.sound = self.records.len();
                    self.length = at + HEADER + text.len();
                }
            }
            None => self.note(Flaw::Unknown { at, what: kind(value.as_ref(), text) }),
        }
    }

    /// What another version has written explains more than what got lost.
    fn note(&mut self, flaw: Flaw) {
        let rank = |flaw: &Flaw| match flaw {
            Flaw::Damaged { .. } => 0,
            Flaw::Unknown { .. } => 1,
            Flaw::Schema { .. } => 2,
        };
        if self.flaw.as_ref().is_none_or(|there| rank(there) < rank(&flaw)) {
            self.flaw = Some(flaw);
        }
    }

    /// Whether there is nothing in it that any program of ours has written.
    pub fn is_nothing(&self) -> bool {
        self.records.is_empty() && matches!(self.flaw, None | Some(Flaw::Damaged { .. }))
    }
}

impl Label {
    fn take(&mut self, record: &Value) {
        let text = |place: &str| Some(record.pointer(place)?.as_str()?.to_owned());
        self.version = self.version.take().or_else(|| text("/head/version"));
        // A deployment's name counts more than its scenario's.
        self.name = text("/kept/name").or(self.name.take()).or_else(|| text("/head/name"));
        let claim = record.get("claim").cloned();
        self.claims.extend(claim.and_then(|claim| serde_json::from_value(claim).ok()));
    }
}

/// The text of a whole record at the start.
fn frame(bytes: &[u8]) -> Option<&[u8]> {
    let length = length(bytes).filter(|length| (1..=LONGEST).contains(length))?;
    let text = bytes.get(HEADER..HEADER + length)?;
    (Some(crc32fast::hash(text)) == number(bytes, 4)).then_some(text)
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn length(bytes: &[u8]) -> Option<usize> {
    usize::try_from(number(bytes, 0)?).ok()
}

/// What a text says, of which nothing is passed over: what this program would not write again says
/// something that it does not know.
pub fn known<T: Serialize + DeserializeOwned>(value: &Value) -> Option<T> {
    let said: T = serde_json::from_value(value.clone()).ok()?;
    let again = serde_json::to_value(&said).ok()?;
    is_said(value, &again).then_some(said)
}

fn is_said(value: &Value, again: &Value) -> bool {
    match (value, again) {
        (Value::Object(fields), Value::Object(there)) => fields.iter().all(|(name, value)| {
            value.is_null() || there.get(name).is_some_and(|there| is_said(value, there))
        }),
        (Value::Array(all), Value::Array(there)) => {
            all.len() == there.len()
                && all.iter().zip(there).all(|(one, other)| is_said(one, other))
        }
        (value, again) => value == again,
    }
}

/// What a record that nobody here knows is called.
fn kind(value: Option<&Value>, text: &[u8]) -> String {
    let name = match value {
        Some(Value::Object(fields)) => fields.keys().next().cloned(),
        Some(Value::String(name)) => Some(name.clone()),
        _ => None,
    };
    let name = name.unwrap_or_else(|| String::from_utf8_lossy(text).into_owned());
    name.chars().take(40).collect::<String>().escape_debug().to_string()
}

/// Whether the rest of a journal is the beginning of a record, and nothing behind it but space: its
/// writer ended in the middle. A whole record that was altered is longer than it says, or closed.
fn is_torn(rest: &[u8], at: usize) -> bool {
    let written = rest.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    if written <= HEADER {
        // So few bytes are written at once, where no page ends among them.
        let page = (at / PAGE + 1) * PAGE - at;
        return page <= HEADER && written <= page;
    }
    let (Some(length), Some(text)) = (length(rest), rest.get(HEADER..written)) else {
        return false;
    };
    let begins = matches!(text.first(), Some(b'{' | b'"')) && !text.contains(&0);
    begins && (text.len() + 1..=LONGEST).contains(&length) && !is_closed(rest, length, text)
}

/// Whether a text is whole, or is so but for its last byte.
fn is_closed(rest: &[u8], length: usize, text: &[u8]) -> bool {
    if serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok() {
        return true;
    }
    let completes = |last: u8| {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(text);
        hasher.update(&[last]);
        Some(hasher.finalize()) == number(rest, 4)
    };
    length == text.len() + 1 && (0..=u8::MAX).any(completes)
}

/// Where the next whole record begins behind what is none.
fn next(bytes: &[u8], at: usize, budget: &mut usize) -> Option<usize> {
    (at + 1..bytes.len()).find(|at| {
        let rest = &bytes[*at..];
        let text = length(rest).and_then(|length| rest.get(HEADER..HEADER.checked_add(length)?));
        let looks = text.is_some_and(|text| {
            matches!(text, [b'{', .., b'}'] | [b'"', .., b'"']) && text.len() <= *budget
        });
        if looks {
            *budget -= text.map_or(0, <[u8]>::len);
        }
        looks && frame(rest).is_some()
    })
}

#[cfg(test)]
mod tests {
    use super::{Flaw, PAGE, read};
    use crate::change::{Change, Undo};
    use crate::records::record::{Head, Kept, Record, encode};

    fn journal() -> Vec<Record> {
        let head = Head {
            schema: super::SCHEMA,
            group: 0x6e00_0001,
            boot: "b".to_owned(),
            pid: 1,
            root: 1,
            name: "lan".to_owned(),
            what: "lan.yaml".to_owned(),
            created: 0,
            version: "1".to_owned(),
        };
        let change = Change::CreateNamespace { name: "n1".parse().expect("a name") };
        let scenario = r#"{"name":"lan.yaml","text":"name: lan","parameters":[]}"#;
        let scenario = serde_json::from_str(scenario).expect("one that is remembered");
        vec![
            Record::Head(head),
            Record::Intent { number: 0, change, foreseen: Undo::default() },
            Record::Done { number: 0, undo: Undo::default() },
            Record::Kept(Kept { name: "lan".to_owned(), until: None, scenario }),
            Record::Confirmed,
        ]
    }

    fn bytes(records: &[Record]) -> Vec<u8> {
        let mut all: Vec<u8> =
            records.iter().flat_map(|record| encode(record).expect("plain data")).collect();
        all.resize(all.len() + 64, 0);
        all
    }

    #[test]
    fn each_byte_that_is_altered_is_noticed() {
        let whole = bytes(&journal());
        for at in 0..whole.len() {
            let masks = [0x01, 0x20, 0x7d, 0x80, 0xff, whole[at]];
            for mask in masks.into_iter().filter(|mask| *mask != 0) {
                let mut altered = whole.clone();
                altered[at] ^= mask;
                let reading = read(&altered);
                let flaw = matches!(reading.flaw, Some(Flaw::Damaged { .. }));
                assert!(flaw, "byte {at} ^ {mask:#x} was believed");
                assert!(!reading.is_nothing());
                // All but the one record that it is in are read.
                assert!(reading.records.len() >= journal().len() - 1, "byte {at} ^ {mask:#x}");
            }
        }
    }

    #[test]
    fn half_a_record_at_the_end_is_nothing_unusual() {
        let records = journal();
        for count in 1..records.len() {
            let sound: Vec<u8> =
                records[..count].iter().flat_map(|record| encode(record).expect("plain")).collect();
            let more = encode(&records[count]).expect("plain data");
            for cut in super::HEADER + 1..more.len() - 1 {
                let mut torn = [&sound[..], &more[..cut]].concat();
                torn.resize(torn.len() + 100, 0);
                let reading = read(&torn);
                assert_eq!((reading.records.len(), reading.flaw), (count, None), "{count}, {cut}");
            }
        }
    }

    #[test]
    fn a_header_is_torn_only_where_a_page_ends() {
        let header = [9, 0, 0, 0, 1, 2, 3, 4];
        for (at, torn) in [(PAGE - 4, true), (PAGE - 8, true), (PAGE - 9, false), (PAGE, false)] {
            let mut rest = header[..4].to_vec();
            rest.resize(100, 0);
            assert_eq!(super::is_torn(&rest, at), torn, "{at}");
        }
    }

    #[test]
    fn what_is_whole_and_unknown_is_told_by_its_name() {
        let text = br#"{"later":{"of":1}}"#;
        let mut more = (text.len() as u32).to_le_bytes().to_vec();
        more.extend(crc32fast::hash(text).to_le_bytes());
        more.extend(text);
        let records = journal();
        let mut all = encode(&records[0]).expect("plain data");
        let at = all.len();
        all.extend(more);
        all.extend(records[1..].iter().flat_map(|record| encode(record).expect("plain data")));
        let reading = read(&all);
        assert_eq!(reading.flaw, Some(Flaw::Unknown { at, what: "later".to_owned() }));
        assert_eq!((reading.sound, reading.records.len()), (1, records.len()));
        assert_eq!(reading.label.name.as_deref(), Some("lan"));
    }
}
