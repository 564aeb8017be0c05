//! Names of labs and deployments that a process works on: whoever wants one meanwhile is told which
//! process it is, and ends nothing of its.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::io::{PipeReader, PipeWriter, Read as _};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use netwright_tests::machine::patience;
use netwright_tests::{Host, Output};

const LAB: &str = "name: lan\nsteps: [{ recipe: builtin:topology, params: { namespaces: [a] } }]\n";
const WIDE: &str =
    "name: lan\nsteps: [{ recipe: builtin:topology, params: { namespaces: [a, b] } }]\n";
const BUSY: &str = "error: another process works on";

/// A machine with processes of its own.
struct Machine(Host);

impl Machine {
    fn new() -> Self {
        let host = Host::with_processes();
        host.session().file("lan.yaml", LAB);
        host.session().file("wide.yaml", WIDE);
        Self(host)
    }

    fn path(&self, file: &str) -> String {
        self.0.session().path(file).display().to_string()
    }

    fn netwright(&self, words: &[&str]) -> Output {
        self.0.netwright(words, &[])
    }

    fn command(&self, words: &[&str], pause_at: usize) -> Command {
        let mut inner = self.0.session().command(words);
        inner.env("NETWRIGHT_CRASH_AT", pause_at.to_string()).env("NETWRIGHT_CRASH", "pause");
        let mut command = self.0.command(&inner);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// `run --keep` or `apply` whose result nobody reads, up to where it waits for a reader.
    fn unread(&self, words: &[&str]) -> (Child, PipeReader) {
        let (nobody, full) = full_pipe();
        let mut run = self.command(&[words, &["--json"]].concat(), 0).stdout(full).spawn().unwrap();
        let start = Instant::now();
        let last = if words.contains(&&*self.path("wide.yaml")) { "b\n" } else { "a\n" };
        while !self.netwright(&["inspect", "lan"]).stdout.contains(last) {
            assert!(start.elapsed() < patience(Duration::from_secs(60)), "it is never kept");
            thread::sleep(Duration::from_millis(50));
        }
        // It has nothing else to do.
        thread::sleep(patience(Duration::from_secs(1)));
        assert_eq!(run.try_wait().unwrap(), None, "its result waits for a reader");
        (run, nobody)
    }
}

/// A pipe that takes nothing, and that nobody reads.
fn full_pipe() -> (PipeReader, PipeWriter) {
    let (theirs, mut ours) = std::io::pipe().unwrap();
    let size = rustix::pipe::fcntl_setpipe_size(&ours, 4096).unwrap();
    std::io::Write::write_all(&mut ours, &vec![b' '; size]).unwrap();
    (theirs, ours)
}

/// The number, in the machine's own processes, of what nsenter(1) has started.
fn number(child: &Child) -> u32 {
    let id = child.id();
    let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
    let status = fs::read_to_string(format!("/proc/{}/status", children.trim())).unwrap();
    let line = status.lines().find(|line| line.starts_with("NSpid:")).unwrap();
    line.split_whitespace().last().unwrap().parse().unwrap()
}

fn stops(process: &mut Child) {
    let start = Instant::now();
    let state = |id| fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    while !state(process.id()).contains(") T ") {
        assert_eq!(process.try_wait().unwrap(), None, "it ended");
        assert!(start.elapsed() < patience(Duration::from_secs(60)), "it never stops");
        thread::sleep(Duration::from_millis(10));
    }
}

/// What `kill(1)` does with a process of ours, or with all that it has started.
fn signal(name: &str, id: u32) {
    assert!(Command::new("kill").args([name, &id.to_string()]).status().unwrap().success());
}

fn read_all(mut reader: PipeReader) -> String {
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn who_works_on_a_name_is_told_by_its_number() {
    let machine = Machine::new();
    let (lan, wide) = (machine.path("lan.yaml"), machine.path("wide.yaml"));
    for words in [&["apply", &lan][..], &["run", &lan, "--keep", "lan"]] {
        let mut first = machine.command(words, 1).spawn().unwrap();
        stops(&mut first);
        let process = number(&first);
        let others = [&["apply", &wide][..], &["destroy", "lan"], &["run", &wide, "--keep", "lan"]];
        for other in others {
            let told = machine.netwright(other).expect_code(5).stderr;
            let expected = format!(
                "{BUSY} `lan`: process {process} makes it, alters it, or takes it apart\n  help: wait until it has ended\n"
            );
            assert_eq!(told, expected, "{other:?} during {words:?}");
        }
        signal("-CONT", first.id());
        assert_eq!(first.wait().unwrap().code(), Some(0), "{words:?}");
        machine.netwright(&["destroy", "lan"]).expect_code(0);
    }
}

/// Another one may have that number where processes have others.
#[test]
fn a_number_of_other_processes_is_not_told() {
    let machine = Machine::new();
    let mut first = machine.command(&["apply", &machine.path("lan.yaml")], 1).spawn().unwrap();
    stops(&mut first);
    let inner = machine.0.session().command(["destroy", "lan"]);
    let mut outer = Command::new("unshare");
    outer.args(["--pid", "--fork", "--mount-proc"]).arg(inner.get_program()).args(inner.get_args());
    outer.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let told = Output::from(machine.0.command(&outer).output().unwrap()).expect_code(5).stderr;
    assert!(told.starts_with(&format!("{BUSY} `lan`: it makes it, ")), "{told}");
    signal("-CONT", first.id());
    assert_eq!(first.wait().unwrap().code(), Some(0));
    machine.netwright(&["destroy", "lan"]).expect_code(0);
}

/// It is the lab's by then, but has not told its result.
#[test]
fn a_run_that_has_kept_its_lab_ends_with_its_code() {
    let machine = Machine::new();
    let (lan, wide) = (machine.path("lan.yaml"), machine.path("wide.yaml"));
    machine.netwright(&["run", &lan]).expect_code(0);
    for words in [&["run", &lan, "--keep", "lan"][..], &["apply", &lan], &["apply", &wide]] {
        let (mut run, nobody) = machine.unread(words);
        let told = machine.netwright(&["destroy", "lan"]).expect_code(5).stderr;
        assert!(told.starts_with(&format!("{BUSY} `lan`: process {} ", number(&run))), "{told}");
        let result = thread::spawn(move || read_all(nobody));
        assert_eq!(run.wait().unwrap().code(), Some(0), "{words:?}");
        let result = result.join().unwrap();
        assert!(result.contains("\"result\": \"passed\""), "{words:?}: {result}");
        machine.netwright(&["inspect", "lan"]).expect_code(0);
        if words[1] == wide || words[0] == "run" {
            machine.netwright(&["destroy", "lan"]).expect_code(0);
        }
    }
    assert_eq!(machine.netwright(&["ls"]).expect_code(0).stdout, "");
}

/// What stays is not taken back by a signal, whose code would say so.
#[test]
fn a_signal_once_a_lab_is_kept_takes_nothing_back_and_says_so() {
    let machine = Machine::new();
    let (lan, wide) = (machine.path("lan.yaml"), machine.path("wide.yaml"));
    for (name, words) in [
        ("-TERM", &["run", &lan, "--keep", "lan"][..]),
        ("-INT", &["apply", &lan]),
        ("-INT", &["apply", &wide]),
    ] {
        if words[0] == "apply" && words[1] == lan {
            machine.netwright(&["destroy", "lan"]).expect_code(0);
        }
        let (mut run, nobody) = machine.unread(words);
        let children =
            fs::read_to_string(format!("/proc/{0}/task/{0}/children", run.id())).unwrap();
        signal(name, children.trim().parse().unwrap());
        assert_eq!(run.wait().unwrap().code(), Some(0), "{words:?}");
        drop(nobody);
        machine.netwright(&["inspect", "lan"]).expect_code(0);
    }
    machine.netwright(&["destroy", "lan"]).expect_code(0);
}
