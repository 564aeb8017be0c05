//! A run's end: what it made stays under a name, or everything is taken back.

use std::os::fd::AsFd as _;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::time::Instant;

use super::Ending;
use super::interrupt::Interrupts;
use crate::clock;
use crate::exit::{Exit, Failure};
use crate::host::Session;
use crate::journal::Kept;
use crate::kernel::again::Late;
use crate::lab::{self, Origin};
use crate::naming::Taken;
use crate::policy::Policy;
use crate::recover;
use crate::scenario::Remembered;

/// How what a run makes stays.
pub(super) enum Stay {
    Lab(lab::Reservation),
    Host {
        taken: Taken,
        /// else it is taken back
        confirm_within: Option<Duration>,
    },
}

impl Stay {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Lab(reservation) => reservation.name(),
            Self::Host { taken, .. } => taken.name(),
        }
    }

    /// Whether a run that ended so is worth keeping.
    fn wants(&self, exit: Exit) -> bool {
        match self {
            Self::Lab(reservation) => reservation.wants(exit),
            // Nobody wants half a deployment on a machine that is used.
            Self::Host { .. } => exit == Exit::Done,
        }
    }

    fn keep(
        &mut self,
        session: &mut Session,
        scenario: Option<&Remembered>,
    ) -> Result<(), Failure> {
        // What is longer would not fit into a journal's record.
        let scenario = scenario.filter(|one| one.length() <= LONGEST).cloned();
        match self {
            Self::Lab(reservation) => {
                let namespaces = session.kernel.namespaces();
                let named: Vec<_> = namespaces
                    .iter()
                    .map(|(name, descriptor)| (name.to_string(), descriptor.as_fd()))
                    .collect();
                let origin = Origin::new(session.journal.changes(), scenario).map_err(|error| {
                    let doing = "can't keep the lab: note its changes";
                    Failure::of_system(doing, &error, Exit::Broken)
                })?;
                reservation.keep(&named, origin)
            }
            Self::Host { taken, confirm_within } => {
                let name = taken.name();
                let until = confirm_within.map(clock::moment_after);
                let kept = Kept { name: name.to_owned(), until, scenario };
                session.journal.keep(kept).map_err(|error| {
                    Failure::new(Exit::Lacking, crate::journal::unwritable(&error))
                })?;
                if let Some(time) = confirm_within {
                    let seconds = time.as_secs_f64();
                    session.report.notice(&format!(
                        "everything is taken back in {seconds} s, unless `netwright confirm {name}` comes before"
                    ));
                }
                Ok(())
            }
        }
    }
}

/// Bytes of a scenario and its parameters that are remembered with what is kept.
const LONGEST: usize = 4 << 20;

/// Keeps what was made, lets it go, or undoes it.
pub(super) async fn settle(
    session: &mut Session,
    interrupts: &mut Interrupts,
    ending: Ending,
    stay: Option<&mut Stay>,
    scenario: Option<&Remembered>,
) -> Ending {
    let ending = match stay.filter(|stay| stay.wants(ending.exit)) {
        None => ending,
        Some(stay) => match stay.keep(session, scenario) {
            Ok(()) => {
                session.report.result_mut().kept = Some(stay.name().to_owned());
                session.report.stays();
                return ending;
            }
            Err(failure) => failure.into(),
        },
    };
    match (&session.policy, ending.exit) {
        (Policy::Host(_), _) => undo_host(session, interrupts, ending).await,
        // The lab goes with this process, all at once.
        (Policy::Lab | Policy::Nothing, Exit::Done) => ending,
        (Policy::Lab | Policy::Nothing, _) => undo(session, interrupts, ending).await,
    }
}

/// One by one for so long; then the kernel takes the rest of a lab apart, all at once.
const UNDO: Duration = Duration::from_secs(1);

/// Takes back everything, newest first, whatever fails on the way.
pub(super) async fn undo(
    session: &mut Session,
    interrupts: &mut Interrupts,
    ending: Ending,
) -> Ending {
    let (left, _) = take_back(session, interrupts, Some(Instant::now() + UNDO)).await;
    let rest = session.journal.changes().count();
    session.report.result_mut().undone_with_lab = rest;
    if left == 0 { ending } else { incomplete(ending, left, "it went with the lab") }
}

/// In a lab that outlives this process, whose changes have to be taken back one by one.
pub(super) async fn settle_in_kept_lab(
    session: &mut Session,
    interrupts: &mut Interrupts,
    ending: Ending,
    origin: &mut Origin,
) -> Ending {
    if ending.exit == Exit::Done {
        session.report.stays();
        if let Err(error) = origin.add(session.journal.changes()) {
            session.report.warn(format!("what was changed in the lab can't be noted: {error}"));
        }
        return ending;
    }
    let lost = session.journal.take_lost();
    lost.iter().for_each(|change| session.report.lost(change));
    let (left, _) = take_back(session, interrupts, None).await;
    let rest: Vec<String> = session.journal.changes().map(ToString::to_string).collect();
    rest.iter().rev().for_each(|change| session.report.left(change));
    match lost.len() + left + rest.len() {
        0 => ending,
        left => incomplete(ending, left, "`netwright plan` tells what the lab is like now"),
    }
}

/// On the host everything goes, however long it takes, and what is still marked is told.
async fn undo_host(session: &mut Session, interrupts: &mut Interrupts, ending: Ending) -> Ending {
    let (mut left, stopped) = take_back(session, interrupts, None).await;
    if stopped {
        let rest: Vec<String> = session.journal.changes().map(ToString::to_string).collect();
        rest.iter().rev().for_each(|change| session.report.left(change));
        left += rest.len();
    } else if !session.journal.is_reopened() {
        let remains = session.kernel.remains();
        remains.iter().for_each(|what| session.report.left(what));
        left += remains.len();
    }
    if left > 0 {
        session.journal.give_up();
        return incomplete(ending, left, "`netwright gc` tries again");
    }
    match session.journal.finish() {
        Ok(()) => ending,
        Err(error) => {
            session.report.warn(format!("the journal of the run can't be removed: {error}"));
            ending
        }
    }
}

/// How many changes could not be taken back, and whether somebody stopped it: a first signal
/// meanwhile is answered with words, a second one with the end.
async fn take_back(
    session: &mut Session,
    interrupts: &mut Interrupts,
    until: Option<Instant>,
) -> (usize, bool) {
    session.halt.lift();
    let mut late = Late::default();
    let mut told = false;
    while until.is_none_or(|until| Instant::now() < until) {
        if interrupts.next().now_or_never().is_some() {
            if told {
                return (session.undo_late(late, false), true);
            }
            told = true;
            let rest = session.journal.changes().count();
            session.report.notice(&recover::going_on(rest));
        }
        if !session.undo_in_turn(&mut late) {
            break;
        }
    }
    let again = until.is_none_or(|until| Instant::now() < until);
    (session.undo_late(late, again), false)
}

fn incomplete(ending: Ending, count: usize, help: &str) -> Ending {
    let cause = ending.message.map(|cause| cause + "\n").unwrap_or_default();
    let message = format!(
        "{cause}not everything could be undone: {count} left, listed above\n  help: {help}"
    );
    Ending { exit: Exit::UndoIncomplete, message: Some(message) }
}
