//! At the end everything is as before: by identity, with all attributes, and told where it isn't.

use netwright_tests::Host;
use std::fs;
use std::time::{Duration, Instant};

#[test]
fn a_default_route_comes_back_with_all_its_attributes() {
    let host = Host::with(
        "link add eth1 type veth peer name sw1
         link set sw1 up
         address add 192.0.2.1/24 dev eth1
         address add 192.0.2.5/24 dev eth1
         link set eth1 up
         route add default via 198.51.100.1 dev eth1 onlink src 192.0.2.5 metric 77 proto 42
         link add eth2 type veth peer name sw2
         link set sw2 up
         address add 203.0.113.1/24 dev eth2
         link set eth2 up",
    );
    let before = host.state();
    let grants = [
        "host.route.default link=eth1,eth2 table=main",
        "host.link.modify name=eth1",
        "host.link.read",
    ];
    for script in [
        "ip route delete default\nip route add default via 203.0.113.254 dev eth2",
        "ip route replace default via 203.0.113.254 dev eth2 metric 77",
        "ip link set eth1 down",
        "ip link set eth1 down\nip link set eth1 up",
    ] {
        host.run_ip(script, &grants).expect_code(0);
        assert_eq!(host.differences(&before), [""; 0], "{script}");
    }
}

#[test]
fn addresses_come_back_with_flags_and_lifetimes() {
    let host = Host::with(
        "link add eth1 type veth peer name sw1
         link set sw1 up
         address add 10.3.0.1/24 broadcast 10.3.0.255 dev eth1 label eth1:a
         address add 10.3.0.2/24 dev eth1 noprefixroute
         address add 10.5.0.1 peer 10.5.0.2 dev eth1
         link set eth1 up
         -6 address add 2001:db8::1/64 dev eth1 nodad home",
    );
    let before = host.state();
    let script = "ip address delete 10.3.0.1/24 dev eth1
                  ip address delete 10.5.0.1 peer 10.5.0.2/32 dev eth1
                  ip -6 address delete 2001:db8::1/64 dev eth1";
    host.run_ip(script, &["host.link.modify name=eth1", "host.link.read"]).expect_code(0);
    // Secondary and primary may have changed places, for the kernel has no order but age.
    let after = host.differences(&before);
    assert!(after.iter().all(|line| line.contains("10.3.0")), "{after:?}");
}

#[test]
fn a_moved_link_comes_back_with_master_mtu_mac_and_addresses() {
    let host = Host::with(
        "link add br0 type bridge
         link set br0 up
         link add eth1 type veth peer name sw1
         link set sw1 up
         link set eth1 master br0
         link set eth1 mtu 1400 address 02:00:00:00:00:07
         link set eth1 up
         address add 10.3.0.1/24 dev eth1",
    );
    let before = host.state();
    let script = "ip netns add lab-1
                  ip link set eth1 netns lab-1
                  ip -n lab-1 link set eth1 mtu 1300 name other
                  ip -n lab-1 link set other up";
    let grants = ["host.namespace name=lab-*", "host.link.move name=eth1", "host.link.read"];
    host.run_ip(script, &grants).expect_code(0);
    let differences = host.differences(&before);
    assert_eq!(differences, [""; 0]);
    // It isn't the run's own, so that it goes down with no namespace, and isn't deleted.
    for line in ["ip netns delete lab-1", "ip -n lab-1 link delete eth1"] {
        let script = format!("ip netns add lab-1\nip link set eth1 netns lab-1\n{line}");
        assert_ne!(host.run_ip(&script, &grants).code, 0, "{line}");
        assert_eq!(host.differences(&before), [""; 0], "{line}");
    }
}

#[test]
fn promiscuity_is_one_request_of_several() {
    let host = Host::with(
        "link add eth1 type veth peer name sw1
         link set eth1 promisc on
         link add link eth1 name sniff type macvlan mode passthru
         link set eth1 up
         link set sniff up
         link set sw1 up",
    );
    let before = host.state();
    for script in ["ip link set eth1 promisc on", "ip link set eth1 promisc off"] {
        host.run_ip(script, &["host.link.modify name=eth1", "host.link.read"]).expect_code(0);
        assert_eq!(host.differences(&before), [""; 0], "{script}");
    }
}

