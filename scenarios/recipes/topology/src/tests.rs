//! What is refused, and what the batch asks for.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use netwright_sdk::testing::MemoryHost;
use netwright_topology::{Change, Reader, changes};
use serde_json::json;

use crate::{RECIPE, read};

/// `parameter/pointer: message | help`, one a line.
fn faults(given: serde_json::Value) -> String {
    let mut reader = Reader::default();
    read(&given, &mut reader);
    let line = |fault: &netwright_topology::Fault| {
        let help = fault.help.as_ref().map_or(String::new(), |help| format!(" | {help}"));
        let place = &fault.place;
        format!("{}{}: {}{help}", place.parameter, place.pointer, fault.message)
    };
    reader.faults.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_example_becomes_one_batch_in_a_possible_order() {
    let given = json!({
        "namespaces": ["n1", "n2"],
        "links": [
            { "name": "eth0", "namespace": "n1", "kind": "macvlan", "mode": "bridge", "parent": "p0", "addresses": ["10.1.0.1/16"] },
            { "name": "p0", "kind": "veth", "peer": "p1" },
            { "name": "br0", "kind": "bridge", "ports": [{ "name": "p1", "hairpin": true }] },
            { "name": "eth0", "namespace": "n2", "kind": "vlan", "id": 200, "parent": "p0", "mac": "02:00:00:00:00:02", "mtu": 1400 },
        ],
        "routes": [{ "namespace": "n1", "destination": "default", "gateway": "10.1.255.254", "metric": 100 }],
    });
    let mut reader = Reader::default();
    let topology = read(&given, &mut reader).unwrap().topology;
    assert_eq!(reader.faults, []);
    let made: Vec<_> = changes(&topology)
        .into_iter()
        .map(|(change, place)| {
            let what = match change {
                Change::Namespace(name) => format!("namespace {name}"),
                Change::Link(namespace, spec) => {
                    let parent = spec.parent.map(|parent| (parent.namespace, parent.name));
                    format!("link {} in {namespace:?} on {parent:?}", spec.name)
                }
                Change::Settings(link, settings) => format!("set {} {settings:?}", link.name),
                Change::Address(link, _) => format!("address {}", link.name),
                Change::Route(namespace, _) => format!("route in {namespace:?}"),
                other => format!("{other:?}"),
            };
            format!("{}{}: {what}", place.parameter, place.pointer)
        })
        .collect();
    assert_eq!(
        made,
        [
            "namespaces/0: namespace n1",
            "namespaces/1: namespace n2",
            "links/1: link p0 in None on None",
            "links/2: link br0 in None on None",
            "links/0: link eth0 in Some(\"n1\") on Some((Some(\"\"), \"p0\"))",
            "links/3: link eth0 in Some(\"n2\") on Some((Some(\"\"), \"p0\"))",
            "links/2/ports/0: set p1 [Setting::Master(Some(\"br0\")), Setting::Options(Other { kind: \"bridge_slave\", options: [Attribute { name: \"hairpin\", value: \"on\" }] })]",
            "links/0/addresses/0: address eth0",
            "routes/0: route in Some(\"n1\")",
        ]
    );
}

#[test]
fn misspelt_names_are_refused_with_what_was_meant() {
    let given = json!({
        "namespaces": ["n1", "n1"],
        "links": [
            { "name": "up0", "kind": "veth", "peer": "up1" },
            { "name": "eth0", "namespace": "n2", "kind": "macvaln", "parent": "up0" },
            { "name": "eth1", "namespace": "n1", "kind": "macvlan", "parent": "upp0", "moed": "bridge" },
            { "name": "eth2", "namespace": "n1", "kind": "macvlan", "parent": "up0", "mode": "brigde" },
            { "name": "br0", "kind": "bridge", "ports": ["up1", "up2"], "mode": "bridge" },
        ],
    });
    let expected = "\
links/1/kind: unknown kind `macvaln` | did you mean `macvlan`?
links/2/moed: unknown key `moed` of a link | did you mean `mode`?
links/3/mode: unknown mode `brigde` | did you mean `bridge`?
links/4/mode: a bridge has no `mode` | macvlan, macvtap, ipvlan, ipvtap have it
namespaces/1: namespace `n1` comes twice
links/2/parent: unknown parent `upp0` | did you mean `up0`?
links/4/ports/1: unknown port `up2` | did you mean `up0`?";
    assert_eq!(faults(given), expected);
}

#[test]
fn what_the_kernel_always_refuses_is_refused_here() {
    let p = json!({ "name": "p0", "kind": "veth", "peer": "p1", "mtu": 1400 });
    let child = |extra: serde_json::Value| {
        let mut link = json!({ "name": "c0", "kind": "macvlan", "parent": "p0" });
        link.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        link
    };
    let case = |links: Vec<serde_json::Value>| {
        let links: Vec<_> = std::iter::once(p.clone()).chain(links).collect();
        faults(json!({ "links": links }))
    };
    assert_eq!(
        case(vec![child(json!({ "mtu": 1500 }))]),
        "links/1/mtu: mtu 1500 is above the 1400 of parent `p0` | give `p0` that `mtu` first, or lower this one"
    );
    assert_eq!(
        case(vec![child(json!({ "parent": "lo" }))]),
        "links/1/parent: `lo` can't be a parent: the kernel stacks nothing on a loopback"
    );
    assert_eq!(
        case(vec![child(json!({ "mode": "passthru" })), child(json!({ "name": "c1" }))]),
        "links/2/parent: parent `p0` has the passthru child `c0`, which tolerates no other"
    );
    assert_eq!(
        case(vec![
            child(json!({ "mac": "02:00:00:00:00:01" })),
            child(json!({ "name": "c1", "mac": "02-00-00-00-00-01" })),
        ]),
        "links/2/mac: 02:00:00:00:00:01 is the address of `c0` already | children of one parent are told apart by their addresses"
    );
    assert_eq!(
        case(vec![
            child(json!({ "parent": "c1" })),
            child(json!({ "name": "c1", "parent": "c0" }))
        ]),
        "links/1/parent: parents go in a circle: `c0` on `c1` and back"
    );
    assert_eq!(
        case(vec![child(json!({ "parent": "c0" }))]),
        "links/1/parent: link `c0` can't be its own parent"
    );
    assert_eq!(
        case(vec![
            json!({ "name": "v", "kind": "vlan", "parent": "p0", "id": 5 }),
            json!({ "name": "w", "kind": "vlan", "parent": "p0", "id": 5 }),
            json!({ "name": "x", "kind": "vlan", "parent": "p0", "id": 4095 }),
        ]),
        "links/3/id: 4095 is out of range; 1 to 4094 is possible"
    );
    assert_eq!(
        case(vec![
            json!({ "name": "v", "kind": "vlan", "parent": "p0", "id": 5 }),
            json!({ "name": "w", "kind": "vlan", "parent": "p0", "id": 5 }),
        ]),
        "links/2/id: VLAN 5 of `p0` is `v` already"
    );
    assert_eq!(
        case(vec![child(json!({})), json!({ "name": "b", "kind": "bridge", "ports": ["p0"] })]),
        "links/1/parent: `p0` is a port of `b`; it can't be the parent of macvlan links too"
    );
    assert_eq!(
        case(vec![child(json!({ "mode": "bridge", "flags": ["nopromisc"] }))]),
        "links/1/flags/0: `nopromisc` belongs to mode passthru | add `mode: passthru`, or leave the flag out"
    );
}

#[test]
fn a_macvlan_on_a_macvlan_is_a_child_of_the_lowest_parent() {
    let given = json!({ "links": [
        { "name": "p0", "kind": "veth", "peer": "p1" },
        { "name": "c0", "kind": "macvlan", "parent": "p0", "mode": "passthru" },
        { "name": "c1", "kind": "macvlan", "parent": "c0" },
    ]});
    assert_eq!(
        faults(given),
        "links/2/parent: parent `p0` has the passthru child `c0`, which tolerates no other"
    );
}

#[test]
fn routes_are_checked_against_addresses_and_each_other() {
    let given = json!({
        "namespaces": ["n1", "n2"],
        "links": [{ "name": "a", "namespace": "n1", "kind": "dummy", "addresses": ["10.0.0.1/24", "10.0.0.1/24"] }],
        "routes": [
            { "namespace": "n1", "destination": "default", "gateway": "10.0.0.254" },
            { "namespace": "n1", "destination": "default", "gateway": "10.0.0.253" },
            { "namespace": "n1", "destination": "10.9.0.0/16", "gateway": "10.1.0.254" },
            { "namespace": "n1", "destination": "2001:db8::/32", "gateway": "10.0.0.254" },
            { "namespace": "n2", "destination": "10.9.0.0/16", "gateway": "10.1.0.254" },
            { "namespace": "n1", "destination": "10.8.0.0/16", "link": "b" },
            { "namespace": "n1", "destination": "10.7.0.1/16" },
        ],
    });
    let expected = "\
routes/3/gateway: gateway 10.0.0.254 is IPv4, the route is IPv6
routes/6/destination: `10.7.0.1/16` has bits behind its prefix length | the network is 10.7.0.0/16
routes/6: the route leads nowhere | a `gateway`, a `link`, or a `kind` such as blackhole
links/0/addresses/1: link `a` in `n1` has 10.0.0.1 from item 1 of `links`
routes/2/gateway: gateway 10.1.0.254 is in no network of `n1` | `n1` reaches 10.0.0.0/24, 10.8.0.0/16 directly
routes/4/gateway: gateway 10.1.0.254 is in no network of `n2` | no link of `n2` has an address
routes/5/link: unknown link `b` in `n1` | add it to `links`, or to `existing` if it is there before
routes/1: route `default via 10.0.0.253` has the same destination and metric as item 1 of `routes`, route `default via 10.0.0.254` | give one of them another `metric`, the lower one wins";
    assert_eq!(faults(given), expected);
}

/// Whoever thinks of a cable's ends one by one is told where the second one goes.
#[test]
fn the_other_end_of_a_cable_is_no_link_of_its_own() {
    let given = json!({
        "namespaces": ["n1", "n2"],
        "links": [
            { "name": "eth0", "namespace": "n1", "kind": "veth", "peer": "n2/eth1" },
            { "name": "eth1", "namespace": "n2", "addresses": ["10.0.0.1/24"] },
            { "name": "a", "addresses": ["10.1.0.1/24"] },
            { "name": "b", "kind": "veth", "peer": "a" },
        ],
        "routes": [{ "namespace": "n2", "destination": "default", "gateway": "10.0.0.2" }],
    });
    let expected = "\
links/1: link `eth1` in `n2` is the other end of `eth0` in `n1` | what is said of it goes there: `peer: { namespace: n2, name: eth1, addresses: […] }`
links/2: a link needs the key `kind`";
    assert_eq!(faults(given), expected);
}

#[test]
fn a_port_is_in_the_namespace_of_its_master() {
    let given = json!({
        "namespaces": ["n1"],
        "links": [
            { "name": "br0", "kind": "bridge", "ports": ["n1/eth0", { "name": "n1/a b" }] },
            { "name": "d", "kind": "dummy", "master": "n1/br1" },
        ],
    });
    let expected = "\
links/0/ports/0: `n1/eth0` is in another namespace; a port and its master are in the same one | a cable leads from one to another: `{ name: p1, kind: veth, peer: NAMESPACE/LINK }`
links/0/ports/1/name: `n1/a b` is in another namespace; a port and its master are in the same one | a cable leads from one to another: `{ name: p1, kind: veth, peer: NAMESPACE/LINK }`
links/1/master: `n1/br1` is in another namespace; a port and its master are in the same one | a cable leads from one to another: `{ name: p1, kind: veth, peer: NAMESPACE/LINK }`";
    assert_eq!(faults(given), expected);
}

#[test]
fn what_an_earlier_step_made_can_be_referred_to() {
    let given = json!({
        "existing": { "namespaces": ["n1"], "links": ["p0"] },
        "links": [{ "name": "eth0", "namespace": "n1", "kind": "macvlan", "parent": "p0" }],
        "routes": [{ "namespace": "n1", "destination": "default", "gateway": "10.0.0.1" }],
    });
    assert_eq!(faults(given), "");
}

#[test]
fn disciplines_and_vlans_of_ports_come_after_their_links() {
    let given = json!({
        "namespaces": ["n1"],
        "links": [
            { "name": "p1", "kind": "veth", "netem": { "delay": "100ms", "jitter": "5ms", "loss": "1% 25%" },
              "peer": { "namespace": "n1", "name": "eth0", "tbf": { "rate": "1mbit", "burst": "32kbit", "latency": "50ms" } } },
            { "name": "p2", "kind": "veth", "peer": "q2" },
            { "name": "br0", "kind": "bridge", "ports": [
                { "name": "p1", "access": 100 }, { "name": "p2", "trunk": [100, "200-300"], "native": 1 }] },
        ],
    });
    let mut reader = Reader::default();
    let topology = read(&given, &mut reader).unwrap().topology;
    assert_eq!(reader.faults, []);
    let words = |change| match change {
        Change::Link(_, spec) if spec.name == "br0" => Some(format!("{:?}", spec.kind)),
        Change::Qdisc(link, qdisc) => Some(format!("{} {qdisc}", link.name)),
        Change::Vlans(link, vlans) => {
            let vlans: Vec<_> = vlans.iter().map(ToString::to_string).collect();
            Some(format!("{} {}", link.name, vlans.join(", ")))
        }
        _ => None,
    };
    let made: Vec<_> =
        changes(&topology).into_iter().filter_map(|(change, _)| words(change)).collect();
    assert_eq!(
        made,
        [
            "Kind::Bridge([Attribute { name: \"vlan_filtering\", value: \"1\" }])",
            "eth0 tbf rate 1mbit burst 4096b latency 50ms",
            "p1 netem delay 100ms 5ms loss 1% 25%",
            "p1 vid 100 pvid untagged",
            "p2 vid 100, vid 200-300, vid 1 pvid untagged",
        ]
    );
}

#[test]
fn impossible_disciplines_and_vlans_are_refused_with_their_places() {
    let given = json!({
        "links": [
            { "name": "a", "kind": "dummy", "netem": { "delay": "100", "lose": "1%" } },
            { "name": "b", "kind": "dummy", "netem": { "jitter": "5ms", "gap": 2, "loss": "101%" } },
            { "name": "c", "kind": "dummy", "netem": { "distribution": "normal", "jitter": "1ms" } },
            { "name": "d", "kind": "dummy", "tbf": { "rate": "fast", "burst": "1kb" } },
            { "name": "e", "kind": "dummy", "tbf": { "rate": "1mbit", "burst": "1kb" } },
            { "name": "f", "kind": "dummy", "netem": {}, "tbf": {} },
            { "name": "br0", "kind": "bridge", "ports": [
                { "name": "a", "access": 4095 }, { "name": "b", "access": 1, "native": 2 },
                { "name": "c", "trunk": [5, "5-9"], "native": 5 } ] },
        ],
    });
    assert_eq!(
        faults(given),
        "links/0/netem/delay: `100` has no unit; a time is such as `100ms`
links/0/netem/lose: unknown key `lose` of netem | did you mean `loss`?
links/1/netem/loss: `101%` is out of range; 0% to 100% is possible
links/2/netem/jitter: `jitter` needs a `delay` to vary
links/3/tbf/rate: `fast` is not a rate; expected is one such as `1mbit`
links/4/tbf: tbf needs either `latency` or `limit`
links/5/tbf: a link has either a `netem` or a `tbf` as its root discipline | `rate` of netem limits it, too
links/6/ports/0/access: 4095 is out of range; 1 to 4094 is possible
links/6/ports/1/native: a port has either an `access` VLAN, or a `trunk` and a `native` one
links/6/ports/2/trunk/1: a VLAN of it comes twice
links/6/ports/2/native: it is one VLAN, and none of the `trunk`"
    );
}

#[test]
fn a_topology_that_is_ensured_twice_takes_no_change_the_second_time() {
    let host = MemoryHost::new();
    host.add_device("eth1");
    host.set_param("ensure", "true");
    let links = json!([
        { "name": "en0", "kind": "macvlan", "parent": "eth1", "addresses": ["10.99.0.5/24"] },
    ]);
    host.set_param("links", links.to_string());
    host.set_param("existing", json!({ "links": ["eth1"] }).to_string());
    let routes = json!([{ "destination": "10.98.0.0/16", "gateway": "10.99.0.1" }]);
    host.set_param("routes", routes.to_string());
    host.run(&RECIPE).unwrap();
    host.run(&RECIPE).unwrap();
    assert_eq!(host.prints(), ["changes: 3", "changes: 0"]);
}

#[test]
fn every_kind_of_link_is_known() {
    for kind in netwright_network::kind::names() {
        let found = faults(json!({ "links": [{ "name": "a", "kind": kind }] }));
        assert!(!found.contains("unknown kind"), "{kind}: {found}");
    }
}
