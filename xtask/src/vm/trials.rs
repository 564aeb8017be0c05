//! Which tests run on the second and on the third kernel, and whether all of them did.

use super::image::Image;
use super::programs;
use crate::program::{build_messages, cargo, output};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The test programs that run on both kernels, by their names in cargo, with the parts of names
/// that a trial must have one of to run on the second kernel when no filter is given; all of them
/// where there are none. They begin in this order, two at a time, so that the long trials come
/// first, and what is short fills the rest.
const PROGRAMS: [(&str, &[&str]); 10] = [
    ("plan_host", &["every_plan_of_the_host"]),
    ("deploy", &["every_plan_agrees_with_its_run"]),
    ("scenarios", &["vlans::", "tunnels::"]),
    ("kernel", &[]),
    (
        "host",
        &[
            "uplink::a_lab_is_joined_by_every_kind",
            "place::",
            "upper::",
            "vrf::",
            "taken::",
            "frames::no_child_gets_the_mac_address_of_a_bond",
            "frames::an_ipvlan",
            "returning::a_port_of_a_bond",
        ],
    ),
    ("impairments", &[]),
    ("nouns", &[AT_NIGHT]),
    ("memory", &[AT_NIGHT]),
    ("drift", &["a_bond_that_failed_over"]),
    ("words", &["tunnels_with"]),
];

/// In no trial's name: what is so marked runs by a filter alone, as the nights have them.
const AT_NIGHT: &str = "at night";

/// The same for the third kernel, which has what the second one lacks: by names that only such
/// trials have.
const THIRD: [(&str, &[&str]); 1] = [("host", &["third_kernel::"])];

/// Of a program's words about what failed.
const MOST_LINES: usize = 60;

/// What carries out a plan in the machine.
const STEP: &str = include_str!("step.sh");

/// A test program's name in cargo, and its file.
pub(super) type Program = (String, PathBuf);

/// One run of a test program.
struct Step {
    /// its name in the results
    name: String,
    program: PathBuf,
    filter: Option<String>,
    /// how many trials it has, as the program says here
    count: usize,
}

pub(super) struct Plan {
    steps: Vec<Step>,
}

impl Plan {
    /// What runs on the second kernel, of the test programs that `build` made: asks them what they
    /// would run.
    pub(super) fn for_second(programs: &[Program], filters: &[String]) -> Result<Self> {
        let mut plan = Self { steps: Vec::new() };
        for (name, program) in programs {
            for filter in chosen(name, filters) {
                plan.add(name, program, filter)?;
            }
        }
        Ok(plan)
    }

    /// What runs on the third one: with filters, each group that has a trial of such a name.
    pub(super) fn for_third(programs: &[Program], filters: &[String]) -> Result<Self> {
        let mut plan = Self { steps: Vec::new() };
        for (name, program) in programs {
            let groups = THIRD.iter().filter(|(program, _)| program == name);
            for group in groups.flat_map(|(_, groups)| *groups) {
                let names = trials_of(program, Some(group))?;
                let wanted = |filter: &String| names.iter().any(|name| name.contains(filter));
                if filters.is_empty() || filters.iter().any(wanted) {
                    plan.add(name, program, Some((*group).to_owned()))?;
                }
            }
        }
        Ok(plan)
    }

    /// A run of a program that would run nothing is none.
    fn add(&mut self, name: &str, program: &Path, filter: Option<String>) -> Result<()> {
        let count = trials_of(program, filter.as_deref())?.len();
        if count > 0 {
            let name = format!("{:02}-{name}", self.steps.len());
            self.steps.push(Step { name, program: program.to_owned(), filter, count });
        }
        Ok(())
    }

    pub(super) fn count(&self) -> usize {
        self.steps.iter().map(|step| step.count).sum()
    }

    /// The programs, and a file for each step with its words, one a line.
    pub(super) fn add_to(&self, image: &mut Image) -> Result<()> {
        image.script("/tests/step", STEP)?;
        for step in &self.steps {
            let file = step.program.file_name().context("a program is a file")?;
            let inside = Path::new("/tests").join(file);
            programs::add_program(image, &inside, &programs::stripped(&step.program)?)?;
            let mut words = vec![inside.display().to_string(), "--color=never".to_owned()];
            words.extend(step.filter.clone());
            image.text(&format!("/tests/{}.plan", step.name), &(words.join("\n") + "\n"))?;
        }
        Ok(())
    }

    /// What is not as it must be: each step ended well, and ran as many trials as it has.
    pub(super) fn faults(&self, results: &[String], log: &str) -> Vec<String> {
        self.steps.iter().filter_map(|step| step.fault(results, log)).collect()
    }
}

impl Step {
    fn fault(&self, results: &[String], log: &str) -> Option<String> {
        let Self { name, count, .. } = self;
        let code = results.iter().find_map(|line| line.strip_prefix(name.as_str()));
        match code.map(str::trim) {
            Some("0") => {
                let said = log.lines().filter_map(|line| line.strip_prefix(name.as_str()));
                let ran = said.filter_map(|line| passed(line.strip_prefix(": ")?)).next_back();
                let shown = ran.map_or("none".to_owned(), |ran| ran.to_string());
                (ran != Some(*count))
                    .then(|| format!("{name}: {shown} of its {count} trials passed"))
            }
            Some(code) => {
                let why = failures(log, name);
                Some(format!("{name} ended with code {code}{why}"))
            }
            None => Some(format!("{name} did not run")),
        }
    }
}

