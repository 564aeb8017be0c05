//! What somebody takes back where the run's network isn't to be found.

use std::fs;

use netwright_tests::Host;

use super::{GRANTS, MACHINE, SCRIPT, by_way_of, deploy, granted, journal, scenario, until};

/// Neither its network nor its processes are seen from here; its journals are.
const ELSEWHERE: [&str; 7] =
    ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];

/// Its network and its processes, and another /run/netns.
const OTHER_MOUNTS: [&str; 5] =
    ["unshare", "--mount", "sh", "-c", "mount -t tmpfs none /run && exec \"$0\" \"$@\""];

const ISNT_FOUND: &str = "the network namespace of this run isn't found";

#[test]
fn a_deployment_whose_network_isnt_found_stays() {
    let host = Host::with(MACHINE);
    let before = host.state();
    deploy(&host, "dep", &SCRIPT);
    host.settle();
    let deployed = host.state();
    for _ in 0..2 {
        let output = by_way_of(&host, &ELSEWHERE, &["destroy", "dep"]).expect_code(6);
        assert!(output.stderr.contains(ISNT_FOUND), "{output:#?}");
        let help = "help: run `netwright destroy dep` in the network, mount and process namespace that it was made in; where that is gone for good, `netwright gc --forget dep`";
        assert!(output.stderr.contains(help), "{output:#?}");
        assert_eq!(host.differences(&deployed), [""; 0]);
        journal(&host);
    }
    // It is a deployment still.
    by_way_of(&host, &ELSEWHERE, &["gc"]).expect_code(0);
    let listed = host.netwright(["ls"], &[]).expect_code(0).stdout;
    assert!(listed.starts_with("dep\t"), "{listed}");
    host.netwright(["destroy", "dep"], &[]).expect_code(0);
    assert_eq!(host.differences(&before), [""; 0]);
    assert!(host.journals().is_empty());
}

#[test]
fn a_run_whose_network_isnt_found_stays_for_gc() {
    let host = Host::with(MACHINE);
    let before = host.state();
    let victim = [("NETWRIGHT_CRASH", "both"), ("NETWRIGHT_CRASH_AT", "22")];
    let output = host.run_ip_with(&SCRIPT.join("\n"), &GRANTS, &victim);
    assert_eq!(output.code, 128 + 9, "{output:#?}");
    let left = host.state();
    assert_ne!(left, before, "nothing was left, so that nothing is tested");
    let output = by_way_of(&host, &ELSEWHERE, &["gc"]).expect_code(6);
    assert!(output.stdout.contains(ISNT_FOUND), "{output:#?}");
    assert!(output.stdout.contains("help: run `netwright gc` in the network"), "{output:#?}");
    let output = by_way_of(&host, &ELSEWHERE, &["gc", "--json"]).expect_code(6);
    assert!(
        output.json()["recovered"][0]["left"][0]
            .as_str()
            .is_some_and(|left| left.contains(ISNT_FOUND))
    );
    // A run elsewhere says so, leaves it, and goes on.
    let words = granted(
        &["run", "builtin:ip", "--target", "host", "-p", "script=ip link add lab-z type bridge"],
        &GRANTS,
    );
    let output = by_way_of(&host, &ELSEWHERE, &words).expect_code(0);
    assert!(output.stderr.contains(ISNT_FOUND), "{output:#?}");
    assert_eq!(host.differences(&left), [""; 0]);
    host.netwright(["gc"], &[]).expect_code(0);
    assert_eq!(host.differences(&before), [""; 0]);
    assert!(host.journals().is_empty());
}

/// The namespaces that a run has made may be out of reach where its network isn't.
#[test]
fn a_namespace_that_isnt_found_stays_for_who_finds_it() {
    let host = Host::with(MACHINE);
    // Of mount(8).
    host.run("mkdir", ["-p", "/run/mount"]).expect_code(0);
    let before = host.state();
    deploy(&host, "dep", &SCRIPT);
    let output = by_way_of(&host, &OTHER_MOUNTS, &["destroy", "dep"]).expect_code(6);
    let words = "left: netns add lab-n: namespace `lab-n` isn't found";
    assert!(output.stderr.contains(words), "{output:#?}");
    journal(&host);
    // What is within reach is taken back all the same.
    assert_eq!(host.ip_json(&["link", "show", "eth0"])[0]["mtu"], 1500);
    host.run("ip", ["netns", "exec", "lab-n", "true"]).expect_code(0);
    host.netwright(["destroy", "dep"], &[]).expect_code(0);
    assert_eq!(host.differences(&before), [""; 0]);
}

