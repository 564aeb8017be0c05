//! `cargo xtask setup`: installs what is missing to build netwright and to test it.

use crate::guest;
use crate::packages;
use crate::parts::{Choice, Part};
use crate::program::{is_installed, say};
use anyhow::Result;
use netwright_building::Toolchain;

/// A program that the tests call, and the Debian package that it comes in.
struct Needed {
    program: &'static str,
    package: &'static str,
    /// the part of the tests that it is for, where it is not for all of them
    part: Option<Part>,
}

/// iproute2, ping and tcpdump are the second opinion on what netwright did; util-linux and coreutils
/// give the tests namespaces of their own and an ordinary user; Docker's Engine and a static busybox
/// for its image are what macvlan networks are compared with, busybox the virtual machines' shell too.
const PROGRAMS: [Needed; 9] = [
    for_all("ip", "iproute2"),
    for_all("bridge", "iproute2"),
    for_all("ping", "iputils-ping"),
    for_all("tcpdump", "tcpdump"),
    for_all("setpriv", "util-linux"),
    for_all("nsenter", "util-linux"),
    for_all("unshare", "util-linux"),
    Needed { program: "dockerd", package: "docker.io", part: Some(Part::Docker) },
    for_all("busybox", "busybox-static"),
];

/// The load that the tests have to bear at night.
const STRESS: Needed = for_all("stress-ng", "stress-ng");

const fn for_all(program: &'static str, package: &'static str) -> Needed {
    Needed { program, package, part: None }
}

/// Leaves the machine able to build and to test what was chosen, or says what is in the way.
pub(crate) fn run(choice: &Choice) -> Result<Toolchain> {
    let toolchain = guest::find_or_install()?;
    match toolchain {
        Toolchain::Own => say("recipes are compiled by this toolchain"),
        Toolchain::Debian => say("recipes are compiled by Debian's rustc and cargo"),
    }
    let chosen = |needed: &&Needed| needed.part.is_none_or(|part| choice.has(part));
    install(PROGRAMS.iter().filter(chosen))?;
    Ok(toolchain)
}

/// What the nights need besides.
pub(crate) fn install_load() -> Result<()> {
    install(std::iter::once(&STRESS))
}

fn install<'a>(programs: impl Iterator<Item = &'a Needed>) -> Result<()> {
    let (present, missing): (Vec<&Needed>, Vec<&Needed>) =
        programs.partition(|needed| is_installed(needed.program));
    if missing.is_empty() {
        let names: Vec<&str> = present.iter().map(|needed| needed.program).collect();
        say(format_args!("present: {}", names.join(", ")));
        return Ok(());
    }
    for needed in &missing {
        say(format_args!("`{}` is missing", needed.program));
    }
    let mut packages: Vec<&str> = missing.iter().map(|needed| needed.package).collect();
    packages.dedup();
    packages::install(&packages, "testing")
}
