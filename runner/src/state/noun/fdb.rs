//! Entries of forwarding databases, of bridges, vxlans and links' own filters: what somebody has put
//! there, and neither traffic, a daemon nor the kernel.

use std::collections::HashSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Facts, Found, Noun, Object, Reader, holders_of, inside, link_reference, place};
use crate::change::{Answer, Change, Entry, LinkRef, MacAddress, Query, Word};
use crate::kernel::Error;
use crate::state::repair::{Mend, Mending, Stage};
use crate::state::{Asked, Mentions, NamespaceState, State};

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Fdb {
    pub namespace: String,
    pub link: String,
    /// in bridge(8)'s words
    pub entry: String,
}

/// An address on a link; in its bridge's database, or its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Mention {
    link: String,
    mac: String,
    master: bool,
}

impl Mention {
    fn of(link: &str, entry: &Entry) -> Self {
        Self { link: link.to_owned(), mac: entry.mac.to_string(), master: entry.master }
    }
}

pub(in crate::state) fn mentioned(mentions: &mut Mentions, link: &LinkRef, entry: &Entry) {
    mentions.entries.insert(Mention::of(&link.name, entry));
}

impl Fdb {
    fn of(namespace: &NamespaceState, link: &str, entry: &Entry) -> Self {
        let mut words = entry.mac.to_string();
        if !entry.master {
            words += " self";
        }
        words.extend(entry.vlan.map(|vlan| format!(" vlan {vlan}")));
        words.extend(entry.destination.map(|destination| format!(" dst {destination}")));
        let namespace = place(namespace.name.as_ref());
        Self { namespace, link: link.to_owned(), entry: words }
    }

    fn found_in<'a>(&self, state: &'a State) -> Option<&'a Entry> {
        let there = state.namespace(&self.namespace)?;
        let mut all = there.entries.iter();
        all.find(|(on, entry)| Self::of(there, on, entry) == *self).map(|(_, entry)| entry)
    }
}

/// What a namespace has that the kernel puts entries for by itself.
struct Own {
    /// of any link, wherever that is: a macvlan's is in its parent's filter
    links: HashSet<MacAddress>,
    /// that a bridge of the namespace knows: where one port alone has to hear what nobody knows,
    /// the kernel puts what the others lead to into its filter (br_fdb_sync_static)
    bridged: HashSet<MacAddress>,
}

impl Own {
    fn of(namespace: &NamespaceState, all: &State) -> Self {
        let links = all.namespaces.iter().flat_map(|each| &each.links);
        let bridged = namespace.entries.iter().filter(|(_, entry)| entry.master);
        Self {
            links: links.filter_map(|link| link.mac).collect(),
            bridged: bridged.map(|(_, entry)| entry.mac).collect(),
        }
    }

    /// Whether the kernel may have put it: for a link's own address or those of what stands on it, or
    /// for a group that the link has joined.
    fn may_be(&self, namespace: &NamespaceState, link: &str, entry: &Entry) -> bool {
        let kind = namespace.links.iter().find(|each| each.name == link);
        let has_its_own = kind.is_some_and(|link| link.kind == "vxlan");
        let MacAddress([first, ..]) = entry.mac;
        match entry.master {
            true => !entry.aged && self.links.contains(&entry.mac),
            // Of a vxlan's all are somebody's.
            false if has_its_own => false,
            false => {
                first & 1 == 1
                    || self.links.contains(&entry.mac)
                    || self.bridged.contains(&entry.mac)
            }
        }
    }
}

/// The entries of a namespace that somebody has put there, with their links' names.
pub(crate) fn put_by_hand<'a>(
    of: &'a NamespaceState,
    asked: &Asked,
    all: &State,
) -> Vec<&'a (String, Entry)> {
    if of.entries.is_empty() {
        return Vec::new();
    }
    let own = Own::of(of, all);
    let is_asked = |link: &str, entry: &Entry| {
        let mention = Mention::of(link, entry);
        asked.names(|mentions| mentions.entries.contains(&mention))
    };
    let counts =
        |(link, entry): &&(String, Entry)| is_asked(link, entry) || !own.may_be(of, link, entry);
    of.entries.iter().filter(counts).collect()
}

impl fmt::Display for Fdb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fdb {} of {}", self.entry, Word(&self.link))?;
        inside(f, &self.namespace)
    }
}

impl Noun for Fdb {
    fn read(from: &Reader<'_>, into: &mut NamespaceState) -> Result<(), Error> {
        let query = Query::LastingEntries { namespace: from.namespace.clone() };
        if let Answer::LastingEntries(entries) = from.ask(query)? {
            into.entries = entries;
        }
        Ok(())
    }

    fn find(of: &NamespaceState, asked: &Asked, all: &State, found: &mut Found) {
        for (link, entry) in put_by_hand(of, asked, all) {
            let state = if entry.aged { "static" } else { "permanent" };
            let facts = Facts::from([("state".to_owned(), state.to_owned())]);
            found.insert(Object::Fdb(Self::of(of, link, entry)), facts);
        }
    }

    fn holders(&self) -> Vec<Object> {
        holders_of(&self.namespace, &self.link)
    }

    fn untold(&self) -> Option<Facts> {
        None
    }

    fn mend(&self, mending: &Mending<'_>) -> Option<Mend> {
        let entry = self.found_in(mending.side())?.clone();
        let link = link_reference(&self.namespace, &self.link);
        if mending.is_extra() {
            return Some((Stage::OldEntries, vec![Change::RemoveEntry { link, entry }]));
        }
        let how = entry.how();
        Some((Stage::Entries, vec![Change::PutEntry { link, entry, how }]))
    }

    fn is_touched(&self, asked: &Asked, is: &State) -> bool {
        let Some(mention) = self.found_in(is).map(|entry| Mention::of(&self.link, entry)) else {
            return false;
        };
        asked.names(|mentions| mentions.entries.contains(&mention))
    }

    fn is_theirs(&self) -> bool {
        false
    }
}
