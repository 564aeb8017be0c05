//! Programs, as the test answers for them.

/// As the interface `exec`.
pub mod exec {
    pub use crate::wit::netwright::host::exec::Outcome;

    use super::super::building::namespaces::Namespace;
    use crate::testing::state::with;
    use crate::wit::types::Error;

    /// Runs nothing: the outcome is what the test gave for the program.
    pub fn run(
        _namespace: &Namespace,
        program: &str,
        arguments: &[String],
        _timeout_ms: u32,
    ) -> Result<Outcome, Error> {
        with(|state| {
            let mut words = vec![program.to_owned()];
            words.extend(arguments.iter().cloned());
            state.executed.push(words);
            let known = state.programs.iter().find(|(path, _)| path == program);
            known.map(|(_, outcome)| outcome.clone()).ok_or_else(|| {
                Error::Unsupported(format!("the test gives no outcome for `{program}`"))
            })
        })
    }
}
