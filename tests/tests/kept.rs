//! Labs and deployments while somebody makes them, takes them apart or looks at them from elsewhere:
//! nothing that isn't theirs is ended, and nothing of theirs is lost.

use std::fs;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use netwright_tests::{Host, Output};

/// A moment of the run, and what happens to it then.
const MOMENT: &str = "NETWRIGHT_CRASH_AT";
const WHAT: &str = "NETWRIGHT_CRASH";
const PATIENCE: Duration = Duration::from_secs(120);

const SCENARIO: &str = "\
name: lan
steps:
  - recipe: builtin:topology
    params: { namespaces: [a, b] }
";

/// A machine with processes of its own, of which some are nobody's of netwright.
struct Machine {
    host: Host,
    bystanders: Vec<(Child, u32)>,
}

impl Machine {
    fn new() -> Self {
        let host = Host::with_processes();
        let mut command = std::process::Command::new("sh");
        command.args(["-c", "echo $$; exec sleep 6000"]);
        let start = |_| {
            let mut command = host.command(&command);
            let mut child = command.stdout(Stdio::piped()).spawn().expect("nsenter is installed");
            let mut line = String::new();
            let stdout = child.stdout.take().expect("it is piped");
            std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line)
                .expect("a number");
            (child, line.trim().parse().expect("a number"))
        };
        let bystanders = (0..3).map(start).collect();
        host.session().file("lan.yaml", SCENARIO);
        Self { host, bystanders }
    }

    fn scenario(&self) -> String {
        self.host.session().path("lan.yaml").display().to_string()
    }

    fn start(&self, words: &[&str], what: &str, moment: usize) -> Child {
        let mut inner = self.host.session().command(words);
        inner.env(MOMENT, moment.to_string()).env(WHAT, what);
        let mut command = self.host.command(&inner);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().expect("nsenter is installed: cargo xtask setup")
    }

    fn netwright(&self, words: &[&str]) -> Output {
        self.host.netwright(words, &[])
    }

    #[track_caller]
    fn bystanders_live(&mut self, when: &str) {
        for (bystander, _) in &mut self.bystanders {
            assert_eq!(bystander.try_wait().expect("it is ours"), None, "{when}: one was ended");
        }
    }

    /// Processes that hold a lab.
    fn holders(&self) -> usize {
        let output = self.host.run("ps", ["-eo", "args"]).expect_code(0);
        output.stdout.lines().filter(|line| line.contains("__hold")).count()
    }

    #[track_caller]
    fn until_no_holder(&self, when: &str) {
        let start = Instant::now();
        while self.holders() > 0 {
            assert!(start.elapsed() < PATIENCE, "{when}: a lab is held");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        for (bystander, _) in &mut self.bystanders {
            let _ = bystander.kill();
            let _ = bystander.wait();
        }
    }
}

