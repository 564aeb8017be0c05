//! Programs outside the sandbox: only those that the operator grants, alone with themselves, and
//! nothing of them outlives the call.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use netwright_tests::{Output, Session, workspace};
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(10);

fn words(program: &str, arguments: &[&str], more: &[&str]) -> Vec<String> {
    let recipe = workspace().join("target/recipes/components/program.wasm");
    let arguments = serde_json::to_string(arguments).expect("plain text");
    let mut words = vec!["run".to_owned(), recipe.display().to_string()];
    words.extend(["--json".to_owned(), "-p".to_owned(), format!("program={program}")]);
    words.extend(["-p".to_owned(), format!("arguments={arguments}")]);
    words.extend(more.iter().map(|word| (*word).to_owned()));
    words
}

fn run(program: &str, arguments: &[&str], more: &[&str]) -> Output {
    let grant = format!("exec program={program}");
    let words = words(program, arguments, &[&["--grant", &grant], more].concat());
    Session::new().netwright(words)
}

fn shell(script: &str, more: &[&str]) -> Output {
    run("/bin/sh", &["-c", script], more)
}

/// What the recipe prints of the outcome.
fn printed(output: &Output, what: &str) -> String {
    let result: Value = output.json();
    let lines = result["steps"][0]["output"].as_array().expect("a list");
    let lines: Vec<&str> = lines.iter().filter_map(Value::as_str).collect();
    let text = format!("\n{}\nend", lines.join("\n"));
    let (_, from) = text.split_once(&format!("\n{what} ")).expect("the recipe prints it");
    let ends = ["\ntruncated ", "\nstdout ", "\nstderr ", "\nend"];
    let end = ends.iter().filter_map(|end| from.find(end)).min().unwrap_or(from.len());
    from[..end].trim_end().to_owned()
}

/// Processes whose command line holds a word that only a test uses.
fn processes_with(word: &str) -> Vec<String> {
    let entries = fs::read_dir("/proc").expect("procfs").flatten();
    let lines = entries.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines.filter(|line| line.contains(word) && !line.contains("netwright run")).collect()
}

