//! The test programs, several at a time: most of what they do is to wait, for the kernel and for
//! answers that must not come.

use crate::parts::{Choice, LeftOut, Part};
use crate::program::{build_messages, cargo, output, say, workspace};
use anyhow::{Context, Result, bail};
use netwright_tests::machine::RUN_VARIABLE;
use serde_json::Value;
use std::ffi::OsString;
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How many test programs run at a time, where that is to be another number than the usual one.
const JOBS_VARIABLE: &str = "NETWRIGHT_TEST_JOBS";
/// Of each processor: they wait as well as compute, and each has several threads itself.
const JOBS_PER_PROCESSOR: usize = 1;
/// These begin first, for they take longest, and what is short fills the rest.
const LONGEST: [&str; 10] = [
    "host",
    "scenarios",
    "hostile",
    "halted",
    "recovery",
    "deploy",
    "plan_host",
    "nouns",
    "recipe_build",
    "signals",
];

/// These run last and alone, for they count what an ordinary user has, whom others are as well.
const ALONE: [&str; 1] = ["resources"];

/// A test program, or the tests in documentation.
struct Job {
    name: String,
    command: Command,
}

/// How one ended.
struct Outcome {
    name: String,
    took: Duration,
    passed: bool,
}

/// The program under test, with what tests it.
pub(crate) struct Suite {
    pub(crate) program: PathBuf,
    jobs: Vec<Job>,
    pub(crate) left_out: LeftOut,
}

impl Suite {
    /// Builds all of it by one command: cargo gives a dependency the features that all of a command's
    /// packages want, so that two commands would build wasmtime twice.
    pub(crate) fn build(choice: &Choice) -> Result<Self> {
        let artifacts = build_messages(cargo().args(["test", "--workspace", "--no-run"]))?;
        let made = |tests: bool| {
            artifacts.iter().filter(move |artifact| artifact["profile"]["test"] == tests)
        };
        let program = made(false)
            .filter(|artifact| artifact["target"]["name"] == "netwright")
            .find_map(|artifact| artifact["executable"].as_str())
            .context("cargo built no `netwright`")?;
        let libraries = libraries()?;
        let mut jobs = made(true)
            .filter_map(|artifact| job(artifact, &libraries))
            .collect::<Result<Vec<_>>>()?;
        let mut left_out = LeftOut::default();
        if !choice.has(Part::Docker) {
            for job in jobs.extract_if(.., |job| job.name == "docker") {
                left_out.add(Part::Docker, count(job)?);
            }
        }
        jobs.sort_by_key(|job| {
            LONGEST.iter().position(|name| *name == job.name).unwrap_or(LONGEST.len())
        });
        let mut documentation = cargo();
        documentation.args(["test", "--workspace", "--doc"]);
        jobs.push(Job { name: "documentation".to_owned(), command: documentation });
        Ok(Self { program: PathBuf::from(program), jobs, left_out })
    }

    /// Runs all of it, whatever fails, and shows what each program says once it has ended.
    pub(crate) fn run(self, run: &str) -> Result<()> {
        let (at_a_time, count) = (jobs_at_a_time(), self.jobs.len());
        say(format_args!("{count} test programs, {at_a_time} at a time ({JOBS_VARIABLE})"));
        let next = AtomicUsize::new(0);
        let (alone, together): (Vec<Job>, Vec<Job>) =
            self.jobs.into_iter().partition(|job| ALONE.contains(&job.name.as_str()));
        let jobs: Vec<Mutex<Option<Job>>> =
            together.into_iter().map(|job| Mutex::new(Some(job))).collect();
        let program = &self.program;
        let outcomes = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for _ in 0..at_a_time {
                scope.spawn(|| {
                    while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let job = job.lock().ok().and_then(|mut job| job.take());
                        let Some(job) = job else { continue };
                        let outcome = job.run(program, run);
                        if let Ok(mut outcomes) = outcomes.lock() {
                            outcomes.push(outcome);
                        }
                    }
                });
            }
        });
        let mut outcomes = outcomes.into_inner().unwrap_or_default();
        outcomes.extend(alone.into_iter().map(|job| job.run(program, run)));
        conclude(outcomes)
    }
}

