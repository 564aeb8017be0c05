//! Labs: kept, looked into, entered and taken apart.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use netwright_tests::machine::patience;
use netwright_tests::{Output, Session};

const PAIR: &str = "\
ip netns add left
ip netns add right
ip link add eth0 netns left type veth peer name eth0 netns right
ip -n left address add 10.0.0.1/24 dev eth0
ip -n left link set eth0 up
ip -n right address add 10.0.0.2/24 dev eth0
ip -n right link set eth0 up
ip -n left route add default via 10.0.0.2
";

fn pair(session: &Session) -> Vec<String> {
    let script = session.file("pair.ip", PAIR);
    vec!["builtin:ip".to_owned(), "-p".to_owned(), format!("script=@{}", script.display())]
}

fn keeps_shows_enters_and_destroys(session: &Session, name: &str) {
    let lab = session.keep(name, pair(session));
    assert!(session.netwright(["ls"]).stdout.starts_with(&format!("{name}\t2 namespaces\t")));
    let links = lab.ip_json(Some("left"), ["link", "show", "eth0"]);
    assert_eq!(links[0]["linkinfo"]["info_kind"], "veth");
    assert_eq!(lab.exec(None, ["ip", "-n", "right", "-br", "link"]).expect_code(0).code, 0);
    assert_eq!(lab.exec(Some("left"), ["sh", "-c", "exit 42"]).code, 42);
    let shown = session.netwright(["inspect", name, "--json"]).expect_code(0).json();
    assert_eq!(shown["schema"], 1);
    assert_eq!(shown["lab"], *name);
    let left = &shown["namespaces"][1];
    assert_eq!(left["name"], "left");
    let eth0 = &left["links"][1];
    assert_eq!(eth0["name"], "eth0");
    assert_eq!(eth0["kind"], "veth");
    assert_eq!(eth0["peer"], "right/eth0");
    assert_eq!(eth0["mac"], links[0]["address"]);
    assert_eq!(eth0["up"], true);
    assert_eq!(eth0["addresses"][0], "10.0.0.1/24");
    let routes = left["routes"].as_array().expect("a list of routes");
    let default = routes.iter().find(|route| route["destination"] == "default");
    assert_eq!(default.expect("a default route")["gateway"], "10.0.0.2");
    let again = session.netwright(["run", "--keep", name, "builtin:ip", "-p", "script="]);
    let again = again.expect_code(2);
    assert!(again.stderr.contains(&format!("lab `{name}` is kept already")), "{again:#?}");
    drop(lab);
    assert_eq!(session.netwright(["ls"]).stdout, "");
}

/// On a terminal; programs get a tab between them.
#[test]
fn kept_labs_are_listed_in_columns() {
    let session = Session::new();
    let _labs = ["a", "longer-than-a-tab"].map(|name| session.keep(name, pair(&session)));
    let ls = session.command(["ls"]);
    let mut terminal = Command::new("script");
    let line = format!("{} ls", ls.get_program().display());
    terminal.args(["-q", "-e", "-c", &line, "/dev/null"]).stdin(Stdio::null());
    for (name, value) in ls.get_envs() {
        terminal.env(name, value.unwrap_or_default());
    }
    let shown = Output::from(terminal.output().expect("script(1) is installed")).expect_code(0);
    let columns: Vec<_> = shown.stdout.lines().map(|line| line.find("2 namespaces")).collect();
    assert_eq!(columns, [Some(19), Some(19)], "{shown:#?}");
}

#[test]
fn a_kept_lab_is_shown_entered_and_destroyed() {
    keeps_shows_enters_and_destroys(&Session::new(), "kept-by-root");
}

#[test]
fn an_ordinary_user_keeps_labs_as_well() {
    keeps_shows_enters_and_destroys(&Session::as_ordinary_user(), "kept-by-nobody");
}

#[test]
fn what_runs_in_a_lab_ends_with_it() {
    let session = Session::new();
    let lab = session.keep("inhabited", pair(&session));
    let mut sleeper = session
        .command(["exec", "inhabited", "-n", "left", "--", "sleep", "600"])
        .spawn()
        .expect("the program starts");
    let started = Instant::now();
    while lab.exec(None, ["pgrep", "-f", "sleep 600"]).code != 0 {
        assert!(started.elapsed() < patience(Duration::from_secs(20)), "`sleep` did not start");
        sleep(Duration::from_millis(20));
    }
    drop(lab);
    let status = sleeper.wait().expect("it was started here");
    assert!(!status.success());
}

#[test]
fn unknown_names_are_answered_with_near_ones() {
    let session = Session::as_ordinary_user();
    let lab = session.keep("precise", pair(&session));
    let output = session.netwright(["destroy", "precize"]).expect_code(2);
    assert_eq!(
        output.stderr,
        "error: nothing is kept as `precize`\n  help: did you mean `precise`?\n"
    );
    let output = session.netwright(["exec", "precise", "-n", "lift", "--", "true"]).expect_code(2);
    assert_eq!(
        output.stderr,
        "error: the lab has no namespace `lift`\n  help: did you mean `left`?\n"
    );
    let output = lab.exec(None, ["/no/such/program"]);
    assert_eq!(output.code, 127);
}

#[test]
fn records_of_others_are_not_believed() {
    let session = Session::as_ordinary_user();
    let folder = session.path("runtime").join("netwright");
    symlink("/etc", &folder).expect("the folder is not there yet");
    let output = session.netwright(["ls"]).expect_code(8);
    assert!(output.stderr.contains("for the records of labs"), "{output:#?}");
}

#[test]
fn an_interrupted_run_is_undone_and_says_so() {
    let session = Session::new();
    session.bring("target/recipes/components/bomb.wasm");
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 143)] {
        let events = session.path(signal);
        let run = session
            .command(["run", "./bomb.wasm", "-p", "how=loop", "--timeout", "600", "--events"])
            .arg(&events)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        // Compiled, and at work.
        let (started, patience) = (Instant::now(), patience(Duration::from_secs(60)));
        while !fs::read_to_string(&events).is_ok_and(|text| text.contains("netns add first")) {
            assert!(started.elapsed() < patience, "nothing is made");
            sleep(Duration::from_millis(20));
        }
        let kill = std::process::Command::new("kill")
            .args([format!("-{signal}"), run.id().to_string()])
            .status()
            .expect("kill is there");
        assert!(kill.success());
        let output = run.wait_with_output().expect("it was started here");
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stdout).contains("1 undone"), "{output:?}");
    }
}
