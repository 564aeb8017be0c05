//! What tells of labs and deployments, where it can't be asked, read or trusted: nothing is taken for
//! gone, nothing is taken for another one's work, and what lives is ended or told of.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use netwright_network::shell::Word;
use netwright_tests::machine::patience;
use netwright_tests::{Host, Output};

const LAB: &str = "name: k\nsteps: [{ recipe: builtin:topology, params: { links: [{ name: b0, kind: bridge, up: true }] } }]\nchecks: [{ link: { name: b0, up: true, within: 600s } }]\n";
const DEPLOYMENT: &str = "name: h\ntarget: host\nsteps: [{ recipe: builtin:topology, params: { links: [{ name: lab-0, kind: bridge }] } }]\n";
const GRANT: &str = "host.link.create kind=bridge name=lab-*";

struct Machine(Host);

impl Machine {
    fn new() -> Self {
        Self::on(Host::with_processes())
    }

    fn on(host: Host) -> Self {
        host.session().file("k.yaml", LAB);
        host.session().file("h.yaml", DEPLOYMENT);
        Self(host)
    }

    fn path(&self, name: &str) -> String {
        self.0.session().path(name).display().to_string()
    }

    fn record(&self) -> PathBuf {
        self.0.session().path("runtime/labs/k.json")
    }

    fn netwright(&self, words: &[&str]) -> Output {
        self.0.netwright(words, &[])
    }

    fn keep(&self) {
        self.netwright(&["run", &self.path("k.yaml"), "--keep", "k"]).expect_code(0);
    }

    fn deploy(&self, seconds: &str, variables: &[(&str, &str)]) {
        let file = self.path("h.yaml");
        let words = ["apply", &file, "--grant", GRANT, "--confirm-within", seconds];
        self.0.netwright(words, variables).expect_code(0);
    }

    /// `netwright` after what a shell does in a mount namespace of its own.
    fn netwright_after(&self, lines: &str, words: &[&str]) -> Output {
        let words: Vec<_> = words.iter().map(|word| Word(word).to_string()).collect();
        let command = self.0.session().command([""; 0]);
        let script = format!("{lines}; exec \"$0\" {}", words.join(" "));
        let mut inner = Command::new("unshare");
        inner.args(["-m", "sh", "-c", &script]).arg(command.get_program());
        for (name, value) in command.get_envs() {
            value.map(|value| inner.env(name, value));
        }
        self.0.command(&inner).output().unwrap().into()
    }

