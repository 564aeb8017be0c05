//! The process's own limits.

use rustix::process::{Resource, getrlimit, setrlimit};

use crate::exit::{Exit, Failure};

/// Descriptors that a run needs beside two for each namespace.
const LEAST_OPEN_FILES: u64 = 256;

/// Raises the number of descriptors to what the machine allows: each namespace takes two.
pub fn raise_open_files() -> Result<(), Failure> {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.maximum.is_some_and(|most| most < LEAST_OPEN_FILES) {
        let message = format!(
            "this process may open {} files; {LEAST_OPEN_FILES} are needed\n  help: raise the hard limit, `ulimit -Hn`",
            limit.maximum.unwrap_or_default()
        );
        return Err(Failure::new(Exit::Lacking, message));
    }
    limit.current = limit.maximum;
    // Where it may not be raised the old one holds; running out is told when it happens.
    let _ = setrlimit(Resource::Nofile, limit);
    Ok(())
}
