//! The network that the parameters describe, each part with its place.

use std::collections::BTreeSet;

use netwright_sdk::wit::netwright::host::links::{Kind, Setting};
use netwright_sdk::wit::netwright::host::neighbours::Neighbour;
use netwright_sdk::wit::netwright::host::qdisc::Qdisc;
use netwright_sdk::wit::netwright::host::routes::Route as WitRoute;
use netwright_sdk::wit::netwright::host::rules::Rule;
use netwright_sdk::wit::netwright::host::types::MacAddress;
use netwright_sdk::wit::netwright::host::vlans::Vlan;

use crate::fault::Place;
use crate::values::{LinkText, Prefix};

/// A link by namespace and name; the root namespace is the empty one.
pub type Key = (String, String);

#[derive(Debug, Default)]
pub struct Topology {
    pub namespaces: Vec<(String, Place)>,
    pub existing: Existing,
    pub links: Vec<Link>,
    /// those that are there before and have something set
    pub altered: Vec<Altered>,
    /// those that could not be read, so that what refers to them isn't complained of as well
    pub faulty: BTreeSet<Key>,
    pub addresses: Vec<LinkAddress>,
    pub routes: Vec<Route>,
    pub rules: Vec<(String, Rule, Place)>,
    pub neighbours: Vec<(Key, Neighbour, Place)>,
    pub sysctls: Vec<(String, String, String, Place)>,
    pub qdiscs: Vec<(Key, Qdisc, Place)>,
}

/// What is there before: made by an earlier step, or by the machine.
#[derive(Debug, Default)]
pub struct Existing {
    pub namespaces: BTreeSet<String>,
    pub links: BTreeSet<Key>,
}

#[derive(Debug)]
pub struct Link {
    pub key: Key,
    pub place: Place,
    pub kind: Kind,
    /// the lower link of a stacked kind
    pub lower: Option<Lower>,
    pub peer: Option<Peer>,
    /// of a bridge
    pub ports: Vec<Port>,
    /// the bridge or VRF that it is put into
    pub master: Option<(String, Place)>,
    pub mtu: Option<(u32, Place)>,
    pub mac: Option<(MacAddress, Place)>,
    pub settings: Vec<Setting>,
}

/// A link that is there before: its namespace's `lo`, or one of `existing`.
#[derive(Debug)]
pub struct Altered {
    pub key: Key,
    pub place: Place,
    pub master: Option<(String, Place)>,
    pub mtu: Option<(u32, Place)>,
    pub mac: Option<(MacAddress, Place)>,
    pub settings: Vec<Setting>,
}

/// A lower link as it is written; `check` finds out which one it is.
#[derive(Debug, Clone)]
pub struct Lower {
    pub text: LinkText,
    pub place: Place,
}

/// The other end of a veth.
#[derive(Debug)]
pub struct Peer {
    pub key: Key,
    pub place: Place,
    pub mtu: Option<(u32, Place)>,
    pub mac: Option<(MacAddress, Place)>,
    pub settings: Vec<Setting>,
}

#[derive(Debug)]
pub struct Port {
    pub name: String,
    pub place: Place,
    /// options of the port in ip(8)'s words, such as hairpin
    pub options: Vec<(String, String)>,
    /// the VLANs that it carries, where something is said of them
    pub vlans: Option<Vec<Vlan>>,
}

#[derive(Debug)]
pub struct LinkAddress {
    pub link: Key,
    pub prefix: Prefix,
    pub peer: Option<Prefix>,
    pub broadcast: Option<std::net::IpAddr>,
    pub label: Option<String>,
    pub nodad: bool,
    pub place: Place,
    /// where the link is named, if not around it
    pub link_place: Option<Place>,
}

#[derive(Debug)]
pub struct Route {
    pub namespace: String,
    pub destination: Option<Prefix>,
    pub route: WitRoute,
    pub place: Place,
    pub hops: Vec<Hop>,
}

/// A next hop with the places of its parts.
#[derive(Debug)]
pub struct Hop {
    pub gateway: Option<(std::net::IpAddr, Place)>,
    pub link: Option<(String, Place)>,
    pub onlink: bool,
}

/// In words: `p0`, or `p0` in `n1`.
/// How the other end of a veth is said more of.
pub(crate) fn of_peer((namespace, name): &Key) -> String {
    let namespace = match namespace.as_str() {
        "" => String::new(),
        namespace => format!("namespace: {namespace}, "),
    };
    format!("what is said of it goes there: `peer: {{ {namespace}name: {name}, addresses: […] }}`")
}

pub(crate) fn shown(key: &Key) -> String {
    let (namespace, name) = key;
    if namespace.is_empty() { format!("`{name}`") } else { format!("`{name}` in `{namespace}`") }
}
