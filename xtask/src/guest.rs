//! The toolchain that compiles guests: where it comes from, and how cargo is called with it.
//!
//! Guests are compiled for wasm32-unknown-unknown, which imports nothing by itself. rustup has its
//! standard library ready-made; where rustup or its server is out of reach, Debian's packages hold
//! the sources of it, and cargo compiles them along with the guest.

use crate::packages;
use crate::program::{find, is_installed, output, run, say};
use anyhow::{Result, anyhow, bail};
use std::path::Path;
use std::process::Command;

pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// Debian's own Rust for WebAssembly, and the linker that it needs.
const DEBIAN_PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "lld-19"];
const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_LINKER: &str = "wasm-ld-19";
/// Seconds that `rustup target add` may take; it needs two where its server answers.
const RUSTUP_PATIENCE: &str = "90";
/// What the workspace's Cargo.toml asks of a compiler.
const OLDEST_MINOR: u32 = 95;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Toolchain {
    /// The toolchain in use has the target's standard library.
    Own,
    /// Debian's compiler in /usr/bin, with the standard library compiled from its sources.
    Debian,
}

impl Toolchain {
    pub(crate) fn find_or_install() -> Result<Self> {
        match Self::find() {
            Some(toolchain) => Ok(toolchain),
            None => Self::install(),
        }
    }

    /// What this machine has already.
    pub(crate) fn find() -> Option<Self> {
        if own_has_target() {
            Some(Self::Own)
        } else if debian_is_complete() {
            Some(Self::Debian)
        } else {
            None
        }
    }

    /// rustup first, which is quick and needs no root; else Debian's packages.
    fn install() -> Result<Self> {
        say(format_args!("recipes are compiled for {TARGET}, which this toolchain lacks"));
        if is_installed("rustup") {
            let mut rustup = Command::new("timeout");
            rustup.args([RUSTUP_PATIENCE, "rustup", "target", "add", TARGET]);
            match run(&mut rustup) {
                Ok(()) if own_has_target() => return Ok(Self::Own),
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
        if debian_is_complete() {
            return Ok(Self::Debian);
        }
        bail!(
            "Debian's {} don't make a compiler for {TARGET} of version 1.{OLDEST_MINOR} or newer\n  \
             help: rustup target add {TARGET}",
            DEBIAN_PACKAGES.join(", ")
        )
    }

    /// `cargo build` for the guests' target; packages, profile and folders are the caller's.
    pub(crate) fn cargo_build(self) -> Command {
        let mut command = match self {
            Self::Own => crate::program::cargo(),
            Self::Debian => crate::program::in_workspace(DEBIAN_CARGO),
        };
        command.args(["build", "--target", TARGET]);
        match self {
            Self::Own => {}
            Self::Debian => {
                // -Zbuild-std is open to nightly compilers only; Debian's is a stable one.
                command.env("RUSTC_BOOTSTRAP", "1").env("RUSTC", DEBIAN_RUSTC);
                command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", DEBIAN_LINKER);
                // Set by the cargo that started us, for the libraries of its own toolchain.
                command.env_remove("LD_LIBRARY_PATH").env_remove("RUSTUP_TOOLCHAIN");
                command.arg("-Zbuild-std=std,panic_abort");
            }
        }
        command
    }
}

fn own_has_target() -> bool {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut command = crate::program::in_workspace(rustc);
    command.args(["--print", "target-libdir", "--target", TARGET]);
    output(&mut command).is_ok_and(|folder| holds_core_library(Path::new(&folder)))
}

fn holds_core_library(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|entries| {
        entries.flatten().any(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            name.starts_with("libcore-") && name.ends_with(".rlib")
        })
    })
}

fn debian_is_complete() -> bool {
    find(DEBIAN_LINKER).is_some()
        && Path::new(DEBIAN_CARGO).is_file()
        && debian_sysroot().is_some_and(|sysroot| {
            Path::new(&sysroot).join("lib/rustlib/src/rust/library/std/Cargo.toml").is_file()
        })
}

/// None where /usr/bin/rustc is missing or too old.
fn debian_sysroot() -> Option<String> {
    let mut version = Command::new(DEBIAN_RUSTC);
    let version = output(version.env_remove("LD_LIBRARY_PATH").arg("--version")).ok()?;
    let minor: u32 = version.strip_prefix("rustc 1.")?.split('.').next()?.parse().ok()?;
    if minor < OLDEST_MINOR {
        return None;
    }
    let mut sysroot = Command::new(DEBIAN_RUSTC);
    output(sysroot.env_remove("LD_LIBRARY_PATH").args(["--print", "sysroot"])).ok()
}