/// What a program of the machine said of the trials that failed, of which the whole log is full.
fn failures(log: &str, name: &str) -> String {
    let said = log.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    let failures = said.skip_while(|line| line.trim() != "failures:");
    failures.take(MOST_LINES).map(|line| format!("\n    {}", line.trim_end())).collect()
}

/// The number in `test result: ok. 7 passed; …`, which both kinds of test programs write last.
fn passed(line: &str) -> Option<usize> {
    let rest = line.strip_prefix("test result: ")?;
    let (_, rest) = rest.split_once(". ")?;
    rest.split_once(" passed")?.0.parse().ok()
}

/// The test programs' names and files. The whole workspace is named, so that every dependency has
/// the features that it has for `cargo test`, and nothing is built twice.
pub(super) fn build() -> Result<Vec<Program>> {
    let mut command = cargo();
    command.args(["test", "--no-run", "--workspace"]);
    for (name, _) in PROGRAMS {
        command.args(["--test", name]);
    }
    let built = build_messages(&mut command)?;
    let is_test = |message: &&serde_json::Value| message["profile"]["test"] == true;
    let programs = built.iter().filter(is_test).filter_map(|message| {
        let name = message["target"]["name"].as_str()?;
        Some((name.to_owned(), PathBuf::from(message["executable"].as_str()?)))
    });
    let mut programs: Vec<_> = programs.collect();
    programs.sort_by_key(|(built, _)| PROGRAMS.iter().position(|(name, _)| name == built));
    Ok(programs)
}

/// One run of a program for each of these, which it takes as its filter.
fn chosen(program: &str, filters: &[String]) -> Vec<Option<String>> {
    let usual = PROGRAMS.iter().find(|(name, _)| *name == program);
    let usual = usual.map_or(&[][..], |(_, usual)| usual);
    if !filters.is_empty() {
        filters.iter().cloned().map(Some).collect()
    } else if usual.is_empty() {
        vec![None]
    } else {
        usual.iter().map(|filter| Some((*filter).to_owned())).collect()
    }
}

/// The names of a program's trials, by its own list.
fn trials_of(program: &Path, filter: Option<&str>) -> Result<Vec<String>> {
    let listed = output(Command::new(program).arg("--list").args(filter))?;
    Ok(listed.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect())
}

/// What is said where filters leave nothing.
pub(super) fn no_such_name() -> String {
    let programs = PROGRAMS.map(|(name, _)| name).join(", ");
    format!(
        "no trial of {programs} has such a name\n  \
         help: `cargo test --workspace --test kernel -- --list` shows them"
    )
}

#[cfg(test)]
mod tests {
    use super::{Plan, Step, passed};
    use std::path::PathBuf;

    fn plan() -> Plan {
        let step = |name: &str, count| Step {
            name: name.to_owned(),
            program: PathBuf::from("/kernel"),
            filter: None,
            count,
        };
        Plan { steps: vec![step("00-kernel", 7), step("01-more", 2)] }
    }

    fn faults(results: &[&str], log: &str) -> Vec<String> {
        let results: Vec<String> = results.iter().map(|&line| line.to_owned()).collect();
        plan().faults(&results, log)
    }

    const SEVEN: &str = "00-kernel: test result: ok. 7 passed; 0 failed; 0 ignored; 0 measured\n";
    const TWO: &str = "01-more: test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured\n";

    #[test]
    fn the_number_of_trials_that_passed_is_read_whatever_the_verdict() {
        assert_eq!(passed("test result: FAILED. 36 passed; 4 failed; 0 ignored"), Some(36));
        assert_eq!(passed("test a result: ok. 7 passed"), None);
    }

    #[test]
    fn every_trial_of_every_step_must_have_passed() {
        let both = ["00-kernel 0", "01-more 0", "done"];
        assert_eq!(faults(&both, &format!("{SEVEN}{TWO}")), [""; 0]);
        assert_eq!(faults(&both, &format!("{TWO}{SEVEN}")), [""; 0]);
        let expected = ["01-more: none of its 2 trials passed"];
        assert_eq!(faults(&both, SEVEN), expected);
        let fewer = SEVEN.replace('7', "6");
        let expected = ["00-kernel: 6 of its 7 trials passed"];
        assert_eq!(faults(&both, &format!("{fewer}{TWO}")), expected);
    }

    #[test]
    fn a_step_that_failed_or_never_ran_is_named() {
        let log = "00-kernel: test result: FAILED. 6 passed; 1 failed; 0 ignored\n";
        let expected = ["00-kernel ended with code 101", "01-more did not run"];
        assert_eq!(faults(&["booted", "00-kernel 101"], log), expected);
    }
}
