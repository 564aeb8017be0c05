//! What was kept under a name: labs, and deployments on the host. Listed, looked into, entered.

mod deployment;
mod exec;
mod inspect;
mod list;
mod view;

pub use exec::exec;
pub use inspect::inspect;
pub use list::list;

use crate::exit::{Exit, Failure};
use crate::journal;
use crate::lab::{self, Inside};
use crate::naming::{self, Taken};
use crate::near;
use crate::recover;
use deployment::Deployment;

/// One of them, opened.
enum Kept {
    /// This process is in its root namespace now.
    Lab(Inside),
    Deployment(Box<Deployment>),
}

impl Kept {
    /// Must come before the first thread, as [`lab::enter`].
    fn open(name: &str) -> Result<Self, Failure> {
        readable(name)?;
        if let Some(deployment) = Deployment::find(name) {
            return deployment.map(|deployment| Self::Deployment(deployment.into()));
        }
        if !lab::Folder::open()?.has(name)? {
            return Err(unknown(name));
        }
        Inside::go(name).map(Self::Lab)
    }
}

/// Takes a lab apart, or a deployment on the host back.
pub fn destroy(name: &str) -> Result<Exit, Failure> {
    if crate::naming::title(name).is_err() {
        // A run's own name may be that of a journal that can't be read.
        return recover::destroy(name).unwrap_or_else(|| Err(unknown(name)));
    }
    // Whoever makes or alters it right now goes on.
    let taken = Taken::of(name).map_err(|failure| match is_altered(name) {
        true => recover::busy(name),
        false => failure,
    })?;
    if let Some(outcome) = recover::destroy(name) {
        return outcome;
    }
    // Also what a run that was killed has left of one.
    let there = lab::destroy(&taken)?;
    drop(taken);
    if there { Ok(Exit::Done) } else { Err(unknown(name)) }
}

/// What is deployed under a name must be known in full by who looks into it, alters it or takes its name.
pub fn readable(name: &str) -> Result<(), Failure> {
    // Who may not look there has none.
    let strange = journal::Folder::open().ok().and_then(|folder| folder.strange_by(name));
    strange.map_or(Ok(()), |strange| Err(strange.failure(Exit::Lacking)))
}

/// Whether a run makes or alters a deployment of that name right now.
fn is_altered(name: &str) -> bool {
    journal::Folder::open().is_ok_and(|folder| folder.is_busy(name))
}

/// What is said of a name that nothing has, or nothing yet.
pub(crate) fn unknown(name: &str) -> Failure {
    let labs = lab::Folder::open().map(|folder| folder.all()).unwrap_or_default();
    let journals = journal::Folder::open().ok();
    if is_altered(name) {
        return recover::busy(name);
    }
    if naming::is_taken(name) {
        return naming::busy("", name);
    }
    let deployments = journals.map(|folder| folder.deployments()).unwrap_or_default();
    let kept = deployments.into_iter().filter_map(|(_, history)| history.kept);
    let known: Vec<String> =
        labs.into_iter().map(|lab| lab.name).chain(kept.map(|kept| kept.name)).collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let none = "`netwright run --keep NAME …` keeps a lab, `netwright apply` a deployment";
    let help = near::help(name, &known, none);
    Failure::usage(format!("nothing is kept as `{}`\n  help: {help}", name.escape_debug()))
}
