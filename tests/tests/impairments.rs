//! Impaired links and filtering bridges, by scenario files and the real program; iproute2 says what
//! became of them. Row C14, and bridges with VLANs. Where the kernel lacks what a file needs,
//! netwright must say so and touch nothing.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use netwright_tests::{Lab, Session, workspace};
use serde_json::{Value, json};

fn file(name: &str) -> String {
    workspace().join("scenarios").join(format!("{name}.yaml")).display().to_string()
}

/// Runs a scenario, and keeps its lab; none where the kernel lacks this, and netwright says so.
fn keep<'a>(session: &'a Session, name: &str, lacks: &str) -> Option<Lab<'a>> {
    let complete = netwright_tests::is_complete_kernel();
    let tried = session.netwright(["run", &file(name)]);
    if tried.code == 8 && !complete {
        let told = tried.stdout + &tried.stderr;
        assert!(told.contains(lacks), "{told}");
        assert!(told.contains("0 changes"), "{told}");
        return None;
    }
    tried.expect_code(0);
    Some(session.keep(name, [file(name)]))
}

/// The root discipline of a link in a namespace, as tc(8) sees it.
fn discipline(lab: &Lab<'_>, namespace: &str) -> (String, Value) {
    let output = lab.exec(Some(namespace), ["tc", "-j", "qdisc", "show", "dev", "eth0"]);
    let all: Vec<Value> = serde_json::from_str(&output.expect_code(0).stdout).unwrap();
    let root = all.into_iter().find(|one| one["root"] == true).unwrap();
    (root["kind"].as_str().unwrap().to_owned(), root["options"].clone())
}

#[test]
fn c14_both_ends_of_a_line_are_limited_and_a_change_keeps_the_rest() {
    let session = Session::new();
    let lab = keep(&session, "tbf-both-ends", "CONFIG_NET_SCH_TBF").unwrap();
    let expected = json!({ "rate": 125_000, "burst": 4096, "lat": 50_000 });
    assert_eq!(discipline(&lab, "right"), ("tbf".to_owned(), expected));
    let expected = json!({ "rate": 250_000, "burst": 4096, "lat": 25_000 });
    assert_eq!(discipline(&lab, "left"), ("tbf".to_owned(), expected));
    let shown = session.netwright(["inspect", "tbf-both-ends"]).expect_code(0).stdout;
    assert!(shown.contains("tbf rate 2mbit burst 4096b limit 10346b"), "{shown}");
}

#[test]
fn c14_both_ends_of_a_line_delay_and_a_change_keeps_the_rest() {
    let session = Session::new();
    let lacks = "the kernel lacks CONFIG_NET_SCH_NETEM (module sch_netem)";
    let Some(lab) = keep(&session, "netem-both-ends", lacks) else { return };
    for end in ["left", "right"] {
        let (kind, options) = discipline(&lab, end);
        assert_eq!(kind, "netem");
        assert_eq!(options["delay"]["delay"], 0.1);
        assert_eq!(options["delay"]["jitter"], 0.005);
        assert_eq!(options["loss-random"], Value::Null);
    }
}

#[test]
fn stations_reach_those_of_their_own_vlan_over_a_trunk() {
    let session = Session::new();
    let lacks = "the kernel lacks CONFIG_BRIDGE_VLAN_FILTERING";
    let Some(lab) = keep(&session, "bridge-vlans", lacks) else { return };
    let shown = |port: &str| {
        let words = ["bridge", "-j", "vlan", "show", "dev", port];
        let output = lab.exec(Some("switch1"), words).expect_code(0);
        let mut all: Value = serde_json::from_str(&output.stdout).unwrap();
        // iproute2 leaves an empty list of flags out, or doesn't, by its version.
        for vlan in all[0]["vlans"].as_array_mut().unwrap() {
            vlan.as_object_mut()
                .unwrap()
                .retain(|key, value| key != "flags" || *value != json!([]));
        }
        all[0]["vlans"].clone()
    };
    let own = json!(["PVID", "Egress Untagged"]);
    assert_eq!(shown("p1"), json!([{ "vlan": 100, "flags": own }]));
    let trunk = json!([{ "vlan": 1, "flags": own }, { "vlan": 100 }, { "vlan": 200 }]);
    assert_eq!(shown("trunk"), trunk);
    let inspected = session.netwright(["inspect", "bridge-vlans"]).expect_code(0).stdout;
    assert!(inspected.contains("vid 100 pvid untagged"), "{inspected}");
}
