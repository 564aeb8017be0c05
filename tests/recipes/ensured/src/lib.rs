//! Ensures a macvlan with its addresses and a route, each spelt in another way than the kernel has
//! it, and tells how many changes that took.

use netwright_sdk::prelude::*;

#[derive(Params)]
struct Ensured {
    /// The link that the macvlan lies on
    parent: String,
    /// Its longest packet
    #[param(default = 1400)]
    mtu: u32,
    /// How it sees its siblings
    #[param(default = "bridge")]
    mode: MacvlanMode,
    /// Its Ethernet address
    #[param(default = "02:AA:BB:CC:DD:0E")]
    mac: String,
    /// Its IPv4 address
    #[param(default = "10.99.0.5/24")]
    prefix: String,
    /// Where the route by 10.99.0.1 leads to
    #[param(default = "10.98.7.9/16")]
    route: String,
    /// Its IPv6 address
    #[param(default = "2001:0DB8:0000:0000:0000:0000:0000:0005/64")]
    address6: String,
}

/// A macvlan `en0` that is there afterwards
#[recipe(
    name = "ensured",
    version = "0.1.0",
    capabilities(
        "host.link.read" = "to find the parent and the macvlan",
        "host.link.create kind=macvlan name=en0" = "the macvlan",
        "host.link.modify name=en0" = "one that is there and differs",
        "host.address.add link=en0" = "its addresses",
        "host.route.add link=en0" = "the route by 10.99.0.1",
        "uplink" = "the macvlan on a link of the host, from inside a lab",
    )
)]
fn ensured(lab: &Lab, ensured: Ensured) -> Result<()> {
    let topology = Topology::new();
    let link = topology
        .macvlan("en0")
        .parent(&ensured.parent)
        .mode(ensured.mode)
        .mtu(ensured.mtu)
        .mac(&ensured.mac)
        .address(&ensured.prefix)
        .address(&ensured.address6)
        .create()?;
    topology.route(&ensured.route).via("10.99.0.1").link(&link).add()?;
    let changes = topology.ensure()?;
    lab.print(format!("changes: {changes}"));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use netwright_sdk::testing::MemoryHost;

    #[test]
    fn the_second_run_takes_no_change_and_a_drift_one() -> Result<()> {
        let host = MemoryHost::new();
        host.add_device("eth1");
        host.set_param("parent", "eth1");
        host.run(&RECIPE)?;
        host.run(&RECIPE)?;
        Lab::open()?.link("en0")?.set_mtu(1300)?;
        host.run(&RECIPE)?;
        assert_eq!(host.prints(), ["changes: 4", "changes: 0", "changes: 1"]);
        Ok(())
    }
}
