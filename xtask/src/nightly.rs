//! `cargo xtask nightly`: what is too long for CI, one part after the other, whatever fails: all tests
//! with a stranger's load beside them, and the same once more with the long forms of the trials that CI
//! shortens; the trials of disciplines and neighbours on the second kernel; the soak; each fuzzer for a quarter of an hour. All that is said goes to a log as well,
//! which ends with a summary.

use crate::parts::Choice;
use crate::program::{is_installed, say, shown, workspace};
use crate::setup;
use anyhow::{Context, Result, bail, ensure};
use netwright_tests::machine::NIGHTLY_VARIABLE;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

const LOG: &str = "target/nightly.log";
/// What the tests' machine has to do besides: three times what two processors can.
const LOAD: [&str; 2] = ["--cpu", "6"];
/// Of each fuzzer.
const FUZZ_SECONDS: &str = "900";

/// One of its parts.
struct Part {
    name: &'static str,
    /// of `cargo xtask`
    words: &'static [&'static str],
    /// with the load beside it
    loaded: bool,
}

/// Trials on the second kernel that take too long for each change.
const SECOND: [&str; 7] = [
    "vm-test",
    "queueing::",
    "returning::",
    "bundle::",
    "in_every_noun",
    "every_scenario_changes_in_memory",
    "frames::a_check_is_never",
];

const PARTS: [Part; 5] = [
    Part { name: "stress", words: &["test"], loaded: true },
    Part { name: "long", words: &["test"], loaded: false },
    Part { name: "second", words: &SECOND, loaded: false },
    Part { name: "soak", words: &["soak"], loaded: false },
    Part { name: "fuzz", words: &["fuzz", FUZZ_SECONDS], loaded: false },
];

/// How one ended.
struct Outcome {
    name: &'static str,
    took: Duration,
    passed: bool,
}

/// The parts that are named, or all; `arguments` are for `cargo test`.
pub(crate) fn run(names: &[String], arguments: &[String]) -> Result<()> {
    let known = |name: &String| PARTS.iter().any(|part| part.name == name);
    if let Some(name) = names.iter().find(|name| !known(name)) {
        let all: Vec<&str> = PARTS.iter().map(|part| part.name).collect();
        bail!("nightly has no part `{name}`\n  help: its parts are {}", all.join(", "));
    }
    setup::run(&Choice::default())?;
    setup::install_load()?;
    ensure!(is_installed("stress-ng"), "`stress-ng` is missing after setup");
    let path = workspace().join(LOG);
    let file =
        File::create(&path).with_context(|| format!("{} can't be written", path.display()))?;
    let log = Mutex::new(file);
    let mut outcomes = Vec::new();
    for part in PARTS.iter().filter(|part| names.is_empty() || names.iter().any(|n| n == part.name))
    {
        let more = if part.words == ["test"] { arguments } else { &[] };
        outcomes.push(part.run(more, &log)?);
    }
    conclude(&outcomes, &log, &path)
}

impl Part {
    fn run(&self, arguments: &[String], log: &Mutex<File>) -> Result<Outcome> {
        let _load = self.loaded.then(Load::start).transpose()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(self.words).args(arguments).env(NIGHTLY_VARIABLE, "1");
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        tell(log, &format!("nightly: {}: {}", self.name, shown(&command)));
        let start = Instant::now();
        let mut child = command.spawn().context("this program can't be started again")?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        thread::scope(|scope| {
            scope.spawn(|| stdout.map(|from| pass_on(from, std::io::stdout(), log)));
            scope.spawn(|| stderr.map(|from| pass_on(from, std::io::stderr(), log)));
        });
        let passed = child.wait()?.success();
        Ok(Outcome { name: self.name, took: start.elapsed(), passed })
    }
}

/// To the terminal and to the log, as it comes.
fn pass_on(mut from: impl Read, mut to: impl Write, log: &Mutex<File>) {
    let mut piece = [0; 1 << 14];
    while let Ok(length @ 1..) = from.read(&mut piece) {
        // A terminal that went away is no reason to stop; what counts is in the log.
        let _ = to.write_all(&piece[..length]);
        if let Ok(mut log) = log.lock() {
            let _ = log.write_all(&piece[..length]);
        }
    }
}

fn tell(log: &Mutex<File>, line: &str) {
    say(line);
    if let Ok(mut log) = log.lock() {
        let _ = writeln!(log, "{line}");
    }
}

/// The last lines of the log.
fn conclude(outcomes: &[Outcome], log: &Mutex<File>, path: &Path) -> Result<()> {
    tell(log, "nightly: summary");
    for Outcome { name, took, passed } in outcomes {
        let verdict = if *passed { "passed" } else { "FAILED" };
        tell(log, &format!("nightly: {name}: {verdict} after {} s", took.as_secs()));
    }
    let failed = outcomes.iter().filter(|outcome| !outcome.passed).count();
    let all = outcomes.len();
    tell(log, &format!("nightly: {} of {all} parts passed", all - failed));
    ensure!(failed == 0, "{failed} of {all} parts failed; {} has all of it", path.display());
    Ok(())
}

/// stress-ng(1), until this is dropped.
struct Load(Child);

impl Load {
    fn start() -> Result<Self> {
        let mut command = Command::new("stress-ng");
        command.args(LOAD).stdout(Stdio::null()).stderr(Stdio::null());
        say(format_args!("beside it: {}", shown(&command)));
        Ok(Self(command.spawn().context("stress-ng did not start")?))
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        // By this signal it ends its workers, too.
        let _ = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status();
        let _ = self.0.wait();
    }
}
