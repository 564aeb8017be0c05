//! A topology hands all of itself over in one batch, and says which builder failed.

use netwright_sdk::prelude::*;
use netwright_sdk::testing::MemoryHost;

#[test]
fn links_may_be_described_before_what_they_lie_on() -> Result<()> {
    let host = MemoryHost::new();
    let topology = Topology::new();
    let n1 = topology.namespace("n1");
    n1.macvlan("eth0").parent("/p0").address("10.1.0.1/16").create()?;
    n1.route("default").via("10.1.255.254").metric(100).add()?;
    topology.bridge("br0").hairpin_port("p1").create()?;
    topology.veth("p0").peer("p1").peer_address("10.1.0.9/16").create()?;
    topology.apply()?;
    let expected = [
        "netns add n1",
        "link add name br0 up type bridge",
        "link add name p0 up type veth peer name p1 up",
        "-n n1 link add link root/p0 name eth0 up type macvlan",
        "link set p1 master br0 type bridge_slave hairpin on",
        "-n n1 address add 10.1.0.1/16 dev eth0",
        "address add 10.1.0.9/16 dev p1",
        "-n n1 route add default via 10.1.255.254 metric 100",
    ];
    assert_eq!(host.changes(), expected);
    assert!(topology.is_empty());
    Ok(())
}

#[test]
fn the_error_names_the_builder_and_nothing_is_left() -> Result<()> {
    let host = MemoryHost::new();
    let topology = Topology::new();
    let n1 = topology.namespace("n1");
    n1.dummy("d0").address("10.0.0.1/24").create()?;
    n1.macvlan("eth0").parent("nowhere").create()?;
    let error = topology.apply().expect_err("there is no such parent");
    let expected = "macvlan `eth0` in namespace `n1`: namespace `n1` has no link `nowhere`\n  help: it has `lo`, `d0`";
    assert_eq!(error.to_string(), expected);
    assert!(host.changes().is_empty() && host.namespaces().is_empty());
    Ok(())
}

#[test]
fn a_wrong_text_is_told_before_anything_is_applied() {
    let _host = MemoryHost::new();
    let topology = Topology::new();
    let error = topology.dummy("d0").address("ten").create().expect_err("no address");
    assert!(error.to_string().starts_with("link `d0`: `ten` is not an address"));
    assert!(topology.is_empty());
}
