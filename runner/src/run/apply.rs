//! `netwright apply`: brings a scenario's deployment about, and leaves it in place.

use std::time::Duration;

use super::alter::Alteration;
use super::inputs::Inputs;
use super::place::{Errand, Place};
use super::plan::{Plan, Way, deployed};
use super::rehearse::Rehearsal;
use super::replica::Survey;
use super::settle::Stay;
use super::{Prepared, prepare};
use crate::cli::{ApplyArguments, RunArguments, ScenarioArguments};
use crate::exit::{Exit, Failure};
use crate::grant::Grants;
use crate::halt::Halt;
use crate::journal;
use crate::lab::{self, Folder, Inside};
use crate::naming::Taken;
use crate::policy::Target;
use crate::recover;
use crate::report::{Report, print, print_json};
use crate::scenario::{Limits, PlacedCheck, Scenario};
use crate::state::compare;
use crate::uplink;

/// Deploys a scenario, or mends its deployment.
pub fn apply(arguments: &ApplyArguments) -> Result<Exit, Failure> {
    let deployment = Deployment { arguments };
    if let Some(file) = &arguments.plan {
        return deployment.saved(&Plan::load(file)?);
    }
    let what = arguments.what.as_deref().unwrap_or_default();
    let scenario = prepare::load(what, &arguments.parameters)?;
    let target = prepare::target(arguments.target, &scenario);
    if target == Target::Lab && arguments.confirm_within.is_some() {
        return Err(prepare::nothing_to_confirm());
    }
    // From the look whether it is deployed to the end of what follows from that.
    let taken = Taken::of(&scenario.name)?;
    match target {
        Target::Host if !is_deployed_on_host(&scenario.name) => deployment.run_on_host(taken),
        Target::Lab | Target::Host => {
            let rehearsal = Rehearsal::hold(&deployment.scenario())?;
            deployment.planned(&Plan::of(rehearsal)?, taken)
        }
    }
}

fn is_deployed_on_host(name: &str) -> bool {
    journal::Folder::open().is_ok_and(|folder| folder.deployment(name).is_some())
}

struct Deployment<'a> {
    arguments: &'a ApplyArguments,
}

