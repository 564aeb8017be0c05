//! The door for fuzzers: a text through every printer. Only builds for fuzzing have it.

use super::result::{CheckResult, RunResult, StepResult, Verdict};
use super::{Line, junit, line};
use crate::text::{forget, help, own_lines};

/// A line of a terminal, and a message of several.
pub fn terminal(text: &str) -> [String; 2] {
    [Line::new().text(text).shown().to_owned(), Line::new().message(text).shown().to_owned()]
}

/// As a remedy: the end of a message, of which the rest is a stranger's.
pub fn message(text: &str) -> String {
    // A process makes no more than a run does; this one has thousands of runs.
    forget();
    own_lines(&format!("{text}{}", help(text)))
}

/// A document of JSON that holds it.
pub fn json(text: &str) -> String {
    line::json(&serde_json::json!({ text: text }).to_string())
}

/// A JUnit report in which it is each name and each text.
pub fn junit(text: &str) -> std::io::Result<String> {
    let mut result = RunResult::new(text, "lab");
    let mut step = StepResult::new(text, text);
    step.output.push(text.to_owned());
    result.steps.push(step);
    for verdict in [Verdict::Pass, Verdict::Fail, Verdict::Skip] {
        let (name, detail) = (text.to_owned(), text.to_owned());
        result.checks.push(CheckResult { name, verdict, detail, cause: None, by: "recipe" });
    }
    result.error = Some(text.to_owned());
    junit::text(&result)
}
