//! Carries out lists of commands as a shell does, and the commands of the shell itself.

use netwright_sdk::host::namespaces::Namespace;
use netwright_sdk::host::probes;
use netwright_sdk::wit::probes::Condition;
use netwright_sdk::wit::types::Error as Cause;
use netwright_sdk::{Error, Result, log};

use crate::command::{Place, Statement};
use crate::output::{print, read, silently};
use crate::run::{Session, at_line};
use crate::shell::{Failure, Joined};
use crate::shell_command::ShellCommand;

impl Session {
    /// The first failure that nothing answers ends it.
    pub(crate) fn perform_all(&mut self, statements: &[Statement]) -> Result<()> {
        let mut failed: Option<(Error, &Statement)> = None;
        for statement in statements {
            match statement.joined {
                Joined::Always => settle(failed.take())?,
                Joined::AfterSuccess if failed.is_some() => continue,
                Joined::AfterFailure if failed.is_none() => continue,
                Joined::AfterSuccess | Joined::AfterFailure => {}
            }
            if let Some(flag) = statement.unheeded.as_ref().filter(|_| !statement.silent) {
                let line = statement.line;
                log::warn(format!("line {line}: `{flag}` shows no more here than without it"));
            }
            let outside = self.answered;
            self.answered |= statement.failure != Failure::Ends;
            let answer = silently(statement.silent, || self.filtered(statement));
            self.answered = outside;
            failed = match answer.map_err(|error| at_line(error, statement)) {
                Ok(()) if self.ended => return Ok(()),
                Ok(()) => None,
                Err(error) if self.ended || stands(&error) => return Err(error),
                Err(error) => {
                    heard(&error, statement.failure);
                    Some((error, statement))
                }
            };
        }
        settle(failed)
    }

    /// Carries out a command, and prints what is left of its output.
    fn filtered(&mut self, statement: &Statement) -> Result<()> {
        if statement.filters.is_empty() {
            return self.perform(statement);
        }
        let (answer, mut text) = read(|| self.perform(statement));
        answer?;
        for filter in &statement.filters {
            let Some(left) = filter.apply(&text) else {
                let pattern = &filter.pattern;
                return Err(Error::failed(format!("`grep` leaves no line for `{pattern}`")));
            };
            text = left;
        }
        print(&text);
        Ok(())
    }

    pub(crate) fn shell(
        &mut self,
        place: &Place,
        command: &ShellCommand,
        joined: Joined,
    ) -> Result<()> {
        match command {
            ShellCommand::Nothing | ShellCommand::Strict(_) => Ok(()),
            ShellCommand::False => Err(Error::failed("it always fails")),
            ShellCommand::Echo(text) => {
                print(text);
                Ok(())
            }
            ShellCommand::Sleep(milliseconds) => sleep(self.namespace(place)?, *milliseconds),
            ShellCommand::Exit(code) => {
                self.ended = true;
                match code.unwrap_or(u8::from(joined == Joined::AfterFailure)) {
                    0 => Ok(()),
                    code => Err(Error::failed(format!("the script ends with {code}"))),
                }
            }
            ShellCommand::Group(statements) => {
                let answer = self.perform_all(statements);
                self.ended = false;
                answer
            }
        }
    }
}

fn settle(failed: Option<(Error, &Statement)>) -> Result<()> {
    match failed {
        Some((error, statement)) if statement.failure != Failure::Unheard => Err(error),
        Some(_) | None => Ok(()),
    }
}

/// What no `||` answers: what may not be, and what is too much.
fn stands(error: &Error) -> bool {
    matches!(error.cause(), Cause::Denied(_) | Cause::Limit(_))
}

fn heard(error: &Error, failure: Failure) {
    match failure {
        Failure::Answered => log::info(format!("{error}; the script goes on")),
        Failure::Unheard => log::debug(format!("{error}; the script goes on")),
        Failure::Ends => {}
    }
}

/// The sandbox has no clock. The host waits so long for what doesn't happen: no namespace loses
/// its `lo`.
pub(crate) fn sleep(namespace: &Namespace, milliseconds: u32) -> Result<()> {
    if milliseconds == 0 {
        return Ok(());
    }
    let never = Condition::LinkGone("lo".to_owned());
    match probes::wait_until(namespace, &never, milliseconds) {
        Ok(_) | Err(Cause::Timeout(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
