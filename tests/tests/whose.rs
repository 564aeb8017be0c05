//! What one run has made is no other run's: addresses, routes and rules carry one mark for all runs, so
//! that each run's journal says which are its own.

use netwright_tests::{Host, Output};

const MACHINE: &str = "link add eth0 type veth peer name wire0
                       link set wire0 up
                       address add 192.0.2.2/24 dev eth0
                       address add 2001:db8::2/64 dev eth0 nodad
                       link set eth0 up
                       route add default via 192.0.2.1 dev eth0";

const FIRST: [&str; 9] = [
    "ip route add 10.1.0.0/16 via 192.0.2.9",
    "ip route add blackhole 10.3.0.0/16",
    "ip route add 10.6.0.0/16 via 192.0.2.9 metric 7 table 77",
    "ip -6 route add 2001:db8:1::/48 via 2001:db8::9",
    "ip -6 route add unreachable 2001:db8:3::/48",
    "ip rule add to 10.1.0.0/16 pref 50 prohibit",
    "ip rule add from 10.1.0.0/16 table 77",
    "ip -6 rule add to 2001:db8:1::/48 pref 51 table 77",
    "ip address add 10.5.0.1/24 dev eth0",
];

const GRANTS: [&str; 9] = [
    "host.link.read",
    "host.link.modify name=eth0",
    "host.address.add cidr=10.0.0.0/8 link=eth0",
    "host.route.add cidr=10.0.0.0/8,2001:db8::/32",
    "host.route.add cidr=10.0.0.0/8,2001:db8::/32 link=eth0",
    "host.route.add cidr=10.0.0.0/8,2001:db8::/32 table=77",
    "host.route.add cidr=10.0.0.0/8,2001:db8::/32 link=eth0 table=77",
    "host.route.add cidr=10.0.0.0/8,2001:db8::/32 table=main",
    "host.route.add cidr=10.0.0.0/8,2001:db8::/32 link=eth0 table=main",
];

/// Each spelling of taking one of those away, or putting another in its place.
const TAKING: [&str; 24] = [
    "ip route del 10.1.0.0/16 via 192.0.2.9",
    "ip route del 10.1.0.0/16",
    "ip route del 10.1.0.0/16 dev eth0",
    "ip route del 10.1.0.0/16 proto 110",
    "ip route replace 10.1.0.0/16 via 192.0.2.8",
    "ip route replace blackhole 10.1.0.0/16",
    "ip route change 10.1.0.0/16 via 192.0.2.8",
    "ip route del blackhole 10.3.0.0/16",
    "ip route del 10.3.0.0/16",
    "ip route replace 10.3.0.0/16 via 192.0.2.8",
    "ip route del 10.6.0.0/16 table 77",
    "ip route replace blackhole 10.6.0.0/16 metric 7 table 77",
    "ip -6 route del 2001:db8:1::/48",
    "ip -6 route replace 2001:db8:1::/48 via 2001:db8::8",
    "ip -6 route del unreachable 2001:db8:3::/48",
    "ip -6 route replace 2001:db8:3::/48 via 2001:db8::8",
    "ip rule del to 10.1.0.0/16 pref 50 prohibit",
    "ip rule del pref 50",
    "ip rule del to 10.1.0.0/16",
    "ip rule del from 10.1.0.0/16 table 77",
    "ip rule del table 77",
    "ip -6 rule del pref 51",
    "ip address del 10.5.0.1/24 dev eth0",
    "ip address replace 10.5.0.1/24 dev eth0 valid_lft 100 preferred_lft 60",
];

fn file(host: &Host, name: &str, lines: &[&str]) -> String {
    let script: String = lines.iter().map(|line| format!("        {line}\n")).collect();
    let text = format!(
        "name: {name}\ntarget: host\nsteps:\n  - recipe: builtin:ip\n    params:\n      script: |\n{script}"
    );
    host.session().file(&format!("{name}.yaml"), text).display().to_string()
}

fn apply(host: &Host, name: &str, lines: &[&str]) -> Output {
    let file = file(host, name, lines);
    let mut words = vec!["apply", &file];
    words.extend(GRANTS.iter().flat_map(|grant| ["--grant", grant]));
    host.netwright(words, &[])
}

