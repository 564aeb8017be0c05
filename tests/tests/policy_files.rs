//! Policy files: found where they belong, refused where others could have written them, and each
//! fault of them shown with its place.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::process::Command;

use netwright_tests::{Output, Session, netwright};

/// Writes the user's policy into the session's home.
fn policy(session: &Session, text: &str) -> PathBuf {
    let folder = session.path("home/.config/netwright");
    fs::create_dir_all(&folder).unwrap();
    fs::set_permissions(&folder, Permissions::from_mode(0o700)).unwrap();
    let file = folder.join("policy.yaml");
    fs::write(&file, text).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    file
}

fn run(session: &Session) -> Output {
    session.netwright(["run", "builtin:ip", "-p", "script=link show"])
}

#[test]
fn a_policy_of_both_forms_is_read() {
    let session = Session::new();
    policy(
        &session,
        "allow:\n  - host.link.create kind=macvlan parent=eth1 name=lab-* max=8\n  - host.address.add: { cidr: 10.0.0.0/8, link: [lab-a, lab-b] }\n  - host.link.read:\ndeny:\n  - host.link.create: { parent: eth0 }\n  - exec\n",
    );
    run(&session).expect_code(0);
    policy(&session, "# nothing\n");
    run(&session).expect_code(0);
}

#[test]
fn every_fault_of_a_policy_is_shown_in_its_place() {
    let session = Session::new();
    let file = policy(
        &session,
        "allow:\n  - host.lnk.read\n  - host.address.add: { cidr: 10.0.0.1/8, link: l* }\ndney: []\n",
    );
    let output = run(&session).expect_code(2);
    let expected = "\
error: unknown capability `host.lnk.read`
 --> FILE:2:5
  |
2 |   - host.lnk.read
  |     ^^^^^^^^^^^^^
  |
  = help: did you mean `host.link.read`?

error: `10.0.0.1/8` has bits behind its prefix length
 --> FILE:3:31
  |
3 |   - host.address.add: { cidr: 10.0.0.1/8, link: l* }
  |                               ^^^^^^^^^^
  |
  = help: the network is 10.0.0.0/8

error: unknown key `dney` of a policy
 --> FILE:4:1
  |
4 | dney: []
  | ^^^^
  |
  = help: did you mean `deny`?
";
    assert_eq!(output.stderr, expected.replace("FILE", &file.to_string_lossy()));
}

#[test]
fn a_policy_that_others_can_write_is_refused() {
    let session = Session::new();
    let file = policy(&session, "allow: []\n");
    let shown = file.display().to_string();
    let folder = file.parent().unwrap().to_owned();
    let refused = |expected: &str| {
        let output = run(&session).expect_code(2);
        assert_eq!(output.stderr, format!("error: policy `{shown}`: {expected}\n"));
    };
    fs::set_permissions(&file, Permissions::from_mode(0o620)).unwrap();
    refused("it can be written by others (mode 620)\n  help: chmod go-w");
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(&folder, Permissions::from_mode(0o777)).unwrap();
    refused("its folder can be written by others (mode 777)\n  help: chmod go-w");
    fs::set_permissions(&folder, Permissions::from_mode(0o700)).unwrap();
    run(&session).expect_code(0);

    let real = folder.join("real.yaml");
    fs::rename(&file, &real).unwrap();
    symlink(&real, &file).unwrap();
    refused("it is a symbolic link\n  help: put the file itself there");
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    refused("it is not a file");
}

/// Whoever can write to a level above can move the file away, and with it what it denies.
#[test]
fn a_level_above_that_others_can_write_is_refused() {
    let session = Session::as_ordinary_user();
    let file = policy(&session, "deny: [host.link.read]\n");
    let user = Some(65534);
    for path in file.ancestors().take(3) {
        std::os::unix::fs::chown(path, user, user).expect("the tests run as root");
    }
    run(&session).expect_code(0);
    let shown = file.display().to_string();
    for (above, usual) in [("home/.config", 0o755), ("home", 0o700)] {
        let above = session.path(above);
        for mode in [0o777, 0o757, 0o733] {
            fs::set_permissions(&above, Permissions::from_mode(mode)).unwrap();
            let named = above.display();
            let expected = format!(
                "error: policy `{shown}`: `{named}` can be written by others (mode {mode:03o})\n  help: chmod go-w {named}\n"
            );
            assert_eq!(run(&session).expect_code(2).stderr, expected);
            // Moved away, it can't be missed in silence.
            let folder = file.parent().unwrap();
            let moved = folder.with_extension("moved");
            fs::rename(folder, &moved).unwrap();
            assert_eq!(run(&session).expect_code(2).stderr, expected);
            fs::rename(&moved, folder).unwrap();
        }
        // Sticky: none can take away what is another's.
        fs::set_permissions(&above, Permissions::from_mode(0o1777)).unwrap();
        run(&session).expect_code(0);
        fs::set_permissions(&above, Permissions::from_mode(usual)).unwrap();
    }
    // A level of somebody else's is theirs to alter.
    std::os::unix::fs::chown(session.path("home/.config"), Some(12_345), Some(12_345)).unwrap();
    let output = run(&session).expect_code(2);
    assert!(output.stderr.ends_with("home/.config` belongs to user 12345\n"), "{output:?}");
}

