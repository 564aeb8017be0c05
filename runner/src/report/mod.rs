//! What is shown of a run: lines for people, events for programs, one result at the end.

mod artifacts;
mod events;
#[cfg(fuzzing)]
pub mod fuzzing;
mod junit;
mod line;
mod out;
mod result;
#[cfg(test)]
mod shown_tests;
mod view;

pub use artifacts::Artifacts;
pub use events::EventLog;
pub(crate) use line::{Line, ask, is_terminal, print_lines};
pub use line::{answer, complain, print, print_bytes, print_json};
pub use result::{
    CaptureResult, ChangeResult, CheckResult, Metric, RunResult, StepResult, Verdict,
};
pub use view::{Level, View};

use std::path::Path;
use std::time::Instant;

use artifacts::Owner;
use out::write_the_last;
use serde_json::{Value, json};

use crate::change::Change;
use crate::file::Output;
use crate::kernel::Error;
use crate::text::escape;

/// Bytes of all that recipes attach to one run.
const ATTACHED_BYTES: usize = 64 << 20;

/// Collects what happens and shows it as it happens.
pub struct Report {
    view: View,
    started: Instant,
    events: Option<EventLog>,
    junit: Option<Output>,
    artifacts: Option<Artifacts>,
    attached: usize,
    /// attachments that are in the folder now
    kept: usize,
    /// what the run has made outlives it
    stays: bool,
    result: RunResult,
}

impl Report {
    pub fn new(name: &str, target: &str, view: View) -> Self {
        Self {
            view,
            started: Instant::now(),
            events: None,
            junit: None,
            artifacts: None,
            attached: 0,
            kept: 0,
            stays: false,
            result: RunResult::new(name, target),
        }
    }

    /// Also writes each event as a line of JSON.
    pub(crate) fn with_events(mut self, events: Option<Output>) -> Self {
        self.events = events.map(|file| EventLog::new(file, self.started));
        self
    }

    /// Also writes the result as JUnit's XML.
    pub(crate) fn with_junit(mut self, junit: Option<Output>) -> Self {
        self.junit = junit;
        self
    }

    /// Keeps what recipes attach in this folder.
    pub fn with_artifacts(mut self, folder: Option<Artifacts>) -> Self {
        self.artifacts = folder;
        self
    }

    /// Whether the run may keep files.
    pub fn has_artifacts(&self) -> bool {
        self.artifacts.is_some()
    }

    /// The folder that attachments were kept in, if there were any.
    pub fn kept_in(&self) -> Option<&Path> {
        self.artifacts.as_ref().map(|known| known.path.as_path()).filter(|_| self.kept > 0)
    }

    pub fn result(&self) -> &RunResult {
        &self.result
    }

    pub fn result_mut(&mut self) -> &mut RunResult {
        &mut self.result
    }

    pub fn view(&self) -> &View {
        &self.view
    }

    pub fn seconds(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }

    /// For whoever else has something to tell; none without `--events`.
    pub fn events(&self) -> Option<EventLog> {
        self.events.clone()
    }

    fn event(&self, kind: &str, fields: Value) {
        if let Some(events) = &self.events {
            events.tell(kind, fields);
        }
    }

    pub fn started(&mut self) {
        self.view.heading(&self.result.name, &self.result.target);
        self.event("start", json!({ "name": self.result.name, "target": self.result.target }));
    }

    pub fn step(&mut self, name: &str, recipe: &str) {
        self.view.step(name, recipe);
        self.result.steps.push(StepResult::new(name, recipe));
        if let Some(events) = &self.events {
            events.enter(name);
        }
        self.event("step", json!({ "recipe": recipe }));
    }

    /// The step that is running; what happens outside any belongs to the run itself.
    fn current(&mut self) -> &mut StepResult {
        if self.result.steps.is_empty() {
            self.result.steps.push(StepResult::new("", ""));
        }
        let last = self.result.steps.len() - 1;
        &mut self.result.steps[last]
    }

    pub fn changed(&mut self, change: &Change) {
        if self.view.is_verbose() {
            self.view.change(&change.to_string());
        }
        self.current().changes.push(ChangeResult::done(change));
        if self.events.is_some() {
            self.event("change", json!({ "change": change.to_string() }));
        }
    }

    /// A program that runs outside the sandbox now: always shown.
    pub fn executes(&mut self, recipe: &str, place: Option<&str>, program: &str, words: &[String]) {
        let all = std::iter::once(program).chain(words.iter().map(String::as_str));
        let words: Vec<String> = all.map(|word| format!("{word:?}")).collect();
        let place = place.map(|place| format!(" in {place}")).unwrap_or_default();
        let shown = escape(&words.join(" "));
        let line = format!("recipe `{recipe}` runs outside the sandbox{place}: {shown}");
        self.view.notice(&line);
        self.event("exec", json!({ "recipe": recipe, "place": place.trim(), "program": shown }));
        self.current().programs.push(shown);
    }

    pub fn refused(&mut self, change: &Change, error: &Error) {
        self.view.refused(&change.to_string());
        self.current().changes.push(ChangeResult::refused(change, error));
        self.event("refused", json!({ "change": change.to_string(), "error": error.to_string() }));
    }

    /// What the policy refused; a sentence about the object itself is no denial.
    pub fn refused_by_policy(&mut self, error: &Error) {
        if matches!(error, Error::Denied(_)) {
            self.denied(error);
        }
    }

