//! What macvlan users always hit: rows B1 to B10.

use netwright_tests::Session;

use crate::{ends, file, keep, link, reaches, run};

#[test]
fn b1_a_shim_lets_host_and_child_reach_each_other() {
    run("macvlan-parent-unreachable", &[]);
    let session = Session::new();
    let lab = keep(&session, "b1", "macvlan-shim", &[]);
    assert!(reaches(&lab, "ns1", "192.168.56.111"));
    let words = ["ping", "-n", "-q", "-c", "1", "-W", "1", "192.168.56.122"];
    lab.exec(None, words).expect_code(0);
}

/// drivers/net/macvlan.c, macvlan_handle_frame: of a private child only the broadcasts that come
/// back are dropped. So it can't ask for its parent, but answers it.
#[test]
fn b2_a_child_reaches_its_parents_address_by_a_reflecting_switch_only() {
    for (mode, hairpin, expect, back) in [
        ("bridge", "true", "reply", "reply"),
        ("vepa", "false", "unreachable", "unreachable"),
        ("vepa", "true", "reply", "reply"),
        ("private", "false", "unreachable", "unreachable"),
        ("private", "true", "unreachable", "reply"),
    ] {
        let parameters = [
            format!("mode={mode}"),
            format!("hairpin={hairpin}"),
            format!("expect={expect}"),
            format!("back={back}"),
        ];
        run("macvlan-parent-unreachable", &parameters.each_ref().map(String::as_str));
    }
}

#[test]
fn b3_children_lose_their_carrier_with_their_parent_and_get_it_back() {
    run("macvlan-parent-down", &["state=up", "carrier=true", "expect=reply"]);
    let session = Session::new();
    let lab = keep(&session, "b3", "macvlan-parent-down", &[]);
    let child = link(&lab, Some("ns1"), "mac1");
    assert!(!child["flags"].to_string().contains("LOWER_UP"), "{child}");
    assert_ne!(child["operstate"], "UP");
    lab.exec(None, ["ip", "link", "set", "enp0s8", "up"]).expect_code(0);
    assert!(reaches(&lab, "ns1", "192.168.56.9"));
}

#[test]
fn b3_the_loss_of_the_carrier_is_in_the_event_stream() {
    let session = Session::new();
    let events = session.path("events.jsonl");
    let told = events.display().to_string();
    let run = ["run", &file("macvlan-parent-down"), "--events", &told];
    session.netwright(run).expect_code(0);
    let lines = std::fs::read_to_string(events).unwrap();
    let mut child = Vec::new();
    for line in lines.lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        if event["event"] == "link" && event["namespace"] == "ns1" && event["link"] == "mac1" {
            child.push((event["up"].as_bool(), event["carrier"].as_bool()));
        }
    }
    assert!(child.contains(&(Some(true), Some(true))), "{lines}");
    assert_eq!(child.last(), Some(&(Some(true), Some(false))), "{lines}");
}

#[test]
fn b4_children_vanish_with_their_parent_and_the_lab_can_still_be_destroyed() {
    let session = Session::new();
    let lab = keep(&session, "b4", "macvlan-bridge", &[]);
    lab.exec(None, ["ip", "link", "delete", "enp0s8"]).expect_code(0);
    let gone = lab.exec(Some("ns1"), ["ip", "link", "show", "dev", "mac1"]);
    assert_eq!(gone.code, 1, "{gone:?}");
    session.netwright(["inspect", "b4", "--json"]).expect_code(0);
}

#[test]
fn b5_an_address_that_comes_twice_on_a_parent_is_refused_when_it_goes_up() {
    run("macvlan-same-address", &[]);
    let words = ["run", &file("macvlan-same-address"), "-p", "state=up"];
    let said = Session::new().netwright(words).expect_code(5).stderr;
    assert!(said.contains("EADDRINUSE"), "{said}");
    assert!(said.contains("`mac1` in namespace `ns1`"), "the other link: {said}");
}

/// At the limits it is taken; beyond them it is refused before anything is made.
#[test]
fn b6_what_the_kernel_would_refuse_is_refused_beforehand() {
    run("macvlan-limits", &[]);
    for (parameter, words) in [
        ("mtu=1401", "mtu 1401 is above the 1400 of parent `p0`"),
        ("name=sixteen-letters1", "has 16 bytes; the kernel allows 15"),
        ("parent=lo", "`lo` can't be a parent"),
        ("parent=nobody", "unknown parent `nobody`"),
        ("mac=01:00:5e:00:00:01", "is a multicast address"),
    ] {
        for command in ["validate", "plan", "run"] {
            let words_typed = [command, &file("macvlan-limits"), "-p", parameter];
            let output = Session::new().netwright(words_typed).expect_code(2);
            assert!(output.stderr.contains(words), "{output:#?}");
            assert_eq!(output.stdout, "");
        }
    }
}

