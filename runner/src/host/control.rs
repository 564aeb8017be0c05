//! `log` and `report`: what a recipe says. Needs no capability.

use super::{Host, LimitReached};
use crate::host::bindings::netwright::host::{log, report};
use crate::report::{Level, Verdict};

impl Host {
    /// Counts what the recipe says before it is shown; more than the limit stops the recipe.
    fn say(&mut self, parts: &[&str]) -> wasmtime::Result<()> {
        // Every call costs something, so that empty lines run out as well.
        let bytes = 16 + parts.iter().map(|part| part.len()).sum::<usize>();
        Ok(self.budget.say(bytes)?)
    }

    /// Takes what goes to WASI's standard output or error, for the log at the end.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), LimitReached> {
        // Beyond that a recipe's process sends nothing, unless it is the recipe's no more.
        self.budget.write(self.written.len().saturating_add(bytes.len()))?;
        self.written.extend_from_slice(bytes);
        Ok(())
    }
}

impl log::Host for Host {
    fn emit(&mut self, level: log::Level, message: String) -> wasmtime::Result<()> {
        self.say(&[&message])?;
        let level = match level {
            log::Level::Trace => Level::Trace,
            log::Level::Debug => Level::Debug,
            log::Level::Info => Level::Info,
            log::Level::Warn => Level::Warn,
            log::Level::Error => Level::Error,
        };
        self.session.report.log(&self.recipe, level, &message);
        if level == Level::Error {
            self.last_words = Some(message);
        }
        Ok(())
    }
}

impl report::Host for Host {
    fn step(&mut self, title: String) -> wasmtime::Result<()> {
        self.say(&[&title])?;
        self.session.report.recipe_step(&title);
        Ok(())
    }

    fn check(
        &mut self,
        name: String,
        verdict: report::Verdict,
        detail: String,
    ) -> wasmtime::Result<()> {
        self.say(&[&name, &detail])?;
        let verdict = match verdict {
            report::Verdict::Pass => Verdict::Pass,
            report::Verdict::Fail => Verdict::Fail,
            report::Verdict::Skip => Verdict::Skip,
        };
        self.session.report.recipe_check(&name, verdict, &detail);
        Ok(())
    }

    fn metric(&mut self, name: String, value: f64, unit: String) -> wasmtime::Result<()> {
        self.say(&[&name, &unit])?;
        self.session.report.metric(&name, value, &unit);
        Ok(())
    }

    fn print(&mut self, text: String) -> wasmtime::Result<()> {
        // Each line is a saying of its own, for an empty one costs its writing as well.
        text.lines().skip(1).try_for_each(|_| self.say(&[]))?;
        self.say(&[&text])?;
        self.session.report.print(&text);
        Ok(())
    }

    fn attach(&mut self, name: String, media_type: String, data: Vec<u8>) -> wasmtime::Result<()> {
        self.say(&[&name, &media_type])?;
        self.session
            .report
            .attach(&name, &media_type, &data)
            .map(drop)
            .map_err(|reason| LimitReached(reason).into())
    }
}
