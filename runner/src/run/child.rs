//! What this program asks of another process of itself, for what can be done once in a process only:
//! entering a lab.

use std::process::{Command, Stdio};

use serde::de::DeserializeOwned;

use crate::exit::{Exit, Failure};

/// The JSON that the command prints. Its complaints go where this process's go; its standard input
/// is this one's, for the scenario may have come by it.
pub(super) fn answer<T: DeserializeOwned>(words: &[String]) -> Result<T, Failure> {
    let broken = |error: String| {
        let command = words.first().map(String::as_str).unwrap_or_default();
        Failure::new(Exit::Broken, format!("`netwright {command}` gave no answer: {error}"))
    };
    let output = Command::new("/proc/self/exe")
        .args(words)
        .stdin(Stdio::inherit())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| broken(error.to_string()))?;
    match output.status.code().map(Exit::from_code) {
        Some(Exit::Done) => {
            serde_json::from_slice(&output.stdout).map_err(|error| broken(error.to_string()))
        }
        // It has said why.
        Some(exit) => Err(Failure::new(exit, "")),
        None => Err(broken(output.status.to_string())),
    }
}
