//! Routes, each beside what `ip route` does with the same words in a namespace of its own.

use netwright_linux::change::{Change, NextHop, Query, Route, RouteKind, Write};

use crate::Named;
use crate::lab::{Lab, option, query, space};
use crate::twins::{addressed_twins, compare, hop, ip, route};

pub(crate) const TRIALS: &[Named] = &[("routes are as `ip route` makes them, and undone", routes)];

pub(crate) fn put_route(route: Route, how: Write) -> Change {
    Change::PutRoute { namespace: space("ours"), route, how }
}

fn routes() {
    let mut lab = addressed_twins();
    let via = |gateway| [hop(Some(gateway), None)];
    let dev = [hop(None, Some("a"))];
    let kind = |kind, destination: &str| Route { kind, ..route(destination, &[]) };
    let metrics = vec![
        option("mtu lock", "1400"),
        option("advmss", "1360"),
        option("rtt", "20ms"),
        option("initcwnd", "10"),
        option("features", "ecn"),
        option("quickack", "1"),
        option("congctl", "reno"),
    ];
    let two = [
        NextHop { weight: 3, ..hop(Some("10.0.0.2"), None) },
        NextHop { onlink: true, ..hop(Some("10.77.0.1"), Some("b")) },
    ];
    let two6 = [hop(Some("2001:db8::2"), Some("a")), hop(Some("2001:db8::3"), Some("a"))];
    let remove = |route: Route| Change::RemoveRoute { namespace: space("ours"), route };
    let cases = [
        (
            "ip route add default via 10.0.0.2",
            put_route(route("default", &via("10.0.0.2")), Write::Add),
        ),
        (
            "ip route add default via 10.0.0.3 metric 100",
            put_route(
                Route { metric: Some(100), ..route("default", &via("10.0.0.3")) },
                Write::Add,
            ),
        ),
        ("ip route add 10.5.0.0/16 dev a", put_route(route("10.5.0.0/16", &dev), Write::Add)),
        (
            "ip route add 10.6.0.0/16 dev a src 10.0.0.1 proto static scope link tos 0x10 table 1000",
            put_route(
                Route {
                    source: Some(ip("10.0.0.1")),
                    protocol: Some(4),
                    scope: Some(253),
                    type_of_service: Some(0x10),
                    table: Some(1000),
                    ..route("10.6.0.0/16", &dev)
                },
                Write::Add,
            ),
        ),
        (
            "ip route add 10.7.0.0/16 nexthop via 10.0.0.2 weight 3 nexthop via 10.77.0.1 dev b onlink",
            put_route(route("10.7.0.0/16", &two), Write::Add),
        ),
        (
            "ip route add 10.8.0.0/16 via 10.0.0.2 mtu lock 1400 advmss 1360 rtt 20ms initcwnd 10 features ecn quickack 1 congctl reno",
            put_route(Route { metrics, ..route("10.8.0.0/16", &via("10.0.0.2")) }, Write::Add),
        ),
        (
            "ip route add blackhole 10.9.0.0/16",
            put_route(kind(RouteKind::Blackhole, "10.9.0.0/16"), Write::Add),
        ),
        (
            "ip route add unreachable 10.10.0.0/16",
            put_route(kind(RouteKind::Unreachable, "10.10.0.0/16"), Write::Add),
        ),
        (
            "ip route add prohibit 10.11.0.0/16",
            put_route(kind(RouteKind::Prohibit, "10.11.0.0/16"), Write::Add),
        ),
        (
            "ip route add throw 10.12.0.0/16",
            put_route(kind(RouteKind::Throw, "10.12.0.0/16"), Write::Add),
        ),
        (
            "ip route add local 10.13.0.0/16 dev lo",
            put_route(
                Route { kind: RouteKind::Local, ..route("10.13.0.0/16", &[hop(None, Some("lo"))]) },
                Write::Add,
            ),
        ),
        (
            "ip route add broadcast 10.14.255.255 dev a",
            put_route(
                Route { kind: RouteKind::Broadcast, ..route("10.14.255.255/32", &dev) },
                Write::Add,
            ),
        ),
        (
            "ip route add 10.15.0.0/16 via inet6 2001:db8::9 dev a",
            put_route(route("10.15.0.0/16", &[hop(Some("2001:db8::9"), Some("a"))]), Write::Add),
        ),
        (
            "ip route append 10.5.0.0/16 dev b",
            put_route(route("10.5.0.0/16", &[hop(None, Some("b"))]), Write::Append),
        ),
        (
            "ip route prepend 10.5.0.0/16 via 10.0.0.9",
            put_route(route("10.5.0.0/16", &via("10.0.0.9")), Write::Prepend),
        ),
        (
            "ip route replace default via 10.0.0.4",
            put_route(route("default", &via("10.0.0.4")), Write::Replace),
        ),
        (
            "ip route change 10.9.0.0/16 via 10.0.0.5",
            put_route(route("10.9.0.0/16", &via("10.0.0.5")), Write::Change),
        ),
        (
            "ip -6 route add default via 2001:db8::2",
            put_route(route("default6", &via("2001:db8::2")), Write::Add),
        ),
        (
            "ip -6 route add 2001:db8:5::/64 dev a metric 7 pref high",
            put_route(
                Route {
                    metric: Some(7),
                    metrics: vec![option("pref", "high")],
                    ..route("2001:db8:5::/64", &dev)
                },
                Write::Add,
            ),
        ),
        (
            "ip -6 route add 2001:db8:6::/64 nexthop via 2001:db8::2 dev a nexthop via 2001:db8::3 dev a",
            put_route(route("2001:db8:6::/64", &two6), Write::Add),
        ),
        (
            "ip -6 route add blackhole 2001:db8:7::/64",
            put_route(kind(RouteKind::Blackhole, "2001:db8:7::/64"), Write::Add),
        ),
        (
            "ip -6 route replace 2001:db8:5::/64 via 2001:db8::9 metric 7",
            put_route(
                Route { metric: Some(7), ..route("2001:db8:5::/64", &via("2001:db8::9")) },
                Write::Replace,
            ),
        ),
        ("ip route delete 10.8.0.0/16", remove(route("10.8.0.0/16", &[]))),
        (
            "ip route delete default metric 100",
            remove(Route { metric: Some(100), ..route("default", &[]) }),
        ),
        ("ip route delete 10.7.0.0/16", remove(route("10.7.0.0/16", &[]))),
        (
            "ip route delete blackhole 10.10.0.0/16 || true",
            remove(kind(RouteKind::Unreachable, "10.10.0.0/16")),
        ),
        ("ip -6 route delete 2001:db8:6::/64", remove(route("2001:db8:6::/64", &[]))),
        ("ip -6 route delete default", remove(route("default6", &[]))),
    ];
    let cases: Vec<_> = cases
        .into_iter()
        .map(|(words, change)| {
            (words.replace("blackhole 10.10.0.0/16 || true", "unreachable 10.10.0.0/16"), change)
        })
        .collect();
    let cases: Vec<_> =
        cases.iter().map(|(words, change)| (words.as_str(), change.clone())).collect();
    compare(&mut lab, &cases);
    route_refusals(&mut lab);
}

