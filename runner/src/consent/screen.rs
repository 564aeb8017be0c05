//! What the operator reads before they decide.

use std::fmt;

use super::memory::Remembered;
use crate::grant::{Capability, Class, Rule};
use crate::recipe::Recipe;
use crate::report::escape;

pub(super) struct Screen<'a> {
    pub(super) recipe: &'a Recipe,
    pub(super) digest: &'a str,
    pub(super) complete: &'a [Rule],
    pub(super) open: &'a [Rule],
    /// what was allowed to another version of it
    pub(super) former: Option<&'a Remembered>,
    /// whether an answer can be remembered
    pub(super) remembers: bool,
}

impl Screen<'_> {
    /// The author's words, behind a bar: they are not ours.
    fn reason(&self, rule: &Rule, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let manifest = self.recipe.manifest.iter().flat_map(|manifest| &manifest.capabilities);
        let of = manifest.filter(|asked| {
            asked.capability.split_whitespace().next() == Some(rule.capability().name())
        });
        for asked in of {
            writeln!(f, "      | {}", escape(&asked.reason.replace('\n', " ")))?;
        }
        Ok(())
    }

    fn head(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = escape(self.recipe.name());
        writeln!(f, "A recipe wants more than a lab: `{name}`")?;
        writeln!(f, "  file    {}", escape(&self.recipe.source))?;
        writeln!(f, "  digest  sha256:{}", self.digest)?;
        writeln!(f, "  vouched for by nobody: a recipe's name and words are its author's")?;
        if let Some(manifest) = &self.recipe.manifest {
            writeln!(f, "  version {}", escape(&manifest.version))?;
            for line in manifest.description.lines() {
                writeln!(f, "  | {}", escape(line))?;
            }
        }
        Ok(())
    }

    fn changed(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(former) = self.former else { return Ok(()) };
        writeln!(f, "\nIt has changed since it was allowed:")?;
        writeln!(f, "  - sha256:{}\n  + sha256:{}", former.digest, self.digest)?;
        if let Some(manifest) =
            self.recipe.manifest.as_ref().filter(|now| now.version != former.version)
        {
            writeln!(
                f,
                "  - version {}\n  + version {}",
                escape(&former.version),
                manifest.version
            )?;
        }
        let (before, now) = (former.rules(), self.complete);
        for rule in before.iter().filter(|rule| !now.iter().any(|other| other.same(rule))) {
            writeln!(f, "  - {rule}")?;
        }
        for rule in now.iter().filter(|rule| !before.iter().any(|other| other.same(rule))) {
            writeln!(f, "  + {rule}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Screen<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.head(f)?;
        self.changed(f)?;
        writeln!(f, "\nIt asks for this on the machine's own network:")?;
        for rule in self.complete {
            let mark = match rule.capability().class() {
                Class::Attach => "-",
                Class::Special => "!",
            };
            writeln!(f, "  {mark} {rule}")?;
            writeln!(f, "      to {}", rule.capability().meaning())?;
            self.reason(rule, f)?;
        }
        if !self.open.is_empty() {
            writeln!(f, "\nOf this it does not say which; only a --grant of yours can give it:")?;
            self.open.iter().try_for_each(|rule| writeln!(f, "  - {rule}"))?;
        }
        let mut asked = self.complete.iter();
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
        let always = if self.remembers { ", [a]lways for this digest" } else { "" };
        write!(f, "\nAllow it? [d]eny, [o]nce{always}: ")
    }
}
