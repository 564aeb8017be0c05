//! Waiting until something holds: what holds already, what comes about, and what never does.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use netwright_linux::kernel::Error;
use netwright_linux::probe::{Condition, wait_until};

use crate::lab::{Lab, ip, ip_later, run};
use crate::{Test, tests};

pub(crate) fn all() -> Vec<Test> {
    let mut all = tests![Root:
        wait::what_holds_already_is_seen_at_once,
        wait::a_carrier_comes,
        wait::a_carrier_goes,
        wait::a_link_goes,
        wait::an_address_leaves_duplicate_detection,
        wait::a_route_comes,
        wait::a_neighbour_becomes_known,
        wait::a_station_begins_to_answer,
        wait::a_station_falls_silent,
        wait::what_does_not_come_is_late,
        wait::what_cannot_be_is_refused_in_words,
        wait::a_removed_namespace_does_not_stop_the_wait,
    ];
    all.extend(tests![Nobody: wait::an_ordinary_user_waits_in_a_lab]);
    all
}

const SOON: Duration = Duration::from_secs(10);

fn eth0() -> String {
    "eth0".to_owned()
}

/// Milliseconds until it held.
fn waited(namespace: &OwnedFd, condition: Condition) -> u64 {
    let started = Instant::now();
    let told = run(wait_until(namespace, &condition, SOON)).unwrap();
    let real = started.elapsed().as_millis() as u64;
    assert!(told <= real && real < told + 200, "told {told} ms, were {real} ms");
    told
}

/// Changes something in a moment and waits for it: not before, and not long after.
fn comes(namespace: &OwnedFd, words: &'static str, condition: Condition) {
    let before = run(wait_until(namespace, &condition, Duration::ZERO));
    assert_eq!(before, Err(Error::Timeout(0)), "{condition:?} before `ip {words}`");
    let change = ip_later(words);
    let milliseconds = waited(namespace, condition);
    assert!((80..3000).contains(&milliseconds), "`ip {words}`: {milliseconds} ms");
    change.join().unwrap();
}

pub(crate) fn what_holds_already_is_seen_at_once(lab: Lab) {
    let (a, _b) = lab.settled_pair();
    ip("-n a neighbour add 10.0.0.9 lladdr 02:00:00:00:00:99 dev eth0");
    ip("-n a link add idle type veth peer name other");
    for condition in [
        Condition::LinkCarrier(eth0()),
        Condition::LinkNoCarrier("idle".to_owned()),
        Condition::LinkGone("eth7".to_owned()),
        Condition::AddressReady { link: eth0(), address: "10.0.0.1".parse().unwrap() },
        Condition::AddressReady { link: eth0(), address: "fd00::1".parse().unwrap() },
        Condition::RouteTo("10.0.0.77".parse().unwrap()),
        Condition::RouteTo("fd00::77".parse().unwrap()),
        Condition::Neighbour { link: eth0(), address: "10.0.0.9".parse().unwrap() },
    ] {
        let milliseconds = run(wait_until(&a, &condition, Duration::ZERO));
        assert!(matches!(milliseconds, Ok(0..100)), "{condition:?}: {milliseconds:?}");
    }
    assert!(waited(&a, Condition::Answers("10.0.0.2".parse().unwrap())) < 100);
    let silent = waited(&a, Condition::Silent("10.0.0.9".parse().unwrap()));
    assert!((500..1000).contains(&silent), "{silent} ms");
}

pub(crate) fn an_ordinary_user_waits_in_a_lab(lab: Lab) {
    what_holds_already_is_seen_at_once(lab);
}

pub(crate) fn a_carrier_comes(lab: Lab) {
    let (a, _b) = lab.settled_pair();
    ip("-n b link set eth0 down");
    waited(&a, Condition::LinkNoCarrier(eth0()));
    comes(&a, "-n b link set eth0 up", Condition::LinkCarrier(eth0()));
}

pub(crate) fn a_carrier_goes(lab: Lab) {
    let (a, _b) = lab.settled_pair();
    comes(&a, "-n b link set eth0 down", Condition::LinkNoCarrier(eth0()));
}

pub(crate) fn a_link_goes(lab: Lab) {
    let (a, _b) = lab.pair();
    comes(&a, "-n b link delete eth0", Condition::LinkGone(eth0()));
}

pub(crate) fn an_address_leaves_duplicate_detection(lab: Lab) {
    let (a, _b) = lab.settled_pair();
    let ready =
        |text: &str| Condition::AddressReady { link: eth0(), address: text.parse().unwrap() };
    comes(&a, "-n a address add fd00::7/64 dev eth0", ready("fd00::7"));
    // The seconds of detection are part of the wait.
    assert!(!ip("-n a address show dev eth0 to fd00::7").contains("tentative"));
    comes(&a, "-n a address add 10.9.0.1 peer 10.9.0.2 dev eth0", ready("10.9.0.1"));
    let peer = run(wait_until(&a, &ready("10.9.0.2"), Duration::ZERO));
    assert_eq!(peer, Err(Error::Timeout(0)), "the peer's address isn't the link's");
}

