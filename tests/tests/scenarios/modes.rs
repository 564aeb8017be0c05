//! The practice in all five modes: rows A1 to A12.

use netwright_tests::Session;
use serde_json::Value;

use crate::{answers, counted, ends, frames_of_ten_echoes, keep, link, reaches, run};

#[test]
fn a1_every_line_of_the_help_makes_its_link() {
    let session = Session::new();
    let lab = keep(&session, "a1", "macvlan-modes", &[]);
    let modes = ["private", "vepa", "bridge", "passthru", "passthru", "source"];
    for (kind, prefix) in [("macvlan", "mac"), ("macvtap", "tap")] {
        for (number, mode) in modes.iter().enumerate() {
            let name = format!("{prefix}{}", number + 1);
            let shown = link(&lab, None, &name);
            assert_eq!(shown["linkinfo"]["info_kind"], kind, "{name}");
            assert_eq!(shown["linkinfo"]["info_data"]["mode"], *mode, "{name}");
            let nopromisc = shown["linkinfo"]["info_data"]["nopromisc"] == true;
            assert_eq!(nopromisc, number == 4, "{name}");
            assert_eq!(shown["link"], format!("parent-{name}"));
        }
    }
}

#[test]
fn a2_bridge_children_reach_each_other_without_the_wire() {
    let session = Session::new();
    let lab = keep(&session, "a2", "macvlan-bridge", &[]);
    assert!(reaches(&lab, "ns1", "192.168.56.123"));
    let (received, sent) =
        frames_of_ten_echoes(&lab, "ns1", "192.168.56.123", ("switch", "switch0"));
    assert!(received < 4 && sent < 4, "{received} received, {sent} sent");
    let addresses = lab.ip_json(Some("ns1"), ["address", "show", "dev", "mac1"]);
    let own = &addresses[0]["addr_info"][0];
    assert_eq!(
        (own["local"].as_str(), own["prefixlen"].as_u64()),
        (Some("192.168.56.122"), Some(24))
    );
    let parent = link(&lab, None, "enp0s8")["ifindex"].clone();
    let child = link(&lab, Some("ns1"), "mac1");
    assert_eq!(child["link_index"], parent);
    assert!(child["link_netnsid"].is_u64());
}

/// The same network three times: in ip(8)'s words, as data, and as a recipe in Rust.
#[test]
fn a3_script_scenario_and_recipe_make_the_same_lab() {
    let session = Session::new();
    let script = session.file(
        "lan.ip",
        "link add enp0s8 type veth peer name switch0p1\n\
         address add 192.168.56.110/24 dev enp0s8\n\
         link add switch0 type bridge\nlink set switch0p1 master switch0\n\
         link set enp0s8 up\nlink set switch0p1 up\nlink set switch0 up\n\
         netns add ns1\nlink add link enp0s8 name mac netns ns1 type macvlan mode bridge\n\
         -n ns1 address add 192.168.56.122/24 dev mac\n-n ns1 link set mac up\n\
         netns add ns2\nlink add link enp0s8 name mac netns ns2 type macvlan mode bridge\n\
         -n ns2 address add 192.168.56.123/24 dev mac\n-n ns2 link set mac up\n",
    );
    let data = session.file(
        "lan.yaml",
        "name: lan\nsteps:\n  - recipe: builtin:topology\n    params:\n      namespaces: [ns1, ns2]\n      \
         links:\n        \
         - { name: enp0s8, kind: veth, peer: switch0p1, addresses: [192.168.56.110/24] }\n        \
         - { name: switch0, kind: bridge, ports: [switch0p1] }\n        \
         - { name: mac, namespace: ns1, kind: macvlan, mode: bridge, parent: enp0s8, addresses: [192.168.56.122/24] }\n        \
         - { name: mac, namespace: ns2, kind: macvlan, mode: bridge, parent: enp0s8, addresses: [192.168.56.123/24] }\n",
    );
    let recipe = session.bring("target/recipes/components/macvlan-lan.wasm");
    let script = format!("script=@{}", script.display());
    let of_script = session.keep("a3script", ["builtin:ip", "-p", &script]);
    let of_data = session.keep("a3data", [data]);
    let of_recipe = session.keep("a3recipe", [recipe]);
    let expected = inspected(&session, &of_script, "a3script");
    assert!(expected.to_string().contains("192.168.56.123/24"), "{expected:#}");
    assert_eq!(inspected(&session, &of_data, "a3data"), expected);
    assert_eq!(inspected(&session, &of_recipe, "a3recipe"), expected);
}

/// `inspect --json` once every address is ready, without what is another in each lab: its name,
/// the indices, the addresses that the kernel drew by lot and those that it makes of them.
#[track_caller]
fn inspected(session: &Session, lab: &netwright_tests::Lab<'_>, name: &str) -> Value {
    lab.settle();
    let mut lab = session.netwright(["inspect", name, "--json"]).expect_code(0).json();
    lab["lab"] = Value::Null;
    for namespace in lab["namespaces"].as_array_mut().unwrap() {
        for link in namespace["links"].as_array_mut().unwrap() {
            link["index"] = Value::Null;
            link["mac"] = Value::Null;
            let addresses = link["addresses"].as_array_mut().unwrap();
            addresses.retain(|address| !address.as_str().unwrap().starts_with("fe80:"));
        }
        let links = namespace["links"].as_array_mut().unwrap();
        links.sort_by_key(|link| link["name"].to_string());
        let routes = namespace["routes"].as_array_mut().unwrap();
        routes.retain(|route| !route["destination"].as_str().unwrap().starts_with("fe80:"));
        routes.sort_by_key(Value::to_string);
    }
    lab
}

