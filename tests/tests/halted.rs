//! A run's time, and the signals that end a run, are heard in the middle of anything: exit 7, 130 or
//! 143 soon, with everything undone.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{PipeReader, PipeWriter, Read as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use netwright_tests::machine::patience;
use netwright_tests::{Host, Output, Session, workspace};

/// From a signal, or the end of the time, to the end of the program: a lab is taken back one by one for
/// a second. A bound against hanging, not a measurement: the kernel takes apart what other tests made of
/// thousands, one piece after the other, and whoever wants to make or delete a link waits for that.
const SOON: Duration = Duration::from_secs(25);
const BRIDGES: usize = 3000;
const NAMESPACES: usize = 4000;

/// A scenario of one step that makes this many of something in one batch.
fn topology(session: &Session, parameters: &str, limits: &str) -> PathBuf {
    let text = format!(
        "name: many\nlimits: {{ {limits} }}\nsteps:\n  - name: net\n    recipe: builtin:topology\n    params:\n      {parameters}\n"
    );
    session.file("many.yaml", text)
}

fn bridges(count: usize) -> String {
    let links = (0..count).fold(String::new(), |mut all, number| {
        let _ = write!(all, "{{ name: b{number}, kind: bridge }}, ");
        all
    });
    format!("links: [{links}]")
}

fn namespaces(count: usize) -> String {
    let names = (0..count).fold(String::new(), |mut all, number| {
        let _ = write!(all, "n{number}, ");
        all
    });
    format!("namespaces: [{names}]")
}

/// What a recipe compiles to is kept, so that a time of seconds is the run's alone.
fn warm(session: &Session) {
    let nothing = session.file("warm.yaml", "name: warm\nsteps:\n  - recipe: builtin:topology\n    params: { namespaces: [n] }\nlimits: { time: 300s }\n");
    session.netwright(["run".as_ref(), nothing.as_os_str()]).expect_code(0);
}

/// The program, started.
struct Running(Child, Instant);

impl Running {
    fn start(mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Self(command.spawn().expect("the program is there"), Instant::now())
    }

    fn signal(&mut self, signal: &str) {
        if self.0.try_wait().expect("it is ours").is_some() {
            let mut said = String::new();
            let stderr = self.0.stderr.as_mut().expect("it is piped");
            stderr.read_to_string(&mut said).expect("text");
            panic!("it has ended before {signal}: {said}");
        }
        let sent = Command::new("kill").args([signal, &self.0.id().to_string()]).status();
        assert!(sent.expect("kill is there").success());
        self.1 = Instant::now();
    }

    /// Its end, which comes soon after what was done last.
    #[track_caller]
    fn ends_soon(self, what: &str) -> Output {
        let Self(child, since) = self;
        let output: Output = child.wait_with_output().expect("it was started here").into();
        let took = since.elapsed();
        assert!(took < patience(SOON), "{what}: {took:?} until its end: {output:#?}");
        output
    }
}

/// One signal at some moments of a command, each of which ends it.
#[track_caller]
fn hears(what: &str, moments: &[u64], command: impl Fn() -> Command) {
    for (moment, (signal, code)) in
        moments.iter().zip([("-INT", 130), ("-TERM", 143)].iter().cycle())
    {
        let mut running = Running::start(command());
        thread::sleep(Duration::from_millis(*moment));
        running.signal(signal);
        let what = format!("{what}, {signal} after {moment} ms");
        let output = running.ends_soon(&what);
        assert_eq!(output.code, *code, "{what}: {output:#?}");
    }
}

#[test]
fn the_time_of_a_run_ends_a_batch_in_its_middle() {
    let session = Session::new();
    warm(&session);
    for (what, count) in [(bridges(BRIDGES), BRIDGES), (namespaces(NAMESPACES), NAMESPACES)] {
        // As much time as it takes to come to the batch, and no more.
        let mut seconds = 1;
        let output = loop {
            let file = topology(&session, &what, &format!("time: {seconds}s"));
            let running = Running::start(session.command(["run".as_ref(), file.as_os_str()]));
            let output = running.ends_soon("a batch").expect_code(7);
            if output.stderr.contains(" changes of a batch: limit reached") {
                break output;
            }
            seconds *= 2;
        };
        let first = output.stderr.lines().next().unwrap_or_default();
        let words = format!(" of {count} changes of a batch: limit reached: {seconds} s of time");
        let begin = "error: recipe `topology` was stopped in `run`, after ";
        let made = first.strip_prefix(begin).and_then(|rest| rest.strip_suffix(&words));
        let made: usize = made.and_then(|made| made.parse().ok()).unwrap_or(count);
        assert!(made < count, "{output:#?}");
        assert!(
            output.stderr.contains("\n  help: `limits` in the scenario, or --timeout, raises it")
        );
        let undone = output.stdout.contains(" undone, ") || output.stdout.contains(" undone with");
        assert!(made == 0 || undone, "{output:#?}");
    }
}

