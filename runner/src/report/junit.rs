//! The result as JUnit's XML, which CI systems show: a suite for the run, in it a case for each step
//! and each check. <https://llg.cubic.org/docs/junit/>

use std::io;
use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::result::{RunResult, Verdict};
use crate::file::Output;

pub(super) fn write(result: &RunResult, file: &mut Output) -> io::Result<()> {
    let time = Duration::from_secs_f64(result.seconds);
    let mut suite = TestSuite::new(result.name.as_str());
    suite.set_time(time);
    suite.add_test_cases(steps(result));
    suite.add_test_cases(result.checks.iter().map(|check| {
        let status = match check.verdict {
            Verdict::Pass => TestCaseStatus::success(),
            Verdict::Fail => unlike(NonSuccessKind::Failure, "failed", &check.detail),
            Verdict::Skip => {
                let mut status = TestCaseStatus::skipped();
                status.set_message(check.detail.lines().next().unwrap_or_default());
                status
            }
        };
        case(result, &check.name, status)
    }));
    let mut report = Report::new(result.name.as_str());
    report.set_time(time);
    report.add_test_suite(suite);
    let text = report.to_string().map_err(io::Error::other)?;
    file.push(text.as_bytes())?;
    file.finish()
}

/// The error of a run is that of the step it ended in. A check that failed is told as a check.
fn steps(result: &RunResult) -> Vec<TestCase> {
    let mut cases: Vec<TestCase> = Vec::new();
    for step in &result.steps {
        let mut case = case(result, &format!("step {}", step.name), TestCaseStatus::success());
        if !step.output.is_empty() {
            case.set_system_out(step.output.join("\n"));
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
    let mut case = TestCase::new(name, status);
    case.set_classname(result.name.as_str());
    case
}

/// `kind` of the run's or the check's, in a word, and what was seen.
fn unlike(kind: NonSuccessKind, word: &str, text: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(word).set_message(text.lines().next().unwrap_or_default());
    status.set_description(text);
    status
}
