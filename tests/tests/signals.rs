//! Signals to a run on the host: the first one undoes, a second one is answered while that goes on,
//! a third one ends it and leaves the rest to `gc`. And nobody has to hear what it says.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use netwright_tests::machine::patience;
use netwright_tests::{Host, Output};

const MACHINE: &str = "link add eth1 type veth peer name sw1
                       netns add other";
/// The kernel needs some milliseconds to delete each, so that undo can be met on its way.
const CHILDREN: usize = 500;
const PATIENCE: Duration = Duration::from_secs(60);

/// A run on a host of its own.
struct Run {
    host: Host,
    child: Child,
}

impl Run {
    /// Makes children of eth1, and waits then.
    fn start() -> Self {
        let host = Host::with(MACHINE);
        let lines = (0..CHILDREN)
            .map(|number| format!("link add link eth1 name lab-{number} type macvlan\n"));
        let script = lines.collect::<String>();
        fs::write(host.session().path("script"), script).expect("the folder is the test's own");
        let script = format!("script=@{}", host.session().path("script").display());
        let events = host.session().path("events").display().to_string();
        let mut words = vec!["run", "builtin:ip", "--target", "host", "--events", &events];
        words.extend(["--grant", "host.link.read", "-p", &script]);
        words.extend(["--grant", "host.link.create kind=macvlan name=lab-* parent=eth1"]);
        let inner = host.session().command(words);
        // nsenter becomes the program itself, under the same number.
        let mut command = host.command(&inner);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        Self { child: child.expect("nsenter is installed: cargo xtask setup"), host }
    }

    fn children(&self) -> usize {
        self.host.run("ip", ["-o", "link", "show", "type", "macvlan"]).stdout.lines().count()
    }

