//! `exec`: programs of the machine, by the operator's grant alone.

use std::time::Duration;

use wasmtime::component::Resource;

use super::handle::namespace;
use super::{Host, NamespaceHandle, Refusal, Session};
use crate::grant::{Capability, Facts, Request};
use crate::host::bindings::netwright::host::exec;
use crate::kernel::{Denial, Error};
use crate::program;

impl exec::Host for Host {
    async fn run(
        &mut self,
        handle: Resource<NamespaceHandle>,
        program: String,
        arguments: Vec<String>,
        timeout_ms: u32,
    ) -> Result<exec::Outcome, Refusal> {
        let namespace = namespace(&self.table, &handle)?;
        program::check(&program, &arguments)?;
        self.session.may_execute(&program)?;
        let descriptor = self.session.kernel.namespace_descriptor(&namespace)?;
        let place = namespace.name.as_ref().map(ToString::to_string);
        self.session.report.executes(&self.recipe, place.as_deref(), &program, &arguments);
        let timeout = Duration::from_millis(timeout_ms.into());
        let before = self.session.kernel.unmarked(&namespace);
        let outcome = program::run(&descriptor, &program, &arguments, timeout).await;
        self.session.kernel.adopt(&namespace, &before);
        self.session.objects.count_anew();
        let outcome = outcome?;
        let elapsed_ms = u32::try_from(outcome.elapsed.as_millis()).unwrap_or(u32::MAX);
        Ok(exec::Outcome {
            code: outcome.code,
            stdout: outcome.stdout,
            stderr: outcome.stderr,
            truncated: outcome.truncated,
            elapsed_ms,
        })
    }
}

impl Session {
    /// Whether this step's recipe may run a program, which no sandbox holds.
    fn may_execute(&mut self, program: &str) -> Result<(), Error> {
        let target = || format!("`{}`", program.escape_debug());
        let facts = Facts { program: Some(program.to_owned()), ..Facts::default() };
        let request = Request::new(Capability::Exec, facts);
        let may = self.grants.permit(&request).map_err(|refusal| {
            Error::Denied(Denial {
                capability: Capability::Exec.to_string(),
                target: format!("{}: {refusal}", target()),
                hint: refusal.hint(),
                told: None,
            })
        });
        self.told(may)?;
        if self.rehearsal {
            return Err(Error::Unsupported(format!(
                "a plan runs no programs, for they could do anything; this would be {}",
                target()
            )));
        }
        Ok(())
    }
}
