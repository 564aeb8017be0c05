//! Links and addresses as ip(8) prints them.

use std::fmt::Write;

use netwright_sdk::host::links::Link;
use netwright_sdk::host::namespaces::Namespace;
use netwright_sdk::wit::addresses::{AddressFlags, Info as AddressInfo};
use netwright_sdk::wit::links::Info;
use netwright_sdk::wit::types::{Attribute, IpAddress, MacAddress};

use crate::inet::text_of;
use crate::names::{group_name, scope_name};

fn find<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a str> {
    attributes.iter().find(|attribute| attribute.name == name).map(|found| found.value.as_str())
}

pub(crate) fn mac_text(mac: &MacAddress) -> String {
    let (a, b, c, d, e, f) = *mac;
    format!("{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}")
}

/// What stands after `@`: the lower link or the other end, by name where it is in the same
/// namespace, otherwise by index.
pub(crate) fn lower(namespace: &Namespace, info: &Info) -> String {
    let Some(lower) = info.parent.as_ref().or(info.peer.as_ref()) else { return String::new() };
    let here = namespace.name();
    let elsewhere = lower.namespace.as_ref().filter(|name| **name != here);
    let Some(place) = elsewhere else { return format!("@{}", lower.name) };
    let there = if place.is_empty() { Namespace::root() } else { Namespace::open(place) };
    let there = there.ok();
    let index =
        there.and_then(|there| Link::open(&there, &lower.name).ok()).map(|link| link.index());
    index.map_or_else(|| format!("@{}", lower.name), |index| format!("@if{index}"))
}

/// The two lines of a link, its [`lower`] one given; `ip link show` tells its mode too.
pub(crate) fn link_lines(info: &Info, lower: &str, mode: bool) -> String {
    let mut text = format!("{}: {}{lower}: <{}>", info.index, info.name, info.flags.join(","));
    let _infallible = write!(text, " mtu {}", info.mtu);
    if let Some(discipline) = find(&info.extra, "qdisc") {
        let _infallible = write!(text, " qdisc {discipline}");
    }
    if let Some(master) = &info.master {
        let _infallible = write!(text, " master {master}");
    }
    let _infallible = write!(text, " state {}", info.operational_state.to_ascii_uppercase());
    if mode {
        text.push_str(" mode DEFAULT");
    }
    let group = group_name(info.group);
    let _infallible = write!(text, " group {group} qlen {}", info.transmit_queue_length);
    text.push('\n');
    text.push_str(&hardware_line(info));
    if let Some(alias) = &info.alias {
        let _infallible = writeln!(text, "    alias {alias}");
    }
    text
}

/// All of it on one line, as with `-oneline`.
pub(crate) fn one_line(text: &str) -> String {
    text.trim_end().replace('\n', "\\") + "\n"
}

/// What begins the line of a link with `-brief`.
fn brief_head(info: &Info, lower: &str) -> String {
    let name = format!("{}{lower}", info.name);
    format!("{name:<16} {:<14} ", info.operational_state.to_ascii_uppercase())
}

/// As `ip -brief link` prints it.
pub(crate) fn brief_link(info: &Info, lower: &str) -> String {
    let mac = info.mac.as_ref().map(|mac| format!("{} ", mac_text(mac))).unwrap_or_default();
    format!("{}{mac}<{}>\n", brief_head(info, lower), info.flags.join(","))
}

/// As `ip -brief address` prints it.
pub(crate) fn brief_addresses(info: &Info, lower: &str, addresses: &[&AddressInfo]) -> String {
    let own = addresses.iter().map(|one| prefix_words(one)).collect::<Vec<_>>().join(" ");
    format!("{}{own}\n", brief_head(info, lower))
}

fn prefix_words(info: &AddressInfo) -> String {
    let address = &info.address;
    let own = text_of(&address.prefix.address);
    match &address.peer {
        Some(peer) => format!("{own} peer {}/{}", text_of(&peer.address), peer.length),
        None => format!("{own}/{}", address.prefix.length),
    }
}