    /// Something of the run's that is still there after everything was undone.
    pub fn left(&mut self, what: &str) {
        self.view.undone(what, Some("still there"));
        self.event("left", json!({ "what": what }));
        self.result.left.push(what.to_owned());
    }

    /// A link that was deleted and can't be made again.
    pub fn lost(&mut self, change: &Change) {
        self.undone(change, Some("netwright did not make the link, and can't make it again"));
    }

    /// Something that whoever watches has to know at once.
    pub fn notice(&mut self, text: &str) {
        self.view.notice(text);
        self.event("notice", json!({ "text": text }));
    }

    pub fn denied(&mut self, error: &Error) {
        self.view.denied(&error.to_string());
        if let Error::Denied(denial) = error {
            self.event(
                "denied",
                json!({ "capability": denial.capability, "target": denial.target, "hint": denial.hint }),
            );
        }
        self.result.denials.push(error.to_string());
    }

    pub fn undone(&mut self, change: &Change, error: Option<&str>) {
        self.view.undone(&change.to_string(), error);
        match error {
            None => self.result.undone += 1,
            Some(error) => self.result.left.push(format!("{change}: {error}")),
        }
        self.event("undo", json!({ "change": change.to_string(), "error": error }));
    }

    pub fn log(&mut self, recipe: &str, level: Level, message: &str) {
        let message = escape(message);
        self.view.log(recipe, level, &message);
        self.event("log", json!({ "recipe": recipe, "level": level.name(), "message": message }));
    }

    pub fn recipe_step(&mut self, title: &str) {
        let title = escape(title);
        self.view.recipe_step(&title);
        self.event("recipe-step", json!({ "title": title }));
    }

    /// A verdict of the recipe's own; a failed one fails the run.
    pub fn recipe_check(&mut self, name: &str, verdict: Verdict, detail: &str) {
        let (name, detail) = (escape(name), escape(detail));
        self.check(CheckResult { name, verdict, detail, cause: None, by: "recipe" });
    }

    /// A verdict, the host's too: about something that the scenario asked for.
    pub fn check(&mut self, check: CheckResult) {
        self.view.check(&check);
        self.event("check", json!(check));
        self.result.checks.push(check);
    }

    pub fn metric(&mut self, name: &str, value: f64, unit: &str) {
        let metric = Metric { name: escape(name), value, unit: escape(unit) };
        self.view.metric(&metric);
        self.event("metric", json!(metric));
        self.current().metrics.push(metric);
    }

    /// Something that went wrong without stopping the run; told at its end.
    pub fn warn(&mut self, warning: String) {
        self.result.warnings.push(warning);
    }

    /// Whether files are kept at all.
    pub fn keeps_files(&self) -> bool {
        self.artifacts.is_some()
    }

    /// A capture that has ended.
    pub fn captured(&mut self, capture: CaptureResult) {
        self.view.captured(&capture);
        self.event("capture", json!(capture));
        self.result.captures.push(capture);
    }

    pub fn print(&mut self, text: &str) {
        for line in text.lines().map(escape) {
            self.view.printed(&line);
            self.current().output.push(line);
        }
    }

    /// Keeps a file of the recipe's, and says whether it did; the reason where the run's artifacts
    /// are used up.
    pub fn attach(&mut self, name: &str, media_type: &str, data: &[u8]) -> Result<bool, String> {
        self.keep(name, media_type, Owner::Step(self.result.steps.len()), data)
    }

    /// The same for a capture, which is no recipe's.
    pub fn keep_capture(&mut self, name: &str, data: &[u8]) -> Result<bool, String> {
        self.keep(name, "application/x-pcapng", Owner::Program, data)
    }

    fn keep(
        &mut self,
        name: &str,
        media_type: &str,
        owner: Owner,
        data: &[u8],
    ) -> Result<bool, String> {
        self.attached += data.len();
        if self.attached > ATTACHED_BYTES {
            return Err(format!("{ATTACHED_BYTES} bytes of attachments"));
        }
        let plain = !name.is_empty()
            && name.len() <= 64
            && !name.starts_with('.')
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        let kept = match &mut self.artifacts {
            Some(artifacts) if plain => artifacts.keep(name, owner, data),
            Some(_) => Err("the name must be letters, digits, `.`, `_` and `-`".to_owned()),
            None => Ok(()),
        };
        let is_kept = self.artifacts.is_some() && kept.is_ok();
        self.kept += usize::from(is_kept);
        if let Err(error) = kept {
            self.result
                .warnings
                .push(format!("attachment `{}` was not kept: {error}", escape(name)));
        }
        self.event(
            "attach",
            json!({ "name": escape(name), "media_type": escape(media_type), "bytes": data.len() }),
        );
        Ok(is_kept)
    }

    /// What the run has made outlives it: no signal takes it back any more.
    pub fn stays(&mut self) {
        self.stays = true;
    }

    /// Shows the verdict; with `--json` the whole result.
    pub fn finish(&mut self, exit_code: u8, error: Option<&str>) {
        self.result.finish(exit_code, self.started.elapsed(), error);
        self.event("end", json!({ "result": self.result.result, "exit_code": exit_code }));
        self.result.warnings.extend(self.events.as_ref().and_then(EventLog::end));
        if let Some(error) =
            self.junit.as_mut().and_then(|file| junit::write(&self.result, file).err())
        {
            self.warn(format!("--junit: can't write: {error}"));
        }
        write_the_last(self.stays, || self.view.result(&self.result, error));
    }
}