#[test]
fn a_policy_of_somebody_else_is_refused() {
    let session = Session::as_ordinary_user();
    // Made by whoever runs the tests: root, who may write it, or the user itself.
    let file = policy(&session, "allow: []\n");
    fs::set_permissions(file.parent().unwrap(), Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    run(&session).expect_code(0);
    let stranger = Some(12_345);
    std::os::unix::fs::chown(&file, stranger, stranger).expect("the tests run as root");
    let output = run(&session).expect_code(2);
    let expected = "it belongs to user 12345, neither to root nor to user 65534\n";
    assert!(output.stderr.ends_with(expected), "{output:?}");
}

#[test]
fn the_users_policy_is_ignored_under_sudo() {
    let session = Session::new();
    policy(&session, "allow: [nonsense]\n");
    run(&session).expect_code(2);
    let mut command = session.command(["run", "builtin:ip", "-p", "script=link show"]);
    let output: Output = command.env("SUDO_UID", "1000").output().unwrap().into();
    output.expect_code(0);
}

#[test]
fn nothing_of_the_callers_is_read_under_doas_or_pkexec() {
    let session = Session::new();
    policy(&session, "allow: [nonsense]\n");
    let elsewhere = session.path("home/.config").display().to_string();
    for who in ["SUDO_UID", "SUDO_USER", "DOAS_USER", "PKEXEC_UID"] {
        let mut command = session.command(["run", "builtin:ip", "-p", "script=link show"]);
        command.env(who, "1000").env("XDG_CONFIG_HOME", &elsewhere);
        Output::from(command.output().unwrap()).expect_code(0);
    }
}

#[test]
fn xdg_config_home_is_where_the_users_policy_is() {
    let session = Session::new();
    policy(&session, "allow: [nonsense]\n");
    let mut command = session.command(["run", "builtin:ip", "-p", "script=link show"]);
    command.env("XDG_CONFIG_HOME", session.path("elsewhere"));
    Output::from(command.output().unwrap()).expect_code(0);
}

/// In a mount namespace of its own, where /etc has one folder more.
#[test]
fn the_machines_policy_is_read_too() {
    let session = Session::new();
    let layers = ["upper", "work"].map(|name| session.path(name));
    layers.iter().for_each(|layer| fs::create_dir(layer).unwrap());
    let [upper, work] = &layers;
    let folder = upper.join("netwright");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
    fs::write(folder.join("policy.yaml"), "allow:\n  - nonsense\n").unwrap();
    let program = session.command(["run", "builtin:ip", "-p", "script=link show"]);
    // An overlay can't be stacked on every file system; a tmpfs takes its upper layer anywhere.
    let script = "mount -t tmpfs none \"$1\" && mkdir \"$1/upper\" \"$1/work\" && cp -a \"$0/netwright\" \"$1/upper/\" && \
        mount -t overlay none -o lowerdir=/etc,upperdir=\"$1/upper\",workdir=\"$1/work\" /etc && shift && exec \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", script]).arg(upper).arg(work);
    command.arg(program.get_program()).args(program.get_args());
    command.env("HOME", session.path("home")).env_remove("XDG_CONFIG_HOME");
    let output = Output::from(command.output().unwrap()).expect_code(2);
    let expected = "error: unknown capability `nonsense`\n --> /etc/netwright/policy.yaml:2:5\n";
    assert!(output.stderr.starts_with(expected), "{output:?}");
}

#[test]
fn a_lab_needs_no_grants_and_none_make_it_wider() {
    let grants = ["--grant", "host.link.read", "--grant", "host.link.create kind=macvlan name=a"];
    let mut arguments = vec!["run", "builtin:ip", "-p", "script=link add name a type bridge"];
    arguments.extend(grants);
    netwright(arguments).expect_code(0);
}
