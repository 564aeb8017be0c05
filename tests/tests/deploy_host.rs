//! Deployments on the host: what was made there stays under a name, is taken back by that name, or
//! by itself where nobody confirms it.

use std::fs;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use netwright_tests::{Host, Output};
use serde_json::Value;

const MACHINE: &str = "link add eth1 type veth peer name sw1
                       link set sw1 up
                       address add 192.0.2.1/24 dev eth1
                       link set eth1 up
                       route add default via 192.0.2.254 dev eth1 metric 50";

const SCENARIO: &str = "\
name: edge
target: host
steps:
  - recipe: builtin:ip
    params:
      script: |
        ip link add link eth1 name lab-m type macvlan mode bridge
        ip address add 10.9.0.1/24 dev lab-m
        ip link set lab-m up
        ip route replace default via 192.0.2.253 dev eth1 metric 50
checks:
  - link: { name: lab-m, kind: macvlan, up: true }
";

const GRANTS: [&str; 4] = [
    "host.link.read",
    "host.link.create kind=macvlan name=lab-* parent=eth1",
    "host.address.add cidr=10.9.0.0/16 link=lab-*",
    "host.route.default link=eth1 table=main",
];

/// For a watcher to notice that it is time: it looks once a second.
const PATIENCE: Duration = Duration::from_secs(15);

fn machine() -> Host {
    let host = Host::with(MACHINE);
    fs::write(host.session().path("edge.yaml"), SCENARIO).expect("the folder is the test's own");
    host
}

fn apply(host: &Host, more: &[&str]) -> Output {
    let file = host.session().path("edge.yaml").display().to_string();
    let mut words = vec!["apply", &file];
    words.extend(GRANTS.iter().flat_map(|grant| ["--grant", grant]));
    words.extend(more);
    host.netwright(words, &[])
}

fn deployments(host: &Host) -> Value {
    let answer: Value = host.netwright(["ls", "--json"], &[]).expect_code(0).json();
    answer["deployments"].clone()
}

#[track_caller]
fn until_gone(host: &Host) {
    let start = Instant::now();
    while deployments(host) != serde_json::json!([]) {
        assert!(
            start.elapsed() < netwright_tests::machine::patience(PATIENCE),
            "it stays: {}",
            deployments(host)
        );
        thread::sleep(Duration::from_millis(50));
    }
}

const INHABITED: &str = "\
name: edge
target: host
steps:
  - recipe: builtin:ip
    params:
      script: |
        ip netns add lab-n
        ip link add link eth1 name lab-m type macvlan mode bridge
        ip address add 10.9.0.1/24 dev lab-m
        ip link set lab-m up
        ip link add link eth1 name lab-e netns lab-n type macvlan mode bridge
        ip -n lab-n address add 10.9.0.2/24 dev lab-e
        ip route replace default via 192.0.2.253 dev eth1 metric 50
";

#[test]
fn a_deployment_is_looked_into_and_entered() {
    let host = machine();
    fs::write(host.session().path("edge.yaml"), INHABITED).expect("the folder is the test's own");
    apply(&host, &["--grant", "host.namespace name=lab-*"]).expect_code(0);
    let shown: Value = host.netwright(["inspect", "edge", "--json"], &[]).expect_code(0).json();
    assert_eq!(shown["deployment"], "edge", "{shown:#}");
    let names = |links: &Value| -> Vec<Value> {
        links.as_array().expect("a list").iter().map(|link| link["name"].clone()).collect()
    };
    let [root, inside] = [0, 1].map(|number| &shown["namespaces"][number]);
    // What is others' is not shown: not eth1, nor the route through it.
    assert_eq!(names(&root["links"]), ["lab-m"], "{shown:#}");
    assert_eq!(root["links"][0]["parent"], "eth1", "{shown:#}");
    assert_eq!(root["links"][0]["addresses"][0], "10.9.0.1/24", "{shown:#}");
    let routes = root["routes"].as_array().expect("a list");
    assert!(routes.iter().all(|route| route["link"] == "lab-m"), "{shown:#}");
    assert_eq!(inside["name"], "lab-n", "{shown:#}");
    assert_eq!(names(&inside["links"]), ["lo", "lab-e"], "{shown:#}");
    assert_eq!(inside["links"][1]["parent"], "/eth1", "{shown:#}");
    let changes =
        serde_json::json!(["route replace default via 192.0.2.253 dev eth1 proto 110 metric 50"]);
    assert_eq!(shown["changes"], changes, "{shown:#}");
    let text = host.netwright(["inspect", "edge"], &[]).expect_code(0).stdout;
    assert!(text.starts_with("(root)\n  lab-m: macvlan mode bridge on eth1 up"), "{text}");
    assert!(
        text.ends_with(
            "beside that\n  route replace default via 192.0.2.253 dev eth1 proto 110 metric 50\n"
        ),
        "{text}"
    );
    enter(&host);
    let output = host.netwright(["destroy", "egde"], &[]).expect_code(2);
    assert_eq!(output.stderr, "error: nothing is kept as `egde`\n  help: did you mean `edge`?\n");
    host.netwright(["destroy", "edge"], &[]).expect_code(0);
}

