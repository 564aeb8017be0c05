//! Addresses of links.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{Facts, Found, Noun, Object, Reader, holders_of, inside, link_reference, place};
use crate::change::{AddressInfo, Answer, Change, Prefix, Query, Word, Write};
use crate::kernel::Error;
use crate::state::repair::{Mend, Mending, Stage};
use crate::state::{Asked, Mentions, NamespaceState, State};

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Address {
    pub namespace: String,
    pub link: String,
    pub address: String,
}

pub(in crate::state) fn put(mentions: &mut Mentions, prefix: Prefix) {
    mentions.asked_addresses.insert(prefix);
    mentions.addresses.insert(prefix.to_string());
}

pub(in crate::state) fn removed(mentions: &mut Mentions, prefix: Prefix) {
    mentions.addresses.insert(prefix.to_string());
}

impl Address {
    fn of(namespace: &NamespaceState, info: &AddressInfo) -> Self {
        Self {
            namespace: place(namespace.name.as_ref()),
            link: info.link.clone(),
            address: info.address.prefix.to_string(),
        }
    }

    fn found_in<'a>(&self, state: &'a State) -> Option<&'a AddressInfo> {
        let there = state.namespace(&self.namespace)?;
        there.addresses.iter().find(|info| Self::of(there, info) == *self)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "address {} of {}", self.address, Word(&self.link))?;
        inside(f, &self.namespace)
    }
}

impl Noun for Address {
    fn read(from: &Reader<'_>, into: &mut NamespaceState) -> Result<(), Error> {
        let query = Query::Addresses { namespace: from.namespace.clone(), family: None };
        if let Answer::Addresses(addresses) = from.ask(query)? {
            into.addresses = addresses;
        }
        Ok(())
    }

    fn find(of: &NamespaceState, asked: &Asked, _: &State, found: &mut Found) {
        for info in of.addresses.iter().filter(|info| is_asked(info, asked)) {
            found.insert(Object::Address(Self::of(of, info)), facts(info));
        }
    }

    fn holders(&self) -> Vec<Object> {
        holders_of(&self.namespace, &self.link)
    }

    fn untold(&self) -> Option<Facts> {
        None
    }

    fn mend(&self, mending: &Mending<'_>) -> Option<Mend> {
        let info = self.found_in(mending.side())?;
        let link = link_reference(&self.namespace, &info.link);
        let address = info.address.clone();
        let (prefix, peer) = (address.prefix, address.peer);
        let remove = |link, peer| Change::RemoveAddress { link, prefix, peer };
        let put = |link, how| Change::PutAddress { link, address, how };
        if mending.is_extra() {
            return Some((Stage::OldAddresses, vec![remove(link, peer)]));
        }
        // Without one the kernel lets the old one be.
        let is_metric =
            |(name, _, wanted): &(&str, _, Option<&str>)| *name == "metric" && wanted.is_some();
        let only_metric = || mending.difference.facts().iter().all(is_metric);
        let changes = if mending.is_missing() || only_metric() {
            vec![put(link, Write::Replace)]
        } else {
            // Of one that is there the kernel alters the metric and how long it lasts, and nothing
            // else (net/ipv4/devinet.c, inet_rtm_newaddr).
            let peer = self.found_in(mending.is)?.address.peer;
            vec![remove(link.clone(), peer), put(link, Write::Add)]
        };
        Some((Stage::Addresses, changes))
    }

    fn is_touched(&self, asked: &Asked, _: &State) -> bool {
        asked.names(|mentions| mentions.addresses.contains(&self.address))
    }

    fn is_theirs(&self) -> bool {
        false
    }
}

/// Neither made by the kernel of the Ethernet address (RFC 4291, appendix A) nor by a router's
/// advertisements.
fn is_asked(info: &AddressInfo, asked: &Asked) -> bool {
    let prefix = info.address.prefix;
    asked.names(|mentions| mentions.asked_addresses.contains(&prefix))
        || !(info.dynamic || is_link_local(&prefix) || prefix.address.is_loopback())
}

fn is_link_local(prefix: &Prefix) -> bool {
    match prefix.address {
        IpAddr::V4(_) => false,
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

fn facts(info: &AddressInfo) -> Facts {
    let address = &info.address;
    let mut facts = Facts::new();
    let mut add = |name: &str, value: Option<String>| {
        facts.extend(value.map(|value| (name.to_owned(), value)));
    };
    add("peer", address.peer.map(|peer| peer.to_string()));
    add("broadcast", address.broadcast.map(|address| address.to_string()));
    add("label", address.label.clone().filter(|label| *label != info.link));
    add("scope", address.scope.filter(|scope| *scope != 0).map(|scope| scope.to_string()));
    add("metric", address.metric.map(|metric| metric.to_string()));
    facts
}
