//! Frames of macvtaps, taps and tuns.

use std::net::{Ipv4Addr, UdpSocket};
use std::os::fd::AsFd;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use etherparse::{
    ArpEthIpv4Packet, ArpHardwareId, ArpOperation, ArpPacket, EtherType, Ethernet2Header,
    LinkSlice, SlicedPacket,
};
use netwright_linux::kernel::{Error, netns};
use netwright_linux::tap::{Options, Tap};

use crate::lab::{Lab, ip, run};
use crate::{Test, tests};

pub(crate) fn all() -> Vec<Test> {
    let mut all = tests![Root:
        tap::a_macvtap_asks_for_an_address_and_reads_the_reply,
        tap::a_frame_is_read_whole_with_and_without_its_header,
        tap::frames_of_9000_bytes_pass,
        tap::a_segment_larger_than_the_mtu_is_read_whole_with_its_header,
        tap::nothing_comes_within_the_time,
        tap::waiting_frames_come_at_once_and_no_more_than_asked_for,
        tap::two_macvtaps_with_one_index_open_the_right_ones,
        tap::taps_and_tuns_are_opened_by_queue,
        tap::what_is_no_tap_is_refused_in_words,
        tap::a_removed_link_is_gone,
        tap::frames_that_cannot_be_are_refused_before_any_is_sent,
    ];
    all.extend(tests![Nobody: tap::an_ordinary_user_is_told_the_remedy]);
    all
}

const OURS: [u8; 6] = [2, 0, 0, 0, 0, 0xaa];
const THEIRS: [u8; 6] = [2, 0, 0, 0, 0, 0xbb];
pub(crate) const PLAIN: Options = Options { vnet_header: false };
const WITH_HEADER: Options = Options { vnet_header: true };
const SOON: Duration = Duration::from_secs(2);

/// A macvtap in `a` over a link to `b`, which has 10.0.0.2 and knows our station 10.0.0.1.
fn macvtap(lab: &Lab, mtu: u32) -> (OwnedFd, OwnedFd) {
    let (a, b) = (lab.namespace("a"), lab.namespace("b"));
    ip(&format!(
        "link add parent netns a mtu {mtu} type veth \
         peer name eth0 netns b mtu {mtu} address 02:00:00:00:00:bb"
    ));
    ip("-n a link add link parent name mac0 address 02:00:00:00:00:aa type macvtap mode bridge");
    ip("-n b address add 10.0.0.2/24 dev eth0");
    // Multicast of the peer's IPv6 would come between the frames that a test waits for.
    for (namespace, link) in [("a", "parent"), ("b", "eth0"), ("a", "mac0")] {
        ip(&format!("-n {namespace} link set {link} addrgenmode none up"));
    }
    ip("-n b neighbour add 10.0.0.1 lladdr 02:00:00:00:00:aa dev eth0");
    (a, b)
}

pub(crate) fn open(
    lab: &Lab,
    namespace: &OwnedFd,
    link: &str,
    options: Options,
) -> Result<Tap, Error> {
    Tap::open(namespace, link, options, lab.opener.as_ref())
}

/// Sends a datagram of so many bytes from `b` to our station.
fn datagram(b: &OwnedFd, size: usize) {
    let socket = netns::within(b.as_fd(), || UdpSocket::bind("10.0.0.2:9000")).unwrap();
    let payload: Vec<u8> = (0..size).map(|n| n as u8).collect();
    socket.send_to(&payload, (Ipv4Addr::new(10, 0, 0, 1), 9001)).unwrap();
}

/// What a frame carries for our station from the other, as UDP.
fn payload(frame: &[u8]) -> Vec<u8> {
    let packet = SlicedPacket::from_ethernet(frame).unwrap();
    let Some(LinkSlice::Ethernet2(ethernet)) = packet.link else { panic!("no Ethernet header") };
    assert_eq!((ethernet.destination(), ethernet.source()), (OURS, THEIRS));
    match packet.transport {
        Some(etherparse::TransportSlice::Udp(datagram)) => datagram.payload().to_vec(),
        other => panic!("not a datagram: {other:?}"),
    }
}

fn expected(size: usize) -> Vec<u8> {
    (0..size).map(|n| n as u8).collect()
}

fn arp_request(target: [u8; 4]) -> Vec<u8> {
    let link = Ethernet2Header { source: OURS, destination: [0xff; 6], ether_type: EtherType::ARP };
    let packet: ArpPacket = ArpEthIpv4Packet {
        operation: ArpOperation::REQUEST,
        sender_mac: OURS,
        sender_ipv4: [10, 0, 0, 1],
        target_mac: [0; 6],
        target_ipv4: target,
    }
    .into();
    let mut frame = link.to_bytes().to_vec();
    frame.extend_from_slice(&packet.to_bytes());
    frame
}

