//! `netwright plan`: what a scenario would change, in ip(8)'s words or as differences.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::child;
use super::inputs::Inputs;
use super::rehearse::Rehearsal;
use crate::change::{Change, LinkRef, commands};
use crate::cli::{PlanArguments, PlanForm, ScenarioArguments};
use crate::exit::{Exit, Failure};
use crate::file::{Output, Refused, bounded};
use crate::halt::Halt;
use crate::lab::{Folder, Inside};
use crate::report::{print_json, print_lines};
use crate::state::{Difference, Settings, State, repair};
use crate::text::{counted, path};

/// Bytes of a saved plan: one of ten thousand namespaces has some forty million.
const LONGEST: u64 = 128 << 20;
/// The form of saved plans. Those of 1 held no settings, disciplines, forwarding entries and VLANs.
const SCHEMA: u32 = 2;
/// How long a pipe for a plan may be without a reader.
const PATIENCE: Duration = Duration::from_secs(30);

/// A rehearsal, and the deployment that it was compared with.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Plan {
    pub schema: u32,
    #[serde(flatten)]
    pub rehearsal: Rehearsal,
    /// what the scenario's deployment holds, on the host with all else that is there; none where
    /// there is no deployment
    pub present: Option<State>,
    pub differences: Vec<Difference>,
}

/// How a plan is carried out.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Way {
    Nothing,
    /// a new deployment
    Make,
    /// the deployment as it stands
    Mend(Vec<Change>),
    /// a new deployment in place of the one that is there, because of this
    Replace(Difference),
}

impl Plan {
    /// Reads what is deployed, and compares the rehearsal with it.
    pub(super) fn of(mut rehearsal: Rehearsal) -> Result<Self, Failure> {
        // As long as the rehearsal was given.
        let halt = rehearsal.time.take().map(Halt::within).unwrap_or_default();
        let present = match &rehearsal.ground {
            None => deployed(&rehearsal.name, &rehearsal.asked().settings(), &halt)?,
            Some(ground) => ground.deployed.then(|| ground.found.clone()),
        };
        let differences = present.as_ref().map(|present| rehearsal.differences(present));
        Ok(Self {
            schema: SCHEMA,
            differences: differences.unwrap_or_default(),
            rehearsal,
            present,
        })
    }

    /// Where it is for, as reports name it.
    pub(super) fn target(&self) -> &'static str {
        if self.rehearsal.ground.is_some() { "host" } else { "lab" }
    }

    pub(super) fn way(&self) -> Way {
        let Some(present) = &self.present else {
            return if self.rehearsal.changes.is_empty() { Way::Nothing } else { Way::Make };
        };
        if self.differences.is_empty() {
            return Way::Nothing;
        }
        match repair(&self.differences, present, &self.rehearsal.state) {
            Ok(changes) => Way::Mend(changes),
            Err(difference) => Way::Replace(difference.clone()),
        }
    }

    /// What would be done, oldest first.
    pub(super) fn changes(&self) -> Vec<Change> {
        match self.way() {
            Way::Nothing => Vec::new(),
            Way::Make | Way::Replace(_) => self.rehearsal.changes.clone(),
            Way::Mend(changes) => changes,
        }
    }

    fn lines(&self, form: Option<PlanForm>) -> Vec<String> {
        if form == Some(PlanForm::Ip) {
            return self.commands(&self.changes());
        }
        let mut lines: Vec<String> = match self.way() {
            Way::Make => {
                self.rehearsal.changes.iter().map(|change| format!("+ {change}")).collect()
            }
            Way::Nothing | Way::Mend(_) | Way::Replace(_) => {
                self.differences.iter().map(ToString::to_string).collect()
            }
        };
        lines.push(self.summary());
        lines
    }

    /// What carries these changes out by hand.
    fn commands(&self, changes: &[Change]) -> Vec<String> {
        let there = self.present.as_ref().or(self.rehearsal.ground.as_ref().map(|one| &one.found));
        let is_bridge = |link: &LinkRef| {
            let known = [there, Some(&self.rehearsal.state)].into_iter().flatten();
            known.filter_map(|state| state.link(link)).any(|link| link.kind == "bridge")
        };
        commands(changes, is_bridge)
    }

    pub(super) fn summary(&self) -> String {
        let name = &self.rehearsal.name;
        let differences = counted(self.differences.len(), "difference");
        let on_host = self.rehearsal.ground.is_some();
        match self.way() {
            Way::Nothing => format!("{name}: 0 changes"),
            Way::Make => {
                let place = if on_host { "on the host" } else { "in a new lab" };
                format!("{name}: {}, {place}", counted(self.rehearsal.changes.len(), "change"))
            }
            Way::Mend(changes) => {
                let changes = counted(changes.len(), "change");
                format!("{name}: {differences}, mended in place by {changes}")
            }
            Way::Replace(because) if on_host => format!(
                "{name}: {differences}; the deployment is taken back and made anew, for `{}` can't be mended",
                because.object
            ),
            Way::Replace(because) => {
                format!(
                    "{name}: {differences}; a new lab takes its place, for `{}` can't be mended",
                    because.object
                )
            }
        }
    }

    /// For `--json`.
    pub(super) fn json_text(&self) -> Result<String, Failure> {
        let way = match self.way() {
            Way::Nothing => "nothing",
            Way::Make => "make",
            Way::Mend(_) => "mend",
            Way::Replace(_) => "replace",
        };
        let changes = self.changes();
        let document = serde_json::json!({
            "schema": 1,
            "name": self.rehearsal.name,
            "target": self.target(),
            "deployed": self.present.is_some(),
            "way": way,
            "differences": self.differences,
            "changes": changes.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "commands": self.commands(&changes),
        });
        serde_json::to_string_pretty(&document)
            .map_err(|error| Failure::new(Exit::Broken, error.to_string()))
    }

    fn save(&self, file: &Path) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(self)
            .map_err(|error| Failure::new(Exit::Broken, error.to_string()))?;
        let written = match Output::create(file, PATIENCE, &[]) {
            Ok(mut output) => output
                .push((text + "\n").as_bytes())
                .and_then(|()| output.finish())
                .map_err(Refused::System),
            Err(error) => Err(error),
        };
        written.map_err(|error| {
            Failure::usage(format!("--out: can't write `{}`: {error}", path(file)))
        })
    }

    /// A plan that was saved.
    pub(super) fn load(file: &Path) -> Result<Self, Failure> {
        let wrong = |why: String| {
            Failure::usage(format!(
                "--plan: `{}` {why}\n  help: `netwright plan SCENARIO --out FILE` writes one",
                path(file)
            ))
        };
        let unread = |error: &dyn std::fmt::Display| wrong(format!("can't be read: {error}"));
        let opened = File::open(file).map_err(|error| unread(&error))?;
        let text = bounded(opened, LONGEST).map_err(|error| unread(&error))?;
        let plan: Self =
            serde_json::from_slice(&text).map_err(|error| wrong(format!("is no plan: {error}")))?;
        if plan.schema != SCHEMA {
            let why = format!("has schema {}; this netwright knows {SCHEMA}", plan.schema);
            return Err(wrong(why));
        }
        Ok(plan)
    }
}

