//! The forwarding databases of bridges and vxlans. A bridge has one entry for a station of a VLAN,
//! whichever of its ports that is on (net/bridge/br_fdb.c), a vxlan one way to a station and several
//! to all (drivers/net/vxlan/vxlan_core.c): what a change puts is compared with what all of that
//! database told of the station before, and comes back in the kernel's own words.

use std::sync::Arc;

use netlink_packet_core::{NLM_F_APPEND, NLM_F_CREATE, NLM_F_REPLACE};
use netlink_packet_route::RouteNetlinkMessage;

use super::Netlink;
use super::entry::{NTF_MASTER, Row, as_told, asked, is_group, lasts, rows, same_entry};
use super::explain::{explain, explain_with};
use super::find::on_link;
use super::neighbour::write_flags;
use super::raw_link::RawLink;
use super::socket::{Failure, Refusal, Request};
use super::space::Space;
use crate::change::{Applied, Change, Entry, LinkRef, Made, NamespaceRef, Told, Undo, Write};
use crate::kernel::{Error, LinkSight};

impl Netlink {
    pub(super) fn put_entry(
        &mut self,
        change: &Change,
        link: &LinkRef,
        entry: &Entry,
        how: Write,
    ) -> Result<Applied, Error> {
        let (space, raw) = self.resolve(link)?;
        if entry.told.is_some() {
            restore(&space, raw.index, entry)?;
            return Ok(Applied { made: Made::Nothing, undo: Undo::default() });
        }
        let flags = write_flags(how)?;
        let message = RouteNetlinkMessage::NewNeighbour(asked(raw.index, entry));
        self.alter_entries(change, (&space, &raw), entry, Request { message, flags })
    }

    pub(super) fn remove_entry(
        &mut self,
        change: &Change,
        link: &LinkRef,
        entry: &Entry,
    ) -> Result<Applied, Error> {
        let (space, raw) = self.resolve(link)?;
        if entry.told.is_some() {
            withdraw(&space, raw.index, entry)?;
            return Ok(Applied { made: Made::Nothing, undo: Undo::default() });
        }
        let message = RouteNetlinkMessage::DelNeighbour(asked(raw.index, entry));
        self.alter_entries(change, (&space, &raw), entry, Request { message, flags: 0 })
    }

    /// What takes it back is told by what the database says of the station before and after.
    fn alter_entries(
        &self,
        change: &Change,
        (space, raw): (&Arc<Space>, &RawLink),
        entry: &Entry,
        request: Request,
    ) -> Result<Applied, Error> {
        let before = of_station(space, raw, entry)?;
        let answer = space.execute(&request);
        answer.map_err(|failure| entry_error(failure, change, space, raw))?;
        let after = of_station(space, raw, entry)?;
        let missing = |all: &[Row], row: &Row| !all.iter().any(|one| one.is(row.index, &row.entry));
        let mut new: Vec<&Row> = after.iter().filter(|row| missing(&before, row)).collect();
        // The kernel removes those of all VLANs with the one of none.
        new.sort_by_key(|row| row.entry.vlan.is_none());
        let mut steps: Vec<Change> = new.into_iter().map(|row| taken_away(space, row)).collect();
        let lost: Vec<&Row> = before.iter().filter(|row| missing(&after, row)).collect();
        steps.extend(put_back(space, lost));
        Ok(Applied { made: Made::Nothing, undo: Undo { steps } })
    }

    /// What would take the putting or removing of an entry back, whichever bridge its link is a port
    /// of by then.
    pub(super) fn entries_back(&self, link: &LinkRef, entry: &Entry) -> Result<Vec<Change>, Error> {
        let space = self.spaces.find(&link.namespace)?;
        let on = self.resolve(link).ok().map(|(_, raw)| raw.index);
        let mut all = rows(&space)?;
        all.retain(|row| {
            row.entry.mac == entry.mac && (row.bridge.is_some() || Some(row.index) == on)
        });
        let asked = LinkRef { namespace: space.reference(), index: on, ..link.clone() };
        let mut steps = vec![Change::RemoveEntry { link: asked, entry: entry.clone() }];
        steps.extend(put_back(&space, all.iter().collect()));
        Ok(steps)
    }

