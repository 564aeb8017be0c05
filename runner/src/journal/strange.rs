//! Journals that can't be read, or not to the end: they stay as they are, and are told of.

use netwright_network::shell::Word;

use super::folder::SUFFIX;
use crate::exit::{Exit, Failure};
use crate::records::{Claim, Flaw, History, Label, Reading, SCHEMA};

/// A journal that nobody here can go by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strange {
    pub file: String,
    /// the run, by its link group
    pub run: String,
    /// of the deployment, scenario or recipe, where it says so
    pub name: Option<String>,
    /// its run goes on
    pub alive: bool,
    /// what it tells can be taken back, as far as it goes
    pub has_history: bool,
    flaw: Flaw,
    version: Option<String>,
    claims: Vec<Claim>,
}

impl Strange {
    pub(super) fn new(file: &str, reading: &Reading, alive: bool) -> Self {
        let Label { version, name, claims } = reading.label.clone();
        // One without a flaw is told of for what it lacks: its head.
        let flaw = reading.flaw.clone().unwrap_or(Flaw::Damaged { at: 0 });
        let run = file.trim_end_matches(SUFFIX).escape_debug().to_string();
        let version = version.filter(|version| !version.is_empty());
        let file = file.to_owned();
        Self { file, run, name, alive, has_history: false, flaw, version, claims }
    }

    /// One that tells a history, but not all of it.
    pub fn of_history(file: String, history: &History, alive: bool) -> Option<Self> {
        let flaw = history.flaw.clone()?;
        let run = file.trim_end_matches(SUFFIX).to_owned();
        let name = Some(history.name().to_owned());
        let (version, claims) = (Some(history.head.version.clone()), history.claims.clone());
        Some(Self { file, run, name, alive, has_history: true, flaw, version, claims })
    }

    pub fn is_of_another_version(&self) -> bool {
        match self.flaw {
            Flaw::Schema { .. } | Flaw::Unknown { .. } => true,
            Flaw::Damaged { .. } => false,
        }
    }

    pub fn is_called(&self, name: &str) -> bool {
        self.run == name || self.name.as_deref() == Some(name)
    }

    /// The same for a shell: another version may allow any name.
    pub fn pasted(&self) -> String {
        Word(self.name.as_deref().unwrap_or(&self.run)).to_string()
    }

    /// What to call it by.
    pub fn shown(&self) -> String {
        self.name.as_ref().map_or_else(|| self.run.clone(), |name| name.escape_debug().to_string())
    }

    /// Why it is left alone.
    pub fn why(&self) -> String {
        let own = env!("CARGO_PKG_VERSION");
        let writer = match &self.version {
            Some(version) => format!("netwright {}", version.escape_debug()),
            None => "another netwright".to_owned(),
        };
        match &self.flaw {
            Flaw::Schema { schema } => format!(
                "its journal is of schema {schema}, written by {writer}; this is netwright {own}, which reads schema {SCHEMA}"
            ),
            Flaw::Unknown { at, what } => format!(
                "its journal, written by {writer}, has a record `{what}` at byte {at} that this netwright {own} doesn't know"
            ),
            Flaw::Damaged { at } => format!("its journal is damaged at byte {at}"),
        }
    }

    /// What can be done about it.
    pub fn help(&self) -> String {
        let name = self.pasted();
        let forget = format!("`netwright gc --forget {name}` forgets it and leaves all in place");
        match (self.is_of_another_version(), self.has_history) {
            (true, _) => format!(
                "`netwright destroy {name}` of the netwright that wrote it takes it back; {forget}"
            ),
            (false, true) => {
                format!("`netwright destroy {name}` takes back what can be read; {forget}")
            }
            (false, false) => forget,
        }
    }

    /// For who can't go on with it.
    pub fn failure(&self, exit: Exit) -> Failure {
        let (name, why, help) = (self.shown(), self.why(), self.help());
        Failure::new(exit, format!("`{name}` is left as it is: {why}\n  help: {help}"))
    }

    /// Why nothing of others' is claimed beside it: what its run uses may be among what can't be read.
    pub(super) fn keeps_from(&self, claims: &[Claim]) -> String {
        let what = |claim: &Claim| claim.what.to_string();
        let theirs = |claim: &&Claim| self.claims.iter().any(|theirs| theirs.excludes(claim));
        let wanted = claims.iter().find(theirs).or(claims.first()).map_or_else(String::new, what);
        let (name, why, help) = (self.shown(), self.why(), self.help());
        format!(
            "what `{name}` relies on isn't known, and {wanted} may be of that: {why}{}",
            crate::text::help(help)
        )
    }
}
