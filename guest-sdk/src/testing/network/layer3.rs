//! Addresses of links, their neighbours, and forwarding databases.

use std::net::IpAddr;

use super::{Answer, EXISTS, GONE, LinkId, NO_ENTRY, Network, Refusal, Site};
use crate::Prefix;
use crate::address::family;
use crate::wit::addresses::{Address, AddressFlags, Info};
use crate::wit::fdb::Entry;
use crate::wit::neighbours::Neighbour;
use crate::wit::routes::{NextHop, Route, RouteKind};
use crate::wit::types::{IpAddress, IpPrefix, Write};

const NO_ADDRESS: Refusal = Refusal::new(99, "EADDRNOTAVAIL", "the link has no such address");
const OF_A_GROUP: Refusal =
    Refusal::new(99, "EADDRNOTAVAIL", "a multicast address is no link's own");
const NO_DATABASE: Refusal = Refusal::new(95, "EOPNOTSUPP", "the link has no forwarding database");

/// rtnetlink(7): made by the kernel, and on the link itself.
const PROTOCOL_KERNEL: u8 = 2;
const SCOPE_LINK: u8 = 253;

/// Puts a thing among others as a write says, told apart by `same`.
fn put<T: Clone>(all: &mut Vec<T>, new: &T, how: Write, same: impl Fn(&T) -> bool) -> Answer<()> {
    match (how, all.iter().position(same)) {
        (Write::Add, Some(_)) => return Err(EXISTS),
        (Write::Change, None) => return Err(NO_ENTRY),
        (Write::Change | Write::Replace, Some(place)) => all[place] = new.clone(),
        (Write::Prepend, _) => all.insert(0, new.clone()),
        (Write::Add | Write::Replace, None) | (Write::Append, _) => all.push(new.clone()),
    }
    Ok(())
}

fn take<T>(all: &mut Vec<T>, none: Refusal, same: impl Fn(&T) -> bool) -> Answer<()> {
    match all.iter().position(same) {
        Some(place) => {
            all.remove(place);
            Ok(())
        }
        None => Err(none),
    }
}

impl Network {
    pub(super) fn put_address(&mut self, site: &Site, new: &Address, how: Write) -> Answer<()> {
        let id = self.link_at(site)?;
        // The kernel minds it for IPv6 alone (inet6_addr_add).
        if matches!(new.prefix.address.into(), IpAddr::V6(six) if six.is_multicast()) {
            return Err(OF_A_GROUP);
        }
        let same = |known: &Address| known.prefix == new.prefix;
        put(&mut self.link_mut(id)?.addresses, new, how, same)?;
        if self.link(id)?.up { self.connect_networks(id) } else { Ok(()) }
    }

    pub(super) fn remove_address(&mut self, site: &Site, gone: IpPrefix) -> Answer<()> {
        let id = self.link_at(site)?;
        take(&mut self.link_mut(id)?.addresses, NO_ADDRESS, |known| known.prefix == gone)?;
        let network = Prefix::from(gone).trunc().into();
        let stays = |address: &Address| IpPrefix::from(Prefix::from(address.prefix).trunc());
        if self.link(id)?.addresses.iter().any(|address| stays(address) == network) {
            return Ok(());
        }
        let by_kernel = |route: &Route| {
            route.protocol == Some(PROTOCOL_KERNEL)
                && route.destination == Some(network)
                && route.link() == Some(site.name.as_str())
        };
        self.stack_mut(&site.namespace)?.routes.retain(|route| !by_kernel(route));
        Ok(())
    }

    /// The routes to the networks of a link that is up.
    pub(super) fn connect_networks(&mut self, id: LinkId) -> Answer<()> {
        let link = self.link(id)?;
        let (namespace, name) = (link.namespace, link.name.clone());
        let routes: Vec<Route> = link
            .addresses
            .iter()
            .filter(|address| address.flags.bits() & AddressFlags::NOPREFIXROUTE.bits() == 0)
            .map(|address| connected(address, &name))
            .filter(|route| route.network().is_some_and(|net| net.hosts().nth(1).is_some()))
            .collect();
        let stack = self.stacks.get_mut(&namespace).ok_or(GONE)?;
        for route in routes {
            if !stack.routes.contains(&route) {
                stack.routes.push(route);
            }
        }
        Ok(())
    }

    pub(crate) fn addresses_of(&self, id: LinkId) -> Vec<Info> {
        let Some(link) = self.links.get(&id) else { return Vec::new() };
        let info = |address: &Address| Info {
            link: link.name.clone(),
            address: address.clone(),
            tentative: false,
            duplicate: false,
            dynamic: false,
            secondary: false,
            deprecated: address.preferred_lifetime == Some(0),
        };
        link.addresses.iter().map(info).collect()
    }

    pub(super) fn put_neighbour(&mut self, site: &Site, new: &Neighbour, how: Write) -> Answer<()> {
        let id = self.link_at(site)?;
        let same = |known: &Neighbour| known.address == new.address && known.proxy == new.proxy;
        put(&mut self.link_mut(id)?.neighbours, new, how, same)
    }

    pub(super) fn remove_neighbour(
        &mut self,
        site: &Site,
        address: IpAddress,
        proxy: bool,
    ) -> Answer<()> {
        let id = self.link_at(site)?;
        let same = |known: &Neighbour| known.address == address && known.proxy == proxy;
        take(&mut self.link_mut(id)?.neighbours, NO_ENTRY, same)
    }

    pub(super) fn put_entry(&mut self, site: &Site, new: &Entry, how: Write) -> Answer<()> {
        let id = self.link_at(site)?;
        if new.master && self.link(id)?.master.is_none() {
            return Err(NO_DATABASE);
        }
        let same = |known: &Entry| known.mac == new.mac && known.vlan == new.vlan;
        put(&mut self.link_mut(id)?.entries, new, how, same)
    }

    pub(super) fn remove_entry(&mut self, site: &Site, gone: &Entry) -> Answer<()> {
        let id = self.link_at(site)?;
        let same = |known: &Entry| {
            known.mac == gone.mac
                && known.vlan == gone.vlan
                && (gone.destination.is_none() || known.destination == gone.destination)
        };
        take(&mut self.link_mut(id)?.entries, NO_ENTRY, same)
    }
}

fn connected(address: &Address, link: &str) -> Route {
    let prefix = Prefix::from(address.peer.unwrap_or(address.prefix));
    let hop = NextHop { gateway: None, link: Some(link.to_owned()), weight: 1, onlink: false };
    Route {
        family: family(prefix.addr()),
        kind: RouteKind::Unicast,
        destination: Some(prefix.trunc().into()),
        next_hops: vec![hop],
        table: None,
        metric: address.metric,
        protocol: Some(PROTOCOL_KERNEL),
        scope: Some(SCOPE_LINK),
        source: Some(address.prefix.address),
        from: None,
        type_of_service: None,
        metrics: Vec::new(),
    }
}