    /// The links of others whose entries would go, or lead elsewhere.
    pub(super) fn losers(
        &self,
        namespace: &NamespaceRef,
        port: Option<&LinkRef>,
        entry: &Entry,
    ) -> Result<Vec<LinkSight>, Error> {
        let space = self.spaces.find(namespace)?;
        let found = port.map(|port| self.resolve(port)).transpose()?.map(|(_, raw)| raw);
        let bridge = found.as_ref().map(|raw| bridge_of(&space, raw, entry));
        let mut losers: Vec<LinkSight> = Vec::new();
        for row in rows(&space)? {
            let meant = match (&bridge, row.bridge) {
                (None, there) => there.is_some(),
                (Some(asked), there) => there.is_some() && *asked == there,
            };
            let station = row.entry.mac == entry.mac
                && (entry.vlan.is_none() || row.entry.vlan == entry.vlan);
            let same = found.as_ref().is_some_and(|raw| raw.index == row.index);
            let known = losers.iter().any(|one| one.reference.index == Some(row.index));
            if meant && station && row.lasts() && !same && !known {
                losers.push(self.sight(&reference_to(&space, row.index))?);
            }
        }
        losers.retain(|seen| !seen.own);
        Ok(losers)
    }

    /// What of a namespace's forwarding databases somebody has put there: no bridge that learns, and
    /// no daemon that says that it has learned.
    pub(super) fn lasting_entries(
        &self,
        namespace: &NamespaceRef,
    ) -> Result<Vec<(String, Entry)>, Error> {
        let space = self.spaces.find(namespace)?;
        let links = space.links().map_err(|failure| explain(failure, &"fdb show"))?;
        let named = rows(&space)?.into_iter().filter(Row::is_somebodys).filter_map(|row| {
            let link = links.iter().find(|link| link.index == row.index)?;
            Some((link.name.clone(), Entry { told: None, ..row.entry }))
        });
        Ok(named.collect())
    }

    pub(super) fn entries(&self, link: &LinkRef) -> Result<Vec<Entry>, Error> {
        let (space, index) = self.index_of(link)?;
        let all = rows(&space)?.into_iter().filter(|row| row.index == index);
        // How the kernel put it is nobody's but an undo's.
        Ok(all.map(|row| Entry { told: None, ..row.entry }).collect())
    }

    /// Why an entry is not back; one that somebody has put in its place since is his.
    pub(super) fn entry_differs(
        &self,
        link: &LinkRef,
        entry: &Entry,
    ) -> Result<Option<String>, Error> {
        let (space, raw) = self.resolve(link)?;
        let Some(told) = &entry.told else {
            let back = self.entries(link)?.iter().any(|there| same_entry(there, entry));
            return Ok((!back && !entry.aged).then(|| not_back(&raw, entry)));
        };
        let all = of_database(&space, &raw, told)?;
        let back = all
            .iter()
            .any(|row| row.is(raw.index, entry) || row.lasts() && row.has_place_of(entry));
        Ok((lasts(told) && !back).then(|| not_back(&raw, entry)))
    }
}

fn not_back(link: &RawLink, entry: &Entry) -> String {
    format!("`{}` has not its entry for {} back", link.name.escape_debug(), entry.mac)
}

fn reference_to(space: &Space, index: u32) -> LinkRef {
    let name = space.name_at(index).unwrap_or_else(|| format!("if{index}"));
    LinkRef { namespace: space.reference(), name, index: Some(index) }
}

fn taken_away(space: &Space, row: &Row) -> Change {
    Change::RemoveEntry { link: reference_to(space, row.index), entry: row.entry.clone() }
}

/// The kernel puts one of no VLAN into all that the port carries, so that those of VLANs follow.
pub(super) fn put_back(space: &Space, mut all: Vec<&Row>) -> Vec<Change> {
    all.retain(|row| !row.locked);
    all.sort_by_key(|row| row.entry.vlan.is_some());
    let put = |row: &Row| Change::PutEntry {
        link: reference_to(space, row.index),
        entry: row.entry.clone(),
        how: Write::Replace,
    };
    all.into_iter().map(put).collect()
}

/// The bridge whose database an entry would go to; that of the link itself has none.
fn bridge_of(space: &Space, link: &RawLink, entry: &Entry) -> Option<u32> {
    match entry.master {
        true => space.master_of(link).map(|master| master.index),
        false => (link.kind() == "bridge").then_some(link.index),
    }
}

/// What the database that an entry goes to tells of its station.
fn of_station(space: &Space, link: &RawLink, entry: &Entry) -> Result<Vec<Row>, Error> {
    let bridge = bridge_of(space, link, entry);
    let mut all = rows(space)?;
    all.retain(|row| {
        let here = row.bridge.is_some() || row.index == link.index;
        row.entry.mac == entry.mac && row.bridge == bridge && here
    });
    Ok(all)
}