fn enter(host: &Host) {
    let exec = |words: &[&str]| host.netwright([&["exec", "edge"], words].concat(), &[]);
    let link = |words: &[&str]| exec(&[words, &["--", "ip", "-br", "link"]].concat());
    let inside = link(&["-n", "lab-n"]).expect_code(0).stdout;
    assert!(inside.contains("lab-e@") && !inside.contains("eth1"), "{inside}");
    let root = link(&[]).expect_code(0).stdout;
    assert!(root.contains("lab-m@eth1"), "{root}");
    assert_eq!(exec(&["-n", "lab-n", "--", "sh", "-c", "exit 42"]).code, 42);
    let output = link(&["-n", "lab-o"]).expect_code(2);
    let expected =
        "error: deployment `edge` has no namespace `lab-o`\n  help: did you mean `lab-n`?\n";
    assert_eq!(output.stderr, expected);
}

#[test]
fn a_deployment_stays_until_it_is_destroyed() {
    let host = machine();
    let before = host.state();
    let output = apply(&host, &[]).expect_code(0);
    assert!(output.stderr.contains("kept as edge") || output.stdout.contains("kept as edge"));
    let link = host.ip_json(&["-d", "link", "show", "lab-m"]);
    assert_eq!(link[0]["linkinfo"]["info_data"]["mode"], "bridge", "{link:#}");
    let listed = deployments(&host);
    assert_eq!(listed[0]["name"], "edge", "{listed:#}");
    assert_eq!(listed[0]["changes"], 4, "{listed:#}");
    // What others leave behind is none of it.
    let output = host.netwright(["gc"], &[]).expect_code(0);
    assert_eq!(output.stdout, "nothing was left behind\n");
    host.netwright(["destroy", "edge"], &[]).expect_code(0);
    assert_eq!(host.differences(&before), [""; 0]);
    assert_eq!(deployments(&host), serde_json::json!([]));
}

#[test]
fn a_name_is_deployed_once() {
    let host = machine();
    apply(&host, &[]).expect_code(0);
    host.settle();
    let before = host.state();
    // Applied again it is what it is; another run can't have its name.
    assert_eq!(apply(&host, &[]).expect_code(0).stdout, "edge: 0 changes\n");
    let file = host.session().path("edge.yaml").display().to_string();
    let mut words = vec!["run", &file, "--keep", "edge"];
    words.extend(GRANTS.iter().flat_map(|grant| ["--grant", grant]));
    let output = host.netwright(words, &[]).expect_code(2);
    assert_eq!(
        output.stderr,
        "error: `edge` is deployed on the host already\n  help: `netwright destroy edge` takes it back\n"
    );
    assert_eq!(host.differences(&before), [""; 0]);
    host.netwright(["destroy", "edge"], &[]).expect_code(0);
}

#[test]
fn a_failed_check_leaves_no_deployment() {
    let host = machine();
    let failing = SCENARIO.replace("kind: macvlan,", "kind: bridge,");
    fs::write(host.session().path("edge.yaml"), failing).expect("the folder is the test's own");
    let before = host.state();
    apply(&host, &[]).expect_code(1);
    assert_eq!(host.differences(&before), [""; 0]);
    assert_eq!(deployments(&host), serde_json::json!([]));
}

#[test]
fn what_a_deployment_relies_on_is_nobody_elses() {
    let host = machine();
    apply(&host, &[]).expect_code(0);
    host.settle();
    let before = host.state();
    let grants = ["host.link.read", "host.link.modify name=eth1"];
    let output = host.run_ip("link set eth1 mtu 1400", &grants).expect_code(5);
    let words = "link `eth1` is used by deployment `edge`, and this run would alter what that relies on\n  help: `netwright destroy edge` takes it back";
    assert!(output.stderr.contains(words), "{output:#?}");
    assert_eq!(host.differences(&before), [""; 0]);
    host.netwright(["destroy", "edge"], &[]).expect_code(0);
    host.run_ip("link set eth1 mtu 1400", &grants).expect_code(0);
}

#[test]
fn what_nobody_confirms_is_taken_back() {
    let host = machine();
    let before = host.state();
    let output = apply(&host, &["--confirm-within", "2s"]).expect_code(0);
    let words = "everything is taken back in 2 s, unless `netwright confirm edge` comes before";
    assert!(output.stderr.contains(words), "{output:#?}");
    assert!(deployments(&host)[0]["confirm_within"].is_number());
    until_gone(&host);
    assert_eq!(host.differences(&before), [""; 0]);
}

#[test]
fn what_is_confirmed_stays() {
    let host = machine();
    let before = host.state();
    apply(&host, &["--confirm-within", "2s"]).expect_code(0);
    host.netwright(["confirm", "edge"], &[]).expect_code(0);
    assert!(deployments(&host)[0]["confirm_within"].is_null());
    thread::sleep(Duration::from_secs(4));
    assert_eq!(deployments(&host)[0]["name"], "edge");
    host.ip_json(&["link", "show", "lab-m"]);
    host.netwright(["destroy", "edge"], &[]).expect_code(0);
    assert_eq!(host.differences(&before), [""; 0]);
}