fn hardware_line(info: &Info) -> String {
    let Some(mac) = &info.mac else { return "    link/none\n".to_owned() };
    let mac = mac_text(mac);
    if info.kind == "loopback" {
        return format!("    link/loopback {mac} brd 00:00:00:00:00:00\n");
    }
    let broadcast = find(&info.extra, "broadcast").unwrap_or("ff:ff:ff:ff:ff:ff");
    format!("    link/ether {mac} brd {broadcast}\n")
}

/// The two lines of an address.
pub(crate) fn address_lines(info: &AddressInfo) -> String {
    let address = &info.address;
    let four = matches!(address.prefix.address, IpAddress::Ipv4(_));
    let family = if four { "inet" } else { "inet6" };
    let mut text = format!("    {family} {}", prefix_words(info));
    if let Some(metric) = address.metric.filter(|metric| *metric != 0) {
        let _infallible = write!(text, " metric {metric}");
    }
    if let Some(broadcast) = &address.broadcast {
        let _infallible = write!(text, " brd {}", text_of(broadcast));
    }
    if let Some(anycast) = &address.anycast {
        let _infallible = write!(text, " any {}", text_of(anycast));
    }
    let _infallible = write!(text, " scope {}", scope_name(address.scope.unwrap_or(0)));
    for flag in flags(info, four) {
        text.push(' ');
        text.push_str(flag);
    }
    if four {
        let _infallible = write!(text, " {}", address.label.as_deref().unwrap_or(&info.link));
    }
    let valid = lifetime(address.valid_lifetime);
    let preferred = lifetime(address.preferred_lifetime);
    let _infallible = writeln!(text, "\n       valid_lft {valid} preferred_lft {preferred}");
    text
}

/// In the order of ip/ipaddress.c, `ifa_flag_names`.
fn flags(info: &AddressInfo, four: bool) -> Vec<&'static str> {
    let has = |flag: AddressFlags| info.address.flags & flag == flag;
    let secondary = if four { "secondary" } else { "temporary" };
    [
        (info.secondary, secondary),
        (has(AddressFlags::NODAD), "nodad"),
        (has(AddressFlags::OPTIMISTIC), "optimistic"),
        (info.duplicate, "dadfailed"),
        (has(AddressFlags::HOME), "home"),
        (info.deprecated, "deprecated"),
        (info.tentative, "tentative"),
        (info.dynamic, "dynamic"),
        (has(AddressFlags::MNGTMPADDR), "mngtmpaddr"),
        (has(AddressFlags::NOPREFIXROUTE), "noprefixroute"),
        (has(AddressFlags::AUTOJOIN), "autojoin"),
    ]
    .into_iter()
    .filter_map(|(set, name)| set.then_some(name))
    .collect()
}

fn lifetime(seconds: Option<u32>) -> String {
    seconds.map_or_else(|| "forever".to_owned(), |seconds| format!("{seconds}sec"))
}

/// The line of a tun or tap, nothing for any other link.
pub(crate) fn tuntap_line(info: &Info) -> Option<String> {
    let kind = match info.kind.as_str() {
        "tun" => find(&info.data, "type").unwrap_or("tun"),
        "tap" => "tap",
        _other => return None,
    };
    let mut text = format!("{}: {kind}", info.name);
    for flag in ["pi", "one_queue", "vnet_hdr", "multi_queue", "persist"] {
        if find(&info.data, flag).is_some_and(|value| value != "off") {
            let _infallible = write!(text, " {flag}");
        }
    }
    for owner in ["user", "group"] {
        if let Some(value) = find(&info.data, owner) {
            let _infallible = write!(text, " {owner} {value}");
        }
    }
    text.push('\n');
    Some(text)
}

#[cfg(test)]
#[path = "show_link_tests.rs"]
mod tests;
