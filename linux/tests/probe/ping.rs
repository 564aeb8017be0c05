//! Echo requests.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use netwright_linux::kernel::Error;
use netwright_linux::probe::{Echo, Options, Pinging, Source, ping};

use crate::lab::{Lab, ip, run};
use crate::{Test, tests};

pub(crate) fn all() -> Vec<Test> {
    let mut all = tests![Root:
        ping::a_neighbour_replies_in_both_families,
        ping::silence_is_a_result,
        ping::the_own_address_replies_once,
        ping::no_route_is_no_reply_at_once,
        ping::a_prohibited_route_is_no_reply,
        ping::a_neighbour_that_is_missing_is_told_before_the_timeout,
        ping::a_whole_request_above_the_mtu_is_no_reply,
        ping::a_source_address_is_used,
        ping::a_link_local_destination_needs_its_link,
        ping::bad_options_are_refused_in_words,
        ping::requests_go_at_their_interval,
        ping::a_started_ping_counts_while_it_runs,
    ];
    all.extend(tests![Nobody: ping::an_ordinary_user_pings_in_a_lab]);
    all
}

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

/// Waits as long as a busy machine may take.
fn patient() -> Options {
    Options {
        interval: Duration::from_millis(10),
        timeout: Duration::from_secs(10),
        ..Options::default()
    }
}

/// For replies that don't come.
fn quick() -> Options {
    Options { timeout: Duration::from_millis(300), ..patient() }
}

fn counts(echo: &Echo) -> (u32, u32) {
    (echo.sent, echo.received)
}

pub(crate) fn a_neighbour_replies_in_both_families(lab: Lab) {
    let (a, _b) = lab.settled_pair();
    for destination in ["10.0.0.2", "fd00::2"] {
        let options = Options { count: 3, size: 3000, ..patient() };
        let echo = run(ping(&a, address(destination), &options)).unwrap();
        assert_eq!(counts(&echo), (3, 3), "{destination}");
        assert!(echo.minimum > Duration::ZERO, "{echo:?}");
        assert!(echo.minimum <= echo.average && echo.average <= echo.maximum, "{echo:?}");
        assert!(echo.maximum < Duration::from_secs(10), "{echo:?}");
    }
}

pub(crate) fn an_ordinary_user_pings_in_a_lab(lab: Lab) {
    assert!(lab.opener.is_none());
    a_neighbour_replies_in_both_families(lab);
}

pub(crate) fn silence_is_a_result(lab: Lab) {
    let (a, _b) = lab.pair();
    // A neighbour that takes frames and answers none.
    ip("-n a neighbour add 10.0.0.9 lladdr 02:00:00:00:00:99 dev eth0");
    let started = Instant::now();
    let echo = run(ping(&a, address("10.0.0.9"), &Options { count: 2, ..quick() })).unwrap();
    assert_eq!(echo, Echo { sent: 2, ..Echo::default() });
    assert!(started.elapsed() >= Duration::from_millis(310));
}

pub(crate) fn the_own_address_replies_once(lab: Lab) {
    let (a, _b) = lab.pair();
    let echo = run(ping(&a, address("10.0.0.1"), &Options { count: 2, ..patient() })).unwrap();
    assert_eq!(counts(&echo), (2, 2));
}

pub(crate) fn no_route_is_no_reply_at_once(lab: Lab) {
    let (a, _b) = lab.pair();
    let started = Instant::now();
    for destination in ["192.0.2.1", "2001:db8::1"] {
        let options = Options { timeout: Duration::from_secs(5), ..quick() };
        let echo = run(ping(&a, address(destination), &options)).unwrap();
        assert_eq!(counts(&echo), (1, 0), "{destination}");
    }
    assert!(started.elapsed() < Duration::from_secs(1));
}

pub(crate) fn a_prohibited_route_is_no_reply(lab: Lab) {
    let (a, _b) = lab.pair();
    for (kind, destination) in
        [("prohibit", "192.0.2.1"), ("blackhole", "192.0.2.2"), ("unreachable", "192.0.2.3")]
    {
        ip(&format!("-n a route add {kind} {destination}"));
        let echo = run(ping(&a, address(destination), &quick())).unwrap();
        assert_eq!(counts(&echo), (1, 0), "{kind}");
    }
}

pub(crate) fn a_neighbour_that_is_missing_is_told_before_the_timeout(lab: Lab) {
    let (a, _b) = lab.settled_pair();
    let started = Instant::now();
    for destination in ["10.0.0.9", "fd00::9"] {
        let options = Options { timeout: Duration::from_secs(30), ..quick() };
        let echo = run(ping(&a, address(destination), &options)).unwrap();
        assert_eq!(counts(&echo), (1, 0), "{destination}");
    }
    // Each after three requests of a second for the neighbour's address.
    assert!(started.elapsed() < Duration::from_secs(15));
}

