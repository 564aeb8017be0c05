//! Programs that a recipe has run by a grant: outside the sandbox, with processes and mounts of
//! their own, of which nothing outlives the call.
//!
//! Two processes of this program stand between: the outer one enters the namespaces and ends with
//! the runner, the inner one is the first of the program's process namespace. When that ends, for
//! whatever reason, the kernel ends all others there.

mod inside;
mod output;

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::thread::Builder;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::time::timeout;

pub use inside::{enter, first};

use self::output::Collected;
use crate::kernel::Error;
use crate::process::{self, Owned};
use crate::text::shortage;

/// As many bytes of arguments as a recipe may give.
const LONGEST: usize = 128 << 10;

/// What came of a program.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// as a shell has it
    pub(crate) code: u8,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    pub(crate) truncated: bool,
    pub(crate) elapsed: Duration,
}

/// Refuses what can't be handed to a program.
pub(crate) fn check(program: &str, arguments: &[String]) -> Result<(), Error> {
    let invalid = |sentence: String| Err(Error::Invalid(sentence));
    if !program.starts_with('/') {
        let program = program.chars().take(64).collect::<String>();
        return invalid(format!(
            "a program is named by its absolute path, not `{}`",
            program.escape_debug()
        ));
    }
    if arguments.iter().any(|argument| argument.contains('\0')) {
        return invalid("an argument of a program can't hold a NUL".to_owned());
    }
    let bytes: usize = arguments.iter().map(|argument| argument.len() + 1).sum();
    if bytes > LONGEST {
        return invalid(format!("the arguments have {bytes} bytes; {LONGEST} are allowed"));
    }
    Ok(())
}

/// Runs it in a namespace and waits for its end. Where the future is dropped, all of it ends.
pub(crate) async fn run(
    namespace: &OwnedFd,
    program: &str,
    arguments: &[String],
    limit: Duration,
) -> Result<Outcome, Error> {
    let failed = |error: io::Error| match shortage(&error) {
        Some(help) => Error::Unsupported(format!("`{program}`: {error}\n  help: {help}")),
        None => Error::Invalid(format!("can't run `{program}`: {error}")),
    };
    let start = Instant::now();
    let namespace = namespace.try_clone().map_err(failed)?;
    // The thread that starts it must not end before it: the kernel would end it, too.
    let mut command = process::itself("__program");
    command.args([&std::process::id().to_string(), program]).args(arguments);
    command.env_clear().current_dir("/").stdin(Stdio::from(File::from(namespace)));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    // It ends with all that it has started, whoever lets go of it.
    let mut running = Owned::start(&mut command).map_err(failed)?;
    let stdout = Collected::from(running.stdout()).map_err(failed)?;
    let stderr = Collected::from(running.stderr()).map_err(failed)?;
    let ended = timeout(limit, end_of(&running).map_err(failed)?).await;
    let milliseconds = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
    // Where whoever waits for the end can't tell it, waiting below does.
    let _ = ended.map_err(|_| Error::Timeout(milliseconds))?;
    let status = running.wait().map_err(failed)?;
    let (stdout, stderr) = (stdout.finish(), stderr.finish());
    Ok(Outcome {
        code: status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX),
        truncated: stdout.truncated || stderr.truncated,
        stdout: stdout.bytes,
        stderr: stderr.bytes,
        elapsed: start.elapsed(),
    })
}

/// Comes when a process ends; it is not yet waited for then.
fn end_of(child: &Owned) -> io::Result<oneshot::Receiver<()>> {
    let pinned = child.pinned().try_clone()?;
    let (tell, told) = oneshot::channel();
    Builder::new().name("program".to_owned()).spawn(move || {
        pinned.wait();
        // Nobody may wait any more.
        let _ = tell.send(());
    })?;
    Ok(told)
}
