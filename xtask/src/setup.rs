//! `cargo xtask setup`: installs what is missing to build netwright and to test it.

use crate::guest;
use crate::packages;
use crate::program::{is_installed, say};
use anyhow::Result;
use netwright_building::Toolchain;

/// A program that the tests call, and the Debian package that it comes in.
struct Needed {
    program: &'static str,
    package: &'static str,
}

/// iproute2, ping and tcpdump are the second opinion on what netwright did; util-linux and coreutils
/// give the tests namespaces of their own and an ordinary user; Docker's Engine and a static busybox
/// for its image are what macvlan networks are compared with; stress-ng is the load that the tests have
/// to bear at night.
const PROGRAMS: [Needed; 10] = [
    Needed { program: "ip", package: "iproute2" },
    Needed { program: "bridge", package: "iproute2" },
    Needed { program: "ping", package: "iputils-ping" },
    Needed { program: "tcpdump", package: "tcpdump" },
    Needed { program: "setpriv", package: "util-linux" },
    Needed { program: "nsenter", package: "util-linux" },
    Needed { program: "unshare", package: "util-linux" },
    Needed { program: "dockerd", package: "docker.io" },
    Needed { program: "busybox", package: "busybox-static" },
    Needed { program: "stress-ng", package: "stress-ng" },
];

/// Leaves the machine able to build and test, or says what is in the way.
pub(crate) fn run() -> Result<Toolchain> {
    let toolchain = guest::find_or_install()?;
    match toolchain {
        Toolchain::Own => say("recipes are compiled by this toolchain"),
        Toolchain::Debian => say("recipes are compiled by Debian's rustc and cargo"),
    }
    install_programs()?;
    Ok(toolchain)
}

fn install_programs() -> Result<()> {
    let missing: Vec<&Needed> =
        PROGRAMS.iter().filter(|needed| !is_installed(needed.program)).collect();
    if missing.is_empty() {
        say(
            "ip, bridge, ping, tcpdump, setpriv, nsenter, unshare, dockerd, busybox and stress-ng are there",
        );
        return Ok(());
    }
    for needed in &missing {
        say(format_args!("`{}` is missing", needed.program));
    }
    let mut packages: Vec<&str> = missing.iter().map(|needed| needed.package).collect();
    packages.dedup();
    packages::install(&packages, "testing")
}
