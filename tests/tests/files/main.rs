//! Files that somebody else prepared: links, pipes and devices where the program writes or reads.
//! What they lead to stays as it is, and nothing is waited for for ever.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod artifacts;
mod outputs;
mod strangers;

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use netwright_tests::{Host, Output, Session};

const SECRET: &str = "what was there\n";

/// Captures a link, whose file is `n1-eth0.pcapng`.
const CAPTURE: &str = "name: t\ncaptures: [{ namespace: n1, link: eth0 }]\nsteps:\n  - { recipe: builtin:topology, params: { namespaces: [n1], links: [{ name: eth0, namespace: n1, kind: bridge }] } }\n";
const FILE: &str = "n1-eth0.pcapng";

fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

fn capture(session: &Session, folder: &Path) -> Output {
    let scenario = session.file("capture.yaml", CAPTURE);
    let words = ["run".as_ref(), scenario.as_os_str(), "--artifacts".as_ref(), folder.as_os_str()];
    session.netwright(words)
}

/// Something that the operator would not have overwritten.
fn secret(session: &Session) -> PathBuf {
    session.file("secret", SECRET)
}

#[track_caller]
fn is_untouched(secret: &Path) {
    assert_eq!(fs::read_to_string(secret).unwrap(), SECRET);
}

#[test]
fn an_artifact_goes_through_no_link_and_waits_for_no_pipe() {
    let session = Session::new();
    let secret = secret(&session);
    let missing = session.path("home/.profile");
    type Prepare<'a> = &'a dyn Fn(&Path);
    let prepare: [(&str, Prepare<'_>); 5] = [
        ("it is a symbolic link", &|file| symlink(&secret, file).unwrap()),
        ("it is a symbolic link", &|file| symlink(&missing, file).unwrap()),
        ("it is a pipe", &|file| pipe(file)),
        ("it is a folder", &|file| fs::create_dir(file).unwrap()),
        ("it is a symbolic link", &|file| symlink("/dev/full", file).unwrap()),
    ];
    for (number, (why, prepare)) in prepare.into_iter().enumerate() {
        let folder = session.folder(&format!("kept-{number}"));
        prepare(&folder.join(FILE));
        let output = capture(&session, &folder).expect_code(0);
        let warning = format!("warning: attachment `{FILE}` was not kept: {why}\n");
        assert!(output.stderr.contains(&warning), "{output:?}");
        assert!(!output.stdout.contains(FILE), "it is not told as kept: {output:?}");
        is_untouched(&secret);
        assert!(!missing.exists());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "no draft is left");
    }
}

#[test]
fn a_hard_link_is_replaced_and_what_it_names_stays() {
    let session = Session::new();
    let secret = secret(&session);
    let folder = session.folder("kept");
    fs::hard_link(&secret, folder.join(FILE)).unwrap();
    capture(&session, &folder).expect_code(0);
    is_untouched(&secret);
    assert_ne!(fs::read(folder.join(FILE)).unwrap(), SECRET.as_bytes());
    // What the last run kept is replaced by the next.
    let first = fs::metadata(folder.join(FILE)).unwrap().ino();
    capture(&session, &folder).expect_code(0);
    assert_ne!(fs::metadata(folder.join(FILE)).unwrap().ino(), first);
}

#[test]
fn the_folder_of_artifacts_is_no_link_of_a_checkout() {
    let session = Session::new();
    let elsewhere = session.folder("elsewhere");
    let checkout = session.folder("checkout");
    symlink(&elsewhere, checkout.join("captures")).unwrap();
    session.file("capture.yaml", CAPTURE);
    let run = |folder: &str| -> Output {
        let mut command = session.command(["run", "../capture.yaml", "--artifacts", folder]);
        command.current_dir(&checkout).output().unwrap().into()
    };
    for folder in ["captures", "./captures/", "captures/today", "../checkout/captures"] {
        let output = run(folder).expect_code(2);
        let start = format!("error: --artifacts: can't use `{folder}`: `");
        assert!(output.stderr.starts_with(&start), "{output:?}");
        let end = "captures` is a symbolic link\n  help: name what it points to\n";
        assert!(output.stderr.ends_with(end), "{output:?}");
    }
    let whole = checkout.join("captures").display().to_string();
    run(&whole).expect_code(2);
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
    run("new/today").expect_code(0);
    assert!(checkout.join("new/today").join(FILE).is_file());
}

/// Where each may take away only what is theirs (sticky), root replaces nobody's file either.
#[test]
fn root_replaces_no_file_of_others_in_a_folder_for_all() {
    let session = Session::new();
    let folder = session.folder("for-all");
    fs::set_permissions(&folder, Permissions::from_mode(0o1777)).unwrap();
    let stranger = Some(12_345);
    let file = session.file("for-all/n1-eth0.pcapng", SECRET);
    chown(&file, stranger, stranger).expect("the tests run as root");
    let output = capture(&session, &folder).expect_code(0);
    let why = "it belongs to user 12345, in a folder where each may replace only what is theirs";
    assert!(output.stderr.contains(why), "{output:?}");
    is_untouched(&file);
    // In a folder of somebody's own it is theirs to lose, and a link in it still isn't followed.
    let own = session.folder("own");
    chown(&own, stranger, stranger).unwrap();
    capture(&session, &own).expect_code(0);
    assert!(own.join(FILE).is_file());
    fs::remove_file(own.join(FILE)).unwrap();
    let secret = secret(&session);
    symlink(&secret, own.join(FILE)).unwrap();
    capture(&session, &own).expect_code(0);
    is_untouched(&secret);
}

