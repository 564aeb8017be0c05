//! What `netwright inspect` shows, for people and as JSON.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use crate::change::{
    AddressInfo, LinkInfo, LinkName, Name, NextHop, Route, RouteKind, Rule, TABLE_LOCAL, TABLE_MAIN,
};
use crate::text;

/// RTPROT_KERNEL and RTPROT_BOOT: what follows from links and addresses, and what is put by hand.
const USUAL: [&str; 2] = ["kernel", "boot"];
/// Of /etc/iproute2/rt_protos as it is delivered.
const PROTOCOLS: &[(u8, &str)] = &[
    (0, "unspec"),
    (1, "redirect"),
    (2, "kernel"),
    (3, "boot"),
    (4, "static"),
    (9, "ra"),
    (11, "zebra"),
    (12, "bird"),
    (16, "dhcp"),
    (18, "keepalived"),
    (42, "babel"),
    (99, "openr"),
    (186, "bgp"),
    (187, "isis"),
    (188, "ospf"),
    (189, "rip"),
    (192, "eigrp"),
];
/// Rules of every new namespace (net/ipv4/fib_rules.c).
const OWN_RULES: [u32; 3] = [0, 32766, 32767];

#[derive(Debug, Serialize)]
pub(super) struct Inspection {
    pub(super) schema: u32,
    #[serde(flatten)]
    pub(super) what: What,
    pub(super) namespaces: Vec<NamespaceView>,
}

/// Whose namespaces they are.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum What {
    Lab {
        lab: String,
    },
    Deployment {
        deployment: String,
        /// what it changed beside what it made, in ip(8)'s words
        changes: Vec<String>,
    },
}

#[derive(Debug, Serialize)]
pub(super) struct NamespaceView {
    /// Empty for the root namespace.
    pub(super) name: String,
    pub(super) links: Vec<LinkView>,
    pub(super) routes: Vec<RouteView>,
    /// all but those that every namespace has, in ip(8)'s words
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) rules: Vec<String>,
    /// those below /proc/sys that its scenario sets, as they are now
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) settings: BTreeMap<String, String>,
}

#[derive(Debug, Serialize)]
pub(super) struct LinkView {
    pub(super) name: String,
    index: u32,
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    master: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    peer: Option<String>,
    mac: Option<String>,
    mtu: u32,
    up: bool,
    carrier: bool,
    promiscuity: u32,
    addresses: Vec<String>,
    /// those of the addresses that another station has, so that they can't be used
    #[serde(skip_serializing_if = "Vec::is_empty")]
    dadfailed: Vec<String>,
    /// the root discipline that somebody put there, in tc(8)'s words
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) qdisc: Option<String>,
    /// of a bridge's port, in bridge(8)'s words
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) vlans: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct RouteView {
    destination: String,
    /// where it is not unicast
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gateway: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) link: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metric: Option<u32>,
    /// of one of several next hops
    #[serde(skip_serializing_if = "Option::is_none")]
    weight: Option<u16>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    onlink: bool,
    /// who put it there, by name where it has one
    #[serde(skip_serializing_if = "Option::is_none")]
    protocol: Option<String>,
    table: u32,
}

/// `NAMESPACE/LINK` where it is in another namespace, `/LINK` for the root namespace.
fn relative(link: &LinkName, from: &Option<Name>) -> String {
    match &link.namespace {
        Some(other) if other != from => {
            format!("{}/{}", other.as_ref().map(Name::as_str).unwrap_or_default(), link.name)
        }
        Some(_) | None => link.name.clone(),
    }
}

