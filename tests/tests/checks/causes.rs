//! Why nothing answers, and questions that are wrong.

use super::{PAIR, all_fail, all_hold, run, scenario, verdicts};

/// Behind `n2` a network that it has no way to, forbids, or asks for in vain.
const ROUTER: &str = "\
ip -n n1 route add default via 10.0.0.2
ip -n n1 route add prohibit 10.5.0.0/16
ip -n n1 route add unreachable 10.6.0.0/16
ip -n n1 route add blackhole 10.7.0.0/16
ip -n n1 link add off type bridge
ip -n n1 address add 10.3.0.1/24 dev off
ip -n n2 link add inner type bridge
ip -n n2 address add 10.2.0.1/24 dev inner
ip -n n2 link set inner up
ip -n n2 route add prohibit 10.15.0.0/16
ip netns exec n2 sysctl -w net.ipv4.ip_forward=1
ip netns exec n2 sysctl -w net.ipv4.icmp_ratelimit=0
";

/// One line for people, one word for programs; where an answer is wanted, and where none is.
#[test]
fn the_cause_of_silence_is_told() {
    let table = [
        (
            "10.0.0.9",
            "no-neighbour",
            "nobody answers ARP for 10.0.0.9 (sent from 10.0.0.1 on eth0)",
            "no-reply",
        ),
        ("10.5.0.1", "prohibited", "10.5.0.1 is prohibited (EACCES)", "prohibited"),
        ("10.6.0.1", "no-route", "(EHOSTUNREACH)", "no-route"),
        ("10.7.0.1", "no-route", "a blackhole route to 10.7.0.1", "no-route"),
        (
            "10.15.0.1",
            "prohibited",
            "10.0.0.2 says: prohibited (sent from 10.0.0.1 on eth0)",
            "prohibited",
        ),
        (
            "172.16.0.1",
            "no-route",
            "10.0.0.2 says: no route (sent from 10.0.0.1 on eth0)",
            "no-route",
        ),
    ];
    let lines = format!("{PAIR}{ROUTER}");
    let mut checks = Vec::new();
    for (to, ..) in table {
        checks.push(format!("ping: {{ from: n1, to: {to}, within: 100ms }}"));
        checks.push(format!("tcp: {{ from: n1, to: {to}, port: 9, within: 100ms }}"));
    }
    for (to, .., because) in table {
        let silent = format!("expect: unreachable, within: 20s, because: {because}");
        checks.push(format!("ping: {{ from: n1, to: {to}, {silent} }}"));
        checks.push(format!("tcp: {{ from: n1, to: {to}, port: 9, {silent} }}"));
    }
    let checks: Vec<&str> = checks.iter().map(String::as_str).collect();
    let output = run(&scenario(&lines, &checks, "")).expect_code(1);
    let verdicts = verdicts(&output);
    let expected = |number: usize| &table[number / 2 % table.len()];
    for (number, (check, (verdict, cause, detail))) in checks.iter().zip(verdicts).enumerate() {
        let (_, code, text, because) = expected(number);
        let wanted = if number < 2 * table.len() { "fail" } else { "pass" };
        assert_eq!((verdict.as_str(), cause.as_str()), (wanted, *code), "{check}: {detail}");
        assert!(detail.contains(text), "{check}: {detail}");
        assert!(wanted == "fail" || detail.starts_with(because), "{check}: {detail}");
    }
}

/// Not any reason will do, where one is asked for.
#[test]
fn another_reason_than_the_one_asked_for_fails() {
    all_fail(
        &format!("{PAIR}{ROUTER}"),
        &[
            (
                "ping: { from: n1, to: 10.5.0.1, expect: unreachable, because: no-reply, within: 10s }",
                "but not because of no-reply: 10.5.0.1 is prohibited",
            ),
            (
                "tcp: { from: n1, to: 10.6.0.1, port: 9, expect: unreachable, because: prohibited, within: 10s }",
                "but not because of prohibited",
            ),
            (
                "arp: { from: n1, link: eth0, to: 10.0.0.9, expect: unreachable, because: no-carrier, within: 10s }",
                "but not because of no-carrier: nobody answers ARP for 10.0.0.9",
            ),
        ],
        "",
    );
}

#[test]
fn a_link_that_is_down_is_told() {
    let lines = format!("{PAIR}ip -n n1 link set eth0 down\nip -n n1 link set lo down\n");
    let checks = [
        "ping: { from: n1, to: 10.0.0.2, within: 100ms }",
        "ping: { from: n2, to: 10.0.0.1, within: 100ms }",
        "ping: { from: n1, to: 127.0.0.1, within: 100ms }",
        "arp: { from: n1, link: eth0, to: 10.0.0.2, within: 100ms }",
        "arp: { from: n2, link: eth0, to: 10.0.0.1, within: 100ms }",
    ];
    let output = run(&scenario(&lines, &checks, "")).expect_code(1);
    let causes: Vec<String> = verdicts(&output).into_iter().map(|(_, cause, _)| cause).collect();
    let expected = ["link-down", "no-carrier", "lo-down", "link-down", "no-carrier"];
    assert_eq!(causes, expected, "{output:#?}");
}