pub(crate) fn a_macvtap_asks_for_an_address_and_reads_the_reply(lab: Lab) {
    let (a, _b) = macvtap(&lab, 1500);
    ip("-n b neighbour flush dev eth0 nud permanent");
    assert_eq!(ip("-n b neighbour show"), "");
    run(async {
        let mut tap = open(&lab, &a, "mac0", PLAIN).unwrap();
        assert_eq!(tap.send(&[arp_request([10, 0, 0, 2])]).await, Ok(1));
        let frames = tap.receive(8, SOON).await.unwrap();
        let (_, rest) = Ethernet2Header::from_slice(&frames[0]).unwrap();
        let reply = ArpPacket::from_slice(rest).unwrap();
        assert_eq!(reply.hw_addr_type, ArpHardwareId::ETHERNET);
        let reply = reply.try_eth_ipv4().unwrap();
        assert_eq!(reply.operation, ArpOperation::REPLY);
        assert_eq!((reply.sender_mac, reply.sender_ipv4), (THEIRS, [10, 0, 0, 2]));
        assert_eq!((reply.target_mac, reply.target_ipv4), (OURS, [10, 0, 0, 1]));
    });
    let neighbours = ip("-n b neighbour show 10.0.0.1");
    assert!(neighbours.contains("02:00:00:00:00:aa"), "{neighbours}");
}

pub(crate) fn a_frame_is_read_whole_with_and_without_its_header(lab: Lab) {
    let (a, b) = macvtap(&lab, 1500);
    run(async {
        let mut tap = open(&lab, &a, "mac0", PLAIN).unwrap();
        datagram(&b, 100);
        let frames = tap.receive(1, SOON).await.unwrap();
        assert_eq!(payload(&frames[0]), expected(100));
        drop(tap);
        let mut tap = open(&lab, &a, "mac0", WITH_HEADER).unwrap();
        datagram(&b, 100);
        let frames = tap.receive(1, SOON).await.unwrap();
        assert_eq!(frames[0].len(), 10 + 14 + 20 + 8 + 100);
        assert_eq!(payload(&frames[0][10..]), expected(100));
        // A header of zeros: nothing is left to the kernel.
        let mut frame = vec![0; 10];
        frame.extend(arp_request([10, 0, 0, 2]));
        assert_eq!(tap.send(&[frame]).await, Ok(1));
        let reply = tap.receive(1, SOON).await.unwrap();
        assert_eq!(ArpPacket::from_slice(&reply[0][24..]).unwrap().operation, ArpOperation::REPLY);
    });
}

pub(crate) fn frames_of_9000_bytes_pass(lab: Lab) {
    let (a, b) = macvtap(&lab, 9000);
    run(async {
        let mut tap = open(&lab, &a, "mac0", PLAIN).unwrap();
        datagram(&b, 9000 - 28);
        let frames = tap.receive(1, SOON).await.unwrap();
        assert_eq!(frames[0].len(), 9014);
        assert_eq!(payload(&frames[0]), expected(9000 - 28));
        // Back, as a datagram from us to them.
        let listening = netns::within(b.as_fd(), || UdpSocket::bind("10.0.0.2:9002")).unwrap();
        listening.set_read_timeout(Some(SOON)).unwrap();
        let mut frame = Vec::new();
        etherparse::PacketBuilder::ethernet2(OURS, THEIRS)
            .ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64)
            .udp(1, 9002)
            .write(&mut frame, &expected(9000 - 28))
            .unwrap();
        assert_eq!(tap.send(&[frame]).await, Ok(1));
        let mut buffer = vec![0; 10_000];
        let length = listening.recv(&mut buffer).unwrap();
        assert_eq!(buffer[..length], expected(9000 - 28));
    });
}

