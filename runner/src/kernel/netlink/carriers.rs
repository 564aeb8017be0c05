//! What carries the traffic between this machine and a station: links, and the routers on them.

use std::net::IpAddr;

use super::Netlink;
use super::address;
use super::explain::explain;
use super::find::reference;
use super::raw_link::RawLink;
use super::space::Space;
use crate::change::{LinkRef, NamespaceRef, Route};
use crate::kernel::Error;

impl Netlink {
    /// The links that carry what goes between an address of the machine's own and a station: those
    /// that its routes leave by, those that have the address, for what comes in, or one that a route
    /// has for its source, which goes with that; and all that stand below them or are their ports.
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
        // Link-local stations are those of the address' own link, whatever a table without it says.
        if !is_link_local(there) || names.is_empty() {
            for route in self.routes_between(&root, here, there)? {
                names.extend(route.source.into_iter().flat_map(holders));
                names.extend(route.next_hops.into_iter().filter_map(|hop| hop.link));
            }
        }
        let mut carriers: Vec<&RawLink> = Vec::new();
        while let Some(name) = names.pop() {
            let Some(link) = links.iter().find(|link| link.name == name) else { continue };
            if carriers.iter().any(|known| known.index == link.index) {
                continue;
            }
            carriers.push(link);
            let below = link.link().filter(|_| link.link_nsid().is_none());
            let beside = [below, link.master()];
            let others = links.iter().filter(|other| {
                beside.contains(&Some(other.index)) || other.master() == Some(link.index)
            });
            names.extend(others.map(|other| other.name.clone()));
        }
        Ok(carriers.into_iter().map(|link| reference(&root, link)).collect())
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

fn is_link_local(station: IpAddr) -> bool {
    matches!(station, IpAddr::V6(six) if six.is_unicast_link_local())
}
