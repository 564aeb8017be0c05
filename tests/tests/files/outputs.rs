//! What the operator names as a place to write to: files, and also pipes and terminals.

use std::fs::{self, Permissions};
use std::io::Read as _;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use netwright_tests::{Output, Session, machine};

use super::{is_untouched, pipe, secret};

const SCENARIO: &str =
    "name: t\nsteps: [{ recipe: builtin:topology, params: { namespaces: [n1] } }]\n";
/// Far more than any of it takes, on whatever machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// Each flag that names a file to write, with what stands before it.
const FLAGS: [(&str, &[&str]); 4] = [
    ("--events", &["run", "s.yaml"]),
    ("--junit", &["run", "s.yaml"]),
    ("--record-grants", &["run", "s.yaml"]),
    ("--out", &["plan", "s.yaml"]),
];

fn run(session: &Session, flag: &str, words: &[&str], file: &str) -> Output {
    let words = words.iter().copied().chain([flag, file]);
    session.netwright(words)
}

#[test]
fn what_is_written_goes_through_no_link() {
    let session = Session::new();
    session.file("s.yaml", SCENARIO);
    let secret = secret(&session);
    for (number, (flag, words)) in FLAGS.into_iter().enumerate() {
        let name = format!("link-{number}");
        symlink(&secret, session.path(&name)).unwrap();
        let output = run(&session, flag, words, &name).expect_code(2);
        let expected = format!(
            "error: {flag}: can't write `{name}`: `{name}` is a symbolic link\n  help: name what it points to\n"
        );
        assert_eq!(output.stderr, expected);
        is_untouched(&secret);

        // A second name of a file: what is written has the name, and the file stays.
        let name = format!("hard-{number}");
        fs::hard_link(&secret, session.path(&name)).unwrap();
        run(&session, flag, words, &name).expect_code(0);
        is_untouched(&secret);
        assert!(!fs::read(session.path(&name)).unwrap().is_empty());
        // Again, over what is there.
        run(&session, flag, words, &name).expect_code(0);

        let output = run(&session, flag, words, ".").expect_code(2);
        let expected = format!("error: {flag}: can't write `.`: it is the name of a folder\n");
        assert_eq!(output.stderr, expected);
    }
    let folder = session.folder("elsewhere");
    symlink(&folder, session.path("inside")).unwrap();
    run(&session, "--events", FLAGS[0].1, "inside/events").expect_code(2);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
}

#[test]
fn what_is_built_goes_through_no_link() {
    let session = Session::new();
    let secret = secret(&session);
    session.bring("target/recipes/components/knock.wasm");
    symlink(&secret, session.path("out.wasm")).unwrap();
    let words = ["recipe", "build", "knock.wasm", "--out", "out.wasm"];
    let output = session.netwright(words).expect_code(2);
    assert_eq!(output.stderr, "error: can't write `out.wasm`: it is a symbolic link\n");
    is_untouched(&secret);
}

#[test]
fn descriptors_and_devices_that_the_operator_names_are_written_to() {
    let session = Session::new();
    session.file("s.yaml", SCENARIO);
    let output = run(&session, "--events", FLAGS[0].1, "/dev/stderr").expect_code(0);
    assert!(output.stderr.contains("\"event\":\"end\""), "{output:?}");
    run(&session, "--events", FLAGS[0].1, "/dev/null").expect_code(0);
    let output = run(&session, "--events", FLAGS[0].1, "/dev/full").expect_code(0);
    assert!(output.stderr.contains("warning: the events file is incomplete: "), "{output:?}");
    // As bash's >(…) names it.
    let program = session.command(["run", "s.yaml", "--events", "/dev/fd/3"]);
    let mut shell = Command::new("sh");
    shell.args(["-c", "echo first > log; exec \"$@\" 3>>log", "sh"]);
    shell.arg(program.get_program()).args(program.get_args()).current_dir(session.path("."));
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    Output::from(shell.output().unwrap()).expect_code(0);
    let log = fs::read_to_string(session.path("log")).unwrap();
    assert!(log.starts_with("first\n") && log.contains("\"event\":\"end\""), "{log}");
}

#[test]
fn a_pipe_with_a_reader_gets_all_of_it() {
    let session = Session::new();
    session.file("s.yaml", SCENARIO);
    for (flag, words) in FLAGS {
        let path = session.path(&format!("pipe{flag}"));
        pipe(&path);
        let name = path.display().to_string();
        let reader = thread::spawn(move || {
            let mut text = String::new();
            fs::File::open(path).unwrap().read_to_string(&mut text).unwrap();
            text
        });
        run(&session, flag, words, &name).expect_code(0);
        assert!(reader.join().unwrap().ends_with('\n'), "{flag}");
    }
}

