//! What a change of links makes live: addresses and routes that somebody put while a link, or what
//! it stands on, was down, had no carrier, or was in a VRF. The kernel takes them up by itself, and
//! the operator's session with them.

use std::fmt::Display;

use super::coverage::{self, Entry};
use super::host::{self, HostPolicy, Vrf};
use crate::change::{
    Answer, Family, LinkInfo, LinkName, LinkRef, Name, NamespaceRef, Query, Setting,
};
use crate::kernel::{Error, Kernel};

/// How links come to be live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waking<'a> {
    /// A link is set up or gets a carrier, and with it its other end and all that stands on it.
    Up,
    /// A link becomes a port, or is none any more.
    Master(Option<&'a str>),
    /// Routes count whatever the carrier.
    Setting,
}

/// A link by the name of its namespace, and its own.
type Place = (Option<Name>, String);

impl<'a> Waking<'a> {
    /// Those of a change of a link.
    pub(super) fn of(settings: &'a [Setting]) -> impl Iterator<Item = Self> {
        settings.iter().filter_map(|setting| match setting {
            Setting::Up(true) | Setting::Carrier(true) | Setting::ProtocolDown(false) => {
                Some(Self::Up)
            }
            Setting::Master(master) => Some(Self::Master(master.as_deref())),
            Setting::Up(false)
            | Setting::Carrier(false)
            | Setting::ProtocolDown(true)
            | Setting::Mtu(_)
            | Setting::Mac(_)
            | Setting::Broadcast(_)
            | Setting::Name(_)
            | Setting::Alias(_)
            | Setting::Group(_)
            | Setting::TransmitQueueLength(_)
            | Setting::Promiscuous(_)
            | Setting::AllMulticast(_)
            | Setting::Multicast(_)
            | Setting::Arp(_)
            | Setting::Dynamic(_)
            | Setting::Trailers(_)
            | Setting::Macvlan(_)
            | Setting::Options(_)
            | Setting::Other(_) => None,
        })
    }
}

impl HostPolicy {
    /// Refuses to make something live that would draw the operator's session to itself.
    pub(super) fn floor_of_waking<'a>(
        &self,
        link: &LinkRef,
        ways: impl IntoIterator<Item = Waking<'a>>,
        shown: &dyn Display,
        kernel: &dyn Kernel,
    ) -> Result<(), Error> {
        // Sessions are the machine's own namespace's alone.
        if self.operator.is_empty() {
            return Ok(());
        }
        ways.into_iter().try_for_each(|way| self.wakes_nothing(link, way, shown, kernel))
    }

    fn wakes_nothing(
        &self,
        link: &LinkRef,
        way: Waking<'_>,
        shown: &dyn Display,
        kernel: &dyn Kernel,
    ) -> Result<(), Error> {
        let root = NamespaceRef::named(None);
        let all = host::links(&root, kernel)?;
        let vrfs = host::vrfs_among(&all);
        let sleeps = |link: &LinkInfo| way == Waking::Setting || !link.up || !link.carrier;
        let then = |one: &LinkInfo| {
            let now = table_of(one.master.as_deref(), &vrfs);
            let itself = link.namespace.name.is_none() && one.name == link.name;
            let then = match way {
                Waking::Master(master) if itself => table_of(master, &vrfs),
                Waking::Master(_) | Waking::Up | Waking::Setting => now,
            };
            (sleeps(one) || now != then).then_some(then)
        };
        let woken = woken(&all, link).into_iter();
        let woken: Vec<_> = woken.filter_map(|one| Some((one.name.as_str(), then(one)?))).collect();
        if woken.is_empty() {
            return Ok(());
        }
        for family in [Family::Ipv4, Family::Ipv6] {
            let entries = entries_of(&woken, &root, family, kernel)?;
            self.floor_of_entries(&root, &entries, shown, kernel)?;
        }
        Ok(())
    }
}

/// The links of the machine's own namespace that are live with a link: it, its other end, all that
/// stands on them, and that of which they are ports.
fn woken<'a>(all: &'a [LinkInfo], link: &LinkRef) -> Vec<&'a LinkInfo> {
    let mut places: Vec<Place> = vec![(link.namespace.name.clone(), link.name.clone())];
    let mut next = 0;
    while let Some(place) = places.get(next).cloned() {
        next += 1;
        let is = |name: &LinkName| {
            (name.namespace.clone().flatten(), &name.name) == (place.0.clone(), &place.1)
        };
        let itself = |one: &LinkInfo| place.0.is_none() && one.name == place.1;
        let beside = all
            .iter()
            .filter(|one| one.parent.as_ref().is_some_and(is) || one.peer.as_ref().is_some_and(is));
        let masters = all.iter().filter(|one| itself(one)).filter_map(|one| one.master.clone());
        let found: Vec<String> = beside.map(|one| one.name.clone()).chain(masters).collect();
        for name in found {
            let found = (None, name);
            if !places.contains(&found) {
                places.push(found);
            }
        }
    }
    let among = |one: &&LinkInfo| places.contains(&(None, one.name.clone()));
    all.iter().filter(among).collect()
}

fn table_of(master: Option<&str>, vrfs: &[Vrf]) -> Option<u32> {
    let vrf = vrfs.iter().find(|vrf| Some(vrf.name.as_str()) == master);
    vrf.map(|vrf| vrf.table)
}

/// What the addresses of links become, and the routes by them; each link with the table of its VRF.
fn entries_of(
    links: &[(&str, Option<u32>)],
    namespace: &NamespaceRef,
    family: Family,
    kernel: &dyn Kernel,
) -> Result<Vec<Entry>, Error> {
    let query = Query::Addresses { namespace: namespace.clone(), family: Some(family) };
    let Answer::Addresses(held) = super::look(query, kernel)? else { return Ok(Vec::new()) };
    let routes = host::routes(namespace, family, kernel)?;
    let mut entries = Vec::new();
    for (link, table) in links {
        let held = held.iter().filter(|info| info.link == *link);
        let of_addresses = held.flat_map(|info| coverage::of_address(&info.address));
        entries.extend(of_addresses.map(|entry| table.map_or(entry, |table| entry.within(table))));
        entries.extend(routes.iter().filter(|one| one.leads_by(link)).map(Entry::of_route));
    }
    Ok(entries)
}
