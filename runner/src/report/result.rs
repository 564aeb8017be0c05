//! The result of a run, as `--json` prints it.

use std::time::Duration;

use serde::Serialize;

use crate::change::Change;
use crate::kernel::Error;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Pass,
    Fail,
    Skip,
}

#[derive(Debug, Clone, Serialize)]
pub struct CheckResult {
    pub name: String,
    pub verdict: Verdict,
    pub detail: String,
    /// why nothing answered, or why it was not decided, in a word
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<&'static str>,
    /// `scenario` or `recipe`
    pub by: &'static str,
}

impl CheckResult {
    /// A verdict of the host's about what the scenario asks for.
    pub(crate) fn of_scenario(
        name: String,
        verdict: Verdict,
        detail: String,
        cause: Option<&'static str>,
    ) -> Self {
        Self { name, verdict, detail, cause, by: "scenario" }
    }
}

#[derive(Debug, Clone, Serialize)]
pub struct Metric {
    pub name: String,
    pub value: f64,
    pub unit: String,
}

/// A change that was asked for, and what became of it.
#[derive(Debug, Clone, Serialize)]
pub struct ChangeResult {
    /// In ip(8)'s words.
    pub change: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl ChangeResult {
    pub(super) fn done(change: &Change) -> Self {
        Self { change: change.to_string(), error: None }
    }

    pub(super) fn refused(change: &Change, error: &Error) -> Self {
        Self { change: change.to_string(), error: Some(error.to_string()) }
    }
}

/// What a capture saw of a link.
#[derive(Debug, Clone, Serialize)]
pub struct CaptureResult {
    /// none is the root namespace
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    pub link: String,
    pub frames: u64,
    pub bytes: u64,
    /// frames that the kernel had no room for
    pub dropped: u64,
    /// frames that came after the limit was reached
    pub beyond_limit: u64,
    /// in the artifacts' folder
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
pub struct StepResult {
    pub name: String,
    pub recipe: String,
    pub changes: Vec<ChangeResult>,
    /// programs that were run outside the sandbox, with their arguments
    pub programs: Vec<String>,
    pub output: Vec<String>,
    pub metrics: Vec<Metric>,
}

impl StepResult {
    pub(super) fn new(name: &str, recipe: &str) -> Self {
        Self {
            name: name.to_owned(),
            recipe: recipe.to_owned(),
            changes: Vec::new(),
            programs: Vec::new(),
            output: Vec::new(),
            metrics: Vec::new(),
        }
    }
}

#[derive(Debug, Clone, Serialize)]
pub struct RunResult {
    pub schema: u32,
    pub name: String,
    /// `lab` or `host`
    pub target: String,
    /// `passed`, `failed`, `refused`, `denied`, `broken`, `incomplete`, `limit`, `lacking` or
    /// `interrupted`
    pub result: &'static str,
    pub exit_code: u8,
    pub seconds: f64,
    pub steps: Vec<StepResult>,
    pub checks: Vec<CheckResult>,
    pub captures: Vec<CaptureResult>,
    pub denials: Vec<String>,
    /// Changes that were taken back, because something failed.
    pub undone: usize,
    /// Changes that went with the lab instead of one by one, for they were many.
    pub undone_with_lab: usize,
    /// Changes that could not be taken back.
    pub left: Vec<String>,
    pub warnings: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The name that the lab is kept under.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept: Option<String>,
}

impl RunResult {
    pub(super) fn new(name: &str, target: &str) -> Self {
        Self {
            schema: 1,
            name: name.to_owned(),
            target: target.to_owned(),
            result: "passed",
            exit_code: 0,
            seconds: 0.0,
            steps: Vec::new(),
            checks: Vec::new(),
            captures: Vec::new(),
            denials: Vec::new(),
            undone: 0,
            undone_with_lab: 0,
            left: Vec::new(),
            warnings: Vec::new(),
            error: None,
            kept: None,
        }
    }

    pub fn failed_checks(&self) -> usize {
        self.checks_that(Verdict::Fail)
    }

    pub(super) fn checks_that(&self, verdict: Verdict) -> usize {
        self.checks.iter().filter(|check| check.verdict == verdict).count()
    }

    pub fn changes(&self) -> usize {
        self.steps.iter().flat_map(|step| &step.changes).filter(|each| each.error.is_none()).count()
    }

    pub(super) fn finish(&mut self, exit_code: u8, elapsed: Duration, error: Option<&str>) {
        self.exit_code = exit_code;
        self.seconds = (elapsed.as_secs_f64() * 1e6).round() / 1e6;
        self.error = error.map(str::to_owned);
        self.result = match exit_code {
            0 => "passed",
            1 => "failed",
            2 => "refused",
            4 => "denied",
            6 => "incomplete",
            7 => "limit",
            8 => "lacking",
            130 | 143 => "interrupted",
            _ => "broken",
        };
    }
}
