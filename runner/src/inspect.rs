//! What a kept lab holds, as `netwright inspect` shows it.

use std::fmt::Write as _;

use serde::Serialize;

use crate::change::{
    AddressInfo, Answer, Family, LinkInfo, LinkName, Name, NamespaceRef, Query, Route,
};
use crate::exit::{Exit, Failure};
use crate::kernel::{Error, Kernel};
use crate::policy::Policy;
use crate::{lab, report};

/// RT_TABLE_LOCAL, rtnetlink(7): the kernel's own, one entry for each address.
const LOCAL: u32 = 255;
/// RT_TABLE_MAIN.
const MAIN: u32 = 254;

#[derive(Debug, Serialize)]
struct Inspection {
    schema: u32,
    lab: String,
    namespaces: Vec<NamespaceView>,
}

#[derive(Debug, Serialize)]
struct NamespaceView {
    /// Empty for the lab's root namespace.
    name: String,
    links: Vec<LinkView>,
    routes: Vec<RouteView>,
}

#[derive(Debug, Serialize)]
struct LinkView {
    name: String,
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
    qdisc: Option<String>,
    /// of a bridge's port, in bridge(8)'s words
    #[serde(skip_serializing_if = "Vec::is_empty")]
    vlans: Vec<String>,
}

#[derive(Debug, Serialize)]
struct RouteView {
    destination: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    gateway: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metric: Option<u32>,
    table: u32,
}

/// Goes into a kept lab and prints what it holds.
pub fn show(lab: &str, json: bool) -> Result<Exit, Failure> {
    let inside = lab::Inside::go(lab)?;
    let found = inspect(lab, &inside.kernel()?)?;
    let text = match json {
        true => {
            serde_json::to_string_pretty(&found)
                .map_err(|error| Failure::new(Exit::Broken, error.to_string()))?
                + "\n"
        }
        false => found.text(),
    };
    report::print(&text)
}

/// Asks for everything in the lab that this process is in.
fn inspect(lab: &str, kernel: &dyn Kernel) -> Result<Inspection, Failure> {
    let failed =
        |error: Error| Failure::new(Exit::Broken, format!("can't read lab `{lab}`: {error}"));
    let mut spaces = vec![None];
    let Answer::Names(names) = ask(kernel, Query::Namespaces).map_err(failed)? else {
        return Err(Failure::new(Exit::Broken, "the kernel layer mistook the question"));
    };
    spaces.extend(names.iter().filter_map(|name| name.parse::<Name>().ok()).map(Some));
    let namespaces = spaces
        .into_iter()
        .map(|name| view(kernel, name))
        .collect::<Result<_, _>>()
        .map_err(failed)?;
    Ok(Inspection { schema: 1, lab: lab.to_owned(), namespaces })
}

fn ask(kernel: &dyn Kernel, query: Query) -> Result<Answer, Error> {
    kernel.query(&Policy::Lab.permit_query(query)?)
}

fn view(kernel: &dyn Kernel, name: Option<Name>) -> Result<NamespaceView, Error> {
    let namespace = NamespaceRef::named(name.clone());
    let links = match ask(kernel, Query::Links { namespace: namespace.clone() })? {
        Answer::Links(links) => links,
        _ => Vec::new(),
    };
    let addresses = Query::Addresses { namespace: namespace.clone(), family: None };
    let addresses = match ask(kernel, addresses)? {
        Answer::Addresses(addresses) => addresses,
        _ => Vec::new(),
    };
    let sending = match ask(kernel, Query::Qdiscs { namespace: namespace.clone() })? {
        Answer::Qdiscs(found) => found,
        _ => Vec::new(),
    };
    let vlans = match ask(kernel, Query::AllVlans { namespace: namespace.clone() })? {
        Answer::AllVlans(found) => found,
        _ => Vec::new(),
    };
    let mut views: Vec<LinkView> =
        links.into_iter().map(|info| link_view(info, &name, &addresses)).collect();
    for view in &mut views {
        let own = sending.iter().find(|(link, qdisc)| *link == view.name && qdisc.handle.is_some());
        view.qdisc = own.map(|(_, qdisc)| qdisc.discipline.to_string());
        let own = vlans.iter().find(|(link, _)| *link == view.name);
        let own = own.map(|(_, vlans)| vlans.iter().map(ToString::to_string).collect());
        view.vlans = own.unwrap_or_default();
    }
    let mut routes = Vec::new();
    for family in [Family::Ipv4, Family::Ipv6] {
        let query = Query::Routes { namespace: namespace.clone(), family };
        if let Answer::Routes(found) = ask(kernel, query)? {
            routes.extend(found.iter().flat_map(route_views));
        }
    }
    Ok(NamespaceView { links: views, name: name.map(String::from).unwrap_or_default(), routes })
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

fn link_view(info: LinkInfo, namespace: &Option<Name>, addresses: &[AddressInfo]) -> LinkView {
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
fn route_views(route: &Route) -> Vec<RouteView> {
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
    fn text(&self) -> String {
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
    use super::{Inspection, NamespaceView, RouteView};

    #[test]
    fn a_name_that_a_program_in_the_lab_gave_does_not_steer_the_terminal() {
        let link = Some("\u{1b}[2J".to_owned());
        let destination = "default".to_owned();
        let route = RouteView { destination, gateway: None, link, metric: None, table: 254 };
        let namespace =
            NamespaceView { name: String::new(), links: Vec::new(), routes: vec![route] };
        let found = Inspection { schema: 1, lab: "x".to_owned(), namespaces: vec![namespace] };
        assert_eq!(found.text(), "(root)\n  route default dev \\u{1b}[2J\n");
    }
}