#[test]
fn what_another_run_has_made_stays() {
    let host = Host::with(MACHINE);
    let before = host.state();
    apply(&host, "first", &FIRST).expect_code(0);
    host.settle();
    let deployed = host.state();
    for line in TAKING {
        let output = host.run_ip(line, &GRANTS).expect_code(4);
        let words = "no grant allows this: it is another run's of netwright";
        assert!(output.stderr.contains(words), "{line}: {output:#?}");
        assert_eq!(host.differences(&deployed), [""; 0], "{line}");
    }
    // It is nobody's business either where a run is still going on, or was killed.
    host.netwright(["destroy", "first"], &[]).expect_code(0);
    assert_eq!(host.differences(&before), [""; 0]);
    let victim = [("NETWRIGHT_CRASH", "both"), ("NETWRIGHT_CRASH_AT", "9999")];
    host.run_ip_with(&FIRST.join("\n"), &GRANTS, &victim).expect_code(0);
    assert_eq!(host.differences(&before), [""; 0]);
}

/// The kernel deletes a route with the link that it leaves by, and with the address that it has for
/// its source.
#[test]
fn no_route_stands_on_what_another_run_has_made() {
    const MADE: [&str; 7] = [
        "ip link add lab-a type bridge",
        "ip link set lab-a addrgenmode none",
        "ip link set lab-a up",
        "ip address add 10.7.0.1/24 dev lab-a",
        "ip address add 2001:db8:7::1/64 dev lab-a nodad",
        "ip address add 10.5.0.1/24 dev eth0",
        "ip address add 2001:db8:5::1/64 dev eth0 nodad",
    ];
    const WIDE: [&str; 5] = [
        "host.link.read",
        "host.link.create kind=bridge name=lab-*",
        "host.address.add cidr=10.0.0.0/8,2001:db8::/32 link=lab-*,eth0",
        "host.route.add cidr=10.0.0.0/8,2001:db8::/32 link=lab-*,eth0",
        "host.route.add cidr=10.0.0.0/8,2001:db8::/32 link=lab-*,eth0 table=77",
    ];
    let host = Host::with(MACHINE);
    let before = host.state();
    let file = file(&host, "first", &MADE);
    let mut words = vec!["apply", file.as_str()];
    words.extend(WIDE.iter().flat_map(|grant| ["--grant", grant]));
    host.netwright(words, &[]).expect_code(0);
    let deployed = host.state();
    for (line, own) in [
        ("ip route add 10.8.0.0/16 dev lab-a", "lab-a"),
        ("ip route add 10.8.0.0/16 via 10.7.0.9", "lab-a"),
        ("ip route add 10.8.0.0/16 via 10.7.0.9 table 77", "lab-a"),
        ("ip route add 10.8.0.0/16 nexthop via 192.0.2.1 nexthop via 10.7.0.9", "lab-a"),
        ("ip route append 10.8.0.0/16 via 10.7.0.9 dev lab-a", "lab-a"),
        ("ip -6 route add 2001:db8:8::/48 via 2001:db8:7::9", "lab-a"),
        ("ip -6 route replace 2001:db8:8::/48 dev lab-a", "lab-a"),
        ("ip route add 10.8.0.0/16 via 192.0.2.9 src 10.5.0.1", "10.5.0.1"),
        ("ip route add 10.8.0.0/16 dev eth0 src 10.7.0.1", "10.7.0.1"),
        ("ip -6 route add 2001:db8:8::/48 via 2001:db8::9 src 2001:db8:5::1", "2001:db8:5::1"),
    ] {
        let output = host.run_ip(line, &WIDE).expect_code(4);
        let words = "no grant allows this: it is another run's of netwright";
        assert!(output.stderr.contains(words), "{line}: {output:#?}");
        assert!(output.stderr.contains(&format!("`{own}`")), "{line}: {output:#?}");
        assert_eq!(host.differences(&deployed), [""; 0], "{line}");
    }
    // By a link of the machine's own, from an address of its own, and on what the run makes itself.
    for line in [
        "ip route add 10.8.0.0/16 via 192.0.2.9 src 192.0.2.2",
        "ip address add 10.6.0.1/24 dev eth0\nip route add 10.8.0.0/16 via 10.6.0.9 src 10.6.0.1",
    ] {
        host.run_ip(line, &WIDE).expect_code(0);
    }
    host.netwright(["destroy", "first"], &[]).expect_code(0);
    assert_eq!(host.differences(&before), [""; 0]);
}

