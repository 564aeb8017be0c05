//! What other programs read and write: docs/scenarios.md and docs/ci.md against the program's own
//! answers (every key and every word that it knows, and every field that it writes, is in the text),
//! and the results as JUnit has them.

use std::collections::BTreeSet;
use std::fs;

use netwright_tests::{Session, netwright, workspace};
use serde_json::Value;

/// A key that nothing has, so that the answer lists those that there are.
const UNKNOWN: &str = "zzzzzzzz";

/// Kinds with keys of their own, each with what it needs.
const KINDS: [&str; 10] = [
    "macvlan, parent: p0",
    "veth, peer: { name: q0, UNKNOWN: 1 }",
    "bridge, ports: [{ name: p0, UNKNOWN: 1 }]",
    "vlan, parent: p0, id: 1",
    "vxlan, id: 1",
    "ipvlan, parent: p0",
    "tap",
    "vrf, table: 1",
    "geneve",
    "dummy, netem: { UNKNOWN: 1 }, addresses: [{ address: 10.0.0.1/24, UNKNOWN: 1 }]",
];

const REST: &str = "
        - { name: x, kind: dummy, tbf: { rate: 1mbit, burst: 1kb, latency: 1s, UNKNOWN: 1 } }
        - { name: y, kind: UNKNOWN }
        - { name: z, kind: macvlan, parent: p0, mode: UNKNOWN, flags: [UNKNOWN] }
        - { name: u, kind: ipvlan, parent: p0, mode: UNKNOWN, flag: UNKNOWN }
        - { name: v, kind: vlan, parent: p0, id: 1, protocol: UNKNOWN }
        - { name: w, kind: dummy, netem: { distribution: UNKNOWN } }
      existing: { UNKNOWN: 1, links: [p0] }
      addresses: [{ link: p0, address: 10.0.0.1/24, UNKNOWN: 1 }]
      routes:
        - { destination: default, gateway: 10.0.0.2, UNKNOWN: 1 }
        - { destination: default, kind: UNKNOWN, next-hops: [{ gateway: 10.0.0.2, UNKNOWN: 1 }] }
      rules: [{ table: 5, UNKNOWN: 1 }, { action: UNKNOWN }]
      neighbours: [{ link: p0, address: 10.0.0.2, mac: 02:00:00:00:00:01, state: UNKNOWN, UNKNOWN: 1 }]
      sysctls: [{ key: net.core.somaxconn, value: 1, UNKNOWN: 1 }]
  - recipe: builtin:macvlan-network
    params: { parent: p0, subnet: 10.0.0.0/24, endpoints: [{ name: a, UNKNOWN: 1 }] }
";

/// Faults of the file itself, which keep recipes from being asked.
const FILE: &str = "\
name: reference
UNKNOWN: 1
steps: [{ recipe: builtin:ip, UNKNOWN: 1 }, { recipe: builtin:UNKNOWN }]
captures: [{ link: a, UNKNOWN: 1 }]
limits: { UNKNOWN: 1 }
checks:
  - UNKNOWN: {}
  - link: { name: a, UNKNOWN: 1 }
  - address: { link: a, is: 10.0.0.1/24, UNKNOWN: 1 }
  - route: { destination: default, UNKNOWN: 1 }
  - neighbour: { address: 10.0.0.1, UNKNOWN: 1 }
  - sysctl: { key: net.core.somaxconn, is: 1, UNKNOWN: 1 }
  - ping: { to: 10.0.0.1, expect: UNKNOWN, UNKNOWN: 1 }
  - arp: { to: 10.0.0.1, link: a, UNKNOWN: 1 }
  - tcp: { to: 10.0.0.1, port: 1, expect: UNKNOWN, UNKNOWN: 1 }
  - frames: { link: a, protocol: UNKNOWN, every: { UNKNOWN: 1 }, UNKNOWN: 1 }
";

/// What the answers list, one list for each unknown word: `a link has mtu, name`, `there are ip,
/// topology`, `none of `open`, `refused``.
fn listed(scenario: &str) -> BTreeSet<String> {
    let session = Session::new();
    session.file("reference.yaml", scenario.replace("UNKNOWN", UNKNOWN));
    let answer = session.netwright(["validate", "reference.yaml"]).expect_code(2).stderr;
    let answers = answer.lines().filter(|line| line.contains("error: ") || line.contains("help: "));
    let list = |line: &str| {
        let starts = [" has ", "there are ", "none of "];
        starts.into_iter().find_map(|start| Some(line.split_once(start)?.1.replace('`', "")))
    };
    let lists: Vec<String> = answers.filter_map(list).collect();
    assert_eq!(lists.len(), scenario.matches("UNKNOWN").count(), "{answer}");
    lists.iter().flat_map(|list| list.split(", ")).map(str::to_owned).collect()
}

fn parameters() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for recipe in ["builtin:topology", "builtin:ip", "builtin:macvlan-network"] {
        let about = netwright(["recipe", "inspect", "--json", recipe]).expect_code(0).json();
        let parameters = about["manifest"]["parameters"].as_array().expect("a list");
        let name = |parameter: &Value| parameter["name"].as_str().map(str::to_owned);
        names.extend(parameters.iter().filter_map(name));
    }
    names
}

