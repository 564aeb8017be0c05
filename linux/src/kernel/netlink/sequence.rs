//! The order of a link's addresses, by which the kernel chooses a source, and the labels of IPv4's.
//! Of IPv4 it puts a new one behind all others (inet_insert_ifa), of IPv6 before them
//! (ipv6_link_dev_addr); with a link's name it alters labels (inetdev_changename), and a label can't
//! be altered: so those that are not in their place are taken off and put again, with the routes that
//! go with them.

use std::sync::Arc;

use super::Netlink;
use super::explain::explain;
use super::find::reference;
use super::raw_link::RawLink;
use super::socket::Request;
use super::space::Space;
use super::{address, lifetime};
use crate::change::{Address, Applied, Change, Family, LinkRef, Made, Setting, Undo, Write};
use crate::kernel::Error;

impl Netlink {
    /// A step that puts the addresses of a link of others' into the order that they have, under the
    /// labels that they have.
    pub(super) fn sequence_back(&self, space: &Space, link: &RawLink) -> Option<Change> {
        if !self.is_of_others(space, link) {
            return None;
        }
        let addresses = addresses(space, link.index, Family::Ipv4).ok();
        let addresses = addresses.filter(|all| !all.is_empty())?;
        Some(Change::OrderAddresses { link: reference(space, link), addresses })
    }

    /// The same where settings alter labels.
    pub(super) fn labels_back(
        &self,
        space: &Space,
        link: &RawLink,
        settings: &[Setting],
    ) -> Option<Change> {
        let renames = settings.iter().any(|setting| setting.name().is_some());
        renames.then(|| self.sequence_back(space, link)).flatten()
    }

    pub(super) fn order_addresses(
        &mut self,
        change: &Change,
        link: &LinkRef,
        wanted: &[Address],
    ) -> Result<Applied, Error> {
        let (space, raw) = self.resolve(link)?;
        let nothing = Applied { made: Made::Nothing, undo: Undo::default() };
        let (off, on) = out_of_place(present(&space, &raw, wanted)?);
        if off.is_empty() {
            return Ok(nothing);
        }
        let held = self.holdings(&space);
        let execute =
            |request: &Request| space.execute(request).map_err(|failure| explain(failure, change));
        for is in &off {
            execute(&address::removal(raw.index, is)?)?;
        }
        let mut failed = Ok(());
        for wanted in &on {
            let Some(wanted) = lifetime::left(wanted) else { continue };
            let done = execute(&address::put_request(raw.index, &wanted, Write::Add)?);
            failed = failed.and(done);
        }
        let lost = self.lost(&space, held, raw.index);
        for step in lost.iter().filter(|step| !matches!(step, Change::OrderAddresses { .. })) {
            let done = self.take_step_back(step);
            failed = failed.and(done);
        }
        failed.map(|()| nothing)
    }

    /// Whether the addresses that are there still are as they were among themselves.
    pub(super) fn sequence_differs(
        &self,
        link: &LinkRef,
        wanted: &[Address],
    ) -> Result<Option<String>, Error> {
        let (space, raw) = self.resolve(link)?;
        let now = present(&space, &raw, wanted)?;
        let moved = now.iter().find(|(is, wanted)| !is_in_place(is, wanted));
        Ok(moved.map(|(_, wanted)| {
            let name = raw.name.escape_debug();
            format!("{} is not back on `{name}` in its place, under its label", wanted.prefix)
        }))
    }
}

/// The addresses of a link, in the kernel's order, but for those that it makes of others.
fn addresses(space: &Space, index: u32, family: Family) -> Result<Vec<Address>, Error> {
    let all = address::list(space, &[], Some(family));
    let all = all.map_err(|failure| explain(failure, &"address show"))?;
    let here = all.into_iter().filter(|(on, info)| *on == index && !info.temporary);
    Ok(here.map(|(_, info)| lifetime::counted(info.address)).collect())
}

/// Those of the wanted addresses that are there, in the order that they have, each beside the one
/// that should be in its place.
fn present(
    space: &Arc<Space>,
    link: &RawLink,
    wanted: &[Address],
) -> Result<Vec<(Address, Address)>, Error> {
    let same =
        |one: &Address, other: &Address| one.prefix == other.prefix && one.peer == other.peer;
    let family = wanted.first().map_or(Family::Ipv4, |one| Family::of(one.prefix.address));
    let mut now = addresses(space, link.index, family)?;
    now.retain(|is| wanted.iter().any(|one| same(one, is)));
    let places = wanted.iter().filter_map(|one| {
        let is = now.iter().find(|is| same(is, one))?;
        // Whoever looks after it may have given it more time since.
        Some(Address { label: one.label.clone(), ..is.clone() })
    });
    let places: Vec<Address> = places.collect();
    Ok(now.into_iter().zip(places).collect())
}

/// Those that are to be taken off, and those that are to be put on again, in order: of IPv4 all from
/// the first that is not in its place, a subnet's first one off last, for it takes others with it; of
/// IPv6 all before those that follow each other as they should.
fn out_of_place(now: Vec<(Address, Address)>) -> (Vec<Address>, Vec<Address>) {
    let four = now.first().is_some_and(|(is, _)| is.prefix.address.is_ipv4());
    let Some(first) = now.iter().position(|(is, wanted)| !is_in_place(is, wanted)) else {
        return (Vec::new(), Vec::new());
    };
    if four {
        let (off, on): (Vec<_>, Vec<_>) = now.into_iter().skip(first).unzip();
        return (off.into_iter().rev().collect(), on);
    }
    let (there, wanted): (Vec<_>, Vec<_>) = now.into_iter().unzip();
    let mut before = there.len();
    let mut stay = 0;
    for one in wanted.iter().rev() {
        match there.iter().position(|is| is_in_place(is, one)) {
            Some(place) if place < before => before = place,
            Some(_) | None => break,
        }
        stay += 1;
    }
    let moved: Vec<Address> = wanted.into_iter().rev().skip(stay).collect();
    (moved.clone(), moved)
}

fn is_in_place(is: &Address, wanted: &Address) -> bool {
    is.prefix == wanted.prefix && is.peer == wanted.peer && is.label == wanted.label
}
