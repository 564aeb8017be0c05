//! One hostile component: what it is, how it is run, and how the run must end.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use netwright_tests::{Output, Session};

use crate::canary::Canary;

/// Beyond a recipe's own memory limit the runner may hold so much.
const OWN_MEMORY_KIB: u64 = 64 << 10;

/// After its limit a run may go on for so long.
const GRACE: Duration = Duration::from_secs(2);

/// A machine that is busy elsewhere may delay one run, but hardly three of them.
const ATTEMPTS: usize = 3;

/// Characters without a shape, and such that turn the direction of others.
const HIDDEN: [char; 5] = ['\u{200b}', '\u{2028}', '\u{202a}', '\u{202e}', '\u{feff}'];

/// What is in the text of every guest that tries to be taken for the runner.
pub(crate) const FORGED: &str = "FORGED";

/// A component with what must become of it.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    component: Vec<u8>,
    params: String,
    limits: &'static str,
    flags: Vec<&'static str>,
    /// how long it may run before a limit stops it
    until: Duration,
    /// MiB of linear memory that it may have
    memory: u64,
    code: i32,
    says: &'static str,
    /// its verdict isn't shown
    quiet: bool,
}

impl Row {
    /// A component that must end with this code, and with this on its standard error.
    pub(crate) fn new(
        name: &'static str,
        component: Vec<u8>,
        code: i32,
        says: &'static str,
    ) -> Self {
        Self {
            name,
            component,
            params: String::new(),
            limits: "time: 20s",
            flags: Vec::new(),
            until: Duration::ZERO,
            memory: 64,
            code,
            says,
            quiet: false,
        }
    }

    /// The recipe of the test tree that is hostile in the way of this name.
    pub(crate) fn in_rust(how: &'static str, code: i32, says: &'static str) -> Self {
        let file = netwright_tests::workspace().join("target/recipes/components/hostile.wasm");
        let component = fs::read(file).expect("`cargo xtask recipes` built it");
        Self { params: format!("how: {how}"), ..Self::new(how, component, code, says) }
    }

    /// Other limits than the usual ones, in the words of a scenario.
    pub(crate) fn limits(self, limits: &'static str) -> Self {
        Self { limits, ..self }
    }

    /// It goes on until its time is over.
    pub(crate) fn takes_a_second(self) -> Self {
        Self { limits: "time: 1s", until: Duration::from_secs(1), ..self }
    }

    /// It comes to its limit after so many seconds of work, in a runner that isn't optimised.
    pub(crate) fn works_for(self, seconds: u64) -> Self {
        Self { until: Duration::from_secs(seconds), ..self }
    }

    /// Its memory limit in MiB.
    pub(crate) fn memory(self, limits: &'static str, memory: u64) -> Self {
        Self { limits, memory, ..self }
    }

