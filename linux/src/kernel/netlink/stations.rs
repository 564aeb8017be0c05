//! Who has which addresses on the network that a link of others' is on: its namespace's links that
//! are joined to it, the stations that they know, and what stands on it elsewhere.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::entry::Row;
use super::explain::explain;
use super::find::reference;
use super::raw_link::RawLink;
use super::space::Space;
use super::{Netlink, address, entry, neighbour};
use crate::change::{LinkRef, MacAddress};
use crate::kernel::sight::{Holder, Stations};
use crate::kernel::{Error, kind};

impl Netlink {
    /// Of the run's own links nothing is told: what they have is the run's.
    pub(super) fn stations_on(&self, link: &LinkRef) -> Result<Stations, Error> {
        let (space, raw) = self.resolve(link)?;
        let links = space.links().map_err(|failure| explain(failure, &"link show"))?;
        let near = joined_to(raw.index, &links);
        let mut stations = Stations::default();
        for one in links.iter().filter(|one| near.contains(&one.index)) {
            if !self.is_own(&space, one) {
                stations.macs.extend(mac_of(&space, one));
            }
        }
        known(&space, &links, &near, far_end(&raw, &links), &mut stations)?;
        self.held(&space, &links, |index| near.contains(&index), &mut stations)?;
        stations.near.clone_from(&stations.addresses);
        self.held(&space, &links, |index| !near.contains(&index), &mut stations)?;
        let mut ours: Vec<MacAddress> = Vec::new();
        for other in self.spaces.all() {
            let all = other.links().unwrap_or_default();
            let stands = |one: &RawLink| {
                let parent = self.parent(other, one);
                parent.is_some_and(|(there, found)| {
                    there.cookie == space.cookie && found.index == raw.index
                })
            };
            let children: Vec<&RawLink> = all.iter().filter(|one| stands(one)).collect();
            let (own, others): (Vec<&RawLink>, Vec<&RawLink>) =
                children.into_iter().partition(|one| other.own || self.is_own(other, one));
            // No other kind's address was held against those of others.
            let own = own.iter().filter(|one| kind::takes_by_mac(&one.kind()));
            ours.extend(own.filter_map(|one| one.mac()));
            if other.cookie != space.cookie {
                stations.macs.extend(others.iter().filter_map(|one| mac_of(other, one)));
                let on = |index| others.iter().any(|one| one.index == index);
                self.held(other, &all, on, &mut stations)?;
            }
        }
        // A child of the run's own is heard of like any station.
        stations.macs.retain(|(mac, _)| !ours.contains(mac));
        Ok(stations)
    }

    /// Addresses of a namespace that are on some of its links, and not of the run's own.
    fn held(
        &self,
        space: &Arc<Space>,
        links: &[RawLink],
        on: impl Fn(u32) -> bool,
        stations: &mut Stations,
    ) -> Result<(), Error> {
        let held = address::list(space, links, None)
            .map_err(|failure| explain(failure, &"address show"))?;
        for (index, info) in held.into_iter().filter(|(index, _)| on(*index)) {
            let Some(link) = links.iter().find(|link| link.index == index) else { continue };
            if !self.is_own(space, link) {
                let holder = Holder::Link(reference(space, link));
                stations.addresses.push((info.address.prefix.address, holder));
            }
        }
        Ok(())
    }
}

/// The stations that links have heard of, whatever has become of them since: but for what was heard
/// from the far end of the link's own cable. That was on this end, and whoever still is here has a
/// link, or an entry in the link's filter (macvlan_open), by which he is known.
fn known(
    space: &Space,
    links: &[RawLink],
    near: &BTreeSet<u32>,
    far_end: Option<u32>,
    stations: &mut Stations,
) -> Result<(), Error> {
    let name_of = |index| {
        let found = links.iter().find(|link: &&RawLink| link.index == index);
        found.map_or_else(|| format!("if{index}"), |link| link.name.clone())
    };
    let neighbours = neighbour::list(space, None)
        .map_err(|failure| explain(failure, &"neighbour show"))?
        .into_iter()
        .filter(|(index, _)| near.contains(index));
    let rows = entry::rows(space)?;
    let on_this_end = |row: &Row| Some(row.index) == far_end && row.is_heard();
    // Where a bridge has heard one from several ports, it is not known where he is.
    let is_here = |index: u32, mac: MacAddress| {
        let mut heard = rows.iter().filter(|row| row.bridge == Some(index) && row.entry.mac == mac);
        Some(index) == far_end || heard.next().is_some_and(on_this_end) && heard.all(on_this_end)
    };
    for (index, one) in neighbours {
        let gone = !neighbour::is_lasting(&one) && one.mac.is_some_and(|mac| is_here(index, mac));
        if gone {
            continue;
        }
        let holder = Holder::Neighbour { address: one.address, link: name_of(index) };
        stations.macs.extend(one.mac.filter(|mac| is_stations(*mac)).map(|mac| (mac, holder)));
    }
    let theirs = rows.iter().filter(|row| near.contains(&row.index) && !on_this_end(row));
    for row in theirs.filter(|row| is_stations(row.entry.mac)) {
        let heard = row.bridge.is_some() && row.is_heard();
        let holder = Holder::Entry { link: name_of(row.index), vlan: row.entry.vlan, heard };
        stations.macs.push((row.entry.mac, holder));
    }
    Ok(())
}

fn mac_of(space: &Space, link: &RawLink) -> Option<(MacAddress, Holder)> {
    let mac = link.mac().filter(|mac| is_stations(*mac))?;
    Some((mac, Holder::Link(reference(space, link))))
}

fn is_stations(mac: MacAddress) -> bool {
    !mac.is_multicast() && mac.0 != [0; 6]
}

/// The other end of the cable that a link is on or stands on. None where a bridge or bond below it
/// has more than this cable.
fn far_end(link: &RawLink, links: &[RawLink]) -> Option<u32> {
    let by_index = |index: u32| links.iter().find(|link| link.index == index);
    let mut below = link;
    // As deep as the kernel nests links (MAX_NEST_DEV).
    for _ in 0..8 {
        if below.master().is_some() || below.link_nsid().is_some() {
            return None;
        }
        let next = below.link().filter(|index| *index != below.index)?;
        if kind::has_other_end(&below.kind()) {
            return Some(next);
        }
        below = by_index(next)?;
    }
    None
}

/// The links of a namespace whose frames may reach one of them without being routed: what stands on
/// it or below it, other ends of veths, bridges and bonds with their ports. Ports of a VRF have no
/// network in common.
fn joined_to(index: u32, links: &[RawLink]) -> BTreeSet<u32> {
    let by_index = |index: u32| links.iter().find(|link| link.index == index);
    let reaches = |link: &RawLink| {
        let below = link.link().filter(|_| link.link_nsid().is_none());
        let master = link.master().and_then(by_index).filter(|master| master.kind() != "vrf");
        [below, master.map(|master| master.index)]
    };
    let mut found = BTreeSet::new();
    let mut waiting = vec![index];
    while let Some(next) = waiting.pop() {
        if !found.insert(next) {
            continue;
        }
        waiting.extend(by_index(next).into_iter().flat_map(reaches).flatten());
        let others = links.iter().filter(|other| reaches(other).contains(&Some(next)));
        waiting.extend(others.map(|other| other.index));
    }
    found
}