pub(super) fn link_view(
    info: LinkInfo,
    namespace: &Option<Name>,
    addresses: &[AddressInfo],
) -> LinkView {
    let mode = info.data.iter().find(|each| each.name == "mode").map(|each| each.value.clone());
    let of_link = |such: fn(&AddressInfo) -> bool| -> Vec<String> {
        let own = addresses.iter().filter(|address| address.link == info.name && such(address));
        own.map(|address| address.address.prefix.to_string()).collect()
    };
    LinkView {
        addresses: of_link(|_| true),
        dadfailed: of_link(|address| address.duplicate),
        mode,
        parent: info.parent.map(|parent| relative(&parent, namespace)),
        peer: info.peer.map(|peer| relative(&peer, namespace)),
        name: info.name,
        index: info.index,
        kind: info.kind,
        master: info.master,
        mac: info.mac.map(|mac| mac.to_string()),
        mtu: info.mtu,
        up: info.up,
        carrier: info.carrier,
        promiscuity: info.promiscuity,
        qdisc: None,
        vlans: Vec::new(),
    }
}

/// One for each next hop; the kernel's own table of local addresses is left out.
pub(super) fn route_views(route: &Route) -> Vec<RouteView> {
    let table = route.table.unwrap_or(TABLE_MAIN);
    if table == TABLE_LOCAL {
        return Vec::new();
    }
    let destination =
        route.destination.map_or_else(|| "default".to_owned(), |prefix| prefix.to_string());
    let view = |hop: Option<&NextHop>| RouteView {
        destination: destination.clone(),
        kind: (route.kind != RouteKind::Unicast).then(|| route.kind.word()),
        gateway: hop.and_then(|hop| hop.gateway).map(|gateway| gateway.to_string()),
        link: hop.and_then(|hop| hop.link.clone()),
        metric: route.metric,
        weight: hop.filter(|_| route.next_hops.len() > 1).map(|hop| hop.weight),
        onlink: hop.is_some_and(|hop| hop.onlink),
        protocol: route.protocol.map(protocol),
        table,
    };
    if route.next_hops.is_empty() {
        return vec![view(None)];
    }
    route.next_hops.iter().map(|hop| view(Some(hop))).collect()
}

fn protocol(number: u8) -> String {
    let known = PROTOCOLS.iter().find(|(known, _)| *known == number);
    known.map_or_else(|| number.to_string(), |(_, name)| (*name).to_owned())
}

/// Rules beside those that every namespace has.
pub(super) fn rule_views(rules: &[Rule]) -> Vec<String> {
    let given = rules.iter().filter(|rule| !OWN_RULES.contains(&rule.priority.unwrap_or(0)));
    given.map(ToString::to_string).collect()
}

impl Inspection {
    /// For people: a namespace, its links, their addresses, its routes.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for namespace in &self.namespaces {
            let name = if namespace.name.is_empty() { "(root)" } else { &namespace.name };
            text.push_str(name);
            text.push('\n');
            for link in &namespace.links {
                // Writing to a string can't fail.
                let _ = writeln!(text, "  {}", link.line());
            }
            for route in &namespace.routes {
                let _ = writeln!(text, "  route {}", route.line());
            }
            for rule in &namespace.rules {
                let _ = writeln!(text, "  rule {}", text::escape(rule));
            }
            for (key, value) in &namespace.settings {
                let _ = writeln!(text, "  sysctl {}={}", text::escape(key), text::escape(value));
            }
        }
        if let What::Deployment { changes, .. } = &self.what
            && !changes.is_empty()
        {
            text.push_str("beside that\n");
            for change in changes {
                let _ = writeln!(text, "  {}", text::escape(change));
            }
        }
        text
    }
}

/// Each by itself, for only a single word is ever cut off. A program inside the lab may have given
/// links any names.
fn joined(words: &[String]) -> String {
    words.iter().map(|word| text::escape(word)).collect::<Vec<_>>().join(" ")
}

