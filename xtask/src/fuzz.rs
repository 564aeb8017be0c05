//! `cargo xtask fuzz`: each fuzzer of tests/fuzz from its kept corpus for a while, and how often it
//! ran. What a fuzzer finds on its way stays below target/fuzz; nothing of the repository changes.

use crate::guest;
use crate::program::{cargo, in_workspace, is_installed, output, run, say, workspace};
use crate::recipes;
use crate::tool::Tool;
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::thread;

const FUZZ: Tool = Tool { name: "fuzz", version: "0.13.2", purpose: "building the fuzzers" };

const FOLDER: &str = "tests/fuzz";
/// Below the workspace: what is built, what is found.
const BUILT: &str = "target/fuzz";
const LINTED: &str = "target/fuzz-clippy";
/// Seconds that rustup may take to fetch a toolchain.
const RUSTUP_PATIENCE: &str = "300";
/// Seconds that one input may take, on a machine that does other things as well.
const SLOWEST: &str = "-timeout=25";

/// What came of one fuzzer.
#[derive(Clone)]
struct Outcome {
    target: String,
    /// how many inputs were tried, in libFuzzer's own count
    executions: Option<u64>,
    /// inputs that reached something new
    found: Option<u64>,
    /// the input that it failed for, and what it said
    failed: Option<(Option<PathBuf>, String)>,
}

/// All fuzzers, or those whose names hold one of `names`, for so many seconds each.
pub(crate) fn run_all(seconds: u32, names: &[String]) -> Result<()> {
    let targets: Vec<String> = targets()?
        .into_iter()
        .filter(|target| names.is_empty() || names.iter().any(|name| target.contains(name)))
        .collect();
    ensure!(!targets.is_empty(), "no fuzzer's name holds {}", names.join(" or "));
    // The runner embeds them.
    recipes::build(&guest::find_or_install()?)?;
    FUZZ.find_or_install()?;
    let folder = build()?;
    let outcomes = fuzz_all(&folder, targets, seconds)?;
    report(&folder, &outcomes)
}

/// One fuzzer a processor at a time, for each has one thread.
fn fuzz_all(folder: &Path, targets: Vec<String>, seconds: u32) -> Result<Vec<Outcome>> {
    let workers = thread::available_parallelism().map_or(1, usize::from).min(targets.len());
    let waiting = Mutex::new(targets.into_iter());
    let next = || waiting.lock().ok().and_then(|mut targets| targets.next());
    let work = || {
        let mut outcomes = Vec::new();
        while let Some(target) = next() {
            say(format_args!("{target}: {seconds} s"));
            outcomes.push(fuzz(folder, target, seconds)?);
        }
        Ok(outcomes)
    };
    let mut outcomes = thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        let ended = workers
            .into_iter()
            .map(|one| one.join().unwrap_or_else(|_| bail!("a worker panicked")));
        ended.collect::<Result<Vec<_>>>()
    })?
    .concat();
    outcomes.sort_by(|one, other| one.target.cmp(&other.target));
    Ok(outcomes)
}

/// Clippy for the fuzzers, of which the workspace's own knows nothing, as cargo-fuzz builds them.
pub(crate) fn lint() -> Result<()> {
    let mut command = cargo();
    command.env("RUSTFLAGS", "--cfg fuzzing").args(["clippy", "--all-targets"]);
    command.args(["--manifest-path", "tests/fuzz/Cargo.toml", "--target-dir", LINTED]);
    run(command.args(["--", "-D", "warnings"]))
}

/// The fuzzers are the files in fuzz_targets.
fn targets() -> Result<Vec<String>> {
    let folder = workspace().join(FOLDER).join("fuzz_targets");
    let entries = fs::read_dir(&folder).with_context(|| format!("`{}`", folder.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry?.path().file_stem().map(|stem| stem.to_string_lossy().into_owned()));
    }
    names.sort();
    Ok(names)
}

