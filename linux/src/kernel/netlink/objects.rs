//! Next hop objects, as ip-nexthop(8) makes them: the kernel deletes those of a link that goes down,
//! loses its carrier or leaves its namespace (nexthop_netdev_event, net/ipv4/nexthop.c), the routes by
//! them and their places in groups with them. No run can put them back, so none is lost.

use std::sync::Arc;

use super::Netlink;
use super::attributes::{find, u32_of};
use super::port;
use super::raw_dump;
use super::raw_link::{IFF_LOWER_UP, RawLink};
use super::settings;
use super::space::Space;
use crate::change::Setting;
use crate::kernel::Error;
use crate::text::help;

/// linux/rtnetlink.h, linux/nexthop.h
const RTM_NEWNEXTHOP: u16 = 104;
const RTM_GETNEXTHOP: u16 = 106;
/// struct nhmsg
const HEADER: usize = 8;
const NHA_ID: u16 = 1;
const NHA_OIF: u16 = 5;

impl Netlink {
    /// Refuses settings that would lose some.
    pub(super) fn check_objects(
        &self,
        space: &Arc<Space>,
        link: &RawLink,
        settings: &[Setting],
    ) -> Result<(), Error> {
        let off = |setting: &Setting| {
            matches!(setting, Setting::Carrier(false) | Setting::ProtocolDown(true))
        };
        if settings::loses_routes(link, settings) || settings.iter().any(off) {
            return self.check_objects_of(space, link);
        }
        if !port::changes_master(settings) {
            return Ok(());
        }
        // What has no port any more has no carrier; what a VRF takes in or lets go goes down for that.
        let new = settings.iter().find_map(|setting| match setting {
            Setting::Master(Some(name)) => space.link(name).ok().flatten(),
            _ => None,
        });
        let old = space.master_of(link);
        let vrf = old.iter().chain(&new).any(|master| master.kind() == "vrf");
        let old = old.filter(|master| is_last(space, link, master));
        let links = old.into_iter().chain(vrf.then(|| link.clone()));
        links.into_iter().try_for_each(|link| self.check_objects_of(space, &link))
    }

    /// Refuses to take a link away, or down, that some are of, or that one stands on which they are
    /// of: that loses its carrier then.
    pub(super) fn check_objects_of(&self, space: &Arc<Space>, link: &RawLink) -> Result<(), Error> {
        if self.host.is_none() {
            return Ok(());
        }
        let mut objects: Vec<(u64, Vec<(u32, u32)>)> = Vec::new();
        for (there, one) in self.all_with(space, link).iter().filter(|(there, _)| !there.own) {
            if !objects.iter().any(|(cookie, _)| *cookie == there.cookie) {
                objects.push((there.cookie, all(there)));
            }
            let known = objects.iter().find(|(cookie, _)| *cookie == there.cookie);
            let mut of_link = known.into_iter().flat_map(|(_, all)| all);
            if let Some((id, _)) = of_link.find(|(_, index)| *index == one.index) {
                let name = one.name.escape_debug();
                return Err(Error::Invalid(format!(
                    "next hop object {id} of `{name}` would be lost, with the routes by it, and can't be put back{}",
                    help(format_args!(
                        "delete it with the tool that made it: `ip nexthop delete id {id}`"
                    ))
                )));
            }
        }
        Ok(())
    }

    /// A link, the masters that are nothing without it, its other end, and what stands on any of them.
    fn all_with(&self, space: &Arc<Space>, link: &RawLink) -> Vec<(Arc<Space>, RawLink)> {
        let mut all = vec![(Arc::clone(space), link.clone())];
        all.extend(self.other_end(space, link));
        let mut next = 0;
        while let Some((space, link)) = all.get(next).cloned() {
            let master = space.master_of(&link).filter(|master| is_last(&space, &link, master));
            let master = master.map(|master| (Arc::clone(&space), master));
            for (there, one) in self.children(&space, link.index).into_iter().chain(master) {
                let is = |(other, known): &(Arc<Space>, RawLink)| {
                    (other.cookie, known.index) == (there.cookie, one.index)
                };
                if !all.iter().any(is) {
                    all.push((there, one));
                }
            }
            next += 1;
        }
        all
    }
}

/// Whether a link is the last port that its master has its carrier of.
fn is_last(space: &Space, port: &RawLink, master: &RawLink) -> bool {
    let links = space.links().unwrap_or_default();
    let beside = |link: &&RawLink| link.master() == Some(master.index) && link.index != port.index;
    let mut others = links.iter().filter(beside);
    master.kind() != "vrf" && !others.any(|link| link.has(IFF_LOWER_UP))
}

/// The numbers of a namespace's objects that are of a link, and the links' indexes.
fn all(space: &Space) -> Vec<(u32, u32)> {
    let parts = raw_dump::all(space, RTM_GETNEXTHOP, &[0; HEADER], &[RTM_NEWNEXTHOP]);
    let read = |part: &Vec<u8>| {
        let attributes = part.get(HEADER..)?;
        let number = |kind| find(attributes, kind).and_then(u32_of);
        Some((number(NHA_ID)?, number(NHA_OIF)?))
    };
    parts.iter().filter_map(read).collect()
}
