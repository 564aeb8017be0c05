//! VLANs, and macvlan children on them: rows A10, A12, A13, A19 and A20 on a kernel with 802.1Q;
//! elsewhere each of these scenarios must say what the kernel lacks before it has made a link.

use std::time::{Duration, Instant};

use netwright_tests::{Lab, Session, has_vlans};

use crate::{answers, ends, file, keep, link, reaches};

/// Runs a scenario and keeps its lab; without 802.1Q, insists that it is refused by name.
fn keep_vlan<'a>(session: &'a Session, lab: &str, name: &str) -> Option<Lab<'a>> {
    if has_vlans() {
        return Some(keep(session, lab, name, &[]));
    }
    let output = session.netwright(["run", &file(name)]).expect_code(8);
    let expected = "links of kind `vlan`: the kernel lacks CONFIG_VLAN_8021Q (module 8021q)";
    assert!(output.stderr.contains(expected), "{}", output.stderr);
    // Whichever step needs it.
    assert!(output.stdout.contains("lacking: 0 checks, 0 changes, "), "{}", output.stdout);
    None
}

/// What tcpdump sees on a link, one line a frame, while something is repeated.
fn frames(
    lab: &Lab<'_>,
    namespace: Option<&str>,
    (link, filter, count): (&str, &str, usize),
    mut meanwhile: impl FnMut(),
) -> Vec<String> {
    let count = count.to_string();
    let tcpdump = ["timeout", "60", "tcpdump", "-Z", "root", "-e", "-n", "-i", link, "-c", &count];
    let output = std::thread::scope(|threads| {
        let seen = threads.spawn(|| lab.exec(namespace, tcpdump.into_iter().chain([filter])));
        while !seen.is_finished() {
            meanwhile();
        }
        seen.join().unwrap()
    });
    output.expect_code(0).stdout.lines().map(str::to_owned).collect()
}

#[test]
fn a10_a_vlan_on_a_passthru_child_carries_a_third_stations_frames() {
    let session = Session::new();
    let Some(lab) = keep_vlan(&session, "a10v", "vlan-on-passthru") else { return };
    let tagged = link(&lab, None, "mac1.100");
    assert_eq!(tagged["linkinfo"]["info_data"]["id"], 100);
    assert_eq!(tagged["link"], "mac1");
    assert_eq!(link(&lab, None, "enp0s8")["promiscuity"], 1);
    let wire = ("enp0s8", "icmp or (vlan and icmp)", 4);
    let seen = frames(&lab, None, wire, || {
        assert!(reaches(&lab, "inside", "192.168.100.9"));
    });
    for frame in seen {
        assert!(frame.contains("02:00:00:00:00:33") && frame.contains("vlan 100,"), "{frame}");
    }
}

#[test]
fn a12_a_vlan_has_its_parents_mac_address_and_a_macvlan_its_own() {
    let session = Session::new();
    let Some(lab) = keep_vlan(&session, "a12", "vlan-addresses") else { return };
    let mac = |name: &str| link(&lab, None, name)["address"].as_str().unwrap().to_owned();
    assert_eq!(mac("enp0s5.100"), mac("enp0s5"));
    assert_eq!(mac("enp0s5.200"), mac("enp0s5"));
    let mut own = ["enp0s5", "mac1", "mac2"].map(mac).to_vec();
    own.sort_unstable();
    own.dedup();
    assert_eq!(own.len(), 3, "{own:?}");
}

#[test]
fn a13_macvlan_children_share_a_broadcast_domain_and_vlans_do_not() {
    let session = Session::new();
    let Some(lab) = keep_vlan(&session, "a13v", "vlan-broadcast-domains") else { return };
    // Nobody has this address, so that the station asks by broadcast each time.
    let broadcast = || assert!(!answers(&lab, "m1", "10.0.0.99"));
    for (namespace, link) in [(Some("m2"), "eth0"), (None, "port1"), (None, "switch")] {
        let seen = frames(&lab, namespace, (link, "arp", 1), broadcast);
        assert!(seen[0].contains("who-has 10.0.0.99 tell 10.0.0.11"), "{link}: {seen:?}");
    }
    // The VLAN hears its own stations alone, though the other goes on asking.
    let seen = frames(&lab, Some("v100"), ("eth0", "arp", 3), || {
        broadcast();
        assert!(!answers(&lab, "node2", "10.0.0.98"));
    });
    for frame in seen {
        assert!(frame.contains("who-has 10.0.0.98 tell 10.0.0.110"), "{frame}");
    }
}

const TWO_NODES: [(&str, &str, &str); 4] = [
    ("c5", "node1", "192.168.200.100"),
    ("c6", "node1", "192.168.200.101"),
    ("c7", "node2", "192.168.200.102"),
    ("c8", "node2", "192.168.200.103"),
];

