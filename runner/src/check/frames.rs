//! Counts frames, while a probe runs or since the start of the run.

use std::time::Duration;

use netwright_frames::Filter;
use tokio::time::sleep;

use super::{Seen, attempt, failed, place};
use crate::capture::{Counters, Place};
use crate::change::{Answer, LinkRef, Query};
use crate::host::Session;
use crate::scenario::{Check, FramesCheck};

/// For frames that are still on their way when a probe ends, where one too many is a fault.
const SETTLE: Duration = Duration::from_millis(100);

/// One look; where a probe belongs to it, with a capture and a run of the probe of its own.
pub(super) async fn frames(check: &FramesCheck, session: &mut Session) -> Seen {
    match &check.during {
        Some(probe) => during(check, probe, session).await,
        None => since_start(check, session).await,
    }
}

async fn since_start(check: &FramesCheck, session: &mut Session) -> Seen {
    if check.at_most.is_some() {
        sleep(SETTLE).await;
    }
    let captured = Place { namespace: check.namespace.clone(), link: check.link.to_string() };
    let every = check.every.clone().unwrap_or_default();
    match session.captures.count(&captured, &check.filter, &every).map_err(failed)? {
        Some((all, both, counters)) => judge(check, all, both, counters),
        None => Err("nothing of it was captured: this run made no such namespace".to_owned()),
    }
}

async fn during(check: &FramesCheck, probe: &Check, session: &mut Session) -> Seen {
    let number = start(check, session)?;
    // Boxed, for a check that holds a check is without end to the compiler.
    let answer = Box::pin(attempt(probe, session)).await;
    if check.at_most.is_some() {
        sleep(SETTLE).await;
    }
    let Some(capture) = session.captures.of_check(number) else { return Err(super::mistaken()) };
    let every: Filter = check.every.clone().unwrap_or_default();
    let (all, both) = capture.count(&check.filter, &every);
    let counted = judge(check, all, both, capture.counters());
    match (answer, counted) {
        (Ok(_), counted) => counted,
        (Err(probe), Ok(_)) => Err(format!("the probe failed: {probe}")),
        (Err(probe), Err(counted)) => Err(format!("{counted}; the probe failed: {probe}")),
    }
}

fn start(check: &FramesCheck, session: &mut Session) -> Result<usize, String> {
    let namespace = place(&check.namespace);
    let link = LinkRef { namespace, name: check.link.to_string(), index: None };
    let descriptor = session.watched_descriptor(&link).map_err(failed)?;
    let Answer::Links(found) = session.query(Query::Link { link }).map_err(failed)? else {
        return Err(super::mistaken());
    };
    let Some(info) = found.first() else { return Err(super::mistaken()) };
    let place = Place { namespace: check.namespace.clone(), link: info.name.clone() };
    session.captures.start_of_check(&descriptor, place, info.index).map_err(failed)
}

/// `4 frames` where the number fits, and else what doesn't.
fn judge(check: &FramesCheck, all: u64, both: u64, counters: Counters) -> Seen {
    let frames = |number: u64| match number {
        1 => "1 frame".to_owned(),
        _ => format!("{number} frames"),
    };
    let other = match (&check.every, all - both) {
        (Some(every), other) if other > 0 => Some(format!("{other} of them not {every}")),
        (Some(_) | None, _) => None,
    };
    let fits = all >= check.at_least && check.at_most.is_none_or(|most| all <= most);
    let sure = check.at_most.is_none() && check.every.is_none();
    match (counters.loss(), fits, other) {
        (None, true, None) => Ok(frames(all)),
        // More can only have been more.
        (Some(_), true, None) if sure => Ok(frames(all)),
        (Some(loss), _, None) => Err(format!("{}; {loss}", frames(all))),
        (None, false, None) => Err(frames(all)),
        (_, _, Some(other)) => Err(format!("{}, {other}", frames(all))),
    }
}
