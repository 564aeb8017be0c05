//! The scenario parser: whatever the file, it is read or every fault has its place in it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use netwright::scenario::{Override, RecipeFault, Scenario};
use netwright_fuzz::{halves, harmless, text};

// A scenario; behind a NUL, `KEY=VALUE` for `-p`, one a line.
fuzz_target!(|bytes: &[u8]| {
    let (scenario, overrides) = halves(bytes);
    let (Some(scenario), Some(overrides)) = (text(scenario), text(overrides)) else { return };
    // `KEY=@FILE` would read files.
    let given = overrides.lines().filter_map(|line| line.split_once('='));
    let overrides: Vec<Override> = given.map(|(key, value)| Override::new(key, value)).collect();
    match Scenario::parse(scenario, "scenario.yaml", &overrides) {
        Ok(read) => understood(&read),
        Err(faults) => {
            assert!(!faults.is_empty());
            for (location, fault) in faults.iter().take(50) {
                assert!(!fault.message.is_empty());
                if location.source == "scenario.yaml" {
                    assert!(location.line <= scenario.matches('\n').count() + 1);
                }
            }
            harmless(&faults.to_string());
        }
    }
});

fn understood(scenario: &Scenario) {
    harmless(&scenario.name);
    for check in &scenario.checks {
        harmless(&check.check.to_string());
    }
    // A recipe complains of a place that it made up.
    for place in 0..scenario.steps.len() + 1 {
        for (line, column) in [(0, 0), (1, 1), (2, 7), (u32::MAX, u32::MAX)] {
            let parameter = scenario.steps.get(place).and_then(|step| step.params().pop());
            let (parameter, _) = parameter.unwrap_or_default();
            for pointer in ["", "/0", "/a/1", "/~1~"] {
                let (pointer, message) = (pointer.to_owned(), "\u{1b}[2J".to_owned());
                let parameter = parameter.clone();
                let fault = RecipeFault { parameter, pointer, line, column, message, help: None };
                let _place = scenario.locate(place, &fault);
                harmless(&scenario.recipe_faults(place, &[fault]).to_string());
            }
        }
    }
}
