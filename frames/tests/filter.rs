//! Which frames a filter means, on frames built by another library's builder.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use etherparse::{
    ArpEthIpv4Packet, ArpOperation, ArpPacket, EtherType, Ethernet2Header, IpNumber, PacketBuilder,
    VlanId,
};
use netwright_frames::{
    Datagrams, Direction, Filter, Frame, KEYS, Layer, Open, PROTOCOLS, Packet, Verdict,
};

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
    judge(frame, frame.len(), conditions) == Verdict::Meant
}

/// What a filter says to a frame of so many bytes, of which the first ones were kept.
#[track_caller]
fn judge(kept: &[u8], length: usize, conditions: &[(&str, &str)]) -> Verdict {
    let packet = Packet::read(&frame(kept, length));
    Filter::of(conditions.iter().copied()).unwrap().judge(&packet)
}

fn frame(kept: &[u8], length: usize) -> Frame<'_> {
    let length = u32::try_from(length).unwrap();
    Frame { data: kept, length, layer: Layer::Ethernet, direction: Direction::Incoming }
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

/// What is cut off is neither so nor not so.
#[test]
fn a_cut_frame_says_what_is_left_of_it() {
    const OPEN: Verdict = Verdict::Open(Open::Cut);
    let whole = echo();
    let cut = |at: usize, conditions: &[(&str, &str)]| {
        let all = judge(&whole, whole.len(), conditions);
        let kept = judge(&whole[..at], whole.len(), conditions);
        assert!(kept == OPEN || kept == all, "{at}: {conditions:?}: {kept:?}, whole: {all:?}");
        kept
    };
    assert_eq!(cut(40, &[("protocol", "icmp"), ("source", "10.0.0.1")]), Verdict::Meant);
    assert_eq!(cut(20, &[("protocol", "ipv4")]), Verdict::Meant);
    assert_eq!(cut(20, &[("protocol", "icmp")]), OPEN);
    assert_eq!(cut(20, &[("protocol", "icmp"), ("vlan", "5")]), Verdict::Other);
    assert_eq!(cut(13, &[("vlan", "none")]), OPEN);
    assert_eq!(cut(8, &[("source-mac", "02:00:00:00:00:01")]), OPEN);
    assert_eq!(cut(30, &[("destination", "10.0.0.2")]), OPEN);
    // The frame itself ended there.
    assert_eq!(judge(&whole[..20], 20, &[("protocol", "icmp")]), Verdict::Other);
    // However much of whatever frame is kept, nothing is said that the whole one doesn't say.
    let every = |key: &str| match key {
        "protocol" => PROTOCOLS.to_vec(),
        "vlan" => vec!["none", "200", "0"],
        "direction" => vec!["incoming", "outgoing"],
        "source-mac" | "destination-mac" => vec!["02:00:00:00:00:01", "02:00:00:00:00:02"],
        "source" | "destination" => vec!["10.0.0.1", "10.0.0.2", "fd00::/8", "fc00::/8"],
        _ => vec!["53", "1000", "80"],
    };
    for whole in [echo(), tagged_udp(), request(), syn(false), syn(true)] {
        for (key, _) in KEYS {
            for value in every(key) {
                let all = judge(&whole, whole.len(), &[(key, value)]);
                for at in 0..whole.len() {
                    let kept = judge(&whole[..at], whole.len(), &[(key, value)]);
                    assert!(kept == OPEN || kept == all, "{at} bytes: {key} {value}: {kept:?}");
                }
            }
        }
    }
}

fn syn(ipv6: bool) -> Vec<u8> {
    let ethernet = PacketBuilder::ethernet2(HERE, THERE);
    let ip = match ipv6 {
        true => ethernet.ipv6([0xfd; 16], [0xfc; 16], 64),
        false => ethernet.ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64),
    };
    let options = [const { etherparse::TcpOptionElement::Timestamp(1, 2) }; 3];
    let builder = ip.tcp(1000, 80, 0, 1000).syn().options(&options).unwrap();
    written(|frame| builder.write(frame, &[]).unwrap())
}

/// The header has options that a short snap length cuts, and the ports in front of them.
#[test]
fn ports_are_read_without_the_rest_of_their_header() {
    for (frame, ports) in [(syn(false), 34), (syn(true), 54)] {
        let filter = [("protocol", "tcp"), ("destination-port", "80")];
        assert_eq!(judge(&frame[..ports + 4], frame.len(), &filter), Verdict::Meant);
        assert_eq!(judge(&frame[..64], frame.len(), &filter), Verdict::Meant);
        assert_eq!(judge(&frame[..64], frame.len(), &[("port", "81")]), Verdict::Other);
        assert_eq!(judge(&frame[..ports + 3], frame.len(), &filter), Verdict::Open(Open::Cut));
    }
    // SCTP, RFC 9260, has its ports there as well.
    let mut association = syn(false);
    association[23] = 132;
    assert!(matches(&association, &[("source-port", "1000"), ("port", "80")]));
}