/// What nobody can answer says nothing about the network, whatever is expected.
#[test]
fn wrong_questions_fail_at_once() {
    let silent = "expect: unreachable, within: 10min";
    let both = |to: &str| {
        [
            format!("ping: {{ from: n1, to: '{to}', {silent} }}"),
            format!("tcp: {{ from: n1, to: '{to}', port: 9, {silent} }}"),
        ]
    };
    let mut checks = Vec::new();
    for to in ["0.0.0.0", "::", "fe80::1", "10.0.0.1", "127.0.0.1", "::1"] {
        checks.extend(both(to));
    }
    checks.extend([
        format!("ping: {{ from: n9, to: 10.0.0.2, {silent} }}"),
        format!("tcp: {{ from: n9, to: 10.0.0.2, port: 9, {silent} }}"),
        format!("arp: {{ from: n9, link: eth0, to: 10.0.0.2, {silent} }}"),
        format!("arp: {{ from: n1, link: eth0, to: 0.0.0.0, {silent} }}"),
        format!("arp: {{ from: n1, link: eth0, to: 10.0.0.1, {silent} }}"),
        format!("arp: {{ from: n1, link: eth0, to: 10.0.0.255, {silent} }}"),
        format!("tcp: {{ from: n1, to: 10.0.0.255, port: 9, {silent} }}"),
        "arp: { from: n1, link: eht0, to: 10.0.0.2, expect: unreachable, within: 100ms }"
            .to_owned(),
    ]);
    let checks: Vec<&str> = checks.iter().map(String::as_str).collect();
    // Without a limit that they could run into.
    let output = run(&scenario(PAIR, &checks, "limits: { time: 30min }\n")).expect_code(1);
    for (check, (verdict, _, detail)) in checks.iter().zip(verdicts(&output)) {
        assert_eq!(verdict, "fail", "{check}: {detail}");
    }
}

/// Whoever answers to a network's broadcast has answered.
#[test]
fn a_broadcast_is_answered_by_anybody() {
    let lines =
        format!("{PAIR}ip netns exec n2 sysctl -w net.ipv4.icmp_echo_ignore_broadcasts=0\n");
    all_fail(
        &lines,
        &[(
            "ping: { from: n1, to: 10.0.0.255, expect: unreachable, within: 10s }",
            "1 of 1 answered",
        )],
        "",
    );
    all_hold(&lines, &["ping: { from: n1, to: 10.0.0.255 }"], "");
    all_hold(PAIR, &["ping: { from: n1, to: 10.0.0.255, expect: unreachable, within: 20s }"], "");
}

/// An answer that the namespace gives itself is told as that.
#[test]
fn an_answer_over_lo_says_so() {
    let lines = format!("{PAIR}ip -n n1 address add 10.0.0.7/32 dev lo\n");
    let checks = [
        "ping: { from: n1, to: 10.0.0.7 }",
        "ping: { from: n1, to: 10.0.0.2 }",
        "tcp: { from: n1, to: 10.0.0.7, port: 9, expect: refused }",
    ];
    let output = run(&scenario(&lines, &checks, "")).expect_code(0);
    let details: Vec<bool> =
        verdicts(&output).iter().map(|(_, _, detail)| detail.contains("over `lo`")).collect();
    assert_eq!(details, [true, false, true], "{output:#?}");
}

/// Two stations have the address, and the one that is named is not the only one that answers.
#[test]
fn a_station_that_is_named_answers_alone() {
    let lines = "\
ip netns add h
ip netns add x
ip netns add sw
ip -n sw link add br0 type bridge
ip link add eth0 netns h address 02:00:00:00:00:a0 type veth peer name p0 netns sw
ip link add eth1 netns h address 02:00:00:00:00:a1 type veth peer name p1 netns sw
ip link add eth0 netns x type veth peer name p2 netns sw
ip -n h address add 10.0.0.8/24 dev eth0
ip -n h address add 10.0.0.9/24 dev eth1
ip -n x address add 10.0.0.1/24 dev eth0
ip -n sw link set p0 master br0
ip -n sw link set p1 master br0
ip -n sw link set p2 master br0
ip -n sw link set br0 up
ip -n sw link set p0 up
ip -n sw link set p1 up
ip -n sw link set p2 up
ip -n h link set eth0 up
ip -n h link set eth1 up
ip -n x link set eth0 up
";
    let check = "arp: { from: x, link: eth0, to: 10.0.0.8, mac: '02:00:00:00:00:a0', within: 3s }";
    all_fail(lines, &[(check, "not by 02:00:00:00:00:a0 alone")], "");
    all_hold(lines, &["arp: { from: x, link: eth0, to: 10.0.0.8 }"], "");
    let one = format!("{lines}ip netns exec h sysctl -w net.ipv4.conf.all.arp_ignore=1\n");
    all_hold(&one, &[check], "");
}

/// A router says why a few times, and then seldom: each check that wants to hear it gets to.
#[test]
fn a_router_is_given_time_to_say_why() {
    let seldom = ROUTER.replace("ip netns exec n2 sysctl -w net.ipv4.icmp_ratelimit=0\n", "");
    assert_ne!(seldom, ROUTER);
    let mut checks = Vec::new();
    for station in 1..=5 {
        let silent = "expect: unreachable, because: prohibited, within: 30s";
        checks.push(format!("ping: {{ from: n1, to: 10.15.0.{station}, {silent} }}"));
        checks.push(format!("tcp: {{ from: n1, to: 10.15.1.{station}, port: 9, {silent} }}"));
    }
    let checks: Vec<&str> = checks.iter().map(String::as_str).collect();
    all_hold(&format!("{PAIR}{seldom}"), &checks, "limits: { time: 300s }\n");
}
