//! What this program asks of another process of itself, for what can be done once in a process only:
//! entering a lab.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::process::Stdio;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::io::Errno;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::exit::{Exit, Failure};
use crate::halt::{Halt, signals};
use crate::process::{self, Owned};

/// Between two looks whether it may go on.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };

/// The JSON that the command prints. Its complaints go where this process's go; its standard input
/// is this one's, for the scenario may have come by it. It ends where this one may not go on.
pub(super) fn answer<T: DeserializeOwned>(words: &[String], halt: &Halt) -> Result<T, Failure> {
    answer_to(words, Stdio::inherit(), halt)
}

/// The same of a command that is told more than a command line may hold, as JSON.
pub(super) fn answer_about<T: DeserializeOwned>(
    words: &[String],
    about: &impl Serialize,
    halt: &Halt,
) -> Result<T, Failure> {
    let written = || -> io::Result<File> {
        let mut file = File::from(memfd_create("netwright-question", MemfdFlags::CLOEXEC)?);
        file.write_all(&serde_json::to_vec(about).map_err(io::Error::other)?)?;
        file.rewind()?;
        Ok(file)
    };
    let file = written()
        .map_err(|error| Failure::of_system("can't ask another process", &error, Exit::Broken))?;
    answer_to(words, file.into(), halt)
}

fn answer_to<T: DeserializeOwned>(
    words: &[String],
    input: Stdio,
    halt: &Halt,
) -> Result<T, Failure> {
    let broken = |error: String| {
        let command = words.first().map(String::as_str).unwrap_or_default();
        Failure::new(Exit::Broken, format!("`netwright {command}` gave no answer: {error}"))
    };
    // It could not be ended otherwise.
    let held = signals::held();
    let mut command = process::itself(words.first().map(String::as_str).unwrap_or_default());
    command.args(words.iter().skip(1)).stdin(input);
    command.stdout(Stdio::piped()).stderr(Stdio::inherit());
    let mut child = Owned::start(&mut command).map_err(|error| {
        let command = words.first().map(String::as_str).unwrap_or_default();
        process::not_started(&format!("`netwright {command}`"), &error)
    })?;
    let said = read(&mut child, halt);
    if said.is_err() {
        // Who has ended by itself needs no signal.
        child.end();
    }
    let status = child.wait().map_err(|error| broken(error.to_string()));
    drop(held);
    let said = said.and_then(|said| said.map_err(|error| broken(error.to_string())))?;
    let status = status?;
    match status.code().map(Exit::from_code) {
        Some(Exit::Done) => {
            serde_json::from_slice(&said).map_err(|error| broken(error.to_string()))
        }
        // It has said why.
        Some(exit) => Err(Failure::new(exit, "")),
        None => Err(broken(status.to_string())),
    }
}

/// All that a process writes, unless this one may not go on.
fn read(child: &mut Owned, halt: &Halt) -> Result<io::Result<Vec<u8>>, Failure> {
    let mut said = Vec::new();
    let Some(mut stdout) = child.stdout() else { return Ok(Ok(said)) };
    let mut piece = vec![0; 1 << 16];
    loop {
        halt.may_go_on()?;
        match poll(&mut [PollFd::new(&stdout, PollFlags::IN)], Some(&LOOK)) {
            Ok(0) | Err(Errno::INTR) => continue,
            Ok(_) => {}
            Err(errno) => return Ok(Err(errno.into())),
        }
        match stdout.read(&mut piece) {
            Ok(0) => return Ok(Ok(said)),
            Ok(length) => said.extend_from_slice(&piece[..length]),
            Err(error) => return Ok(Err(error)),
        }
    }
}
