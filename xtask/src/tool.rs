//! Subcommands of cargo that are no part of a toolchain.

use crate::program::{cargo, output, run, say};
use anyhow::{Context, Result};

/// A subcommand, and the version that is installed where there is none.
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    /// for people: what it is needed for
    pub(crate) purpose: &'static str,
}

impl Tool {
    /// Leaves a version that somebody installed as it is.
    pub(crate) fn find_or_install(&self) -> Result<()> {
        let Self { name, version, purpose } = self;
        if let Ok(found) = output(cargo().args([name, "--version"])) {
            say(format_args!("{found} is there"));
            return Ok(());
        }
        let package = format!("cargo-{name}");
        say(format_args!("installing {package} {version}, {purpose}: some minutes, once"));
        run(cargo().args(["install", "--locked", &package, "--version", version])).with_context(
            || format!("{purpose} needs {package}\n  help: cargo install --locked {package}"),
        )
    }
}