/// Shows what a scenario would change. Nothing but a lab of the rehearsal's own is touched.
pub fn plan(arguments: &PlanArguments) -> Result<Exit, Failure> {
    let ScenarioArguments { what, parameters, .. } = &arguments.scenario;
    let inputs = Inputs::typed([what.as_str()], &parameters.parameters);
    // Before the rehearsal, too, for that may take long.
    arguments.out.as_ref().map_or(Ok(()), |file| inputs.spare("--out", file))?;
    let plan = Plan::of(Rehearsal::hold(&arguments.scenario)?)?;
    if let Some(file) = &arguments.out {
        inputs.spare("--out", file)?;
        plan.save(file)?;
    }
    if arguments.json {
        print_json(&(plan.json_text()? + "\n"))?;
    } else {
        print_lines(plan.lines(arguments.form))?;
    }
    let pending = arguments.exit_code && plan.way() != Way::Nothing;
    Ok(if pending { Exit::Differences } else { Exit::Done })
}

/// What the scenario's deployment holds, if there is one, and of settings these. Another process goes
/// there and reads: from inside a lab there is no way back.
pub(super) fn deployed(
    name: &str,
    settings: &Settings,
    halt: &Halt,
) -> Result<Option<State>, Failure> {
    if !Folder::open()?.has(name)? {
        return Ok(None);
    }
    child::answer_about(&["__state".to_owned(), name.to_owned()], settings, halt).map(Some)
}

/// What `netwright __state` does: prints what a kept lab holds, with the settings that it is told.
pub fn state(name: &str) -> Result<Exit, Failure> {
    let broken = |error: &dyn std::fmt::Display| {
        Failure::new(Exit::Broken, format!("can't read lab `{name}`: {error}"))
    };
    let question = bounded(std::io::stdin(), LONGEST).map_err(|error| broken(&error))?;
    let settings: Settings = serde_json::from_slice(&question).map_err(|error| broken(&error))?;
    let inside = Inside::go(name)?;
    let mut kernel = inside.kernel()?;
    kernel.remember(&inside.into_origin().changes);
    let state = State::read(&kernel, &settings).map_err(|error| broken(&error))?;
    let text = serde_json::to_string(&state)
        .map_err(|error| Failure::new(Exit::Broken, error.to_string()))?;
    print_json(&text)
}
