//! Runs a program in a namespace with one link, and tells its outcome.

use std::time::Duration;

use netwright_sdk::prelude::*;

#[derive(Params)]
struct Running {
    /// Its absolute path
    program: String,
    /// Its arguments
    arguments: Vec<String>,
    /// Milliseconds that it may take
    #[param(default = 5000)]
    timeout: u32,
}

/// What a program says inside a namespace
#[recipe(
    name = "program",
    version = "0.1.0",
    capabilities("exec" = "the program that it is told to run"),
)]
fn program(lab: &Lab, running: Running) -> Result<()> {
    let namespace = Namespace::create("ns1")?;
    namespace.bridge("br7").create()?;
    let outcome = namespace
        .program(&running.program)
        .arguments(running.arguments)
        .timeout(Duration::from_millis(running.timeout.into()))
        .run()?;
    lab.print(format!("code {}", outcome.code));
    lab.print(format!("truncated {} of {} bytes", outcome.truncated, outcome.stdout.len()));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).chars().take(2000).collect::<String>();
    lab.print(format!("stdout {}", text(&outcome.stdout)));
    lab.print(format!("stderr {}", text(&outcome.stderr)));
    Ok(())
}