/// What a run has made itself it may take away and replace, in every spelling.
#[test]
fn what_a_run_has_made_is_its_own() {
    let host = Host::with(MACHINE);
    let before = host.state();
    for line in TAKING {
        let script = [&FIRST[..], &[line]].concat().join("\n");
        let output = host.run_ip(&script, &GRANTS);
        assert_eq!(output.code, 0, "{line}: {output:#?}");
        assert_eq!(host.differences(&before), [""; 0], "{line}");
    }
}

/// A deployment that is altered still knows what it has made.
#[test]
fn what_a_deployment_has_made_is_its_own_when_it_is_altered() {
    let host = Host::with(MACHINE);
    let before = host.state();
    apply(&host, "first", &FIRST).expect_code(0);
    let fewer = [&FIRST[2..5], &["ip route add blackhole 10.1.0.0/16"]].concat();
    apply(&host, "first", &fewer).expect_code(0);
    let routes = host.run("ip", ["route", "show", "proto", "110"]).expect_code(0).stdout;
    assert_eq!(routes.trim(), "blackhole 10.1.0.0/16");
    host.netwright(["destroy", "first"], &[]).expect_code(0);
    assert_eq!(host.differences(&before), [""; 0]);
}

/// Two runs whose routes stand beside each other take back each its own, and say nothing false.
#[test]
fn routes_of_two_runs_at_one_place_are_told_apart() {
    let host = Host::with(MACHINE);
    let before = host.state();
    for order in [["one", "two"], ["two", "one"]] {
        apply(&host, "one", &["ip route add 10.1.0.0/16 via 192.0.2.9"]).expect_code(0);
        let lines = [
            "ip route append 10.1.0.0/16 via 192.0.2.8",
            "ip -6 route add 2001:db8:1::/48 via 2001:db8::9",
        ];
        apply(&host, "two", &lines).expect_code(0);
        for name in order {
            let output = host.netwright(["destroy", name], &[]);
            assert_eq!((output.code, &*output.stderr), (0, ""), "{name} of {order:?}");
        }
        assert_eq!(host.differences(&before), [""; 0]);
    }
}

/// The kernel removes the first rule that fits, and what a rule leaves open fits anything.
#[test]
fn rules_of_two_runs_at_one_place_are_told_apart() {
    let host = Host::with(MACHINE);
    let before = host.state();
    let rules = [
        ["to 10.2.0.0/16 uidrange 7-9 pref 50 prohibit", "to 10.2.0.0/16 pref 50 prohibit"],
        ["to 10.2.0.0/16 fwmark 7 pref 50 table 77", "to 10.2.0.0/16 pref 50 table 77"],
        ["to 10.2.0.0/16 ipproto tcp dport 80 pref 50", "to 10.2.0.0/16 pref 50"],
    ];
    for [one, two] in rules {
        for order in [["one", "two"], ["two", "one"]] {
            apply(&host, "one", &[&format!("ip rule add {one}")]).expect_code(0);
            let alone = host.ip_json(&["rule"]);
            apply(&host, "two", &[&format!("ip rule add {two}")]).expect_code(0);
            // The one that comes first would go.
            let line = format!("ip rule del {two}");
            host.run_ip(&line, &GRANTS).expect_code(4);
            for name in order {
                let output = host.netwright(["destroy", name], &[]);
                assert_eq!((output.code, &*output.stderr), (0, ""), "{name} of {order:?}: {two}");
                if order == ["two", "one"] && name == "two" {
                    assert_eq!(host.ip_json(&["rule"]), alone, "{two}");
                }
            }
            assert_eq!(host.differences(&before), [""; 0], "{order:?}: {two}");
        }
    }
}

/// Both alter one thing of others': the second is refused, whichever it is.
#[test]
fn what_one_run_has_altered_of_others_no_other_one_alters() {
    let host = Host::with(MACHINE);
    host.ip_lines("route add 10.8.0.0/16 via 192.0.2.9");
    let before = host.state();
    apply(&host, "first", &["ip route replace 10.8.0.0/16 via 192.0.2.7"]).expect_code(0);
    let deployed = host.state();
    for line in [
        "ip route replace 10.8.0.0/16 via 192.0.2.6",
        "ip route del 10.8.0.0/16",
        "ip route append 10.8.0.0/16 via 192.0.2.6",
    ] {
        let output = host.run_ip(line, &GRANTS);
        assert!(matches!(output.code, 4 | 5), "{line}: {output:#?}");
        assert_eq!(host.differences(&deployed), [""; 0], "{line}");
    }
    host.netwright(["destroy", "first"], &[]).expect_code(0);
    assert_eq!(host.differences(&before), [""; 0]);
}