/// The kernel tells that a namespace is gone which the run has made.
#[test]
fn a_namespace_that_somebody_deleted_is_gone() {
    let host = Host::with(MACHINE);
    let before = host.state();
    deploy(&host, "dep", &SCRIPT);
    host.ip_lines("netns del lab-n");
    host.netwright(["destroy", "dep"], &[]).expect_code(0);
    assert_eq!(host.differences(&before), [""; 0]);
}

/// Of a namespace that the operator named nobody knows whether it is gone.
#[test]
fn a_namespace_of_others_that_isnt_found_keeps_the_journal() {
    let host = Host::with(MACHINE);
    host.ip_lines("netns add theirs");
    let lines = ["ip link set eth0 mtu 1400", "ip -n theirs link add lab-t type bridge"];
    let file = scenario(&host, "dep", &lines);
    let grants = [&GRANTS[..], &["host.namespace name=theirs"]].concat();
    host.netwright(granted(&["apply", &file], &grants), &[]).expect_code(0);
    let output = by_way_of(&host, &OTHER_MOUNTS, &["destroy", "dep"]).expect_code(6);
    assert!(output.stderr.contains("namespace `theirs` isn't found"), "{output:#?}");
    host.run("ip", ["-n", "theirs", "link", "show", "lab-t"]).expect_code(0);
    host.netwright(["destroy", "dep"], &[]).expect_code(0);
    assert_ne!(host.run("ip", ["-n", "theirs", "link", "show", "lab-t"]).code, 0);
    assert!(host.journals().is_empty());
}

#[test]
fn what_nobody_confirms_stays_where_it_isnt_found() {
    let host = Host::with_processes();
    host.ip_lines(MACHINE);
    host.ip_lines("netns add own");
    // The only one that is there has no name and nobody in it, once its watcher looks for it.
    host.run("touch", ["/run/box"]).expect_code(0);
    let make =
        "mount --bind /proc/self/ns/net /run/box && ip link add eth0 type veth peer name wire0";
    host.run("unshare", ["--net", "sh", "-c", make]).expect_code(0);
    let file = scenario(&host, "dep", &SCRIPT[1..3]);
    let words = granted(&["apply", &file, "--confirm-within", "1s"], &GRANTS);
    by_way_of(&host, &["nsenter", "--net=/run/box"], &words).expect_code(0);
    // The watcher itself is in it, so that it does find it.
    until("it is not taken back", || host.journals().is_empty());
    let gone = host.run("nsenter", ["--net=/run/box", "ip", "link", "show", "lab-a"]);
    assert_ne!(gone.code, 0, "{gone:#?}");
    // By hand it is not found.
    let words = granted(&["apply", &file], &GRANTS);
    by_way_of(&host, &["nsenter", "--net=/run/box"], &words).expect_code(0);
    let output = host.netwright(["destroy", "dep"], &[]).expect_code(6);
    assert!(output.stderr.contains(ISNT_FOUND), "{output:#?}");
    host.run("nsenter", ["--net=/run/box", "ip", "link", "show", "lab-a"]).expect_code(0);
    journal(&host);
    by_way_of(&host, &["nsenter", "--net=/run/box"], &["destroy", "dep"]).expect_code(0);
    assert!(host.journals().is_empty());
}

#[test]
fn what_is_gone_for_good_can_be_forgotten() {
    let host = Host::with(MACHINE);
    deploy(&host, "dep", &SCRIPT);
    let deployed = host.state();
    let output = host.netwright(["gc", "--forget", "nobody"], &[]).expect_code(2);
    assert_eq!(
        output.stderr,
        "error: there is no journal of `nobody`\n  help: `netwright gc` and `netwright ls` tell what there is\n"
    );
    let run = journal(&host);
    let run = run.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let output = by_way_of(&host, &ELSEWHERE, &["gc", "--forget", "dep"]).expect_code(0);
    assert_eq!(
        output.stdout,
        format!("forgot run {run} of `dep`; what it made and altered stays as it is\n")
    );
    assert_eq!(
        fs::read_dir(host.session().path("runtime").join("runs")).map_or(9, Iterator::count),
        0
    );
    assert_eq!(host.differences(&deployed), [""; 0]);
}