#[test]
fn signals_end_a_batch_in_its_middle() {
    let session = Session::new();
    warm(&session);
    let file = topology(&session, &bridges(BRIDGES), "time: 300s");
    let run = || session.command(["run".as_ref(), file.as_os_str()]);
    hears("bridges", &[200, 1500], run);
    let file = topology(&session, &namespaces(NAMESPACES), "time: 300s");
    let run = || session.command(["run".as_ref(), file.as_os_str()]);
    hears("namespaces", &[300, 900], run);
}

#[test]
fn a_rehearsal_ends_with_the_time_and_by_signals_and_deploys_nothing() {
    let session = Session::new();
    warm(&session);
    let file = topology(&session, &bridges(BRIDGES), "time: 1s");
    for command in ["plan", "apply"] {
        let running = Running::start(session.command([command.as_ref(), file.as_os_str()]));
        let output = running.ends_soon(command).expect_code(7);
        assert!(output.stderr.contains("limit reached: 1 s of time"), "{output:#?}");
    }
    let file = topology(&session, &bridges(BRIDGES), "time: 300s");
    for command in ["plan", "apply"] {
        let start = || session.command([command.as_ref(), file.as_os_str()]);
        hears(command, &[300, 1000], start);
    }
    let kept = session.netwright(["ls"]).expect_code(0);
    assert!(!kept.stdout.contains("many"), "{kept:#?}");
    let program = session.command([""; 0]).get_program().to_owned();
    let runtime = session.path("runtime").display().to_string();
    let left = until_gone(|| processes_of(Path::new(&program), &runtime));
    assert_eq!(left, [""; 0], "a rehearsal goes on by itself");
}

/// Processes of a program that belong to a session.
fn processes_of(program: &Path, runtime: &str) -> Vec<String> {
    let folders = fs::read_dir("/proc").expect("procfs").flatten().map(|entry| entry.path());
    let runs = |folder: &PathBuf| fs::read_link(folder.join("exe")).is_ok_and(|exe| exe == program);
    let ours = |folder: &PathBuf| {
        let environment = fs::read(folder.join("environ")).unwrap_or_default();
        String::from_utf8_lossy(&environment).contains(runtime)
    };
    let found = folders.filter(|folder| runs(folder) && ours(folder));
    found.map(|folder| folder.display().to_string()).collect()
}

