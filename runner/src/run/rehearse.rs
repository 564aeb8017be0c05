//! A run without consequences: the steps in a lab of their own, and what they made of it.
//!
//! A rehearsal is no model of the kernel that could be wrong, but the kernel: what it lists is what
//! a run does. It takes place in a process of its own, which can't leave its lab again.

use serde::{Deserialize, Serialize};

use super::place::Place;
use super::{Ending, Purpose, child, conduct, prepare, runtime};
use crate::change::Change;
use crate::cli::{RunArguments, ScenarioArguments};
use crate::exit::{Exit, Failure};
use crate::grant::Grants;
use crate::policy::Target;
use crate::report::print;
use crate::state::{Asked, State};

/// What came of a rehearsal.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Rehearsal {
    /// the scenario's
    pub(super) name: String,
    /// in the order in which they were made, by names alone
    pub(super) changes: Vec<Change>,
    pub(super) state: State,
}

impl Rehearsal {
    /// Rehearses in a process of its own, whose complaints go where this one's go.
    pub(super) fn hold(scenario: &ScenarioArguments) -> Result<Self, Failure> {
        let mut words = vec!["__rehearse".to_owned()];
        words.extend(scenario.to_words());
        child::answer(&words)
    }

    pub(super) fn asked(&self) -> Asked {
        Asked::of(&self.changes)
    }
}

/// What `netwright __rehearse` does: prints the rehearsal as JSON.
pub fn rehearse(scenario: &ScenarioArguments) -> Result<Exit, Failure> {
    let mut prepared = prepare(&RunArguments::rehearsing(scenario))?;
    if prepared.target == Target::Host {
        return Err(Failure::usage(
            "only labs can be planned; the host's own network is no place to rehearse in\n  help: plan it with `--target lab`",
        ));
    }
    let name = prepared.scenario.name.clone();
    prepared.stay = None;
    // A rehearsal has no consequences: it is joined to nothing.
    prepared.operator = Grants::default();
    let place = Place::enter(&mut prepared)?;
    let conducted = conduct(prepared, place, Purpose::Rehearsal);
    let (session, ending, _) = runtime()?.block_on(conducted)?;
    let Ending { exit, message } = ending;
    if exit != Exit::Done {
        let failed = session.report.result().checks.iter().find(|check| !check.detail.is_empty());
        let check = failed.map(|check| format!("{}: {}", check.name, check.detail));
        let why = message.or(check).unwrap_or_else(|| "a check failed".to_owned());
        return Err(Failure::new(exit, why));
    }
    let state = State::read(session.kernel.as_ref())
        .map_err(|error| Failure::new(Exit::Broken, format!("can't read the lab: {error}")))?;
    let changes = session.journal.changes().map(Change::by_name).collect();
    let rehearsal = Rehearsal { name, changes, state };
    let text = serde_json::to_string(&rehearsal)
        .map_err(|error| Failure::new(Exit::Broken, error.to_string()))?;
    print(&text)
}