    #[track_caller]
    fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        let start = Instant::now();
        while !holds(self) {
            let ended = self.child.try_wait().expect("it was started here");
            if ended.is_some() && !holds(self) {
                let said = self.child.stderr.take().map(std::io::read_to_string);
                panic!("{what}: it ended: {said:?}");
            }
            assert!(start.elapsed() < patience(PATIENCE), "{what}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.child.id().to_string()]).status();
        assert!(sent.expect("kill is there").success());
    }

    fn says(&self, words: &str) -> bool {
        let events = fs::read_to_string(self.host.session().path("events"));
        events.is_ok_and(|events| events.contains(words))
    }

    fn end(self) -> (Host, Output) {
        let output = self.child.wait_with_output().expect("it was started here");
        (self.host, output.into())
    }
}

#[test]
fn one_signal_undoes() {
    for (signal, code) in [("-INT", 130), ("-TERM", 143), ("-HUP", 143)] {
        let mut run = Run::start();
        run.until("nothing is made", |run| run.children() > 20);
        run.signal(signal);
        let (host, output) = run.end();
        assert_eq!(output.code, code, "{output:#?}");
        let left = host.run("ip", ["-o", "link", "show", "type", "macvlan"]).stdout;
        assert_eq!(left, "", "{signal}");
        assert_eq!(host.netwright(["gc"], &[]).stdout, "nothing was left behind\n");
    }
}

#[test]
fn a_second_signal_is_answered_and_a_third_one_leaves_the_rest_to_gc() {
    let mut run = Run::start();
    run.until("too few are made", |run| run.children() > CHILDREN / 2);
    let most = run.children();
    run.signal("-INT");
    run.until("nothing is taken back", |run| run.children() < most);
    run.signal("-INT");
    run.until("no answer", |run| run.says("another signal ends it and leaves them"));
    run.signal("-INT");
    let (host, output) = run.end();
    assert_eq!(output.code, 6, "{output:#?}");
    assert!(output.stderr.contains("not everything could be undone"), "{output:#?}");
    assert!(output.stderr.contains("help: `netwright gc` tries again"), "{output:#?}");
    let left = host.run("ip", ["-o", "link", "show", "type", "macvlan"]).stdout;
    assert_ne!(left, "", "nothing was left, so that nothing is tested");
    let output = host.netwright(["gc"], &[]).expect_code(0);
    assert!(output.stdout.contains("undone"), "{output:#?}");
    assert_eq!(host.run("ip", ["-o", "link", "show", "type", "macvlan"]).stdout, "");
}

/// A deployment of many children, and `netwright` at work on it.
fn taking_back(words: &[&str]) -> Run {
    let host = Host::with(MACHINE);
    let lines = (0..CHILDREN)
        .map(|number| format!("          link add link eth1 name lab-{number} type macvlan\n"));
    let lines = lines.collect::<String>();
    let text = format!(
        "name: many\ntarget: host\nlimits: {{ time: 300s }}\nsteps:\n  - recipe: builtin:ip\n    params:\n      script: |\n{lines}"
    );
    let file = host.session().file("many.yaml", text).display().to_string();
    let create = "host.link.create kind=macvlan name=lab-* parent=eth1";
    let apply = ["apply", &file, "--grant", "host.link.read", "--grant", create];
    host.netwright(apply, &[]).expect_code(0);
    // The run's watcher has its journal for a moment more.
    while !host.netwright(["ls"], &[]).stdout.contains("many") {
        thread::sleep(Duration::from_millis(50));
    }
    thread::sleep(Duration::from_millis(500));
    let mut command = host.command(&host.session().command(words));
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    Run { child: child.expect("nsenter is installed: cargo xtask setup"), host }
}

#[test]
fn a_signal_while_a_deployment_is_taken_back_is_answered_and_a_second_one_leaves_the_rest_to_gc() {
    let words = "taking back goes on, ";
    for signals in [1, 2] {
        let mut run = taking_back(&["destroy", "many"]);
        run.until("nothing is taken back", |run| run.children() < CHILDREN);
        run.signal("-INT");
        if signals == 2 {
            // Two that come at the same time may be one (signal(7)).
            thread::sleep(Duration::from_millis(100));
            run.signal("-TERM");
        }
        let (host, output) = run.end();
        assert!(output.stderr.contains(words), "{output:#?}");
        let left = host.run("ip", ["-o", "link", "show", "type", "macvlan"]).stdout;
        if signals == 1 {
            assert_eq!(output.code, 0, "{output:#?}");
        } else {
            assert_eq!(output.code, 6, "{output:#?}");
            assert_ne!(left, "", "nothing was left, so that nothing is tested");
            let output = host.netwright(["gc"], &[]).expect_code(0);
            assert!(output.stdout.contains("undone"), "{output:#?}");
        }
        assert_eq!(host.run("ip", ["-o", "link", "show", "type", "macvlan"]).stdout, "");
        assert_eq!(host.netwright(["gc"], &[]).stdout, "nothing was left behind\n");
    }
}

#[test]
fn a_run_that_nobody_hears_is_undone() {
    let script = "link add link eth1 name lab-m type macvlan\nlink show";
    for outputs in [">/dev/full 2>/dev/full", ">&- 2>&-", "2>&1 | true", "--json 2>&1 | true"] {
        let host = Host::with(MACHINE);
        let before = host.state();
        let inner = host.session().command([
            "run",
            "builtin:ip",
            "--target",
            "host",
            "--grant",
            "host.link.read",
            "--grant",
            "host.link.create kind=macvlan name=lab-* parent=eth1",
            "-p",
            &format!("script={script}"),
        ]);
        // The shell gives the program its arguments as they are, and its outputs.
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("\"$0\" \"$@\" {outputs}")]);
        shell.arg(inner.get_program()).args(inner.get_args());
        shell.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let events = host.session().path("events");
        shell.args(["--events", &events.display().to_string()]);
        let ended = host.command(&shell).status().expect("nsenter is installed: cargo xtask setup");
        assert!(ended.success(), "{outputs}: {ended}");
        let events = fs::read_to_string(events).expect("the run wrote it");
        assert!(events.contains("link add link eth1 name lab-m"), "{outputs}: {events}");
        assert_eq!(host.differences(&before), [""; 0], "{outputs}");
    }
}