/// Before the kernel is asked, each with its place; the combinations once each link is well-formed.
#[test]
fn b6_what_the_kernel_would_refuse_is_refused_by_line_and_column() {
    let wrong = [
        ("6:15", "{ name: mac5678901234567, kind: macvlan, parent: p0 }", "16 bytes"),
        (
            "7:53",
            "{ name: mac3, kind: macvlan, parent: p0, mac: \"01:00:5e:00:00:01\" }",
            "multicast",
        ),
        ("8:44", "{ name: mac4, kind: macvlan, parent: lo }", "`lo` can't be a parent"),
        ("9:44", "{ name: mac5, kind: macvlan, parent: nobody }", "unknown parent `nobody`"),
        ("10:35", "{ name: v0, kind: vlan, id: 0, parent: p0 }", "0 is out of range"),
        ("11:35", "{ name: v1, kind: vlan, id: 4095, parent: p0 }", "4095 is out of range"),
    ];
    all_refused(&wrong);
    all_refused(&[
        (
            "6:53",
            "{ name: mac1, kind: macvlan, parent: p0, mtu: 1600 }",
            "mtu 1600 is above the 1500",
        ),
        ("", "{ name: v2, kind: vlan, id: 5, parent: p0 }", ""),
        ("8:35", "{ name: v3, kind: vlan, id: 5, parent: p0 }", "VLAN 5 of `p0` is `v2` already"),
    ]);
}

/// Every fault of one file, by place and words; `run` touches nothing either. A link without a
/// place is right by itself.
#[track_caller]
fn all_refused(wrong: &[(&str, &str, &str)]) {
    let mut text = "\
name: b6
steps:
  - recipe: builtin:topology
    params:
      links: [{ name: p0, kind: veth, peer: p1, mtu: 1500 },
"
    .to_owned();
    for (_, link, _) in wrong {
        text += &format!("      {link},\n");
    }
    text += "      ]\n";
    let session = Session::new();
    let path = session.file("b6.yaml", text);
    for command in ["validate", "run"] {
        let output = session.netwright([command.as_ref(), path.as_os_str()]).expect_code(2);
        assert_eq!(output.stdout, "");
        for (place, _, words) in wrong.iter().filter(|(place, _, _)| !place.is_empty()) {
            assert!(output.stderr.contains(&format!("b6.yaml:{place}\n")), "{place}: {output:#?}");
            assert!(output.stderr.contains(words), "{words}: {output:#?}");
        }
    }
}

#[test]
fn b7_a_name_may_come_again_in_another_namespace_but_not_in_its_own() {
    let session = Session::new();
    let lab = keep(&session, "b7", "same-names", &[]);
    for namespace in ["c1", "c2"] {
        assert_eq!(link(&lab, Some(namespace), "eth0")["linkinfo"]["info_kind"], "macvlan");
    }
    let again = "\
name: again
steps:
  - name: first
    recipe: builtin:topology
    params:
      namespaces: [c1]
      links:
        - { name: p0, kind: veth, peer: p1 }
        - { name: eth0, namespace: c1, kind: macvlan, parent: p0 }
  - name: again
    recipe: builtin:topology
    params:
      existing: { namespaces: [c1], links: [p0] }
      links: [{ name: eth0, namespace: c1, kind: macvlan, parent: p0 }]
";
    let said = ends(again, 5);
    assert!(said.contains("EEXIST") && said.contains("eth0"), "{said}");
}

#[test]
fn b8_a_macvlan_on_a_macvlan_stands_on_the_lowest_device() {
    let session = Session::new();
    let lab = keep(&session, "b8", "macvlan-on-macvlan", &[]);
    let lowest = link(&lab, None, "enp0s8")["ifindex"].clone();
    assert_eq!(link(&lab, Some("ns1"), "upper")["link_index"], lowest);
}

#[test]
fn b9_the_metric_says_which_network_of_a_node_counts() {
    let session = Session::new();
    let lab = keep(&session, "b9", "two-networks-one-node", &[]);
    let chosen = lab.ip_json(Some("c1"), ["route", "get", "198.51.100.1"]);
    assert_eq!(chosen[0]["gateway"], "10.2.0.1");
}

#[test]
fn b10_a_vxlan_has_its_underlays_mtu_less_fifty() {
    let session = Session::new();
    let lab = keep(&session, "b10", "macvlan-over-vxlan", &[]);
    assert_eq!(link(&lab, Some("node1"), "vx0")["mtu"], 1450);
    assert_eq!(link(&lab, Some("c1"), "eth0")["mtu"], 1450);
    assert!(reaches(&lab, "c1", "10.0.0.2"));
}
