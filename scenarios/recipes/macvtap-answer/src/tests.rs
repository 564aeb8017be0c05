//! The recipe against the in-memory host, and its station against frames written out in full.

use netwright_sdk::testing::MemoryHost;
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{
    ArpOperation, ArpPacket, ArpRepr, EthernetAddress, EthernetFrame, EthernetProtocol,
    Icmpv4Packet, Icmpv4Repr, IpProtocol, Ipv4Address, Ipv4Packet, Ipv4Repr,
};

use super::*;

const ASKER: EthernetAddress = EthernetAddress([2, 0, 0, 0, 0, 0x77]);
const ASKER_IP: Ipv4Address = Ipv4Address::new(192, 168, 56, 123);
const STATION_IP: Ipv4Address = Ipv4Address::new(192, 168, 56, 200);

fn framed(to: EthernetAddress, protocol: EthernetProtocol, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; EthernetFrame::<&[u8]>::buffer_len(payload.len())];
    let mut frame = EthernetFrame::new_unchecked(&mut bytes);
    frame.set_dst_addr(to);
    frame.set_src_addr(ASKER);
    frame.set_ethertype(protocol);
    frame.payload_mut().copy_from_slice(payload);
    bytes
}

fn who_has(address: Ipv4Address) -> Vec<u8> {
    let request = ArpRepr::EthernetIpv4 {
        operation: ArpOperation::Request,
        source_hardware_addr: ASKER,
        source_protocol_addr: ASKER_IP,
        target_hardware_addr: EthernetAddress([0; 6]),
        target_protocol_addr: address,
    };
    let mut payload = vec![0; request.buffer_len()];
    request.emit(&mut ArpPacket::new_unchecked(&mut payload));
    framed(EthernetAddress::BROADCAST, EthernetProtocol::Arp, &payload)
}

fn echo_request(to: EthernetAddress, number: u16) -> Vec<u8> {
    let checksums = ChecksumCapabilities::default();
    let echo = Icmpv4Repr::EchoRequest { ident: 7, seq_no: number, data: b"netwright" };
    let packet = Ipv4Repr {
        src_addr: ASKER_IP,
        dst_addr: STATION_IP,
        next_header: IpProtocol::Icmp,
        payload_len: echo.buffer_len(),
        hop_limit: 64,
    };
    let mut payload = vec![0; packet.buffer_len() + echo.buffer_len()];
    let mut written = Ipv4Packet::new_unchecked(&mut payload);
    packet.emit(&mut written, &checksums);
    echo.emit(&mut Icmpv4Packet::new_unchecked(written.payload_mut()), &checksums);
    framed(to, EthernetProtocol::Ipv4, &payload)
}

fn station() -> Station {
    let mac = MacAddress([2, 0, 0, 0, 0, 1]);
    let address = "192.168.56.200/24".into_prefix().expect("a prefix");
    Station::new(mac, address, 1500).expect("a station")
}

#[test]
fn a_station_answers_arp_for_its_own_address_only() {
    let mut station = station();
    let answers = station.answer(vec![who_has(STATION_IP)], LOOK);
    assert_eq!(answers.iter().map(|frame| Answer::of(frame)).collect::<Vec<_>>(), [Answer::Arp]);
    let reply = EthernetFrame::new_checked(&answers[0]).expect("a frame");
    assert_eq!(reply.dst_addr(), ASKER);
    let arp = ArpPacket::new_checked(reply.payload()).expect("an ARP packet");
    assert_eq!(arp.source_hardware_addr(), [2, 0, 0, 0, 0, 1]);
    assert_eq!(arp.source_protocol_addr(), STATION_IP.octets());

    assert!(station.answer(vec![who_has(Ipv4Address::new(192, 168, 56, 9))], LOOK).is_empty());
}

#[test]
fn a_station_sends_an_echo_back_with_its_payload() {
    let mut station = station();
    let request = echo_request(EthernetAddress([2, 0, 0, 0, 0, 1]), 1);
    let answers = station.answer(vec![who_has(STATION_IP), request], LOOK);
    assert_eq!(
        answers.iter().map(|frame| Answer::of(frame)).collect::<Vec<_>>(),
        [Answer::Arp, Answer::Echo]
    );
    let payload = answers[1].strip_suffix(b"netwright");
    assert!(payload.is_some(), "the payload came back changed");
}

#[test]
fn frames_cut_short_are_ignored() {
    let mut station = station();
    let whole = who_has(STATION_IP);
    for length in 0..whole.len() {
        assert!(station.answer(vec![whole[..length].to_vec()], LOOK).is_empty(), "{length} bytes");
    }
}

/// The recipe up to its first look at the tap finds nothing there, for nobody asks in memory.
#[test]
fn the_recipe_builds_its_segment_and_says_that_nobody_asked() {
    let host = MemoryHost::new();
    host.set_param("ask", "false");
    host.set_param("serve", "1");
    let error = host.run(&RECIPE).expect_err("nobody asks");
    assert_eq!(error.to_string(), "the component answers echo requests: 0 of 3");
    assert_eq!(
        host.changes(),
        [
            "link add name enp0s8 mtu 1500 up type veth peer name switch0 mtu 1500 up",
            "link add link enp0s8 name tap0 mtu 1500 up type macvtap mode bridge",
            "netns add neighbour",
            "-n neighbour link add link root/enp0s8 name eth0 mtu 1500 up type macvlan mode bridge",
            "-n neighbour address add 192.168.56.123/24 dev eth0",
        ]
    );
    assert_eq!(host.metrics()[1].name, "echo_answered");
}

#[test]
fn what_arrives_at_the_tap_is_answered_there() -> Result<()> {
    let host = MemoryHost::new();
    let lab = Lab::open()?;
    let uplink = lab.veth("enp0s8").peer("switch0").create()?;
    let macvtap = lab.macvtap("tap0").parent(&uplink).create()?;
    let mac = macvtap.mac()?;
    let served = Served {
        address: "192.168.56.200/24".into_prefix()?,
        neighbour: "192.168.56.123/24".into_prefix()?,
        serve: 1,
        answers: 2,
        ask: false,
        mtu: 1500,
        size: 56,
        vnet_header: false,
    };
    host.arrive("tap0", who_has(STATION_IP));
    for number in [1, 2] {
        host.arrive("tap0", echo_request(EthernetAddress(mac.0), number));
    }
    let station = Station::new(mac, served.address, served.mtu)?;
    let answered = serve(&macvtap.open_tap()?, station, None, &served)?;
    assert_eq!((answered.arp, answered.echo), (1, 2));
    let sent: Vec<Answer> = host.sent("tap0").iter().map(|frame| Answer::of(frame)).collect();
    assert_eq!(sent, [Answer::Arp, Answer::Echo, Answer::Echo]);
    Ok(())
}

#[test]
fn an_echo_larger_than_the_mtu_is_refused() {
    let host = MemoryHost::new();
    host.set_param("size", "1473");
    let all = host.check(&RECIPE).iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(all, ["size: 1473 bytes and 28 of headers don't fit into 1500"]);
}

#[test]
fn addresses_of_different_networks_are_refused() {
    let host = MemoryHost::new();
    host.set_param("neighbour", "10.0.0.1/8");
    host.set_param("answers", "0");
    let all = host.check(&RECIPE).iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(all, ["answers: `0` is not from 1 to 10000"]);
    host.set_param("answers", "1");
    let all = host.check(&RECIPE).iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(all, ["neighbour: `10.0.0.1/8` is not in the network of `192.168.56.200/24`"]);
}
