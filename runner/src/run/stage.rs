//! The steps of a scenario, one after the other, each in its guest's process.

use std::sync::PoisonError;

use netwright_network::refusal::MISSING;

use super::Ending;
use super::interrupt::Interrupts;
use super::prepare::refused;
use crate::capture::Place;
use crate::change::{NamespaceRef, Query};
use crate::exit::{Exit, Failure};
use crate::grant::Grants;
use crate::guest::{Guest, Stop};
use crate::halt::{Halt, REMEDY};
use crate::host::bindings::exports::netwright::host::guest::Fault;
use crate::host::bindings::netwright::host::types;
use crate::host::{Host, Session};
use crate::kernel::{Absent, Asked, Error, Kernel};
use crate::policy::Policy;
use crate::policy::Reach;
use crate::recipe::Recipe;
use crate::report::Report;
use crate::scenario::{Capture, Faults, Limits, PlacedCheck, RecipeFault, Scenario, reaches};
use crate::text::{escape, is_own_remedy};

/// A scenario with its recipes loaded.
pub(super) struct Stage {
    scenario: Scenario,
    recipes: Vec<(Recipe, Guest)>,
    /// of each step; none for a check of parameters alone
    grants: Vec<Grants>,
    limits: Limits,
    halt: Halt,
    /// what the recipes of each step may need that a kernel can lack
    asked: Vec<Asked>,
    pub(super) interrupts: Interrupts,
}

impl Stage {
    /// Waits until all recipes are loaded. Until then none of them has run.
    pub(super) async fn new(
        scenario: Scenario,
        recipes: Vec<(Recipe, Guest)>,
        grants: Vec<Grants>,
        limits: Limits,
        interrupts: Interrupts,
        report: &mut Report,
    ) -> Result<Self, Failure> {
        // All of them together may take as long to load as the run may take afterwards.
        let halt = Halt::within(limits.time);
        let deadline = halt.deadline().into();
        let asked = Vec::new();
        let mut stage = Self { scenario, recipes, grants, limits, halt, asked, interrupts };
        for (recipe, guest) in &mut stage.recipes {
            let loaded = tokio::select! {
                biased;
                failure = stage.interrupts.next() => return Err(failure),
                loaded = guest.loaded(recipe, deadline, report) => loaded,
            };
            loaded.map_err(|unfit| {
                let why = quoted(&unfit.message);
                let message = format!("recipe `{}` can't be run: {why}", recipe.source);
                Failure::new(unfit.exit, message)
            })?;
        }
        stage.halt.allow(stage.limits.time);
        Ok(stage)
    }

    pub(super) fn steps(&self) -> usize {
        self.recipes.len()
    }

    pub(super) fn take_checks(&mut self) -> Vec<PlacedCheck> {
        std::mem::take(&mut self.scenario.checks)
    }

    pub(super) fn session(
        &self,
        policy: Policy,
        kernel: Box<dyn Kernel + Send>,
        report: Report,
    ) -> Session {
        Session::new(policy, kernel, report, &self.limits, self.halt.clone())
    }

    /// What the scenario's checks and captures do in the root namespace.
    pub(super) fn reaches(&self) -> Vec<Reach> {
        let Scenario { checks, captures, .. } = &self.scenario;
        reaches(checks.iter().map(|placed| &placed.check), captures)
    }

    /// Begins to capture what the scenario wants seen from the start.
    pub(super) fn capture(&self, session: &mut Session) {
        let wanted: Vec<_> = self.scenario.captures.iter().map(wanted).collect();
        if wanted.is_empty() {
            return;
        }
        // Where the policy refuses it, that is reported, and the checks on it say so again.
        if let Ok(root) = session.checked_descriptor(&NamespaceRef::named(None)) {
            let watcher = session.captures.want(wanted, &root);
            session.kernel.watch_namespaces(watcher);
        }
    }

    fn host(&self, step: usize, session: Session) -> Host {
        Host::new(session, escape(self.recipes[step].0.name()), &self.limits)
    }

