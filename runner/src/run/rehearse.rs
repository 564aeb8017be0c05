//! A run without consequences: the steps in a lab of their own, and what they made of it.
//!
//! A rehearsal is no model of the kernel that could be wrong, but the kernel: what it lists is what
//! a run does. It takes place in a process of its own, which can't leave its lab again. For the host
//! that lab is built after it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::place::{Place, opener};
use super::replica::{self, Replica, Survey};
use super::{Ending, Prepared, Purpose, child, conduct, prepare, runtime};
use crate::change::Change;
use crate::cli::{RunArguments, ScenarioArguments};
use crate::exit::{Exit, Failure};
use crate::grant::Grants;
use crate::halt::Halt;
use crate::journal::Journal;
use crate::kernel::Kernel;
use crate::lab;
use crate::policy::{Connection, HostPolicy, Policy, Target};
use crate::report::print_json;
use crate::scenario::Remembered;
use crate::state::{Asked, Difference, Mentions, Settings, State, Within, compare};

/// What came of a rehearsal.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Rehearsal {
    /// the scenario's
    pub(super) name: String,
    /// in the order in which they were made, by names alone
    pub(super) changes: Vec<Change>,
    pub(super) state: State,
    /// what the changes of its deployment name, which are no longer the scenario's
    pub(super) deployment: Mentions,
    /// what its checks are read from, where that is kept
    #[serde(default)]
    pub(super) scenario: Option<Remembered>,
    /// none where it was of a lab, which begins with nothing
    pub(super) ground: Option<Ground>,
    /// that it was given; not kept in a plan
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) time: Option<Duration>,
}

/// The host that a rehearsal was made for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Ground {
    /// as it was found
    pub(super) found: State,
    /// the same, as the rehearsal's lab had it
    pub(super) built: State,
    /// that without the scenario's deployment
    pub(super) before: State,
    pub(super) deployed: bool,
}

impl Rehearsal {
    /// Rehearses in a process of its own, whose complaints go where this one's go.
    pub(super) fn hold(scenario: &ScenarioArguments) -> Result<Self, Failure> {
        let mut words = vec!["__rehearse".to_owned()];
        words.extend(scenario.to_words());
        let mut rehearsal: Self = child::answer(&words, &Halt::default())?;
        let settings = rehearsal.asked().settings();
        if let Some(ground) = rehearsal.ground.as_mut().filter(|_| !settings.is_empty()) {
            // Which settings the scenario asks for shows in its rehearsal.
            let operator = prepare::operator(&scenario.grant)?;
            replica::read_settings(&operator, &rehearsal.name, &settings, &mut ground.found)?;
        }
        Ok(rehearsal)
    }

    pub(super) fn asked(&self) -> Asked {
        Asked { scenario: Mentions::of(&self.changes), deployment: self.deployment.clone() }
    }

    /// What is to be done to a deployment so that it is as the rehearsal's.
    pub(super) fn differences(&self, present: &State) -> Vec<Difference> {
        let asked = self.asked();
        match &self.ground {
            None => compare(present, &self.state, &asked),
            Some(Ground { built, before, .. }) => {
                Within { built, before, wanted: &self.state }.compare(present, &asked)
            }
        }
    }
}

/// What `netwright __rehearse` does: prints the rehearsal as JSON.
pub fn rehearse(scenario: &ScenarioArguments) -> Result<Exit, Failure> {
    let mut prepared = prepare(&RunArguments::rehearsing(scenario))?;
    prepared.stay = None;
    let name = prepared.scenario.name.clone();
    let time = prepared.limits.time;
    let scenario = prepared.scenario.remembered.clone();
    let rehearsal = match prepared.target {
        Target::Lab => {
            let deployment = Mentions::of(&lab::made_by(&name)?);
            let place = Place::rehearsal(&mut prepared)?;
            // It has no consequences: nothing else of the operator's is given to it.
            prepared.operator = Grants::default();
            let (changes, state) = carry_out(prepared, place, deployment.settings())?;
            let (ground, time) = (None, Some(time));
            Rehearsal { name, changes, state, deployment, scenario, ground, time }
        }
        Target::Host => Rehearsal { scenario, ..on_replica(name, prepared)? },
    };
    let text = serde_json::to_string(&rehearsal)
        .map_err(|error| Failure::new(Exit::Broken, error.to_string()))?;
    print_json(&text)
}

fn on_replica(name: String, mut prepared: Prepared) -> Result<Rehearsal, Failure> {
    prepared.start_guests()?;
    let time = prepared.limits.time;
    // Beside the time that the recipes have then.
    let halt = Halt::within(time);
    let survey = Survey::take(&prepared.operator, &name, &Settings::default(), &halt)?;
    let entries = survey.deployment.iter().flat_map(|history| &history.entries);
    let deployment = Mentions::of(entries.map(|entry| &entry.change));
    let connections = Connection::of_operator();
    let opener = opener()?;
    let mut replica = Replica::build(&survey, &deployment, &halt)?;
    let mark = survey.mark;
    let none = Settings::default();
    let built = read(&replica.host(mark)?, &none)?;
    if let Some(history) = &survey.deployment {
        replica.take_back(history);
    }
    halt.may_go_on()?;
    let kernel = replica.host(mark)?;
    let before = read(&kernel, &none)?;
    let policy = HostPolicy::new(prepared.operator.clone(), mark, connections);
    let place = Place {
        kernel: Box::new(kernel),
        policy: Policy::Host(policy.into()),
        opener,
        journal: Journal::default(),
        origin: None,
    };
    let (changes, state) = carry_out(prepared, place, deployment.settings())?;
    // A run has a mark of its own.
    let changes: Vec<_> = changes.into_iter().map(|change| mark.taken_off(change)).collect();
    let deployed = survey.deployment.is_some();
    let ground = Some(Ground { found: survey.state, built, before, deployed });
    let time = Some(time);
    Ok(Rehearsal { name, changes, state, deployment, scenario: None, ground, time })
}

/// The changes of the steps, and what they made of the place: of settings those that they set, and
/// others.
fn carry_out(
    prepared: Prepared,
    place: Place,
    settings: &Settings,
) -> Result<(Vec<Change>, State), Failure> {
    let conducted = conduct(prepared, place, Purpose::Rehearsal);
    let (session, ending, _) = runtime()?.block_on(conducted)?;
    let Ending { exit, message } = ending;
    if exit != Exit::Done {
        let failed = session.report.result().checks.iter().find(|check| !check.detail.is_empty());
        let check = failed.map(|check| format!("{}: {}", check.name, check.detail));
        let why = message.or(check).unwrap_or_else(|| "a check failed".to_owned());
        return Err(Failure::new(exit, why));
    }
    let changes: Vec<_> = session.journal.changes().map(Change::by_name).collect();
    let settings = Mentions::of(&changes).settings().and(settings);
    let state = read(session.kernel.as_ref(), &settings)?;
    Ok((changes, state))
}

fn read(kernel: &dyn Kernel, settings: &Settings) -> Result<State, Failure> {
    State::read(kernel, settings)
        .map_err(|error| Failure::new(Exit::Broken, format!("can't read the lab: {error}")))
}
