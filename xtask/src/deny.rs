//! `cargo xtask deny`: licences, sources, duplicates and known flaws of all that is built in.

use crate::program::{cargo, in_workspace, run, say, shown};
use crate::tool::Tool;
use anyhow::{Context, Result, bail};

const DENY: Tool =
    Tool { name: "deny", version: "0.20.2", purpose: "looking at dependencies and their licences" };

/// The fuzzers are a workspace of their own.
const WORKSPACES: [&str; 2] = ["Cargo.toml", "tests/fuzz/Cargo.toml"];
/// Seconds that fetching the advisories may take; where there is a network it needs few.
const PATIENCE: &str = "120";

pub(crate) fn check() -> Result<()> {
    DENY.find_or_install()?;
    for manifest in WORKSPACES {
        // An exception of deny.toml can be of one workspace alone.
        let what = ["check", "--allow", "unmatched-skip", "licenses", "sources", "bans"];
        run(cargo().args(["deny", "--manifest-path", manifest]).args(what))?;
    }
    WORKSPACES.iter().try_for_each(|manifest| advisories(manifest))
}

/// The database of advisories is fetched each time, for one of yesterday knows nothing of today.
/// Where it can't be, that is said, and all the rest still counts.
fn advisories(manifest: &str) -> Result<()> {
    let mut command = in_workspace("timeout");
    let cargo = cargo();
    command.arg(PATIENCE).arg(cargo.get_program());
    command.args(["deny", "--manifest-path", manifest, "check", "advisories"]);
    let shown = shown(&command);
    say(format_args!("$ {shown}"));
    let output = command.output().with_context(|| format!("`{shown}` did not start"))?;
    if output.status.success() {
        say(format_args!("no advisory is known for what {manifest} builds with"));
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    if is_out_of_reach(output.status.code(), &words) {
        say(format_args!(
            "NOT CHECKED for {manifest}: advisories, for their database can't be fetched from here"
        ));
        return Ok(());
    }
    bail!("`{shown}` failed: {}\n{}", output.status, words.trim_end())
}

/// Whether it was the fetching that failed; timeout(1) ends with 124 what takes too long.
fn is_out_of_reach(code: Option<i32>, words: &str) -> bool {
    code == Some(124) || words.contains("failed to fetch advisory database")
}

#[cfg(test)]
mod tests {
    use super::is_out_of_reach;

    #[test]
    fn an_advisory_that_was_found_is_no_missing_network() {
        let words = "failed to fetch advisory database: Could not resolve host";
        assert!(is_out_of_reach(Some(1), words));
        assert!(is_out_of_reach(Some(124), ""));
        assert!(!is_out_of_reach(Some(1), "error[vulnerability]: a buffer overflow"));
        assert!(!is_out_of_reach(Some(2), "error: failed to parse deny.toml"));
    }
}
