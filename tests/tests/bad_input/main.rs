//! Wrong inputs, each refused with its whole message and exit code 2 before anything is touched.
//!
//! The cases stand in the text files beside this one: a line `=== TITLE`, the arguments (a line
//! `$ ARGUMENT` each, `FILE` being the scenario; `$ FILE` alone where there are none), the
//! scenario, a line `>>>`, and what the program must write on stderr.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use netwright_tests::machine::Machine;
use netwright_tests::{Output, Session, workspace};

/// One wrong input.
struct Case {
    title: String,
    arguments: Vec<String>,
    scenario: String,
    message: String,
}

impl Case {
    fn read(text: &str) -> Self {
        let (head, message) = text.split_once("\n>>>\n").unwrap();
        let (title, rest) = head.split_once('\n').unwrap_or((head, ""));
        let given = |line: &&str| line.starts_with("$ ");
        let arguments: Vec<_> =
            rest.lines().take_while(given).map(|line| line[2..].to_owned()).collect();
        let skipped = arguments.iter().map(|argument| argument.len() + 3).sum::<usize>();
        let scenario = rest.get(skipped..).unwrap_or_default();
        let arguments = if arguments.is_empty() { vec!["FILE".to_owned()] } else { arguments };
        Self {
            title: title.to_owned(),
            arguments,
            scenario: format!("{scenario}\n").trim_start_matches('\n').to_owned(),
            message: message.trim_end().to_owned(),
        }
    }

    /// A recipe alone, with its parameters from the command line.
    fn is_recipe(&self) -> bool {
        self.arguments[0].starts_with("builtin:")
    }

    /// `--grant`, `--target`, `--timeout` and `--keep` are for what runs.
    fn commands(&self) -> &'static [&'static str] {
        let running = ["--grant", "--target", "--timeout", "--keep", "--kepe"];
        let only_run = self.arguments.iter().any(|argument| running.contains(&argument.as_str()));
        if only_run { &["run"] } else { &["validate", "run"] }
    }
}

fn cases(group: &str) -> Vec<Case> {
    let path = workspace().join(format!("tests/tests/bad_input/{group}.txt"));
    let text = std::fs::read_to_string(path).unwrap();
    text.split("=== ").skip(1).map(Case::read).collect()
}

/// Runs the program where no namespace of any kind can be made: whoever tries gets ENOSPC
/// (namespaces(7), /proc/sys/user), and the program would end otherwise than by code 2.
fn caged(session: &Session, arguments: &[String]) -> Output {
    let program = session.command(arguments);
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "sh", "-c"]);
    command.arg(
        "for kind in user mnt net pid; do echo 0 > /proc/sys/user/max_${kind}_namespaces || exit 99; done; exec \"$@\"",
    );
    command.arg("sh").arg(program.get_program()).args(program.get_args());
    command.current_dir(program.get_current_dir().unwrap_or(Path::new("/")));
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.output().unwrap().into()
}

/// Every case of a group; all that differs is shown at the end.
///
/// What only the recipe can refuse is asked from inside the lab, which `run` has to enter before
/// any thread starts; so that lab may be made, and nothing may be left of it.
fn refuses(group: &str, least: usize) {
    let asks_recipe = ["topology", "macvlan-network", "ip", "options"].contains(&group);
    let machine = Machine::now().unwrap();
    let session = Session::new();
    let mut wrong = String::new();
    let cases = cases(group);
    assert!(cases.len() >= least, "{group} holds {} cases", cases.len());
    for case in cases {
        session.file("scenario.yaml", &case.scenario);
        for command in case.commands() {
            let named =
                case.arguments.iter().map(|argument| argument.replace("FILE", "scenario.yaml"));
            let arguments: Vec<_> = std::iter::once((*command).to_owned()).chain(named).collect();
            let output = if *command == "run" && (asks_recipe || case.is_recipe()) {
                session.netwright(&arguments)
            } else {
                caged(&session, &arguments)
            };
            if output.code != 2
                || output.stderr.trim_end() != case.message
                || !output.stdout.is_empty()
            {
                let (title, code) = (&case.title, output.code);
                let _ = write!(
                    wrong,
                    "=== {title} ({command}, code {code})\nexpected:\n{}\ngot:\n{}{}\n",
                    case.message, output.stdout, output.stderr
                );
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert_eq!(machine.differences_that_stay(), [""; 0]);
}

#[test]
fn faults_of_yaml_are_refused() {
    refuses("yaml", 25);
}

#[test]
fn unknown_and_missing_keys_are_refused() {
    refuses("keys", 29);
}

/// By the table that they are sent by, of whatever kind.
#[test]
fn wrong_options_of_kinds_are_refused() {
    refuses("options", 2);
}

#[test]
fn wrong_variables_are_refused() {
    refuses("variables", 8);
}

#[test]
fn wrong_limits_are_refused() {
    refuses("limits", 16);
}

#[test]
fn wrong_checks_are_refused() {
    refuses("checks", 40);
}

#[test]
fn impossible_topologies_are_refused() {
    refuses("topology", 60);
}

#[test]
fn impossible_macvlan_networks_are_refused() {
    refuses("macvlan-network", 20);
}

#[test]
fn faults_of_scripts_are_refused() {
    refuses("ip", 10);
}

#[test]
fn wrong_flags_are_refused() {
    refuses("flags", 18);
}

#[test]
fn text_that_is_not_utf_8_and_files_too_long_are_refused() {
    let session = Session::new();
    session.file("scenario.yaml", b"name: x\nsteps: \xff\n");
    let arguments = ["validate".to_owned(), "scenario.yaml".to_owned()];
    let output = caged(&session, &arguments).expect_code(2);
    assert_eq!(
        output.stderr.lines().next(),
        Some("error: `scenario.yaml` is not UTF-8 text: byte 15 in line 2, column 8")
    );
    session.file("scenario.yaml", "#".repeat((1 << 20) + 1));
    let output = caged(&session, &arguments).expect_code(2);
    assert_eq!(
        output.stderr.lines().next(),
        Some("error: `scenario.yaml` is longer than 1048576 bytes")
    );
}

/// The cage would show it: what is not refused fails in it, for it makes a namespace.
#[test]
fn the_cage_stops_whatever_is_not_refused() {
    let session = Session::new();
    session.file(
        "scenario.yaml",
        "name: x\nsteps: [{ recipe: builtin:ip, params: { script: link } }]\n",
    );
    let output = caged(&session, &["run".to_owned(), "scenario.yaml".to_owned()]);
    assert!(output.code != 0 && output.code != 2 && output.code != 99, "{output:?}");
}
