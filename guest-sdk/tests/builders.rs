//! Each builder asks for what it says, in ip(8)'s words.

use netwright_sdk::prelude::*;
use netwright_sdk::testing::MemoryHost;

/// What a recipe asked for, by the words of its changes.
fn changes(build: impl FnOnce(&Lab) -> Result<()>) -> Vec<String> {
    let host = MemoryHost::new();
    host.add_device("eth0");
    let lab = Lab::open().expect("there is a host");
    build(&lab).expect("the host allows it");
    host.changes()
}

#[test]
fn every_kind_of_link_is_asked_for_in_the_words_of_ip() {
    let asked = changes(|lab| {
        lab.macvlan("a1")
            .parent("eth0")
            .mode(MacvlanMode::Passthru)
            .nopromisc()
            .create()?
            .delete()?;
        lab.macvlan("a2")
            .parent("eth0")
            .mode(MacvlanMode::Source)
            .nodst()
            .sources(["02:00:00:00:00:99"])
            .bcqueuelen(2000)
            .create()?;
        lab.vlan("a3", 200).parent("eth0").mac("02:00:00:00:00:02").mtu(1400).create()?;
        lab.vxlan("a4", 42).parent("eth0").remote("10.0.0.9").destination_port(4789).create()?;
        lab.dummy("a5").down().create()?;
        lab.ifb("a6").create()?;
        lab.ipvlan("a7").parent("eth0").mode(IpvlanMode::L2).flag(IpvlanFlag::Private).create()?;
        lab.ipvtap("a8").parent("eth0").create()?;
        lab.tap("a9").vnet_header().create()?;
        lab.tun("b1").user(1000).create()?;
        lab.vrf("b2", 10).create()?;
        lab.other_link("b3", "hsr").option("version", 1).create()?;
        lab.bridge("b4").option("stp_state", 0).hairpin_port("a5").create()?;
        let bond = lab.bond("b5", BondMode::ActiveBackup).link_monitoring(100);
        bond.port("a6").create()?;
        lab.gre("b6").local("10.0.0.1").remote("10.0.0.2").key(7).create()?;
        lab.gretap("b7").remote("10.0.0.2").option("ttl", 64).create()?;
        lab.ipip("b8").remote("10.0.0.2").parent("eth0").create()?;
        lab.sit("b9").remote("10.0.0.2").create()?;
        lab.ip6gre("c1").remote("2001:db8::2").create()?;
        lab.ip6tnl("c2").remote("2001:db8::2").create()?;
        lab.geneve("c3", 42).remote("10.0.0.2").create()?;
        lab.wireguard("c4").create()?;
        Ok(())
    });
    let expected = [
        "link add link eth0 name a1 up type macvlan mode passthru nopromisc",
        "link delete a1",
        "link add link eth0 name a2 up type macvlan mode source nodst bcqueuelen 2000 macaddr set 02:00:00:00:00:99",
        "link add link eth0 name a3 address 02:00:00:00:00:02 mtu 1400 up type vlan id 200",
        "link add link eth0 name a4 up type vxlan id 42 remote 10.0.0.9 dstport 4789",
        "link add name a5 type dummy",
        "link add name a6 up type ifb",
        "link add link eth0 name a7 up type ipvlan mode l2 private",
        "link add link eth0 name a8 up type ipvtap",
        "link add name a9 up type tap vnet_hdr",
        "link add name b1 up type tun user 1000",
        "link add name b2 up type vrf table 10",
        "link add name b3 up type hsr version 1",
        "link add name b4 up type bridge stp_state 0",
        "link set a5 master b4 type bridge_slave hairpin on",
        "link add name b5 up type bond mode active-backup miimon 100",
        "link set a6 down",
        "link set a6 master b5",
        "link add name b6 up type gre local 10.0.0.1 remote 10.0.0.2 key 7",
        "link add name b7 up type gretap remote 10.0.0.2 ttl 64",
        "link add link eth0 name b8 up type ipip remote 10.0.0.2",
        "link add name b9 up type sit remote 10.0.0.2",
        "link add name c1 up type ip6gre remote 2001:db8::2",
        "link add name c2 up type ip6tnl remote 2001:db8::2",
        "link add name c3 up type geneve id 42 remote 10.0.0.2",
        "link add name c4 up type wireguard",
    ];
    assert_eq!(asked, expected);
}

