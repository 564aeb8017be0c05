//! A recipe's process has no rights, and whoever takes it over gains none: a stand-in, which builds
//! with debug assertions have in place of a recipe, tries what such a one would try.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use netwright_tests::{Host, Output, Session};

const NOTHING: &str = "target/recipes/components/nothing.wasm";
const BOMB: &str = "target/recipes/components/bomb.wasm";
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs the stand-in, which makes a namespace before it does so.
fn stand_in(session: &Session, what: &str, more: &[&str]) -> Output {
    session.bring(NOTHING);
    let mut command = session.command(["run", "./nothing.wasm"]);
    command.args(more).env("NETWRIGHT_STAND_IN", what);
    command.output().expect("the program is there").into()
}

/// Every system call that the stand-in tries fails with EPERM.
#[track_caller]
fn all_fail(output: &Output) {
    assert_eq!(output.code, 0, "{output:#?}");
    let said = output.stderr.lines().chain(output.stdout.lines());
    let tried: Vec<&str> = said.filter(|line| line.contains(" -> ")).collect();
    assert!(tried.len() >= 40, "{output:#?}");
    let others: Vec<&&str> = tried.iter().filter(|line| !line.ends_with(" -> EPERM")).collect();
    assert!(others.is_empty(), "{others:#?}");
}

#[test]
fn roots_recipe_can_make_none_of_forty_system_calls() {
    all_fail(&stand_in(&Session::new(), "system-calls", &["-v"]));
}

#[test]
fn an_ordinary_users_recipe_can_make_none_of_forty_system_calls() {
    all_fail(&stand_in(&Session::as_ordinary_user(), "system-calls", &["-v"]));
}

#[test]
fn a_recipe_on_the_host_can_make_none_of_forty_system_calls() {
    let host = Host::with("");
    host.session().bring(NOTHING);
    let file = host.session().path("nothing.wasm").display().to_string();
    let words = ["run", file.as_str(), "-v", "--target", "host"];
    all_fail(&host.netwright(words, &[("NETWRIGHT_STAND_IN", "system-calls")]));
}

/// What no recipe can say ends the run, and what the recipe made is undone.
#[track_caller]
fn ends(what: &str, code: i32, words: &str) {
    let output = stand_in(&Session::new(), what, &["--timeout", "2"]);
    assert_eq!(output.code, code, "{what}: {output:#?}");
    assert!(output.stderr.contains(words), "{what}: {output:#?}");
    assert!(output.stdout.contains(" 1 change, 1 undone"), "{what}: {output:#?}");
}

#[test]
fn messages_that_are_none_end_the_run() {
    for what in ["garbage", "behind", "parts"] {
        ends(what, 5, "broke off in `run`: its process sent what no recipe can say\n");
    }
}

#[test]
fn messages_out_of_turn_end_the_run() {
    for what in ["turn", "export"] {
        ends(what, 5, "broke off in `run`: its process spoke out of turn\n");
    }
}

#[test]
fn a_message_longer_than_the_limit_is_not_read() {
    ends("long", 7, "limit reached: 16777216 bytes in one call\n");
}

#[test]
fn handles_that_were_never_given_or_are_of_another_kind_end_the_run() {
    ends("handle", 5, "broke off in `run`: ");
    ends("kind", 5, "broke off in `run`: ");
}

#[test]
fn a_flood_of_words_ends_with_the_limit() {
    ends("flood", 7, "limit reached: 1048576 bytes of log and report\n");
}

#[test]
fn a_batch_without_end_ends_with_the_limit() {
    ends("batch", 7, "limit reached: 16777216 bytes in batches\n");
}

#[test]
fn answers_that_nobody_takes_end_with_the_time() {
    ends("unread", 7, "limit reached: 2 s of time\n");
}

#[test]
fn last_words_can_not_pass_for_the_runner() {
    ends("lie", 5, "broke off in `run`: \\u{1b}[2Jpassed: 9 checks\n    | passed: 9 checks\n");
}

#[test]
fn a_process_that_ends_before_its_time_ends_the_run() {
    ends("abort", 5, "broke off in `run`: its process ended: signal: 6 (SIGABRT)");
    ends("exit", 5, "broke off in `run`: its process ended: exit status: 3\n");
}

/// A run whose recipe does nothing but compute.
struct Looping {
    session: Session,
    child: Child,
}

impl Looping {
    fn start(session: Session) -> Self {
        session.bring(BOMB);
        // So that it is compiled already, and its compiler isn't taken for it.
        session.netwright(["validate", "./bomb.wasm", "-p", "how=loop"]).expect_code(0);
        let mut command = session.command(["run", "./bomb.wasm", "-p", "how=loop"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().expect("the program is there");
        Self { session, child }
    }

    fn guest(&self) -> PathBuf {
        guest_below(self.child.id())
    }

    fn end(self) -> Output {
        let output = self.child.wait_with_output().expect("it was started here");
        drop(self.session);
        output.into()
    }
}

/// The guest's process, once it has taken its rights from itself.
fn guest_below(ancestor: u32) -> PathBuf {
    let start = Instant::now();
    loop {
        for process in below(ancestor) {
            let status = fs::read_to_string(process.join("status")).unwrap_or_default();
            if is_guest(&process) && value(&status, "Seccomp") == "2" {
                return process;
            }
        }
        assert!(
            start.elapsed() < netwright_tests::machine::patience(PATIENCE),
            "there is no guest"
        );
        thread::sleep(Duration::from_millis(5));
    }
}

/// The processes that one started, and those that they started.
fn below(parent: u32) -> Vec<PathBuf> {
    let path = format!("/proc/{parent}/task/{parent}/children");
    let children = fs::read_to_string(path).unwrap_or_default();
    let children = children.split_whitespace().filter_map(|pid| pid.parse().ok());
    children
        .flat_map(|pid: u32| {
            let own = PathBuf::from(format!("/proc/{pid}"));
            [own].into_iter().chain(below(pid))
        })
        .collect()
}

fn is_guest(process: &Path) -> bool {
    fs::read_to_string(process.join("cmdline")).is_ok_and(|line| line.ends_with("\0__guest\0"))
}

fn value<'a>(status: &'a str, key: &str) -> &'a str {
    let line = status.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(":\t"));
    line.unwrap_or_default()
}

