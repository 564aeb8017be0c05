//! Journals of other versions: whole, and saying what this program doesn't know.

use std::fs;

use netwright_tests::Host;
use serde_json::{Value, json};

use super::{GRANTS, MACHINE, SCRIPT, deploy, granted, journal, scenario};

/// The records of a journal.
fn records(bytes: &[u8]) -> Vec<Value> {
    let mut all = Vec::new();
    let mut at = 0;
    while let Some(header) = bytes.get(at..at + 8) {
        let length = u32::from_le_bytes(header[..4].try_into().expect("4 bytes")) as usize;
        if length == 0 {
            break;
        }
        let text = &bytes[at + 8..at + 8 + length];
        all.push(serde_json::from_slice(text).expect("JSON"));
        at += 8 + length;
    }
    all
}

/// The bytes of such records, with space behind them.
fn bytes(records: &[Value]) -> Vec<u8> {
    let mut all = Vec::new();
    for record in records {
        let text = record.to_string().into_bytes();
        all.extend((text.len() as u32).to_le_bytes());
        all.extend(crc32fast::hash(&text).to_le_bytes());
        all.extend(text);
    }
    all.resize(all.len() + 4096, 0);
    all
}

/// What a later version may have made of it.
type Edit = fn(&mut Vec<Value>);

const EDITS: [(&str, &str, Edit); 7] = [
    ("another schema", "is of schema 2", |records| records[0]["head"]["schema"] = json!(2)),
    ("a schema beyond all numbers", "is of schema 4294967296", |records| {
        records[0]["head"]["schema"] = json!(4_294_967_296_u64);
    }),
    ("another schema, and a head of another form", "is of schema 7", |records| {
        records[0] = json!({ "head": { "schema": 7, "name": "dep", "version": "9.1" } });
    }),
    ("a record before the last", "has a record `note`", |records| {
        let last = records.len() - 1;
        records.insert(last, json!({ "note": { "of": "a later version" } }));
    }),
    ("a record at the end", "has a record `paused`", |records| records.push(json!("paused"))),
    ("a field of the end", "has a record `kept`", |records| {
        let last = records.len() - 1;
        records[last]["kept"]["by"] = json!("somebody");
    }),
    ("a field deep inside", "has a record `intent`", |records| {
        let intent = records.iter_mut().find(|record| record.get("intent").is_some());
        let change = intent.and_then(|record| record["intent"]["change"].as_object_mut());
        change.expect("a change").insert("later".to_owned(), json!(1));
    }),
];

#[test]
fn a_journal_of_another_version_is_left_as_it_is() {
    for (name, why, edit) in EDITS {
        let host = Host::with(MACHINE);
        deploy(&host, "dep", &SCRIPT);
        host.settle();
        let file = journal(&host);
        let mut all = records(&fs::read(&file).expect("it is there"));
        edit(&mut all);
        let written = bytes(&all);
        fs::write(&file, &written).expect("it is there");
        let deployed = host.state();
        let unmoved = || {
            assert_eq!(fs::read(&file).expect("it stays"), written, "{name}");
            assert_eq!(host.differences(&deployed), [""; 0], "{name}");
        };
        let output = host.netwright(["gc"], &[]).expect_code(6);
        assert!(output.stdout.contains(why), "{name}: {output:#?}");
        assert!(
            output.stdout.contains("this netwright") || output.stdout.contains("reads schema 1")
        );
        assert!(output.stdout.contains("`netwright gc --forget dep` forgets it"), "{output:#?}");
        unmoved();
        let output = host.netwright(["destroy", "dep"], &[]).expect_code(6);
        assert!(
            output.stderr.starts_with("error: `dep` is left as it is: "),
            "{name}: {output:#?}"
        );
        assert!(output.stderr.contains(why), "{name}: {output:#?}");
        unmoved();
        let words: [&[&str]; 4] =
            [&["confirm", "dep"], &["inspect", "dep"], &["check", "dep"], &["exec", "dep", "true"]];
        for words in words {
            let output = host.netwright(words, &[]).expect_code(8);
            assert!(output.stderr.contains(why), "{name}: {output:#?}");
        }
        let output = host.netwright(["ls"], &[]).expect_code(0);
        assert!(output.stdout.contains(why), "{name}: {output:#?}");
        let file = scenario(&host, "dep", &SCRIPT);
        host.netwright(granted(&["apply", &file], &GRANTS), &[]).expect_code(8);
        unmoved();
        // A run of its own goes on beside it, and says so; one that uses others' does not.
        let output = host.run_ip("ip link add lab-z type bridge", &GRANTS).expect_code(0);
        assert!(output.stderr.contains(why), "{name}: {output:#?}");
        let output = host.run_ip("ip link set eth0 mtu 1300", &GRANTS).expect_code(5);
        assert!(output.stderr.contains("what `dep` relies on isn't known"), "{name}: {output:#?}");
        unmoved();
        host.netwright(["gc", "--forget", "dep"], &[]).expect_code(0);
        assert_eq!(host.netwright(["gc"], &[]).expect_code(0).stdout, "nothing was left behind\n");
    }
}

#[test]
fn a_killed_run_of_another_version_is_left_as_it_is() {
    let host = Host::with(MACHINE);
    let victim = [("NETWRIGHT_CRASH", "both"), ("NETWRIGHT_CRASH_AT", "22")];
    assert_eq!(host.run_ip_with(&SCRIPT.join("\n"), &GRANTS, &victim).code, 128 + 9);
    let file = journal(&host);
    let mut all = records(&fs::read(&file).expect("it is there"));
    all.push(json!({ "later": 1 }));
    fs::write(&file, bytes(&all)).expect("it is there");
    let left = host.state();
    let output = host.netwright(["gc"], &[]).expect_code(6);
    assert!(output.stdout.contains("has a record `later`"), "{output:#?}");
    assert_eq!(host.differences(&left), [""; 0]);
    // By the run's own name.
    let run = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    host.netwright(["destroy", &run], &[]).expect_code(6);
    host.netwright(["gc", "--forget", &run], &[]).expect_code(0);
}
