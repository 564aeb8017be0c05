//! The policy permits what the grants name, on the objects themselves, and nothing beside it.

use netwright_tests::{Host, Output};

/// A NIC with its switch; the switch has an address.
const NIC: &str = "link add eth1 type veth peer name sw1
                   link set eth1 up
                   link set sw1 up
                   address add 10.9.0.1/24 dev sw1";

const CHILD: &str = "host.link.create kind=macvlan name=lab-* parent=eth1";
const SPACE: &str = "host.namespace name=lab-*";

#[track_caller]
fn denied(output: Output, capability: &str) {
    let result = output.clone().expect_code(4).json();
    let denials = result["denials"].as_array().expect("a list of denials");
    let named = denials.iter().any(|one| one.as_str().unwrap_or_default().contains(capability));
    assert!(named, "no denial of {capability}: {denials:?}");
}

#[test]
fn nothing_is_allowed_without_a_grant() {
    let host = Host::with(NIC);
    let before = host.state();
    for (line, capability) in [
        ("ip netns add lab-1", "host.namespace"),
        ("ip link add lab-d type bridge", "host.link.create"),
        ("ip link add link eth1 lab-m type macvlan mode bridge", "host.link.create"),
        ("ip link set eth1 down", "host.link.modify"),
        ("ip link set eth1 master sw1", "host.link.modify"),
        ("ip link delete eth1", "host.link.modify"),
        ("ip address add 10.1.0.1/24 dev eth1", "host.address.add"),
        ("ip address delete 10.9.0.1/24 dev sw1", "host.link.modify"),
        ("ip route add 10.2.0.0/24 dev sw1", "host.route.add"),
        ("ip route add default via 10.9.0.2", "host.route.default"),
        ("ip route delete 10.9.0.0/24 dev sw1", "host.link.modify"),
        ("ip rule add to 10.2.0.0/24 table 100", "host.route.add"),
        ("ip neighbour add 10.9.0.9 lladdr 02:00:00:00:00:09 dev sw1", "host.link.modify"),
    ] {
        denied(host.run_ip(line, &["host.link.read"]), capability);
    }
    let all = ["host.link.read", "host.link.modify name=eth1"];
    denied(host.run_ip("ip link delete eth1", &all), "deleting a link");
    for line in [
        "ip link show eth1",
        "ip link show",
        "ip link set eth1 down",
        "ip address show",
        "ip route show",
        "ip rule show",
        "ip route get 10.9.0.7",
    ] {
        denied(host.run_ip(line, &[]), "host.link.read");
    }
    assert_eq!(host.differences(&before), [""; 0]);
}

#[test]
fn a_grant_allows_what_it_names_and_its_neighbours_are_refused() {
    let host = Host::with(NIC);
    host.ip_lines("link add eth10 type veth peer name sw10");
    let before = host.state();
    let grants = [CHILD, SPACE, "host.address.add cidr=10.9.0.0/24 link=lab-*"];
    let allowed = "ip link add link eth1 lab-m type macvlan mode bridge
                   ip address add 10.9.0.7/24 dev lab-m
                   ip link set lab-m up
                   ip netns add lab-1
                   ip link set lab-m netns lab-1
                   ip -n lab-1 address add 192.0.2.1/24 dev lab-m
                   ip -n lab-1 link set lo up";
    host.run_ip(allowed, &grants).expect_code(0);
    for line in [
        "ip link add link eth10 lab-m type macvlan mode bridge",
        "ip link add link eth1 other type macvlan mode bridge",
        "ip link add link eth1 lab-m type macvtap mode bridge",
        "ip link add link eth1 lab-m mtu 1400 type macvlan mode bridge",
        "ip link add lab-m type veth peer name lab-n",
    ] {
        denied(host.run_ip(line, &grants), "host.link.create");
    }
    let child = "ip link add link eth1 lab-m type macvlan mode bridge";
    for line in ["ip address add 10.9.1.7/24 dev lab-m", "ip address add 10.9.0.7/16 dev lab-m"] {
        denied(host.run_ip(&format!("{child}\n{line}"), &grants), "host.address.add");
    }
    denied(host.run_ip("ip netns add lob-1", &grants), "host.namespace");
    assert_eq!(host.differences(&before), [""; 0]);
}

#[test]
fn a_passthru_child_takes_its_parent_over_and_needs_the_right_to() {
    let host = Host::with(NIC);
    let line = "ip link add link eth1 lab-m type macvlan mode passthru";
    denied(host.run_ip(line, &[CHILD]), "uplink.passthru");
    host.run_ip(line, &[CHILD, "uplink.passthru link=eth1"]).expect_code(0);
}

#[test]
fn lists_show_only_what_is_granted_and_what_is_the_runs_own() {
    let host = Host::with(NIC);
    let script = "ip link add link eth1 lab-m type macvlan mode bridge
                  ip link show
                  ip address show
                  ip route show";
    let output = host.run_ip(script, &[CHILD, "host.link.read name=sw1"]).expect_code(0);
    let shown = output.json()["steps"][0]["output"].to_string();
    assert!(shown.contains(": sw1") && shown.contains(": lab-m"), "{shown}");
    assert!(!shown.contains(": eth1") && !shown.contains(": lo"), "{shown}");
}

