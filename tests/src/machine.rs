//! The machine's state, to compare before and after: tests may leave nothing behind.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::hint;
use std::io;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

/// Handed down to every process of a test run, by which its stragglers are found.
pub const RUN_VARIABLE: &str = "NETWRIGHT_TEST_RUN";

/// Set where trials may take hours.
pub const NIGHTLY_VARIABLE: &str = "NETWRIGHT_NIGHTLY";

/// How often something is tried: so often where a change waits for the answer, so often at night.
pub fn times(usual: usize, nightly: usize) -> usize {
    if std::env::var_os(NIGHTLY_VARIABLE).is_some() { nightly } else { usual }
}

/// The kernel takes namespaces apart after their last user has gone, up to a second later.
const PATIENCE: Duration = Duration::from_secs(3);

/// Rounds of [`labour`], and how long they take where nothing else runs.
const ROUNDS: u64 = 2_000_000;
const IDLE: Duration = Duration::from_millis(40);

/// A time that is enough on an idle machine, grown by as much as this one is slower or busier: what a
/// test waits for at most, and the time that it gives a run whose limit it isn't about.
pub fn patience(idle: Duration) -> Duration {
    idle.mul_f64(slowness().max(business()))
}

/// By how much this process computes slower than an idle machine does; measured once.
fn slowness() -> f64 {
    static MEASURED: OnceLock<f64> = OnceLock::new();
    *MEASURED.get_or_init(|| {
        let start = Instant::now();
        hint::black_box(labour(hint::black_box(ROUNDS)));
        start.elapsed().div_duration_f64(IDLE).clamp(1.0, 20.0)
    })
}

fn labour(rounds: u64) -> u64 {
    (0..rounds).fold(1, |all, round| all.rotate_left(5) ^ round.wrapping_mul(0x9e37_79b9))
}

/// How many processes want each of its processors (proc(5), loadavg): now, for that changes.
fn business() -> f64 {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or(1.0_f64);
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    // A second processor's work is not this one's alone: locks of the kernel's are everybody's.
    (2.0 * load / processors as f64).clamp(1.0, 20.0)
}

/// Links, addresses, routes, rules, named namespaces, tap devices, mounts and root's kept labs, as
/// seen from here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// entries by what they are
    sections: BTreeMap<&'static str, BTreeSet<String>>,
}

impl Machine {
    /// Asks iproute2 and the file system; fails where `ip` is missing.
    pub fn now() -> io::Result<Self> {
        let mounts = fs::read_to_string("/proc/self/mounts")?;
        let sections = BTreeMap::from([
            ("link", listed(&["link", "show"])?),
            ("address", listed(&["address", "show"])?),
            ("route", listed(&["-4", "route", "show", "table", "all"])?),
            ("IPv6 route", listed(&["-6", "route", "show", "table", "all"])?),
            ("rule", listed(&["-4", "rule", "show"])?),
            ("IPv6 rule", listed(&["-6", "rule", "show"])?),
            ("named namespace", names_in("/run/netns", "")?),
            ("tap device", names_in("/dev", "tap")?),
            ("kept lab", names_in("/run/netwright/labs", "")?),
            ("mount", mounts.lines().map(str::to_owned).collect()),
        ]);
        Ok(Self { sections })
    }

    /// What differs in `later`, one line each.
    pub fn differences(&self, later: &Self) -> Vec<String> {
        let mut differences = Vec::new();
        for (what, before) in &self.sections {
            let after = &later.sections[what];
            differences.extend(after.difference(before).map(|new| format!("new {what} {new}")));
            differences.extend(before.difference(after).map(|old| format!("lost {what} {old}")));
        }
        differences
    }

    /// What differs now, once the kernel has had its time to clean up.
    pub fn differences_that_stay(&self) -> Vec<String> {
        until_empty(|| match Self::now() {
            Ok(later) => self.differences(&later),
            Err(error) => vec![format!("the machine can't be read any more: {error}")],
        })
    }
}

/// What `ip -j` lists, one entry each, without what changes by itself: remaining lifetimes.
fn listed(words: &[&str]) -> io::Result<BTreeSet<String>> {
    let output = Command::new("ip").arg("-j").args(words).output()?;
    let failed = |message: String| io::Error::other(format!("ip {}: {message}", words.join(" ")));
    if !output.status.success() {
        return Err(failed(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    if output.stdout.trim_ascii().is_empty() {
        return Ok(BTreeSet::new());
    }
    let mut list: Vec<Value> =
        serde_json::from_slice(&output.stdout).map_err(|error| failed(error.to_string()))?;
    list.iter_mut().for_each(forget_lifetimes);
    Ok(list.iter().map(Value::to_string).collect())
}

fn forget_lifetimes(value: &mut Value) {
    if let Value::Object(entries) = value {
        for name in ["valid_life_time", "preferred_life_time", "expires"] {
            entries.remove(name);
        }
        entries.values_mut().for_each(forget_lifetimes);
    } else if let Value::Array(values) = value {
        values.iter_mut().for_each(forget_lifetimes);
    }
}

/// A folder that does not exist, or is not ours to read, holds nothing of ours.
fn names_in(folder: &str, prefix: &str) -> io::Result<BTreeSet<String>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            return match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => Ok(BTreeSet::new()),
                _ => Err(error),
            };
        }
    };
    let mut names = BTreeSet::new();
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.starts_with(prefix) {
            names.insert(name);
        }
    }
    Ok(names)
}

