//! The toolchain that compiles the project's own recipes: found, or installed. rustup has what it
//! takes ready-made; where rustup or its server is out of reach, Debian's packages do.

use crate::packages;
use crate::program::{is_installed, run, say, workspace};
use anyhow::{Result, anyhow, bail};
use netwright_building::{OLDEST_MINOR, TARGET, Toolchain};
use std::process::Command;

/// Debian's own Rust for WebAssembly, and the linker that it needs.
const DEBIAN_PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "lld-19"];
/// Seconds that `rustup target add` may take; it needs two where its server answers.
const RUSTUP_PATIENCE: &str = "90";

pub(crate) fn find_or_install() -> Result<Toolchain> {
    match Toolchain::find(&workspace()) {
        Some(toolchain) => Ok(toolchain),
        None => install(),
    }
}

/// rustup first, which is quick and needs no root; else Debian's packages.
fn install() -> Result<Toolchain> {
    say(format_args!("recipes are compiled for {TARGET}, which this toolchain lacks"));
    if is_installed("rustup") {
        let mut rustup = Command::new("timeout");
        rustup.args([RUSTUP_PATIENCE, "rustup", "target", "add", TARGET]);
        match run(&mut rustup) {
            Ok(()) if Toolchain::find(&workspace()) == Some(Toolchain::Own) => {
                return Ok(Toolchain::Own);
            }
            Ok(()) => say("rustup added it to another toolchain than the one in use"),
            Err(error) => say(format_args!("rustup can't: {error:#}")),
        }
    } else {
        say("there is no rustup here");
    }
    say("using Debian's packages instead");
    packages::install(&DEBIAN_PACKAGES, "compiling recipes").map_err(|error| {
        anyhow!(
            "there is no toolchain for {TARGET}: {error}\n  help: or rustup target add {TARGET}"
        )
    })?;
    if Toolchain::find(&workspace()).is_some() {
        return Ok(Toolchain::Debian);
    }
    bail!(
        "Debian's {} don't make a compiler for {TARGET} of version 1.{OLDEST_MINOR} or newer\n  \
         help: rustup target add {TARGET}",
        DEBIAN_PACKAGES.join(", ")
    )
}
