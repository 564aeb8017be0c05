//! Builds the runner, and says where cargo put it.

use crate::program::{build_messages, cargo};
use anyhow::{Context, Result};
use std::path::PathBuf;
use std::process::Command;

/// `profile` is cargo's: `dev` or `release`.
pub(crate) fn build(profile: &str) -> Result<PathBuf> {
    let mut command = cargo();
    command.args(["build", "--package", "netwright", "--bin", "netwright", "--profile", profile]);
    program(&mut command)
}

fn program(command: &mut Command) -> Result<PathBuf> {
    let artifacts = build_messages(command)?;
    let programs = artifacts.iter().filter(|artifact| {
        artifact["target"]["name"] == "netwright" && artifact["profile"]["test"] == false
    });
    let executable = programs.rev().find_map(|artifact| artifact["executable"].as_str());
    executable.map(PathBuf::from).context("cargo built no `netwright`")
}
