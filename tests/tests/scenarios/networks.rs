//! Networks as Docker makes them, routes and promiscuity: rows A16 to A22.

use netwright_tests::{Lab, Session};

use crate::{ends, file, keep, link, reaches, run};

#[test]
fn a16_endpoints_on_two_nodes_are_children_of_their_nodes_parent() {
    let session = Session::new();
    let lab = keep(&session, "a16", "macvlan-network-two-nodes", &[]);
    let endpoints = [
        ("c1", "node1", "192.168.2.220"),
        ("c2", "node1", "192.168.2.221"),
        ("c3", "node2", "192.168.2.222"),
        ("c4", "node2", "192.168.2.223"),
    ];
    for (endpoint, node, _) in endpoints {
        let child = link(&lab, Some(endpoint), "eth0");
        assert_eq!(child["linkinfo"]["info_kind"], "macvlan");
        assert_eq!(child["linkinfo"]["info_data"]["mode"], "bridge");
        assert_eq!(child["link_index"], link(&lab, Some(node), "enp0s5")["ifindex"]);
        let routes = lab.ip_json(Some(endpoint), ["-4", "route", "show", "default"]);
        assert_eq!(routes[0]["gateway"], "192.168.2.1");
        for (other, _, address) in endpoints {
            assert!(other == endpoint || reaches(&lab, endpoint, address), "{endpoint} to {other}");
        }
    }
}

/// Each endpoint's address and MAC address.
fn addresses(lab: &Lab<'_>) -> Vec<(String, String)> {
    let of = |endpoint| {
        let shown = lab.ip_json(Some(endpoint), ["-4", "address", "show", "dev", "eth0"]);
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        (
            text(&shown[0]["addr_info"][0]["local"]),
            text(&link(lab, Some(endpoint), "eth0")["address"]),
        )
    };
    ["c1", "c2", "c3", "c4"].map(of).to_vec()
}

#[test]
fn a17_addresses_are_unique_over_both_nodes_and_the_same_the_next_time() {
    let session = Session::new();
    let first = addresses(&keep(&session, "a17a", "macvlan-network-addresses", &[]));
    let second = addresses(&keep(&session, "a17b", "macvlan-network-addresses", &[]));
    assert_eq!(first, second);
    let mut given: Vec<_> = first.iter().map(|(address, _)| address.as_str()).collect();
    given.sort_unstable();
    assert_eq!(given, ["192.168.2.2", "192.168.2.4", "192.168.2.5", "192.168.2.6"]);
    let mut macs: Vec<_> = first.iter().map(|(_, mac)| mac).collect();
    macs.sort_unstable();
    macs.dedup();
    assert_eq!(macs.len(), 4);
}

#[test]
fn a18_a_second_network_on_a_parent_is_refused_unless_it_is_shared() {
    run("macvlan-network-shared-parent", &[]);
    let path = file("macvlan-network-shared-parent");
    let output = Session::new().netwright(["run", &path, "-p", "share=false"]).expect_code(5);
    let said = output.stdout + &output.stderr;
    let expected = "parent `node1/enp0s5` is already used by network `macnet`";
    assert!(said.contains(expected), "{said}");
}

#[test]
fn a21_a_second_default_route_needs_replace_or_a_metric() {
    let session = Session::new();
    let lab = keep(&session, "a21", "default-route-replaced", &[]);
    let routes = lab.ip_json(Some("node"), ["-4", "route", "show", "default"]);
    let shown: Vec<_> = routes
        .as_array()
        .unwrap()
        .iter()
        .map(|route| (route["gateway"].clone(), route["metric"].clone()))
        .collect();
    assert_eq!(
        shown,
        [("10.0.0.2".into(), serde_json::Value::Null), ("10.0.0.3".into(), 200.into())]
    );
    let twice = "\
name: twice
steps:
  - recipe: builtin:ip
    params:
      script: |
        link add eth0 type veth peer name far0
        address add 10.0.0.10/24 dev eth0
        link set eth0 up
        link set far0 up
        route add default via 10.0.0.1
        route add default via 10.0.0.2
";
    let said = ends(twice, 5);
    assert!(said.contains("EEXIST"), "{said}");
    assert!(said.contains("10.0.0.1") && said.contains("10.0.0.2"), "both routes: {said}");
}

