//! Reads the checks of a scenario.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use netwright_network::setting;
use netwright_network::units;

use super::check::{
    AddressCheck, ArpCheck, Because, Check, Expect, ExpectTcp, LinkCheck, NeighbourCheck,
    PingCheck, RouteCheck, SysctlCheck, TcpCheck,
};
use super::frames;
use super::link_words::{kinds, known, mode};
use crate::change::{Name, NeighbourState};
use crate::document::{Entry, Fields, Node, Reader, Value, quote, suggestion};

const EXPECT: &[(&str, Expect)] = &[("reply", Expect::Reply), ("unreachable", Expect::Unreachable)];

const STATES: &[(&str, NeighbourState)] = &[
    ("none", NeighbourState::None),
    ("incomplete", NeighbourState::Incomplete),
    ("reachable", NeighbourState::Reachable),
    ("stale", NeighbourState::Stale),
    ("delay", NeighbourState::Delay),
    ("probe", NeighbourState::Probe),
    ("failed", NeighbourState::Failed),
    ("noarp", NeighbourState::Noarp),
    ("permanent", NeighbourState::Permanent),
];

type Read = fn(&mut Fields<'_>, &mut Reader) -> Option<Check>;

/// Each check's word, what it is called in messages, and what reads it.
const CHECKS: &[(&str, &str, Read)] = &[
    ("link", "a `link` check", link),
    ("address", "an `address` check", address),
    ("ping", "a `ping` check", ping),
    ("route", "a `route` check", route),
    ("neighbour", "a `neighbour` check", neighbour),
    ("arp", "an `arp` check", arp),
    ("tcp", "a `tcp` check", tcp),
    ("sysctl", "a `sysctl` check", sysctl),
    ("frames", "a `frames` check", frames::check),
];

/// The checks that send something, which frames can be counted during.
const PROBES: &[&str] = &["ping", "arp", "tcp"];

/// Reads one item of `checks`.
pub(crate) fn read(node: &Node, reader: &mut Reader) -> Option<Check> {
    let Value::Map(entries) = &node.value else {
        return reader.wrong(node, "a check, such as `ping: { from: ns1, to: 10.0.0.1 }`,");
    };
    let [entry] = entries.as_slice() else {
        reader.fault(&node.span, "a check is one word with its own keys, such as `ping: { … }`");
        return None;
    };
    let Some((_, what, read)) = CHECKS.iter().find(|(word, ..)| *word == entry.key) else {
        unknown(entry, reader);
        return None;
    };
    read_entry(entry, what, *read, reader)
}

/// Reads the probe that frames are counted during.
pub(crate) fn read_probe(node: &Node, reader: &mut Reader) -> Option<Check> {
    let Value::Map(entries) = &node.value else {
        return reader.wrong(node, "a probe, such as `ping: { from: ns1, to: 10.0.0.1 }`,");
    };
    let [entry] = entries.as_slice() else {
        reader.fault(&node.span, "a probe is one word with its own keys, such as `ping: { … }`");
        return None;
    };
    let mut probes = CHECKS.iter().filter(|(word, ..)| PROBES.contains(word));
    let Some((_, what, read)) = probes.find(|(word, ..)| *word == entry.key) else {
        let known = CHECKS.iter().any(|(word, ..)| *word == entry.key);
        let near = suggestion(&entry.key, PROBES.iter().copied()).filter(|_| !known);
        let help = near.or_else(|| Some(format!("there are {}", PROBES.join(", "))));
        let message = format!("{} is no probe that sends frames", quote(&entry.key));
        reader.fault_with(&entry.key_span, message, help);
        return None;
    };
    let check = read_entry(entry, what, *read, reader)?;
    for (key, given) in [("within", check.within()), ("stays", check.stays())] {
        if given.is_some() {
            let message = format!("`{key}` belongs to the `frames` check, not to its probe");
            reader.fault(&node.span, message);
        }
    }
    Some(check)
}

fn read_entry(entry: &Entry, what: &'static str, read: Read, reader: &mut Reader) -> Option<Check> {
    let mut fields = reader.map(&entry.value, what)?;
    let before = reader.faults.len();
    let check = read(&mut fields, reader);
    reader.close(fields);
    check.filter(|_| reader.faults.len() == before)
}

fn unknown(entry: &Entry, reader: &mut Reader) {
    let words = || CHECKS.iter().map(|(word, ..)| *word);
    let help = suggestion(&entry.key, words())
        .or_else(|| Some(format!("there are {}", words().collect::<Vec<_>>().join(", "))));
    reader.fault_with(&entry.key_span, format!("unknown check {}", quote(&entry.key)), help);
}

pub(super) fn name(
    fields: &mut Fields<'_>,
    reader: &mut Reader,
    key: &'static str,
) -> Option<Name> {
    let read = if matches!(key, "namespace" | "from") { units::namespace } else { units::name };
    fields.get(key).and_then(|node| reader.parsed(node, read))
}

pub(super) fn needed_name(
    fields: &mut Fields<'_>,
    reader: &mut Reader,
    key: &'static str,
) -> Option<Name> {
    fields.need(reader, key).and_then(|node| reader.parsed(node, units::name))
}

fn flag(fields: &mut Fields<'_>, reader: &mut Reader, key: &'static str) -> Option<bool> {
    fields.get(key).and_then(|node| reader.boolean(node))
}

fn number(fields: &mut Fields<'_>, reader: &mut Reader, key: &'static str) -> Option<u32> {
    fields.get(key).and_then(|node| reader.integer(node, 0, u32::MAX))
}

/// `within` and `stays`.
pub(super) fn times(
    fields: &mut Fields<'_>,
    reader: &mut Reader,
) -> (Option<Duration>, Option<Duration>) {
    (time(fields, reader, "within"), time(fields, reader, "stays"))
}

fn time(fields: &mut Fields<'_>, reader: &mut Reader, key: &'static str) -> Option<Duration> {
    let node = fields.get(key)?;
    let duration = reader.parsed(node, units::duration)?;
    if duration.is_zero() || duration > Duration::from_secs(3600) {
        reader.fault(&node.span, "out of range; 1ms to 1h is possible");
        return None;
    }
    Some(duration)
}

/// Only for what nothing shall answer.
fn because(
    fields: &mut Fields<'_>,
    reader: &mut Reader,
    silence_is_wanted: bool,
) -> Option<Because> {
    let node = fields.get("because")?;
    let because = reader.word(node, Because::WORDS)?;
    if !silence_is_wanted {
        let help = Some("write `expect: unreachable` too, or leave `because` out".to_owned());
        let message = "an answer that must come has no reason not to come";
        reader.fault_with(&node.span, message, help);
    }
    Some(because)
}

fn expect(fields: &mut Fields<'_>, reader: &mut Reader) -> Option<Expect> {
    match fields.get("expect") {
        Some(node) => reader.word(node, EXPECT),
        None => Some(Expect::Reply),
    }
}

fn link(fields: &mut Fields<'_>, reader: &mut Reader) -> Option<Check> {
    let namespace = name(fields, reader, "namespace");
    let link = needed_name(fields, reader, "name");
    let exists = flag(fields, reader, "exists").unwrap_or(true);
    let kind = fields.get("kind").and_then(|node| known(node, reader, "kind", &kinds()));
    let mode = fields.get("mode").and_then(|node| mode(node, kind.as_deref(), reader));
    let (within, stays) = times(fields, reader);
    let check = LinkCheck {
        namespace,
        exists,
        kind,
        mode,
        up: flag(fields, reader, "up"),
        carrier: flag(fields, reader, "carrier"),
        mtu: number(fields, reader, "mtu"),
        mac: fields.get("mac").and_then(|node| reader.parsed(node, units::mac)),
        parent: fields.get("parent").and_then(|node| reader.parsed(node, units::link_name)),
        master: name(fields, reader, "master"),
        promiscuity: number(fields, reader, "promiscuity"),
        within,
        stays,
        name: link?,
    };
    let bare = LinkCheck {
        kind: None,
        mode: None,
        up: None,
        carrier: None,
        mtu: None,
        mac: None,
        parent: None,
        master: None,
        promiscuity: None,
        ..check.clone()
    };
    if !exists && bare != check {
        reader.fault(fields.span(), "a link that must not exist can't be asked for anything else");
    }
    Some(Check::Link(check))
}

fn address(fields: &mut Fields<'_>, reader: &mut Reader) -> Option<Check> {
    let namespace = name(fields, reader, "namespace");
    let link = needed_name(fields, reader, "link");
    let is = fields.need(reader, "is").and_then(|node| reader.parsed(node, units::prefix));
    let absent = flag(fields, reader, "absent").unwrap_or(false);
    let (within, stays) = times(fields, reader);
    Some(Check::Address(AddressCheck { namespace, link: link?, is: is?, absent, within, stays }))
}

fn ping(fields: &mut Fields<'_>, reader: &mut Reader) -> Option<Check> {
    let from = name(fields, reader, "from");
    let to = fields.need(reader, "to").and_then(|node| reader.parsed(node, units::address));
    let count = fields.get("count").map_or(Some(1), |node| reader.integer(node, 1, 1000));
    let expect = expect(fields, reader);
    let because = because(fields, reader, expect != Some(Expect::Reply));
    let (within, stays) = times(fields, reader);
    let check = PingCheck { from, to: to?, count: count?, expect: expect?, because, within, stays };
    Some(Check::Ping(check))
}

fn route(fields: &mut Fields<'_>, reader: &mut Reader) -> Option<Check> {
    let namespace = name(fields, reader, "namespace");
    let destination =
        fields.need(reader, "destination").and_then(|node| reader.parsed(node, units::destination));
    let gateway_node = fields.get("gateway");
    let gateway = gateway_node.and_then(|node| reader.parsed(node, units::address));
    let (within, stays) = times(fields, reader);
    let check = RouteCheck {
        namespace,
        gateway,
        link: name(fields, reader, "link"),
        metric: number(fields, reader, "metric"),
        table: number(fields, reader, "table"),
        absent: flag(fields, reader, "absent").unwrap_or(false),
        within,
        stays,
        destination: destination?,
    };
    if let (Some(node), Some(gateway), Some(destination)) =
        (gateway_node, gateway, check.destination)
        && gateway.is_ipv4() != destination.address.is_ipv4()
    {
        let message = format!(
            "gateway {gateway} is {}, destination {destination} is {}",
            family(&gateway),
            family(&destination.address)
        );
        reader.fault(&node.span, message);
    }
    Some(Check::Route(check))
}

fn family(address: &IpAddr) -> &'static str {
    if address.is_ipv4() { "IPv4" } else { "IPv6" }
}

