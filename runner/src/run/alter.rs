//! Carries a plan's changes out, verifies them, and holds the scenario's checks against them: all of
//! it, or nothing.

use netwright_network::shell::Word;

use super::interrupt::Interrupts;
use super::place::Place;
use super::plan::Plan;
use super::settle::{Stay, settle, settle_in_kept_lab};
use super::{Ending, runtime};
use crate::change::Change;
use crate::check;
use crate::exit::{Exit, Failure};
use crate::grant::Grants;
use crate::halt::Halt;
use crate::host::Session;
use crate::kernel::Error;
use crate::report::Report;
use crate::scenario::{Check, Limits, PlacedCheck, reaches};
use crate::state::{State, repair};

/// A change may take along what hangs on it, as routes on an address: that is put back in turn.
const ROUNDS: usize = 4;

/// What is to be done to a deployment.
pub(super) struct Alteration<'a> {
    pub(super) plan: &'a Plan,
    pub(super) changes: &'a [Change],
    /// what the operator grants
    pub(super) operator: &'a Grants,
    pub(super) checks: Vec<PlacedCheck>,
    /// the scenario's, or the usual ones where there is none
    pub(super) limits: Limits,
}

impl Alteration<'_> {
    /// Without a `stay` in a lab that was kept, and is kept whatever comes; its place has what the
    /// lab was made by.
    pub(super) fn carry_out(
        self,
        place: Place,
        report: Report,
        mut stay: Option<Stay>,
    ) -> Result<Exit, Failure> {
        let halt = Halt::within(self.limits.time);
        let mut session = Session::new(place.policy, place.kernel, report, &self.limits, halt);
        session.grants = self.operator.clone();
        session.opener = place.opener;
        session.journal = place.journal;
        session.made_earlier = true;
        let mut origin = place.origin;
        let remembered = self.plan.rehearsal.scenario.clone();
        session.report.started();
        let ending = runtime()?.block_on(async {
            let mut interrupts = Interrupts::listen()?;
            let ending = self.make(&mut session, &mut interrupts).await;
            let ending = ending.unless_halted(&session);
            Ok::<_, Failure>(match &mut origin {
                Some(origin) => {
                    origin.scenario = remembered.or(origin.scenario.take());
                    settle_in_kept_lab(&mut session, &mut interrupts, ending, origin).await
                }
                None => {
                    let remembered = remembered.as_ref();
                    let stay = stay.as_mut();
                    settle(&mut session, &mut interrupts, ending, stay, remembered).await
                }
            })
        })?;
        session.report.finish(ending.exit as u8, ending.message.as_deref());
        Ok(ending.exit)
    }

    async fn make(self, session: &mut Session, interrupts: &mut Interrupts) -> Ending {
        let checks = self.checks.iter().map(|placed| &placed.check);
        if let Err(failure) = session.permit_checks(&reaches(checks, &[])) {
            return failure.into();
        }
        if let Some(ending) = self.mend(session) {
            return self.with_remedy(ending);
        }
        let checks: Vec<Check> = self.checks.into_iter().map(|placed| placed.check).collect();
        tokio::select! {
            biased;
            failure = interrupts.next() => failure.into(),
            outcome = check::hold(&checks, session) => outcome.into(),
        }
    }

    /// What can't be made of what is there can be made of nothing.
    fn with_remedy(&self, mut ending: Ending) -> Ending {
        if ending.exit == Exit::Broken && self.plan.present.is_some() {
            let name = Word(&self.plan.rehearsal.name);
            let help =
                format!("\n  help: after `netwright destroy {name}` it is made anew, not in place");
            ending.message = ending.message.map(|message| message + &help);
        }
        ending
    }

    /// Makes the changes and reads back what came of them; an ending where that is not as planned.
    fn mend(&self, session: &mut Session) -> Option<Ending> {
        if let Some(ending) = failed(session, self.changes) {
            return Some(ending);
        }
        let rehearsal = &self.plan.rehearsal;
        let settings = rehearsal.asked().settings();
        let mut left = Vec::new();
        for round in 1..=ROUNDS {
            let now = match State::read(session.kernel.as_ref(), &settings) {
                Ok(now) => now,
                Err(error) => {
                    return Some(
                        Failure::of_kernel("what was made can't be read back", error).into(),
                    );
                }
            };
            left = rehearsal.differences(&now);
            if left.is_empty() {
                return None;
            }
            let Ok(changes) = repair(&left, &now, &rehearsal.state) else { break };
            if round < ROUNDS
                && let Some(ending) = failed(session, &changes)
            {
                return Some(ending);
            }
        }
        let left: Vec<String> = left.iter().map(|one| format!("  {one}")).collect();
        let message = "the kernel took every change, but not all came about";
        Some(unlike(format!("{message}:\n{}", left.join("\n"))))
    }
}

/// The first change that failed. What the kernel refuses for now is asked for again after the others,
/// for what it needs may come later: scenarios say in any order what depends on what.
fn failed(session: &mut Session, changes: &[Change]) -> Option<Ending> {
    let mut left = changes.to_vec();
    loop {
        let count = left.len();
        let mut refused = Vec::new();
        for change in left {
            match session.perform_but(change.clone(), is_expected) {
                Ok(_) => {}
                Err(error) if has_gone_along(&change, &error) => {}
                Err(error) if error.may_pass() => refused.push((change, error)),
                Err(error) => {
                    return Some(Failure::of_kernel(format_args!("`{change}`"), error).into());
                }
            }
        }
        if refused.len() == count && count > 0 {
            let (change, error) = refused.swap_remove(0);
            session.report.refused(&change, &error);
            return Some(Failure::of_kernel(format_args!("`{change}`"), error).into());
        }
        if refused.is_empty() {
            return None;
        }
        left = refused.into_iter().map(|(change, _)| change).collect();
    }
}

fn is_expected(change: &Change, error: &Error) -> bool {
    has_gone_along(change, error) || error.may_pass()
}

/// What goes along with something else need not be taken away any more. What is there after all is told
/// at the end, when everything is read back.
fn has_gone_along(change: &Change, error: &Error) -> bool {
    change.takes_away() && error.means_gone()
}

fn unlike(message: String) -> Ending {
    Ending { exit: Exit::Broken, message: Some(message) }
}