    pub(crate) fn flags(self, flags: &[&'static str]) -> Self {
        Self { flags: flags.to_vec(), ..self }
    }

    pub(crate) fn code(self, code: i32) -> Self {
        Self { code, ..self }
    }

    /// Nothing but complaints is shown.
    pub(crate) fn quiet(self) -> Self {
        Self { quiet: true, ..self }
    }

    fn scenario(&self) -> String {
        let Self { params, limits, .. } = self;
        format!(
            "name: hostile\nsteps:\n  - name: step\n    recipe: ./hostile.wasm\n    params: {{ {params} }}\nlimits: {{ {limits} }}\n"
        )
    }
}

/// How a run went.
struct Ended {
    output: Output,
    took: Duration,
    peak_kib: u64,
}

/// Runs every row beside a well-behaved neighbour; all that is wrong is told at the end.
#[track_caller]
pub(crate) fn hold(rows: &[Row]) {
    let canary = Canary::new();
    let before = canary.dump();
    let mut wrong = Vec::new();
    let neighbour = canary.beside_a_neighbour(|| {
        let usual = canary.usual_time();
        for row in rows {
            let mut found = row.faults(&canary, usual);
            let now = canary.dump();
            if now != before {
                let pairs = before.lines().zip(now.lines());
                let first = pairs.into_iter().find(|(before, now)| before != now);
                found.push(format!("the canary is not what it was: {first:?}"));
            }
            wrong.extend(found.iter().map(|fault| format!("{}: {fault}", row.name)));
        }
    });
    wrong.extend(neighbour);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

impl Row {
    fn faults(&self, canary: &Canary, usual: Duration) -> Vec<String> {
        let most = usual + self.until + netwright_tests::machine::patience(GRACE);
        let mut ended = self.run(canary);
        for _ in 1..ATTEMPTS {
            if ended.took > most {
                ended = self.run(canary);
            }
        }
        let Ended { output, took, peak_kib } = &ended;
        let mut faults = self.pretences(output);
        if output.code != self.code || !output.stderr.contains(self.says) {
            let (code, says) = (self.code, self.says);
            faults.push(format!("expected code {code} and `{says}`"));
        }
        if *took > most {
            faults.push(format!("it took {took:?}; {most:?} are allowed"));
        }
        let allowed = (self.memory << 10) + OWN_MEMORY_KIB;
        if *peak_kib > allowed {
            faults.push(format!("the runner held {peak_kib} KiB; {allowed} are allowed"));
        }
        if !faults.is_empty() {
            faults.push(shown(output));
        }
        if std::env::var_os("NETWRIGHT_SHOW_ROWS").is_some() {
            eprintln!("{}: {took:?}, {peak_kib} KiB, {}", self.name, shown(output));
        }
        faults
    }

    /// What in an output could be taken for the runner's own word, or would move a terminal's cursor.
    fn pretences(&self, output: &Output) -> Vec<String> {
        let mut found = Vec::new();
        for (name, text) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
            let raw = |c: &char| (c.is_control() && *c != '\n') || HIDDEN.contains(c);
            if let Some(raw) = text.chars().find(raw) {
                found.push(format!("{name} holds a raw {raw:?}"));
            }
            let forged = |line: &&str| line.starts_with(FORGED);
            found.extend(
                text.lines().find(forged).map(|line| format!("{name} begins a line: {line}")),
            );
        }
        let all = || output.stdout.lines().chain(output.stderr.lines());
        let verdicts = all().filter(|line| line.starts_with("passed: ")).count();
        if verdicts != usize::from(output.code == 0 && !self.quiet) {
            found.push(format!("{verdicts} verdicts say `passed`"));
        }
        if output.stderr.contains("panicked at runner") || output.code > 128 {
            found.push("the runner itself broke".to_owned());
        }
        found
    }

    fn run(&self, canary: &Canary) -> Ended {
        let session = canary.session();
        session.file("hostile.wasm", &self.component);
        let scenario = session.file("hostile.yaml", self.scenario());
        let mut words = vec!["run".as_ref(), scenario.as_os_str()];
        words.extend(self.flags.iter().map(std::ffi::OsStr::new));
        measured(canary, session, &session.command(words))
    }
}

/// Runs the program inside the canary, with its peak of memory.
fn measured(canary: &Canary, session: &Session, program: &Command) -> Ended {
    let peak = session.path("peak");
    let mut command = Command::new(env!("CARGO_BIN_EXE_peak"));
    command.arg(&peak).arg(program.get_program()).args(program.get_args());
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    // As on a terminal, where escape sequences are not taken out.
    command.env("CLICOLOR_FORCE", "1");
    let mut command = canary.host().command(&command);
    let started = Instant::now();
    let output = command.output().expect("nsenter is installed: cargo xtask setup");
    let took = started.elapsed();
    let peak_kib = fs::read_to_string(&peak).ok().and_then(|text| text.parse().ok());
    let mut output = Output::from(output);
    output.stdout = without_colours(&output.stdout);
    output.stderr = without_colours(&output.stderr);
    Ended { peak_kib: peak_kib.unwrap_or_else(|| panic!("{output:#?}")), output, took }
}

/// Without the runner's own colours: ECMA-48 section 8.3.117, SGR.
fn without_colours(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut parts = text.split("\u{1b}[");
    plain.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
        match rest.strip_prefix('m') {
            Some(rest) => plain.push_str(rest),
            None => plain.extend(["\u{1b}[", part]),
        }
    }
    plain
}

/// Enough of an output to see what it was.
fn shown(output: &Output) -> String {
    let cut = |text: &str| text.chars().take(1500).collect::<String>();
    format!(
        "code {}\n--- stdout\n{}\n--- stderr\n{}",
        output.code,
        cut(&output.stdout),
        cut(&output.stderr)
    )
}