fn until_gone(mut ask: impl FnMut() -> Vec<String>) -> Vec<String> {
    let start = Instant::now();
    loop {
        let left = ask();
        if left.is_empty() || start.elapsed() > patience(SOON) {
            return left;
        }
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn signals_end_what_only_reads() {
    let session = Session::new();
    let file = topology(&session, &namespaces(1500), "time: 300s");
    let lab = session.keep("many", [&file]);
    hears("inspect", &[20, 200], || session.command(["inspect", "many"]));
    hears("plan of what is kept", &[100, 1500], || {
        session.command(["plan".as_ref(), file.as_os_str()])
    });
    drop(lab);
}

#[test]
fn signals_are_heard_before_there_is_anything_to_undo() {
    let session = Session::new();
    let fifo = session.path("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().expect("coreutils").success());
    // A scenario that never comes, in a process namespace whose first process hears no signal by
    // default, too.
    let (theirs, _ours) = std::io::pipe().expect("a pipe");
    hears("standard input", &[200, 300], || {
        let mut command = session.command(["run", "-"]);
        command.stdin(theirs.try_clone().expect("a descriptor"));
        command
    });
    hears("events that nobody reads", &[300, 400], || {
        let mut command = session.command(["run", "builtin:ip", "-p", "script=link show"]);
        command.arg("--events").arg(&fifo);
        command
    });
}

#[test]
fn the_first_process_of_a_process_namespace_hears_signals_too() {
    let host = Host::with_processes();
    let inner = host.session().command(["run", "-"]);
    let (theirs, _ours) = std::io::pipe().expect("a pipe");
    // unshare(1) waits for the first process, whose number it does not tell; but it is its only child.
    let mut command = Command::new("unshare");
    command
        .args(["--pid", "--fork", "--mount-proc"])
        .arg(inner.get_program())
        .args(inner.get_args());
    command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut running = Running::start({
        command.stdin(theirs);
        command
    });
    let id = running.0.id();
    let children = format!("/proc/{id}/task/{id}/children");
    let program = inner.get_program().to_owned();
    let started = Instant::now();
    let child = loop {
        let text = fs::read_to_string(&children).unwrap_or_default();
        let child = text.split_whitespace().next().map(str::to_owned);
        let is_it = |child: &String| {
            fs::read_link(format!("/proc/{child}/exe")).is_ok_and(|exe| exe.as_os_str() == program)
        };
        match child.filter(is_it) {
            Some(child) => break child,
            None => assert!(started.elapsed() < patience(SOON), "it was not started"),
        }
        thread::sleep(Duration::from_millis(10));
    };
    thread::sleep(patience(Duration::from_millis(200)));
    let sent = Command::new("kill").args(["-TERM", &child]).status();
    assert!(sent.expect("kill is there").success());
    running.1 = Instant::now();
    assert_eq!(running.ends_soon("the first process").code, 143);
}

/// Words of a run on the host that makes this many bridges in one batch.
fn on_host(host: &Host, count: usize, time: &str) -> Command {
    let links = (0..count).fold(String::new(), |mut all, number| {
        let _ = write!(all, "{{ name: lab-{number}, kind: bridge }}, ");
        all
    });
    let file = topology(host.session(), &format!("links: [{links}]"), time);
    let mut words = vec!["run".to_owned(), file.display().to_string()];
    for grant in ["host.link.read", "host.link.create kind=bridge name=lab-*"] {
        words.extend(["--grant".to_owned(), grant.to_owned()]);
    }
    words.extend(["--target".to_owned(), "host".to_owned()]);
    host.command(&host.session().command(words))
}

#[test]
fn on_the_host_all_of_a_halted_batch_is_undone() {
    let host = Host::new();
    warm(host.session());
    let before = host.state();
    let output: Output = on_host(&host, BRIDGES, "time: 1s").output().expect("nsenter").into();
    let output = output.expect_code(7);
    assert!(output.stderr.contains("limit reached: 1 s of time"), "{output:#?}");
    assert_eq!(host.differences(&before), [""; 0]);
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let mut running = Running::start(on_host(&host, BRIDGES, "time: 300s"));
        let start = Instant::now();
        // Any moment will do on which some are there and more are to come.
        while host.run("ip", ["-o", "link", "show", "type", "bridge"]).stdout.lines().count() < 20 {
            let ended = running.0.try_wait().expect("it is ours");
            let long = start.elapsed() > patience(Duration::from_secs(60));
            assert!(ended.is_none() && !long, "nothing is made: {ended:?}");
        }
        running.signal(signal);
        let output: Output = running.0.wait_with_output().expect("it was started here").into();
        assert_eq!(output.code, code, "{output:#?}");
        assert_eq!(host.differences(&before), [""; 0]);
        assert_eq!(host.netwright(["gc"], &[]).expect_code(0).stdout, "nothing was left behind\n");
    }
}

#[test]
fn a_lock_that_another_process_holds_is_waited_for_as_long_as_there_is_time() {
    let host = Host::new();
    warm(host.session());
    host.ip_lines("netns add other");
    let mut holder = Command::new("flock");
    holder.args(["/run/netns", "sleep", "600"]);
    // The sleeper goes with its leader.
    let mut holder = host.command(&holder).process_group(0).spawn().expect("util-linux");
    let group = format!("-{}", holder.id());
    thread::sleep(Duration::from_millis(300));
    let run = |time: &str| {
        let mut words =
            vec!["run", "builtin:ip", "-p", "script=netns add lab-a", "--timeout", time];
        words.extend(["--target", "host", "--grant", "host.namespace name=lab-*"]);
        host.command(&host.session().command(words))
    };
    let before = host.state();
    let output = Running::start(run("2")).ends_soon("a lock").expect_code(7);
    assert!(output.stderr.contains("limit reached: 2 s of time"), "{output:#?}");
    hears("a lock", &[1500, 2500], || run("300"));
    assert_eq!(host.differences(&before), [""; 0]);
    assert!(Command::new("kill").args(["-KILL", "--", &group]).status().expect("kill").success());
    let _ = holder.wait();
}

#[test]
fn another_runs_claims_are_waited_for_as_long_as_there_is_time() {
    let host = Host::new();
    warm(host.session());
    host.ip_lines("link add d0 type bridge");
    let run = |time: &str| {
        let mut words =
            vec!["run", "builtin:ip", "-p", "script=link set d0 mtu 1400", "--timeout", time];
        words.extend(["--target", "host", "--grant", "host.link.read"]);
        words.extend(["--grant", "host.link.modify name=d0"]);
        host.command(&host.session().command(words))
    };
    Output::from(run("300").output().expect("nsenter")).expect_code(0);
    let before = host.state();
    // As if another run were told what it may alter, and were stopped meanwhile.
    let folder = host.session().path("runtime/runs");
    let holder = Command::new("flock").arg(&folder).args(["sleep", "600"]).process_group(0).spawn();
    let mut holder = holder.expect("util-linux");
    thread::sleep(Duration::from_millis(300));
    let output = Running::start(run("2")).ends_soon("another run's claims").expect_code(7);
    assert!(output.stderr.contains("limit reached: 2 s of time"), "{output:#?}");
    hears("another run's claims", &[1500, 2500], || run("300"));
    assert_eq!(host.differences(&before), [""; 0]);
    let group = format!("-{}", holder.id());
    assert!(Command::new("kill").args(["-KILL", "--", &group]).status().expect("kill").success());
    let _ = holder.wait();
}

#[test]
fn a_program_a_probe_and_a_pause_are_ended_by_signals() {
    let session = Session::new();
    let recipe = workspace().join("target/recipes/components/program.wasm");
    hears("a program", &[1000, 1500], || {
        let mut command = session.command(["run".as_ref(), recipe.as_os_str()]);
        command.args(["-p", "program=/bin/sleep", "-p", "arguments=[\"600\"]"]);
        command.args(["--timeout", "300", "--grant", "exec program=/bin/sleep"]);
        command
    });
    let script = "script=link add d0 up type bridge\naddress add 10.9.0.1/24 dev d0\nnetns add n\n\
                  netns exec n ping -c 600 10.9.0.2";
    hears("a probe", &[1000, 1500], || {
        session.command(["run", "builtin:ip", "-p", script, "--timeout", "300"])
    });
    let recipe = workspace().join("target/recipes/components/hostile.wasm");
    hears("a recipe's pause", &[1000, 1500], || {
        let mut command = session.command(["run".as_ref(), recipe.as_os_str()]);
        command.args(["-p", "how=sleep", "--timeout", "300"]);
        command
    });
}

/// The one file of the cache.
fn kept_code(session: &Session) -> PathBuf {
    let folder = session.path("home/.cache/netwright/recipes");
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).expect("the cache").flatten().map(|entry| entry.path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files.pop().expect("there is one")
}

#[test]
fn one_run_compiles_and_the_others_wait() {
    let session = Session::new();
    // Where the tests share a cache this one still has its own.
    let run = |time: &str| {
        let words = ["run", "builtin:topology", "-p", "namespaces=[n]", "--timeout", time];
        let mut command = session.command(words);
        command.env_remove("XDG_CACHE_HOME");
        command
    };
    let runs: Vec<Running> = (0..8).map(|_| Running::start(run("300"))).collect();
    let mut most = 0;
    let ids: Vec<u32> = runs.iter().map(|run| run.0.id()).collect();
    let compilers = || ids.iter().map(|id| compilers_of(*id)).sum::<usize>();
    let start = Instant::now();
    let kept = session.path("home/.cache/netwright/recipes");
    // Not a lock, and not a draft, which ends in the process that writes it.
    let is_code = |name: &String| {
        let end = name.rsplit('.').next().and_then(|end| end.parse::<u32>().ok());
        !name.contains(".lock") && name.len() > 64 && end.is_none()
    };
    while !names(&kept).iter().any(is_code) {
        most = most.max(compilers());
        assert!(start.elapsed() < patience(Duration::from_secs(60)), "nobody compiles");
    }
    for run in runs {
        let output: Output = run.0.wait_with_output().expect("it was started here").into();
        output.expect_code(0);
    }
    assert_eq!(most, 1, "so many compiled at one time");
    let code = kept_code(&session);
    // As if another run were at it, which is killed at the end.
    let lock = PathBuf::from(format!("{}.lock", code.display()));
    fs::remove_file(&code).expect("it is ours");
    File::create(&lock).expect("the folder is ours");
    let holder = Command::new("flock").arg(&lock).args(["sleep", "600"]).process_group(0).spawn();
    let mut holder = holder.expect("util-linux");
    thread::sleep(Duration::from_millis(300));
    let output = Running::start(run("2")).ends_soon("waiting").expect_code(7);
    assert!(output.stderr.contains("limit reached: 2 s of time to compile it"), "{output:#?}");
    let told = "another run compiles recipe `topology`: waiting";
    assert!((output.stdout.clone() + &output.stderr).contains(told), "{output:#?}");
    hears("waiting for the compiler", &[500, 1500], || run("300"));
    let waiting = Running::start(run("300"));
    thread::sleep(Duration::from_secs(1));
    let group = format!("-{}", holder.id());
    assert!(Command::new("kill").args(["-KILL", "--", &group]).status().expect("kill").success());
    let _ = holder.wait();
    let output: Output = waiting.0.wait_with_output().expect("it was started here").into();
    output.expect_code(0);
    assert_eq!(kept_code(&session), code);
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

/// Processes that compile for a run, by what only they have in their environment.
fn compilers_of(id: u32) -> usize {
    let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
    let compiles = |child: &&str| {
        let mut text = Vec::new();
        let file = File::open(format!("/proc/{child}/environ"));
        let read = file.and_then(|mut file| file.read_to_end(&mut text));
        read.is_ok() && String::from_utf8_lossy(&text).contains("RAYON_NUM_THREADS")
    };
    children.split_whitespace().filter(compiles).count()
}

/// A pipe that is full from its first page on, and that nobody reads.
fn full_pipe() -> (PipeReader, PipeWriter) {
    let (theirs, ours) = std::io::pipe().expect("a pipe");
    rustix::pipe::fcntl_setpipe_size(&ours, 4096).expect("smaller than by default");
    (theirs, ours)
}

#[test]
fn who_does_not_read_holds_nothing_up() {
    let session = Session::new();
    warm(&session);
    let file = topology(&session, &bridges(300), "time: 300s");
    let start = |json: bool, both: bool| {
        let (nobody, full) = full_pipe();
        let mut command = session.command(["run".as_ref(), file.as_os_str()]);
        command.arg(if json { "--json" } else { "--verbose" });
        let error =
            if both { full.try_clone().expect("a descriptor").into() } else { Stdio::null() };
        let child = command.stdout(full).stderr(error).spawn().expect("the program is there");
        (Running(child, Instant::now()), nobody)
    };
    for (signal, code, json) in [("-INT", 130, false), ("-TERM", 143, false), ("-INT", 130, true)] {
        for both in [false, true] {
            let (mut running, nobody) = start(json, both);
            thread::sleep(patience(Duration::from_secs(2)));
            running.signal(signal);
            let output = running.ends_soon("a full pipe");
            assert_eq!(output.code, code, "{signal} {json} {both}: {output:#?}");
            drop(nobody);
        }
    }
}

#[test]
fn what_was_made_is_gone_before_its_result_waits_for_a_reader() {
    let host = Host::new();
    warm(host.session());
    let before = host.state();
    let (nobody, full) = full_pipe();
    let mut command = on_host(&host, 300, "time: 3s");
    command.arg("--verbose").stdout(full).stderr(Stdio::null());
    let mut running = Running(command.spawn().expect("nsenter"), Instant::now());
    thread::sleep(Duration::from_secs(3));
    let left = until_gone(|| host.differences(&before));
    assert_eq!(left, [""; 0]);
    assert!(running.0.try_wait().expect("it is ours").is_none(), "nobody read its result");
    drop(nobody);
    running.1 = Instant::now();
    assert_eq!(running.ends_soon("a pipe that was closed").code, 7);
}

/// As a shell without job control starts what it puts behind, and nohup(1) what it starts.
#[test]
fn an_interrupt_that_was_ignored_is_heard_and_the_end_of_a_terminal_is_not() {
    let session = Session::new();
    warm(&session);
    let script = "script=link add b0 type bridge\naddress add 10.9.0.1/24 dev b0\nnetns add n\n\
                  netns exec n ping -c 600 10.9.0.2";
    let start = || {
        let inner = session.command(["run", "builtin:ip", "-p", script, "--timeout", "300"]);
        let mut command = Command::new("sh");
        command.args(["-c", "trap '' INT HUP TERM; exec \"$0\" \"$@\""]);
        command.arg(inner.get_program()).args(inner.get_args());
        command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command
    };
    hears("what was ignored", &[1500, 1500], start);
    let mut running = Running::start(start());
    thread::sleep(patience(Duration::from_millis(1500)));
    running.signal("-HUP");
    thread::sleep(Duration::from_secs(1));
    running.signal("-TERM");
    assert_eq!(running.ends_soon("nohup").code, 143);
}