/// Builds all of them; the folder that they are in.
///
/// Without AddressSanitizer: nearly all of what is fuzzed is safe Rust, for which it finds nothing
/// and takes half of the executions. Overflowing sums and failed assertions are found either way.
fn build() -> Result<PathBuf> {
    let arguments = ["fuzz", "build", "--sanitizer", "none", "--fuzz-dir", FOLDER];
    let mut command = compiler();
    command.args(arguments).args(["--target-dir", BUILT]);
    run(&mut command)?;
    let version = output(cargo().arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.context("cargo does not say which machine this is")?;
    Ok(workspace().join(BUILT).join(host).join("release"))
}

/// The nightly toolchain's cargo, which cargo-fuzz is made for. A stable one instruments alike
/// where no sanitizer is asked for.
fn compiler() -> Command {
    if has_nightly() || (is_installed("rustup") && install_nightly()) {
        let mut command = in_workspace("rustup");
        command.args(["run", "nightly", "cargo"]).env_remove("RUSTUP_TOOLCHAIN");
        // Set by the cargo that started us, for its own toolchain.
        command.env_remove("CARGO").env_remove("RUSTC");
        return command;
    }
    say("there is no nightly toolchain here: the fuzzers are built by the one in use");
    cargo()
}

fn has_nightly() -> bool {
    output(in_workspace("rustup").args(["run", "nightly", "cargo", "--version"])).is_ok()
}

fn install_nightly() -> bool {
    say("installing the nightly toolchain, for cargo-fuzz");
    let mut rustup = in_workspace("timeout");
    rustup.args([RUSTUP_PATIENCE, "rustup", "toolchain", "install", "nightly"]);
    rustup.args(["--profile", "minimal", "--no-self-update"]);
    match run(&mut rustup) {
        Ok(()) => has_nightly(),
        Err(error) => {
            say(format_args!("rustup can't: {error:#}"));
            false
        }
    }
}

fn fuzz(folder: &Path, target: String, seconds: u32) -> Result<Outcome> {
    let place = workspace().join(BUILT);
    let grown = place.join("corpus").join(&target);
    let artifacts = place.join("artifacts").join(&target);
    for folder in [&grown, &artifacts] {
        fs::create_dir_all(folder).with_context(|| format!("`{}`", folder.display()))?;
    }
    let mut command = in_workspace(folder.join(&target));
    // New inputs go to the first folder; from both it starts.
    command.arg(&grown).arg(workspace().join(FOLDER).join("corpus").join(&target));
    command.arg(format!("-max_total_time={seconds}")).args(["-print_final_stats=1", SLOWEST]);
    command.arg(format!("-artifact_prefix={}/", artifacts.display()));
    let dictionary = workspace().join(FOLDER).join("dictionaries").join(format!("{target}.dict"));
    if dictionary.is_file() {
        command.arg(format!("-dict={}", dictionary.display()));
    }
    let output = command.output().with_context(|| format!("fuzzer `{target}` did not start"))?;
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    Ok(Outcome {
        executions: statistic(&words, "number_of_executed_units"),
        found: statistic(&words, "new_units_added"),
        failed: (!output.status.success()).then(|| (reproducer(&words), said(&words))),
        target,
    })
}

/// Of libFuzzer's final statistics.
fn statistic(words: &str, name: &str) -> Option<u64> {
    let start = format!("stat::{name}:");
    let value = words.lines().find_map(|line| line.strip_prefix(&start));
    value.and_then(|value| value.trim().parse().ok())
}

fn reproducer(words: &str) -> Option<PathBuf> {
    let after = |line: &str| Some(PathBuf::from(line.split_once("Test unit written to ")?.1));
    words.lines().find_map(after)
}

/// What it said of its failure: from the panic on, without the tables that libFuzzer adds.
fn said(words: &str) -> String {
    let begins = |line: &&str| line.contains("panicked at") || line.contains("ERROR: ");
    let lines = words.lines().skip_while(|line| !begins(line));
    lines.take(8).map(|line| format!("  {line}\n")).collect()
}

fn report(folder: &Path, outcomes: &[Outcome]) -> Result<()> {
    println!("| fuzzer | executions | new inputs | |\n|---|---|---|---|");
    let number = |number: Option<u64>| number.map_or_else(|| "?".to_owned(), |n| n.to_string());
    for Outcome { target, executions, found, failed } in outcomes {
        let verdict = if failed.is_some() { "FAILED" } else { "held" };
        println!("| {target} | {} | {} | {verdict} |", number(*executions), number(*found));
    }
    let mut failures = Vec::new();
    for Outcome { target, failed, .. } in outcomes {
        let Some((input, said)) = failed else { continue };
        let input = input.as_ref().map_or_else(String::new, |path| path.display().to_string());
        let program = folder.join(target);
        failures.push(format!(
            "fuzzer `{target}` failed for `{input}`\n{said}  help: {} {input}",
            program.display()
        ));
    }
    match failures.is_empty() {
        true => Ok(()),
        false => bail!("{}", failures.join("\nerror: ")),
    }
}

#[cfg(test)]
mod tests {
    use super::{reproducer, said, statistic};
    use std::path::Path;

    const OUTPUT: &str = "INFO: seed corpus: files: 3\n\
        thread '<unnamed>' panicked at src/lib.rs:3:5:\nattempt to multiply with overflow\n\
        artifact_prefix='/w/'; Test unit written to /w/crash-0a\n\
        stat::number_of_executed_units: 12345\nstat::new_units_added:          7\n";

    #[test]
    fn the_final_statistics_are_read() {
        assert_eq!(statistic(OUTPUT, "number_of_executed_units"), Some(12345));
        assert_eq!(statistic(OUTPUT, "new_units_added"), Some(7));
        assert_eq!(statistic(OUTPUT, "peak_rss_mb"), None);
    }

    #[test]
    fn a_failure_names_its_input_and_its_panic() {
        assert_eq!(reproducer(OUTPUT).as_deref(), Some(Path::new("/w/crash-0a")));
        assert!(said(OUTPUT).starts_with("  thread '<unnamed>' panicked at src/lib.rs:3:5:\n"));
        assert_eq!(reproducer("stat::peak_rss_mb: 1"), None);
    }
}
