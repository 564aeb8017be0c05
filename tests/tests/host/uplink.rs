//! A lab is joined to a network that the machine is on, where the operator says so.

use netwright_tests::{Host, Output};

const NIC: &str = "link add eth1 type veth peer name sw1
                   link set eth1 up
                   link set sw1 up
                   address add 10.9.0.1/24 dev sw1
                   link add eth2 type veth peer name sw2
                   link add docker0 type bridge";

const CHILD: &str =
    "ip link add link eth1 name mac1 address 02:00:00:00:00:07 type macvlan mode bridge
                     ip address add 10.9.0.2/24 dev mac1
                     ip link set mac1 up
                     ip netns add n1
                     ip link add link eth1 name eth0 netns n1 up type macvlan mode bridge
                     ip -n n1 address add 10.9.0.3/24 dev eth0";

fn run(host: &Host, script: &str, grants: &[&str]) -> Output {
    let lines: Vec<&str> = script.lines().map(str::trim).collect();
    let script = format!("script={}", lines.join("\n"));
    let mut words = vec!["run", "builtin:ip", "-p", &script];
    words.extend(grants.iter().flat_map(|grant| ["--grant", grant]));
    host.netwright(words, &[])
}

#[test]
fn a_lab_reaches_the_network_of_its_uplink_and_leaves_nothing_there() {
    let host = Host::with(NIC);
    let before = host.state();
    let grants = ["uplink link=eth1 mode=macvlan,macvtap"];
    let pings = "ip netns exec n1 ping -c 1 10.9.0.1
                 ip netns exec n1 ping -c 1 10.9.0.2";
    let script = format!("{CHILD}\n{pings}");
    run(&host, &script, &grants).expect_code(0);
    assert_eq!(host.differences(&before), [""; 0]);
    let failing = format!("{CHILD}\nip link set nobody up");
    run(&host, &failing, &grants).expect_code(5);
    assert_eq!(host.differences(&before), [""; 0]);
}

#[test]
fn an_uplink_is_the_link_and_the_way_that_the_operator_names() {
    let host = Host::with(NIC);
    let before = host.state();
    let child = |parent: &str, kind: &str| format!("ip link add link {parent} name m1 type {kind}");
    let grants = ["uplink link=eth1,docker0 mode=macvlan"];
    for (script, grants, code, words) in [
        (child("eth1", "macvlan"), &[][..], 5, "no link `eth1`"),
        (child("eth2", "macvlan"), &grants[..], 5, "no link `eth2`"),
        (child("eth1", "macvtap"), &grants[..], 4, "mode=macvtap"),
        (child("eth1", "macvlan mode passthru"), &grants[..], 4, "uplink.passthru"),
        (child("docker0", "macvlan"), &grants[..], 4, "Docker looks after it"),
    ] {
        let output = run(&host, &script, grants).expect_code(code);
        assert!(output.stderr.contains(words), "{script}: {}", output.stderr);
        assert_eq!(host.differences(&before), [""; 0], "{script}");
    }
}

/// A link of the lab's own comes before the host's.
#[test]
fn a_link_of_the_lab_hides_the_uplink_of_its_name() {
    let host = Host::with(NIC);
    let script = "ip link add eth1 type veth peer name other
                  ip link set eth1 up
                  ip link set other up
                  ip link add link eth1 name mac1 up type macvlan mode bridge
                  ip address add 10.9.0.2/24 dev mac1
                  ip netns add n1
                  ip link set other netns n1
                  ip -n n1 link set other up
                  ip -n n1 address add 10.9.0.1/24 dev other
                  ip netns exec n1 ping -c 1 10.9.0.2";
    run(&host, script, &["uplink link=eth1 mode=macvlan"]).expect_code(0);
}

#[test]
fn an_ordinary_user_is_told_what_an_uplink_needs() {
    let session = netwright_tests::Session::as_ordinary_user();
    let words = ["run", "builtin:ip", "-p", "script=ip netns add a", "--grant"];
    let output = session.netwright(words.into_iter().chain(["uplink link=eth1 mode=macvlan"]));
    let output = output.expect_code(8);
    assert!(output.stderr.contains("needs CAP_NET_ADMIN"), "{}", output.stderr);
}
