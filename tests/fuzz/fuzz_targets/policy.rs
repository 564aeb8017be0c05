//! The parser of policy files, and of the rules in them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use netwright::grant::PolicyLists;
use netwright::grant::Rule;
use netwright_fuzz::{harmless, text};

fuzz_target!(|bytes: &[u8]| {
    let Some(text) = text(bytes) else { return };
    match PolicyLists::parse(text, "policy.yaml") {
        Ok(lists) => {
            lists.allow.iter().for_each(|rule| comes_back(rule, Rule::grant));
            lists.deny.iter().for_each(|rule| comes_back(rule, Rule::deny));
        }
        Err(faults) => {
            assert!(!faults.is_empty());
            harmless(&faults.to_string());
        }
    }
    // The same language without YAML around it, as flags have it.
    for line in text.lines().take(20) {
        for read in [Rule::grant, Rule::ask, Rule::deny] {
            match read(line, "flag") {
                Ok(rule) => comes_back(&rule, read),
                Err(faults) => {
                    assert!(!faults.is_empty());
                    assert!(faults.iter().all(|fault| line.get(fault.place.clone()).is_some()));
                }
            }
        }
    }
});

/// A rule is shown as it would be written, and is the same rule when it is read again.
fn comes_back(rule: &Rule, read: fn(&str, &str) -> Read) {
    let shown = rule.to_string();
    harmless(&shown);
    let again = read(&shown, "shown").map(|again| again.to_string());
    assert_eq!(again.as_ref(), Ok(&shown));
}

type Read = Result<Rule, Vec<netwright::grant::Fault<std::ops::Range<usize>>>>;