#[test]
fn a19_a_macvlan_network_on_a_vlan_reaches_over_both_nodes_with_addresses_of_its_own() {
    let session = Session::new();
    let Some(lab) = keep_vlan(&session, "a19", "vlan-network-two-nodes") else { return };
    for node in ["node1", "node2"] {
        let vlan = link(&lab, Some(node), "enp0s5.200");
        assert_eq!(vlan["linkinfo"]["info_kind"], "vlan");
        assert_eq!(vlan["linkinfo"]["info_data"]["id"], 200);
        assert_eq!(vlan["promiscuity"], 1);
        let routes = lab.ip_json(Some(node), ["-4", "route", "show", "default"]);
        assert_eq!(routes.as_array().unwrap().len(), 1, "{routes}");
        assert_eq!(routes[0]["gateway"], "192.168.200.1");
    }
    for (endpoint, node, _) in TWO_NODES {
        let child = link(&lab, Some(endpoint), "eth0");
        assert_eq!(child["link_index"], link(&lab, Some(node), "enp0s5.200")["ifindex"]);
        let others = TWO_NODES.iter().filter(|(other, _, _)| *other != endpoint);
        let pings: Vec<_> =
            others.map(|(_, _, address)| format!("ping -n -q -c 1 -W 10 {address}")).collect();
        lab.exec(Some(endpoint), ["sh", "-c", &pings.join(" && ")]).expect_code(0);
    }
    let address = |endpoint: &str| {
        let shown = lab.ip_json(Some(endpoint), ["-4", "address", "show", "dev", "eth0"]);
        shown[0]["addr_info"][0]["local"].as_str().unwrap().to_owned()
    };
    let mut all = ["c5", "c6", "c7", "c8", "c9", "c10"].map(address).to_vec();
    all.extend(["192.168.200.1", "192.168.200.10", "192.168.200.11"].map(str::to_owned));
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 9, "unique over both nodes: {all:?}");
    let seen = frames(&lab, None, ("port1", "icmp or arp or vlan", 8), || {
        assert!(answers(&lab, "c5", "192.168.200.102"));
    });
    for frame in seen {
        assert!(frame.contains("vlan 200,"), "{frame}");
    }
}

#[test]
fn a19_a_check_that_fails_takes_every_change_back() {
    let session = Session::new();
    let text = std::fs::read_to_string(file("vlan-network-two-nodes")).unwrap();
    let (head, _) = text.split_once("checks:\n").unwrap();
    let wrong = "checks:\n  - link: { namespace: node1, name: enp0s5.200, promiscuity: 7 }\n";
    let scenario = session.file("wrong.yaml", format!("{head}{wrong}"));
    let code = if has_vlans() { 1 } else { 8 };
    let output = session.netwright(["run".into(), scenario.into_os_string()]).expect_code(code);
    // The last line counts changes, and those that were undone one by one before the lab went with
    // the rest; linux/tests/kernel/tutorial.rs compares what each undo leaves.
    let said = output.stdout + &output.stderr;
    assert!(!has_vlans() || said.contains(" undone, "), "{said}");
}

#[test]
fn a20_two_vlans_on_one_trunk_meet_nowhere() {
    let session = Session::new();
    let Some(lab) = keep_vlan(&session, "a20", "vlans-side-by-side") else { return };
    for vlan in [100, 200] {
        let other = 300 - vlan;
        assert!(reaches(&lab, &format!("a{vlan}"), &format!("192.168.{vlan}.103")));
        assert!(!answers(&lab, &format!("a{vlan}"), &format!("192.168.{other}.102")));
        let filter = format!("icmp or (vlan {vlan} and icmp)");
        let seen = frames(&lab, None, ("port2", &filter, 4), || {
            assert!(answers(&lab, &format!("a{vlan}"), &format!("192.168.{vlan}.103")));
        });
        for frame in seen {
            assert!(frame.contains(&format!("vlan {vlan},")), "{frame}");
        }
    }
    // What is untagged stays so, beside them.
    let start = Instant::now();
    let seen = frames(&lab, None, ("port2", "icmp", 2), || {
        assert!(reaches(&lab, "node1", "10.0.5.11"));
        assert!(
            start.elapsed() < netwright_tests::machine::patience(Duration::from_secs(60)),
            "no untagged frame"
        );
    });
    for frame in seen {
        assert!(!frame.contains("vlan"), "{frame}");
    }
}

#[test]
fn a_vlan_twice_on_one_parent_names_the_one_that_is_there() {
    let text = "\
name: twice
steps:
  - recipe: builtin:ip
    params:
      script: |
        ip link add enp0s5 type veth peer name port1
        ip link add link enp0s5 name enp0s5.200 type vlan id 200
        ip link add link enp0s5 name other type vlan id 200
";
    let said = ends(text, if has_vlans() { 5 } else { 8 });
    let expected = if has_vlans() {
        "VLAN 200 of this parent is `enp0s5.200`"
    } else {
        "the kernel lacks CONFIG_VLAN_8021Q (module 8021q)"
    };
    assert!(said.contains(expected), "{said}");
}
