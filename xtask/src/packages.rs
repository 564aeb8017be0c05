//! Debian packages: asks whether to install them, and says the command where we may not.

use crate::program::{run, say};
use anyhow::{Result, anyhow, bail};
use std::io::{IsTerminal as _, Write as _, stderr, stdin};
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::Command;

/// Installs packages with apt-get, for `purpose`, once somebody has agreed to it. Needs root; without
/// it, or without apt-get, the error names what to do by hand.
pub(crate) fn install(packages: &[&str], purpose: &str) -> Result<()> {
    let list = packages.join(" ");
    if !crate::program::is_installed("apt-get") {
        bail!(
            "{purpose} needs the packages {list} of Debian, and there is no apt-get here\n  \
             help: install what they hold with this machine's own package manager"
        );
    }
    if !is_root()? {
        bail!(
            "{purpose} needs packages that only root can install\n  \
             help: sudo apt-get install {list}"
        );
    }
    if !agreed(&list, purpose) {
        bail!(
            "{purpose} needs packages that are not installed\n  \
             help: apt-get install {list}; or do without a part of the tests: --without docker,vm"
        );
    }
    say(format_args!("installing {list}: {purpose}"));
    let _quiet = NoServices::begin();
    if run(&mut apt_get_install(packages)).is_ok() {
        return Ok(());
    }
    say("the package lists may be old or missing: fetching them and trying once more");
    run(Command::new("apt-get").args(["update", "--quiet"]))?;
    run(&mut apt_get_install(packages)).map_err(|error| {
        anyhow!(
            "{purpose} needs the packages {list}: {error}\n  \
             help: make a mirror of Debian reachable, or install them by hand"
        )
    })
}

/// Whoever is there is asked. Nobody is where DEBIAN_FRONTEND says so, debconf(7); a script that
/// doesn't say it has not agreed to anything.
fn agreed(list: &str, purpose: &str) -> bool {
    let unattended = std::env::var_os("DEBIAN_FRONTEND").is_some_and(|it| it == "noninteractive");
    if unattended || !stdin().is_terminal() {
        return unattended;
    }
    eprint!(
        "xtask: {purpose} needs {list}. Install with apt-get, without starting services? [y/N] "
    );
    let mut answer = String::new();
    let read = stderr().flush().and_then(|()| stdin().read_line(&mut answer));
    read.is_ok() && matches!(answer.trim(), "y" | "Y" | "yes")
}

fn apt_get_install(packages: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command.args(["install", "--quiet", "--yes", "--no-install-recommends"]).args(packages);
    command
}

/// The real question is whether apt-get may write; its answer is the effective user.
fn is_root() -> Result<bool> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:")).unwrap_or_default();
    Ok(line.split_whitespace().nth(1) == Some("0"))
}

/// Asked by Debian's packages before they start a service, invoke-rc.d(8).
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// While this lives, packages start no services: Docker's would alter the machine's network.
struct NoServices(bool);

impl NoServices {
    /// A policy that is there already stays as it is.
    fn begin() -> Self {
        let text = "#!/bin/sh\nexit 101\n";
        let mut file = std::fs::OpenOptions::new();
        let file = file.write(true).create_new(true).mode(0o755).open(POLICY);
        Self(file.is_ok_and(|mut file| file.write_all(text.as_bytes()).is_ok()))
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if self.0 {
            // Whoever removed it before wanted it gone as well.
            let _ = std::fs::remove_file(POLICY);
        }
    }
}
