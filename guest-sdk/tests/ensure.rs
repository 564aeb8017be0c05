//! What is there as it was asked for stays untouched; what differs is changed; what is missing is
//! made.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use netwright_sdk::prelude::*;
use netwright_sdk::testing::MemoryHost;
use netwright_sdk::wit::links::{MacvlanChange, Setting};
use netwright_sdk::wit::types::MacAddress as WitMac;

/// A host with a NIC, and its lab.
fn host() -> (MemoryHost, Lab) {
    let host = MemoryHost::new();
    host.add_device("eth1");
    (host, Lab::open().unwrap())
}

/// What came after the first so many changes.
fn since(host: &MemoryHost, count: usize) -> Vec<String> {
    host.changes().split_off(count)
}

#[test]
fn what_is_so_already_takes_no_change_however_it_is_spelt() {
    let (host, lab) = host();
    let all = || -> Result<()> {
        let link = lab
            .macvlan("en0")
            .parent("eth1")
            .mode(MacvlanMode::Bridge)
            .mac("02:AA:BB:CC:DD:0E")
            .address("10.99.0.5/24")
            .address("2001:0DB8:0000:0000:0000:0000:0000:0005/64")
            .ensure()?;
        link.ensure(&[Setting::Mtu(1400)])?;
        link.address("10.97.0.1/24").label("en0:1").ensure()?;
        link.neighbour("10.99.0.1").mac("02:00:00:00:00:09").ensure()?;
        link.netem().delay("100ms").ensure()?;
        lab.route("10.98.7.9/16").via("10.99.0.1").link(&link).ensure()?;
        lab.rule().from("10.99.0.0/24").table(100).ensure()?;
        lab.ensure_sysctl("net.ipv4.ip_forward", 1)?;
        lab.ensure_namespace("n1")?.veth("eth0").peer("eth1").ensure()?;
        let switch = lab.bridge("br0").vlan_filtering().ensure()?;
        let port = lab.veth("p1").peer("q1").master(&switch).access(100).ensure()?;
        port.ensure_vlans(PortVlans::access(100))?;
        port.ensure_qdisc("fq_codel")
    };
    all().unwrap();
    let first = host.changes();
    all().unwrap();
    assert_eq!(since(&host, first.len()), [""; 0]);
    assert_eq!(
        first,
        [
            "link add link eth1 name en0 address 02:aa:bb:cc:dd:0e up type macvlan mode bridge",
            "address add 10.99.0.5/24 dev en0",
            "address add 2001:db8::5/64 dev en0",
            "link set en0 mtu 1400",
            "address add 10.97.0.1/24 label en0:1 dev en0",
            "neighbour add 10.99.0.1 lladdr 02:00:00:00:00:09 nud permanent dev en0",
            "qdisc add dev en0 root netem delay 100ms",
            "route add 10.98.0.0/16 via 10.99.0.1 dev en0",
            "rule add from 10.99.0.0/24 lookup 100",
            "sysctl net.ipv4.ip_forward=1",
            "netns add n1",
            "-n n1 link add name eth0 up type veth peer name eth1 up",
            "link add name br0 up type bridge vlan_filtering 1",
            "link add name p1 master br0 up type veth peer name q1 up",
            "vlan set dev p1 vid 100 pvid untagged",
            "qdisc add dev p1 root fq_codel",
        ]
    );
}

#[test]
fn what_differs_is_changed_in_place() {
    let (host, lab) = host();
    let child = || lab.macvlan("en0").parent("eth1").address("10.99.0.5/24");
    let link = child().mode(MacvlanMode::Private).ensure().unwrap();
    lab.route("10.98.0.0/16").via("10.99.0.1").add().unwrap();
    link.netem().delay("100ms").loss("1%").set().unwrap();
    let before = host.changes().len();
    child().mode(MacvlanMode::Bridge).mtu(1400).ensure().unwrap();
    lab.route("10.98.0.0/16").via("10.99.0.2").ensure().unwrap();
    link.netem().delay("50ms").ensure().unwrap();
    lab.ensure_sysctl("net.ipv4.ip_forward", 1).unwrap();
    lab.ensure_sysctl("net.ipv4.ip_forward", 0).unwrap();
    assert_eq!(
        since(&host, before),
        [
            "link set en0 type macvlan mode bridge mtu 1400",
            "route replace 10.98.0.0/16 via 10.99.0.2",
            "qdisc replace dev en0 root handle 8001: netem delay 50ms loss 1%",
            "sysctl net.ipv4.ip_forward=1",
            "sysctl net.ipv4.ip_forward=0",
        ]
    );
}