    fn params(&self, step: usize) -> Vec<(String, String)> {
        self.scenario.steps.get(step).map(|step| step.params()).unwrap_or_default()
    }

    /// Asks each recipe about its parameters; all faults of all steps at once.
    pub(super) async fn check_parameters(&mut self, mut report: Report) -> Result<Report, Failure> {
        let mut all = Vec::new();
        for step in 0..self.steps() {
            let asked = Asked::default();
            let session = Session::new(
                Policy::Nothing,
                Box::new(Absent::noting(&asked)),
                report,
                &self.limits,
                self.halt.clone(),
            );
            let host = self.host(step, session);
            let params = self.params(step);
            let interrupt = self.interrupts.next();
            let (session, answer) = self.recipes[step].1.check(host, params, interrupt).await;
            report = session.report;
            self.asked.push(asked);
            let faults = answer.map_err(|stop| self.stopped(step, "check", None, stop))?;
            if !faults.is_empty() {
                let faults: Vec<RecipeFault> = faults
                    .into_iter()
                    .map(|fault| recipe_fault(&self.recipes[step].0, fault))
                    .collect();
                all.push(self.scenario.recipe_faults(step, &faults));
            }
        }
        match Faults::join(all) {
            None => Ok(report),
            Some(faults) => Err(refused(&faults)),
        }
    }

    /// What the kernel lacks of what the recipes asked for when their parameters were checked; none
    /// where it has all of it.
    pub(super) fn lacking(&self, kernel: &dyn Kernel) -> Option<Ending> {
        let mut lacking = Vec::new();
        for (step, asked) in self.asked.iter().enumerate() {
            let asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
            for feature in asked.iter() {
                // It tells nothing but what `modprobe` would.
                let answer = Policy::Lab.ask(Query::Offered(feature.clone()), kernel);
                if let Err(Error::Unsupported(reason)) = answer {
                    let name = self.recipes[step].0.name();
                    let line = format!("recipe `{}` can't run here: {reason}", escape(name));
                    if !lacking.contains(&line) {
                        lacking.push(line);
                    }
                }
            }
        }
        let message = Some(lacking.join("\nerror: "));
        (!lacking.is_empty()).then_some(Ending { exit: Exit::Lacking, message })
    }

    /// Runs one recipe; gives the session back whatever happens.
    pub(super) async fn step(
        &mut self,
        step: usize,
        mut session: Session,
    ) -> (Session, Result<(), Failure>) {
        let name = self.scenario.steps.get(step).map(|step| step.name.as_str()).unwrap_or_default();
        session.report.step(name, &self.recipes[step].0.source);
        session.grants = self.grants.get(step).cloned().unwrap_or_default();
        session.policy = session.policy.with(&session.grants);
        let host = self.host(step, session);
        let params = self.params(step);
        let interrupt = self.interrupts.next();
        let (mut session, answer) = self.recipes[step].1.run(host, params, interrupt).await;
        let within = session.halted_in();
        let outcome = match answer {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(reported(&self.recipes[step].0, error)),
            Err(stop) => Err(self.stopped(step, "run", within, stop)),
        };
        (session, outcome)
    }

    /// `within`: where in the function it was, as far as is known.
    fn stopped(&self, step: usize, function: &str, within: Option<String>, stop: Stop) -> Failure {
        let recipe = escape(self.recipes[step].0.name());
        let within = within.map(|place| format!(", {place}")).unwrap_or_default();
        let name = self.scenario.steps.get(step).map(|step| step.name.as_str()).unwrap_or_default();
        let of = match self.steps() {
            1 => String::new(),
            _ => format!(" of step `{}`", escape(name)),
        };
        match stop {
            Stop::Limit(which) => Failure::new(
                Exit::Limit,
                format!(
                    "recipe `{recipe}`{of} was stopped in `{function}`{within}: limit reached: {which}\n  help: {REMEDY}"
                ),
            ),
            Stop::Broken(why) => Failure::new(
                Exit::Broken,
                format!("recipe `{recipe}`{of} broke off in `{function}`: {}", quoted(&why)),
            ),
            Stop::NoRoom => Failure::new(
                Exit::Lacking,
                format!(
                    "recipe `{recipe}`{of} was not started: it takes more than 4 GiB of addresses, and the kernel gives fewer to a process here\n  help: raise the limit of addresses (`ulimit -v`), or let the kernel promise more memory than there is (vm.overcommit_memory)"
                ),
            ),
            Stop::Interrupted(failure) => failure,
        }
    }
}

