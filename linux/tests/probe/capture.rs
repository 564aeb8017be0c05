//! Every frame that passes a link.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use netwright_frames::Filter;
use netwright_linux::capture::{Capture, Frame, Of, Room};
use netwright_linux::kernel::Error;
use netwright_linux::probe::{Options, ping};
use netwright_linux::tap::{self, Tap};

use crate::lab::{Lab, ip, run};
use crate::{Test, tests};

pub(crate) fn all() -> Vec<Test> {
    let mut all = tests![Root:
        capture::as_many_frames_are_seen_as_the_link_counts_from_its_first_on,
        capture::a_link_that_comes_later_is_captured_by_its_name_alone,
        capture::a_tag_that_the_kernel_took_out_is_put_back,
        capture::a_snap_length_cuts_frames_and_keeps_their_length,
        capture::a_flood_stays_within_the_memory_and_is_told,
        capture::an_ended_capture_gives_its_memory_back,
        capture::wrong_lengths_and_names_are_refused,
    ];
    all.extend(tests![Nobody: capture::an_ordinary_user_captures_in_a_lab]);
    all
}

fn room() -> Arc<Room> {
    Room::new(16 << 20)
}

fn index(namespace: &str, link: &str) -> u32 {
    let shown = ip(&format!("-n {namespace} -o link show dev {link}"));
    shown.split(':').next().unwrap().parse().unwrap()
}

fn start(namespace: &OwnedFd, index: u32) -> Capture {
    Capture::start(namespace, Of::Index(index), None, &room()).unwrap()
}

async fn frames(capture: &Capture, conditions: &[(&str, &str)]) -> Vec<Frame> {
    let filter = Filter::of(conditions.iter().copied()).unwrap();
    capture.frames(&filter, 0, 1000, Duration::ZERO).await.unwrap()
}

