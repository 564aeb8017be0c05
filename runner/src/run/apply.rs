//! `netwright apply`: brings a scenario's deployment about, and leaves it in place.

use tokio::time::Instant;

use super::interrupt::Interrupts;
use super::place::Place;
use super::plan::{Plan, Way, deployed};
use super::rehearse::Rehearsal;
use super::settle::{Stay, settle, undo};
use super::{Ending, prepare, runtime};
use crate::change::Change;
use crate::check;
use crate::cli::{ApplyArguments, RunArguments, ScenarioArguments};
use crate::exit::{Exit, Failure};
use crate::host::{Limits, Session};
use crate::kernel::Kernel;
use crate::lab::{Folder, Inside};
use crate::policy::{Policy, Target};
use crate::report::{Report, View, print};
use crate::scenario::PlacedCheck;
use crate::state::{State, compare};

/// Deploys a scenario, or mends its deployment.
pub fn apply(arguments: &ApplyArguments) -> Result<Exit, Failure> {
    let deployment = Deployment { arguments };
    match &arguments.plan {
        Some(file) => deployment.saved(&Plan::load(file)?),
        None if deployment.target()? == Target::Host => deployment.on_host(),
        None => {
            let scenario = deployment.scenario();
            deployment.planned(&Plan::of(Rehearsal::hold(&scenario)?)?)
        }
    }
}

struct Deployment<'a> {
    arguments: &'a ApplyArguments,
}

impl Deployment<'_> {
    fn target(&self) -> Result<Target, Failure> {
        let what = self.arguments.what.as_deref().unwrap_or_default();
        let scenario = prepare::load(what, &self.arguments.parameters)?;
        let target = prepare::target(self.arguments.target, &scenario);
        if target == Target::Lab && self.arguments.confirm_within.is_some() {
            return Err(prepare::nothing_to_confirm());
        }
        Ok(target)
    }

    /// A run of the scenario that stays under its name.
    fn on_host(&self) -> Result<Exit, Failure> {
        let mut arguments = self.run_arguments();
        let scenario = prepare::load(&arguments.what, &arguments.parameters)?;
        arguments.keep = Some(scenario.name);
        arguments.confirm_within = self.arguments.confirm_within;
        super::conclude(prepare::prepare(&arguments)?)
    }

    fn scenario(&self) -> ScenarioArguments {
        ScenarioArguments {
            what: self.arguments.what.clone().unwrap_or_default(),
            parameters: self.arguments.parameters.clone(),
            grant: self.arguments.grant.clone(),
            target: self.arguments.target,
            timeout: self.arguments.timeout,
        }
    }

    fn run_arguments(&self) -> RunArguments {
        let ApplyArguments { events, json, quiet, verbose, .. } = self.arguments;
        let (events, json, quiet, verbose) = (events.clone(), *json, *quiet, *verbose);
        RunArguments { events, json, quiet, verbose, ..RunArguments::rehearsing(&self.scenario()) }
    }

    fn planned(&self, plan: &Plan) -> Result<Exit, Failure> {
        let name = &plan.rehearsal.name;
        match plan.way() {
            Way::Nothing => self.nothing(plan),
            Way::Make | Way::Replace(_) => {
                let mut prepared = prepare(&self.run_arguments())?;
                let what = self.arguments.what.as_deref().unwrap_or_default();
                prepared.stay = Some(Stay::Lab(Folder::open()?.replace(name, what)?));
                super::conclude(prepared)
            }
            Way::Mend(changes) => {
                let prepared = prepare(&self.run_arguments())?;
                self.mend(plan, &changes, prepared.report, prepared.scenario.checks)
            }
        }
    }

    /// Exactly what was saved: no recipe runs.
    fn saved(&self, plan: &Plan) -> Result<Exit, Failure> {
        let name = &plan.rehearsal.name;
        let present = deployed(name)?;
        unmoved(plan, present.as_ref())?;
        match plan.way() {
            Way::Nothing => self.nothing(plan),
            Way::Mend(changes) => self.mend(plan, &changes, self.report(name)?, Vec::new()),
            Way::Make | Way::Replace(_) => {
                let reservation = Folder::open()?.replace(name, "a saved plan")?;
                let place = Place::lab()?;
                let mut session = self.session(place.kernel, self.report(name)?);
                let ending = carry_out(&mut session, &plan.rehearsal.changes);
                let stay = Some(Stay::Lab(reservation));
                let ending = runtime()?.block_on(async {
                    let mut interrupts = Interrupts::listen()?;
                    Ok::<_, Failure>(settle(&mut session, &mut interrupts, ending, stay).await)
                })?;
                session.report.finish(ending.exit as u8, ending.message.as_deref());
                Ok(ending.exit)
            }
        }
    }

    fn nothing(&self, plan: &Plan) -> Result<Exit, Failure> {
        if self.arguments.json {
            return print(&(plan.json_text()? + "\n"));
        }
        if self.arguments.quiet { Ok(Exit::Done) } else { print(&(plan.summary() + "\n")) }
    }

    /// In the deployed lab as it stands; whatever fails, it is as it was.
    fn mend(
        &self,
        plan: &Plan,
        changes: &[Change],
        report: Report,
        checks: Vec<PlacedCheck>,
    ) -> Result<Exit, Failure> {
        let inside = Inside::go(&plan.rehearsal.name)?;
        let mut session = self.session(Box::new(inside.kernel()?), report);
        session.report.started();
        let mut ending = carry_out(&mut session, changes);
        if ending.exit == Exit::Done {
            ending = verify(plan, &session)?;
        }
        if ending.exit == Exit::Done {
            ending = runtime()?.block_on(hold(checks, &mut session));
        }
        if ending.exit != Exit::Done {
            ending = runtime()?.block_on(async {
                let mut interrupts = Interrupts::listen()?;
                Ok::<_, Failure>(undo(&mut session, &mut interrupts, ending).await)
            })?;
        }
        session.report.finish(ending.exit as u8, ending.message.as_deref());
        Ok(ending.exit)
    }

    fn report(&self, name: &str) -> Result<Report, Failure> {
        let ApplyArguments { json, quiet, verbose, events, .. } = self.arguments;
        let view = View { json: *json, quiet: *quiet, verbose: *verbose };
        let events =
            events.as_deref().map(|file| super::prepare::create("--events", file)).transpose()?;
        Ok(Report::new(name, "lab", view).with_events(events))
    }

    fn session(&self, kernel: Box<dyn Kernel + Send>, report: Report) -> Session {
        let limits = Limits::default();
        let deadline = Instant::now() + limits.time;
        Session::new(Policy::Lab, kernel, report, &limits, deadline)
    }
}

