//! Links and addresses, beside what iproute2 6.1 prints of them.

use netwright_sdk::wit::addresses::Info as AddressInfo;
use netwright_sdk::wit::links::Info;

use super::{address_lines, link_lines, tuntap_line};
use crate::address::AddressCommand;
use crate::command::{Command, parse};
use crate::value::attribute;

fn link(kind: &str) -> Info {
    Info {
        index: 3,
        name: "mac1".to_owned(),
        kind: kind.to_owned(),
        up: true,
        carrier: true,
        operational_state: "up".to_owned(),
        flags: ["BROADCAST", "MULTICAST", "UP", "LOWER_UP"].map(str::to_owned).to_vec(),
        mtu: 1500,
        mac: Some((2, 0, 0, 0, 0, 0x1f)),
        promiscuity: 0,
        transmit_queue_length: 1000,
        group: 0,
        parent: None,
        master: None,
        peer: None,
        alias: None,
        data: Vec::new(),
        extra: Vec::new(),
    }
}

#[test]
fn a_link_has_two_lines() {
    assert_eq!(
        link_lines(&link("macvlan"), "@if5", false),
        "\
3: mac1@if5: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 state UP group default qlen 1000
    link/ether 02:00:00:00:00:1f brd ff:ff:ff:ff:ff:ff
"
    );
}

#[test]
fn a_port_names_its_master_and_a_link_its_alias() {
    let mut info = link("veth");
    info.master = Some("br0".to_owned());
    info.alias = Some("to the left".to_owned());
    info.group = 7;
    info.extra.push(attribute("qdisc", "noqueue"));
    assert_eq!(
        link_lines(&info, "", true),
        "\
3: mac1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue master br0 state UP mode DEFAULT group 7 qlen 1000
    link/ether 02:00:00:00:00:1f brd ff:ff:ff:ff:ff:ff
    alias to the left
"
    );
}

#[test]
fn loopback_has_a_line_of_its_own_kind() {
    let mut info = link("loopback");
    info.mac = Some((0, 0, 0, 0, 0, 0));
    let text = link_lines(&info, "", false);
    assert!(
        text.ends_with("    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00\n"),
        "{text}"
    );
}

/// What is printed of the address that this command would add.
fn address(words: &str, alter: fn(&mut AddressInfo)) -> String {
    let script = format!("ip address add {words}");
    let Command::Address(AddressCommand::Put { link, address, .. }) =
        parse(&script).expect(&script).remove(0).command
    else {
        panic!("an address");
    };
    let mut info = AddressInfo {
        link,
        address,
        tentative: false,
        duplicate: false,
        dynamic: false,
        secondary: false,
        deprecated: false,
    };
    alter(&mut info);
    address_lines(&info)
}

#[test]
fn addresses_are_printed_as_ip_does() {
    let forever = "\n       valid_lft forever preferred_lft forever\n";
    for (words, line) in [
        ("192.168.56.122/24 dev mac1", "    inet 192.168.56.122/24 scope global mac1"),
        ("10.0.0.1/24 brd + dev x", "    inet 10.0.0.1/24 brd 10.0.0.255 scope global x"),
        ("10.0.0.1 peer 10.0.0.2 dev x", "    inet 10.0.0.1 peer 10.0.0.2/32 scope global x"),
        ("10.0.0.1/24 metric 5 dev x label x:1", "    inet 10.0.0.1/24 metric 5 scope global x:1"),
        ("127.0.0.1/8 dev lo", "    inet 127.0.0.1/8 scope host lo"),
        (
            "fd00::1/64 dev x nodad noprefixroute",
            "    inet6 fd00::1/64 scope global nodad noprefixroute",
        ),
    ] {
        assert_eq!(address(words, |_| {}), format!("{line}{forever}"));
    }
}

#[test]
fn what_the_kernel_made_of_an_address_is_told() {
    let text = address("10.0.0.1/24 valid_lft 60 preferred_lft 30 dev x", |info| {
        info.secondary = true;
        info.dynamic = true;
    });
    assert_eq!(
        text,
        "    inet 10.0.0.1/24 scope global secondary dynamic x\n       valid_lft 60sec preferred_lft 30sec\n"
    );
    let text = address("fd00::1/64 dev x", |info| info.tentative = true);
    assert!(text.starts_with("    inet6 fd00::1/64 scope global tentative\n"), "{text}");
}

#[test]
fn only_tuns_and_taps_are_in_their_list() {
    let mut info = link("tun");
    info.data = vec![attribute("type", "tap"), attribute("pi", "off"), attribute("vnet_hdr", "on")];
    assert_eq!(tuntap_line(&info).as_deref(), Some("mac1: tap vnet_hdr\n"));
    assert_eq!(tuntap_line(&link("veth")), None);
}
