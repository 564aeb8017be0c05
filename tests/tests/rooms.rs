//! The rooms of the program, and which of them know of each other: ARCHITECTURE.md has the picture. A
//! room is a file or folder of `runner/src`, or of `linux/src`, which knows nothing of the others.

use std::collections::{BTreeMap, BTreeSet};

use netwright_tests::program_sources;

/// Each room with all that it may use. What is used stands above whoever uses it, so that there is no
/// circle; an edge that is new is put here by whoever needs it, and is seen by whoever reads the change.
const ROOMS: &[(&str, &[&str])] = &[
    ("builtin", &[]),
    ("clock", &[]),
    ("near", &[]),
    ("rights", &[]),
    ("text", &[]),
    ("change", &[]),
    ("halt", &[]),
    ("records", &["change"]),
    ("kernel", &["change", "clock", "halt", "records", "text"]),
    ("probe", &["change", "kernel"]),
    ("capture", &["change", "kernel", "probe", "text"]),
    ("tap", &["kernel", "probe", "rights", "text"]),
    ("document", &["records", "text"]),
    ("exit", &["document", "halt", "kernel", "text"]),
    ("process", &["exit", "halt"]),
    ("resources", &["exit", "halt"]),
    ("crash", &["process"]),
    ("file", &["halt", "text"]),
    ("grant", &["document", "file", "text"]),
    ("store", &["exit", "file", "text"]),
    ("naming", &["document", "exit", "file", "store"]),
    (
        "journal",
        &["change", "crash", "exit", "halt", "naming", "process", "records", "store", "text"],
    ),
    ("attach", &["change", "exit", "grant", "journal", "kernel", "process", "text"]),
    ("policy", &["change", "grant", "kernel", "text"]),
    ("program", &["exit", "kernel", "process", "text"]),
    ("report", &["change", "exit", "file", "halt", "kernel", "text"]),
    ("scenario", &["builtin", "change", "document", "grant", "naming", "policy", "records"]),
    ("state", &["change", "kernel", "policy", "text"]),
    ("uplink", &["change", "exit", "grant", "kernel", "policy", "process", "rights"]),
    ("cli", &["exit", "near", "report", "scenario"]),
    (
        "host",
        &[
            "capture", "change", "exit", "grant", "halt", "journal", "kernel", "policy", "probe",
            "program", "report", "scenario", "tap", "text",
        ],
    ),
    (
        "check",
        &[
            "capture", "change", "exit", "host", "kernel", "policy", "probe", "report", "scenario",
            "text",
        ],
    ),
    (
        "recipe",
        &[
            "builtin", "change", "cli", "exit", "file", "grant", "halt", "near", "process",
            "report", "scenario", "text",
        ],
    ),
    (
        "consent",
        &["exit", "file", "grant", "near", "policy", "recipe", "report", "scenario", "text"],
    ),
    (
        "guest",
        &[
            "change", "exit", "file", "halt", "host", "journal", "kernel", "policy", "process",
            "recipe", "report", "scenario", "store", "text",
        ],
    ),
    (
        "lab",
        &[
            "change", "crash", "exit", "file", "guest", "journal", "kernel", "naming", "process",
            "records", "report", "store", "text",
        ],
    ),
    ("doctor", &["change", "exit", "guest", "kernel", "lab", "policy", "report"]),
    (
        "recover",
        &[
            "clock", "crash", "exit", "halt", "journal", "kernel", "lab", "naming", "near",
            "process", "records", "report", "store", "text",
        ],
    ),
    (
        "kept",
        &[
            "change", "clock", "exit", "journal", "kernel", "lab", "naming", "near", "policy",
            "process", "recover", "report", "state", "text",
        ],
    ),
    (
        "run",
        &[
            "attach", "capture", "change", "check", "cli", "clock", "consent", "crash", "exit",
            "file", "grant", "guest", "halt", "host", "journal", "kept", "kernel", "lab", "naming",
            "policy", "process", "recipe", "recover", "report", "rights", "scenario", "state",
            "store", "tap", "text", "uplink",
        ],
    ),
];

