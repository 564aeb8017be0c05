//! What a recipe changed, as data.

use crate::wit::addresses::Address;
use crate::wit::fdb::Entry;
use crate::wit::links::{LinkName, Setting, Spec};
use crate::wit::neighbours::Neighbour;
use crate::wit::qdisc::Qdisc;
use crate::wit::routes::Route;
use crate::wit::rules::Rule;
use crate::wit::types::{IpAddress, IpPrefix, Write};
use crate::wit::vlans::Vlan;

/// A link by its namespace, empty for the root one, and its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Empty for the root namespace.
    pub namespace: String,
    /// The link's name.
    pub name: String,
}

/// One change of the network. Its text is the ip(8) command without the `ip`.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the fields are those of the contract's functions")]
pub enum Change {
    CreateNamespace { name: String },
    DeleteNamespace { name: String },
    SetNamespaceId { namespace: String, peer: String, id: i32 },
    CreateLink { namespace: String, spec: Spec },
    ChangeLink { link: Site, settings: Vec<Setting> },
    MoveLink { link: Site, to: String },
    DeleteLink { link: Site },
    PutAddress { link: Site, address: Address, how: Write },
    RemoveAddress { link: Site, prefix: IpPrefix, peer: Option<IpPrefix> },
    PutRoute { namespace: String, route: Route, how: Write },
    RemoveRoute { namespace: String, route: Route },
    AddRule { namespace: String, rule: Rule },
    RemoveRule { namespace: String, rule: Rule },
    PutNeighbour { link: Site, neighbour: Neighbour, how: Write },
    RemoveNeighbour { link: Site, address: IpAddress, proxy: bool },
    PutEntry { link: Site, entry: Entry, how: Write },
    RemoveEntry { link: Site, entry: Entry },
    SetSysctl { namespace: String, key: String, value: String },
    PutQdisc { link: Site, qdisc: Qdisc, how: Write },
    RemoveQdisc { link: Site },
    PutVlan { link: Site, vlan: Vlan },
    RemoveVlan { link: Site, first: u16, last: u16 },
    SetVlans { link: Site, vlans: Vec<Vlan> },
}

impl From<&LinkName> for Site {
    /// In a batch an absent namespace is the root one.
    fn from(link: &LinkName) -> Self {
        Self { namespace: link.namespace.clone().unwrap_or_default(), name: link.name.clone() }
    }
}
