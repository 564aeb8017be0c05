//! Checks that something isn't there.

use super::{PAIR, all_fail, all_hold};

/// A name that is mistyped, a length or a table that differs: nothing of that is absence.
#[test]
fn what_could_not_be_asked_for_is_not_missing() {
    all_fail(
        PAIR,
        &[
            ("link: { namespace: n9, name: eth0, exists: false }", "there is no namespace `n9`"),
            ("link: { namespace: n1, name: eth0, exists: false, within: 100ms }", "it exists"),
            (
                "address: { namespace: n9, link: eth0, is: 10.0.0.7/24, absent: true }",
                "there is no namespace `n9`",
            ),
            (
                "address: { namespace: n1, link: eht0, is: 10.0.0.1/24, absent: true, within: 100ms }",
                "has no link `eht0`",
            ),
            (
                "address: { namespace: n1, link: eth0, is: 10.0.0.1/25, absent: true, within: 100ms }",
                "it has 10.0.0.1/24",
            ),
            (
                "route: { namespace: n9, destination: 10.7.0.0/16, absent: true }",
                "there is no namespace `n9`",
            ),
            (
                "route: { namespace: n1, destination: 10.9.0.0/16, absent: true, within: 100ms }",
                "it is there: ",
            ),
            (
                "route: { namespace: n1, destination: 10.8.0.0/16, absent: true, within: 100ms }",
                "table 100",
            ),
            (
                "route: { namespace: n1, destination: 10.9.0.0/16, link: eht0, absent: true, within: 100ms }",
                "has no link `eht0`",
            ),
            (
                "neighbour: { namespace: n9, address: 10.0.0.7, absent: true }",
                "there is no namespace `n9`",
            ),
            (
                "neighbour: { namespace: n1, link: eht0, address: 10.0.0.2, absent: true, within: 100ms }",
                "has no link `eht0`",
            ),
            (
                "frames: { namespace: n1, link: eht0, count: 0, within: 200ms }",
                "has no link `eht0`",
            ),
            (
                "frames: { namespace: n1, link: eht0, at-most: 3, within: 200ms }",
                "has no link `eht0`",
            ),
            (
                "frames: { namespace: n9, link: eth0, count: 0, within: 200ms }",
                "there is no namespace `n9`",
            ),
        ],
        "",
    );
}

/// A default route is a prefix of length 0, however it is written.
#[test]
fn a_default_route_is_found_under_each_of_its_names() {
    let lines = format!("{PAIR}ip -n n1 route add default via 10.0.0.2\n");
    all_fail(
        &lines,
        &[
            ("route: { namespace: n1, destination: default, absent: true, within: 50ms }", "it is"),
            (
                "route: { namespace: n1, destination: 0.0.0.0/0, absent: true, within: 50ms }",
                "it is there",
            ),
        ],
        "",
    );
    all_hold(
        &lines,
        &[
            "route: { namespace: n1, destination: 0.0.0.0/0, gateway: 10.0.0.2 }",
            "route: { namespace: n1, destination: default, gateway: 10.0.0.2 }",
            "route: { namespace: n1, destination: '::/0', absent: true }",
        ],
        "",
    );
}

#[test]
fn what_is_missing_is_missing() {
    all_hold(
        PAIR,
        &[
            "link: { namespace: n1, name: eth1, exists: false }",
            "link: { name: eth0, exists: false }",
            "address: { namespace: n1, link: eth0, is: 10.0.0.2/24, absent: true }",
            "route: { namespace: n1, destination: 10.7.0.0/16, absent: true }",
            "route: { namespace: n1, destination: 10.8.0.0/16, table: 254, absent: true }",
            "route: { namespace: n1, destination: 10.9.0.0/16, gateway: 10.0.0.3, absent: true }",
            "neighbour: { namespace: n1, address: 10.0.0.7, absent: true }",
            "neighbour: { namespace: n1, link: eth0, address: 10.0.0.7, absent: true }",
            "frames: { namespace: n1, link: eth0, protocol: tcp, count: 0 }",
        ],
        "captures: [{ namespace: n1, link: eth0 }]\n",
    );
}

/// Gateway and link are of one and the same next hop.
#[test]
fn a_route_is_asked_for_by_one_next_hop() {
    let lines = "\
ip netns add n1
ip -n n1 link add da type bridge
ip -n n1 link add db type bridge
ip -n n1 address add 10.1.0.1/24 dev da
ip -n n1 address add 10.2.0.1/24 dev db
ip -n n1 link set da up
ip -n n1 link set db up
ip -n n1 route add 10.9.0.0/16 nexthop via 10.1.0.2 dev da nexthop via 10.2.0.2 dev db
";
    all_fail(
        lines,
        &[(
            "route: { namespace: n1, destination: 10.9.0.0/16, gateway: 10.1.0.2, link: db, within: 50ms }",
            "there is: ",
        )],
        "",
    );
    all_hold(
        lines,
        &[
            "route: { namespace: n1, destination: 10.9.0.0/16, gateway: 10.1.0.2, link: da }",
            "route: { namespace: n1, destination: 10.9.0.0/16, gateway: 10.2.0.2, link: db }",
            "route: { namespace: n1, destination: 10.9.0.0/16, gateway: 10.1.0.2, link: db, absent: true }",
        ],
        "",
    );
}

/// It holds first, and then no longer.
#[test]
fn what_must_stay_is_asked_for_as_long() {
    let router =
        format!("{PAIR}ip -n n1 address add 10.0.0.77/24 dev eth0 valid_lft 3 preferred_lft 3\n");
    all_fail(
        &router,
        &[(
            "address: { namespace: n1, link: eth0, is: 10.0.0.77/24, within: 1s, stays: 20s }",
            "it held for ",
        )],
        "",
    );
    all_hold(
        PAIR,
        &[
            "ping: { from: n1, to: 10.0.0.2, stays: 500ms }",
            "link: { namespace: n1, name: eth1, exists: false, stays: 500ms }",
            "frames: { namespace: n1, link: eth0, protocol: tcp, count: 0, stays: 300ms }",
        ],
        "",
    );
}
