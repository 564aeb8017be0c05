//! Which frames a filter means, on frames built by another library's builder.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use etherparse::{
    ArpEthIpv4Packet, ArpOperation, ArpPacket, EtherType, Ethernet2Header, PacketBuilder, VlanId,
};
use netwright_frames::{Direction, Filter, KEYS, Layer, PROTOCOLS, Packet};

const HERE: [u8; 6] = [2, 0, 0, 0, 0, 1];
const THERE: [u8; 6] = [2, 0, 0, 0, 0, 2];

fn written<F: FnOnce(&mut Vec<u8>)>(write: F) -> Vec<u8> {
    let mut frame = Vec::new();
    write(&mut frame);
    frame
}

fn echo() -> Vec<u8> {
    let builder = PacketBuilder::ethernet2(HERE, THERE)
        .ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64)
        .icmpv4_echo_request(1, 1);
    written(|frame| builder.write(frame, &[0; 56]).unwrap())
}

fn tagged_udp() -> Vec<u8> {
    let builder = PacketBuilder::ethernet2(HERE, THERE)
        .single_vlan(VlanId::try_new(200).unwrap())
        .ipv6([0xfd; 16], [0xfc; 16], 64)
        .udp(1000, 53);
    written(|frame| builder.write(frame, b"question").unwrap())
}

fn request() -> Vec<u8> {
    let header =
        Ethernet2Header { source: HERE, destination: [0xff; 6], ether_type: EtherType::ARP };
    let packet = ArpPacket::from(ArpEthIpv4Packet {
        operation: ArpOperation::REQUEST,
        sender_mac: HERE,
        sender_ipv4: [10, 0, 0, 1],
        target_mac: [0; 6],
        target_ipv4: [10, 0, 0, 2],
    });
    [&header.to_bytes()[..], &packet.to_bytes()].concat()
}

#[track_caller]
fn matches(frame: &[u8], conditions: &[(&str, &str)]) -> bool {
    let packet = Packet::read(frame, Layer::Ethernet, Direction::Incoming);
    Filter::of(conditions.iter().copied()).unwrap().matches(&packet)
}

#[test]
fn an_empty_filter_means_every_frame() {
    for frame in [echo(), tagged_udp(), request(), vec![0; 14], Vec::new()] {
        assert!(matches(&frame, &[]));
    }
}

#[test]
fn each_protocol_means_its_own_frames() {
    let of = |frame: &[u8]| {
        let is = |word: &&&str| matches(frame, &[("protocol", word)]);
        PROTOCOLS.iter().filter(is).copied().collect::<Vec<_>>()
    };
    assert_eq!(of(&echo()), ["icmp", "ipv4"]);
    assert_eq!(of(&tagged_udp()), ["ipv6", "udp"]);
    assert_eq!(of(&request()), ["arp"]);
    assert_eq!(of(&[0; 14]), [""; 0]);
}

#[test]
fn all_conditions_must_hold() {
    let both = [("protocol", "icmp"), ("destination", "10.0.0.2")];
    assert!(matches(&echo(), &both));
    assert!(!matches(&echo(), &[("protocol", "icmp"), ("destination", "10.0.0.1")]));
    assert!(matches(&echo(), &[("source", "10.0.0.0/30"), ("destination", "10.0.0.0/30")]));
    assert!(!matches(&echo(), &[("source", "10.0.1.0/24")]));
}

#[test]
fn arp_has_the_addresses_of_sender_and_target() {
    assert!(matches(&request(), &[("source", "10.0.0.1"), ("destination", "10.0.0.2")]));
    assert!(!matches(&request(), &[("source", "10.0.0.2")]));
}

#[test]
fn a_tag_is_told_from_none() {
    assert!(matches(&tagged_udp(), &[("vlan", "200")]));
    assert!(!matches(&tagged_udp(), &[("vlan", "100")]));
    assert!(!matches(&tagged_udp(), &[("vlan", "none")]));
    assert!(matches(&echo(), &[("vlan", "none")]));
    assert!(!matches(&echo(), &[("vlan", "0")]));
}

#[test]
fn ports_are_those_of_either_end_or_one() {
    for (conditions, expected) in [
        ([("port", "53")], true),
        ([("port", "1000")], true),
        ([("source-port", "53")], false),
        ([("destination-port", "53")], true),
        ([("source-port", "1000")], true),
    ] {
        assert_eq!(matches(&tagged_udp(), &conditions), expected, "{conditions:?}");
    }
    assert!(!matches(&echo(), &[("port", "1")]));
}

#[test]
fn stations_and_directions_are_told_apart() {
    assert!(matches(&echo(), &[("source-mac", "02:00:00:00:00:01")]));
    assert!(!matches(&echo(), &[("destination-mac", "02:00:00:00:00:01")]));
    assert!(matches(&request(), &[("destination-mac", "ff:ff:ff:ff:ff:ff")]));
    assert!(matches(&echo(), &[("direction", "incoming")]));
    assert!(!matches(&echo(), &[("direction", "outgoing")]));
}

#[test]
fn a_cut_frame_says_what_is_left_of_it() {
    let whole = echo();
    assert!(matches(&whole[..40], &[("protocol", "icmp"), ("source", "10.0.0.1")]));
    assert!(matches(&whole[..20], &[("protocol", "ipv4")]));
    assert!(!matches(&whole[..20], &[("protocol", "icmp")]));
}

#[test]
fn a_packet_without_ethernet_is_read_too() {
    let frame = echo();
    let packet = Packet::read(&frame[14..], Layer::Ip, Direction::Outgoing);
    assert!(Filter::of([("protocol", "icmp"), ("source", "10.0.0.1")]).unwrap().matches(&packet));
    assert!(!Filter::of([("source-mac", "02:00:00:00:00:01")]).unwrap().matches(&packet));
}

#[test]
fn wrong_values_are_refused_with_the_rule() {
    let refused = |key: &str, value: &str| Filter::default().set(key, value).unwrap_err();
    assert_eq!(
        refused("protocol", "icmpv6"),
        "unknown protocol `icmpv6`; there are arp, icmp, icmp6, ipv4, ipv6, tcp, udp\n  help: write icmp6"
    );
    assert!(refused("vlan", "4095").starts_with("`4095` is not the id of a VLAN; 0 to 4094"));
    assert!(refused("port", "0").ends_with("1 to 65535 are possible"));
    assert!(refused("source", "10.0.0").starts_with("`10.0.0` is neither an IP address nor"));
    assert!(refused("host", "10.0.0.1").starts_with("a filter of frames has no `host`\n  help: "));
    for (key, _) in KEYS {
        assert!(!refused(key, "?").contains("has no"), "{key}");
    }
}

#[test]
fn what_no_frame_can_be_is_a_contradiction() {
    let of = |conditions: [(&'static str, &'static str); 2]| {
        Filter::of(conditions).unwrap().contradiction()
    };
    let no = |text: &str| Some(text.to_owned());
    assert_eq!(of([("protocol", "arp"), ("port", "53")]), no("no arp frame has a port"));
    assert_eq!(
        of([("protocol", "icmp6"), ("source", "10.0.0.1")]),
        no("no icmp6 frame has an IPv4 address")
    );
    assert_eq!(of([("protocol", "tcp"), ("source", "10.0.0.1")]), None);
}

#[test]
fn a_filter_is_shown_in_its_words() {
    let filter = Filter::of([("destination", "10.0.0.2"), ("protocol", "icmp"), ("vlan", "none")]);
    assert_eq!(filter.unwrap().to_string(), "icmp, untagged, destination 10.0.0.2");
    assert_eq!(Filter::default().to_string(), "");
}