/// A saved plan holds for the deployment that it was made for, as it was then.
fn unmoved(plan: &Plan, present: Option<&State>) -> Result<(), Failure> {
    let name = &plan.rehearsal.name;
    let moved = match (&plan.present, present) {
        (None, None) => return Ok(()),
        (None, Some(_)) => vec![format!("  `{name}` is deployed now")],
        (Some(_), None) => vec![format!("  `{name}` is not deployed any more")],
        (Some(then), Some(now)) => compare(then, now, &plan.rehearsal.asked())
            .iter()
            .map(|difference| format!("  {difference}"))
            .collect(),
    };
    if moved.is_empty() {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "the plan is out of date; since it was made:\n{}\n  help: plan again",
        moved.join("\n")
    )))
}

fn carry_out(session: &mut Session, changes: &[Change]) -> Ending {
    for change in changes {
        if let Err(error) = session.perform(change.clone()) {
            let exit = match error {
                crate::kernel::Error::Unsupported(_) => Exit::Lacking,
                crate::kernel::Error::Limit(_) => Exit::Limit,
                _ => Exit::Broken,
            };
            return Ending { exit, message: Some(format!("`{change}`: {error}")) };
        }
    }
    Ending { exit: Exit::Done, message: None }
}

/// What the kernel accepted but did not do.
fn verify(plan: &Plan, session: &Session) -> Result<Ending, Failure> {
    let now = State::read(session.kernel.as_ref())
        .map_err(|error| Failure::new(Exit::Broken, format!("can't read the lab: {error}")))?;
    let left = plan.rehearsal.differences(&now);
    if left.is_empty() {
        return Ok(Ending { exit: Exit::Done, message: None });
    }
    let left: Vec<String> = left.iter().map(|difference| format!("  {difference}")).collect();
    let message =
        format!("the kernel took every change, but not all came about:\n{}", left.join("\n"));
    Ok(Ending { exit: Exit::Broken, message: Some(message) })
}

/// The scenario's checks, on the mended deployment.
async fn hold(checks: Vec<PlacedCheck>, session: &mut Session) -> Ending {
    for placed in checks {
        check::evaluate(&placed.check, session).await;
    }
    let exit = match session.report.result().failed_checks() {
        0 => Exit::Done,
        _ => Exit::Failed,
    };
    Ending { exit, message: None }
}