    fn start(&self, words: &[&str]) -> Child {
        let mut command = self.0.command(&self.0.session().command(words));
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    fn has(&self, link: &str) -> bool {
        self.0.run("ip", ["link", "show", link]).code == 0
    }
}

#[test]
fn what_cannot_be_asked_is_never_taken_for_gone() {
    let machine = Machine::new();
    machine.keep();
    machine.deploy("600s", &[]);
    for hidden in [
        "mount -t proc -o subset=pid p /proc",
        "mount --bind /dev/null /proc/sys/kernel/random/boot_id",
        "mount -t tmpfs none /proc/sys/kernel/random",
    ] {
        for words in [&["ls"][..], &["gc"], &["destroy", "k"], &["destroy", "h"], &["confirm", "h"]]
        {
            let output = machine.netwright_after(hidden, words).expect_code(8);
            let told = output.stderr.contains("so that all stay as they are: /proc/sys/kernel");
            assert!(told, "{hidden}: {words:?}: {output:?}");
        }
        let kept = machine.path("k.yaml");
        machine.netwright_after(hidden, &["run", &kept, "--keep", "other"]).expect_code(8);
        let listed = machine.netwright(&["ls"]).expect_code(0).stdout;
        assert_eq!(listed.lines().count(), 2, "{hidden}: {listed}");
        assert!(machine.has("lab-0"), "{hidden}");
    }
    machine.netwright(&["confirm", "h"]).expect_code(0);
    for name in ["k", "h"] {
        machine.netwright(&["destroy", name]).expect_code(0);
    }
}

#[test]
fn a_record_that_cannot_be_read_is_told_and_left() {
    let machine = Machine::new();
    machine.keep();
    let record = machine.record();
    let aside = record.with_extension("aside");
    let shown = record.display();
    let altered: [(&str, String); 7] = [
        ("a byte", format!("printf X | dd of={shown} bs=1 seek=2 conv=notrunc 2>&1")),
        ("its end", format!("truncate -s 30 {shown}")),
        ("emptied", format!(": > {shown}")),
        ("too long", format!("head -c 3000000 /dev/zero | tr '\\0' ' ' >> {shown}")),
        ("a second name", format!("ln {shown} {shown}.more")),
        ("a copy", ":".to_owned()),
        ("another lab's", format!("sed -i s/\\\"k\\\"/\\\"other\\\"/ {shown}")),
    ];
    for (what, script) in altered {
        fs::rename(&record, &aside).unwrap();
        fs::copy(&aside, &record).unwrap();
        machine.0.run("sh", ["-c", &script]).expect_code(0);
        let listed = machine.netwright(&["ls"]).expect_code(0).stdout;
        assert!(listed.starts_with("k\ta lab\tnot to be read: "), "{what}: {listed}");
        let told = machine.netwright(&["gc"]).expect_code(6).stdout;
        assert!(told.starts_with("`k`: nothing undone\n  left: "), "{what}: {told}");
        machine.netwright(&["destroy", "k"]).expect_code(5);
        assert!(record.exists(), "{what}: it was removed");
        let _ = fs::remove_file(format!("{shown}.more"));
        fs::rename(&aside, &record).unwrap();
    }
    let listed = machine.netwright(&["ls"]).expect_code(0).stdout;
    assert!(listed.starts_with("k\t0 namespaces\t"), "{listed}");
    machine.netwright(&["destroy", "k"]).expect_code(0);
    assert!(!record.exists());
}

/// Nothing of a lab that could not be kept is left, nor of what it takes the place of lost.
#[test]
fn a_lab_that_there_is_no_room_for_is_not_kept() {
    let machine = Machine::new();
    let file = machine.path("k.yaml");
    let runtime = Word(&machine.path("runtime")).to_string();
    let fill = format!(
        "mount -t tmpfs -o size=64k,mode=700 none {runtime}; head -c 1000000 /dev/zero > {runtime}/fill 2>/dev/null || true"
    );
    for words in [&["run", &file, "--keep", "k"][..], &["apply", &file]] {
        let told = machine.netwright_after(&fill, words).expect_code(8).stderr;
        let labs = machine.path("runtime/labs");
        let begin = format!("error: can't keep the lab in `{labs}`: write its record: No space");
        assert!(told.contains(&begin), "{words:?}: {told}");
        assert!(told.contains("\n  help: there is no more room: make some\n"), "{told}");
        let processes = machine.0.run("ps", ["-eo", "args"]).stdout;
        assert!(!processes.contains("__hold"), "{words:?}: {processes}");
    }
    machine.keep();
    for bytes in ["0", "1", "100", "400", "4096", "70000"] {
        for words in [&["run", &file, "--keep", "o"][..], &["apply", &file], &["destroy", "k"]] {
            let set = format!("ulimit -f $(( ({bytes} + 1023) / 1024 )); true");
            let output = machine.netwright_after(&set, words);
            assert!([0, 8].contains(&output.code), "{bytes} {words:?}: {output:#?}");
            let has_help = output.stderr.contains("\n  help: ");
            assert_eq!(has_help, output.code == 8, "{bytes} {words:?}: {output:#?}");
            let listed = machine.netwright(&["ls"]).expect_code(0).stdout;
            assert!(!listed.contains("not to be read"), "{bytes} {words:?}: {listed}");
            for name in ["o", "k"].iter().filter(|name| listed.contains(&format!("{name}\t"))) {
                machine.netwright(&["inspect", name]).expect_code(0);
            }
            machine.netwright(&["destroy", "o"]);
        }
        if !machine.netwright(&["ls"]).stdout.contains("k\t") {
            machine.keep();
        }
    }
    machine.netwright(&["destroy", "k"]).expect_code(0);
    let processes = machine.0.run("ps", ["-eo", "args"]).stdout;
    assert!(!processes.contains("__hold"), "{processes}");
}

/// Whose process holds it nobody need read: what it is altered to in place is said by all, and the lab
/// can be taken apart.
#[test]
fn a_lab_whose_record_was_altered_in_place_can_be_taken_apart() {
    let machine = Machine::new();
    let shown = machine.record().display().to_string();
    let file = machine.path("k.yaml");
    for script in [
        format!("printf X | dd of={shown} bs=1 seek=2 conv=notrunc 2>&1"),
        format!("truncate -s 30 {shown}"),
        format!("truncate -s 1000000 {shown}"),
        format!(": > {shown}"),
        format!("echo '{{}}' > {shown}"),
    ] {
        machine.keep();
        machine.0.run("sh", ["-c", &script]).expect_code(0);
        let listed = machine.netwright(&["ls"]).expect_code(0).stdout;
        assert!(listed.starts_with("k\ta lab\tnot to be read: "), "{script}: {listed}");
        for words in [
            &["inspect", "k"][..],
            &["exec", "k", "--", "true"],
            &["plan", &file],
            &["apply", &file],
            &["check", "k"],
            &["run", &file, "--keep", "k"],
        ] {
            let told = machine.netwright(words).expect_code(5).stderr;
            let begin = "error: the record of lab `k` can't be read, so that it is left as it is: ";
            assert!(told.starts_with(begin), "{words:?}: {told}");
            let help = format!(
                "  help: put `{shown}` right, or `netwright destroy k` takes the lab apart\n"
            );
            assert!(told.ends_with(&help), "{words:?}: {told}");
        }
        machine.netwright(&["gc"]).expect_code(6);
        machine.netwright(&["destroy", "k"]).expect_code(0);
        assert_eq!(machine.netwright(&["ls"]).expect_code(0).stdout, "", "{script}");
        let processes = machine.0.run("ps", ["-eo", "args"]).stdout;
        assert!(!processes.contains("__hold"), "{script}: {processes}");
    }
}

/// Who can't take a name is told why, and doesn't wait for a process that there isn't.
#[test]
fn a_name_that_cannot_be_taken_is_no_other_processs() {
    let machine = Machine::new();
    machine.keep();
    let names = machine.path("runtime/names");
    let shown = Word(&names).to_string();
    let obstacles = [
        (format!("mount -t tmpfs -o nr_inodes=1,mode=700 none {shown}"), "No space left on device"),
        (
            format!("mount -t tmpfs -o mode=700 none {shown}; mkfifo {shown}/k"),
            "Operation not perm",
        ),
        (
            format!(
                "mount -t tmpfs -o mode=700 none {shown}; touch {shown}/k; chown 12345 {shown}/k"
            ),
            "Operation not perm",
        ),
        (format!("mount -t tmpfs -o mode=777 none {shown}"), "it belongs to or is open to others"),
        (format!("mount -t tmpfs -o ro,mode=700 none {shown}"), "Read-only file system"),
    ];
    for (lines, why) in obstacles {
        for words in [&["destroy", "k"][..], &["apply", &machine.path("k.yaml")]] {
            let output = machine.netwright_after(&lines, words).expect_code(8);
            let start =
                format!("error: can't use `{names}` for the names of labs and deployments: ");
            assert!(output.stderr.starts_with(&(start + why)), "{lines}: {output:?}");
        }
    }
    machine.netwright(&["destroy", "k"]).expect_code(0);
}

#[test]
fn a_relative_runtime_folder_is_the_same_for_the_watcher() {
    let machine = Machine::new();
    let folder = machine.0.session().folder("elsewhere");
    fs::set_permissions(&folder, Permissions::from_mode(0o700)).unwrap();
    // Whoever enters a mount namespace is at its root.
    let relative = machine.path("elsewhere").trim_start_matches('/').to_owned();
    machine.deploy("1s", &[("NETWRIGHT_RUNTIME_DIR", &relative)]);
    let start = Instant::now();
    while machine.has("lab-0") {
        assert!(start.elapsed() < patience(Duration::from_secs(20)), "nobody takes it back");
        sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_runtime_folder_below_another_users_is_not_used() {
    let machine = Machine::new();
    let above = machine.0.session().folder("theirs");
    let own = machine.0.session().folder("theirs/own");
    fs::set_permissions(&own, Permissions::from_mode(0o700)).unwrap();
    for below in ["theirs/run", "theirs/own/run"] {
        let variable = machine.path(below);
        let ls = || machine.0.netwright(["ls"], &[("NETWRIGHT_RUNTIME_DIR", &variable)]);
        ls().expect_code(0);
        chown(&above, Some(12_345), Some(12_345)).unwrap();
        let told = ls().expect_code(8).stderr;
        assert!(told.contains(&format!("`{}` belongs to user 12345\n", above.display())), "{told}");
        chown(&above, Some(0), Some(0)).unwrap();
        fs::set_permissions(&above, Permissions::from_mode(0o777)).unwrap();
        let told = ls().expect_code(8).stderr;
        assert!(told.contains("can be written by others (mode 777)\n"), "{told}");
        fs::set_permissions(&above, Permissions::from_mode(0o755)).unwrap();
    }
}

/// Each does nothing but start the next one, and says so.
#[test]
fn programs_that_start_others_ever_on_are_ended_with_the_lab() {
    // Ends that nobody waits for are the machine's first process's to hear of.
    let machine = Machine::on(Host::new());
    let beat = machine.path("beat");
    let storm = "open(B, '>>', $ARGV[0]); for (1..100000) { syswrite(B, '.'); exit if fork }";
    let quietly = format!("perl -e {} {} >/dev/null 2>&1 </dev/null", Word(storm), Word(&beat));
    let length = || fs::metadata(&beat).map_or(0, |about| about.len());
    for round in 0..4 {
        machine.keep();
        for _ in 0..3 {
            machine.netwright(&["exec", "k", "--", "sh", "-c", &quietly]).expect_code(0);
        }
        let before = length();
        let start = Instant::now();
        while length() < before + 100 {
            assert!(start.elapsed() < patience(Duration::from_secs(20)), "no storm");
        }
        machine.netwright(&["destroy", "k"]).expect_code(0);
        let after = length();
        sleep(Duration::from_millis(300));
        assert_eq!(length(), after, "round {round}: one lives on");
    }
}

#[test]
fn the_operators_own_commands_end_with_their_codes() {
    let machine = Machine::new();
    machine.keep();
    machine.netwright(&["exec", "k", "--", "ip", "link", "set", "b0", "down"]).expect_code(0);
    let mut check = machine.start(&["check", "k"]);
    let own = fs::read_link("/proc/self/ns/user").unwrap();
    let start = Instant::now();
    let inside = |process: u32| {
        let its = fs::read_link(format!("/proc/{process}/ns/user"));
        its.is_ok_and(|its| its != own)
    };
    let is_there = || {
        let id = check.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
        let children = children.unwrap_or_default();
        children.split_whitespace().filter_map(|id| id.parse().ok()).chain([id]).any(inside)
    };
    while !is_there() {
        assert!(start.elapsed() < patience(Duration::from_secs(20)), "it never goes there");
        sleep(Duration::from_millis(10));
    }
    machine.netwright(&["destroy", "k"]).expect_code(0);
    assert_eq!(check.wait().unwrap().code(), Some(143));
}

/// Some daemons ignore the ends of their children, which is inherited.
#[test]
fn whoever_ignores_their_children_can_start_it() {
    let machine = Machine::new();
    let script = format!("exec env --ignore-signal=CHLD \"$0\" run {}", machine.path("k.yaml"));
    machine.netwright_after(&script, &[]).expect_code(0);
}