fn neighbour(fields: &mut Fields<'_>, reader: &mut Reader) -> Option<Check> {
    let namespace = name(fields, reader, "namespace");
    let address =
        fields.need(reader, "address").and_then(|node| reader.parsed(node, units::address));
    let (within, stays) = times(fields, reader);
    Some(Check::Neighbour(NeighbourCheck {
        namespace,
        link: name(fields, reader, "link"),
        mac: fields.get("mac").and_then(|node| reader.parsed(node, units::mac)),
        state: fields.get("state").and_then(|node| reader.word(node, STATES)),
        absent: flag(fields, reader, "absent").unwrap_or(false),
        within,
        stays,
        address: address?,
    }))
}

fn arp(fields: &mut Fields<'_>, reader: &mut Reader) -> Option<Check> {
    let from = name(fields, reader, "from");
    let link = needed_name(fields, reader, "link");
    let to = fields.need(reader, "to").and_then(|node| reader.parsed(node, ipv4));
    let expect = expect(fields, reader);
    let mac_node = fields.get("mac");
    let mac = mac_node.and_then(|node| reader.parsed(node, units::mac));
    if let (Some(node), Some(Expect::Unreachable)) = (mac_node, expect) {
        reader.fault(&node.span, "where no answer is expected, no station gives it");
    }
    let because = because(fields, reader, expect != Some(Expect::Reply));
    let (within, stays) = times(fields, reader);
    let (link, to, expect) = (link?, to?, expect?);
    Some(Check::Arp(ArpCheck { from, link, to, expect, because, mac, within, stays }))
}