pub(crate) fn a_segment_larger_than_the_mtu_is_read_whole_with_its_header(lab: Lab) {
    let (a, b) = macvtap(&lab, 1500);
    // The kernel hands over one datagram to be cut by us (UDP_SEGMENT) only with the header.
    let send = || {
        let socket = netns::within(b.as_fd(), || UdpSocket::bind("10.0.0.2:9000")).unwrap();
        let socket = socket2::Socket::from(socket);
        nix::sys::socket::setsockopt(&socket, nix::sys::socket::sockopt::UdpGsoSegment, &1400)
            .unwrap();
        let to: std::net::SocketAddr = "10.0.0.1:9001".parse().unwrap();
        socket.send_to(&expected(44_800), &to.into()).unwrap();
    };
    run(async {
        let mut tap = open(&lab, &a, "mac0", WITH_HEADER).unwrap();
        send();
        let frames = tap.receive(100, SOON).await.unwrap();
        let bytes: usize = frames.iter().map(|frame| frame.len() - 52).sum();
        assert_eq!(bytes, 44_800);
        drop(tap);
        let mut tap = open(&lab, &a, "mac0", PLAIN).unwrap();
        send();
        let mut frames = Vec::new();
        while frames.len() < 32 {
            let more = tap.receive(100, SOON).await.unwrap();
            assert!(!more.is_empty(), "only {} came", frames.len());
            frames.extend(more);
        }
        assert!(frames.iter().all(|frame| frame.len() == 42 + 1400));
    });
}

pub(crate) fn nothing_comes_within_the_time(lab: Lab) {
    let (a, _b) = macvtap(&lab, 1500);
    run(async {
        let mut tap = open(&lab, &a, "mac0", PLAIN).unwrap();
        let started = Instant::now();
        assert_eq!(tap.receive(1, Duration::from_millis(150)).await, Ok(Vec::new()));
        let waited = started.elapsed();
        assert!((150..1000).contains(&waited.as_millis()), "{waited:?}");
        assert_eq!(tap.receive(1, Duration::ZERO).await, Ok(Vec::new()));
    });
}

pub(crate) fn waiting_frames_come_at_once_and_no_more_than_asked_for(lab: Lab) {
    let (a, b) = macvtap(&lab, 1500);
    run(async {
        let mut tap = open(&lab, &a, "mac0", PLAIN).unwrap();
        for size in [10, 20, 30, 40, 50] {
            datagram(&b, size);
        }
        let sizes = |frames: Vec<Vec<u8>>| -> Vec<usize> {
            frames.iter().map(|frame| payload(frame).len()).collect()
        };
        assert_eq!(tap.receive(0, SOON).await, Ok(Vec::new()));
        assert_eq!(sizes(tap.receive(3, SOON).await.unwrap()), [10, 20, 30]);
        let started = Instant::now();
        assert_eq!(sizes(tap.receive(100, SOON).await.unwrap()), [40, 50]);
        assert!(started.elapsed() < SOON);
    });
}

pub(crate) fn two_macvtaps_with_one_index_open_the_right_ones(lab: Lab) {
    let stations = [("a", [2, 0, 0, 0, 0, 0xa]), ("b", [2, 0, 0, 0, 0, 0xb])];
    let namespaces = stations.map(|(name, _)| lab.namespace(name));
    for (name, [.., last]) in stations {
        ip(&format!(
            "-n {name} link add parent index 70 type veth \
             peer name out index 71 address 02:00:00:00:00:{last:02x}"
        ));
        ip(&format!(
            "-n {name} link add link parent index 77 name mac0 \
             address 02:00:00:00:00:aa type macvtap"
        ));
        ip(&format!("-n {name} address add 10.0.0.2/24 dev out"));
        for link in ["out", "parent", "mac0"] {
            ip(&format!("-n {name} link set {link} addrgenmode none up"));
        }
    }
    run(async {
        let mut taps =
            namespaces.each_ref().map(|namespace| open(&lab, namespace, "mac0", PLAIN).unwrap());
        for (tap, (name, station)) in taps.iter_mut().zip(stations) {
            assert_eq!(tap.send(&[arp_request([10, 0, 0, 2])]).await, Ok(1));
            let frames = tap.receive(1, SOON).await.unwrap();
            let reply = ArpPacket::from_slice(&frames[0][14..]).unwrap().try_eth_ipv4().unwrap();
            assert_eq!(reply.sender_mac, station, "the station of {name}");
        }
        // And no frame of one came to the other.
        for tap in &mut taps {
            assert_eq!(tap.receive(1, Duration::from_millis(20)).await, Ok(Vec::new()));
        }
    });
}

/// Waits until the kernel sends on a tap in `a` that was just opened: its queues start in the
/// background (net/core/link_watch.c).
fn running(link: &str) {
    while !ip(&format!("-n a link show dev {link}")).contains("LOWER_UP") {
        std::thread::sleep(Duration::from_millis(10));
    }
    while ip(&format!("-n a link show dev {link}")).contains("state DOWN") {
        std::thread::sleep(Duration::from_millis(10));
    }
}

