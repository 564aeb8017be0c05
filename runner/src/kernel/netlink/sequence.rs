//! The order and labels of a link's IPv4 addresses. The first one of a subnet is the source of what
//! leaves for it, and the kernel puts a new one behind all others (inet_insert_ifa); with a link's
//! name it alters their labels (inetdev_changename), and a label can't be altered: so those that are
//! not in their place are taken off and put again, with the routes that go with them.

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
        let addresses = addresses(space, link.index).ok().filter(|all| !all.is_empty())?;
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
        let now = present(&space, &raw, wanted)?;
        let Some(first) = now.iter().position(|(is, wanted)| !is_in_place(is, wanted)) else {
            return Ok(nothing);
        };
        let held = self.holdings(&space);
        let execute =
            |request: &Request| space.execute(request).map_err(|failure| explain(failure, change));
        // A subnet's first one last, which takes others with it.
        for (is, _) in now[first..].iter().rev() {
            execute(&address::removal(raw.index, is)?)?;
        }
        let mut failed = Ok(());
        for (_, wanted) in &now[first..] {
            let Some(wanted) = lifetime::left(wanted) else { continue };
            let done = execute(&address::put_request(raw.index, &wanted, Write::Add)?);
            failed = failed.and(done);
        }
        for step in self.lost(&space, held, raw.index) {
            let done = self.perform(&step, true).map(drop);
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

/// The IPv4 addresses of a link, in the kernel's order.
fn addresses(space: &Space, index: u32) -> Result<Vec<Address>, Error> {
    let all = address::list(space, &[], Some(Family::Ipv4));
    let all = all.map_err(|failure| explain(failure, &"address show"))?;
    let here = all.into_iter().filter(|(on, _)| *on == index);
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
    let mut now = addresses(space, link.index)?;
    now.retain(|is| wanted.iter().any(|one| same(one, is)));
    let places = wanted.iter().filter_map(|one| {
        let is = now.iter().find(|is| same(is, one))?;
        // Whoever looks after it may have given it more time since.
        Some(Address { label: one.label.clone(), ..is.clone() })
    });
    let places: Vec<Address> = places.collect();
    Ok(now.into_iter().zip(places).collect())
}

fn is_in_place(is: &Address, wanted: &Address) -> bool {
    is.prefix == wanted.prefix && is.peer == wanted.peer && is.label == wanted.label
}
