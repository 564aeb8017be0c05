//! Neighbours that stay until somebody takes them away, and proxies.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{Facts, Found, Noun, Object, Reader, holders_of, inside, link_reference, place};
use crate::change::{Answer, Change, Neighbour as Held, NeighbourState, Query, Word, Write};
use crate::kernel::Error;
use crate::state::repair::{Mend, Mending, Stage};
use crate::state::{Asked, Mentions, NamespaceState, State};

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Neighbour {
    pub namespace: String,
    pub link: String,
    pub address: String,
}

pub(in crate::state) fn mentioned(mentions: &mut Mentions, address: IpAddr) {
    mentions.neighbours.insert(address.to_string());
}

impl Neighbour {
    fn of(namespace: &NamespaceState, link: &str, neighbour: &Held) -> Self {
        Self {
            namespace: place(namespace.name.as_ref()),
            link: link.to_owned(),
            address: neighbour.address.to_string(),
        }
    }

    fn found_in<'a>(&self, state: &'a State) -> Option<&'a Held> {
        let there = state.namespace(&self.namespace)?;
        let mut all = there.neighbours.iter();
        all.find(|(on, one)| counts(one) && Self::of(there, on, one) == *self).map(|(_, one)| one)
    }
}

fn counts(one: &Held) -> bool {
    one.proxy || one.state == NeighbourState::Permanent
}

impl fmt::Display for Neighbour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "neighbour {} of {}", self.address, Word(&self.link))?;
        inside(f, &self.namespace)
    }
}

impl Noun for Neighbour {
    fn read(from: &Reader<'_>, into: &mut NamespaceState) -> Result<(), Error> {
        let query = Query::Neighbours { namespace: from.namespace.clone(), family: None };
        if let Answer::Neighbours(neighbours) = from.ask(query)? {
            into.neighbours = neighbours;
        }
        Ok(())
    }

    fn find(of: &NamespaceState, _: &Asked, _: &State, found: &mut Found) {
        for (link, one) in of.neighbours.iter().filter(|(_, one)| counts(one)) {
            let mut facts = Facts::new();
            facts.extend(one.mac.map(|mac| ("mac".to_owned(), mac.to_string())));
            found.insert(Object::Neighbour(Self::of(of, link, one)), facts);
        }
    }

    fn holders(&self) -> Vec<Object> {
        holders_of(&self.namespace, &self.link)
    }

    fn untold(&self) -> Option<Facts> {
        None
    }

    fn mend(&self, mending: &Mending<'_>) -> Option<Mend> {
        let neighbour = self.found_in(mending.side())?.clone();
        let link = link_reference(&self.namespace, &self.link);
        if mending.is_extra() {
            let (address, proxy) = (neighbour.address, neighbour.proxy);
            let remove = Change::RemoveNeighbour { link, address, proxy, put: None };
            return Some((Stage::OldNeighbours, vec![remove]));
        }
        let mut changes = Vec::new();
        if !mending.is_missing() && neighbour.mac.is_none() {
            // None is no other one (net/core/neighbour.c, neigh_update): it stays.
            let (link, address, proxy) = (link.clone(), neighbour.address, neighbour.proxy);
            changes.push(Change::RemoveNeighbour { link, address, proxy, put: None });
        }
        changes.push(Change::PutNeighbour { link, neighbour, how: Write::Replace });
        Some((Stage::Neighbours, changes))
    }

    fn is_touched(&self, asked: &Asked, _: &State) -> bool {
        asked.names(|mentions| mentions.neighbours.contains(&self.address))
    }

    fn is_theirs(&self) -> bool {
        false
    }
}