#[test]
fn a22_a_request_for_promiscuity_is_one_of_several() {
    run("promiscuous", &["script=ip link set port0 promisc off", "count=1"]);
    let back = "script=ip link set port0 promisc on\nip link set port0 promisc off";
    run("promiscuous", &[back, "count=1"]);
    let session = Session::new();
    let lab = keep(&session, "a22", "promiscuous", &[]);
    assert_eq!(link(&lab, None, "port0")["promiscuity"], 2);
}

/// As every second tutorial has it: forwarding by sysctl(8), in a script.
#[test]
fn a_script_makes_a_router() {
    let session = Session::new();
    let lab = keep(&session, "router", "router", &[]);
    assert!(reaches(&lab, "h1", "10.0.2.2"));
    let forwarding = "/proc/sys/net/ipv4/ip_forward";
    let read = |namespace| lab.exec(namespace, ["cat", forwarding]).expect_code(0).stdout;
    assert_eq!([read(Some("r1")), read(Some("h1")), read(None)], ["1\n", "0\n", "0\n"]);
    let unknown = "\
name: x
steps: [{ recipe: builtin:ip, params: { script: 'sysctl net.ipv4.nosuch' } }]
";
    let said = ends(unknown, 5);
    assert!(said.contains("`line 1: sysctl net.ipv4.nosuch`: ENOENT"), "{said}");
}

/// Links may have dots in their names: the first separator of a key decides, the other one is part of
/// a name. Values are compared by words.
#[test]
fn a_key_means_the_same_wherever_it_is_written() {
    let text = "\
name: dotted
steps:
  - recipe: builtin:topology
    params:
      links: [{ name: br.lan, kind: bridge }]
      sysctls:
        - { key: net/ipv4/conf/br.lan/arp_ignore, value: 1 }
        - { key: net.ipv4.conf.br/lan.arp_announce, value: 2 }
        - { key: net.ipv4.ip_local_port_range, value: '20000   30000' }
  - { recipe: builtin:ip, params: { script: sysctl -w net.ipv4.conf.br/lan.forwarding=1 } }
  - { name: slashes, recipe: builtin:ip, params: { script: sysctl net/ipv4/conf/br.lan/forwarding } }
checks:
  - sysctl: { key: net.ipv4.conf.br/lan.arp_ignore, is: 1 }
  - sysctl: { key: net/ipv4/conf/br.lan/arp_announce, is: 2 }
  - sysctl: { key: net/ipv4/conf/br.lan/forwarding, is: 1 }
  - sysctl: { key: net.ipv4.ip_local_port_range, is: 20000 30000 }
  - sysctl: { key: net/ipv4/ip_local_port_range, is: \"20000\\t30000\" }
";
    ends(text, 0);
    let other = text.replace("is: 20000 30000", "is: 2000030000, within: 10ms");
    assert!(ends(&other, 1).contains("it is 20000 30000"), "{}", ends(&other, 1));
    for key in ["net.ipv4.conf.br.lan.forwarding", "net/ipv4/conf/br/lan/forwarding"] {
        let missing = text.replace("net/ipv4/conf/br.lan/forwarding, is", &format!("{key}, is"));
        assert!(ends(&missing.replace("is: 1 }", "is: 1, within: 10ms }"), 1).contains("write `"));
    }
    for key in ["net/../kernel/hostname", "net.ipv4.conf.//.x"] {
        for place in ["net/ipv4/conf/br.lan/arp_ignore", "net/ipv4/conf/br.lan/arp_announce"] {
            ends(&text.replace(place, key), 2);
        }
        ends(&text.replace("net/ipv4/conf/br.lan/forwarding }", &format!("{key} }}")), 2);
    }
}