#[test]
fn alternative_names_are_no_names() {
    let host = Host::with(NIC);
    host.ip_lines("link property add dev eth1 altname lab-alt");
    let before = host.state();
    let grants = [
        "host.link.create kind=macvlan name=lab-* parent=lab-alt",
        "host.link.modify name=lab-alt",
        "host.link.read name=lab-alt",
    ];
    for line in [
        "ip link add link lab-alt lab-m type macvlan mode bridge",
        "ip link set lab-alt down",
        "ip link delete lab-alt",
        "ip link show lab-alt",
    ] {
        let output = host.run_ip(line, &grants).expect_code(5);
        assert!(output.stderr.contains("no link `lab-alt`"), "{}", output.stderr);
    }
    assert_eq!(host.differences(&before), [""; 0]);
}

#[test]
fn names_that_would_become_others_are_refused() {
    let host = Host::new();
    for name in ["q%d", "-rf", "1st", "a_name_of_16_byt", "a/b"] {
        let line = format!("ip link add name '{name}' type bridge");
        let grants = ["host.link.create kind=bridge name=a*,q*"];
        assert_ne!(host.run_ip(&line, &grants).code, 0, "{name}");
        assert_eq!(
            host.ip_json(&["link", "show", "type", "bridge"]).as_array().map(Vec::len),
            Some(0)
        );
    }
}

#[test]
fn what_a_run_makes_it_may_alter_and_delete_without_more() {
    let host = Host::with(NIC);
    let before = host.state();
    let script = "ip link add link eth1 lab-m type macvlan mode vepa
                  ip link set lab-m type macvlan mode bridge
                  ip link set lab-m address 02:00:00:00:00:07 up
                  ip address add 10.9.0.7/24 dev lab-m
                  ip route add 10.8.0.0/24 via 10.9.0.1 dev lab-m
                  ip route delete 10.8.0.0/24
                  ip address delete 10.9.0.7/24 dev lab-m
                  ip neighbour add 10.9.0.8 lladdr 02:00:00:00:00:08 dev lab-m
                  ip link delete lab-m";
    let grants = [
        CHILD,
        "host.address.add cidr=10.9.0.0/24 link=lab-*",
        "host.route.add cidr=10.8.0.0/24 link=lab-*",
        "host.link.read name=lab-*",
    ];
    host.run_ip(script, &grants).expect_code(0);
    assert_eq!(host.differences(&before), [""; 0]);
}

#[test]
fn a_link_of_others_is_altered_only_by_its_exact_name_and_put_back() {
    let host = Host::with(NIC);
    let before = host.state();
    let script = "ip link set eth1 mtu 1400 promisc on
                  ip link set eth1 address 02:00:00:00:00:07
                  ip address add 10.7.0.1/24 dev eth1";
    let grants = [
        "host.link.modify name=eth1",
        "host.address.add cidr=10.7.0.0/24 link=eth1",
        "host.link.read",
    ];
    host.run_ip(script, &grants).expect_code(0);
    assert_eq!(host.differences(&before), [""; 0]);
    denied(host.run_ip("ip link set sw1 mtu 1400", &grants), "host.link.modify");
}

#[test]
fn groups_indexes_and_protocols_are_not_the_recipes_to_choose() {
    let host = Host::with(NIC);
    let grants = [CHILD, "host.route.add cidr=10.8.0.0/24 link=sw1"];
    for line in [
        "ip link add link eth1 lab-m group 7 type macvlan mode bridge",
        "ip link add link eth1 lab-m index 77 type macvlan mode bridge",
        "ip route add 10.8.0.0/24 dev sw1 proto static",
    ] {
        host.run_ip(line, &grants).expect_code(5);
    }
}

#[test]
fn a_user_without_rights_is_told_what_is_missing() {
    let session = netwright_tests::Session::as_ordinary_user();
    let output =
        session.netwright(["run", "builtin:ip", "-p", "script=ip netns add a", "--target", "host"]);
    let output = output.expect_code(8);
    assert!(output.stderr.contains("needs CAP_NET_ADMIN"), "{}", output.stderr);
}

#[track_caller]
fn refused(host: &Host, script: &str, grants: &[&str], capability: &str) {
    let before = host.state();
    denied(host.run_ip(script, grants), capability);
    assert_eq!(host.differences(&before), [""; 0], "{script}");
}

