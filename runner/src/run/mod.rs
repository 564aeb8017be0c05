//! Conducts a run: the only module that knows the order of the stages.

mod again;
mod alter;
mod apply;
mod child;
mod inputs;
mod interrupt;
mod place;
mod plan;
mod prepare;
mod rehearse;
mod replica;
mod rights;
mod settle;
mod stage;

pub use again::check_again;
pub use apply::apply;
pub use plan::{plan, state};
pub use prepare::{Prepared, prepare, validate};
pub use rehearse::rehearse;

use crate::check;
use crate::cli::RunArguments;
use crate::exit::{Exit, Failure};
use crate::host::Session;
use crate::scenario::Check;
use interrupt::Interrupts;
use place::Place;
use settle::settle;
use stage::Stage;

/// Runs a scenario or recipe and says how it ended.
pub fn run(arguments: &RunArguments) -> Result<Exit, Failure> {
    conclude(prepare(arguments)?)
}

/// Everything after the preparation.
fn conclude(mut prepared: Prepared) -> Result<Exit, Failure> {
    let place = Place::enter(&mut prepared)?;
    let runtime = runtime()?;
    // The name is this process's until its result is told: who destroys what is kept under it ends
    // whatever is inside.
    let mut stay = prepared.stay.take();
    let record = prepared.record.take();
    let remembered = prepared.scenario.remembered.clone();
    let (mut session, ending) = runtime.block_on(async {
        let (mut session, ending, mut interrupts) = conduct(prepared, place, Purpose::Run).await?;
        session.save_captures();
        let remembered = remembered.as_ref();
        let ending = settle(&mut session, &mut interrupts, ending, stay.as_mut(), remembered).await;
        Ok::<_, Failure>((session, ending))
    })?;
    if let Some(record) = record {
        record.write(&mut session.report);
    }
    session.report.finish(ending.exit as u8, ending.message.as_deref());
    Ok(ending.exit)
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Lacking, format!("can't start: {error}")))
}

/// What a run is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Run,
    /// the steps alone, for what they would change
    Rehearsal,
}

/// How the recipes and checks ended.
#[derive(Debug)]
struct Ending {
    exit: Exit,
    message: Option<String>,
}

impl From<check::Outcome> for Ending {
    fn from(outcome: check::Outcome) -> Self {
        Self { exit: outcome.exit, message: outcome.message }
    }
}

impl Ending {
    /// What went well counts only if it ended in time, and before any signal.
    fn unless_halted(self, session: &Session) -> Self {
        match session.halt.may_go_on() {
            Err(halted) if self.exit == Exit::Done => Failure::from(halted).into(),
            Ok(()) | Err(_) => self,
        }
    }
}

impl From<Failure> for Ending {
    fn from(failure: Failure) -> Self {
        Self { exit: failure.exit, message: Some(failure.message) }
    }
}

/// Checks the parameters, runs the steps, evaluates the checks.
async fn conduct(
    prepared: Prepared,
    place: Place,
    purpose: Purpose,
) -> Result<(Session, Ending, Interrupts), Failure> {
    let interrupts = Interrupts::listen()?;
    let (needed, target) = (rights::needed(&prepared, purpose), prepared.target);
    let Prepared { scenario, recipes, guests, grants, limits, mut report, .. } = prepared;
    let recipes = recipes.into_iter().zip(guests).collect();
    let mut stage = Stage::new(scenario, recipes, grants, limits, interrupts, &mut report).await?;
    rights::give_up_but(needed, target)?;
    let mut report = stage.check_parameters(report).await?;
    report.started();
    let operator = place.policy.clone();
    let mut session = stage.session(place.policy, place.kernel, report);
    session.opener = place.opener;
    session.journal = place.journal;
    session.rehearsal = purpose == Purpose::Rehearsal;
    session.monitor_links();
    if let Some(ending) = stage.lacking(session.kernel.as_ref()) {
        return Ok((session, ending, stage.interrupts));
    }
    if let Err(failure) = session.permit_checks(&stage.reaches()) {
        return Ok((session, failure.into(), stage.interrupts));
    }
    stage.capture(&mut session);
    for step in 0..stage.steps() {
        let (back, outcome) = stage.step(step, session).await;
        session = back;
        if let Err(failure) = outcome {
            session.hear_links().await;
            return Ok((session, failure.into(), stage.interrupts));
        }
    }
    // The checks are no recipe's: all that the operator gave is theirs.
    session.policy = operator;
    let ending = match purpose {
        Purpose::Run => stage.checks(&mut session).await,
        Purpose::Rehearsal => stage.verdict(&session),
    };
    session.hear_links().await;
    let ending = ending.unless_halted(&session);
    Ok((session, ending, stage.interrupts))
}

impl Stage {
    async fn checks(&mut self, session: &mut Session) -> Ending {
        let checks: Vec<Check> =
            self.take_checks().into_iter().map(|placed| placed.check).collect();
        tokio::select! {
            biased;
            failure = self.interrupts.next() => failure.into(),
            outcome = check::hold(&checks, session) => outcome.into(),
        }
    }

    /// By all checks so far, the recipes' own among them.
    fn verdict(&self, session: &Session) -> Ending {
        match session.report.result().failed_checks() {
            0 => Ending { exit: Exit::Done, message: None },
            _ => Ending { exit: Exit::Failed, message: None },
        }
    }
}