#[test]
fn routes_rules_neighbours_and_sysctls_are_asked_for_in_the_words_of_ip() {
    let asked = changes(|lab| {
        let link = lab.link("eth0")?;
        link.add_address("10.0.0.1/24")?;
        lab.route("default").via("10.0.0.254").metric(100).add()?;
        lab.route("10.9.0.0/16").via("10.0.0.2").link(&link).table(7).mtu(1400).add()?;
        lab.route("10.8.0.0/16").blackhole().add()?;
        lab.route("10.7.0.0/16")
            .next_hop(NextHop::via("10.0.0.3").weight(2))
            .next_hop(NextHop::via("10.0.0.4"))
            .add()?;
        lab.rule().from("10.9.0.0/16").table(7).priority(100).add()?;
        link.neighbour("10.0.0.2").mac("02:00:00:00:00:02").add()?;
        link.fdb("02:00:00:00:00:03").vlan(5).add()?;
        lab.set_sysctl("net.ipv4.ip_forward", 1)?;
        lab.route("default").remove()
    });
    let expected = [
        "address add 10.0.0.1/24 dev eth0",
        "route add default via 10.0.0.254 metric 100",
        "route add 10.9.0.0/16 via 10.0.0.2 dev eth0 table 7 mtu 1400",
        "route add blackhole 10.8.0.0/16",
        "route add 10.7.0.0/16 nexthop via 10.0.0.3 weight 2 nexthop via 10.0.0.4 weight 1",
        "rule add from 10.9.0.0/16 priority 100 lookup 7",
        "neighbour add 10.0.0.2 lladdr 02:00:00:00:00:02 nud permanent dev eth0",
        "fdb add 02:00:00:00:00:03 dev eth0 vlan 5 self permanent",
        "sysctl net.ipv4.ip_forward=1",
        "route delete default",
    ];
    assert_eq!(asked, expected);
}

#[test]
fn a_wrong_text_is_told_by_create_with_the_name_of_the_link() {
    let host = MemoryHost::new();
    let lab = Lab::open().expect("there is a host");
    let cases: [(Result<Link>, &str); 5] = [
        (
            lab.dummy("d").address("10.0.0.300/24").create(),
            "link `d`: `10.0.0.300/24` is not an address with its prefix length; expected is one such as `192.168.56.122/24`",
        ),
        (
            lab.dummy("d").mac("02:00").create(),
            "link `d`: `02:00` is not a MAC address; expected is one such as `02:00:00:00:00:01`",
        ),
        (lab.macvlan("d").parent("").create(), "link `d`: the name of a link must not be empty"),
        (
            lab.macvlan("d").parent("e").nopromisc().create(),
            "link `d`: `nopromisc` of a macvlan needs mode `passthru`",
        ),
        (
            lab.vlan("d", 4095).parent("e").create(),
            "link `d`: VLAN id `4095` is not from 1 to 4094",
        ),
    ];
    for (made, expected) in cases {
        assert_eq!(made.expect_err(expected).to_string(), expected);
    }
    assert!(host.changes().is_empty());
}

#[test]
fn a_port_in_another_namespace_is_refused() {
    let _host = MemoryHost::new();
    let lab = Lab::open().expect("there is a host");
    let elsewhere = lab.namespace("ns1").and_then(|ns1| ns1.dummy("d").create()).expect("a link");
    let refused = lab.bridge("br0").port(&elsewhere).create().expect_err("another namespace");
    let expected = "link `br0`: port `d` is in namespace `ns1`, not in the root namespace";
    assert_eq!(refused.to_string(), expected);
}

#[test]
fn a_link_whose_address_is_refused_is_taken_back() {
    let host = MemoryHost::new();
    host.refuse("address add", Error::invalid("not today"));
    let lab = Lab::open().expect("there is a host");
    let error = lab.dummy("d").address("10.0.0.1/24").create().expect_err("the address is refused");
    assert_eq!(error.to_string(), "not today");
    assert!(host.link("d").is_none());
}

#[test]
fn a_renamed_and_moved_link_is_still_known() -> Result<()> {
    let host = MemoryHost::new();
    let lab = Lab::open()?;
    let ns1 = lab.namespace("ns1")?;
    let link = lab.dummy("d").create()?;
    link.rename("e")?;
    link.move_to(&ns1)?;
    assert_eq!(link.to_string(), "ns1/e");
    link.up()?;
    assert!(host.link("ns1/e").is_some_and(|info| info.up));
    Ok(())
}