/// The program's own entrance and the list of rooms.
const OUTSIDE: [&str; 2] = ["main", "lib"];

#[test]
fn rooms_use_what_stands_above_them() {
    let mut above = BTreeSet::new();
    for (room, uses) in ROOMS {
        let below: Vec<_> = uses.iter().filter(|used| !above.contains(**used)).collect();
        assert_eq!(below, [&""; 0], "`{room}` uses what comes after it, or itself");
        assert!(above.insert(*room), "`{room}` stands here twice");
    }
}

#[test]
fn rooms_use_what_they_may_and_no_more() {
    let found = edges();
    let allowed: BTreeSet<(String, String)> = ROOMS
        .iter()
        .flat_map(|(room, uses)| uses.iter().map(|used| ((*room).to_owned(), (*used).to_owned())))
        .collect();
    let new: Vec<_> = found.iter().filter(|(edge, _)| !allowed.contains(*edge)).collect();
    assert_eq!(new, [], "edges that the table above does not allow, with a file that has each");
    let stale: Vec<_> = allowed.iter().filter(|edge| !found.contains_key(*edge)).collect();
    assert!(stale.is_empty(), "allowed, and used nowhere: {stale:?}");
}

#[test]
fn every_room_is_in_the_table() {
    let known: BTreeSet<&str> = ROOMS.iter().map(|(room, _)| *room).collect();
    let missing: BTreeSet<String> = sources()
        .into_iter()
        .map(|(path, _)| room_of(&path))
        .filter(|room| !known.contains(room.as_str()) && !OUTSIDE.contains(&room.as_str()))
        .collect();
    assert_eq!(missing, BTreeSet::new());
}

#[test]
fn what_the_policy_lets_through_is_said_by_the_policy_alone() {
    let mut wrong = sources();
    wrong.retain(|(path, text)| text.contains("::by_policy") && !path.starts_with("policy"));
    let wrong: Vec<_> = wrong.into_iter().map(|(path, _)| path).collect();
    assert_eq!(wrong, [""; 0]);
}

/// What rooms use of each other outside of tests, with one of the files.
fn edges() -> BTreeMap<(String, String), String> {
    let mut found = BTreeMap::new();
    for (path, text) in sources() {
        let room = room_of(&path);
        if OUTSIDE.contains(&room.as_str()) {
            continue;
        }
        for used in used(&text).into_iter().filter(|used| *used != room) {
            found.insert((room.clone(), used), path.clone());
        }
    }
    found
}

/// The rooms behind `crate::`, one or several in braces.
fn used(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices("crate::") {
        let before = text[..at].chars().next_back();
        if before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_') {
            continue;
        }
        let rest = &text[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(list) => found.extend(names_of(list)),
            None => found.extend([word(rest)]),
        }
    }
    found.remove("");
    found
}

/// The first word of each item of a list, up to the brace that closes it.
fn names_of(list: &str) -> Vec<String> {
    let (mut depth, mut names, mut begins) = (0_u32, Vec::new(), true);
    for (at, letter) in list.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => begins = true,
            letter if begins && !letter.is_whitespace() => {
                names.push(word(&list[at..]));
                begins = false;
            }
            _ => {}
        }
    }
    names
}

fn word(text: &str) -> String {
    text.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()
}

fn room_of(path: &str) -> String {
    let first = path.split('/').next().unwrap_or_default();
    first.strip_suffix(".rs").unwrap_or(first).to_owned()
}

/// The files of tests alone.
const TESTS: [&str; 3] = ["tests.rs", "policy/model.rs", "guest/stand_in.rs"];

/// All files of the program, without their comments and their tests.
fn sources() -> Vec<(String, String)> {
    let is_test = |name: &str| TESTS.iter().any(|end| name.ends_with(end));
    let files = program_sources().into_iter().filter(|(name, _)| !is_test(name));
    let code = |text: String| {
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        lines.collect::<Vec<_>>().join("\n")
    };
    files.map(|(name, text)| (name, code(text))).collect()
}
