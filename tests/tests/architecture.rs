//! The import rules of ARCHITECTURE.md: where each library stops. Those between rooms are in
//! `rooms.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use netwright_tests::{program_sources, workspace};

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The files that hold one of the words, other than those that may.
fn holders(words: &[&str], may: &[&str]) -> Vec<String> {
    let holds = |text: &str| {
        text.lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .any(|line| words.iter().any(|word| line.contains(word)))
    };
    let allowed = |path: &str| may.iter().any(|prefix| path.starts_with(prefix));
    program_sources()
        .into_iter()
        .filter(|(path, text)| holds(text) && !allowed(path))
        .map(|(path, _)| path)
        .collect()
}

#[test]
fn wasmtime_stops_at_the_host_interface() {
    let may = ["guest/", "host/"];
    assert_eq!(holders(&["wasmtime::", "wasmtime_wasi::"], &may), [""; 0]);
}

/// Nor does what only its tests need: they are built in a moment, and need no recipe.
#[test]
fn the_kernel_layer_needs_no_engine() {
    let lock = text(&workspace().join("Cargo.lock"));
    let packages = packages(&lock);
    let mut needed = BTreeSet::new();
    let mut next = vec!["netwright-linux"];
    while let Some(name) = next.pop() {
        if needed.insert(name) {
            next.extend(&packages[name]);
        }
    }
    assert!(needed.contains("netwright-network") && needed.contains("libtest-mimic"), "{needed:?}");
    let engine = |name: &&&str| {
        ["wasm", "cranelift", "wit-"].iter().any(|begin| name.starts_with(begin))
            || ["netwright", "netwright-sdk", "netwright-tests"].contains(name)
    };
    assert_eq!(needed.iter().filter(engine).collect::<Vec<_>>(), [&""; 0]);
}

/// So that nobody but its policy can say what is permitted.
#[test]
fn the_kernel_layer_is_used_by_the_runner_alone() {
    let lock = text(&workspace().join("Cargo.lock"));
    let uses = |needs: &Vec<&str>| needs.contains(&"netwright-linux");
    let packages = packages(&lock);
    let users: Vec<_> = packages.iter().filter(|(_, needs)| uses(needs)).collect();
    assert_eq!(users.iter().map(|(name, _)| **name).collect::<Vec<_>>(), ["netwright"]);
}

/// What each package of Cargo.lock may need, by name: of all its versions, where there are several.
fn packages(lock: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut all: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in lock.split("[[package]]").skip(1) {
        let mut lines = package.lines();
        let name = lines.find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
        let needs = lines.filter_map(|line| line.strip_prefix(" \"")?.strip_suffix("\","));
        let needs = needs.map(|need| need.split(' ').next().unwrap_or(need));
        all.entry(name.expect("a package has a name")).or_default().extend(needs);
    }
    all
}

#[test]
fn netlink_stops_at_the_kernel_layer() {
    // Waiting for a change of the network, and telling of one, listen to the kernel directly.
    let may = ["kernel/", "probe/ear.rs", "probe/watch.rs", "probe/wait.rs", "probe/monitor.rs"];
    let words = ["rtnetlink::", "netlink_sys::", "netlink_packet_core::", "netlink_packet_route::"];
    assert_eq!(holders(&words, &may), [""; 0]);
}

#[test]
fn clap_stops_at_the_command_line() {
    assert_eq!(holders(&["clap::"], &["cli.rs", "cli/", "main.rs"]), [""; 0]);
}

/// A remedy is the program's by where it was made, so that a recipe's or scenario's words are never
/// taken for one: in an error that a recipe may hear none is made otherwise.
#[test]
fn remedies_that_recipes_hear_are_made_in_one_place() {
    let elsewhere = holders(&["\\n  help: ", "\\n  \\"], &[]);
    let heard = ["change/", "host/", "kernel", "policy", "probe/", "tap/"];
    let apart = ["host/captures.rs", "host/session.rs", "policy/tests.rs", "validate_tests.rs"];
    let wrong = |file: &&String| {
        heard.iter().any(|folder| file.starts_with(folder))
            && !apart.iter().any(|known| file.ends_with(known))
    };
    let wrong: Vec<_> = elsewhere.iter().filter(wrong).collect();
    assert_eq!(wrong, [""; 0], "`report::help` makes them");
}