#[test]
fn a_station_that_is_let_in_already_is_not_let_in_twice() {
    let (host, lab) = host();
    let mode = MacvlanMode::Source;
    let link = lab.macvlan("en0").parent("eth1").mode(mode).create().unwrap();
    let station: MacAddress = "02:00:00:00:00:09".parse().unwrap();
    let source = |change: fn(WitMac) -> MacvlanChange| Setting::Macvlan(change(station.into()));
    for _ in 0..2 {
        link.ensure(&[source(MacvlanChange::AddSource)]).unwrap();
    }
    assert_eq!(since(&host, 1).len(), 1);
    for _ in 0..2 {
        link.ensure(&[source(MacvlanChange::RemoveSource)]).unwrap();
    }
    assert_eq!(since(&host, 1).len(), 2);
}

#[test]
fn what_isnt_named_stays_as_it_is() {
    let (host, lab) = host();
    let link =
        lab.macvlan("en0").parent("eth1").mtu(1300).address("10.99.0.5/24").create().unwrap();
    link.address("10.99.0.6/24").label("en0:1").add().unwrap();
    let before = host.changes().len();
    lab.macvlan("en0").parent("eth1").address("10.99.0.6/24").ensure().unwrap();
    assert_eq!(since(&host, before), [""; 0]);
    assert_eq!(host.link("en0").unwrap().mtu, 1300);
    assert_eq!(host.addresses("en0").len(), 2);
}

#[test]
fn another_kind_parent_or_passthru_is_made_anew() {
    let (host, lab) = host();
    host.add_device("eth2");
    lab.macvlan("en0").parent("eth1").ensure().unwrap();
    let before = host.changes().len();
    lab.macvlan("en0").parent("eth2").address("10.99.0.5/24").ensure().unwrap();
    lab.macvlan("en0").parent("eth2").mode(MacvlanMode::Passthru).ensure().unwrap();
    lab.dummy("en0").ensure().unwrap();
    assert_eq!(
        since(&host, before),
        [
            "link delete en0",
            "link add link eth2 name en0 up type macvlan",
            "address add 10.99.0.5/24 dev en0",
            "link delete en0",
            "link add link eth2 name en0 up type macvlan mode passthru",
            "link delete en0",
            "link add name en0 up type dummy",
        ]
    );
}

#[test]
fn a_topology_is_ensured_whole_or_not_at_all() {
    let (host, lab) = host();
    lab.dummy("d0").mtu(1300).create().unwrap();
    let topology = Topology::new();
    topology.dummy("d0").mtu(1400).create().unwrap();
    topology.namespace("n1").macvlan("en0").parent("eth9").create().unwrap();
    let error = topology.ensure().unwrap_err().to_string();
    assert!(error.starts_with("macvlan `en0` in namespace `n1`: "), "{error}");
    assert_eq!(host.link("d0").unwrap().mtu, 1300);
    assert_eq!(host.namespaces(), [""; 0]);
    assert_eq!(host.changes().len(), 1);
}

#[test]
fn a_name_that_the_kernel_chooses_is_refused() {
    let (host, lab) = host();
    for name in ["", "veth%d"] {
        let error = lab.dummy(name).ensure().unwrap_err().to_string();
        assert_eq!(
            error,
            format!(
                "dummy `{name}` in the root namespace: ensuring a link needs its name, and `{name}` leaves it to the kernel"
            )
        );
    }
    assert!(lab.veth("v0").peer("v%d").ensure().is_err());
    assert_eq!(host.changes(), [""; 0]);
}