fn wanted(capture: &Capture) -> (Place, Option<u32>) {
    let place = Place { namespace: capture.namespace.clone(), link: capture.link.to_string() };
    (place, capture.snap_length)
}

/// Of a stranger's recipe, its words are marked as that.
fn recipe_fault(recipe: &Recipe, fault: Fault) -> RecipeFault {
    let (mut message, mut help) = (harmless(&fault.message), fault.help.as_deref().map(harmless));
    if !recipe.is_builtin() {
        message = format!("recipe `{}`: {message}", escape(recipe.name()));
        help = help.map(|help| format!("| {help}"));
    }
    RecipeFault {
        parameter: fault.parameter,
        pointer: fault.pointer,
        line: fault.line,
        column: fault.column,
        message,
        help,
    }
}

/// Lines of one text of a recipe's that are shown: as many as a backtrace has, and some.
const MOST_LINES: usize = 100;

/// A text of a recipe's that is indented where it is shown.
fn harmless(text: &str) -> String {
    let lines: Vec<String> = text.lines().take(MOST_LINES).map(escape).collect();
    lines.join("\n")
}

/// A recipe's own error as the end of the run.
fn reported(recipe: &Recipe, error: types::Error) -> Failure {
    let recipe = escape(recipe.name());
    let (exit, text) = match error {
        types::Error::Denied(denial) => (
            Exit::Denied,
            format!("{} for {}\n  help: {}", denial.capability, denial.target, denial.hint),
        ),
        types::Error::Kernel(error) => (Exit::Broken, kernel_words(&error)),
        types::Error::Gone(what) => (Exit::Broken, format!("{what} is gone")),
        types::Error::Invalid(rule) => (Exit::Broken, rule),
        types::Error::Timeout(waited) => (Exit::Broken, format!("nothing came in {waited} ms")),
        types::Error::Limit(which) => (Exit::Limit, format!("limit reached: {which}")),
        types::Error::Unsupported(what) => (Exit::Lacking, format!("not supported here: {what}")),
        // The host's own, which the recipe passes on.
        types::Error::Other(detail) if detail.extra.iter().any(|one| one.name == MISSING) => {
            (Exit::Broken, detail.message)
        }
        types::Error::Other(detail) => (Exit::Failed, detail.message),
    };
    Failure::new(exit, format!("recipe `{recipe}` failed: {}", quoted(&text)))
}

/// A text of several lines that can't pass for our own: each further line is marked, but for the
/// remedies that the program itself gave, and that the recipe passes on word by word.
fn quoted(text: &str) -> String {
    let mut shown = String::new();
    for (place, line) in text.lines().enumerate() {
        if place == MOST_LINES {
            shown.push_str("\n    | … cut off");
            break;
        }
        if place > 0 {
            shown.push_str(if is_own_remedy(line) { "\n" } else { "\n    | " });
        }
        shown.push_str(&escape(line));
    }
    shown
}

/// As [`crate::kernel::KernelError`] shows itself, from what the recipe passed on; what the recipe
/// was doing meanwhile comes first.
fn kernel_words(error: &types::KernelError) -> String {
    let words = crate::kernel::KernelError {
        errno: error.errno,
        operation: error.operation.clone(),
        // These are the recipe's to say now, and whatever they are, they are no remedy of ours.
        text: None,
        hint: None,
    };
    let text = error.text.iter().map(|text| format!(": {text}"));
    let hint = error.hint.iter().map(|hint| format!("\n  help: {hint}"));
    let more: String = text.chain(hint).collect();
    match error.extra.iter().find(|more| more.name == "context") {
        Some(doing) => format!("{}: {words}{more}", doing.value),
        None => words.to_string() + &more,
    }
}
