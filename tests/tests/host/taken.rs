//! What would be taken on its way to somebody else's link by a new one below or beside it: VLANs of a
//! link that hands its frames on, packets for a tunnel.

use netwright_tests::{Host, is_complete_kernel};

const SESSION: (&str, &str) = ("SSH_CONNECTION", "203.0.113.9 50000 192.0.2.2 22");

/// The machine's own name for each, with what makes it hand its frames on, and the operator's way.
const HANDING_ON: [(&str, &str); 3] = [
    (
        "bridge",
        "link add up0 type bridge
         link set up0 up
         link set eth0 master up0",
    ),
    (
        "bond",
        "link set eth0 down
         link add up0 type bond mode active-backup
         link set eth0 master up0
         link set up0 up",
    ),
    (
        "macvlan",
        "link add link eth0 name up0 type macvlan mode bridge
         link set up0 up",
    ),
];

fn machine(way: &str) -> Host {
    let host =
        Host::with("link add eth0 type veth peer name sw0\nlink set sw0 up\nlink set eth0 up");
    host.ip_lines(way);
    host.ip_lines(
        "link add link up0 name up0.10 type vlan id 10
         link set up0.10 up
         address add 192.0.2.2/24 dev up0.10
         route add default via 192.0.2.1",
    );
    host.settle();
    host
}

#[test]
fn no_vlan_takes_frames_that_its_parent_hands_on() {
    if !is_complete_kernel() {
        // Both are asked before the kernel is, which has no VLANs here.
        let host = Host::with(
            "link add eth0 type veth peer name sw0\nlink add br0 type bridge\nlink set eth0 master br0",
        );
        let grants =
            ["host.link.create kind=vlan parent=eth0 name=lab-* vlan=10", "host.link.read"];
        let output = host.run_ip("ip link add link eth0 name lab-v type vlan id 10", &grants);
        assert!(matches!(output.code, 4 | 8), "{output:#?}");
        return;
    }
    let grants = [
        "host.link.read",
        "host.namespace name=lab-*",
        "host.link.create kind=vlan parent=eth0 name=lab-* vlan=10-20",
    ];
    let wider = [&grants[..], &["uplink.passthru link=eth0"]].concat();
    let scripts = [
        "ip link add link eth0 name lab-v type vlan id 10",
        "ip netns add lab-n\nip link add link eth0 name lab-v netns lab-n type vlan id 10",
        "ip link add link eth0 name lab-v type vlan id 20",
    ];
    for (what, way) in HANDING_ON {
        let host = machine(way);
        let before = host.state();
        for script in scripts {
            let output = host.run_ip(script, &grants).expect_code(4);
            assert!(output.stderr.contains("uplink.passthru"), "{what}, {script}: {output:#?}");
            let output = host.run_ip_with(script, &wider, &[SESSION]).expect_code(4);
            let why = "it carries the operator's session";
            assert!(output.stderr.contains(why), "{what}, {script}: {output:#?}");
            assert_eq!(host.differences(&before), [""; 0], "{what}, {script}");
        }
        // A lab's uplink is such a VLAN, too.
        let text = "name: up\nuplinks: [eth0]\nsteps:\n  - recipe: builtin:ip\n    params:\n      script: |\n        ip link add link eth0 name lab-v type vlan id 10\n";
        let file = host.session().file("up.yaml", text).display().to_string();
        let output =
            host.netwright(["run", &file, "--grant", "uplink link=eth0 mode=vlan"], &[SESSION]);
        assert!(matches!(output.code, 2 | 4), "{what}: {output:#?}");
        assert_eq!(host.differences(&before), [""; 0], "{what}");
    }
    // What hands nothing on is a parent like any.
    let host =
        Host::with("link add eth0 type veth peer name sw0\nlink set sw0 up\nlink set eth0 up");
    host.run_ip(scripts[0], &grants).expect_code(0);
}

/// Of two tunnels the kernel takes the one whose ends say more.
#[test]
fn no_tunnel_takes_what_is_for_another_one() {
    if !netwright_tests::has_tunnels() {
        return;
    }
    let grants = [
        "host.link.read",
        "host.namespace name=lab-*",
        "host.link.create kind=gre,ipip,sit,vti,gretap name=lab-*",
        "host.link.create kind=gre parent=eth0 name=lab-*",
    ];
    const ENDS: &str = "local 198.51.100.2 remote 198.51.100.1";
    for (theirs, own, meets) in [
        (format!("gre {ENDS}"), format!("gre {ENDS} dev eth0"), true),
        ("gre local 198.51.100.2".to_owned(), format!("gre {ENDS}"), true),
        ("ipip remote 198.51.100.1".to_owned(), format!("ipip {ENDS}"), true),
        (format!("ipip {ENDS}"), "sit local 198.51.100.2".to_owned(), true),
        (format!("gre {ENDS} key 7"), format!("gre {ENDS} key 8"), false),
        (format!("gre {ENDS}"), "gre local 198.51.100.2 remote 198.51.100.7".to_owned(), false),
        (format!("gre {ENDS}"), format!("ipip {ENDS}"), false),
    ] {
        let host = Host::with(
            "link add eth0 type veth peer name sw0
             link set sw0 up
             link set eth0 up
             address add 198.51.100.2/24 dev eth0",
        );
        host.ip_lines(&format!("link add their type {theirs}"));
        let before = host.state();
        for script in [
            format!("ip link add lab-t type {own}"),
            format!(
                "ip netns add lab-n\nip link add lab-t type {own}\nip link set lab-t netns lab-n"
            ),
        ] {
            let output = host.run_ip(&script, &grants);
            assert_eq!(output.code, if meets { 4 } else { 0 }, "{theirs}: {script}: {output:#?}");
            assert!(!meets || output.stderr.contains("`their` has the same ends"), "{output:#?}");
            assert_eq!(host.differences(&before), [""; 0], "{theirs}: {script}");
        }
        // One in a namespace of the run's own gets what comes to that.
        let inside = format!(
            "ip netns add lab-n\nip -n lab-n link add lab-t type {}",
            own.replace(" dev eth0", "")
        );
        host.run_ip(&inside, &grants).expect_code(0);
    }
}

#[test]
fn a_link_by_which_labels_are_sent_is_not_moved() {
    if !is_complete_kernel() {
        return;
    }
    let host = Host::with(
        "link add eth1 type veth peer name sw1
         link set sw1 up
         link set eth1 up
         address add 198.18.0.2/24 dev eth1",
    );
    let set = "modprobe -q mpls_router; echo 1000 > /proc/sys/net/mpls/platform_labels && ip -f mpls route add 100 via inet 198.18.0.1 dev eth1";
    let made = host.run("sh", ["-c", set]);
    let grants = ["host.link.read", "host.namespace name=lab-*", "host.link.move name=eth1"];
    let output = host.run_ip("ip netns add lab-n\nip link set eth1 netns lab-n", &grants);
    if made.code == 0 {
        assert_eq!(output.code, 5, "{output:#?}");
        assert!(output.stderr.contains("routes for MPLS labels by `eth1`"), "{output:#?}");
        host.run("sh", ["-c", "ip -f mpls route | grep -q ^100"]).expect_code(0);
    } else {
        output.expect_code(0);
    }
}