/// Frames received and sent by a link, as iproute2 tells.
fn counted(namespace: &str, link: &str) -> u64 {
    let shown = ip(&format!("-n {namespace} -s -o link show dev {link}"));
    let of = |word: &str| -> u64 {
        let behind = shown.split(word).nth(1).unwrap();
        let numbers = behind.split('\\').nth(1).unwrap();
        numbers.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    of("RX:") + of("TX:")
}

/// Two namespaces with a cable that nobody has plugged in.
fn dark_pair(lab: &Lab) -> (OwnedFd, OwnedFd) {
    let (a, b) = (lab.namespace("a"), lab.namespace("b"));
    ip("link add eth0 netns a address 02:00:00:00:00:0a type veth \
        peer name eth0 netns b address 02:00:00:00:00:0b");
    (a, b)
}

fn plug_in() {
    for (namespace, station) in [("a", 1), ("b", 2)] {
        ip(&format!("-n {namespace} address add 10.0.0.{station}/24 dev eth0"));
        ip(&format!("-n {namespace} link set eth0 up"));
    }
}

pub(crate) fn as_many_frames_are_seen_as_the_link_counts_from_its_first_on(lab: Lab) {
    let (a, _b) = dark_pair(&lab);
    run(async {
        let capture = start(&a, index("a", "eth0"));
        plug_in();
        let echo = ping(&a, "10.0.0.2".parse().unwrap(), &Options::default()).await.unwrap();
        assert!(echo.received > 0);
        ip("-n a link set eth0 down");
        assert_eq!(capture.counters().frames, counted("a", "eth0"));
        let requests = frames(&capture, &[("protocol", "arp"), ("direction", "outgoing")]).await;
        assert_eq!(requests[0].data[..6], [0xff; 6]);
        assert_eq!(requests[0].length, 42);
        let replies = [("protocol", "icmp"), ("source", "10.0.0.2"), ("direction", "incoming")];
        assert_eq!(frames(&capture, &replies).await.len(), echo.received as usize);
        let sent = [("protocol", "icmp"), ("source", "10.0.0.1"), ("direction", "incoming")];
        assert_eq!(frames(&capture, &sent).await.len(), 0);
    });
}

pub(crate) fn an_ordinary_user_captures_in_a_lab(lab: Lab) {
    as_many_frames_are_seen_as_the_link_counts_from_its_first_on(lab);
}

pub(crate) fn a_link_that_comes_later_is_captured_by_its_name_alone(lab: Lab) {
    let a = lab.namespace("a");
    run(async {
        let capture = Capture::start(&a, Of::Name("eth0".to_owned()), None, &room()).unwrap();
        lab.namespace("b");
        ip("link add eth0 netns a type veth peer name eth0 netns b");
        ip("link add eth1 netns a type veth peer name eth1 netns b");
        for link in ["eth0", "eth1"] {
            ip(&format!("-n a link set {link} up"));
            ip(&format!("-n b link set {link} up"));
        }
        ip("-n a address add 10.0.0.1/24 dev eth0");
        ip("-n b address add 10.0.0.2/24 dev eth0");
        ip("-n a address add 10.1.0.1/24 dev eth1");
        ip("-n b address add 10.1.0.2/24 dev eth1");
        for address in ["10.0.0.2", "10.1.0.2"] {
            ping(&a, address.parse().unwrap(), &Options::default()).await.unwrap();
        }
        ip("-n a link set eth0 down");
        assert_eq!(capture.counters().frames, counted("a", "eth0"));
        assert!(counted("a", "eth1") > 0, "the other link was as busy");
    });
}

/// A tap with a station at its end that isn't there: what is sent by it is received by the link.
async fn tap(lab: &Lab) -> (OwnedFd, Tap) {
    let namespace = lab.namespace("a");
    ip("-n a tuntap add tap0 mode tap");
    let tap = Tap::open(&namespace, "tap0", tap::Options::default(), None).unwrap();
    ip("-n a link set tap0 up");
    (namespace, tap)
}

fn frame(kind: &[u8], length: usize) -> Vec<u8> {
    let mut frame = [&[2, 0, 0, 0, 0, 9][..], &[2, 0, 0, 0, 0, 8], kind].concat();
    frame.resize(length, 0x55);
    frame
}

pub(crate) fn a_tag_that_the_kernel_took_out_is_put_back(lab: Lab) {
    run(async {
        let (namespace, tap) = tap(&lab).await;
        let capture = start(&namespace, index("a", "tap0"));
        let tagged = frame(&[0x81, 0, 0x60, 200, 0x88, 0xb5], 100);
        let service = frame(&[0x88, 0xa8, 0, 100, 0x88, 0xb5], 100);
        tap.send(&[tagged.clone(), service.clone(), frame(&[0x88, 0xb5], 100)]).await.unwrap();
        let with_tag = frames(&capture, &[("vlan", "200")]).await;
        assert_eq!((with_tag[0].data.to_vec(), with_tag[0].length), (tagged, 100));
        let with_tag = frames(&capture, &[("vlan", "100")]).await;
        assert_eq!(with_tag[0].data.to_vec(), service);
        let from = ("source-mac", "02:00:00:00:00:08");
        assert_eq!(frames(&capture, &[("vlan", "none"), from]).await.len(), 1);
        assert_eq!(frames(&capture, &[from]).await.len(), 3);
    });
}

pub(crate) fn a_snap_length_cuts_frames_and_keeps_their_length(lab: Lab) {
    run(async {
        let (namespace, tap) = tap(&lab).await;
        let of = Of::Index(index("a", "tap0"));
        let capture = Capture::start(&namespace, of, Some(64), &room()).unwrap();
        let long = frame(&[0x88, 0xb5], 1400);
        tap.send(std::slice::from_ref(&long)).await.unwrap();
        let seen = frames(&capture, &[("source-mac", "02:00:00:00:00:08")]).await;
        assert_eq!((seen[0].data.to_vec(), seen[0].length), (long[..64].to_vec(), 1400));
    });
}

pub(crate) fn a_flood_stays_within_the_memory_and_is_told(lab: Lab) {
    run(async {
        let (namespace, tap) = tap(&lab).await;
        let of = Of::Index(index("a", "tap0"));
        let capture = Capture::start(&namespace, of, None, &Room::new(256 << 10)).unwrap();
        let many = vec![frame(&[0x88, 0xb5], 1000); 1000];
        for _ in 0..5 {
            assert_eq!(tap.send(&many).await.unwrap(), 1000);
        }
        let counters = capture.counters();
        assert!(counters.bytes <= 256 << 10, "{counters:?}");
        assert!(counters.frames > 200 && counters.beyond_limit > 0, "{counters:?}");
        let told = counters.frames + counters.beyond_limit + counters.dropped;
        assert!(told >= 5000, "{counters:?}");
        let all = Filter::default();
        let kept = usize::try_from(counters.frames).unwrap();
        let given = capture.frames(&all, kept - 1, 10, Duration::ZERO).await.unwrap();
        assert_eq!(given.len(), 1);
        let error = capture.frames(&all, kept, 10, Duration::from_secs(60)).await.unwrap_err();
        let sentence = format!("the limit of captured bytes was reached after {kept} frames");
        assert!(matches!(&error, Error::Limit(which) if which.starts_with(&sentence)), "{error}");
    });
}

pub(crate) fn an_ended_capture_gives_its_memory_back(lab: Lab) {
    run(async {
        let (namespace, tap) = tap(&lab).await;
        let index = index("a", "tap0");
        let room = Room::new(64 << 10);
        for _ in 0..3 {
            let capture = Capture::start(&namespace, Of::Index(index), None, &room).unwrap();
            tap.send(&vec![frame(&[0x88, 0xb5], 1000); 40]).await.unwrap();
            assert_eq!(frames(&capture, &[("source-mac", "02:00:00:00:00:08")]).await.len(), 40);
            assert_eq!(capture.counters().beyond_limit, 0);
        }
    });
}

pub(crate) fn wrong_lengths_and_names_are_refused(lab: Lab) {
    let namespace = lab.namespace("a");
    let refused = |of: Of, snap_length: u32| {
        Capture::start(&namespace, of, Some(snap_length), &room()).unwrap_err().to_string()
    };
    assert!(refused(Of::Index(1), 63).contains("64 to 262144 are possible"));
    assert!(refused(Of::Index(1), 262_145).contains("64 to 262144 are possible"));
    assert!(refused(Of::Name("a/b".to_owned()), 64).contains("can't be the name of a link"));
}