#[test]
fn namespaces_are_changed_in_one_place() {
    let words = ["unshare_unsafe(", "move_into_link_name_space(", "move_into_thread_name_spaces("];
    assert_eq!(holders(&words, &["kernel/netns.rs"]), [""; 0]);
}

/// In a user namespace a number may be anybody's.
#[test]
fn owners_are_compared_in_one_place() {
    let words = ["st_uid", "st_gid", ".uid()", ".gid()"];
    assert_eq!(holders(&words, &["file/owner.rs"]), [""; 0]);
}

#[test]
fn unsafe_code_stands_where_the_system_needs_it() {
    let may = [
        "bindings.rs",
        "capture/control.rs",
        "guest/confine.rs",
        "guest/engine.rs",
        "guest/stand_in.rs",
        "halt/signals.rs",
        "kernel/netns.rs",
        "kernel/tun.rs",
        "probe/socket.rs",
        "process.rs",
        "resources.rs",
        "tap/control.rs",
        "tap/opener.rs",
    ];
    assert_eq!(holders(&["unsafe {"], &may), [""; 0]);
}

#[test]
fn processes_are_started_and_ended_in_one_place() {
    let words = [
        "Command::new(",
        "pidfd_open(",
        "pidfd_send_signal(",
        "kill_process(",
        "kill_process_group(",
        "libc::kill(",
        "libc::tgkill(",
        ".kill()",
        ".pre_exec(",
        "posix_spawn",
    ];
    // The command line's own commands are called so, too; a test has a shell read what is quoted for one.
    assert_eq!(holders(&words, &["process.rs", "cli/", "report/shown_tests.rs"]), [""; 0]);
    // Two are without a program of their own; each closes all that it is not given, or ends at once.
    assert_eq!(holders(&["fork("], &["kernel/netns.rs", "tap/opener.rs"]), [""; 0]);
}

#[test]
fn people_and_programs_are_written_to_in_one_place() {
    let words = [
        "anstream::",
        "println!(",
        "print!(",
        "stdout().write",
        "stderr().write",
        "stdout().lock()",
        "stderr().lock()",
    ];
    assert_eq!(holders(&words, &["report/out.rs"]), [""; 0]);
}

#[test]
fn files_stay_small_enough_to_read() {
    let long: Vec<String> = program_sources()
        .into_iter()
        .filter(|(path, _)| !path.ends_with("_tests.rs"))
        .filter(|(_, text)| text.lines().count() > 500)
        .map(|(path, text)| format!("{path}: {} lines", text.lines().count()))
        .collect();
    assert_eq!(long, [""; 0]);
}

/// The names behind `cargo test --test`, and those of the tests, as docs/security.md has them.
#[test]
fn every_sentence_on_security_has_its_test() {
    let page = text(&workspace().join("docs/security.md"));
    let page = page.split("## What counts as a vulnerability").next().unwrap_or_default();
    let mut sentences = 0;
    for line in page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| |")) {
        let shown_by = line.rsplit('|').nth(1).expect("two columns");
        for one in shown_by.split(';') {
            let (file, names) = one.split_once("`: ").expect("`FILE`: `TEST`");
            let file = file.trim().trim_start_matches('`');
            for name in names.split(", ") {
                let name = name.trim().trim_matches('`');
                assert!(has_test(file, name), "no test `{name}` in `{file}`: {line}");
            }
        }
        sentences += 1;
    }
    assert!(sentences > 10, "only {sentences} sentences");
}

fn has_test(file: &str, name: &str) -> bool {
    let tests = workspace().join("tests/tests");
    let alone = tests.join(format!("{file}.rs"));
    let folder = fs::read_dir(tests.join(file)).into_iter().flatten().flatten();
    let mut files = folder.map(|entry| entry.path()).chain([alone]).filter(|path| path.is_file());
    let declared = format!("fn {name}() {{");
    files.any(|path| text(&path).contains(&declared))
}
