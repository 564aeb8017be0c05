//! What a recipe says of itself, and parameters held against it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use netwright::recipe::Manifest;
use netwright_fuzz::{halves, harmless};

// A manifest; behind a NUL, a step's parameters as `KEY=VALUE`, one a line.
fuzz_target!(|bytes: &[u8]| {
    let (manifest, given) = halves(bytes);
    let manifest = match Manifest::read(manifest) {
        Ok(manifest) => manifest,
        Err(rule) => return harmless(&rule),
    };
    harmless(&manifest.name);
    harmless(&manifest.version);
    harmless(&manifest.api);
    harmless(&manifest.description);
    for parameter in &manifest.parameters {
        harmless(&parameter.name);
        harmless(&parameter.kind);
        harmless(&parameter.description);
        parameter.choices.iter().flatten().for_each(|choice| harmless(choice));
    }
    manifest.capabilities.iter().for_each(|asked| harmless(&asked.reason));
    match manifest.asks() {
        Ok(rules) => rules.iter().for_each(|rule| harmless(&rule.to_string())),
        Err(rule) => harmless(&rule),
    }
    let given = String::from_utf8_lossy(given);
    let given: Vec<(String, String)> = given
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    for fault in manifest.faults(&given) {
        harmless(&fault.message);
        fault.help.iter().for_each(|help| harmless(help));
    }
});
