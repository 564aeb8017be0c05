//! Programs of the machine, outside the sandbox: by the operator's grant alone.

use std::time::Duration;

use crate::probe::milliseconds;
pub use crate::wit::exec::Outcome;
use crate::{Namespace, Result, host};

/// For a program that says nothing else.
const PATIENCE: Duration = Duration::from_secs(10);

/// A program that is to be run in a namespace.
#[derive(Debug, Clone)]
#[must_use = "nothing runs before `run`"]
pub struct Program<'a> {
    namespace: &'a Namespace,
    path: String,
    arguments: Vec<String>,
    timeout: Duration,
}

impl Namespace {
    /// A program by its absolute path. As `ip netns exec NAMESPACE PROGRAM`, but with processes and
    /// mounts of its own, an environment of PATH, HOME and LANG, and no input; what it has started
    /// ends with it.
    ///
    /// The recipe has to ask for `exec program=PATH`, and the operator to grant it; in a plan
    /// nothing runs.
    ///
    /// ```no_run
    /// # use netwright_sdk::prelude::*;
    /// # fn show(lab: &Lab) -> Result<()> {
    /// let outcome = lab.namespace("ns1")?.program("/usr/sbin/ethtool").argument("eth0").run()?;
    /// lab.print(String::from_utf8_lossy(&outcome.stdout));
    /// # Ok(())
    /// # }
    /// ```
    pub fn program(&self, path: impl Into<String>) -> Program<'_> {
        let path = path.into();
        Program { namespace: self, path, arguments: Vec::new(), timeout: PATIENCE }
    }
}

impl Program<'_> {
    /// One more argument, as it is: there is no shell.
    pub fn argument(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// More arguments, each as it is.
    pub fn arguments<A: Into<String>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// How long it may take, 10 s where nothing is said.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// `denied` without a grant, `timeout` where it took longer, `unsupported` in a plan. A code
    /// other than 0 is an outcome.
    pub fn run(self) -> Result<Outcome> {
        let timeout = milliseconds(self.timeout);
        Ok(host::exec::run(self.namespace.handle(), &self.path, &self.arguments, timeout)?)
    }
}
