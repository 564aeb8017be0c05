//! Routes.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Facts, Found, Noun, Object, Reader, holder_of, inside, place, reference};
use crate::change::{
    Answer, Change, Family, PROTOCOL_KERNEL, Prefix, Query, Route as Held, TABLE_LOCAL, Write,
};
use crate::kernel::Error;
use crate::kernel::mark::PROTOCOL;
use crate::state::repair::{Mend, Mending, Stage};
use crate::state::{Asked, Mentions, NamespaceState, State};

/// RTPROT_BOOT, RTPROT_STATIC and netwright's own: what people and scenarios put by ip(8)'s or
/// netwright's hand. Every other number is that of a daemon (zebra, bird, ospf …), of a lease or of
/// a router's advertisement, which put, change and remove it as they please.
const BY_HAND: [u8; 3] = [3, 4, PROTOCOL];

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Route {
    pub namespace: String,
    pub route: String,
}

/// A route's place, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Mention {
    is_ipv6: bool,
    destination: Option<String>,
    table: u32,
    protocol: Option<u8>,
}

impl Mention {
    fn of(route: &Held) -> Self {
        let destination: Option<&Prefix> = route.destination.as_ref().filter(|to| to.length > 0);
        Self {
            is_ipv6: route.family == Family::Ipv6,
            destination: destination.map(ToString::to_string),
            table: route.table(),
            protocol: route.protocol,
        }
    }

    fn has_place_of(&self, other: &Self) -> bool {
        (self.is_ipv6, self.table) == (other.is_ipv6, other.table)
            && self.destination == other.destination
    }
}

pub(in crate::state) fn put(mentions: &mut Mentions, route: &Held) {
    mentions.protocols.extend(route.protocol);
    removed(mentions, route);
}

pub(in crate::state) fn removed(mentions: &mut Mentions, route: &Held) {
    mentions.routes.insert(Mention::of(route));
}

/// Whether what has this protocol is somebody's word, and no daemon's or lease's.
pub(super) fn counts(protocol: u8, asked: &Asked) -> bool {
    BY_HAND.contains(&protocol)
        || (protocol != PROTOCOL_KERNEL && asked.scenario.protocols.contains(&protocol))
}

/// Whether somebody put a route there, rather than the kernel for an address or link.
pub(crate) fn is_own(route: &Held) -> bool {
    route.protocol != Some(PROTOCOL_KERNEL) && route.table != Some(TABLE_LOCAL)
}

impl Route {
    fn of(namespace: &NamespaceState, route: &Held) -> Self {
        // How long it has left is not what makes it another one.
        let mut lasting = route.clone();
        lasting.metrics.retain(|metric| metric.name != "expires");
        Self { namespace: place(namespace.name.as_ref()), route: lasting.to_string() }
    }

    fn found_in<'a>(&self, state: &'a State) -> Option<&'a Held> {
        let there = state.namespace(&self.namespace)?;
        there.routes.iter().find(|route| Self::of(there, route) == *self)
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "route {}", self.route)?;
        inside(f, &self.namespace)
    }
}

impl Noun for Route {
    fn read(from: &Reader<'_>, into: &mut NamespaceState) -> Result<(), Error> {
        for family in [Family::Ipv4, Family::Ipv6] {
            let query = Query::Routes { namespace: from.namespace.clone(), family };
            if let Answer::Routes(found) = from.ask(query)? {
                into.routes.extend(found);
            }
        }
        Ok(())
    }

    fn find(of: &NamespaceState, asked: &Asked, _: &State, found: &mut Found) {
        // What the deployment put is its own, whatever daemon's number it gave it; of the rest that
        // has the number a daemon may have put some.
        let is_the_deployments = |route: &&Held| {
            route.protocol != Some(PROTOCOL_KERNEL)
                && asked.deployment.routes.contains(&Mention::of(route))
        };
        let counting = of.routes.iter().filter(|route| {
            counts(route.protocol.unwrap_or(PROTOCOL_KERNEL), asked) || is_the_deployments(route)
        });
        found.extend(counting.map(|one| (Object::Route(Self::of(of, one)), Facts::new())));
    }

    fn holders(&self) -> Vec<Object> {
        vec![holder_of(&self.namespace)]
    }

    fn untold(&self) -> Option<Facts> {
        None
    }

    fn mend(&self, mending: &Mending<'_>) -> Option<Mend> {
        let route = self.found_in(mending.side())?.clone();
        let namespace = reference(&self.namespace);
        Some(if mending.is_extra() {
            (Stage::OldRoutes, vec![Change::RemoveRoute { namespace, route }])
        } else {
            let how = Write::Add;
            (Stage::Routes, vec![Change::PutRoute { namespace, route, how }])
        })
    }

    fn is_touched(&self, asked: &Asked, is: &State) -> bool {
        let Some(route) = self.found_in(is).map(Mention::of) else { return false };
        asked.names(|mentions| mentions.routes.iter().any(|one| one.has_place_of(&route)))
    }

    fn is_theirs(&self) -> bool {
        false
    }
}
