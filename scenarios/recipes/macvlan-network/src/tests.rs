//! Who gets which address, and what is refused.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use netwright_topology::{Fault, Reader};
use serde_json::{Value, json};

use crate::read;

/// The seed's network, with what a test changes in it; `null` takes a key out.
fn network(changes: Value) -> Value {
    let mut network = json!({
        "name": "macnet",
        "subnet": "192.168.2.0/24",
        "gateway": "192.168.2.1",
        "parent": "enp0s5",
        "endpoints": ["c1", "c2"],
    });
    let entries = network.as_object_mut().unwrap();
    for (key, value) in changes.as_object().unwrap() {
        if value.is_null() {
            entries.remove(key);
        } else {
            entries.insert(key.clone(), value.clone());
        }
    }
    network
}

fn lines(changes: Value) -> Vec<String> {
    let mut reader = Reader::default();
    let request = read(&network(changes), &mut reader).unwrap();
    assert_eq!(reader.faults, []);
    request.lines
}

/// `parameter/pointer: message | help`, one a line.
fn faults(changes: Value) -> String {
    let mut reader = Reader::default();
    read(&network(changes), &mut reader);
    let line = |fault: &Fault| {
        let help = fault.help.as_ref().map_or(String::new(), |help| format!(" | {help}"));
        let place = &fault.place;
        format!("{}{}: {}{help}", place.parameter, place.pointer, fault.message)
    };
    reader.faults.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn addresses_are_given_in_turn_around_what_is_taken() {
    let changes = json!({
        "aux-address": { "router": "192.168.2.3", "printer": "192.168.2.5" },
        "endpoints": ["c1", { "name": "c2", "ip": "192.168.2.2" }, "c3", "c4"],
    });
    assert_eq!(
        lines(changes),
        [
            "endpoint c1: 192.168.2.4/24 02:42:c0:a8:02:04",
            "endpoint c2: 192.168.2.2/24 02:42:c0:a8:02:02",
            "endpoint c3: 192.168.2.6/24 02:42:c0:a8:02:06",
            "endpoint c4: 192.168.2.7/24 02:42:c0:a8:02:07",
        ]
    );
}

#[test]
fn without_a_gateway_the_first_free_address_is_it() {
    assert_eq!(
        lines(json!({ "gateway": null, "ip-range": "192.168.2.192/27", "endpoints": ["c1"] })),
        ["endpoint c1: 192.168.2.193/24 02:42:c0:a8:02:c1"]
    );
}

#[test]
fn an_endpoint_has_an_address_of_each_family() {
    let changes = json!({
        "subnet": ["192.168.2.0/24", "2001:db8::/64"],
        "gateway": ["192.168.2.1", "2001:db8::1"],
        "endpoints": [{ "name": "c1", "ip6": "2001:db8::9", "mac": "02:00:00:00:00:09" }, "c2"],
    });
    assert_eq!(
        lines(changes),
        [
            "endpoint c1: 2001:db8::9/64 192.168.2.2/24 02:00:00:00:00:09",
            "endpoint c2: 192.168.2.3/24 2001:db8::2/64 02:42:c0:a8:02:03",
        ]
    );
}

#[test]
fn two_nodes_share_one_pool() {
    let changes = json!({
        "parent": ["node1/enp0s5", "node2/enp0s5"],
        "endpoints": [{ "name": "c1", "node": "node1" }, { "name": "c3", "node": "node2" }],
    });
    assert_eq!(
        lines(changes),
        [
            "endpoint c1: 192.168.2.2/24 02:42:c0:a8:02:02",
            "endpoint c3: 192.168.2.3/24 02:42:c0:a8:02:03",
        ]
    );
}

#[test]
fn a_network_of_two_addresses_has_both_of_them() {
    let changes = json!({ "subnet": "10.0.0.0/31", "gateway": "10.0.0.0", "endpoints": ["c1"] });
    assert_eq!(lines(changes), ["endpoint c1: 10.0.0.1/31 02:42:0a:00:00:01"]);
}

#[test]
fn exhaustion_names_the_endpoint_that_gets_none() {
    let changes = json!({ "ip-range": "192.168.2.0/30", "endpoints": ["c1", "c2", "c3"] });
    assert_eq!(
        faults(changes),
        "endpoints/2: no address is left for endpoint `c3` in 192.168.2.0/30 | it has room for 2; take a larger one"
    );
}

#[test]
fn wrong_subnets_gateways_and_ranges_are_refused() {
    let changes = json!({
        "subnet": ["192.168.2.1/24", "10.0.0.0/8", "10.1.0.0/16"],
        "gateway": ["172.16.0.1", "10.0.0.1", "10.0.0.2", "10.0.0.x"],
        "ip-range": ["10.0.0.0/7", "10.9.0.0/16"],
        "aux-address": { "a": "10.0.0.1", "b": "192.168.9.9" },
        "mode": "brigde",
        "parent": "lo",
        "moed": "x",
        "endpoints": [],
    });
    let expected = "\
subnet/0: `192.168.2.1/24` has bits behind its prefix length | the network is 192.168.2.0/24
subnet/2: subnet 10.1.0.0/16 overlaps 10.0.0.0/8
aux-address/b: auxiliary address 192.168.9.9 is in no subnet | there is 10.0.0.0/8
gateway/0: gateway 172.16.0.1 is in no subnet | there is 10.0.0.0/8
gateway/2: subnet 10.0.0.0/8 has gateway 10.0.0.1 already
gateway/3: `10.0.0.x` is not an IPv4 or IPv6 address
ip-range/0: ip-range 10.0.0.0/7 is larger than 10.0.0.0/8
aux-address/a: auxiliary address 10.0.0.1 is the gateway
mode: unknown mode `brigde` | did you mean `bridge`?
parent: `lo` can't be a parent: the kernel stacks nothing on a loopback";
    assert_eq!(faults(changes), expected);
}

#[test]
fn wrong_endpoints_are_refused() {
    let changes = json!({ "endpoints": [
        { "name": "c1", "ip": "192.168.2.9" },
        { "name": "c1", "ip": "192.168.2.9" },
        { "name": "c2", "ip": "192.168.3.9" },
        { "name": "c3", "ip": "192.168.2.255" },
        { "name": "c4", "ip": "192.168.2.1" },
        { "name": "c5", "ip": "2001:db8::1" },
        { "name": "c6", "node": "node9" },
        { "nmae": "c7" },
        7,
    ]});
    let expected = "\
endpoints/1: endpoint `c1` is item 1 of `endpoints` already
endpoints/5/ip: 2001:db8::1 is IPv6 | did you mean `ip6`?
endpoints/6/node: no parent is in node `node9` | write its parent as `node9/NAME` in `parent`
endpoints/7/nmae: unknown key `nmae` of an endpoint | did you mean `name`?
endpoints/8: text is expected, this is a number | put it in quotes
endpoints/1/ip: 192.168.2.9 is that of endpoint `c1` already
endpoints/2/ip: 192.168.3.9 is in no subnet of the network | there is 192.168.2.0/24
endpoints/3/ip: 192.168.2.255 is the broadcast address already
endpoints/4/ip: 192.168.2.1 is the gateway already";
    assert_eq!(faults(changes), expected);
}

#[test]
fn a_passthru_network_has_one_endpoint_on_a_parent() {
    assert_eq!(
        faults(json!({ "mode": "passthru" })),
        "parent: parent `enp0s5` has the passthru child `eth0` in `c1`, which tolerates no other"
    );
}