pub(crate) fn a_whole_request_above_the_mtu_is_no_reply(lab: Lab) {
    let (a, _b) = lab.settled_pair();
    for (destination, largest) in [("10.0.0.2", 1472), ("fd00::2", 1452)] {
        let count = |size, whole| {
            let options = Options { size, whole, ..patient() };
            counts(&run(ping(&a, address(destination), &options)).unwrap())
        };
        assert_eq!(count(largest, true), (1, 1), "{destination}");
        assert_eq!(count(largest + 1, true), (1, 0), "{destination}");
        assert_eq!(count(largest + 1, false), (1, 1), "{destination}");
    }
}

pub(crate) fn a_source_address_is_used(lab: Lab) {
    let (a, _b) = lab.pair();
    ip("-n a address add 198.51.100.1/32 dev lo");
    let from = |source: &str| Options { source: Some(source.parse().unwrap()), ..patient() };
    let destination = address("10.0.0.2");
    // The peer knows no way back to that address, until it is told.
    let unknown = Options { timeout: quick().timeout, ..from("198.51.100.1") };
    assert_eq!(counts(&run(ping(&a, destination, &unknown)).unwrap()), (1, 0));
    ip("-n b route add 198.51.100.1/32 dev eth0");
    assert_eq!(counts(&run(ping(&a, destination, &from("198.51.100.1"))).unwrap()), (1, 1));
    assert_eq!(counts(&run(ping(&a, destination, &from("eth0"))).unwrap()), (1, 1));
    let told = |source| run(ping(&a, destination, &from(source))).unwrap_err().to_string();
    assert_eq!(
        told("10.0.0.77"),
        "kernel refused `ping -I 10.0.0.77 10.0.0.2`: EADDRNOTAVAIL (Cannot assign requested address)"
    );
    assert_eq!(told("eth7"), "kernel refused `ping -I eth7 10.0.0.2`: ENODEV (No such device)");
}

pub(crate) fn a_link_local_destination_needs_its_link(lab: Lab) {
    let (a, _b) = lab.settled_pair();
    ip("-n a address add fe80::a/64 dev eth0 nodad");
    ip("-n b address add fe80::b/64 dev eth0 nodad");
    let on_link = Options { source: Some(Source::Link("eth0".to_owned())), ..patient() };
    let echo = run(ping(&a, address("fe80::b"), &on_link)).unwrap();
    assert_eq!(counts(&echo), (1, 1));
    // All nodes of the link; each answers with its own address.
    assert_eq!(counts(&run(ping(&a, address("ff02::1"), &on_link)).unwrap()), (1, 1));
    let refused = run(ping(&a, address("fe80::b"), &quick())).unwrap_err();
    assert_eq!(refused.to_string(), "`fe80::b` is on every link; name the one to send from");
}

pub(crate) fn bad_options_are_refused_in_words(lab: Lab) {
    let (a, _b) = lab.pair();
    let told = |destination: &str, options: Options| {
        let error = run(ping(&a, address(destination), &options)).unwrap_err();
        assert!(matches!(error, Error::Invalid(_)), "{error:?}");
        error.to_string()
    };
    assert_eq!(told("0.0.0.0", quick()), "`0.0.0.0` is nobody's address");
    assert_eq!(
        told("10.0.0.2", Options { count: 0, ..quick() }),
        "a ping sends 1 to 65536 requests"
    );
    assert_eq!(
        told("10.0.0.2", Options { size: 65_508, ..quick() }),
        "an echo request holds at most 65507 bytes, not 65508"
    );
    let source = Some(Source::Address(address("fd00::1")));
    assert_eq!(
        told("10.0.0.2", Options { source, ..quick() }),
        "`10.0.0.2` can't be reached from `fd00::1`: one is IPv4, the other IPv6"
    );
    for text in ["../x", "", "a-name-that-is-too-long", "a b"] {
        let error = text.parse::<Source>().unwrap_err();
        assert_eq!(error.to_string(), format!("`{text}` can't be the name of a link"));
    }
}

pub(crate) fn requests_go_at_their_interval(lab: Lab) {
    let (a, _b) = lab.pair();
    let timed = |interval| {
        let options = Options { count: 5, interval, ..patient() };
        let started = Instant::now();
        let echo = run(ping(&a, address("10.0.0.2"), &options)).unwrap();
        assert_eq!(counts(&echo), (5, 5));
        started.elapsed()
    };
    assert!(timed(Duration::from_millis(50)) >= Duration::from_millis(200));
    assert!(timed(Duration::ZERO) < Duration::from_secs(5));
}

pub(crate) fn a_started_ping_counts_while_it_runs(lab: Lab) {
    let (a, _b) = lab.pair();
    run(async {
        let options = Options { count: 20, ..quick() };
        let pinging = Pinging::start(&a, address("10.0.0.2"), &options).unwrap();
        assert!(!pinging.is_finished());
        while pinging.so_far().received < 3 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(!pinging.is_finished());
        ip("-n b link set eth0 down");
        let echo = pinging.finish().await.unwrap();
        assert_eq!(echo.sent, 20);
        assert!((3..20).contains(&echo.received), "{echo:?}");
    });
}
