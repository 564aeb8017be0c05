//! The files that a command reads. No output takes the place of one: that would be a slip, and the
//! file would be lost.

use std::path::{Path, PathBuf};

use rustix::fs::stat;

use crate::exit::Failure;
use crate::file::{Identity, is_ordinary};
use crate::scenario::{Recipe, Scenario};
use crate::text::path as shown;

#[derive(Debug, Default)]
pub(super) struct Inputs(Vec<Identity>);

impl Inputs {
    /// What was typed: the scenario or recipe, and the files of `KEY=@FILE`.
    pub(super) fn typed<'a>(
        what: impl IntoIterator<Item = &'a str>,
        parameters: &'a [String],
    ) -> Self {
        let at = |parameter: &'a String| parameter.split_once('=')?.1.strip_prefix('@');
        let all = what.into_iter().chain(parameters.iter().filter_map(at));
        Self(all.filter_map(|file| identity(Path::new(file))).collect())
    }

    /// And what the scenario names.
    pub(super) fn and_recipes_of(mut self, scenario: &Scenario) -> Self {
        let file = |recipe: &Recipe| match recipe {
            Recipe::File(path) => identity(path),
            Recipe::Builtin(_) => None,
        };
        self.0.extend(scenario.steps.iter().filter_map(|step| file(&step.recipe)));
        self
    }

    /// And one more.
    pub(super) fn and(mut self, file: &Path) -> Self {
        self.0.extend(identity(file));
        self
    }

    /// # Errors
    /// Where the file of a flag is one of them.
    pub(super) fn spare(&self, flag: &str, path: &Path) -> Result<(), Failure> {
        let is_one = identity(path).is_some_and(|there| self.0.contains(&there));
        if !is_one {
            return Ok(());
        }
        let shown = shown(path);
        Err(Failure::usage(format!("{flag}: can't write `{shown}`: this command reads that file")))
    }
}

/// Of what is there as an ordinary file, by whatever name: pipes and terminals can be both.
fn identity(path: &Path) -> Option<Identity> {
    let path = if path == Path::new("-") { PathBuf::from("/dev/stdin") } else { path.to_owned() };
    let about = stat(&path).ok()?;
    is_ordinary(&about).then(|| Identity::of(&about))
}
