//! `netwright check`: the checks of what is deployed, now.

use std::time::Duration;

use super::inputs::Inputs;
use super::interrupt::Interrupts;
use super::place::Place;
use super::{Ending, prepare, rights, runtime};
use crate::check;
use crate::cli::CheckArguments;
use crate::exit::{Exit, Failure};
use crate::grant::Grants;
use crate::halt::Halt;
use crate::host::Session;
use crate::journal::{self, History};
use crate::kept;
use crate::lab::{self, Inside};
use crate::policy::Target;
use crate::scenario::{Check, Limits, Remembered, Scenario, reaches};

/// Runs the checks of a kept lab, or of a deployment on the host, as the scenario had them when it
/// was deployed.
pub fn check_again(arguments: &CheckArguments) -> Result<Exit, Failure> {
    let found = find(&arguments.name)?;
    // In the lab's mount namespace the operator's paths may mean other files.
    let patience = arguments.timeout.map_or(Limits::default().time, Duration::from_secs_f64);
    let mut written = prepare::Written::within(patience, Inputs::default());
    let outputs = prepare::outputs(&arguments.telling, &mut written)?;
    let (place, target, remembered) = found.go(arguments)?;
    let remembered = remembered.ok_or_else(|| none_remembered(&arguments.name))?;
    let scenario = Scenario::again(&remembered).map_err(|faults| prepare::refused(&faults))?;
    let mut limits = scenario.limits.clone();
    if let Some(seconds) = arguments.timeout {
        limits.time = Duration::from_secs_f64(seconds);
    }
    let word = match target {
        Target::Lab => "lab",
        Target::Host => "host",
    };
    let report = prepare::report_to(&scenario.name, word, &arguments.telling, outputs);
    if target == Target::Host {
        rights::give_up_but(rights::looking(), target)?;
    }
    let halt = Halt::within(limits.time);
    let mut session = Session::new(place.policy, place.kernel, report, &limits, halt);
    session.made_earlier = true;
    session.report.started();
    let ending = runtime()?.block_on(async {
        let interrupts = Interrupts::listen()?;
        let ending = ask(scenario, &mut session, interrupts).await;
        Ok::<_, Failure>(ending.unless_halted(&session))
    })?;
    session.report.finish(ending.exit as u8, ending.message.as_deref());
    Ok(ending.exit)
}

/// Where what is deployed is.
enum Found {
    Host(Box<History>),
    Lab,
}

fn find(name: &str) -> Result<Found, Failure> {
    kept::readable(name)?;
    let deployed = journal::Folder::open().ok().and_then(|folder| folder.deployment(name));
    match deployed {
        Some((_, history)) => Ok(Found::Host(Box::new(history))),
        None if lab::Folder::open()?.has(name)? => Ok(Found::Lab),
        None => Err(kept::unknown(name)),
    }
}

impl Found {
    /// Goes there. Still on the only thread.
    fn go(
        self,
        arguments: &CheckArguments,
    ) -> Result<(Place, Target, Option<Remembered>), Failure> {
        match self {
            Self::Host(history) => {
                let operator: Grants = prepare::operator(&arguments.grant)?;
                let remembered = history.kept.as_ref().and_then(|kept| kept.scenario.clone());
                Ok((Place::looked_at(&history, &operator)?, Target::Host, remembered))
            }
            Self::Lab => {
                let mut place = Place::inside(Inside::go(&arguments.name)?)?;
                let remembered = place.origin.take().and_then(|origin| origin.scenario);
                Ok((place, Target::Lab, remembered))
            }
        }
    }
}

fn none_remembered(name: &str) -> Failure {
    Failure::usage(format!(
        "no checks are remembered with `{name}`: it was not made from a scenario file\n  help: `netwright apply SCENARIO.yaml` deploys one with its checks"
    ))
}

async fn ask(scenario: Scenario, session: &mut Session, mut interrupts: Interrupts) -> Ending {
    let checks: Vec<Check> = scenario.checks.into_iter().map(|placed| placed.check).collect();
    if let Err(failure) = session.permit_checks(&reaches(&checks, &[])) {
        return failure.into();
    }
    tokio::select! {
        biased;
        failure = interrupts.next() => failure.into(),
        outcome = check::hold(&checks, session) => outcome.into(),
    }
}