#[test]
fn a_recipes_process_has_nothing_but_its_line_and_its_recipe() {
    for session in [Session::new(), Session::as_ordinary_user()] {
        let run = Looping::start(session);
        let guest = run.guest();
        let status = fs::read_to_string(guest.join("status")).expect("it is there");
        for key in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
            assert_eq!(value(&status, key), "0000000000000000", "{status}");
        }
        assert_eq!(value(&status, "NoNewPrivs"), "1", "{status}");
        // Effective, saved and file system's: nobody, or the user who began the run.
        let users: Vec<&str> = value(&status, "Uid").split_whitespace().skip(1).collect();
        assert_eq!(users, ["65534"; 3], "{status}");
        let environment = fs::read(guest.join("environ")).expect("root may read it");
        assert_eq!(String::from_utf8_lossy(&environment), "");
        for entry in fs::read_dir(guest.join("fd")).expect("root may read it").flatten() {
            let leads = fs::read_link(entry.path()).expect("root may read it");
            let leads = leads.to_string_lossy().into_owned();
            let allowed = ["socket:[", "/memfd:netwright-recipe", "/dev/null"];
            let cached = leads.contains("/netwright/recipes/");
            assert!(cached || allowed.iter().any(|start| leads.starts_with(start)), "{leads}");
        }
        kill(&run.child);
        run.end();
    }
}

/// What the program itself may still do on the host while a recipe runs, as bits of
/// linux/capability.h.
#[track_caller]
fn rights_on_the_host(grants: &[&str]) -> u64 {
    let host = Host::with("");
    host.session().bring(NOTHING);
    let file = host.session().path("nothing.wasm").display().to_string();
    let mut words = vec!["run", &file, "--target", "host"];
    words.extend(grants.iter().flat_map(|grant| ["--grant", grant]));
    let mut command = host.session().command(words);
    command.env("NETWRIGHT_STAND_IN", "silent");
    let mut command = host.command(&command);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let guest = guest_below(child.id());
    let status = |process: &Path| fs::read_to_string(process.join("status")).expect("it is there");
    let parent = value(&status(&guest), "PPid").to_owned();
    let program = Path::new("/proc").join(&parent);
    // It gives up the rest as soon as the recipe is loaded.
    thread::sleep(Duration::from_secs(2));
    let now = status(&program);
    let rights = bits(&now, "CapPrm");
    // What it starts as root gets nothing back.
    assert_eq!(bits(&now, "CapBnd"), rights, "{now}");
    let opener = below(parent.parse().expect("a number"))
        .into_iter()
        .find(|process| value(&status(process), "Name") == "netwright-open");
    let opener = opener.expect("the opener is a child of the program");
    for key in ["CapPrm", "CapEff", "CapBnd"] {
        assert_eq!(bits(&status(&opener), key), MKNOD, "{key} of the opener");
    }
    signal("-INT", &parent);
    let output: Output = child.wait_with_output().expect("it was started here").into();
    output.expect_code(130);
    rights
}

const NET_ADMIN: u64 = 1 << 12;
const MKNOD: u64 = 1 << 27;

fn bits(status: &str, key: &str) -> u64 {
    u64::from_str_radix(value(status, key), 16).expect("hexadecimal")
}

#[test]
fn on_the_host_the_program_keeps_what_its_grants_take() {
    assert_eq!(rights_on_the_host(&[]), NET_ADMIN);
    let other = "host.namespace name=lab-*";
    // The recipe doesn't ask for it.
    assert_eq!(rights_on_the_host(&[other]), NET_ADMIN);
}

fn kill(child: &Child) {
    signal("-INT", &child.id().to_string());
}

fn signal(name: &str, pid: &str) {
    let sent = std::process::Command::new("kill").args([name, pid]).status();
    assert!(sent.expect("kill is there").success());
}

#[test]
fn a_recipes_process_that_is_killed_ends_the_run() {
    let run = Looping::start(Session::new());
    let guest = run.guest();
    let pid = guest.file_name().and_then(|name| name.to_str()).expect("a number").to_owned();
    // It may still be at the check of the parameters: wait until it computes.
    thread::sleep(Duration::from_millis(500));
    signal("-KILL", &pid);
    let output = run.end().expect_code(5);
    assert!(output.stderr.contains("its process ended: signal: 9 (SIGKILL)\n"), "{output:#?}");
}

#[test]
fn a_recipes_process_ends_with_the_run_whatever_ends_it() {
    for session in [Session::new(), Session::as_ordinary_user()] {
        let run = Looping::start(session);
        let guest = run.guest();
        signal("-KILL", &run.child.id().to_string());
        run.end();
        let start = Instant::now();
        while is_guest(&guest) {
            assert!(
                start.elapsed() < netwright_tests::machine::patience(PATIENCE),
                "{} goes on",
                guest.display()
            );
            thread::sleep(Duration::from_millis(5));
        }
    }
}
