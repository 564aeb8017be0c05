//! What can be asked of the network without altering it.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{
    AddressInfo, Entry, Family, LinkInfo, LinkRef, NamespaceRef, Neighbour, Route, Rule, Statistics,
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
    Sysctl {
        namespace: NamespaceRef,
        key: String,
    },
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
    Text(String),
}