#[test]
fn every_key_and_word_is_in_the_reference() {
    let mut topology = "\
name: reference
steps:
  - recipe: builtin:topology
    params:
      links:"
        .to_owned();
    for (number, kind) in KINDS.iter().enumerate() {
        topology += &format!("\n        - {{ name: l{number}, kind: {kind}, UNKNOWN: 1 }}");
    }
    let mut known = parameters();
    known.extend(listed(FILE));
    known.extend(listed(&(topology + REST)));
    assert!(known.len() > 150, "{known:?}");
    assert_has("docs/scenarios.md", &known);
}

fn assert_has(file: &str, words: &BTreeSet<String>) {
    let text = fs::read_to_string(workspace().join(file)).expect("it is there");
    let code = text.split('`').skip(1).step_by(2);
    let known: BTreeSet<&str> = code.flat_map(|code| code.split([':', ' ', ','])).collect();
    let missing: Vec<_> = words.iter().filter(|word| !known.contains(word.as_str())).collect();
    assert!(missing.is_empty(), "{file} doesn't have {missing:?}");
}

/// A run with a capture, a check, and a line that the kernel refuses.
const REFUSED: &str = "\
name: refused
captures: [{ link: p0 }]
steps:
  - recipe: builtin:ip
    params: { script: \"link add p0 type veth peer name p1\\nlink set p0 up\\nlink add p0 type bridge\" }
";

/// The keys of an object, and of those in it.
fn fields(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(entries) => {
            into.extend(entries.keys().cloned());
            entries.values().for_each(|value| fields(value, into));
        }
        Value::Array(items) => items.iter().for_each(|item| fields(item, into)),
        _ => {}
    }
}

#[test]
fn every_field_of_results_and_events_is_in_the_reference() {
    let session = Session::new();
    session.file("refused.yaml", REFUSED);
    let passing = session.bring("scenarios/macvlan-bridge.yaml");
    let passing = passing.to_str().expect("a path in ASCII");
    let mut known = BTreeSet::new();
    for (scenario, code) in [("refused.yaml", 5), (passing, 0)] {
        let words = ["run", scenario, "--json", "--events", "events", "--artifacts", "kept"];
        let result = session.netwright(words).expect_code(code);
        fields(&result.json(), &mut known);
        let events = fs::read_to_string(session.path("events")).expect("it is written");
        for line in events.lines() {
            let event: Value = serde_json::from_str(line).expect("a line of JSON");
            known.extend(event["event"].as_str().map(str::to_owned));
            fields(&event, &mut known);
        }
    }
    assert!(known.len() > 45, "{known:?}");
    assert_has("docs/ci.md", &known);
}

/// Without the times, which the three have in one place each.
fn junit(session: &Session) -> String {
    let text = fs::read_to_string(session.path("junit.xml")).expect("it is written");
    let mut parts = text.split(" time=\"");
    let first = parts.next().expect("there is a first part").to_owned();
    parts.fold(first, |text, part| text + part.split_once('"').expect("a time ends").1)
}

#[test]
fn junit_has_a_case_for_each_step_and_each_check() {
    let session = Session::new();
    let text = "\
name: cases
params: { to: 127.0.0.1 }
steps:
  - recipe: builtin:ip
    params: { script: \"link set lo up\\nsysctl -w net.ipv4.ip_forward=1\" }
checks:
  - link: { name: lo, up: true }
  - ping: { to: \"${to}\", within: 1s }
";
    session.file("cases.yaml", text);
    let run = |words: &[&str], code| {
        let all = [&["run", "cases.yaml", "-q", "--junit", "junit.xml"], words].concat();
        session.netwright(all).expect_code(code);
        junit(&session)
    };
    let step = "<testcase name=\"step ip\" classname=\"cases\">
            <system-out>net.ipv4.ip_forward = 1</system-out>
        </testcase>
        <testcase name=\"link lo is up\" classname=\"cases\"/>";
    assert_eq!(
        run(&[], 0).trim_end(),
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<testsuites name=\"cases\" tests=\"3\" skipped=\"0\" failures=\"0\" errors=\"0\">
    <testsuite name=\"cases\" tests=\"3\" skipped=\"0\" errors=\"0\" failures=\"0\">
        {step}
        <testcase name=\"ping 127.0.0.1 is answered within 1s\" classname=\"cases\"/>
    </testsuite>
</testsuites>"
        )
    );
    let failed = run(&["-p", "to=192.0.2.1"], 1);
    assert!(failed.contains("tests=\"3\" skipped=\"0\" errors=\"0\" failures=\"1\""), "{failed}");
    assert!(failed.contains(step) && failed.contains("<failure message=\""), "{failed}");

    session.file("cases.yaml", text.replace("link set lo up", "link set nosuch up"));
    let broken = run(&[], 5);
    assert!(broken.contains("<error message=\"recipe `ip` failed: "), "{broken}");
    assert!(broken.contains("type=\"broken\"") && broken.contains("nosuch"), "{broken}");
}
