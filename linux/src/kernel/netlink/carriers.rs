//! What carries the traffic between this machine and a station: links, and the routers on them.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;

use super::entry::{self, Row};
use super::explain::explain;
use super::find::reference;
use super::raw_link::RawLink;
use super::space::Space;
use super::{Netlink, address, neighbour, redirects};
use crate::change::{LinkRef, MacAddress, NamespaceRef, Route};
use crate::kernel::{Error, kind};

impl Netlink {
    /// The links that carry what goes between an address of the machine's own and a station: those
    /// that its routes leave by, those that have the address, for what comes in, or one that a route
    /// has for its source, which goes with that; and all that those are joined to, by tc(8) as well.
    pub(super) fn links_between(&self, here: IpAddr, there: IpAddr) -> Result<Vec<LinkRef>, Error> {
        let root = self.spaces.find(&NamespaceRef::named(None))?;
        let links = root.links().map_err(|failure| explain(failure, &"link show"))?;
        let held = address::list(&root, &links, None)
            .map_err(|failure| explain(failure, &"address show"))?;
        let holders = |own: IpAddr| {
            let holders = held.iter().filter(move |(_, info)| info.address.prefix.address == own);
            holders.map(|(_, info)| info.link.clone())
        };
        let mut names: Vec<String> = holders(here).collect();
        let mut stations = vec![there];
        // Link-local stations are those of the address' own link, whatever a table without it says.
        if !is_link_local(there) || names.is_empty() {
            for route in self.routes_between(&root, here, there)? {
                names.extend(route.source.into_iter().flat_map(holders));
                stations.extend(route.next_hops.iter().filter_map(|hop| hop.gateway));
                names.extend(route.next_hops.into_iter().filter_map(|hop| hop.link));
            }
        }
        let redirected = redirects::targets(&root);
        let wanted = |link: &RawLink| {
            names.contains(&link.name) || !names.is_empty() && redirected.contains(&link.index)
        };
        let named = links.into_iter().filter(wanted);
        let heard = Heard::of(&root, &stations)?;
        let found = self.joined(named.map(|link| (Arc::clone(&root), link)).collect(), heard);
        Ok(found.iter().map(|(space, link)| reference(space, link)).collect())
    }

    /// These links, what stands below them, what they are ports of and their ports, and other ends of
    /// veths, wherever that is in namespaces that the run knows. Of a bridge's ports, those behind
    /// which the session's stations are not heard have ends elsewhere that don't count.
    fn joined(
        &self,
        mut waiting: Vec<(Arc<Space>, RawLink)>,
        mut heard: Heard,
    ) -> Vec<(Arc<Space>, RawLink)> {
        let mut all: HashMap<u64, Vec<RawLink>> = HashMap::new();
        let mut ends: HashSet<(u64, u32)> = HashSet::new();
        let mut found: Vec<(Arc<Space>, RawLink)> = Vec::new();
        while let Some((space, link)) = waiting.pop() {
            if found
                .iter()
                .any(|(there, known)| (there.cookie, known.index) == (space.cookie, link.index))
            {
                continue;
            }
            let is_end = ends.contains(&(space.cookie, link.index));
            let there = link.link().zip(self.spaces.below(&space, &link));
            let below = there.filter(|(_, there)| there.cookie == space.cookie || !is_end);
            let links_of = |space: &Space| space.links().unwrap_or_default();
            if let Some((index, there)) = below {
                let links = all.entry(there.cookie).or_insert_with(|| links_of(&there));
                let link = links.iter().find(|other| other.index == index);
                waiting.extend(link.map(|link| (Arc::clone(&there), link.clone())));
            }
            let links = all.entry(space.cookie).or_insert_with(|| links_of(&space));
            for other in links.iter() {
                let is_port = other.master() == Some(link.index);
                if is_port
                    && !kind::is_bundle(&link.kind())
                    && !heard.may_be_behind(&space, link.index, other.index)
                {
                    ends.insert((space.cookie, other.index));
                }
                if is_port || link.master() == Some(other.index) {
                    waiting.push((Arc::clone(&space), other.clone()));
                }
            }
            found.push((space, link));
        }
        found
    }

    /// The routes to a station, and those to the routers that they lead by.
    fn routes_between(
        &self,
        space: &Space,
        here: IpAddr,
        there: IpAddr,
    ) -> Result<Vec<Route>, Error> {
        let mut routes = self.ways_of(space, here, there)?;
        let hops = routes.iter().flat_map(|route| &route.next_hops);
        let routers: Vec<IpAddr> = hops.filter_map(|hop| hop.gateway).collect();
        for router in routers.into_iter().filter(|router| !is_link_local(*router)) {
            routes.extend(self.ways_of(space, here, router)?);
        }
        Ok(routes)
    }
}

/// The MAC addresses of the stations that a session's frames go to, and where bridges hear them.
struct Heard {
    macs: Vec<MacAddress>,
    rows: HashMap<u64, Vec<Row>>,
}

impl Heard {
    fn of(root: &Space, stations: &[IpAddr]) -> Result<Self, Error> {
        let all = neighbour::list(root, None);
        let all = all.map_err(|failure| explain(failure, &"neighbour show"))?;
        let wanted = all.into_iter().filter(|(_, one)| stations.contains(&one.address));
        let macs = wanted.filter_map(|(_, one)| one.mac).collect();
        Ok(Self { macs, rows: HashMap::new() })
    }

    /// Whether frames for one of them may leave a bridge by a port: by all, where the bridge has
    /// forgotten which. Where not even the machine knows one, nothing goes there.
    fn may_be_behind(&mut self, space: &Space, bridge: u32, port: u32) -> bool {
        if self.macs.is_empty() {
            return false;
        }
        let rows = self.rows.entry(space.cookie).or_insert_with(|| {
            let mut rows = entry::rows(space).unwrap_or_default();
            rows.retain(|row| self.macs.contains(&row.entry.mac));
            rows
        });
        let mut of_bridge = rows.iter().filter(|row| row.bridge == Some(bridge)).peekable();
        of_bridge.peek().is_none() || of_bridge.any(|row| row.index == port)
    }
}

fn is_link_local(station: IpAddr) -> bool {
    matches!(station, IpAddr::V6(six) if six.is_unicast_link_local())
}
