//! Counts frames, while a probe runs or since the start of the run.

use std::time::Duration;

use netwright_frames::Filter;
use tokio::time::sleep;

use super::asker::Asker;
use super::attempt;
use super::probe::{Patience, settled_for};
use super::seen::{Miss, Said, Seen, mistaken};
use crate::capture::{Counted, Place};
use crate::change::{LinkRef, NamespaceRef};
use crate::scenario::{Check, FramesCheck};

/// For frames that are still on their way when a probe ends, where one too many is a fault.
const SETTLE: Duration = Duration::from_millis(100);

/// One look; where a probe belongs to it, with a capture and a run of the probe of its own.
pub(super) async fn frames(check: &FramesCheck, patience: Patience, asker: &Asker<'_>) -> Seen {
    match &check.during {
        Some(probe) => during(check, probe, patience, asker).await,
        None => since_start(check, asker).await,
    }
}

/// Whether a check is about frames of before it was asked.
pub(super) fn counts_since_the_start(check: &Check) -> bool {
    match check {
        Check::Frames(check) => check.during.is_none(),
        Check::Link(_)
        | Check::Address(_)
        | Check::Ping(_)
        | Check::Route(_)
        | Check::Neighbour(_)
        | Check::Arp(_)
        | Check::Tcp(_)
        | Check::Sysctl(_) => false,
    }
}

async fn since_start(check: &FramesCheck, asker: &Asker<'_>) -> Seen {
    let namespace = asker.namespace(&check.namespace).await?;
    // Frames that were seen prove their link; that there are none proves nothing without it.
    if check.at_least == 0 {
        asker.link(&namespace, check.link.as_str()).await??;
    }
    if check.at_most.is_some() {
        sleep(SETTLE).await;
    }
    let captured = Place { namespace: check.namespace.clone(), link: check.link.to_string() };
    let every = check.every.clone().unwrap_or_default();
    let counted = asker.session.borrow().captures.count(&captured, &check.filter, &every)?;
    match counted {
        Some(counted) => judge(check, &counted),
        None => Err(Miss::yet("nothing of it was captured: this run made no such namespace")),
    }
}

async fn during(check: &FramesCheck, probe: &Check, patience: Patience, asker: &Asker<'_>) -> Seen {
    let patience = settled_for(probe, patience, asker).await?;
    let number = start(check, asker).await?;
    // Boxed, for a check that holds a check is without end to the compiler.
    let answer = Box::pin(attempt(probe, patience, asker)).await;
    if check.at_most.is_some() {
        sleep(SETTLE).await;
    }
    let counted = {
        let session = asker.session.borrow();
        let capture = session.captures.of_check(number).ok_or_else(mistaken)?;
        let every: Filter = check.every.clone().unwrap_or_default();
        judge(check, &capture.count(&check.filter, &every))
    };
    match (answer, counted) {
        (Ok(_), counted) => counted,
        (Err(denied @ Miss::Denied(_)), _) => Err(denied),
        (Err(probe), counted) => {
            let failed = format!("the probe failed: {}", probe.said().text);
            let text = match counted {
                Ok(_) => failed,
                Err(counted) => format!("{}; {failed}", counted.said().text),
            };
            let said = Said { text, ..probe.said().clone() };
            Err(match probe {
                Miss::Never(_) => Miss::Never(said),
                Miss::Yet(_) | Miss::Denied(_) => Miss::Yet(said),
            })
        }
    }
}

async fn start(check: &FramesCheck, asker: &Asker<'_>) -> Result<usize, Miss> {
    let namespace: NamespaceRef = asker.namespace(&check.namespace).await?;
    let link = LinkRef { namespace: namespace.clone(), name: check.link.to_string(), index: None };
    let descriptor = {
        let mut session = asker.session.borrow_mut();
        session.watched_descriptor(&link)?
    };
    let info = asker.link(&namespace, check.link.as_str()).await??;
    let place = Place { namespace: check.namespace.clone(), link: info.name.clone() };
    let mut session = asker.session.borrow_mut();
    Ok(session.captures.start_of_check(&descriptor, place, info.index)?)
}

/// `4 frames` where the number fits, and else what doesn't.
fn judge(check: &FramesCheck, counted: &Counted) -> Seen {
    let frames = match counted.all {
        1 => "1 frame".to_owned(),
        all => format!("{all} frames"),
    };
    let other = match (&check.every, counted.other) {
        (Some(every), other) if other > 0 => Some(format!("{other} of them not {every}")),
        (Some(_) | None, _) => None,
    };
    let too_many = check.at_most.is_some_and(|most| counted.all > most);
    let fits = counted.all >= check.at_least && !too_many;
    // More can only have been more.
    let sure = check.at_most.is_none() && check.every.is_none();
    // What was seen since the start stays seen.
    let for_ever = check.during.is_none() && (other.is_some() || too_many);
    let miss = |text: String| if for_ever { Miss::never(text) } else { Miss::yet(text) };
    match (counted.unknown(), fits, other) {
        (None, true, None) => Ok(frames.into()),
        (Some(_), true, None) if sure => Ok(frames.into()),
        (Some(unknown), _, None) => Err(miss(format!("{frames}; {unknown}"))),
        (None, false, None) => Err(miss(frames)),
        (_, _, Some(other)) => Err(miss(format!("{frames}, {other}"))),
    }
}
