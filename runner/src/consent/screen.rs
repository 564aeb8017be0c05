//! What the operator reads before they decide.

use std::fmt;

use super::Question;
use super::memory::Remembered;
use crate::grant::{Capability, Class, Rule};
use crate::text::escape;

pub(super) struct Screen<'a> {
    pub(super) question: &'a Question<'a>,
    /// what was allowed to another version of it, or to this one told something else
    pub(super) former: Option<&'a Remembered>,
    /// whether an answer can be remembered
    pub(super) remembers: bool,
}

impl Screen<'_> {
    /// The author's words, behind a bar: they are not ours.
    fn reason(&self, rule: &Rule, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let manifest =
            self.question.recipe.manifest.iter().flat_map(|manifest| &manifest.capabilities);
        let of = manifest.filter(|asked| {
            asked.capability.split_whitespace().next() == Some(rule.capability().name())
        });
        for asked in of {
            writeln!(f, "      | {}", escape(&asked.reason.replace('\n', " ")))?;
        }
        Ok(())
    }

    fn head(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = escape(self.question.recipe.name());
        writeln!(f, "A recipe wants more than a lab: `{name}`")?;
        writeln!(f, "  file    {}", escape(&self.question.recipe.source))?;
        writeln!(f, "  digest  sha256:{}", self.question.digest)?;
        if self.question.recipe.is_builtin() {
            writeln!(f, "  comes with this program, and does what it is told")?;
        } else {
            writeln!(f, "  vouched for by nobody: a recipe's name and words are its author's")?;
        }
        if let Some(manifest) = &self.question.recipe.manifest {
            writeln!(f, "  version {}", escape(&manifest.version))?;
            for line in manifest.description.lines() {
                writeln!(f, "  | {}", escape(line))?;
            }
        }
        let scenario = escape(self.question.scenario);
        write!(f, "  told by `{scenario}`:\n{}", self.question.told)
    }

    fn changed(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(former) = self.former else { return Ok(()) };
        let now = &self.question.digest;
        if former.digest == *now {
            writeln!(f, "\nIt was allowed, but told something else:")?;
        } else {
            writeln!(f, "\nIt has changed since it was allowed:")?;
            writeln!(f, "  - sha256:{}\n  + sha256:{now}", escape(&former.digest))?;
        }
        if former.scenario != self.question.scenario {
            let (before, now) = (escape(&former.scenario), escape(self.question.scenario));
            writeln!(f, "  - told by `{before}`\n  + told by `{now}`")?;
        }
        match &former.parameters {
            Some(before) => {
                for line in self.question.told.changes(before) {
                    writeln!(f, "  {line}")?;
                }
            }
            None => writeln!(f, "  what it was told before was too long to be kept")?,
        }
        if let Some(manifest) =
            self.question.recipe.manifest.as_ref().filter(|now| now.version != former.version)
        {
            writeln!(
                f,
                "  - version {}\n  + version {}",
                escape(&former.version),
                escape(&manifest.version)
            )?;
        }
        let (before, now) = (former.rules(), &self.question.complete);
        for rule in before.iter().filter(|rule| !now.iter().any(|other| other.same(rule))) {
            writeln!(f, "  - {rule}")?;
        }
        for rule in now.iter().filter(|rule| !before.iter().any(|other| other.same(rule))) {
            writeln!(f, "  + {rule}")?;
        }
        Ok(())
    }
}

/// What checks and captures reach in the machine's own network.
pub(super) fn of_reached(rules: &[Rule]) -> String {
    rules.iter().map(|rule| format!("  - {rule}\n")).collect()
}

impl fmt::Display for Screen<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.head(f)?;
        self.changed(f)?;
        writeln!(f, "\nIt asks for this on the machine's own network:")?;
        for rule in &self.question.complete {
            let mark = match rule.capability().class() {
                Class::Attach => "-",
                Class::Special => "!",
            };
            writeln!(f, "  {mark} {rule}")?;
            writeln!(f, "      to {}", rule.capability().meaning())?;
            self.reason(rule, f)?;
        }
        if !self.question.open.is_empty() {
            writeln!(f, "\nOf this it does not say which; only a --grant of yours can give it:")?;
            self.question.open.iter().try_for_each(|rule| writeln!(f, "  - {rule}"))?;
        }
        if !self.question.reached.is_empty() {
            write!(
                f,
                "\nThis run's checks and captures, too, want there:\n{}",
                of_reached(self.question.reached)
            )?;
        }
        let mut asked = self.question.complete.iter();
        if asked.any(|rule| rule.capability() == Capability::Exec) {
            writeln!(
                f,
                "\nA program runs outside the sandbox: it can do what you can do. The recipe itself can't read\nor write files, open sockets, or see the environment; nor touch `lo`, the link that you work\nover, other managers' links, or what isn't listed above."
            )?;
        } else {
            writeln!(
                f,
                "\nIt can't read or write files, run programs, open sockets, or see the environment; nor\ntouch `lo`, the link that you work over, other managers' links, or what isn't listed above."
            )?;
        }
        if !self.question.told.is_shown_whole() {
            writeln!(
                f,
                "\nWhat it is told is too long to be shown whole, so that it isn't allowed for good."
            )?;
        }
        writeln!(f)
    }
}

impl Screen<'_> {
    /// What is asked once all of it was shown.
    pub(super) fn question(&self) -> String {
        let always = if self.remembers { ", [a]lways for this digest, told this" } else { "" };
        format!("Allow it? [d]eny, [o]nce{always}: ")
    }
}
