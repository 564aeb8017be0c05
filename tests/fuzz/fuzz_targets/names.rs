//! Any text as a name, through everything that shows one.
#![no_main]

use libfuzzer_sys::fuzz_target;
use netwright::change::{Change, LinkRef, NamespaceRef};
use netwright::report::fuzzing::{json, junit, message, terminal};
use netwright_fuzz::{harmless, text};
use netwright_grants::{Capability, Facts, Grants, Request, Rule};
use netwright_network::shell::{Quoted, Word};
use quick_junit::Report;

fuzz_target!(|bytes: &[u8]| {
    let Some(name) = text(bytes) else { return };
    people(name);
    programs(name);
    if !name.contains('\0') {
        shells(name);
        grants(name);
    }
});

/// One text begins no line of its own, whatever it holds.
fn people(name: &str) {
    let [line, lines] = terminal(name);
    harmless(&line);
    harmless(&lines);
    assert!(!line.contains('\n'));
    // But one that repeats a remedy of ours word by word.
    let message = message(name);
    let mut more = message.lines().skip(1);
    assert!(more.all(|line| line.starts_with("  help: ")), "{message:?}");
    harmless(&message[message.rfind("\n  help: ").expect("a remedy")..]);
}

/// It comes back as it was, or as what stands for it.
fn programs(name: &str) {
    let document = json(name);
    harmless(&document);
    let value: serde_json::Value = serde_json::from_str(&document).expect("JSON");
    assert_eq!(value[name], name);
    let xml = junit(name).expect("it can be written");
    harmless(&xml);
    let report = Report::deserialize_from_str(&xml).expect("XML");
    let suite = &report.test_suites[0];
    assert_eq!(suite.test_cases.len(), 4);
    let plain = |c: char| matches!(c, ' '..='~');
    if name.chars().all(plain) && !name.is_empty() && name.trim() == name {
        assert_eq!(suite.test_cases[1].name.as_str(), name);
    }
}

fn shells(name: &str) {
    let quoted = Quoted(name).to_string();
    for word in [Word(name).to_string(), quoted.clone()] {
        harmless(&word);
        assert!(!word.contains('\n'));
        assert_eq!(read(&word), [name], "{word}");
    }
    // As what deletes a link: the last word of the line.
    let namespace = NamespaceRef::named(None);
    let link = LinkRef { namespace, name: name.to_owned(), index: None };
    for line in (Change::DeleteLink { link }).commands() {
        harmless(&line);
        let words = read(&line);
        let rest = ["ip", "link", "delete"];
        assert_eq!(words[..3], rest, "{line}");
        assert_eq!(words.last().map(String::as_str), Some(name), "{line}");
        assert!(words.len() == 4 || (words.len() == 5 && words[3] == "dev"), "{line}");
    }
}

/// What a hint gives is what was refused, and nothing else.
fn grants(name: &str) {
    let program = Facts { program: Some(name.to_owned()), ..Facts::default() };
    let link = Facts { name: Some(name.to_owned()), ..Facts::default() };
    for (capability, facts) in [(Capability::Exec, program), (Capability::HostLinkRead, link)] {
        let request = Request::new(capability, facts);
        let none = Grants::given(Vec::new(), Vec::new());
        let hint = none.allows(&request).expect_err("nothing is granted").hint();
        harmless(&hint);
        if hint == "no grant can name it" {
            continue;
        }
        let words = read(&hint);
        assert_eq!((words.len(), words[0].as_str()), (2, "--grant"), "{hint}");
        let rule = Rule::grant(&words[1], "").expect("a grant");
        assert_eq!(Grants::given(vec![rule], Vec::new()).allows(&request), Ok(()), "{hint}");
    }
}

/// The words of a line, as sh(1) reads them: by shlex, but for what printf(1) says.
fn read(line: &str) -> Vec<String> {
    const BEGIN: &str = "\"$(printf '";
    const END: &str = "')\"";
    const NEWLINE: &str = "\"${IFS#??}\"";
    let mut plain = String::new();
    let mut coded = Vec::new();
    let mut rest = line;
    // A quote that shlex reads can't hold this: it would be `'\"$(printf '\\''`.
    while let Some(start) = rest.find(BEGIN).filter(|start| !is_within_quotes(&rest[..*start])) {
        let body = &rest[start + BEGIN.len()..];
        let end = body.find(END).expect("it ends");
        let mut bytes = decoded(&body[..end]);
        plain += &rest[..start];
        rest = &body[end + END.len()..];
        while let Some(more) = rest.strip_prefix(NEWLINE) {
            bytes.push(b'\n');
            rest = more;
        }
        plain += &format!("coded{}", coded.len());
        coded.push(String::from_utf8(bytes).expect("it was text"));
    }
    plain += rest;
    let words = shlex::split(&plain).expect("quotes are closed");
    let said = |word: String| match word.strip_prefix("coded").map(str::parse::<usize>) {
        Some(Ok(place)) if place < coded.len() => coded[place].clone(),
        _ => word,
    };
    words.into_iter().map(said).collect()
}

/// Whether a single quote is open at the end.
fn is_within_quotes(text: &str) -> bool {
    let mut open = false;
    let mut escaped = false;
    for character in text.chars() {
        match character {
            '\\' if !open && !escaped => escaped = true,
            '\'' if !escaped => open = !open,
            _ => escaped = false,
        }
    }
    open
}

/// As printf(1): three octal digits behind `\` are a byte.
fn decoded(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        if *first == b'\\' {
            let digits = std::str::from_utf8(&more[..3]).expect("three digits");
            bytes.push(u8::from_str_radix(digits, 8).expect("octal"));
            rest = &more[3..];
        } else {
            assert!(*first != b'%' && *first != b'\'', "{text}");
            bytes.push(*first);
            rest = more;
        }
    }
    bytes
}