fn ipv4(text: &str) -> Result<Ipv4Addr, String> {
    match units::address(text)? {
        IpAddr::V4(address) => Ok(address),
        IpAddr::V6(_) => Err(format!("{} is IPv6; ARP is for IPv4 (RFC 826)", quote(text))),
    }
}

fn tcp(fields: &mut Fields<'_>, reader: &mut Reader) -> Option<Check> {
    let words = [
        ("open", ExpectTcp::Open),
        ("refused", ExpectTcp::Refused),
        ("unreachable", ExpectTcp::Unreachable),
    ];
    let from = name(fields, reader, "from");
    let to = fields.need(reader, "to").and_then(|node| reader.parsed(node, units::address));
    let port = fields.need(reader, "port").and_then(|node| reader.integer(node, 1, u16::MAX));
    let expect =
        fields.get("expect").map_or(Some(ExpectTcp::Open), |node| reader.word(node, &words));
    let silence = !matches!(expect, Some(ExpectTcp::Open | ExpectTcp::Refused));
    let because = because(fields, reader, silence);
    let (within, stays) = times(fields, reader);
    let (to, port, expect) = (to?, port?, expect?);
    Some(Check::Tcp(TcpCheck { from, to, port, expect, because, within, stays }))
}

fn sysctl(fields: &mut Fields<'_>, reader: &mut Reader) -> Option<Check> {
    let namespace = name(fields, reader, "namespace");
    let key = fields.need(reader, "key").and_then(|node| reader.parsed(node, setting::written));
    let is = fields.need(reader, "is").and_then(|node| {
        let scalar = matches!(node.value, Value::Text(_) | Value::Integer(_));
        if scalar {
            Some(node.to_parameter().trim().to_owned())
        } else {
            reader.wrong(node, "text or a number")
        }
    });
    let (within, stays) = times(fields, reader);
    Some(Check::Sysctl(SysctlCheck { namespace, key: key?, is: is?, within, stays }))
}
