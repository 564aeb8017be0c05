//! The result as JUnit's XML, which CI systems show: a suite for the run, in it a case for each step
//! and each check. <https://llg.cubic.org/docs/junit/>

use std::io;
use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::line::tamed_lines as tamed;
use super::result::{RunResult, Verdict};
use crate::file::Output;

pub(super) fn write(result: &RunResult, file: &mut Output) -> io::Result<()> {
    file.push(text(result)?.as_bytes())?;
    file.finish()
}

/// No character of it is one that steers a terminal or that XML has no place for.
pub(super) fn text(result: &RunResult) -> io::Result<String> {
    let time = Duration::from_secs_f64(result.seconds);
    let mut suite = TestSuite::new(tamed(&result.name));
    suite.set_time(time);
    suite.add_test_cases(steps(result));
    suite.add_test_cases(result.checks.iter().map(|check| {
        let status = match check.verdict {
            Verdict::Pass => TestCaseStatus::success(),
            Verdict::Fail => unlike(NonSuccessKind::Failure, "failed", &check.detail),
            Verdict::Skip => {
                let mut status = TestCaseStatus::skipped();
                status.set_message(tamed(check.detail.lines().next().unwrap_or_default()));
                status
            }
        };
        case(result, &check.name, status)
    }));
    let mut report = Report::new(tamed(&result.name));
    report.set_time(time);
    report.add_test_suite(suite);
    report.to_string().map_err(io::Error::other)
}

/// The error of a run is that of the step it ended in. A check that failed is told as a check.
fn steps(result: &RunResult) -> Vec<TestCase> {
    let mut cases: Vec<TestCase> = Vec::new();
    for step in &result.steps {
        let mut case = case(result, &format!("step {}", step.name), TestCaseStatus::success());
        if !step.output.is_empty() {
            case.set_system_out(tamed(&step.output.join("\n")));
        }
        cases.push(case);
    }
    if let Some(error) = &result.error {
        if cases.is_empty() {
            cases.push(case(result, "run", TestCaseStatus::success()));
        }
        let status = unlike(NonSuccessKind::Error, result.result, error);
        cases.last_mut().into_iter().for_each(|case| case.status = status.clone());
    }
    cases
}

fn case(result: &RunResult, name: &str, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(tamed(name), status);
    case.set_classname(tamed(&result.name));
    case
}

/// `kind` of the run's or the check's, in a word, and what was seen.
fn unlike(kind: NonSuccessKind, word: &str, text: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    let text = tamed(text);
    status.set_type(word).set_message(text.lines().next().unwrap_or_default());
    status.set_description(text);
    status
}

#[cfg(test)]
mod tests {
    use super::super::result::CheckResult;
    use super::*;

    /// Each character of the world in each place, and what XML 1.0 has no place for nowhere.
    #[test]
    fn whatever_is_said_makes_xml() {
        let marked =
            ['\u{fffe}', '\u{ffff}', '\u{1fffe}', '\0', '\u{1b}', '\u{85}', '\u{2028}', '\r'];
        let rest = "]]> &amp; <b> \"'";
        let said = marked.map(|each| format!("a{each}b")).join(rest);
        let mut result = RunResult::new(&said, "lab");
        let mut step = super::super::StepResult::new(&said, &said);
        step.output.push(said.clone());
        result.steps.push(step);
        for verdict in [Verdict::Pass, Verdict::Fail, Verdict::Skip] {
            let (name, detail) = (said.clone(), said.clone());
            result.checks.push(CheckResult { name, verdict, detail, cause: None, by: "recipe" });
        }
        result.error = Some(said.clone());
        let text = text(&result).expect("it can be written");
        let allowed =
            |c: char| matches!(c, '\t' | '\n' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}');
        assert!(
            text.chars().all(|c| allowed(c) && (c == '\n' || crate::text::is_harmless(c))),
            "{text}"
        );
        assert!(text.contains("\\u{fffe}") && text.contains("\\u{0}"), "{text}");
    }
}
