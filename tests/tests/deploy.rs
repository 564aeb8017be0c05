//! `plan` and `apply`: what would change is told before it does, what is deployed stays, and what
//! somebody changed behind our back is put right.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use netwright_tests::{Output, Session, made_changes, planned_changes, scenarios_of_this_kernel};

/// Two children of one parent; each test's scenario has a name of its own, for names are the user's.
fn scenario(name: &str) -> String {
    format!(
        "\
name: {name}
params: {{ mode: bridge, mtu: 1500, expect: reply }}
steps:
  - recipe: builtin:topology
    params:
      namespaces: [ns1, ns2]
      links:
        - {{ name: p0, kind: veth, peer: p1, mtu: \"${{mtu}}\" }}
        - {{ name: mac1, namespace: ns1, kind: macvlan, mode: \"${{mode}}\", parent: p0, addresses: [10.1.0.1/16] }}
        - {{ name: br0, kind: bridge, ports: [p1], addresses: [10.1.0.2/16] }}
      routes:
        - {{ namespace: ns1, destination: 10.2.0.0/16, gateway: 10.1.0.2 }}
checks:
  - link: {{ namespace: ns1, name: mac1, mode: \"${{mode}}\" }}
  - ping: {{ from: ns1, to: 10.1.0.2, expect: \"${{expect}}\" }}
"
    )
}

fn plan(session: &Session, words: &[&str]) -> Output {
    session.netwright([&["plan", "scenario.yaml"], words].concat())
}

fn apply(session: &Session, words: &[&str]) -> Output {
    session.netwright([&["apply", "scenario.yaml"], words].concat())
}

const CHANGES: &str = "\
+ netns add ns1
+ netns add ns2
+ link add name p0 mtu 1500 up type veth peer name p1 up
+ link add name br0 up type bridge
+ -n ns1 link add link root/p0 name mac1 up type macvlan mode bridge
+ link set p1 master br0
+ -n ns1 address add 10.1.0.1/16 dev mac1
+ address add 10.1.0.2/16 dev br0
+ -n ns1 route add 10.2.0.0/16 via 10.1.0.2
";

#[test]
fn c1_a_plan_lists_what_apply_does_and_nothing_once_it_is_done() {
    for session in [Session::new(), Session::as_ordinary_user()] {
        session.file("scenario.yaml", scenario("c1"));
        let first = plan(&session, &["--exit-code"]).expect_code(3);
        assert_eq!(first.stdout, format!("{CHANGES}c1: 9 changes, in a new lab\n"));
        apply(&session, &["-q"]).expect_code(0);
        let lab = session.deployed("c1");
        let then = plan(&session, &["--exit-code"]).expect_code(0);
        assert_eq!(then.stdout, "c1: 0 changes\n");
        let before = lab.ip_json(Some("ns1"), ["link", "show", "mac1"]);
        assert_eq!(apply(&session, &[]).expect_code(0).stdout, "c1: 0 changes\n");
        assert_eq!(lab.ip_json(Some("ns1"), ["link", "show", "mac1"]), before);
    }
}

/// By a pipe, which can be read once, and from a file that is not read from its beginning.
#[test]
fn a_scenario_comes_by_standard_input() {
    let session = Session::new();
    let file = session.file("from-a-file.yaml", scenario("piped"));
    let from_file = |words: &[&str]| -> Output {
        let mut file = File::open(&file).expect("it was written");
        file.seek(SeekFrom::End(0)).expect("a file");
        session.command(words).stdin(file).output().expect("it starts").into()
    };
    let text = scenario("piped");
    let planned = piped(&session, &["plan", "-"], &text).expect_code(0).stdout;
    assert_eq!(planned, format!("{CHANGES}piped: 9 changes, in a new lab\n"));
    piped(&session, &["apply", "-", "-q"], &text).expect_code(0);
    let _lab = session.deployed("piped");
    assert_eq!(from_file(&["plan", "-"]).expect_code(0).stdout, "piped: 0 changes\n");
    let run = ["run", "builtin:ip", "-q", "-p", "script=@-"];
    piped(&session, &run, "link add v0 type veth peer v1").expect_code(0);
    let faulty = piped(&session, &["validate", "-"], "name: x\nstepz: []").expect_code(2);
    assert!(faulty.stderr.contains("\n --> standard input:2:1\n"), "{}", faulty.stderr);
}

fn piped(session: &Session, words: &[&str], text: &str) -> Output {
    let mut program = session.command(words);
    program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = program.spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(text.as_bytes()).expect("it reads");
    drop(stdin);
    child.wait_with_output().expect("it ends").into()
}

/// Neither in this machine's namespace nor in those of the deployment.
#[test]
fn c2_a_plan_changes_nothing_that_the_kernel_would_tell_of() {
    let session = Session::new();
    session.file("scenario.yaml", scenario("c2"));
    apply(&session, &["-q"]).expect_code(0);
    let lab = session.deployed("c2");
    lab.settle();
    let mut monitors = Vec::new();
    for words in [
        vec!["ip", "monitor", "link", "address", "route", "rule", "netconf"],
        vec!["/netwright", "exec", "c2", "--", "ip", "monitor", "link", "address", "route"],
        vec!["/netwright", "exec", "c2", "-n", "ns1", "--", "ip", "monitor", "link", "route"],
    ] {
        let mut command = match words[0] {
            "ip" => Command::new("ip"),
            _ => session.command([] as [&str; 0]),
        };
        let child = command.args(&words[1..]).stdout(Stdio::piped()).spawn();
        monitors.push(child.expect("iproute2 is installed"));
    }
    // The monitors have their sockets by then; what was told before is read away with the rest.
    std::thread::sleep(Duration::from_millis(300));
    plan(&session, &["-p", "mtu=1400", "-p", "mode=vepa"]).expect_code(0);
    std::thread::sleep(Duration::from_millis(100));
    let mut told = String::new();
    for mut monitor in monitors {
        monitor.kill().expect("it is ours");
        monitor.stdout.take().expect("a pipe").read_to_string(&mut told).expect("text");
        monitor.wait().expect("it was started here");
    }
    let of_ours =
        |line: &&str| ["p0", "p1", "mac1", "br0", "10.1."].iter().any(|part| line.contains(part));
    assert_eq!(told.lines().filter(of_ours).collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn c3_drift_is_told_and_put_right_in_place() {
    let session = Session::new();
    session.file("scenario.yaml", scenario("c3"));
    apply(&session, &["-q"]).expect_code(0);
    let lab = session.deployed("c3");
    let index = lab.ip_json(Some("ns1"), ["link", "show", "mac1"])[0]["ifindex"].clone();
    for words in [
        "link set p0 mtu 1400",
        "-n ns1 link set mac1 type macvlan mode vepa",
        "-n ns1 address add 10.9.9.9/24 dev mac1",
        "-n ns1 route delete 10.2.0.0/16",
        "link set p1 type bridge_slave hairpin on",
        "link set br0 down",
        "link add stray type bridge",
    ] {
        lab.exec(None, ["ip"].into_iter().chain(words.split(' '))).expect_code(0);
    }
    let drift = plan(&session, &["--exit-code"]).expect_code(3);
    assert_eq!(
        drift.stdout,
        "\
~ link br0: state down -> up
~ link p0: mtu 1400 -> 1500
~ link p1: bridge_slave hairpin on -> off
- link stray
~ link mac1 in ns1: mode vepa -> bridge, mtu 1400 -> 1500
- address 10.9.9.9/24 of mac1 in ns1
+ route 10.2.0.0/16 via 10.1.0.2 dev mac1 table 254 proto 3 scope global in ns1
c3: 7 differences, mended in place by 7 changes
"
    );
    let mended = apply(&session, &[]).expect_code(0);
    assert!(mended.stdout.contains("passed: 2 checks, 7 changes, "), "{mended:#?}");
    assert_eq!(plan(&session, &["--exit-code"]).expect_code(0).stdout, "c3: 0 changes\n");
    let child = lab.ip_json(Some("ns1"), ["link", "show", "mac1"])[0].clone();
    assert_eq!((&child["ifindex"], &child["mtu"]), (&index, &1500.into()));
    assert_eq!(child["linkinfo"]["info_data"]["mode"], "bridge");
    assert_eq!(lab.exec(None, ["ip", "link", "show", "stray"]).code, 1);
}

/// drivers/net/macvlan.c, macvlan_changelink: into passthru there is no way but a new link.
#[test]
fn what_can_not_be_mended_is_made_anew_and_the_old_lab_goes() {
    let session = Session::new();
    session.file("scenario.yaml", scenario("replaced"));
    apply(&session, &["-q"]).expect_code(0);
    let lab = session.deployed("replaced");
    let holder = |session: &Session| {
        let labs = session.netwright(["ls", "--json"]).expect_code(0).json();
        let labs = labs["labs"].as_array().expect("a list").clone();
        labs.iter().find(|lab| lab["name"] == "replaced").expect("it is kept")["pid"].clone()
    };
    let before = holder(&session);
    let told = plan(&session, &["-p", "mode=passthru"]).expect_code(0).stdout;
    let last = told.lines().last().unwrap_or_default();
    assert!(last.starts_with("replaced: 1 difference; a new lab takes its place, "), "{told}");
    apply(&session, &["-p", "mode=passthru", "-q"]).expect_code(0);
    let child = lab.ip_json(Some("ns1"), ["link", "show", "mac1"])[0].clone();
    assert_eq!(child["linkinfo"]["info_data"]["mode"], "passthru");
    assert_ne!(holder(&session), before);
    // Ended, if not yet waited for by whoever adopted it.
    let status = fs::read_to_string(format!("/proc/{before}/stat")).unwrap_or_default();
    assert!(status.is_empty() || status.contains(") Z "), "{status}");
}

#[test]
fn a_replacement_whose_check_fails_leaves_the_old_lab_as_it_was() {
    let session = Session::new();
    session.file("scenario.yaml", scenario("stays"));
    apply(&session, &["-q"]).expect_code(0);
    let _lab = session.deployed("stays");
    apply(&session, &["-p", "mode=passthru", "-p", "expect=unreachable", "-q"]).expect_code(1);
    assert_eq!(plan(&session, &["--exit-code"]).expect_code(0).stdout, "stays: 0 changes\n");
}

#[test]
fn a_mended_lab_whose_check_fails_is_as_before() {
    let session = Session::new();
    session.file("scenario.yaml", scenario("mended"));
    apply(&session, &["-q"]).expect_code(0);
    let _lab = session.deployed("mended");
    let failed = apply(&session, &["-p", "mtu=1300", "-p", "expect=unreachable"]).expect_code(1);
    assert!(
        failed.stdout.contains("failed: 1 of 2 checks failed, 2 changes, 2 undone, "),
        "{failed:#?}"
    );
    assert_eq!(plan(&session, &["--exit-code"]).expect_code(0).stdout, "mended: 0 changes\n");
}

const CHILDREN: &str = "\
name: children
steps:
  - recipe: builtin:topology
    params:
      namespaces: [n1]
      links:
        - { name: p0, kind: veth, peer: p1 }
        - { name: kept, kind: macvlan, parent: p0, mtu: 1400, addresses: [10.1.0.1/16] }
";

/// By what the lab was made by, and what was altered in it since. Of what netwright did not make it
/// says that it is gone.
#[test]
fn a_link_that_was_deleted_in_a_lab_comes_back_where_a_check_fails() {
    let gone = |mtu: u32| {
        format!(
            "        - {{ name: gone, namespace: n1, kind: macvlan, parent: p0, mtu: {mtu}, addresses: [10.1.0.2/16] }}\n"
        )
    };
    for session in [Session::new(), Session::as_ordinary_user()] {
        let apply = |gone: &str, checks: &str| {
            session.file("children.yaml", format!("{CHILDREN}{gone}{checks}"));
            session.netwright(["apply", "children.yaml"])
        };
        let without = || apply("", "checks: [ping: { to: 10.1.0.9, within: 1s }]\n");
        apply(&gone(1400), "").expect_code(0);
        let lab = session.deployed("children");
        apply(&gone(1300), "").expect_code(0);
        let look = || {
            let link = lab.ip_json(Some("n1"), ["link", "show", "gone"]);
            let addresses = lab.ip_json(Some("n1"), ["-4", "addr", "show", "gone"]);
            let of_link = ["address", "mtu", "flags", "link"].map(|key| link[0][key].clone());
            (of_link, addresses[0]["addr_info"][0]["local"].clone())
        };
        let before = look();
        assert_eq!((&before.0[1], &before.1), (&1300.into(), &"10.1.0.2".into()));
        without().expect_code(1);
        assert_eq!(look(), before);

        lab.exec(None, ["ip", "link", "add", "theirs", "type", "bridge"]).expect_code(0);
        let outcome = without().expect_code(6);
        let told = "not undone: link delete theirs: netwright did not make the link";
        assert!(outcome.stderr.contains(told), "{}", outcome.stderr);
        assert_eq!(look(), before);
    }
}

#[test]
fn c4_a_saved_plan_is_done_as_saved_or_refused() {
    let session = Session::new();
    session.file("scenario.yaml", scenario("c4"));
    plan(&session, &["--out", "first.plan"]).expect_code(0);
    session.netwright(["apply", "--plan", "first.plan", "-q"]).expect_code(0);
    let lab = session.deployed("c4");
    assert_eq!(plan(&session, &["--exit-code"]).expect_code(0).stdout, "c4: 0 changes\n");
    let again = session.netwright(["apply", "--plan", "first.plan"]).expect_code(2);
    assert_eq!(
        again.stderr,
        "error: the plan is out of date; since it was made:\n  `c4` is deployed now\n  help: plan again\n"
    );

    plan(&session, &["-p", "mtu=1400", "--out", "second.plan"]).expect_code(0);
    lab.exec(None, ["ip", "link", "add", "meanwhile", "type", "bridge"]).expect_code(0);
    let stale = session.netwright(["apply", "--plan", "second.plan"]).expect_code(2);
    assert!(stale.stderr.contains("  + link meanwhile: "), "{stale:#?}");
    lab.exec(None, ["ip", "link", "delete", "meanwhile"]).expect_code(0);
    session.netwright(["apply", "--plan", "second.plan", "-q"]).expect_code(0);
    let parent = lab.ip_json(None, ["link", "show", "p0"])[0].clone();
    assert_eq!(parent["mtu"], 1400);
}

/// In a lab that there was none of, in one that is mended, and in one that takes another's place.
#[test]
fn a_saved_plan_asks_what_its_scenario_checks() {
    let session = Session::new();
    session.file("scenario.yaml", scenario("asked"));
    let carried_out = |words: &[&str]| {
        plan(&session, &[words, &["--out", "saved.plan"]].concat()).expect_code(0);
        session.netwright(["apply", "--plan", "saved.plan"])
    };
    let fails = ["-p", "expect=unreachable"];
    let failed = carried_out(&fails).expect_code(1);
    assert!(failed.stdout.contains("failed: 1 of 2 checks failed, 9 changes, "), "{failed:#?}");
    session.netwright(["check", "asked"]).expect_code(2);
    let passed = carried_out(&[]).expect_code(0);
    assert!(passed.stdout.contains("passed: 2 checks, 9 changes, "), "{passed:#?}");
    let _lab = session.deployed("asked");
    let unaltered = || {
        assert_eq!(plan(&session, &["--exit-code"]).expect_code(0).stdout, "asked: 0 changes\n");
        session.netwright(["check", "asked"]).expect_code(0);
    };
    for change in [["-p", "mtu=1300"], ["-p", "mode=passthru"]] {
        carried_out(&[fails, change].concat()).expect_code(1);
        unaltered();
    }
    carried_out(&["-p", "mtu=1300"]).expect_code(0);
    session.netwright(["check", "asked"]).expect_code(0);
}

#[test]
fn a_plan_that_is_none_is_refused() {
    let session = Session::new();
    session.file("some.plan", "{\"schema\": 1}");
    let refused = session.netwright(["apply", "--plan", "some.plan"]).expect_code(2);
    assert!(refused.stderr.starts_with("error: --plan: `some.plan` is no plan: "), "{refused:#?}");
    session.netwright(["apply", "--plan", "none.plan"]).expect_code(2);
}

/// Change by change, in the same words, for every scenario that comes with the program.
#[test]
fn every_plan_agrees_with_its_run() {
    let waiting = Mutex::new(scenarios_of_this_kernel());
    let work = || {
        loop {
            let next = waiting.lock().expect("no worker panics with it").pop();
            let Some(path) = next else { break };
            let session = Session::new();
            let words = |command| [command, path.to_str().expect("ASCII"), "--json"];
            let planned = session.netwright(words("plan")).expect_code(0).json();
            let run = session.netwright(words("run")).expect_code(0).json();
            assert_eq!(planned_changes(&planned), made_changes(&run), "{}", path.display());
        }
    };
    thread::scope(|scope| (0..2).for_each(|_| drop(scope.spawn(work))));
}

/// The commands, given to iproute2 itself in a lab, make what the scenario makes.
#[test]
fn a_plan_in_commands_of_ip_does_the_same() {
    let session = Session::new();
    session.file("scenario.yaml", scenario("commands"));
    let commands = plan(&session, &["--as", "ip"]).expect_code(0).stdout;
    assert!(commands.lines().all(|line| line.starts_with("ip ")), "{commands}");
    session.file("commands.ip", &commands);
    apply(&session, &["-q"]).expect_code(0);
    let wanted = session.deployed("commands");
    let other = session.keep("commands-ip", ["builtin:ip", "-p", "script=@commands.ip"]);
    for namespace in [None, Some("ns1")] {
        let seen = |lab: &netwright_tests::Lab<'_>| {
            lab.settle();
            let links = lab.ip_json(namespace, ["link", "show"]);
            let links = links.as_array().expect("a list").iter();
            let facts = |link: &serde_json::Value| {
                ["ifname", "link", "master", "mtu", "operstate", "linkinfo"].map(
                    |name| match name {
                        "linkinfo" => link[name]["info_kind"].clone(),
                        _ => link[name].clone(),
                    },
                )
            };
            let links: Vec<_> = links.map(facts).collect();
            (links, lab.ip_json(namespace, ["-4", "route", "show"]))
        };
        assert_eq!(seen(&other), seen(&wanted));
    }
}
