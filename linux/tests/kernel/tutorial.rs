//! Row A19, the part that must go back: a node whose default route is taken into a VLAN.

use netwright_linux::change::{
    Change, Kind, MacvlanMode, NextHop, Route, Setting, Vlan, VlanProtocol, Write,
};

use crate::Named;
use crate::lab::{Lab, assert_same, create, macvlan, option, put, set, space};
use crate::twins::{hop, route, steady, twins};

pub(crate) const TRIALS: &[Named] =
    &[("A19 a replaced default route comes back with its attributes, promiscuity too", replaced)];

fn replaced() {
    let mut lab = twins();
    lab.apply(put("ours/a", "10.0.5.10/24"));
    lab.output(
        "ours",
        "ip route add default via 10.0.5.1 dev a metric 100 proto dhcp src 10.0.5.10 mtu 1400",
    );
    lab.output("ours", "ip link set dev a promisc on");
    let state = |lab: &Lab| steady(&lab.state("ours"));
    let before = state(&lab);

    let quiet = Setting::Other(option("addrgenmode", "none"));
    let vlan = Kind::Vlan(Vlan { id: 200, protocol: VlanProtocol::Dot1q, options: Vec::new() });
    // Whatever it stands on, the route is replaced in the same way.
    let child = Kind::Macvlan(macvlan(MacvlanMode::Bridge));
    let make = |kind| create("ours/a.200", kind, Some("a"), &[quiet.clone(), Setting::Up(true)]);
    let made = match lab.try_apply(make(vlan)) {
        Ok(applied) => applied.undo,
        Err(error) => {
            assert!(error.to_string().contains("CONFIG_VLAN_8021Q"), "{error}");
            lab.apply(make(child))
        }
    };
    let old = Route { metric: Some(100), ..default(&[]) };
    let new = default(&[hop(Some("192.168.200.1"), Some("a.200"))]);
    let changes = [
        set("ours/a", &[Setting::Promiscuous(true)]),
        set("ours/a.200", &[Setting::Promiscuous(true)]),
        put("ours/a.200", "192.168.200.10/24"),
        Change::RemoveRoute { namespace: space("ours"), route: old },
        Change::PutRoute { namespace: space("ours"), route: new, how: Write::Add },
    ];
    let mut undo = vec![made];
    undo.extend(changes.map(|change| lab.apply(change)));

    let routes = lab.output("ours", "ip route show default");
    assert_eq!(routes.trim_end(), "default via 192.168.200.1 dev a.200");
    assert_eq!(lab.link("ours", "a.200")["promiscuity"], 1);
    for one in undo.iter().rev() {
        lab.revert(one);
    }
    assert_same(|| state(&lab), || before.clone(), "after the undo");
    let flags = lab.link("ours", "a")["flags"].to_string();
    assert!(flags.contains("PROMISC"), "it was on before: {flags}");
}

fn default(hops: &[NextHop]) -> Route {
    route("default", hops)
}