#[track_caller]
fn until_gone(word: &str) {
    let start = Instant::now();
    while let [first, ..] = &processes_with(word)[..] {
        assert!(
            start.elapsed() < netwright_tests::machine::patience(PATIENCE),
            "`{first}` goes on"
        );
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn without_a_grant_nothing_runs() {
    let session = Session::new();
    let file = session.path("touched");
    let touch = file.display().to_string();
    let output = session.netwright(words("/bin/touch", &[&touch], &[])).expect_code(4);
    assert!(output.stderr.contains("--grant 'exec program=/bin/touch'"), "{output:#?}");
    for near in ["/bin/touc", "/usr/bin/../bin/touch", "/bin/touch*", "touch"] {
        let grant = format!("exec program={near}");
        let more = ["--grant", grant.as_str()];
        let output = session.netwright(words("/bin/touch", &[&touch], &more));
        assert!(matches!(output.code, 2 | 4), "{near}: {output:#?}");
    }
    assert!(!file.exists());
}

#[test]
fn it_runs_in_the_namespace_and_is_shown_as_outside_the_sandbox() {
    let ip = ["/usr/sbin/ip", "/sbin/ip", "/usr/bin/ip"];
    let ip = ip.into_iter().find(|path| Path::new(path).exists()).expect("iproute2 is installed");
    let output = run(ip, &["-br", "link"], &[]).expect_code(0);
    let links = printed(&output, "stdout");
    assert!(links.contains("br7"), "{links}");
    assert_eq!(printed(&output, "code"), "0");
    let line =
        format!("recipe `program` runs outside the sandbox in ns1: \"{ip}\" \"-br\" \"link\"");
    assert!(output.stderr.contains(&line), "{output:#?}");
    let programs = &output.json()["steps"][0]["programs"];
    assert_eq!(programs[0], format!("\"{ip}\" \"-br\" \"link\""));
}

#[test]
fn its_environment_is_clean_and_its_arguments_are_as_given() {
    let output = run("/usr/bin/env", &[], &[]).expect_code(0);
    let mut lines: Vec<String> = printed(&output, "stdout").lines().map(str::to_owned).collect();
    lines.sort();
    let path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    assert_eq!(lines, ["HOME=/", "LANG=C.UTF-8", path]);
    let odd = ["$(id)", "a b", "*", "-rf", "\"'"];
    let all = ["%s|", "$(id)", "a b", "*", "-rf", "\"'"];
    let output = run("/usr/bin/printf", &all, &[]).expect_code(0);
    assert_eq!(printed(&output, "stdout"), odd.map(|word| format!("{word}|")).concat());
}

#[test]
fn it_sees_no_processes_but_its_own() {
    let output = shell("echo $$; ls -d /proc/[0-9]* | wc -l", &[]).expect_code(0);
    let stdout = printed(&output, "stdout");
    let numbers: Vec<u32> = stdout.lines().filter_map(|line| line.trim().parse().ok()).collect();
    let [own, count] = numbers[..] else { panic!("{stdout}") };
    assert!(own < 10 && count < 10, "{stdout}");
}

/// Descriptors that whoever calls netwright has open, and that are not closed by exec(2).
#[test]
fn it_has_no_descriptor_of_the_callers() {
    let session = Session::new();
    let script = "for fd in /proc/self/fd/*; do echo ${fd##*/}=$(readlink $fd); done";
    let inner =
        session.command(words("/bin/sh", &["-c", script], &["--grant", "exec program=/bin/sh"]));
    // dash takes no descriptor above 9.
    let mut outer = std::process::Command::new("bash");
    outer.args(["-c", "exec 7</etc/hostname 8</etc/passwd 200</etc/group; exec \"$@\"", "sh"]);
    outer.arg(inner.get_program()).args(inner.get_args());
    outer.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = Output::from(outer.output().expect("bash is installed")).expect_code(0);
    let open = printed(&output, "stdout");
    for file in ["/etc/hostname", "/etc/passwd", "/etc/group"] {
        assert!(!open.contains(file), "{open}");
    }
    assert!(open.contains("0=/dev/null"), "{open}");
}

#[test]
fn codes_and_signals_are_told_as_by_a_shell() {
    assert_eq!(printed(&shell("echo no >&2; exit 3", &[]).expect_code(0), "code"), "3");
    assert_eq!(printed(&shell("echo no >&2; exit 3", &[]).expect_code(0), "stderr"), "no");
    assert_eq!(printed(&shell("kill -TERM $$", &[]).expect_code(0), "code"), "143");
    let output = run("/nowhere/program", &[], &[]).expect_code(0);
    assert_eq!(printed(&output, "code"), "127");
}

#[test]
fn what_takes_too_long_ends_with_all_that_it_has_started() {
    let script = "sleep 7654321 & (setsid sleep 7654321 &) ; sleep 7654321";
    let output = shell(script, &["-p", "timeout=300"]).expect_code(5);
    assert!(output.stderr.contains("300 ms"), "{output:#?}");
    until_gone("sleep 7654321");
}

#[test]
fn nothing_outlives_the_call() {
    let script = "sleep 7654322 & (setsid sleep 7654322 >/dev/null 2>&1 &) ; echo started";
    let output = shell(script, &[]).expect_code(0);
    assert_eq!(printed(&output, "stdout"), "started");
    until_gone("sleep 7654322");
}

#[test]
fn nothing_outlives_a_run_that_is_killed() {
    let session = Session::new();
    let grant = ["--grant", "exec program=/bin/sleep"];
    let more = [&grant[..], &["-p", "timeout=100000"]].concat();
    let mut command = session.command(words("/bin/sleep", &["7654323"], &more));
    let mut run = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program");
    let start = Instant::now();
    while !processes_with("sleep 7654323").iter().any(|line| line.starts_with("/bin/sleep")) {
        assert!(start.elapsed() < netwright_tests::machine::patience(PATIENCE), "it never began");
        thread::sleep(Duration::from_millis(10));
    }
    run.kill().expect("it is this test's own");
    run.wait().expect("it was killed");
    until_gone("sleep 7654323");
}

#[test]
fn the_runs_own_limit_of_time_ends_it() {
    let more = ["--timeout", "1", "-p", "timeout=100000"];
    run("/bin/sleep", &["7654324"], &more).expect_code(7);
    until_gone("sleep 7654324");
}

#[test]
fn more_output_than_is_kept_stops_nothing() {
    let output = shell("head -c 5000000 /dev/zero; exit 4", &[]).expect_code(0);
    assert_eq!(printed(&output, "truncated"), "true of 1048576 bytes");
    assert_eq!(printed(&output, "code"), "4");
}

#[test]
fn a_plan_runs_no_program() {
    let session = Session::new();
    let file = session.path("touched");
    let grant = "exec program=/bin/touch";
    let touch = file.display().to_string();
    let mut words = words("/bin/touch", &[&touch], &["--grant", grant]);
    words[0] = "plan".to_owned();
    let output = session.netwright(words).expect_code(8);
    assert!(output.stderr.contains("a plan runs no programs"), "{output:#?}");
    assert!(!file.exists());
}

#[test]
fn an_ordinary_user_may_run_one_in_his_lab() {
    let session = Session::as_ordinary_user();
    session.bring("target/recipes/components/program.wasm");
    let mut words = words("/usr/bin/id", &["-u"], &["--grant", "exec program=/usr/bin/id"]);
    words[1] = "program.wasm".to_owned();
    let output = session.netwright(words).expect_code(0);
    assert_eq!(printed(&output, "stdout"), "0");
}