#[test]
fn every_link_and_route_of_a_run_carries_its_mark() {
    let host =
        Host::with("link add eth1 type veth peer name sw1\nlink set sw1 up\nlink set eth1 up");
    let session = host.session();
    let script = session.file(
        "script",
        "ip link add lab-v type veth peer name lab-w
         ip link add link eth1 lab-m type macvlan mode bridge
         ip address add 10.4.0.1/24 dev lab-m
         ip link set lab-m up
         ip route add 10.5.0.0/24 dev lab-m
         ip netns add lab-1
         ip netns exec lab-1 ping -c 60 192.0.2.1",
    );
    let mut inner = session.command(["run", "builtin:ip", "--target", "host", "-p"]);
    inner.arg(format!("script=@{}", script.display()));
    for grant in [
        "host.namespace name=lab-*",
        "host.link.create kind=veth name=lab-*",
        "host.link.create kind=macvlan name=lab-* parent=eth1",
        "host.address.add cidr=10.4.0.0/24 link=lab-*",
        "host.route.add cidr=10.5.0.0/24 link=lab-*",
    ] {
        inner.args(["--grant", grant]);
    }
    let before = host.state();
    let mut child = host.command(&inner).spawn().expect("nsenter is installed");
    let start = Instant::now();
    let route = || host.ip_json(&["route", "show", "10.5.0.0/24"]);
    while route() == serde_json::json!([]) {
        assert!(
            start.elapsed() < netwright_tests::machine::patience(Duration::from_secs(60)),
            "the route never came"
        );
    }
    let links = host.ip_json(&["link", "show"]);
    let groups: Vec<String> = links
        .as_array()
        .expect("a list")
        .iter()
        .filter(|link| link["ifname"].as_str().is_some_and(|name| name.starts_with("lab-")))
        .map(|link| link["group"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(groups.len(), 3);
    let group: u32 = groups[0].parse().expect("a group without a name");
    assert_eq!(group >> 24, 0x6e);
    assert!(groups.iter().all(|other| *other == groups[0]), "{groups:?}");
    assert_eq!(route()[0]["protocol"], "110");
    let addresses = host.ip_json(&["address", "show", "dev", "lab-m"]);
    assert!(
        addresses[0]["addr_info"].to_string().contains("\"protocol\":\"110\"")
            || addresses[0]["addr_info"].to_string().contains("10.4.0.1"),
        "{addresses}"
    );
    // As a shell's Ctrl-C: the program is nsenter's, which became it.
    let pid = child.id().to_string();
    assert!(
        std::process::Command::new("kill").args(["-INT", &pid]).status().expect("kill").success()
    );
    assert_eq!(child.wait().expect("it was started").code(), Some(130));
    assert_eq!(host.differences(&before), [""; 0]);
}

/// While a run waits, somebody else renames its link, takes its name, and its address's place.
#[test]
fn undo_goes_by_identity_and_leaves_look_alikes() {
    let host =
        Host::with("link add eth1 type veth peer name sw1\nlink set sw1 up\nlink set eth1 up");
    let session = host.session();
    let script = "script=ip link add link eth1 lab-m type macvlan mode bridge
ip link add link eth1 lab-n type macvlan mode bridge
ip address add 10.4.0.1/24 dev eth1
ip netns add lab-1
ip netns add lab-2
ip netns exec lab-1 ping -c 60 192.0.2.1";
    let mut inner = session.command(["run", "builtin:ip", "--target", "host", "-p", script]);
    for grant in [
        "host.namespace name=lab-*",
        "host.link.create kind=macvlan name=lab-* parent=eth1",
        "host.address.add cidr=10.4.0.0/24 link=eth1",
        "host.link.read name=eth1",
    ] {
        inner.args(["--grant", grant]);
    }
    let mut child = host.command(&inner).spawn().expect("nsenter is installed");
    let start = Instant::now();
    while host.run("ls", ["/run/netns/lab-2"]).code != 0 {
        assert!(
            start.elapsed() < netwright_tests::machine::patience(Duration::from_secs(60)),
            "the namespace never came"
        );
    }
    host.ip_lines(
        "link set lab-m name elsewhere
         link add link eth1 lab-m type macvlan mode bridge
         link delete lab-n
         link add link eth1 lab-n type macvlan mode bridge
         address delete 10.4.0.1/24 dev eth1
         address add 10.4.0.1/24 dev eth1
         netns delete lab-2
         netns add lab-2",
    );
    let pid = child.id().to_string();
    assert!(
        std::process::Command::new("kill").args(["-INT", &pid]).status().expect("kill").success()
    );
    assert_eq!(child.wait().expect("it was started").code(), Some(130));
    let links = host.ip_json(&["link", "show", "type", "macvlan"]);
    let names: Vec<_> =
        links.as_array().expect("a list").iter().map(|link| &link["ifname"]).collect();
    assert_eq!(names, ["lab-m", "lab-n"]);
    let addresses = host.ip_json(&["-4", "address", "show", "dev", "eth1"]);
    assert_eq!(addresses[0]["addr_info"][0]["local"], "10.4.0.1");
    let spaces = host.run("ls", ["/run/netns"]).expect_code(0);
    assert_eq!(spaces.stdout, "lab-2\n");
}

#[test]
fn a_named_namespace_is_seen_by_iproute2_and_by_other_mount_namespaces() {
    let host = Host::new();
    let folder = format!("/proc/{}/root/run/netns", host.process());
    assert!(fs::read_dir(&folder).is_err());
    let script = "script=ip netns add lab-1
ip -n lab-1 link set lo up
ip netns exec lab-1 ping -c 60 192.0.2.1";
    let mut inner = host.session().command(["run", "builtin:ip", "--target", "host", "-p", script]);
    inner.args(["--grant", "host.namespace name=lab-*"]);
    let mut child = host.command(&inner).spawn().expect("nsenter is installed");
    let start = Instant::now();
    let up = || host.run("ip", ["-n", "lab-1", "-br", "link", "show", "up"]);
    while !up().stdout.contains("LOOPBACK") {
        assert!(
            start.elapsed() < netwright_tests::machine::patience(Duration::from_secs(60)),
            "the namespace never came"
        );
    }
    child.kill().expect("it is ours");
    child.wait().expect("it was killed");
}
