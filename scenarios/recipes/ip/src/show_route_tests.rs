//! Routes, rules and neighbours, beside what iproute2 6.1 prints of them.

use super::{got_line, neighbour_line, route_line, rule_line};
use crate::command::{Command, parse};
use crate::neighbour::NeighbourCommand;
use crate::route::RouteCommand;
use crate::rule::RuleCommand;

fn only(script: &str) -> Command {
    let mut statements = parse(script).expect(script);
    assert_eq!(statements.len(), 1);
    statements.remove(0).command
}

/// What is printed of the route that this command would add.
fn route(words: &str, tables: bool) -> String {
    match only(&format!("ip route add {words}")) {
        Command::Route(RouteCommand::Put { route, .. }) => route_line(&route, tables),
        other => panic!("{other:?}"),
    }
}

#[test]
fn routes_are_printed_as_they_are_written() {
    for (words, line) in [
        ("default via 10.0.0.2 dev v0", "default via 10.0.0.2 dev v0\n"),
        (
            "10.0.0.0/24 dev v0 proto kernel scope link src 10.0.0.1",
            "10.0.0.0/24 dev v0 proto kernel scope link src 10.0.0.1\n",
        ),
        ("blackhole 10.2/16", "blackhole 10.2.0.0/16\n"),
        ("10.0.0.9 dev v0 metric 50", "10.0.0.9 dev v0 metric 50\n"),
        ("10.1/16 via 10.0.0.2 dev v0 onlink", "10.1.0.0/16 via 10.0.0.2 dev v0 onlink\n"),
        ("10.1/16 dev v0 tos CS1", "10.1.0.0/16 tos CS1 dev v0\n"),
        ("10.1/16 dev v0 mtu lock 1400 advmss 9", "10.1.0.0/16 dev v0 mtu lock 1400 advmss 9\n"),
        ("10.1/16 via inet6 fe80::9 dev v0", "10.1.0.0/16 via inet6 fe80::9 dev v0\n"),
        ("fd01::/64 via fd00::2 pref high", "fd01::/64 via fd00::2 pref high\n"),
        (
            "default nexthop via 10.0.0.2 weight 3 nexthop dev v1",
            "default\n\tnexthop via 10.0.0.2 weight 3\n\tnexthop dev v1 weight 1\n",
        ),
    ] {
        assert_eq!(route(words, false), line);
    }
}

#[test]
fn only_a_list_of_all_tables_names_them() {
    assert_eq!(route("10.1/16 dev v0 table 7", false), "10.1.0.0/16 dev v0\n");
    assert_eq!(route("10.1/16 dev v0 table 7", true), "10.1.0.0/16 dev v0 table 7\n");
    assert_eq!(route("10.1/16 dev v0 table local", true), "10.1.0.0/16 dev v0 table local\n");
    assert_eq!(route("10.1/16 dev v0 table main", true), "10.1.0.0/16 dev v0\n");
}

#[test]
fn a_route_that_was_looked_up_begins_with_the_address() {
    let Command::Route(RouteCommand::Put { route, .. }) =
        only("ip route add 10.1.0.0/16 via 10.0.0.2 dev v0 src 10.0.0.1")
    else {
        panic!("a route");
    };
    let Command::Route(RouteCommand::Get { destination, source }) =
        only("ip route get 10.1.2.3 from 10.0.0.1")
    else {
        panic!("a question");
    };
    assert_eq!(
        got_line(&destination, source.as_ref(), &route),
        "10.1.2.3 from 10.0.0.1 via 10.0.0.2 dev v0 src 10.0.0.1"
    );
}

#[test]
fn rules_are_printed_as_they_are_written() {
    for (words, line) in [
        ("pref 5 from 10/8 table 100", "5:\tfrom 10.0.0.0/8 lookup 100\n"),
        ("pref 5 to 10.0.0.1 table local", "5:\tfrom all to 10.0.0.1 lookup local\n"),
        ("pref 5 not from 10/8", "5:\tnot from 10.0.0.0/8 lookup main\n"),
        (
            "pref 5 fwmark 16/255 iif a oif b",
            "5:\tfrom all fwmark 0x10/0xff iif a oif b lookup main\n",
        ),
        ("pref 5 fwmark 16", "5:\tfrom all fwmark 0x10 lookup main\n"),
        ("pref 5 blackhole", "5:\tfrom all blackhole\n"),
        ("pref 5 goto 10", "5:\tfrom all goto 10\n"),
        ("pref 5 nop", "5:\tfrom all nop\n"),
        (
            "pref 5 sup_pl 0 protocol static",
            "5:\tfrom all lookup main suppress_prefixlength 0 proto static\n",
        ),
        ("pref 5 uidrange 1-2", "5:\tfrom all uidrange 1-2 lookup main\n"),
    ] {
        match only(&format!("ip rule add {words}")) {
            Command::Rule(RuleCommand::Add(rule)) => assert_eq!(rule_line(&rule), line),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn neighbours_are_printed_as_ip_does() {
    for (words, line) in [
        ("10.0.0.2 lladdr 2:0:0:0:0:2", "10.0.0.2 dev v0 lladdr 02:00:00:00:00:02 PERMANENT\n"),
        (
            "fd00::2 lladdr 2:0:0:0:0:2 router nud stale",
            "fd00::2 dev v0 lladdr 02:00:00:00:00:02 router STALE\n",
        ),
        ("proxy 10.0.0.5", "10.0.0.5 dev v0 proxy\n"),
        ("10.0.0.2 nud failed", "10.0.0.2 dev v0 FAILED\n"),
    ] {
        match only(&format!("ip neigh add {words} dev v0")) {
            Command::Neighbour(NeighbourCommand::Put { link, neighbour, .. }) => {
                assert_eq!(neighbour_line(&link, &neighbour, true), line);
            }
            other => panic!("{other:?}"),
        }
    }
}
