//! Runs other programs: says what is run, and turns a failure into an error that names it.

use anyhow::{Context, Result, bail};
pub(crate) use netwright_building::find_program as find;
use serde_json::Value;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// One line of progress, on stderr as all of them.
pub(crate) fn say(what: impl std::fmt::Display) {
    eprintln!("xtask: {what}");
}

/// Where the workspace is; the programs started from here run in it.
pub(crate) fn workspace() -> PathBuf {
    let xtask = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().expect("xtask is a folder of the workspace").to_path_buf()
}

/// The cargo that started this program.
pub(crate) fn cargo() -> Command {
    in_workspace(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

pub(crate) fn in_workspace(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(workspace());
    command
}

/// Shows the command, runs it with our own stdin, stdout and stderr, and insists on success.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let shown = shown(command);
    say(format_args!("$ {shown}"));
    let status = command.status().with_context(|| format!("`{shown}` did not start"))?;
    if !status.success() {
        bail!("`{shown}` failed: {status}");
    }
    Ok(())
}

/// What the program wrote to stdout, without the last line end; nothing of it is shown.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let shown = shown(command);
    let output = command.output().with_context(|| format!("`{shown}` did not start"))?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        bail!("`{shown}` failed: {}\n{}", output.status, words.trim_end());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

/// Runs a cargo command that builds, and gives its JSON messages about what was built. Progress and
/// diagnostics are shown as ever.
/// <https://doc.rust-lang.org/cargo/reference/external-tools.html#artifact-messages>
pub(crate) fn build_messages(command: &mut Command) -> Result<Vec<Value>> {
    let shown = shown(command);
    say(format_args!("$ {shown}"));
    command.arg("--message-format=json-render-diagnostics").stderr(Stdio::inherit());
    let output = command.output().with_context(|| format!("`{shown}` did not start"))?;
    if !output.status.success() {
        bail!("`{shown}` failed: {}", output.status);
    }
    let lines = String::from_utf8(output.stdout).context("cargo's messages are not UTF-8")?;
    let messages = lines.lines().map(serde_json::from_str).collect::<Result<Vec<Value>, _>>();
    let mut messages = messages.context("cargo's messages are not JSON")?;
    messages.retain(|message| message["reason"] == "compiler-artifact");
    Ok(messages)
}

/// Whether a program of this name is on PATH, or in the folders where root's programs are.
pub(crate) fn is_installed(name: &str) -> bool {
    find(name).is_some()
}

/// The command as one would type it.
pub(crate) fn shown(command: &Command) -> String {
    let program = PathBuf::from(command.get_program());
    let name = program.file_name().unwrap_or(command.get_program()).to_string_lossy().into_owned();
    let arguments = command.get_args().map(|argument| argument.to_string_lossy().into_owned());
    std::iter::once(name).chain(arguments).collect::<Vec<_>>().join(" ")
}