pub(crate) fn a_route_comes(lab: Lab) {
    let (a, _b) = lab.settled_pair();
    let route = |text: &str| Condition::RouteTo(text.parse().unwrap());
    comes(&a, "-n a route add 192.0.2.0/24 via 10.0.0.2", route("192.0.2.1"));
    comes(&a, "-n a route add 2001:db8::/32 via fd00::2", route("2001:db8::1"));
    for kind in ["unreachable", "prohibit", "blackhole"] {
        ip(&format!("-n a route add {kind} 198.51.100.0/24"));
        let no_way = run(wait_until(&a, &route("198.51.100.1"), Duration::ZERO));
        assert_eq!(no_way, Err(Error::Timeout(0)), "{kind}");
        ip(&format!("-n a route delete {kind} 198.51.100.0/24"));
    }
}

pub(crate) fn a_neighbour_becomes_known(lab: Lab) {
    let (a, _b) = lab.settled_pair();
    let known = Condition::Neighbour { link: eth0(), address: "10.0.0.7".parse().unwrap() };
    comes(&a, "-n a neighbour add 10.0.0.7 lladdr 02:00:00:00:00:07 dev eth0", known);
    // One that was asked for and didn't answer isn't known.
    let asked = Condition::Neighbour { link: eth0(), address: "fd00::8".parse().unwrap() };
    ip("-n a neighbour add fd00::8 dev eth0 nud failed");
    comes(&a, "-n a neighbour replace fd00::8 lladdr 02:00:00:00:00:08 dev eth0", asked);
}

pub(crate) fn a_station_begins_to_answer(lab: Lab) {
    let (a, _b) = lab.pair();
    let answers = |text: &str| Condition::Answers(text.parse().unwrap());
    // An answer takes longer than no time at all, so only later ones are timed.
    let change = ip_later("-n b address add 10.0.0.7/24 dev eth0");
    let milliseconds = waited(&a, answers("10.0.0.7"));
    assert!((80..3000).contains(&milliseconds), "{milliseconds} ms");
    change.join().unwrap();
    // Without any route to begin with.
    let change = ip_later("-n a route add 192.0.2.0/24 via 10.0.0.2");
    ip("-n b address add 192.0.2.1/32 dev lo");
    let milliseconds = waited(&a, answers("192.0.2.1"));
    assert!((80..3000).contains(&milliseconds), "{milliseconds} ms");
    change.join().unwrap();
}

pub(crate) fn a_station_falls_silent(lab: Lab) {
    let (a, _b) = lab.pair();
    let change = ip_later("-n b address delete 10.0.0.2/24 dev eth0");
    let milliseconds = waited(&a, Condition::Silent("10.0.0.2".parse().unwrap()));
    assert!((500..3000).contains(&milliseconds), "{milliseconds} ms");
    change.join().unwrap();
}

pub(crate) fn what_does_not_come_is_late(lab: Lab) {
    let (a, _b) = lab.settled_pair();
    ip("-n a neighbour add 10.0.0.9 lladdr 02:00:00:00:00:99 dev eth0");
    for condition in [
        Condition::LinkCarrier("eth7".to_owned()),
        Condition::LinkNoCarrier(eth0()),
        Condition::LinkGone(eth0()),
        Condition::AddressReady { link: eth0(), address: "10.0.0.9".parse().unwrap() },
        Condition::RouteTo("192.0.2.1".parse().unwrap()),
        Condition::Neighbour { link: "eth7".to_owned(), address: "10.0.0.9".parse().unwrap() },
        Condition::Answers("10.0.0.9".parse().unwrap()),
        Condition::Answers("192.0.2.1".parse().unwrap()),
        Condition::Silent("10.0.0.2".parse().unwrap()),
    ] {
        let started = Instant::now();
        let late = run(wait_until(&a, &condition, Duration::from_millis(600)));
        assert_eq!(late, Err(Error::Timeout(600)), "{condition:?}");
        let waited = started.elapsed().as_millis();
        assert!((600..1500).contains(&waited), "{condition:?}: {waited} ms");
    }
}

pub(crate) fn what_cannot_be_is_refused_in_words(lab: Lab) {
    let (a, _b) = lab.pair();
    let told = |condition| run(wait_until(&a, &condition, SOON)).unwrap_err().to_string();
    assert_eq!(told(Condition::LinkGone("a/b".to_owned())), "`a/b` can't be the name of a link");
    assert_eq!(told(Condition::RouteTo("::".parse().unwrap())), "`::` is nobody's address");
    assert_eq!(
        told(Condition::Answers("fe80::1".parse().unwrap())),
        "`fe80::1` is on every link; name the one to send from"
    );
}

/// Its name is gone, but whoever holds a descriptor of it keeps it.
pub(crate) fn a_removed_namespace_does_not_stop_the_wait(lab: Lab) {
    let (a, _b) = lab.settled_pair();
    ip("netns delete a");
    comes(&a, "-n b link delete eth0", Condition::LinkGone(eth0()));
}
