//! The lines that people read. What a recipe says is always behind `|`, so it can't pass for ours.

use std::fmt::Display;
use std::io::Write as _;

use anstyle::{AnsiColor, Style};

use super::{CaptureResult, CheckResult, Metric, RunResult, Verdict, escape};

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

    /// A line of progress: standard output, or nowhere. A closed or full output is no reason to
    /// stop an undo, so that a failure to write is passed over.
    fn line(&self, text: impl Display) {
        if !self.quiet && !self.json {
            let _ = writeln!(anstream::stdout(), "{text}");
        }
    }

    /// A line that is no progress: standard error, for the same reason unchecked.
    fn complaint(&self, text: impl Display) {
        let _ = writeln!(anstream::stderr(), "{text}");
    }

    pub(super) fn notice(&self, text: &str) {
        self.complaint(format_args!("{ODD}netwright{ODD:#}: {text}"));
    }

    pub(super) fn heading(&self, name: &str, target: &str) {
        self.line(format_args!("{BOLD}{name}{BOLD:#} {DIM}({target}){DIM:#}"));
    }

    pub(super) fn step(&self, name: &str, recipe: &str) {
        self.line(format_args!("  step {BOLD}{name}{BOLD:#} {DIM}{recipe}{DIM:#}"));
    }

    pub(super) fn change(&self, change: &str) {
        self.line(format_args!("    {GOOD}+{GOOD:#} {change}"));
    }

    pub(super) fn refused(&self, change: &str) {
        self.line(format_args!("    {BAD}x{BAD:#} {change}"));
    }

    pub(super) fn denied(&self, denial: &str) {
        self.complaint(format_args!(
            "{BAD}denied{BAD:#}{}",
            denial.strip_prefix("denied").unwrap_or(denial)
        ));
    }

    pub(super) fn undone(&self, change: &str, error: Option<&str>) {
        match error {
            None if self.verbose => self.line(format_args!("    {ODD}-{ODD:#} {change}")),
            None => {}
            Some(error) => {
                self.complaint(format_args!("{BAD}not undone{BAD:#}: {change}: {error}"));
            }
        }
    }

    pub(super) fn log(&self, recipe: &str, level: Level, message: &str) {
        let least = if self.verbose { Level::Trace } else { Level::Warn };
        if level >= least && !self.quiet {
            self.complaint(format_args!("{DIM}{recipe} |{DIM:#} {}: {message}", level.name()));
        }
    }

    pub(super) fn recipe_step(&self, title: &str) {
        self.line(format_args!("    {DIM}|{DIM:#} {title}"));
    }

    pub(super) fn printed(&self, line: &str) {
        self.line(format_args!("    {DIM}|{DIM:#} {line}"));
    }

    pub(super) fn metric(&self, metric: &Metric) {
        let Metric { name, value, unit } = metric;
        self.line(format_args!("    {DIM}|{DIM:#} {name} = {value} {unit}"));
    }

    pub(super) fn check(&self, check: &CheckResult) {
        let (style, word) = match check.verdict {
            Verdict::Pass => (GOOD, "ok"),
            Verdict::Fail => (BAD, "FAILED"),
            Verdict::Skip => (ODD, "skipped"),
        };
        let bar = if check.by == "recipe" { "  | " } else { "  " };
        let detail = match (check.verdict, check.detail.is_empty()) {
            (_, true) => String::new(),
            (Verdict::Pass, false) => format!(" {DIM}({}){DIM:#}", check.detail),
            (Verdict::Fail | Verdict::Skip, false) => format!(": {}", check.detail),
        };
        let line = format!("{bar}{style}{word}{style:#} {}{detail}", check.name);
        if check.verdict == Verdict::Fail && self.quiet && !self.json {
            self.complaint(line);
        } else {
            self.line(line);
        }
    }

    pub(super) fn captured(&self, capture: &CaptureResult) {
        let place = match &capture.namespace {
            Some(namespace) => format!("{} in {namespace}", escape(&capture.link)),
            None => escape(&capture.link),
        };
        let frames = capture.frames;
        match &capture.file {
            Some(file) => {
                self.line(format_args!("  {frames} frames of {place} {DIM}{file}{DIM:#}"))
            }
            None if self.verbose => self.line(format_args!("  {frames} frames of {place}")),
            None => {}
        }
    }

    pub(super) fn finish(&self, result: &RunResult, error: Option<&str>) {
        for warning in &result.warnings {
            self.complaint(format_args!("{ODD}warning{ODD:#}: {warning}"));
        }
        if let Some(error) = error {
            self.complaint(format_args!("{BAD}error{BAD:#}: {error}"));
        }
        if self.json {
            // Writing plain data as JSON can't fail; a closed output is no failure of the run.
            let text = serde_json::to_string_pretty(result).unwrap_or_default();
            let _ = writeln!(std::io::stdout(), "{text}");
        }
        let style = if result.exit_code == 0 { GOOD } else { BAD };
        self.line(format_args!("{style}{}{style:#}: {}", result.result, summary(result)));
    }
}

/// `5 checks, 14 changes, 0.31 s`
/// A number with its noun, of which one only is one: `3 changes`.
pub(crate) fn counted(number: usize, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}

fn summary(result: &RunResult) -> String {
    let mut parts = Vec::new();
    let failed = result.failed_checks();
    match failed {
        0 => parts.push(counted(result.checks.len(), "check")),
        _ => parts.push(format!("{failed} of {} failed", counted(result.checks.len(), "check"))),
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