#[test]
fn there_is_nothing_to_confirm_in_a_lab() {
    let host = machine();
    let output = apply(&host, &["--target", "lab", "--confirm-within", "2s"]).expect_code(2);
    assert!(output.stderr.starts_with("error: --confirm-within is for the host target"));
    let output = apply(&host, &["--confirm-within", "2"]).expect_code(2);
    assert!(output.stderr.contains("write a number with its unit"), "{output:#?}");
}

#[test]
fn the_name_of_no_deployment_is_told() {
    let host = machine();
    apply(&host, &["--confirm-within", "1h"]).expect_code(0);
    let output = host.netwright(["confirm", "egde"], &[]).expect_code(2);
    assert_eq!(output.stderr, "error: no deployment `egde` waits\n  help: did you mean `edge`?\n");
    host.netwright(["destroy", "edge"], &[]).expect_code(0);
}

#[test]
fn a_deployment_that_is_being_altered_is_told_to_be() {
    let host = machine();
    apply(&host, &[]).expect_code(0);
    // It differs, so that it is altered, and waits for what never comes.
    host.ip_lines("link set lab-m down");
    let never = "  - address: { link: lab-m, is: 10.99.0.1/8, within: 6s }\n";
    let file = host.session().path("edge.yaml");
    fs::write(&file, format!("{SCENARIO}{never}")).expect("the folder is the test's own");
    let mut words = vec!["apply".to_owned(), file.display().to_string()];
    words.extend(GRANTS.iter().flat_map(|grant| ["--grant".to_owned(), (*grant).to_owned()]));
    let mut command = host.command(&host.session().command(words));
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut altering = command.spawn().expect("nsenter is installed: cargo xtask setup");
    let start = Instant::now();
    let told = loop {
        let output = host.netwright(["inspect", "edge"], &[]);
        if output.code != 0 || start.elapsed() > netwright_tests::machine::patience(PATIENCE) {
            break output.expect_code(5);
        }
        thread::sleep(Duration::from_millis(20));
    };
    let process = altering.id();
    let expected = format!(
        "error: another process works on deployment `edge`: process {process} makes it, alters it, or takes it apart\n  help: wait until it has ended\n"
    );
    assert_eq!(told.stderr, expected);
    let destroyed = host.netwright(["destroy", "edge"], &[]).expect_code(5);
    assert_eq!(destroyed.stderr, told.stderr);
    assert_eq!(altering.wait().expect("it was started here").code(), Some(1));
    // As it was before: down, and deployed.
    let shown = host.netwright(["inspect", "edge"], &[]).expect_code(0).stdout;
    assert!(shown.contains("lab-m: macvlan mode bridge on eth1 down"), "{shown}");
}

/// A deployment of two entries of `v5`'s, as a command answers of it.
fn ways(host: &Host, command: &str, stations: [&str; 2]) -> Value {
    let text = format!(
        "name: ways
target: host
steps:
  - recipe: builtin:ip
    params:
      script: |
        bridge fdb append 00:00:00:00:00:00 dev v5 dst {}
        bridge fdb add 02:00:00:00:00:05 dev v5 dst {}
",
        stations[0], stations[1]
    );
    let file = host.session().file("ways.yaml", text).display().to_string();
    let grants = ["--grant", "host.link.modify name=v5", "--grant", "host.link.read"];
    let words = [&[command, &file, "--json"], &grants[..]].concat();
    host.netwright(words, &[]).expect_code(0).json()
}

/// A rehearsal is on a vxlan as it is: that tells one way to a station from another one.
#[test]
fn entries_on_a_vxlan_of_others_are_no_difference_and_come_back() {
    const FOUR: [&str; 2] = ["10.9.9.1", "10.9.9.2"];
    for (options, [one, two]) in [
        ("", FOUR),
        ("dev eth1 group 239.1.1.1", FOUR),
        ("local 2001:db8::1 remote 2001:db8::2", ["2001:db8::9", "2001:db8::8"]),
    ] {
        let host = Host::with(
            "link add eth1 type veth peer name sw1
             link set eth1 up
             link set sw1 up",
        );
        host.ip_lines(&format!("link add v5 type vxlan id 5 dstport 4789 {options}"));
        host.ip_lines("link set v5 up");
        let entries = || host.run("bridge", ["fdb", "show", "dev", "v5"]).expect_code(0).stdout;
        let before = entries();
        ways(&host, "apply", [one, two]);
        for command in ["plan", "apply"] {
            let answer = ways(&host, command, [one, two]);
            let changes = answer["changes"].as_array().map(Vec::len);
            assert_eq!(changes, Some(0), "{options}, {command}: {answer}");
        }
        ways(&host, "apply", [two, one]);
        let now = entries();
        assert!(now.contains(&format!("02:00:00:00:00:05 dst {one}")), "{options}: {now}");
        host.netwright(["destroy", "ways"], &[]).expect_code(0);
        assert_eq!(entries(), before, "{options}");
    }
}