impl Deployment<'_> {
    /// A run of the scenario that stays under its name.
    fn run_on_host(&self, taken: Taken) -> Result<Exit, Failure> {
        let mut prepared = prepare(&self.run_arguments())?;
        prepared.stay = Some(prepare::stay_on_host(taken, self.arguments.confirm_within)?);
        super::conclude(prepared)
    }

    fn scenario(&self) -> ScenarioArguments {
        ScenarioArguments {
            what: self.what().to_owned(),
            parameters: self.arguments.parameters.clone(),
            grant: self.arguments.grant.clone(),
            target: self.arguments.target,
            timeout: self.arguments.timeout,
        }
    }

    fn what(&self) -> &str {
        self.arguments.what.as_deref().unwrap_or_default()
    }

    fn run_arguments(&self) -> RunArguments {
        let telling = self.arguments.telling.clone();
        RunArguments { telling, ..RunArguments::rehearsing(&self.scenario()) }
    }

    fn planned(&self, plan: &Plan, taken: Taken) -> Result<Exit, Failure> {
        let on_host = plan.rehearsal.ground.is_some();
        match plan.way() {
            Way::Nothing => self.nothing(plan, &taken),
            Way::Make | Way::Replace(_) if on_host => {
                recover::destroy_or_fail(taken.name())?;
                self.run_on_host(taken)
            }
            Way::Make | Way::Replace(_) => {
                let mut prepared = prepare(&self.run_arguments())?;
                prepared.stay = Some(Stay::Lab(Folder::open()?.replace(taken, self.what())?));
                super::conclude(prepared)
            }
            Way::Mend(changes) => {
                let Prepared { report, scenario, operator, limits, .. } =
                    prepare(&self.run_arguments())?;
                self.mend(
                    Alteration {
                        plan,
                        changes: &changes,
                        operator: &operator,
                        checks: scenario.checks,
                        limits,
                    },
                    report,
                    taken,
                )
            }
        }
    }

    /// In the deployment as it stands; whatever fails, it is as it was.
    fn mend(
        &self,
        alteration: Alteration<'_>,
        mut report: Report,
        taken: Taken,
    ) -> Result<Exit, Failure> {
        let operator = alteration.operator;
        let name = &alteration.plan.rehearsal.name;
        if alteration.plan.rehearsal.ground.is_none() {
            // The name is this process's for as long as it works there.
            let _taken = taken;
            // Before the lab is entered, as for one that is made.
            let uplinks = uplink::start(operator)?;
            let place = Place::altered(Inside::go(name)?, uplinks)?;
            return alteration.carry_out(place, report, None);
        }
        let mut errand = Errand { operator, name, what: self.what(), report: &mut report };
        let place = Place::deployed(&mut errand)?;
        alteration.carry_out(place, report, Some(self.stay_on_host(taken)))
    }

    fn stay_on_host(&self, taken: Taken) -> Stay {
        Stay::Host { taken, confirm_within: self.arguments.confirm_within }
    }

    /// Exactly what was saved: no recipe runs.
    fn saved(&self, plan: &Plan) -> Result<Exit, Failure> {
        let operator = prepare::operator(&self.arguments.grant)?;
        let name = &plan.rehearsal.name;
        let on_host = plan.rehearsal.ground.is_some();
        if !on_host && self.arguments.confirm_within.is_some() {
            return Err(prepare::nothing_to_confirm());
        }
        let taken = Taken::of(name)?;
        unmoved(plan, &operator, &Halt::within(self.usual_limits().time))?;
        let mut report = self.report(plan)?;
        let (checks, limits) = self.asked_by(plan)?;
        match plan.way() {
            Way::Nothing => self.nothing(plan, &taken),
            Way::Mend(changes) => {
                let changes = &changes;
                let operator = &operator;
                let alteration = Alteration { plan, changes, operator, checks, limits };
                self.mend(alteration, report, taken)
            }
            Way::Make | Way::Replace(_) => {
                let changes = &plan.rehearsal.changes;
                let what = "a saved plan";
                let (place, stay) = if on_host {
                    recover::destroy_or_fail(name)?;
                    let report = &mut report;
                    let place =
                        Place::host(&mut Errand { operator: &operator, name, what, report })?;
                    (place, self.stay_on_host(taken))
                } else {
                    let reservation = Folder::open()?.replace(taken, what)?;
                    (Place::lab()?, Stay::Lab(reservation))
                };
                Alteration { plan, changes, operator: &operator, checks, limits }.carry_out(
                    place,
                    report,
                    Some(stay),
                )
            }
        }
    }

    /// The checks and limits of the scenario that was planned; of a recipe alone there are none.
    fn asked_by(&self, plan: &Plan) -> Result<(Vec<PlacedCheck>, Limits), Failure> {
        let Some(remembered) = &plan.rehearsal.scenario else {
            return Ok((Vec::new(), self.usual_limits()));
        };
        let scenario = Scenario::again(remembered).map_err(|faults| prepare::refused(&faults))?;
        let time = self.arguments.timeout.map_or(scenario.limits.time, Duration::from_secs_f64);
        Ok((scenario.checks, Limits { time, ..scenario.limits }))
    }

    /// Where there is no scenario that has limits of its own.
    fn usual_limits(&self) -> Limits {
        let usual = Limits::default();
        let time = self.arguments.timeout.map(Duration::from_secs_f64);
        Limits { time: time.unwrap_or(usual.time), ..usual }
    }

    /// But its checks may be others now.
    fn nothing(&self, plan: &Plan, taken: &Taken) -> Result<Exit, Failure> {
        if let Some(scenario) = plan.rehearsal.scenario.clone().filter(|_| plan.present.is_some()) {
            match &plan.rehearsal.ground {
                None => lab::remember(taken, scenario)?,
                Some(_) => recover::remember(taken, scenario)?,
            }
        }
        if self.arguments.telling.json {
            return print_json(&(plan.json_text()? + "\n"));
        }
        if self.arguments.telling.quiet { Ok(Exit::Done) } else { print(&(plan.summary() + "\n")) }
    }

    fn inputs(&self) -> Inputs {
        let ApplyArguments { what, parameters, plan, .. } = self.arguments;
        let inputs = Inputs::typed(what.as_deref(), &parameters.parameters);
        plan.iter().fold(inputs, |inputs, plan| inputs.and(plan))
    }

    fn report(&self, plan: &Plan) -> Result<Report, Failure> {
        let time = self.arguments.timeout.map_or(Limits::default().time, Duration::from_secs_f64);
        prepare::report(
            &plan.rehearsal.name,
            plan.target(),
            &self.arguments.telling,
            &mut prepare::Written::within(time, self.inputs()),
        )
    }
}

/// A saved plan holds for the place that it was made for, as that was then.
fn unmoved(plan: &Plan, operator: &Grants, halt: &Halt) -> Result<(), Failure> {
    let name = &plan.rehearsal.name;
    let settings = plan.rehearsal.asked().settings();
    let (was, is, then, now) = match &plan.rehearsal.ground {
        None => {
            let (then, now) = (plan.present.clone(), deployed(name, &settings, halt)?);
            (then.is_some(), now.is_some(), then.unwrap_or_default(), now.unwrap_or_default())
        }
        Some(ground) => {
            let Survey { state, deployment, .. } = Survey::take(operator, name, &settings, halt)?;
            (ground.deployed, deployment.is_some(), ground.found.clone(), state)
        }
    };
    let moved = match (was, is) {
        (false, true) => vec![format!("`{name}` is deployed now")],
        (true, false) => vec![format!("`{name}` is not deployed any more")],
        (true, true) | (false, false) => {
            compare(&then, &now, &plan.rehearsal.asked()).iter().map(ToString::to_string).collect()
        }
    };
    if moved.is_empty() {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "the plan is out of date; since it was made:\n  {}\n  help: plan again",
        moved.join("\n  ")
    )))
}
