//! What can be asked of the network without altering it.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{
    AddressInfo, Entry, Family, LinkInfo, LinkRef, NamespaceRef, Neighbour, PortVlan, Qdisc, Route,
    Rule, Statistics,
};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Query {
    /// [`Answer::Names`]
    Namespaces,
    /// [`Answer::Namespace`]: opens by name
    Namespace {
        namespace: NamespaceRef,
    },
    Links {
        namespace: NamespaceRef,
    },
    /// [`Answer::Links`] of one
    Link {
        link: LinkRef,
    },
    Statistics {
        link: LinkRef,
    },
    Addresses {
        namespace: NamespaceRef,
        family: Option<Family>,
    },
    Routes {
        namespace: NamespaceRef,
        family: Family,
    },
    Lookup {
        namespace: NamespaceRef,
        destination: IpAddr,
        source: Option<IpAddr>,
    },
    Rules {
        namespace: NamespaceRef,
        family: Family,
    },
    Neighbours {
        namespace: NamespaceRef,
        family: Option<Family>,
    },
    Entries {
        link: LinkRef,
    },
    /// Those that stay until somebody takes them away, of all links, [`Answer::LastingEntries`].
    LastingEntries {
        namespace: NamespaceRef,
    },
    Sysctl {
        namespace: NamespaceRef,
        key: String,
    },
    Qdisc {
        link: LinkRef,
    },
    /// Of all links that have one, [`Answer::Qdiscs`].
    Qdiscs {
        namespace: NamespaceRef,
    },
    Vlans {
        link: LinkRef,
    },
    /// Of all ports and bridges, [`Answer::AllVlans`].
    AllVlans {
        namespace: NamespaceRef,
    },
    /// [`Answer::Offered`], or an error that names what the kernel lacks.
    Offered(Feature),
}

/// What a kernel may be built without.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Feature {
    /// a kind of queueing discipline
    Discipline(String),
    /// a kind of link, by its name in ip(8)
    LinkKind(String),
    /// bridges that filter by VLAN
    BridgeVlans,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    Names(Vec<String>),
    Namespace(NamespaceRef),
    Links(Vec<LinkInfo>),
    Statistics(Statistics),
    Addresses(Vec<AddressInfo>),
    Routes(Vec<Route>),
    Rules(Vec<Rule>),
    Neighbours(Vec<(String, Neighbour)>),
    Entries(Vec<Entry>),
    LastingEntries(Vec<(String, Entry)>),
    Text(String),
    Qdisc(Option<Qdisc>),
    Qdiscs(Vec<(String, Qdisc)>),
    Vlans(Vec<PortVlan>),
    AllVlans(Vec<(String, Vec<PortVlan>)>),
    Offered,
}