/// All of the database that an entry came from.
fn of_database(space: &Space, link: &RawLink, told: &Told) -> Result<Vec<Row>, Error> {
    let bridge = match told.flags & NTF_MASTER != 0 {
        true => link.master(),
        false => (link.kind() == "bridge").then_some(link.index),
    };
    let mut all = rows(space)?;
    all.retain(|row| row.bridge == bridge && (bridge.is_some() || row.index == link.index));
    Ok(all)
}

/// Puts an entry back as it was, and alters no other one by that. Whose place somebody has taken for
/// good meanwhile stays away.
fn restore(space: &Arc<Space>, index: u32, entry: &Entry) -> Result<(), Error> {
    let Some(told) = &entry.told else { return Ok(()) };
    let Ok(Some(link)) = space.link_at(index) else { return Ok(()) };
    let station = || {
        let mut all = of_database(space, &link, told)?;
        all.retain(|row| row.entry.mac == entry.mac);
        Ok::<_, Error>(all)
    };
    let before = station()?;
    let taken = |row: &Row| row.has_place_of(entry) && (row.lasts() || !lasts(told));
    if before.iter().any(|row| row.is(index, entry) || taken(row)) {
        return Ok(());
    }
    // Flags of one that is there are not taken away by a replacement.
    for learned in before.iter().filter(|row| row.has_place_of(entry)) {
        delete(space, learned)?;
    }
    put(space, index, entry, told)?;
    let is = |all: &[Row], row: &Row| all.iter().any(|one| one.is(row.index, &row.entry));
    for new in station()?.iter().filter(|row| row.entry.vlan.is_some()) {
        if !new.is(index, entry) && !is(&before, new) {
            delete(space, new)?;
        }
    }
    let after = station()?;
    let others = before.iter().filter(|row| row.lasts() && !is(&after, row));
    for lost in others.filter(|row| !row.has_place_of(entry)) {
        if let Some(told) = &lost.entry.told {
            put(space, lost.index, &lost.entry, told)?;
        }
    }
    Ok(())
}

/// Takes an entry away that the run has put, where it is still that one, and no other one by that.
fn withdraw(space: &Arc<Space>, index: u32, entry: &Entry) -> Result<(), Error> {
    let Some(told) = &entry.told else { return Ok(()) };
    let Ok(Some(link)) = space.link_at(index) else { return Ok(()) };
    let before = of_database(space, &link, told)?;
    let Some(there) = before.iter().find(|row| row.is(index, entry)) else { return Ok(()) };
    delete(space, there)?;
    let after = of_database(space, &link, told)?;
    let gone = |row: &&Row| {
        row.entry.mac == entry.mac
            && !row.is(index, entry)
            && !after.iter().any(|one| one.is(row.index, &row.entry))
    };
    for lost in before.iter().filter(gone) {
        if let Some(told) = &lost.entry.told {
            put(space, lost.index, &lost.entry, told)?;
        }
    }
    Ok(())
}

fn put(space: &Space, index: u32, entry: &Entry, told: &Told) -> Result<(), Error> {
    let how = if is_group(entry.mac) { NLM_F_APPEND } else { NLM_F_REPLACE };
    let message = RouteNetlinkMessage::NewNeighbour(as_told(index, told));
    let answer = space.execute(&Request { message, flags: NLM_F_CREATE | how });
    answer.map_err(|failure| explain(failure, &format_args!("fdb replace {}", entry.mac)))
}

fn delete(space: &Space, row: &Row) -> Result<(), Error> {
    let Some(told) = &row.entry.told else { return Ok(()) };
    let message = RouteNetlinkMessage::DelNeighbour(as_told(row.index, told));
    match space.execute(&Request { message, flags: 0 }) {
        Err(Failure::Refused(Refusal { errno: libc::ENOENT, .. })) => Ok(()),
        answer => answer
            .map_err(|failure| explain(failure, &format_args!("fdb delete {}", row.entry.mac))),
    }
}

fn entry_error(failure: Failure, change: &Change, space: &Arc<Space>, link: &RawLink) -> Error {
    let name = &link.name;
    match &failure {
        Failure::Refused(Refusal { errno: libc::ENODEV, .. }) => {
            on_link(failure, space, &super::find::reference(space, link), change)
        }
        _ => explain_with(failure, change, |refusal| match refusal.errno {
            libc::EOPNOTSUPP => Some(format!(
                "`{name}` has no forwarding database of its own; its master may have one"
            )),
            libc::EEXIST => Some("the entry is there already; replace it".to_owned()),
            libc::ENOENT => Some(format!("`{name}` has no such entry")),
            _ => None,
        }),
    }
}