#[test]
fn a4_private_children_stay_apart_even_behind_a_reflecting_switch() {
    run("macvlan-private", &["hairpin=false"]);
    let session = Session::new();
    let lab = keep(&session, "a4", "macvlan-private", &[]);
    assert!(!answers(&lab, "ns1", "192.168.56.123"));
    assert!(reaches(&lab, "ns1", "192.168.56.9"));
    assert!(reaches(&lab, "ns2", "192.168.56.9"));
    let port = link(&lab, Some("switch"), "switch0");
    assert_eq!(port["linkinfo"]["info_slave_data"]["hairpin"], true);
}

#[test]
fn a5_vepa_is_the_default_and_needs_a_switch_that_reflects() {
    let session = Session::new();
    let lab = keep(&session, "a5", "macvlan-vepa", &[]);
    assert_eq!(link(&lab, Some("ns1"), "mac1")["linkinfo"]["info_data"]["mode"], "vepa");
    let (before, _) = counted(&lab, Some("switch"), "switch0", "packets");
    assert!(!answers(&lab, "ns1", "192.168.56.123"));
    let (after, _) = counted(&lab, Some("switch"), "switch0", "packets");
    assert!(after > before, "no ARP request reached the switch");
}

#[test]
fn a6_a_reflecting_switch_sees_each_frame_of_vepa_children_twice() {
    let session = Session::new();
    let lab = keep(&session, "a6", "macvlan-vepa-reflecting", &[]);
    assert!(reaches(&lab, "ns1", "192.168.56.123"));
    let (received, sent) =
        frames_of_ten_echoes(&lab, "ns1", "192.168.56.123", ("switch", "switch0"));
    // Ten requests and ten replies, each there and back.
    assert!((20..24).contains(&received) && (20..24).contains(&sent), "{received}, {sent}");
}

#[test]
fn a7_vepa_children_lose_each_other_when_the_switch_stops_reflecting() {
    let session = Session::new();
    let lab = keep(&session, "a7", "macvlan-vepa-hairpin-off", &[]);
    assert!(!answers(&lab, "ns1", "192.168.56.123"));
    let words = ["ip", "link", "set", "switch0", "type", "bridge_slave", "hairpin", "on"];
    lab.exec(Some("switch"), words).expect_code(0);
    assert!(reaches(&lab, "ns1", "192.168.56.123"));
}

#[test]
fn a8_a_passthru_child_is_alone_and_makes_its_parent_promiscuous() {
    let session = Session::new();
    let lab = keep(&session, "a8", "macvlan-passthru", &[]);
    let parent = link(&lab, None, "enp0s8");
    assert_eq!(parent["promiscuity"], 1);
    assert_eq!(parent["address"], link(&lab, Some("ns1"), "mac1")["address"]);
    let second = "\
name: second
steps:
  - recipe: builtin:ip
    params:
      script: |
        link add enp0s8 type veth peer name far0
        link add link enp0s8 name mac1 type macvlan mode passthru
        link add link enp0s8 name mac2 type macvlan mode bridge
";
    let said = ends(second, 5);
    assert!(said.contains("`enp0s8` has the passthru child `mac1`"), "{said}");
}

#[test]
fn a9_nopromisc_leaves_the_parent_as_it_is() {
    let session = Session::new();
    let lab = keep(&session, "a9", "macvlan-passthru-nopromisc", &[]);
    assert_eq!(link(&lab, None, "enp0s8")["promiscuity"], 0);
    assert_eq!(link(&lab, Some("ns1"), "mac1")["linkinfo"]["info_data"]["nopromisc"], true);
}

#[test]
fn a10_frames_of_a_third_station_pass_a_passthru_child() {
    let session = Session::new();
    let lab = keep(&session, "a10", "macvlan-passthru-bridged", &[]);
    assert_eq!(link(&lab, None, "mac1")["master"], "br0");
    assert!(reaches(&lab, "outside", "192.168.56.33"));
    let neighbours = lab.ip_json(Some("outside"), ["neighbour", "show", "192.168.56.33"]);
    assert_eq!(neighbours[0]["lladdr"], "02:00:00:00:00:33");
}

#[test]
fn a11_a_source_child_hears_its_list_only() {
    let (one, two) = ("02:00:00:00:00:01", "02:00:00:00:00:02");
    let both = format!("change=macaddr set {one} {two}");
    run("macvlan-source", &["change=macaddr flush", "first=unreachable"]);
    run("macvlan-source", &[&both, "second=reply"]);
    let session = Session::new();
    let lab = keep(&session, "a11", "macvlan-source", &[]);
    assert!(reaches(&lab, "station1", "192.168.56.122"));
    assert!(!answers(&lab, "station2", "192.168.56.122"));
    let data = link(&lab, Some("ns1"), "mac1")["linkinfo"]["info_data"].clone();
    assert_eq!(data["macaddr_data"], serde_json::json!([one]));
    assert_eq!(data["macaddr_count"], 1);
}

#[test]
fn a12_children_have_addresses_of_their_own() {
    let session = Session::new();
    let lab = keep(&session, "a12", "macvlan-bridge", &[]);
    let parent = link(&lab, None, "enp0s8")["address"].clone();
    let first = link(&lab, Some("ns1"), "mac1")["address"].clone();
    let second = link(&lab, Some("ns2"), "mac2")["address"].clone();
    assert!(parent != first && parent != second && first != second);
}