impl LinkView {
    fn line(&self) -> String {
        let mut words = vec![format!("{}: {}", self.name, self.kind)];
        words.extend(self.mode.as_ref().map(|mode| format!("mode {mode}")));
        words.extend(self.parent.as_ref().map(|parent| format!("on {parent}")));
        words.extend(self.peer.as_ref().map(|peer| format!("to {peer}")));
        words.extend(self.master.as_ref().map(|master| format!("in {master}")));
        words.push(if self.up { "up" } else { "down" }.to_owned());
        if self.up && !self.carrier {
            words.push("no carrier".to_owned());
        }
        if self.promiscuity > 0 {
            words.push("promiscuous".to_owned());
        }
        words.push(format!("mtu {}", self.mtu));
        words.extend(self.mac.clone());
        for address in &self.addresses {
            words.push(address.clone());
            words.extend(self.dadfailed.contains(address).then(|| "dadfailed".to_owned()));
        }
        words.extend(self.qdisc.clone());
        words.extend(self.vlans.iter().cloned());
        joined(&words)
    }
}

impl RouteView {
    fn line(&self) -> String {
        let mut words: Vec<String> = self.kind.map(str::to_owned).into_iter().collect();
        words.push(self.destination.clone());
        words.extend(self.gateway.as_ref().map(|gateway| format!("via {gateway}")));
        words.extend(self.link.as_ref().map(|link| format!("dev {link}")));
        words.extend(self.weight.map(|weight| format!("weight {weight}")));
        words.extend(self.onlink.then(|| "onlink".to_owned()));
        let told = self.protocol.as_ref().filter(|name| !USUAL.contains(&name.as_str()));
        words.extend(told.map(|name| format!("proto {name}")));
        words.extend(self.metric.map(|metric| format!("metric {metric}")));
        if self.table != TABLE_MAIN {
            words.push(format!("table {}", self.table));
        }
        joined(&words)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Inspection, NamespaceView, RouteView, What};

    fn route(link: &str) -> RouteView {
        RouteView {
            destination: "default".to_owned(),
            kind: None,
            gateway: None,
            link: Some(link.to_owned()),
            metric: None,
            weight: None,
            onlink: false,
            protocol: Some("boot".to_owned()),
            table: crate::change::TABLE_MAIN,
        }
    }

    fn text_of(route: RouteView, rules: Vec<String>) -> String {
        let (name, links, routes) = (String::new(), Vec::new(), vec![route]);
        let settings = BTreeMap::from([("net.ipv4.ip_forward".to_owned(), "1".to_owned())]);
        let namespace = NamespaceView { name, links, routes, rules, settings };
        let what = What::Lab { lab: "x".to_owned() };
        Inspection { schema: 1, what, namespaces: vec![namespace] }.text()
    }

    #[test]
    fn a_name_that_a_program_in_the_lab_gave_does_not_steer_the_terminal() {
        let rule = "from all iif \u{1b}[2J lookup 9".to_owned();
        let text = text_of(route("\u{1b}[2J"), vec![rule]);
        let expected = "(root)\n  route default dev \\u{1b}[2J\n  rule from all iif \\u{1b}[2J lookup 9\n  sysctl net.ipv4.ip_forward=1\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_route_is_shown_with_all_that_makes_it_another_one() {
        let plain = RouteView { gateway: Some("10.0.0.1".to_owned()), ..route("e0") };
        let weighed = RouteView {
            weight: Some(3),
            onlink: true,
            protocol: Some("ospf".to_owned()),
            metric: Some(20),
            table: 9,
            ..plain
        };
        let line = "(root)\n  route default via 10.0.0.1 dev e0 weight 3 onlink proto ospf metric 20 table 9\n  sysctl net.ipv4.ip_forward=1\n";
        assert_eq!(text_of(weighed, Vec::new()), line);
        let blackhole = RouteView {
            kind: Some("blackhole"),
            destination: "10.0.0.0/8".to_owned(),
            link: None,
            ..route("")
        };
        assert_eq!(
            text_of(blackhole, Vec::new()),
            "(root)\n  route blackhole 10.0.0.0/8\n  sysctl net.ipv4.ip_forward=1\n"
        );
    }
}
