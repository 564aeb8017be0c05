//! Manual pages and completions: of every command that is shown, and of none that is not.

use std::io::Write as _;
use std::process::{Command, Stdio};

use netwright_tests::{Output, netwright};

/// The commands that `--help` lists, but for clap's own.
fn commands() -> Vec<String> {
    let help = netwright(["--help"]).expect_code(0).stdout;
    let list = help.split("Commands:\n").nth(1).expect("a list of commands");
    let list = list.split("\n\n").next().expect("it ends");
    // What a command does may go on in the next line, further in.
    let names = list.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    names.filter(|name| !name.is_empty() && *name != "help").map(str::to_owned).collect()
}

/// A program that reads `text`, and what it says.
fn through(program: &str, words: &[&str], text: &str) -> Output {
    let mut command = Command::new(program);
    command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{program}: {error}"));
    let mut input = child.stdin.take().expect("it is piped");
    input.write_all(text.as_bytes()).expect("it reads all of it");
    drop(input);
    child.wait_with_output().expect("it was started").into()
}

#[test]
fn every_command_has_its_manual_page() {
    let commands = commands();
    assert!(commands.len() > 12, "{commands:?}");
    let whole = netwright(["man"]).expect_code(0).stdout;
    assert!(whole.contains(".TH netwright 1"), "{whole}");
    assert!(whole.contains("Exit codes: 0 done"), "{whole}");
    for command in &commands {
        assert!(whole.contains(&format!("netwright\\-{command}(1)")), "{command}: {whole}");
        let page = netwright(["man", command]).expect_code(0).stdout;
        assert!(page.contains(&format!(".TH netwright-{command} 1")), "{page}");
    }
    assert!(!whole.contains("__"), "{whole}");
    let build = netwright(["man", "recipe", "build"]).expect_code(0).stdout;
    assert!(build.contains("\\fB\\-\\-manifest\\fR"), "{build}");
}

#[test]
fn a_command_that_is_none_is_answered_with_a_near_one() {
    let output = netwright(["man", "recipe", "biuld"]).expect_code(2);
    assert_eq!(
        output.stderr,
        "error: there is no command `biuld`\n  help: did you mean `build`?\n"
    );
    let output = netwright(["man", "ls", "x"]).expect_code(2);
    assert!(output.stderr.contains("`ls` has no commands"), "{output:#?}");
}

#[test]
fn shells_complete_every_command() {
    let commands = commands();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let text = netwright(["completions", shell]).expect_code(0).stdout;
        for command in commands.iter().chain([&"--confirm-within".to_owned()]) {
            assert!(text.contains(command.trim_start_matches('-')), "{shell}: {command}");
        }
        assert!(!text.contains("__hold"), "{shell}");
    }
    let script = netwright(["completions", "bash"]).expect_code(0).stdout
        + "COMP_WORDS=(netwright conf); COMP_CWORD=1\n\
           _netwright netwright conf netwright; echo \"${COMPREPLY[@]}\"\n";
    assert_eq!(through("bash", &["-s"], &script).expect_code(0).stdout, "confirm\n");
}
