//! Links of others that stand on another one: the kernel deletes many of them with it.

use netwright_tests::{Host, is_complete_kernel};

const GRANTS: [&str; 4] = [
    "host.link.read",
    "host.namespace name=lab-*",
    "host.link.create kind=bridge,veth name=lab-*",
    "host.link.move name=eth1",
];

/// A deployment of these lines of ip(8), kept until it is destroyed.
#[track_caller]
fn keep(host: &Host, script: &str) {
    let script = format!("script={script}");
    let mut words = vec!["run", "builtin:ip", "-p", &script, "--target", "host", "--keep", "place"];
    words.extend(GRANTS.iter().flat_map(|grant| ["--grant", grant]));
    host.netwright(words, &[]).expect_code(0);
}

#[test]
fn a_link_that_others_would_be_lost_with_does_not_move() {
    let host = Host::with(
        "link add eth1 type veth peer name sw1
         link add link eth1 name mac1 type macvlan mode bridge
         link set eth1 up",
    );
    let moves = "ip netns add lab-n\nip link set eth1 netns lab-n";
    let before = host.state();
    host.run_ip(moves, &GRANTS).expect_code(0);
    assert_eq!(host.differences(&before), [""; 0], "what keeps its parent is no reason");
    host.ip_lines("link add v5 type vxlan id 5 dstport 4789 dev eth1 remote 192.0.2.9");
    let before = host.state();
    let output = host.run_ip(moves, &GRANTS).expect_code(4);
    let sentence = "`v5` (vxlan) of others' stands on it";
    assert!(output.stderr.contains(sentence), "{}", output.stderr);
    assert_eq!(host.differences(&before), [""; 0]);
    if is_complete_kernel() {
        host.ip_lines("link delete v5\nlink delete mac1\nlink add link eth1 name s5 type macsec");
        let before = host.state();
        host.run_ip(moves, &GRANTS).expect_code(4);
        assert_eq!(host.differences(&before), [""; 0]);
    }
}

#[test]
fn links_of_a_run_that_others_stand_on_stay_until_those_are_gone() {
    let host = Host::new();
    let before = host.state();
    for (script, below) in [
        ("ip link add lab-a type bridge", "lab-a"),
        ("ip link add lab-a type veth peer name lab-b", "lab-b"),
        ("ip netns add lab-n\nip -n lab-n link add v0 type veth peer name lab-b netns 1", "lab-b"),
    ] {
        keep(&host, script);
        host.ip_lines(&format!("link add link {below} name mac1 type macvlan mode bridge"));
        let output = host.netwright(["destroy", "place"], &[]).expect_code(6);
        assert!(output.stderr.contains("`mac1` (macvlan) stands on it"), "{}", output.stderr);
        host.run("ip", ["link", "show", "mac1"]).expect_code(0);
        host.ip_lines("link delete mac1");
        host.netwright(["destroy", "place"], &[]).expect_code(0);
        assert_eq!(host.differences(&before), [""; 0], "{script}");
    }
}