fn route_refusals(lab: &mut Lab) {
    lab.apply(put_route(route("default", &[hop(Some("10.0.0.2"), None)]), Write::Add));
    let second = put_route(route("default", &[hop(Some("10.0.0.3"), None)]), Write::Add);
    let text = lab.refused(second);
    assert!(text.starts_with("kernel refused `-n ours route add default via 10.0.0.3`: EEXIST"));
    assert!(
        text.contains(
            "help: `default via 10.0.0.2 dev a table 254 proto 3 scope global` is there already"
        ),
        "{text}"
    );
    let far = put_route(route("10.5.0.0/16", &[hop(Some("172.16.0.1"), None)]), Write::Add);
    let text = lab.refused(far);
    assert!(
        text.contains("no link of namespace `ours` has an address in the network of 172.16.0.1"),
        "{text}"
    );
    let host = put_route(route("10.5.0.1/16", &[hop(None, Some("a"))]), Write::Add);
    assert_eq!(
        lab.refused(host),
        "10.5.0.1/16 has bits set behind its prefix\n  help: the network is 10.5.0.0/16"
    );
    let unknown = put_route(route("10.5.0.0/16", &[hop(None, Some("c"))]), Write::Add);
    assert_eq!(
        lab.refused(unknown),
        "namespace `ours` has no link `c`\n  help: it has `lo`, `b`, `a`"
    );
    let answer = query(
        &lab.kernel,
        Query::Lookup { namespace: space("ours"), destination: ip("192.0.2.1"), source: None },
    );
    let netwright_linux::change::Answer::Routes(found) = answer else { panic!("routes") };
    assert_eq!(found[0].next_hops, [hop(Some("10.0.0.2"), Some("a"))]);
    assert_eq!(found[0].source, Some(ip("10.0.0.1")));
}