fn jobs_at_a_time() -> usize {
    let set = std::env::var(JOBS_VARIABLE).ok().and_then(|text| text.parse().ok());
    let processors = thread::available_parallelism().map_or(1, usize::from);
    set.unwrap_or(processors * JOBS_PER_PROCESSOR).max(1)
}

/// As cargo runs it: in the folder of its package, with the toolchain's libraries, which tests of
/// procedural macros load. None where there is nothing to run.
fn job(artifact: &Value, libraries: &OsString) -> Option<Result<Job>> {
    let executable = artifact["executable"].as_str()?;
    let manifest = artifact["manifest_path"].as_str().map(Path::new);
    let Some(folder) = manifest.and_then(Path::parent) else {
        return Some(Err(anyhow::anyhow!("cargo names no Cargo.toml of {executable}")));
    };
    let name = artifact["target"]["name"].as_str().unwrap_or(executable).to_owned();
    let mut command = Command::new(executable);
    command.current_dir(folder).env("CARGO_MANIFEST_DIR", folder);
    command.env("LD_LIBRARY_PATH", libraries);
    Some(Ok(Job { name, command }))
}

/// The compiler's own and the target's: toolchains have libstd in the one or in the other.
fn libraries() -> Result<OsString> {
    let asked = |what: &str| {
        let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
        output(rustc.current_dir(workspace()).args(["--print", what]))
    };
    let of_the_compiler = Path::new(&asked("sysroot")?).join("lib");
    Ok(std::env::join_paths([of_the_compiler, asked("target-libdir")?.into()])?)
}

/// How many tests a program has, as it says itself.
fn count(mut job: Job) -> Result<usize> {
    let list = output(job.command.args(["--list", "--format", "terse"]))?;
    Ok(list.lines().filter(|line| line.ends_with(": test")).count())
}

impl Job {
    /// Runs it, and shows all that it says at once.
    fn run(mut self, program: &Path, run: &str) -> Outcome {
        let start = Instant::now();
        self.command.env("NETWRIGHT_BIN", program).env(RUN_VARIABLE, run);
        let (passed, said) = match said_by(&mut self.command) {
            Ok(answer) => answer,
            Err(error) => (false, format!("error: {}: {error:#}\n", self.name).into_bytes()),
        };
        let outcome = Outcome { name: self.name, took: start.elapsed(), passed };
        show(&outcome, &said);
        outcome
    }
}

/// Whether it passed, and all that it said in the order in which it did: both streams are one file.
fn said_by(command: &mut Command) -> Result<(bool, Vec<u8>)> {
    let mut file = tempfile::tempfile().context("no temporary file can be made")?;
    command.stdout(file.try_clone()?).stderr(file.try_clone()?).stdin(std::process::Stdio::null());
    let passed = command.status().context("it did not start")?.success();
    let mut said = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut said)?;
    Ok((passed, said))
}

/// All that a program said, without another one's in between.
fn show(outcome: &Outcome, said: &[u8]) {
    let mut stdout = std::io::stdout().lock();
    let _ = writeln!(stdout, "     Running {}", outcome.name);
    // A reader who went away is no reason to stop: the exit code tells.
    let _ = stdout.write_all(said).and_then(|()| stdout.flush());
}

/// What took longest, and what failed.
fn conclude(mut outcomes: Vec<Outcome>) -> Result<()> {
    outcomes.sort_by_key(|outcome| std::cmp::Reverse(outcome.took));
    let longest = outcomes.iter().take(5);
    let longest = longest.map(|one| format!("{} {} s", one.name, one.took.as_secs()));
    say(format_args!("longest: {}", longest.collect::<Vec<_>>().join(", ")));
    let failed: Vec<&str> =
        outcomes.iter().filter(|one| !one.passed).map(|one| one.name.as_str()).collect();
    if !failed.is_empty() {
        bail!("of {} test programs failed: {}", outcomes.len(), failed.join(", "));
    }
    Ok(())
}