/// Whether it stopped; else it has ended.
#[track_caller]
fn stops(process: &mut Child) -> bool {
    let start = Instant::now();
    loop {
        if let Some(status) = process.try_wait().expect("it is ours") {
            assert!(status.success(), "{status}");
            return false;
        }
        let stat = fs::read_to_string(format!("/proc/{}/stat", process.id())).unwrap_or_default();
        if stat.rsplit(')').next().is_some_and(|after| after.trim_start().starts_with('T')) {
            return true;
        }
        assert!(start.elapsed() < PATIENCE, "it neither stops nor ends");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Lets it go on to its end.
#[track_caller]
fn goes_on(mut process: Child) {
    // nsenter(1) stops with what it started, and passes this on.
    let id = process.id().to_string();
    let sent = std::process::Command::new("kill").args(["-CONT", &id]).status();
    assert!(sent.expect("kill(1) is installed").success());
    let status = process.wait().expect("it is ours");
    assert!(status.success(), "{status}");
}

/// At every moment of `words`, of which at least `least` come: whoever destroys, looks into or lists
/// what isn't there yet ends nothing.
fn nobody_is_harmed_while(words: &[&str], least: usize) {
    let mut place = Machine::new();
    let scenario = place.scenario();
    let words: Vec<&str> =
        words.iter().map(|word| if *word == "FILE" { &scenario } else { *word }).collect();
    for moment in 1.. {
        let when = format!("{words:?} at {moment}");
        let mut run = place.start(&words, "pause", moment);
        if !stops(&mut run) {
            assert!(moment > least, "only {moment} moments");
            place.netwright(&["destroy", "lan"]).expect_code(0);
            break;
        }
        let shown = place.netwright(&["ls"]).expect_code(0).stdout.starts_with("lan\t");
        for _ in 0..2 {
            let told = place.netwright(&["destroy", "lan"]).expect_code(5);
            assert!(told.stderr.contains("another process works on `lan`"), "{when}: {told:#?}");
        }
        let code = if shown { 0 } else { 5 };
        place.netwright(&["inspect", "lan"]).expect_code(code);
        place.netwright(&["exec", "lan", "--", "true"]).expect_code(code);
        place.netwright(&["plan", &scenario]).expect_code(0);
        place.netwright(&["apply", &scenario]).expect_code(5);
        place.netwright(&["run", &scenario, "--keep", "lan"]).expect_code(5);
        place.netwright(&["gc"]).expect_code(0);
        place.bystanders_live(&when);
        goes_on(run);
        assert!(place.netwright(&["ls"]).expect_code(0).stdout.starts_with("lan\t"), "{when}");
        place.netwright(&["destroy", "lan"]).expect_code(0);
        place.bystanders_live(&when);
        place.until_no_holder(&when);
    }
}

#[test]
fn destroying_what_a_run_is_about_to_keep_ends_nothing() {
    nobody_is_harmed_while(&["run", "FILE", "--keep", "lan"], 4);
}

#[test]
fn destroying_what_a_first_apply_makes_ends_nothing() {
    nobody_is_harmed_while(&["apply", "FILE"], 3);
}

/// Wherever a run is killed that keeps a lab, or puts one in another one's place, nothing of it is
/// left that nobody can take apart.
#[test]
fn a_lab_whose_run_is_killed_is_gone_or_kept() {
    let mut place = Machine::new();
    let scenario = place.scenario();
    let other = place.host.session().file("other.yaml", SCENARIO.replace("[a, b]", "[c]"));
    let other = other.display().to_string();
    for first in [None, Some(&scenario)] {
        for moment in 1.. {
            let when = format!("{first:?} at {moment}");
            if let Some(first) = first {
                place.netwright(&["apply", first]).expect_code(0);
            }
            let mut run = place.start(&["apply", &other], "runner", moment);
            let status = run.wait().expect("it is ours");
            let kept = place.netwright(&["ls"]).expect_code(0).stdout.starts_with("lan\t");
            assert!(kept || first.is_none(), "{when}: neither the old lab nor the new one");
            if kept {
                place.netwright(&["inspect", "lan"]).expect_code(0);
            }
            place.netwright(&["destroy", "lan"]).expect_code(if kept { 0 } else { 2 });
            place.until_no_holder(&when);
            place.bystanders_live(&when);
            if status.success() {
                assert!(moment > 3, "only {moment} moments");
                break;
            }
        }
    }
}

#[test]
fn destroying_twice_at_once_ends_the_lab_alone() {
    let mut place = Machine::new();
    let scenario = place.scenario();
    for _ in 0..3 {
        place.netwright(&["run", &scenario, "--keep", "lan"]).expect_code(0);
        let start = |_| place.start(&["destroy", "lan"], "", 0);
        let all: Vec<Child> = (0..4).map(start).collect();
        let codes: Vec<Option<i32>> =
            all.into_iter().map(|mut one| one.wait().expect("it is ours").code()).collect();
        assert_eq!(codes.iter().filter(|code| **code == Some(0)).count(), 1, "{codes:?}");
        assert!(codes.iter().all(|code| [Some(0), Some(2), Some(5)].contains(code)), "{codes:?}");
        place.until_no_holder("destroyed");
        place.bystanders_live("destroyed");
    }
}

/// A record names a process for people; what is ended is known otherwise.
#[test]
fn a_record_ends_nobody() {
    let mut place = Machine::new();
    let labs = place.host.session().path("runtime").join("labs");
    place.netwright(&["ls"]).expect_code(0);
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").expect("procfs");
    let process = place.bystanders[0].1;
    let record = |schema: u32| {
        let boot = boot.trim();
        format!(
            r#"{{"schema":{schema},"name":"lan","pid":{process},"started":1,"boot":"{boot}","created":0,"scenario":"x","namespaces":1}}"#
        )
    };
    let file = labs.join("lan.json");
    // Of nobody: gone. Of another version: told, and left alone.
    fs::write(&file, record(2)).expect("the folder is ours");
    place.netwright(&["destroy", "lan"]).expect_code(2);
    fs::write(&file, record(1)).expect("the folder is ours");
    let told = place.netwright(&["destroy", "lan"]).expect_code(5);
    assert!(told.stderr.contains("its record has schema 1"), "{told:#?}");
    let listed = place.netwright(&["ls"]).expect_code(0).stdout;
    assert!(listed.starts_with("lan\ta lab\tnot to be read: "), "{listed}");
    assert!(file.exists(), "a record that is not understood stays");
    // Also one of a form that nobody here has ever seen.
    let later = r#"{"schema":9,"is":["held"]}"#;
    for name in ["lan.json", ".lan.json"] {
        fs::write(labs.join(name), later).expect("the folder is ours");
    }
    for words in [&["destroy", "lan"][..], &["gc"], &["ls"]] {
        let told = place.netwright(words);
        let code = match words[0] {
            "destroy" => 5,
            "gc" => 6,
            _ => 0,
        };
        assert_eq!(told.code, code, "{words:?}: {told:#?}");
        let text = told.stdout.clone() + &told.stderr;
        assert!(text.contains("its record has schema 9"), "{told:#?}");
        for name in ["lan.json", ".lan.json"] {
            let text = fs::read_to_string(labs.join(name)).expect("it stays");
            assert_eq!(text, later, "{name} after {words:?}");
        }
    }
    fs::remove_file(labs.join(".lan.json")).expect("it is ours");
    place.bystanders_live("records that nobody holds");
    // Held by a stranger, who has it as his standard output, as a lab's holder has.
    let aside = place.host.session().file("aside.json", record(2));
    let script = format!(
        "exec 1<>{0}; flock -x 1; mv {0} {1}; exec sleep 6000",
        aside.display(),
        file.display()
    );
    let mut inner = std::process::Command::new("sh");
    inner.args(["-c", &script]);
    let mut stranger = place.host.command(&inner).spawn().expect("nsenter is installed");
    let start = Instant::now();
    while place.netwright(&["ls"]).expect_code(0).stdout.is_empty() {
        assert!(start.elapsed() < PATIENCE, "flock(1) takes no lock");
    }
    for command in ["destroy", "destroy"] {
        let told = place.netwright(&[command, "lan"]).expect_code(8);
        assert!(told.stderr.contains("can't be taken apart from inside"), "{told:#?}");
    }
    assert_eq!(stranger.try_wait().expect("it is ours"), None, "a stranger was ended");
    place.bystanders_live("a record that a stranger holds");
    let _ = stranger.kill();
    let _ = stranger.wait();
}

/// Where processes have other numbers, or clocks other times, a lab is the same lab.
#[test]
fn labs_live_whichever_namespaces_one_looks_from() {
    let place = Machine::new();
    let scenario = place.scenario();
    place.netwright(&["run", &scenario, "--keep", "lan"]).expect_code(0);
    let within = |options: &[&str], words: &[&str]| {
        let inner = place.host.session().command(words);
        let mut outer = std::process::Command::new("unshare");
        outer.args(options).arg(inner.get_program()).args(inner.get_args());
        outer.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
        Output::from(place.host.command(&outer).output().expect("nsenter is installed"))
    };
    let processes = ["--pid", "--fork", "--mount-proc"];
    let times = ["--time", "--boottime", "1000000", "--fork"];
    for options in [&processes[..], &times[..]] {
        for _ in 0..2 {
            let listed = within(options, &["ls"]).expect_code(0);
            assert!(listed.stdout.starts_with("lan\t"), "{options:?}: {listed:#?}");
            within(options, &["gc"]).expect_code(0);
        }
        within(options, &["run", &scenario, "--keep", "lan"]).expect_code(2);
    }
    for words in [&["destroy", "lan"][..], &["inspect", "lan"], &["exec", "lan", "--", "true"]] {
        let told = within(&processes, words).expect_code(8);
        assert!(told.stderr.contains("can't be seen from here"), "{told:#?}");
    }
    within(&times, &["inspect", "lan"]).expect_code(0);
    assert!(place.netwright(&["ls"]).stdout.starts_with("lan\t"));
    within(&times, &["destroy", "lan"]).expect_code(0);
    place.until_no_holder("destroyed");
}

#[test]
fn a_lab_is_not_taken_apart_from_inside() {
    let place = Machine::new();
    let scenario = place.scenario();
    place.netwright(&["run", &scenario, "--keep", "lan"]).expect_code(0);
    let program = place.host.session().command(["ls"]).get_program().to_string_lossy().into_owned();
    let told = place.netwright(&["exec", "lan", "--", &program, "destroy", "lan"]).expect_code(8);
    assert!(told.stderr.contains("can't be taken apart from inside"), "{told:#?}");
    // What has a user namespace of its own inside the lab goes with it.
    let mut inner = place.host.session().command(["exec", "lan", "--", "unshare", "-Ur", "sleep"]);
    inner.arg("6000");
    let mut inside = place.host.command(&inner).spawn().expect("nsenter is installed");
    let start = Instant::now();
    while place.netwright(&["exec", "lan", "--", "pgrep", "-x", "sleep"]).code != 0
        || !place.host.run("ps", ["-eo", "args"]).stdout.contains("\nsleep 6000\nsleep 6000\nsleep")
    {
        if start.elapsed() > Duration::from_secs(5) {
            break;
        }
        thread::sleep(Duration::from_millis(20));
    }
    place.netwright(&["destroy", "lan"]).expect_code(0);
    assert!(!inside.wait().expect("it is ours").success());
}

/// A lock or a pipe of whoever calls netwright is free when the call is over.
#[test]
fn nothing_that_stays_has_descriptors_of_the_callers() {
    let place = Machine::new();
    let scenario = place.scenario();
    let program = place.host.session().command(["ls"]).get_program().to_string_lossy().into_owned();
    let lock = place.host.session().path("lock").display().to_string();
    let deployed = place.host.session().file(
        "host.yaml",
        "name: dep\ntarget: host\nsteps:\n  - recipe: builtin:ip\n    params: { script: 'ip link add lab-a type bridge' }\n",
    );
    let calls = [
        (format!("run {scenario} --keep lan"), "lan"),
        (
            format!(
                "apply {} --grant 'host.link.create kind=bridge name=lab-*' --grant host.link.read --confirm-within 1h",
                deployed.display()
            ),
            "dep",
        ),
    ];
    for (call, name) in calls {
        let script = format!(
            "exec 9>{lock}; flock 9; {program} {call} >/dev/null || exit 90; exec 9>&-; flock -n {lock} true || exit 91"
        );
        let inner = place.host.session().command(["ls"]);
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", &script]);
        shell.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let output = Output::from(place.host.command(&shell).output().expect("nsenter"));
        assert_eq!(output.code, 0, "{call}: {output:#?}");
        place.netwright(&["destroy", name]).expect_code(0);
    }
}

#[test]
fn a_namespace_that_a_program_made_is_the_labs() {
    let place = Machine::new();
    let scenario = place.scenario();
    place.netwright(&["apply", &scenario]).expect_code(0);
    let inside = |words: &[&str]| place.netwright(&[&["exec", "lan", "--"], words].concat());
    inside(&["ip", "netns", "add", "zz"]).expect_code(0);
    inside(&["ip", "-n", "zz", "link", "add", "d0", "type", "bridge"]).expect_code(0);
    place.netwright(&["exec", "lan", "-n", "zz", "--", "ip", "link", "show", "d0"]).expect_code(0);
    let shown = place.netwright(&["inspect", "lan"]).expect_code(0);
    assert!(shown.stdout.contains("zz") && shown.stdout.contains("d0"), "{shown:#?}");
    let plan = place.netwright(&["plan", &scenario]).expect_code(0);
    assert!(plan.stdout.contains("zz"), "{plan:#?}");
    place.netwright(&["apply", &scenario]).expect_code(0);
    let plan = place.netwright(&["plan", &scenario]).expect_code(0);
    assert!(plan.stdout.ends_with("lan: 0 changes\n"), "{plan:#?}");
    inside(&["ip", "netns", "add", "zz"]).expect_code(0);
    inside(&["ip", "netns", "delete", "zz"]).expect_code(0);
    let plan = place.netwright(&["plan", &scenario]).expect_code(0);
    assert!(plan.stdout.ends_with("lan: 0 changes\n"), "{plan:#?}");
    place.netwright(&["destroy", "lan"]).expect_code(0);
}

/// Whatever programs put into /run/netns of a lab, it can be read, mended and taken apart.
#[test]
fn what_is_no_namespace_is_passed_over() {
    let place = Machine::new();
    let scenario = place.scenario();
    place.netwright(&["apply", &scenario]).expect_code(0);
    // A lab of another run's, to be named in this one.
    place.netwright(&["run", &scenario, "--keep", "other"]).expect_code(0);
    let holder = "ps -eo pid,args | awk '/__hold/ { print $1 }' | tail -1";
    let script = format!(
        "cd /run/netns && : > empty && mkdir folder && mkfifo fifo && ln -s a link && ln -s /nowhere loose && \
         : > same && mount --bind a same && : > root && mount --bind /proc/self/ns/net root && \
         : > user && mount --bind /proc/self/ns/user user && : > 'odd name' && \
         : > theirs && mount --bind /proc/$({holder})/ns/net theirs && \
         : > machine && mount --bind /proc/1/ns/net machine; ls"
    );
    let made = place.netwright(&["exec", "lan", "--", "sh", "-c", &script]).expect_code(0);
    let shown = place.netwright(&["inspect", "lan", "--json"]).expect_code(0);
    let spaces = shown.json();
    let names: Vec<&str> = spaces["namespaces"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|space| space["name"].as_str())
        .collect();
    assert_eq!(names, ["", "a", "b"], "{made:#?}\n{shown:#?}");
    for file in ["empty", "folder", "fifo", "link", "loose", "same", "root", "user", "odd name"] {
        let note = format!("note: `/run/netns/{file}` of the lab is passed over: ");
        assert!(shown.stderr.contains(&note), "{file}: {shown:#?}");
    }
    let plan = place.netwright(&["plan", &scenario]).expect_code(0);
    assert!(plan.stdout.ends_with("lan: 0 changes\n"), "{plan:#?}");
    place.netwright(&["apply", &scenario]).expect_code(0);
    place.netwright(&["exec", "lan", "-n", "b", "--", "true"]).expect_code(0);
    place.netwright(&["exec", "lan", "-n", "fifo", "--", "true"]).expect_code(2);
    place.netwright(&["destroy", "lan"]).expect_code(0);
    place.netwright(&["inspect", "other"]).expect_code(0);
    place.netwright(&["destroy", "other"]).expect_code(0);
}

const RUNNING: &str = "\
name: NAME
target: host
steps:
  - recipe: builtin:topology
    params: { namespaces: [lab-SPACE] }
";

fn deploy(host: &Host, name: &str, space: &str) -> std::process::Command {
    let text = RUNNING.replace("NAME", name).replace("SPACE", space);
    let file = host.session().file(&format!("{name}-{space}.yaml"), text).display().to_string();
    let words = ["apply", &file, "--grant", "host.namespace name=lab-*"];
    host.command(&host.session().command(words))
}

/// Whatever a grant covers, and however the namespace is named.
#[test]
fn no_grant_lets_a_run_into_another_runs_namespace() {
    let host = Host::with_processes();
    let made = Output::from(deploy(&host, "first", "a").output().expect("nsenter")).expect_code(0);
    let mut inner = std::process::Command::new("ip");
    inner.args(["netns", "exec", "lab-a", "sleep", "6000"]);
    let mut inhabitant = host.command(&inner).spawn().expect("nsenter is installed");
    let start = Instant::now();
    let process = loop {
        let pids = host.run("ip", ["netns", "pids", "lab-a"]).stdout;
        if let Some(pid) = pids.lines().next() {
            break pid.to_owned();
        }
        assert!(start.elapsed() < PATIENCE, "{made:#?}");
        thread::sleep(Duration::from_millis(20));
    };
    let before = host.run("ip", ["-n", "lab-a", "-d", "link"]).expect_code(0).stdout;
    let names = ["host.namespace name=lab-*", "host.namespace name=lab-a"];
    let script = "ip -n lab-a link add d0 type bridge";
    let more = ["host.link.create name=d* kind=bridge", "host.link.read"];
    let tries = |host: &Host| {
        for name in names {
            let told = host.run_ip(script, &[&[name][..], &more].concat());
            assert!([4, 5].contains(&told.code), "{name}: {told:#?}");
            assert!(told.stdout.contains("no grant lets another run in"), "{name}: {told:#?}");
        }
    };
    tries(&host);
    let grant = format!("host.namespace pid={process}");
    let told = host.run_ip("ip link show", &[&grant[..], "host.link.read"]);
    assert_eq!(told.code, 2, "{told:#?}");
    assert!(told.stderr.contains("no grant lets another run in"), "{told:#?}");
    // By another name that somebody gave it.
    host.ip_lines(&format!("netns attach lab-alias {process}"));
    let told =
        host.run_ip("ip -n lab-alias link add d0 type bridge", &[&names[..1], &more].concat());
    assert!(told.stdout.contains("no grant lets another run in"), "{told:#?}");
    host.ip_lines("netns delete lab-alias");
    // Whoever keeps his journals elsewhere knows it by what is below the mount.
    let elsewhere = host.session().folder("elsewhere");
    let set = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    fs::set_permissions(&elsewhere, set).expect("it is ours");
    let folder = [("NETWRIGHT_RUNTIME_DIR", &*elsewhere.display().to_string())];
    let told = host.run_ip_with(script, &[&names[..1], &more].concat(), &folder);
    assert!(told.stdout.contains("no grant lets another run in"), "{told:#?}");
    // Others of the grant's are as before.
    host.ip_lines("netns add lab-o");
    host.run_ip("ip -n lab-o link add d0 type bridge", &[&names[..1], &more].concat())
        .expect_code(0);
    Output::from(deploy(&host, "second", "b").output().expect("nsenter")).expect_code(0);
    assert_eq!(host.run("ip", ["-n", "lab-a", "-d", "link"]).expect_code(0).stdout, before);
    let _ = inhabitant.kill();
    let _ = inhabitant.wait();
    for name in ["first", "second"] {
        host.netwright(["destroy", name], &[]).expect_code(0);
    }
}

#[test]
fn two_first_applies_of_one_name_make_one_deployment() {
    let host = Host::with_processes();
    for _ in 0..3 {
        let mut commands = ["a", "b"].map(|space| deploy(&host, "two", space));
        let runs = commands.each_mut().map(|command| {
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("nsenter")
        });
        let codes = runs.map(|mut run| run.wait().expect("it is ours").code());
        assert!(codes.contains(&Some(0)), "{codes:?}");
        let listed = host.netwright(["ls"], &[]).expect_code(0).stdout;
        assert_eq!(listed.lines().count(), 1, "{codes:?}: {listed}");
        host.netwright(["destroy", "two"], &[]).expect_code(0);
        assert_eq!(host.netwright(["ls"], &[]).expect_code(0).stdout, "");
        let left = host.run("sh", ["-c", "ls /run/netns 2>/dev/null | grep lab-"]).stdout;
        assert_eq!(left, "");
    }
}

/// The watcher, and whoever asks, hold a journal's lock for a moment.
#[test]
fn a_lock_that_is_held_a_moment_hides_no_deployment() {
    let host = Host::with_processes();
    for _ in 0..3 {
        let text = RUNNING.replace("NAME", "dep").replace("SPACE", "a");
        let file = host.session().file("dep.yaml", text).display().to_string();
        let grant = "host.namespace name=lab-*";
        let words = ["apply", &file, "--grant", grant, "--confirm-within", "1h"];
        host.netwright(words, &[]).expect_code(0);
        let confirm = |_| {
            let mut command = host.command(&host.session().command(["confirm", "dep"]));
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("nsenter")
        };
        let all: Vec<Child> = (0..6).map(confirm).collect();
        for _ in 0..20 {
            let listed = host.netwright(["ls"], &[]).expect_code(0).stdout;
            assert!(listed.starts_with("dep\t"), "{listed:?}");
        }
        for mut one in all {
            assert_eq!(one.wait().expect("it is ours").code(), Some(0));
        }
        host.netwright(["destroy", "dep"], &[]).expect_code(0);
    }
}

/// Where a namespace shifts the clock, time goes on as fast as elsewhere.
#[test]
fn a_time_namespace_takes_no_deployment_back() {
    let host = Host::with_processes();
    let text = RUNNING.replace("NAME", "dep").replace("SPACE", "a");
    let file = host.session().file("dep.yaml", text).display().to_string();
    let grant = "host.namespace name=lab-*";
    host.netwright(["apply", &file, "--grant", grant, "--confirm-within", "1h"], &[])
        .expect_code(0);
    for shift in ["1000000", "-100"] {
        for words in [&["gc"][..], &["ls", "--json"]] {
            let inner = host.session().command(words);
            let mut outer = std::process::Command::new("unshare");
            outer.args(["--time", "--boottime", shift, "--fork"]);
            outer.arg(inner.get_program()).args(inner.get_args());
            outer.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
            let output = Output::from(host.command(&outer).output().expect("nsenter"));
            let output = output.expect_code(0);
            if words.len() > 1 {
                let left = output.json()["deployments"][0]["confirm_within"].as_f64();
                assert!(left.is_some_and(|left| (1.0..=3600.0).contains(&left)), "{output:#?}");
            }
        }
    }
    assert!(host.netwright(["ls"], &[]).expect_code(0).stdout.starts_with("dep\t"));
    host.netwright(["confirm", "dep"], &[]).expect_code(0);
    host.netwright(["destroy", "dep"], &[]).expect_code(0);
}