/// Padding of short frames is nothing of the packet's.
#[test]
fn ports_are_not_read_from_padding() {
    let builder = PacketBuilder::ethernet2(HERE, THERE).ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64);
    let mut frame = written(|frame| builder.write(frame, IpNumber::UDP, &[]).unwrap());
    frame.extend([0, 80, 0, 80]);
    frame.resize(60, 0);
    assert!(matches(&frame, &[("protocol", "udp")]));
    assert!(!matches(&frame, &[("port", "80")]));
}

/// A fragment of a datagram of UDP to port 5001, at a position in units of 8 bytes.
fn fragment(ipv6: bool, id: u16, position: u16, more: bool) -> Vec<u8> {
    let mut payload = vec![0; 64];
    if position == 0 {
        payload[..4].copy_from_slice(&[0x04, 0x00, 0x13, 0x89]);
    }
    let mut frame = [&THERE[..], &HERE].concat();
    if ipv6 {
        frame.extend([0x86, 0xdd, 0x60, 0, 0, 0, 0, 80, 60, 64]);
        frame.extend([[0xfd; 16], [0xfc; 16]].concat());
        // Options of the destination stand in front of the fragment header.
        frame.extend([44, 0, 1, 4, 0, 0, 0, 0]);
        let flags = (position << 3 | u16::from(more)).to_be_bytes();
        frame.extend([17, 0, flags[0], flags[1], 0, 0]);
        frame.extend(id.to_be_bytes());
    } else {
        let flags = (position | u16::from(more) << 13).to_be_bytes();
        let id = id.to_be_bytes();
        frame.extend([0x08, 0x00, 0x45, 0, 0, 84, id[0], id[1], flags[0], flags[1], 64, 17, 0, 0]);
        frame.extend([10, 0, 0, 1, 10, 0, 0, 2]);
    }
    [frame, payload].concat()
}

/// What a filter says to each frame of a capture.
fn judge_all(frames: &[Vec<u8>], conditions: &[(&str, &str)]) -> Vec<Verdict> {
    let filter = Filter::of(conditions.iter().copied()).unwrap();
    let mut datagrams = Datagrams::default();
    let read: Vec<_> = frames.iter().map(|data| Packet::read(&frame(data, data.len()))).collect();
    for (place, packet) in read.iter().enumerate() {
        datagrams.note(place, packet);
    }
    let all = read.into_iter().enumerate();
    all.map(|(place, packet)| filter.judge(&datagrams.complete(place, packet))).collect()
}

#[test]
fn fragments_have_the_ports_of_their_datagram() {
    use Verdict::{Meant, Other};
    for ipv6 in [false, true] {
        let of = |id, position, more| fragment(ipv6, id, position, more);
        let (first, middle, last) = (of(7, 0, true), of(7, 8, true), of(7, 16, false));
        let port = [("protocol", "udp"), ("destination-port", "5001")];
        for frames in [
            [first.clone(), middle.clone(), last.clone()],
            // They overtake each other.
            [last.clone(), middle.clone(), first.clone()],
        ] {
            assert_eq!(judge_all(&frames, &port), [Meant; 3]);
            assert_eq!(judge_all(&frames, &[("source-port", "5001")]), [Other; 3]);
            assert_eq!(judge_all(&frames, &[("port", "80")]), [Other; 3]);
        }
        // Those of another datagram say nothing.
        let open = Verdict::Open(Open::Fragment);
        let strange = [first.clone(), of(8, 8, true), of(8, 16, false)];
        assert_eq!(judge_all(&strange, &port), [Meant, open, open]);
        assert_eq!(judge_all(&strange, &[("protocol", "udp")]), [Meant; 3]);
        assert_eq!(judge_all(&strange, &[("port", "80")]), [Other, open, open]);
        assert_eq!(judge_all(&strange, &[("port", "80"), ("vlan", "1")]), [Other; 3]);
        // An id that comes again: the last first fragment counts.
        let mut other = of(7, 0, true);
        let ports = other.len() - 64;
        other[ports + 2..ports + 4].copy_from_slice(&[0, 80]);
        let again = [first, last.clone(), other, last];
        assert_eq!(judge_all(&again, &port), [Meant, Meant, Other, Other]);
    }
    // One that is whole has its own.
    assert_eq!(judge_all(&[fragment(true, 7, 0, false)], &[("port", "5001")]), [Meant]);
}

#[test]
fn a_packet_without_ethernet_is_read_too() {
    let frame = echo();
    let (layer, direction) = (Layer::Ip, Direction::Outgoing);
    let packet = Packet::read(&Frame { data: &frame[14..], length: 84, layer, direction });
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
