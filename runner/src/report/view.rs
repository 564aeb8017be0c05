//! The lines that people read. What a recipe says is always behind `|`, so it can't pass for ours.

use std::fmt::Display;

use anstyle::{AnsiColor, Style};

use super::{CaptureResult, CheckResult, Line, Metric, RunResult, Verdict, print_json};
use crate::text::counted;

/// How urgent a line of a recipe's log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}

impl Level {
    pub fn name(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// Where lines go, and how many.
#[derive(Debug, Clone, Copy)]
pub struct View {
    /// One JSON document on standard output at the end, nothing else there.
    pub json: bool,
    pub quiet: bool,
    pub verbose: bool,
}

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const ODD: Style = AnsiColor::Yellow.on_default();

impl View {
    pub fn is_verbose(&self) -> bool {
        self.verbose && !self.quiet
    }

    /// A line of progress: standard output, or nowhere.
    fn line(&self, line: Line) {
        if !self.quiet && !self.json {
            line.say();
        }
    }

    pub(super) fn notice(&self, text: &str) {
        Line::new().styled(ODD, "netwright").text(": ").message(text).complain();
    }

    pub(super) fn heading(&self, name: &str, target: &str) {
        let target = format!("({target})");
        self.line(Line::new().styled(BOLD, name).text(" ").styled(DIM, target));
    }

    pub(super) fn step(&self, name: &str, recipe: &str) {
        self.line(Line::new().text("  step ").styled(BOLD, name).text(" ").styled(DIM, recipe));
    }

    pub(super) fn change(&self, change: &str) {
        self.line(Line::new().text("    ").styled(GOOD, "+").text(" ").text(change));
    }

    pub(super) fn refused(&self, change: &str) {
        self.line(Line::new().text("    ").styled(BAD, "x").text(" ").text(change));
    }

    pub(super) fn denied(&self, denial: &str) {
        let rest = denial.strip_prefix("denied").unwrap_or(denial);
        Line::new().styled(BAD, "denied").message(rest).complain();
    }

    pub(super) fn undone(&self, change: &str, error: Option<&str>) {
        match error {
            None if self.verbose => {
                self.line(Line::new().text("    ").styled(ODD, "-").text(" ").text(change));
            }
            None => {}
            Some(error) => {
                let line = Line::new().styled(BAD, "not undone").text(": ").text(change);
                line.text(": ").message(error).complain();
            }
        }
    }

    pub(super) fn log(&self, recipe: &str, level: Level, message: &str) {
        let least = if self.verbose { Level::Trace } else { Level::Warn };
        if level >= least && !self.quiet {
            let line = Line::new().styled(DIM, format!("{recipe} |"));
            line.text(" ").text(level.name()).text(": ").text(message).complain();
        }
    }

    fn of_recipe(&self, text: impl Display) {
        self.line(Line::new().text("    ").styled(DIM, "|").text(" ").text(text));
    }

    pub(super) fn recipe_step(&self, title: &str) {
        self.of_recipe(title);
    }

    pub(super) fn printed(&self, line: &str) {
        self.of_recipe(line);
    }

    pub(super) fn metric(&self, metric: &Metric) {
        let Metric { name, value, unit } = metric;
        self.of_recipe(format_args!("{name} = {value} {unit}"));
    }

    pub(super) fn check(&self, check: &CheckResult) {
        let (style, word) = match check.verdict {
            Verdict::Pass => (GOOD, "ok"),
            Verdict::Fail => (BAD, "FAILED"),
            Verdict::Skip => (ODD, "skipped"),
        };
        let bar = if check.by == "recipe" { "  | " } else { "  " };
        let line = Line::new().text(bar).styled(style, word).text(" ").text(&check.name);
        let line = match (check.verdict, check.detail.is_empty()) {
            (_, true) => line,
            (Verdict::Pass, false) => line.text(" ").styled(DIM, format!("({})", check.detail)),
            (Verdict::Fail | Verdict::Skip, false) => line.text(": ").message(&check.detail),
        };
        if check.verdict == Verdict::Fail && self.quiet && !self.json {
            line.complain();
        } else {
            self.line(line);
        }
    }

    pub(super) fn captured(&self, capture: &CaptureResult) {
        let place = match &capture.namespace {
            Some(namespace) => format!("{} in {namespace}", capture.link),
            None => capture.link.clone(),
        };
        let line = Line::new().text(format_args!("  {} frames of {place}", capture.frames));
        match &capture.file {
            Some(file) => self.line(line.text(" ").styled(DIM, file)),
            None if self.verbose => self.line(line),
            None => {}
        }
    }

    pub(super) fn result(&self, result: &RunResult, error: Option<&str>) {
        for warning in &result.warnings {
            Line::new().styled(ODD, "warning").text(": ").message(warning).complain();
        }
        if let Some(error) = error {
            Line::new().styled(BAD, "error").text(": ").message(error).complain();
        }
        if self.json {
            // Writing plain data as JSON can't fail; a closed output is no failure of the run.
            let text = serde_json::to_string_pretty(result).unwrap_or_default();
            let _ = print_json(&(text + "\n"));
        }
        let style = if result.exit_code == 0 { GOOD } else { BAD };
        let line = Line::new().styled(style, result.result).text(": ").text(summary(result));
        self.line(line);
    }
}

/// `5 checks, 14 changes, 0.31 s`
fn summary(result: &RunResult) -> String {
    let mut parts = Vec::new();
    let failed = result.failed_checks();
    match failed {
        0 => parts.push(counted(result.checks.len(), "check")),
        _ => parts.push(format!("{failed} of {} failed", counted(result.checks.len(), "check"))),
    }
    match result.checks_that(Verdict::Skip) {
        0 => {}
        skipped => parts.push(format!("{skipped} skipped")),
    }
    parts.push(counted(result.changes(), "change"));
    if result.undone > 0 {
        parts.push(format!("{} undone", result.undone));
    }
    if result.undone_with_lab > 0 {
        parts.push(format!("{} undone with the lab", result.undone_with_lab));
    }
    if !result.left.is_empty() {
        parts.push(format!("{} not undone", result.left.len()));
    }
    if let Some(name) = &result.kept {
        parts.push(format!("kept as {name}"));
    }
    parts.push(format!("{:.2} s", result.seconds));
    parts.join(", ")
}
