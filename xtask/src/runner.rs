//! Builds the runner, and says where cargo put it.

use crate::program::{build_messages, cargo};
use anyhow::{Context, Result};
use std::path::PathBuf;

/// `profile` is cargo's: `dev` or `release`.
pub(crate) fn build(profile: &str) -> Result<PathBuf> {
    let mut command = cargo();
    command.args(["build", "--package", "netwright", "--bin", "netwright", "--profile", profile]);
    let programs = build_messages(&mut command)?;
    let executable = programs.iter().rev().find_map(|message| message["executable"].as_str());
    executable.map(PathBuf::from).context("cargo built no `netwright`")
}
