//! The toolchain that compiles guests, and how cargo is called with it.
//!
//! Guests are compiled for wasm32-unknown-unknown, which imports nothing by itself. rustup has its
//! standard library ready-made; Debian's packages hold the sources of it, and cargo compiles them
//! along with the guest.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

pub const TARGET: &str = "wasm32-unknown-unknown";

/// What to do where there is none.
pub const REMEDY: &str = "`rustup target add wasm32-unknown-unknown`, or Debian's packages rustc-web, cargo-web, rust-web-src and lld-19";

const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_LINKER: &str = "wasm-ld-19";
/// What the SDK's Cargo.toml asks of a compiler.
pub const OLDEST_MINOR: u32 = 95;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Toolchain {
    /// The toolchain in use has the target's standard library.
    Own,
    /// Debian's compiler in /usr/bin, with the standard library compiled from its sources.
    Debian,
}

impl Toolchain {
    /// What this machine has for a crate in this folder, where a file may choose the toolchain.
    pub fn find(folder: &Path) -> Option<Self> {
        if own_has_target(folder) {
            Some(Self::Own)
        } else if debian_is_complete() {
            Some(Self::Debian)
        } else {
            None
        }
    }

    /// `cargo build` for the guests' target in a folder; packages, profile and folders are the
    /// caller's.
    pub fn cargo_build(self, folder: &Path) -> Command {
        let mut command = match self {
            Self::Own => Command::new(named_or("CARGO", "cargo")),
            Self::Debian => Command::new(DEBIAN_CARGO),
        };
        command.current_dir(folder).args(["build", "--target", TARGET]);
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

fn named_or(variable: &str, program: &str) -> OsString {
    std::env::var_os(variable).unwrap_or_else(|| program.into())
}

fn own_has_target(folder: &Path) -> bool {
    let mut command = Command::new(named_or("RUSTC", "rustc"));
    command.current_dir(folder).args(["--print", "target-libdir", "--target", TARGET]);
    output(&mut command).is_some_and(|folder| holds_core_library(Path::new(&folder)))
}

/// What a program that succeeds writes to standard output, without the last line end.
fn output(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
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
    find_program(DEBIAN_LINKER).is_some()
        && Path::new(DEBIAN_CARGO).is_file()
        && debian_sysroot().is_some_and(|sysroot| {
            Path::new(&sysroot).join("lib/rustlib/src/rust/library/std/Cargo.toml").is_file()
        })
}

/// None where /usr/bin/rustc is missing or too old.
fn debian_sysroot() -> Option<String> {
    let mut version = Command::new(DEBIAN_RUSTC);
    let version = output(version.env_remove("LD_LIBRARY_PATH").arg("--version"))?;
    let minor: u32 = version.strip_prefix("rustc 1.")?.split('.').next()?.parse().ok()?;
    if minor < OLDEST_MINOR {
        return None;
    }
    let mut sysroot = Command::new(DEBIAN_RUSTC);
    output(sysroot.env_remove("LD_LIBRARY_PATH").args(["--print", "sysroot"]))
}

/// A program on PATH, or in the folders where root's programs are.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}