/// What a grant says of a link holds for as long as the link is there, not only when it is made.
#[test]
fn an_mtu_is_held_against_its_grant_whenever_it_is_chosen() {
    let host = Host::with(NIC);
    let grants = [
        SPACE,
        "host.link.create kind=bridge,veth name=lab-* mtu=1400-1500",
        "host.link.create kind=bridge,veth name=lab-*",
        "host.link.create kind=macvlan name=lab-* parent=eth1 mtu=1300-1400",
        CHILD,
    ];
    let bridge = "ip link add lab-b mtu 1400 type bridge";
    let child = "ip link add link eth1 lab-m type macvlan mode bridge";
    for script in [
        format!("{bridge}\nip link set lab-b mtu 9000"),
        "ip link add lab-b type bridge\nip link set lab-b mtu 9000".to_owned(),
        "ip link add lab-v type veth peer name lab-w mtu 9000".to_owned(),
        "ip netns add lab-1\nip -n lab-1 link add v0 type veth peer name lab-w mtu 9000 netns 1"
            .to_owned(),
        // Chosen where it is nobody's matter, and brought here.
        "ip netns add lab-1
         ip -n lab-1 link add lab-b mtu 9000 type bridge
         ip -n lab-1 link set lab-b netns 1"
            .to_owned(),
        "ip netns add lab-1
         ip -n lab-1 link add lab-b type bridge
         ip -n lab-1 link set lab-b mtu 9000
         ip -n lab-1 link set lab-b netns 1"
            .to_owned(),
        // With another name it is still as large.
        format!("{bridge}\nip link set lab-b name lab-c mtu 9000"),
        format!("{child}\nip link set lab-m mtu 1450"),
        "ip netns add lab-1
         ip link add link eth1 lab-m netns lab-1 type macvlan mode bridge
         ip -n lab-1 link set lab-m mtu 1450"
            .to_owned(),
    ] {
        refused(&host, &script, &grants, "host.link.create");
    }
    for script in [
        format!("{bridge}\nip link set lab-b mtu 1450\nip link set lab-b name lab-c"),
        format!("{child}\nip link set lab-m mtu 1350"),
        // What it has anyway.
        "ip link add lab-b type bridge\nip link set lab-b mtu 1500".to_owned(),
        "ip netns add lab-1\nip -n lab-1 link add br0 type bridge\nip -n lab-1 link set br0 mtu 9000"
            .to_owned(),
    ] {
        host.run_ip(&script, &grants).expect_code(0);
    }
}

/// A name that was granted is the only one that a link may have, whatever it was made as.
#[test]
fn a_link_keeps_to_its_grant_under_another_name() {
    let host = Host::with(NIC);
    let child = "ip link add link eth1 lab-m type macvlan mode bridge";
    refused(&host, &format!("{child}\nip link set lab-m name eth7"), &[CHILD], "host.link.create");
    host.run_ip(&format!("{child}\nip link set lab-m name lab-n"), &[CHILD]).expect_code(0);
    // No right to a macvlan of one's own is a right to one of eth1's.
    let own = ["host.link.create kind=macvlan name=own-*", CHILD];
    refused(&host, &format!("{child}\nip link set lab-m name own-m"), &own, "host.link.create");
}

/// The drivers hand it down to the parent, which the recipe may not alter.
#[test]
fn a_child_does_not_open_its_parent() {
    let host = Host::with(NIC);
    let child = "ip link add link eth1 lab-m type macvlan mode bridge";
    let grants = [CHILD, "host.link.create kind=macvlan name=lab-*"];
    for script in [
        format!("{child}\nip link set lab-m up promisc on"),
        format!("{child}\nip link set lab-m up allmulticast on"),
        "ip link add link eth1 lab-m up promisc on type macvlan mode bridge".to_owned(),
        // On a macvlan of its own it is one of eth1 all the same.
        format!("{child}\nip link add link lab-m lab-n up promisc on type macvlan mode bridge"),
    ] {
        refused(&host, &script, &grants, "host.link");
    }
    let may = [CHILD, "host.link.modify name=eth1"];
    host.run_ip(&format!("{child}\nip link set lab-m up promisc on"), &may).expect_code(0);
}

/// Source mode gives a child copies of what others get; so does its list, later.
#[test]
fn whatever_gets_its_parents_frames_needs_the_right_to() {
    let host = Host::with(NIC);
    let child = "ip link add link eth1 lab-m type macvlan mode bridge";
    let grants = [CHILD];
    for script in [
        "ip link add link eth1 lab-m type macvlan mode source".to_owned(),
        format!("{child}\nip link set lab-m type macvlan mode source"),
        format!("{child}\nip link add link lab-m lab-n type macvlan mode source"),
    ] {
        refused(&host, &script, &grants, "uplink.passthru");
    }
    let may = [CHILD, "uplink.passthru link=eth1"];
    host.run_ip(&format!("{child}\nip link set lab-m type macvlan mode source"), &may)
        .expect_code(0);
}

/// Options name links as parents and masters do.
#[test]
fn a_link_that_an_option_names_needs_its_right() {
    let host = Host::with(NIC);
    let plain = "host.link.create kind=vxlan,bridge,veth name=lab-*";
    let line = "ip link add lab-x type vxlan id 7 dstport 4789 dev eth1";
    refused(&host, line, &[plain], "host.link.create");
    let on = "host.link.create kind=vxlan name=lab-* parent=eth1";
    host.run_ip(line, &[on]).expect_code(0);
    let before = host.state();
    let script = "ip link add lab-b type bridge
                  ip link add lab-p type veth peer name lab-q
                  ip link set lab-p master lab-b
                  ip link set lab-p type bridge_slave backup_port eth1";
    denied(host.run_ip(script, &[plain]), "host.link.modify");
    assert_eq!(host.differences(&before), [""; 0]);
}
