//! What `netwright inspect` shows, for people and as JSON.

use std::fmt::Write as _;

use serde::Serialize;

use crate::change::{AddressInfo, LinkInfo, LinkName, Name, Route};
use crate::report;

/// RT_TABLE_LOCAL, rtnetlink(7): the kernel's own, one entry for each address.
const LOCAL: u32 = 255;
/// RT_TABLE_MAIN.
const MAIN: u32 = 254;

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
    #[serde(skip_serializing_if = "Option::is_none")]
    gateway: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) link: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metric: Option<u32>,
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
    LinkView {
        addresses: addresses
            .iter()
            .filter(|address| address.link == info.name)
            .map(|address| address.address.prefix.to_string())
            .collect(),
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
    let table = route.table.unwrap_or(MAIN);
    if table == LOCAL {
        return Vec::new();
    }
    let destination =
        route.destination.map_or_else(|| "default".to_owned(), |prefix| prefix.to_string());
    let bare = RouteView { destination, gateway: None, link: None, metric: route.metric, table };
    if route.next_hops.is_empty() {
        return vec![bare];
    }
    route
        .next_hops
        .iter()
        .map(|hop| RouteView {
            destination: bare.destination.clone(),
            gateway: hop.gateway.map(|gateway| gateway.to_string()),
            link: hop.link.clone(),
            ..bare
        })
        .collect()
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
        }
        if let What::Deployment { changes, .. } = &self.what
            && !changes.is_empty()
        {
            text.push_str("beside that\n");
            for change in changes {
                let _ = writeln!(text, "  {}", report::escape(change));
            }
        }
        text
    }
}

/// Each by itself, for only a single word is ever cut off. A program inside the lab may have given
/// links any names.
fn joined(words: &[String]) -> String {
    words.iter().map(|word| report::escape(word)).collect::<Vec<_>>().join(" ")
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
        words.extend(self.addresses.iter().cloned());
        words.extend(self.qdisc.clone());
        words.extend(self.vlans.iter().cloned());
        joined(&words)
    }
}

impl RouteView {
    fn line(&self) -> String {
        let mut words = vec![self.destination.clone()];
        words.extend(self.gateway.as_ref().map(|gateway| format!("via {gateway}")));
        words.extend(self.link.as_ref().map(|link| format!("dev {link}")));
        words.extend(self.metric.map(|metric| format!("metric {metric}")));
        if self.table != MAIN {
            words.push(format!("table {}", self.table));
        }
        joined(&words)
    }
}

#[cfg(test)]
mod tests {
    use super::{Inspection, NamespaceView, RouteView, What};

    #[test]
    fn a_name_that_a_program_in_the_lab_gave_does_not_steer_the_terminal() {
        let link = Some("\u{1b}[2J".to_owned());
        let destination = "default".to_owned();
        let route = RouteView { destination, gateway: None, link, metric: None, table: 254 };
        let namespace =
            NamespaceView { name: String::new(), links: Vec::new(), routes: vec![route] };
        let what = What::Lab { lab: "x".to_owned() };
        let found = Inspection { schema: 1, what, namespaces: vec![namespace] };
        assert_eq!(found.text(), "(root)\n  route default dev \\u{1b}[2J\n");
    }
}