/// One run of the tests, known by a name that its processes carry in their environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    name: String,
}

impl Run {
    /// A run with a name of its own.
    pub fn new() -> Self {
        let moment = std::time::UNIX_EPOCH.elapsed().unwrap_or_default().as_nanos();
        Self { name: format!("netwright-tests-{}-{moment:x}", std::process::id()) }
    }

    /// The run that this process belongs to; outside of one, a name without a run.
    pub fn of_environment() -> Self {
        let name = std::env::var(RUN_VARIABLE);
        Self { name: name.unwrap_or_else(|_| "netwright-tests".to_owned()) }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Processes of this run, or of the program under test, that still live once they have had
    /// their time to end.
    pub fn processes_that_stay(&self, program: &Path) -> Vec<String> {
        until_empty(|| self.processes(program))
    }

    fn processes(&self, program: &Path) -> Vec<String> {
        let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
        let folders = entries.flatten().map(|entry| entry.path());
        folders.filter(|folder| self.owns(folder, program)).map(describe).collect()
    }

    /// By its environment, or, where it cleared that, by the program that it runs. A process that
    /// has ended meanwhile has neither.
    fn owns(&self, folder: &Path, program: &Path) -> bool {
        let holds =
            |text: &[u8]| text.windows(self.name.len()).any(|part| part == self.name.as_bytes());
        let itself = fs::canonicalize("/proc/self").is_ok_and(|own| own == folder);
        let marked = || fs::read(folder.join("environ")).is_ok_and(|text| holds(&text));
        let runs_it = || {
            fs::read_link(folder.join("exe"))
                .is_ok_and(|file| file == program || holds(file.as_os_str().as_encoded_bytes()))
        };
        !itself && (marked() || runs_it())
    }
}

impl Default for Run {
    fn default() -> Self {
        Self::new()
    }
}

fn describe(folder: PathBuf) -> String {
    let command = fs::read(folder.join("cmdline")).unwrap_or_default();
    let command = String::from_utf8_lossy(&command).replace('\0', " ");
    let number = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    format!("process {number} {}", command.trim_end())
}

/// The last answer, or an empty one as soon as there is one.
pub fn until_empty(mut ask: impl FnMut() -> Vec<String>) -> Vec<String> {
    let start = Instant::now();
    loop {
        let answer = ask();
        if answer.is_empty() || start.elapsed() > patience(PATIENCE) {
            return answer;
        }
        thread::sleep(Duration::from_millis(50));
    }
}

#[cfg(test)]
mod tests {
    use super::{Machine, PATIENCE, RUN_VARIABLE, Run, labour, patience};
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::Path;
    use std::process::Command;
    use std::time::{Duration, Instant};

    fn machine(links: &[&str]) -> Machine {
        let links: BTreeSet<String> = links.iter().map(|&name| name.to_owned()).collect();
        Machine { sections: BTreeMap::from([("link", links)]) }
    }

    #[test]
    fn what_came_and_what_went_is_named() {
        let before = machine(&["lo", "eth0"]);
        let after = machine(&["lo", "mac1"]);
        assert_eq!(before.differences(&after), ["new link mac1", "lost link eth0"]);
        assert_eq!(before.differences(&before), [""; 0]);
    }

    #[test]
    fn patience_is_never_less_than_what_an_idle_machine_needs() {
        let second = Duration::from_secs(1);
        assert!(patience(second) >= second && patience(second) <= 20 * second);
        assert_ne!(labour(3), labour(4));
    }

    #[test]
    fn a_machine_that_nobody_touches_is_the_same_twice() {
        let before = Machine::now().expect("iproute2 is installed");
        assert!(before.sections["link"].iter().any(|link| link.contains("LOOPBACK")));
        assert_eq!(before.differences_that_stay(), [""; 0]);
    }

    #[test]
    fn a_process_that_outlives_its_run_is_found() {
        let run = Run::new();
        let nothing = Path::new("/nonexistent/netwright");
        assert_eq!(run.processes(nothing), [""; 0]);
        let mut sleeper = Command::new("sleep")
            .arg("60")
            .env(RUN_VARIABLE, run.name())
            .spawn()
            .expect("sleep is installed");
        let expected = format!("process {} sleep 60", sleeper.id());
        // Its environment can be read once exec(2) has put it there.
        let start = Instant::now();
        while run.processes(nothing).is_empty() && start.elapsed() < PATIENCE {
            std::thread::yield_now();
        }
        assert_eq!(run.processes(nothing), [expected]);
        sleeper.kill().expect("it is ours");
        sleeper.wait().expect("it was killed");
        assert_eq!(run.processes_that_stay(nothing), [""; 0]);
    }
}
