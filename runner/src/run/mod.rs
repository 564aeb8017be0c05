//! Conducts a run: the only module that knows the order of the stages.

mod apply;
mod child;
mod interrupt;
mod place;
mod plan;
mod prepare;
mod rehearse;
mod stage;

pub use apply::apply;
pub use plan::{plan, state};
pub use prepare::{Prepared, prepare, validate};
pub use rehearse::rehearse;

use std::time::Duration;

use tokio::time::Instant;

use crate::check;
use crate::cli::RunArguments;
use crate::exit::{Exit, Failure};
use crate::host::Session;
use crate::lab;
use crate::policy::Policy;
use interrupt::Interrupts;
use place::Place;
use stage::Stage;

/// Runs a scenario or recipe and says how it ended.
pub fn run(arguments: &RunArguments) -> Result<Exit, Failure> {
    conclude(prepare(arguments)?)
}

/// Everything after the preparation.
fn conclude(mut prepared: Prepared) -> Result<Exit, Failure> {
    let place = Place::enter(&prepared)?;
    let runtime = runtime()?;
    let reservation = prepared.reservation.take();
    let record = prepared.record.take();
    let conducted = conduct(prepared, place, Purpose::Run);
    let (mut session, ending) = runtime.block_on(conducted)?;
    session.save_captures();
    let ending = settle(&mut session, ending, reservation);
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
) -> Result<(Session, Ending), Failure> {
    let interrupts = Interrupts::listen()?;
    let Prepared { scenario, recipes, grants, limits, report, .. } = prepared;
    let mut stage = Stage::new(scenario, recipes, grants, limits, interrupts)?;
    let mut report = stage.check_parameters(report).await?;
    report.started();
    let operator = place.policy.clone();
    let mut session = stage.session(place.policy, place.kernel, report);
    session.opener = place.opener;
    session.rehearsal = purpose == Purpose::Rehearsal;
    session.monitor_links();
    stage.capture(&mut session);
    for step in 0..stage.steps() {
        let (back, outcome) = stage.step(step, session).await;
        session = back;
        if let Err(failure) = outcome {
            session.hear_links().await;
            return Ok((session, failure.into()));
        }
    }
    // The checks are no recipe's: all that the operator gave is theirs.
    session.policy = operator;
    let ending = match purpose {
        Purpose::Run => stage.checks(&mut session).await,
        Purpose::Rehearsal => stage.verdict(&session),
    };
    session.hear_links().await;
    Ok((session, ending))
}

/// Keeps the lab, lets it go, or undoes what was made.
fn settle(session: &mut Session, ending: Ending, reservation: Option<lab::Reservation>) -> Ending {
    if let Some(reservation) = reservation.filter(|name| name.wants(ending.exit)) {
        let name = reservation.name().to_owned();
        return match keep(session, reservation) {
            Ok(()) => {
                session.report.result_mut().kept = Some(name);
                ending
            }
            Err(failure) => undo(session, failure.into()),
        };
    }
    match (&session.policy, ending.exit) {
        (Policy::Host(_), _) => undo_host(session, ending),
        // The lab goes with this process, all at once.
        (Policy::Lab | Policy::Nothing, Exit::Done) => ending,
        (Policy::Lab | Policy::Nothing, _) => undo(session, ending),
    }
}

fn keep(session: &Session, reservation: lab::Reservation) -> Result<(), Failure> {
    let namespaces = session.kernel.namespaces();
    let named = namespaces.iter().map(|(name, descriptor)| {
        use std::os::fd::AsFd as _;
        (name.to_string(), descriptor.as_fd())
    });
    let holder = lab::keep(named)?;
    reservation.keep(holder, namespaces.len())
}

/// One by one for so long; then the kernel takes the rest of a lab apart, all at once.
const UNDO: Duration = Duration::from_secs(1);

/// Takes back everything, newest first, whatever fails on the way.
fn undo(session: &mut Session, ending: Ending) -> Ending {
    let left = session.undo_all(Some(Instant::now() + UNDO));
    let rest = session.journal.changes().count();
    session.report.result_mut().undone_with_lab = rest;
    if left.is_empty() { ending } else { incomplete(ending, left.len()) }
}

/// On the host everything goes, however long it takes, and what is still marked is told.
fn undo_host(session: &mut Session, ending: Ending) -> Ending {
    let left = session.undo_all(None);
    let remains = session.kernel.remains();
    remains.iter().for_each(|what| session.report.left(what));
    match left.len() + remains.len() {
        0 => ending,
        count => incomplete(ending, count),
    }
}

fn incomplete(ending: Ending, count: usize) -> Ending {
    let cause = ending.message.map(|cause| cause + "\n").unwrap_or_default();
    let message = format!("{cause}not everything could be undone: {count} left, listed above");
    Ending { exit: Exit::UndoIncomplete, message: Some(message) }
}

impl Stage {
    async fn checks(&mut self, session: &mut Session) -> Ending {
        for placed in self.take_checks() {
            tokio::select! {
                biased;
                failure = self.interrupts.next() => return failure.into(),
                _holds = check::evaluate(&placed.check, session) => {}
            }
        }
        self.verdict(session)
    }

    /// By all checks so far, the recipes' own among them.
    fn verdict(&self, session: &Session) -> Ending {
        match session.report.result().failed_checks() {
            0 => Ending { exit: Exit::Done, message: None },
            _ => Ending { exit: Exit::Failed, message: None },
        }
    }
}
