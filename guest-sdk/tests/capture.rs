//! Recipes that look at frames, tested without a network.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use netwright_sdk::prelude::*;
use netwright_sdk::testing::MemoryHost;
use netwright_sdk::wit::captures::Direction;

/// An ARP request of 10.0.0.1 for 10.0.0.2, RFC 826.
fn request() -> Vec<u8> {
    let ethernet = [&[0xff; 6][..], &[2, 0, 0, 0, 0, 1], &[8, 6]].concat();
    let head = [0, 1, 8, 0, 6, 4, 0, 1];
    let stations = [&[2, 0, 0, 0, 0, 1][..], &[10, 0, 0, 1], &[0; 6], &[10, 0, 0, 2]].concat();
    [ethernet, head.to_vec(), stations].concat()
}

fn switch(host: &MemoryHost) -> Capture {
    let lab = Lab::open().unwrap();
    lab.namespace("switch").unwrap().veth("switch0").peer("far0").create().unwrap();
    host.pass("switch/switch0", Direction::Incoming, request());
    host.pass("switch/switch0", Direction::Outgoing, request());
    host.pass("switch/far0", Direction::Incoming, request());
    lab.in_namespace("switch").unwrap().capture("switch0").start().unwrap()
}

#[test]
fn a_capture_gives_the_frames_of_its_link_that_a_filter_means() {
    let host = MemoryHost::new();
    let capture = switch(&host);
    let count = |filter: FrameFilter| capture.frames(&filter).unwrap().len();
    assert_eq!(count(FrameFilter::all()), 2);
    assert_eq!(count(FrameFilter::arp().destination("10.0.0.2").untagged()), 2);
    assert_eq!(count(FrameFilter::arp().outgoing()), 1);
    assert_eq!(count(FrameFilter::icmp()), 0);
    assert_eq!(capture.counters().unwrap().frames, 2);
}

#[test]
fn the_first_frame_is_given_with_what_is_known_of_it() {
    let host = MemoryHost::new();
    let capture = switch(&host);
    let frame = capture.first(&FrameFilter::arp(), Duration::from_secs(1)).unwrap().unwrap();
    assert_eq!((frame.direction, frame.length), (Direction::Incoming, 42));
    assert_eq!(frame.data, request());
}

#[test]
fn a_link_that_is_missing_and_a_filter_that_is_wrong_are_refused() {
    let host = MemoryHost::new();
    let lab = Lab::open().unwrap();
    assert!(lab.capture("eth7").start().is_err());
    let error = switch(&host).frames(&FrameFilter::all().source("10.0.0")).unwrap_err();
    assert!(error.to_string().contains("neither an IP address nor a prefix"), "{error}");
}
