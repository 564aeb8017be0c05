//! What stands on a link: links that the kernel deletes, or leaves without it, when it goes.

use std::sync::Arc;

use super::Netlink;
use super::find::reference;
use super::raw_link::RawLink;
use super::space::Space;
use crate::change::LinkRef;
use crate::kernel::{Error, Upper, kind};
use crate::text::help;

/// Kinds that keep their parent when it moves to another namespace (their handlers of
/// NETDEV_UNREGISTER look whether it goes for good). Of all others some are deleted then, as vxlan
/// and macsec, and some left without it.
const KEEPING: [&str; 5] = ["vlan", "macvlan", "macvtap", "ipvlan", "ipvtap"];

impl Netlink {
    /// Whether it is a port, or has children of others' that may have VLANs of their own.
    pub(super) fn hands_on(&self, link: &LinkRef) -> Result<bool, Error> {
        let (space, raw) = self.resolve(link)?;
        let takes = |(there, one): &(Arc<Space>, RawLink)| {
            let kind = one.kind();
            (kind::takes_by_mac(&kind) || kind::takes_by_address(&kind))
                && !there.own
                && !self.is_own(there, one)
        };
        Ok(raw.master().is_some() || self.children(&space, raw.index).iter().any(takes))
    }

    /// The links of others that would not outlast the move of a link to another namespace.
    pub(super) fn lost_by_a_move(&self, link: &LinkRef) -> Result<Vec<Upper>, Error> {
        let (space, raw) = self.resolve(link)?;
        let mut all = self.others_on(&space, &raw);
        all.retain(|upper| !KEEPING.contains(&upper.kind.as_str()));
        Ok(all)
    }

    /// Refuses to delete what links of others stand on, or on the other end of it: the kernel
    /// deletes those with it.
    pub(super) fn check_stood_on(&self, space: &Arc<Space>, link: &RawLink) -> Result<(), Error> {
        if self.host.is_none() {
            return Ok(());
        }
        self.check_objects_of(space, link)?;
        let mut all = self.others_on(space, link);
        if let Some((there, other)) = self.other_end(space, link) {
            all.extend(self.others_on(&there, &other));
        }
        let Some(Upper { reference: LinkRef { name, .. }, kind }) = all.first() else {
            return Ok(());
        };
        let (name, below) = (name.escape_debug(), link.name.escape_debug());
        Err(Error::Invalid(format!(
            "`{below}` stays, for `{name}` ({kind}) stands on it, which this run did not make{}",
            help(format!("delete `{name}`, and take this back again"))
        )))
    }

    /// The same of all in a namespace, which goes with it.
    pub(super) fn check_stood_on_in(&self, space: &Arc<Space>) -> Result<(), Error> {
        if self.host.is_none() {
            return Ok(());
        }
        let links = space.links().unwrap_or_default();
        links.iter().try_for_each(|link| self.check_stood_on(space, link))
    }

    /// The links of others that stand on one, in namespaces that the run knows.
    fn others_on(&self, below: &Arc<Space>, link: &RawLink) -> Vec<Upper> {
        let mut found = Vec::new();
        for space in self.foreign_spaces() {
            let all = space.links().unwrap_or_default();
            let others = all.iter().filter(|upper| {
                (space.cookie, upper.index) != (below.cookie, link.index)
                    && !self.is_own(space, upper)
                    && self.is_above(space, upper, below, link)
            });
            found.extend(
                others.map(|one| Upper { reference: reference(space, one), kind: one.kind() }),
            );
        }
        found
    }

    fn is_above(
        &self,
        space: &Arc<Space>,
        upper: &RawLink,
        below: &Arc<Space>,
        link: &RawLink,
    ) -> bool {
        let parent = self.parent(space, upper);
        if parent
            .is_some_and(|(there, found)| there.cookie == below.cookie && found.index == link.index)
        {
            return true;
        }
        let kind = upper.kind();
        if kind::is_bundle(&kind) {
            // It names its ports, and outlasts them.
            return false;
        }
        let mut name_of = |index| space.name_at(index);
        let data = kind::read(&kind, upper.data(), &mut name_of);
        space.cookie == below.cookie
            && kind::linked(&kind, &data).any(|option| option.value == link.name)
    }

    /// The other end of a veth, which goes with it.
    pub(super) fn other_end(
        &self,
        space: &Arc<Space>,
        link: &RawLink,
    ) -> Option<(Arc<Space>, RawLink)> {
        let index = link.link().filter(|_| kind::has_other_end(&link.kind()))?;
        let there = self.spaces.below(space, link)?;
        let found = there.link_at(index).ok().flatten()?;
        Some((there, found))
    }
}