#[test]
fn a_pipe_that_nobody_reads_is_not_waited_for_for_ever() {
    let session = Session::new();
    session.file("s.yaml", SCENARIO);
    pipe(&session.path("pipe"));
    for flag in ["--events", "--junit", "--record-grants"] {
        let words = ["run", "s.yaml", "--timeout", "1"];
        let output = run(&session, flag, &words, "pipe").expect_code(7);
        let expected = format!(
            "error: {flag}: can't write `pipe`: it is a pipe that nobody has read from for 1 s\n"
        );
        assert_eq!(output.stderr, expected);
    }
    // Meanwhile signals are heard.
    let mut command = session.command(["run", "s.yaml", "--timeout", "600", "--events", "pipe"]);
    let mut child = command.stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    thread::sleep(Duration::from_millis(300));
    let sent = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(sent.unwrap().success());
    let start = Instant::now();
    assert!(!child.wait().unwrap().success());
    assert!(start.elapsed() < PATIENCE);
}

/// It is opened, and never read from: what doesn't fit waits, and the run doesn't.
#[test]
fn a_reader_that_stops_reading_holds_up_nothing() {
    let session = Session::new();
    let links = (0..700).map(|n| format!("link add d{n} type bridge\n")).collect::<String>();
    session.file("lines", links);
    let path = session.path("pipe");
    pipe(&path);
    // Both ends, as fifo(7) allows on Linux: so that nobody waits for the other.
    let held = fs::File::options().read(true).write(true).open(&path).unwrap();
    let words = ["run", "builtin:ip", "-p", "script=@lines", "--events", "pipe"];
    let output = session.netwright(words).expect_code(0);
    let warning = "warning: the events file is incomplete: nobody reads it\n";
    assert!(output.stderr.contains(warning), "{output:?}");
    drop(held);
}

/// It reads something again and again: the run has its time, and a moment more.
#[test]
fn a_reader_that_is_slow_holds_up_no_run() {
    let session = Session::new();
    let links = (0..700).map(|n| format!("link add d{n} type bridge\n")).collect::<String>();
    session.file("lines", links);
    // Its recipe is compiled before anything is timed.
    session.netwright(["validate", "builtin:ip", "-p", "script=@lines"]).expect_code(0);
    let path = session.path("pipe");
    pipe(&path);
    thread::spawn(move || {
        let mut pipe = fs::File::open(path).unwrap();
        let mut bytes = [0; 100];
        while pipe.read(&mut bytes).is_ok_and(|length| length > 0) {
            thread::sleep(Duration::from_millis(200));
        }
    });
    let start = Instant::now();
    let mut words = vec!["run", "builtin:ip", "-p", "script=@lines", "--events", "pipe"];
    let time = machine::patience(Duration::from_secs(5)).as_secs().to_string();
    words.extend(["--timeout", &time]);
    let output = session.netwright(words);
    assert!(matches!(output.code, 0 | 7), "{output:?}");
    let warning = "warning: the events file is incomplete: nobody reads it\n";
    assert!(output.stderr.contains(warning), "{output:?}");
    let most = 2 * machine::patience(Duration::from_secs(40));
    assert!(start.elapsed() < most, "{:?}", start.elapsed());
}

/// They would read what is written, or hold the run up; so it is with their files.
#[test]
fn another_users_pipe_in_a_folder_for_all_is_refused() {
    let session = Session::new();
    session.file("s.yaml", SCENARIO);
    let folder = session.folder("for-all");
    fs::set_permissions(&folder, Permissions::from_mode(0o1777)).unwrap();
    let path = folder.join("x");
    pipe(&path);
    fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
    chown(&path, Some(12_345), Some(12_345)).expect("the tests run as root");
    let why = "it belongs to user 12345, in a folder where each may replace only what is theirs";
    for (flag, words) in FLAGS {
        let output = run(&session, flag, words, "for-all/x").expect_code(2);
        assert_eq!(output.stderr, format!("error: {flag}: can't write `for-all/x`: {why}\n"));
    }
}

/// Others may have made a hard link to an open file of this user's.
#[test]
fn what_is_written_is_no_more_open_than_a_new_file() {
    let session = Session::new();
    session.file("s.yaml", SCENARIO);
    let mode = |name: &str| fs::metadata(session.path(name)).unwrap().permissions().mode() & 0o777;
    session.file("new", "");
    let usual = mode("new");
    let open = session.file("open", "");
    let folder = session.folder("for-all");
    for (number, folder_mode) in [0o1777, 0o777, 0o775, 0o755].into_iter().enumerate() {
        fs::set_permissions(&folder, Permissions::from_mode(folder_mode)).unwrap();
        for (flag, words) in FLAGS {
            let name = format!("for-all/{number}{flag}");
            fs::set_permissions(&open, Permissions::from_mode(0o666)).unwrap();
            fs::hard_link(&open, session.path(&name)).unwrap();
            run(&session, flag, words, &name).expect_code(0);
            assert_eq!(mode(&name), 0o666 & usual, "{folder_mode:o} {flag}");
            // A closed one stays closed.
            fs::set_permissions(session.path(&name), Permissions::from_mode(0o600)).unwrap();
            run(&session, flag, words, &name).expect_code(0);
            assert_eq!(mode(&name), 0o600, "{folder_mode:o} {flag}");
        }
    }
}