/// What a recipe attaches goes the same way as a capture.
#[test]
fn what_a_recipe_attaches_goes_through_no_link() {
    let host = Host::new();
    let secret = secret(host.session());
    let file = host.session().bring("target/recipes/components/knock.wasm").display().to_string();
    let folder = host.session().folder("kept");
    symlink(&secret, folder.join("knock")).unwrap();
    let kept = folder.display().to_string();
    let words = ["run", &file, "--target", "host", "--artifacts", &kept];
    let output = host.netwright(words, &[]).expect_code(0);
    let warning = "warning: attachment `knock` was not kept: it is a symbolic link\n";
    assert!(output.stderr.contains(warning), "{output:?}");
    is_untouched(&secret);
    fs::remove_file(folder.join("knock")).unwrap();
    host.netwright(words, &[]).expect_code(0);
    assert_eq!(fs::read_to_string(folder.join("knock")).unwrap(), "knock");
}

#[test]
fn a_scenario_that_names_a_pipe_or_a_device_is_refused() {
    let session = Session::new();
    pipe(&session.path("pipe.wasm"));
    symlink("/dev/zero", session.path("zero.wasm")).unwrap();
    for name in ["pipe.wasm", "zero.wasm", "."] {
        let text = format!("name: t\nsteps: [{{ recipe: ./{name} }}]\n");
        session.file("s.yaml", text);
        let output = session.netwright(["run", "s.yaml"]).expect_code(2);
        assert!(output.stderr.starts_with("error: "), "{output:?}");
    }
}

#[test]
fn whatever_is_read_has_a_bound() {
    let session = Session::new();
    symlink("/dev/zero", session.path("zero.wasm")).unwrap();
    let help = "\n  help: `netwright plan SCENARIO --out FILE` writes one\n";
    let plan = session.netwright(["apply", "--plan", "/dev/zero"]).expect_code(2);
    let expected = "error: --plan: `/dev/zero` can't be read: it has more than 134217728 bytes";
    assert_eq!(plan.stderr, format!("{expected}{help}"));
    let build = session.netwright(["recipe", "build", "/dev/zero"]).expect_code(2);
    assert_eq!(build.stderr, "error: can't read `/dev/zero`: it is a character device\n");
    let words = ["recipe", "build", "/dev/zero", "--manifest", "/dev/zero"];
    let build = session.netwright(words).expect_code(2);
    let expected = "error: can't read manifest `/dev/zero`: it has more than 1048576 bytes\n";
    assert_eq!(build.stderr, expected);
}

/// A folder of machine code that the user of sudo(8) prepared.
#[test]
fn nothing_of_the_callers_is_used_under_sudo() {
    let host = Host::new();
    let session = host.session();
    let stranger = Some(12_345);
    let boot = session.folder("boot");
    let old = session.file("boot/vmlinuz-old", "");
    fs::File::options().write(true).open(&old).unwrap().set_len(300 << 20).unwrap();
    session.file("boot/grub.cfg", SECRET);
    let before = entries(&boot);
    let home = session.folder("user");
    let cache = home.join(".cache");
    fs::create_dir(&cache).unwrap();
    let scenario = session.file(
        "s.yaml",
        "name: t\nsteps: [{ recipe: builtin:topology, params: { namespaces: [n1] } }]\n",
    );
    let (scenario, home_text) = (scenario.display().to_string(), home.display().to_string());
    let cache_text = cache.display().to_string();
    // The link is at the last level, at the one before, and at the first.
    let links: [(PathBuf, PathBuf); 3] = [
        (cache.join("netwright/recipes"), boot.clone()),
        (cache.join("netwright"), session.path(".")),
        (cache.clone(), session.path(".")),
    ];
    for (link, target) in links {
        if link == cache {
            fs::remove_dir_all(&cache).unwrap();
        } else {
            fs::create_dir_all(link.parent().unwrap()).unwrap();
        }
        let _ = fs::remove_dir_all(&link);
        symlink(&target, &link).unwrap();
        for path in [&home, &cache] {
            std::os::unix::fs::lchown(path, stranger, stranger).unwrap();
        }
        for who in ["SUDO_UID", "DOAS_USER", "PKEXEC_UID", "NOBODY_SAYS"] {
            let by_home = [(who, "12345"), ("HOME", &home_text)];
            let by_name = [(who, "12345"), ("XDG_CACHE_HOME", &cache_text)];
            for variables in [by_home, by_name] {
                host.netwright(["run", &scenario], &variables).expect_code(0);
                assert_eq!(entries(&boot), before, "{link:?}, {variables:?}");
                let made = ["netwright", "recipes"].map(|name| session.path(name).is_dir());
                assert_eq!(made, [false, false], "{link:?}, {variables:?}");
            }
        }
    }
}

fn entries(folder: &Path) -> Vec<String> {
    let all = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let mut all: Vec<String> = all.map(|name| name.to_string_lossy().into_owned()).collect();
    all.sort();
    all
}

/// Under sudo(8) journals and records are root's, wherever the caller wants them.
#[test]
fn the_callers_runtime_folder_is_not_used_under_sudo() {
    let host = Host::new();
    let folder = host.session().folder("theirs");
    fs::set_permissions(&folder, Permissions::from_mode(0o700)).unwrap();
    let named = folder.display().to_string();
    for who in ["SUDO_UID", "DOAS_USER", "PKEXEC_UID"] {
        let variables = [(who, "12345"), ("NETWRIGHT_RUNTIME_DIR", named.as_str())];
        host.netwright(["ls"], &variables).expect_code(0);
        assert_eq!(entries(&folder), [""; 0], "{who}");
    }
    assert_eq!(host.run("ls", ["/run/netwright"]).expect_code(0).stdout, "labs\nruns\n");
}
