//! Who answers for an IPv4 address.

use std::time::{Duration, Instant};

use netwright_linux::kernel::Error;
use netwright_linux::probe::arp;

use crate::lab::{Lab, ip, run};
use crate::{Test, tests};

pub(crate) fn all() -> Vec<Test> {
    let mut all = tests![Root:
        arp::the_owner_answers_soon,
        arp::a_link_without_an_address_asks_as_a_probe,
        arp::nobody_answers_for_a_free_address,
        arp::two_stations_with_one_address_both_answer,
        arp::a_link_that_cannot_ask_is_refused_in_words,
    ];
    all.extend(tests![Nobody: arp::an_ordinary_user_asks_in_a_lab]);
    all
}

const SOON: Duration = Duration::from_secs(3);

pub(crate) fn the_owner_answers_soon(lab: Lab) {
    let (a, _b) = lab.pair();
    let started = Instant::now();
    let answers = run(arp(&a, "eth0", "10.0.0.2".parse().unwrap(), SOON)).unwrap();
    assert_eq!(format!("{answers:?}"), "[02:00:00:00:00:0b]");
    assert!(started.elapsed() < SOON);
    // The asker gave its own address, so the peer has learned it.
    assert!(ip("-n b neighbour show 10.0.0.1").contains("02:00:00:00:00:0a"));
}

pub(crate) fn an_ordinary_user_asks_in_a_lab(lab: Lab) {
    the_owner_answers_soon(lab);
}

pub(crate) fn a_link_without_an_address_asks_as_a_probe(lab: Lab) {
    let (a, _b) = lab.pair();
    ip("-n a address flush dev eth0");
    let answers = run(arp(&a, "eth0", "10.0.0.2".parse().unwrap(), SOON)).unwrap();
    assert_eq!(format!("{answers:?}"), "[02:00:00:00:00:0b]");
    assert_eq!(ip("-n b neighbour show"), "");
}

pub(crate) fn nobody_answers_for_a_free_address(lab: Lab) {
    let (a, _b) = lab.pair();
    let started = Instant::now();
    let timeout = Duration::from_millis(300);
    assert_eq!(run(arp(&a, "eth0", "10.0.0.9".parse().unwrap(), timeout)), Ok(Vec::new()));
    assert!((300..2000).contains(&started.elapsed().as_millis()));
}

pub(crate) fn two_stations_with_one_address_both_answer(lab: Lab) {
    let a = lab.namespace("a");
    ip("-n a link add switch type bridge");
    ip("-n a link set switch address 02:00:00:00:00:0a up");
    for station in ["b", "c"] {
        lab.namespace(station);
        ip(&format!(
            "link add to-{station} netns a type veth \
             peer name eth0 netns {station} address 02:00:00:00:00:0{station}"
        ));
        ip(&format!("-n a link set to-{station} master switch up"));
        ip(&format!("-n {station} address add 10.0.0.2/24 dev eth0"));
        ip(&format!("-n {station} link set eth0 up"));
    }
    let answers = run(arp(&a, "switch", "10.0.0.2".parse().unwrap(), SOON)).unwrap();
    let mut answers: Vec<String> = answers.iter().map(ToString::to_string).collect();
    answers.sort();
    assert_eq!(answers, ["02:00:00:00:00:0b", "02:00:00:00:00:0c"]);
}

pub(crate) fn a_link_that_cannot_ask_is_refused_in_words(lab: Lab) {
    let (a, _b) = lab.pair();
    let told =
        |link: &str, address: &str| run(arp(&a, link, address.parse().unwrap(), SOON)).unwrap_err();
    assert_eq!(told("eth7", "10.0.0.2"), Error::Gone("link `eth7`".to_owned()));
    assert_eq!(told("lo", "10.0.0.2").to_string(), "link `lo` has no Ethernet addresses to ask");
    assert_eq!(
        told("eth0", "fd00::2").to_string(),
        "`fd00::2` isn't IPv4, the only one that ARP is for"
    );
    ip("-n a link set eth0 down");
    assert_eq!(
        told("eth0", "10.0.0.2").to_string(),
        "kernel refused `arping -I eth0 10.0.0.2`: ENETDOWN (Network is down)"
    );
}
