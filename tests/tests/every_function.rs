//! Every function of the contract on a machine that grants nothing. The functions are those of
//! guest-sdk/wit, so that a new one without a row in tests/recipes/knock fails this test.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};

use netwright_tests::{Host, workspace};
use wit_parser::{Resolve, WorldItem};

const NIC: &str = "link add eth1 type veth peer name sw1
                   link set eth1 up
                   link set sw1 up
                   address add 10.9.0.2/24 dev eth1
                   netns add there";

/// What a recipe says and is told, and the name of where it is; none of it touches the network.
const FREE: [&str; 23] = [
    // An empty one; what it is filled with is decided about as a whole.
    "batch/[constructor]batch",
    "clock/now",
    "clock/sleep",
    "links/offered",
    "log/emit",
    "namespaces/[method]namespace.name",
    "namespaces/[static]namespace.root",
    "notation/format-address",
    "notation/format-mac",
    "notation/format-prefix",
    "notation/parse-address",
    "notation/parse-mac",
    "notation/parse-prefix",
    "params/all",
    "params/dry-run",
    "params/get",
    // What the kernel was built with is no secret of the operator's.
    "qdisc/offered",
    "report/attach",
    "report/check",
    "report/metric",
    "report/print",
    "report/step",
    "vlans/offered",
];

/// Namespaces of others are answered as if there were none: not even their names are told.
const HIDDEN: [&str; 2] =
    ["namespaces/[method]namespace.delete", "namespaces/[static]namespace.open"];

/// Lists what the run itself has made, which is nothing.
const OWN: &str = "namespaces/list-names";

/// What `host.link.read name=eth1` opens: the link itself with the routes by it, and
/// nothing that alters it.
const READS: [&str; 8] = [
    "links/[method]link.index",
    "links/[method]link.info",
    "links/[method]link.statistics",
    "links/[static]link.open",
    "fdb/list-all",
    "routes/lookup",
    "qdisc/get",
    "vlans/get",
];

/// `INTERFACE/FUNCTION` of all that a recipe can import.
fn functions() -> BTreeSet<String> {
    let mut contract = Resolve::default();
    let (package, _) = contract.push_dir(workspace().join("guest-sdk/wit")).unwrap();
    let world = contract.select_world(&[package], Some("recipe")).unwrap();
    let mut found = BTreeSet::new();
    for item in contract.worlds[world].imports.values() {
        let WorldItem::Interface { id, .. } = item else { panic!("a bare import: {item:?}") };
        let interface = &contract.interfaces[*id];
        let name = interface.name.as_deref().unwrap();
        found.extend(interface.functions.keys().map(|function| format!("{name}/{function}")));
    }
    found
}

/// What each function answered, by one run of the recipe that calls them all.
fn answers(host: &Host, grants: &[&str]) -> BTreeMap<String, String> {
    let file = host.session().bring("target/recipes/components/knock.wasm").display().to_string();
    let mut arguments = vec!["run", &file, "--target", "host", "--json"];
    arguments.extend(grants.iter().flat_map(|grant| ["--grant", grant]));
    let result = host.netwright(arguments, &[]).expect_code(0).json();
    let lines = result["steps"][0]["output"].as_array().unwrap();
    let pair = |line: &serde_json::Value| {
        let (function, answer) = line.as_str()?.split_once(" -> ")?;
        Some((function.to_owned(), answer.to_owned()))
    };
    lines.iter().filter_map(pair).collect()
}

fn is_hidden(function: &str, answer: &str) -> bool {
    let there =
        answer.starts_with("Error::Other(Detail { message: \"there is no namespace `there`\"");
    (HIDDEN.contains(&function) && there) || (function == OWN && answer == "done")
}

#[test]
fn every_function_is_denied_where_nothing_is_granted() {
    let host = Host::with(NIC);
    let before = host.state();
    let answers = answers(&host, &[]);
    let called: BTreeSet<String> = answers.keys().cloned().collect();
    assert_eq!(called, functions(), "each function has its row in tests/recipes/knock");
    let allowed: Vec<&str> = answers
        .iter()
        .filter(|(function, answer)| !answer.starts_with("denied ") && !is_hidden(function, answer))
        .map(|(function, _)| function.as_str())
        .collect();
    assert_eq!(allowed, FREE, "{answers:#?}");
    assert_eq!(host.differences(&before), [""; 0]);
}

#[test]
fn whoever_may_read_one_link_may_do_nothing_else() {
    let host = Host::with(NIC);
    let before = host.state();
    let answers = answers(&host, &["host.link.read name=eth1"]);
    let mut expected: BTreeSet<&str> = FREE.into_iter().chain(READS).collect();
    for (function, answer) in &answers {
        let denied = answer.starts_with("denied ") || is_hidden(function, answer);
        // A list holds what may be seen of it.
        let lists = function.ends_with("/list-all") && answer == "done";
        let free = expected.remove(function.as_str()) || lists;
        assert_eq!(denied, !free, "{function}: {answer}");
    }
    assert_eq!(expected, BTreeSet::new());
    assert_eq!(host.differences(&before), [""; 0]);
}
