//! Silence counts when the network has settled.

use super::{PAIR, SWITCH, all_fail, all_hold, run, scenario, verdicts};

/// Until the other's address has left duplicate address detection, nobody answers for it.
#[test]
fn silence_before_duplicate_detection_is_over_is_none() {
    let lines = "\
ip netns add n1
ip netns add n2
ip link add eth0 netns n1 type veth peer name eth0 netns n2
ip -n n1 address add fd00::1/64 dev eth0
ip -n n2 address add fd00::2/64 dev eth0
ip -n n1 link set eth0 up
ip -n n2 link set eth0 up
";
    let checks = [
        "ping: { from: n1, to: 'fd00::2', expect: unreachable }",
        "tcp: { from: n1, to: 'fd00::2', port: 9, expect: unreachable }",
        "ping: { from: n1, to: 'fd00::2', within: 30s }",
    ];
    let output = run(&scenario(lines, &checks, "")).expect_code(1);
    let verdicts = verdicts(&output);
    let words: Vec<&str> = verdicts.iter().map(|(verdict, ..)| verdict.as_str()).collect();
    assert_eq!(words, ["fail", "fail", "pass"], "{verdicts:#?}");
}

/// Until spanning tree lets its ports forward, nobody is reached behind a switch.
#[test]
fn silence_before_ports_forward_is_none() {
    let checks = [
        "ping: { from: n1, to: 10.0.0.2, expect: unreachable, within: 20s }",
        "arp: { from: n1, link: eth0, to: 10.0.0.2, expect: unreachable, within: 20s }",
        "tcp: { from: n1, to: 10.0.0.2, port: 9, expect: unreachable, within: 20s }",
        "ping: { from: n1, to: 10.0.0.2, within: 30s }",
        "ping: { from: n1, to: 10.0.0.3, expect: unreachable, within: 30s, because: no-reply }",
    ];
    let output = run(&scenario(SWITCH, &checks, "")).expect_code(1);
    let verdicts = verdicts(&output);
    let words: Vec<&str> = verdicts.iter().map(|(verdict, ..)| verdict.as_str()).collect();
    assert_eq!(words, ["fail", "fail", "fail", "pass", "pass"], "{verdicts:#?}");
}

/// What has not settled in time is named.
#[test]
fn a_network_that_does_not_settle_in_time_is_told() {
    let slow = SWITCH.replace("forward_delay 200", "forward_delay 3000");
    all_fail(
        &slow,
        &[
            (
                "ping: { from: n1, to: 10.0.0.2, expect: unreachable, within: 4s }",
                "the network has not settled: port p1 of br0 is listening in sw",
            ),
            (
                "frames: { namespace: n2, link: eth0, protocol: icmp, count: 0, within: 2s, during: { ping: { from: n1, to: 10.0.0.2, expect: unreachable } } }",
                "the network has not settled: ",
            ),
        ],
        "",
    );
}

/// What lasts is settled: a link that is down, one without a carrier, and the port that spanning
/// tree blocks, one of two cables between the same switches.
#[test]
fn what_lasts_is_settled() {
    let blocked = "\
ip netns add n1
ip netns add n2
ip netns add sw1
ip netns add sw2
ip -n sw1 link add br0 type bridge stp_state 1 forward_delay 200
ip -n sw2 link add br0 type bridge stp_state 1 forward_delay 200 priority 0
ip link add eth0 netns n1 type veth peer name p1 netns sw1
ip link add eth0 netns n2 type veth peer name p2 netns sw2
ip link add t1 netns sw1 type veth peer name t1 netns sw2
ip link add t2 netns sw1 type veth peer name t2 netns sw2
ip -n sw1 link set p1 master br0
ip -n sw2 link set p2 master br0
ip -n sw1 link set t1 master br0
ip -n sw1 link set t2 master br0
ip -n sw2 link set t1 master br0
ip -n sw2 link set t2 master br0
ip -n n1 address add 10.0.0.1/24 dev eth0
ip -n n2 address add 10.0.0.2/24 dev eth0
ip -n n1 link set eth0 up
ip -n n2 link set eth0 up
ip -n sw1 link set p1 up
ip -n sw2 link set p2 up
ip -n sw1 link set t1 up
ip -n sw1 link set t2 up
ip -n sw2 link set t1 up
ip -n sw2 link set t2 up
ip -n sw1 link set br0 up
ip -n sw2 link set br0 up
";
    all_hold(
        blocked,
        &[
            "ping: { from: n1, to: 10.0.0.9, expect: unreachable, within: 50s }",
            "arp: { from: n1, link: eth0, to: 10.0.0.9, expect: unreachable, within: 50s }",
            "ping: { from: n1, to: 10.0.0.2, within: 50s }",
        ],
        "",
    );
    let down = format!("{PAIR}ip -n n2 link set eth0 down\n");
    all_hold(
        &down,
        &[
            "ping: { from: n1, to: 10.0.0.2, expect: unreachable, within: 20s, because: no-carrier }",
            "tcp: { from: n1, to: 10.0.0.2, port: 9, expect: unreachable, within: 20s, because: no-carrier }",
            "arp: { from: n1, link: eth0, to: 10.0.0.2, expect: unreachable, within: 20s, because: no-carrier }",
            "arp: { from: n2, link: eth0, to: 10.0.0.1, expect: unreachable, within: 20s, because: no-carrier }",
            "ping: { from: n2, to: 10.0.0.1, expect: unreachable, within: 20s, because: no-route }",
        ],
        "",
    );
    // Detection of duplicates never begins without a carrier.
    let tentative = format!("{down}ip -n n1 address add fd00::1/64 dev eth0\n");
    all_hold(
        &tentative,
        &["ping: { from: n1, to: 10.0.0.2, expect: unreachable, within: 20s }"],
        "",
    );
}

/// It must go on to be so: here an address appears on the other side when its time has come.
#[test]
fn silence_that_must_stay_is_listened_to_as_long() {
    all_hold(
        PAIR,
        &["ping: { from: n1, to: 10.0.0.9, expect: unreachable, within: 20s, stays: 2s }"],
        "",
    );
}