pub(crate) fn taps_and_tuns_are_opened_by_queue(lab: Lab) {
    let a = lab.namespace("a");
    for (name, kind) in
        [("tap0", "mode tap"), ("tap1", "mode tap multi_queue"), ("tun0", "mode tun")]
    {
        ip(&format!("-n a tuntap add {name} {kind}"));
        ip(&format!("-n a link set {name} addrgenmode none up"));
    }
    ip("-n a address add 10.0.0.2/24 dev tap0");
    ip("-n a address add 10.1.0.2/24 dev tun0");
    run(async {
        let mut tap = open(&lab, &a, "tap0", PLAIN).unwrap();
        running("tap0");
        assert_eq!(tap.send(&[arp_request([10, 0, 0, 2])]).await, Ok(1));
        let frames = tap.receive(1, SOON).await.unwrap();
        assert_eq!(ArpPacket::from_slice(&frames[0][14..]).unwrap().operation, ArpOperation::REPLY);
        let busy = open(&lab, &a, "tap0", PLAIN).unwrap_err();
        assert_eq!(
            busy.to_string(),
            "kernel refused `open tap tap0`: EBUSY (Device or resource busy)"
        );
        let _queues = [
            open(&lab, &a, "tap1", WITH_HEADER).unwrap(),
            open(&lab, &a, "tap1", WITH_HEADER).unwrap(),
        ];

        let mut tun = open(&lab, &a, "tun0", PLAIN).unwrap();
        running("tun0");
        let mut packet = Vec::new();
        etherparse::PacketBuilder::ipv4([10, 1, 0, 9], [10, 1, 0, 2], 64)
            .icmpv4_echo_request(1, 2)
            .write(&mut packet, b"hello")
            .unwrap();
        assert_eq!(tun.send(&[packet]).await, Ok(1));
        let packets = tun.receive(1, SOON).await.unwrap();
        let reply = SlicedPacket::from_ip(&packets[0]).unwrap();
        assert!(matches!(reply.transport, Some(etherparse::TransportSlice::Icmpv4(_))));
    });
}

pub(crate) fn what_is_no_tap_is_refused_in_words(lab: Lab) {
    let (a, _b) = lab.pair();
    run(async {
        let told = |link: &str| open(&lab, &a, link, PLAIN).unwrap_err();
        assert_eq!(
            told("eth0").to_string(),
            "link `eth0` has no frames to open: only a macvtap, ipvtap, tun or tap has"
        );
        assert_eq!(told("eth7"), Error::Gone("link `eth7`".to_owned()));
        assert_eq!(told("../net").to_string(), "`../net` can't be the name of a link");
    });
}

pub(crate) fn a_removed_link_is_gone(lab: Lab) {
    let (a, _b) = macvtap(&lab, 1500);
    ip("-n a tuntap add tap0 mode tap");
    run(async {
        for link in ["mac0", "tap0"] {
            let mut tap = open(&lab, &a, link, PLAIN).unwrap();
            ip(&format!("-n a link delete {link}"));
            let gone = Error::Gone(format!("link `{link}`"));
            assert_eq!(tap.receive(1, Duration::from_millis(20)).await, Err(gone.clone()));
            assert_eq!(tap.send(&[arp_request([10, 0, 0, 2])]).await, Err(gone));
        }
    });
}

pub(crate) fn frames_that_cannot_be_are_refused_before_any_is_sent(lab: Lab) {
    let a = lab.namespace("a");
    ip("-n a tuntap add tap0 mode tap");
    run(async {
        let tap = open(&lab, &a, "tap0", PLAIN).unwrap();
        let short = tap.send(&[arp_request([10, 0, 0, 2]), vec![0; 13]]).await.unwrap_err();
        assert_eq!(short.to_string(), "frame 2 has 13 bytes; `tap0` takes 14 to 65567");
        assert!(matches!(tap.send(&[vec![0; 65_568]]).await, Err(Error::Invalid(_))));
        let down = tap.send(&[arp_request([10, 0, 0, 2])]).await.unwrap_err();
        assert_eq!(
            down.to_string(),
            "kernel refused `send to tap tap0`: EIO (Input/output error)\n  help: set link `tap0` up"
        );
    });
}

pub(crate) fn an_ordinary_user_is_told_the_remedy(lab: Lab) {
    assert!(lab.opener.is_none());
    let (a, _b) = macvtap(&lab, 1500);
    run(async {
        let refused = open(&lab, &a, "mac0", PLAIN).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "not supported here: the character device of `mac0` belongs to the machine's root\n  \
             help: run netwright as root, or use a tap in place of the macvtap"
        );
    });
}
