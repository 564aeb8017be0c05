//! Links of a lab on links of the host.

use std::collections::HashMap;
use std::os::fd::AsFd as _;
use std::sync::{Arc, MutexGuard, PoisonError};

use super::Netlink;
use super::born::applied;
use super::space::Space;
use crate::change::{Applied, Change, LinkRef, NamespaceRef, Setting, Spec};
use crate::kernel::uplink::Uplinks;
use crate::kernel::{Error, kind};

impl Netlink {
    /// The host's link that a new link's parent means: one that the operator granted, by its name
    /// in the lab's root namespace, where no link of the lab has that name.
    pub(super) fn asked_uplink(&self, change: &Change) -> Option<String> {
        let Change::CreateLink { namespace, spec } = change else { return None };
        let uplinks = self.uplinks.as_ref()?;
        let parent = spec.parent.as_ref()?;
        let there = parent.namespace.clone().unwrap_or_else(|| namespace.name.clone());
        if there.is_some() || !uplinks.has(&parent.name) {
            return None;
        }
        let root = self.spaces.find(&NamespaceRef::named(None)).ok()?;
        matches!(root.link(&parent.name), Ok(None)).then(|| parent.name.clone())
    }

    /// The host's link that a change reaches: as a new child of it, by a child of it that it alters,
    /// moves or gives an address, or by one whose parent the new link gets for its own.
    pub(super) fn reached_uplink(&self, change: &Change) -> Option<String> {
        if let Some(link) = self.asked_uplink(change) {
            return Some(link);
        }
        let link = if let Change::ChangeLink { link, .. }
        | Change::MoveLink { link, .. }
        | Change::PutAddress { link, .. } = change
        {
            link.clone()
        } else if let Change::CreateLink { namespace, spec } = change {
            let shares = kind::shares_parent(spec.kind.word());
            spec.parent.as_ref().filter(|_| shares)?.reference(namespace)
        } else {
            return None;
        };
        let uplinks = self.uplinks.as_ref()?;
        if self.uplink_children().is_empty() && !uplinks.is_of_kept_lab() {
            return None;
        }
        let (space, index) = self.index_of(&link).ok()?;
        let known = self.uplink_children().get(&(space.cookie, index)).cloned();
        known.or_else(|| self.earlier_uplink(uplinks, &space, index))
    }

    /// The same of a link that was made before the lab was kept: what it stands on is in no namespace
    /// of the lab's.
    fn earlier_uplink(&self, uplinks: &Uplinks, space: &Arc<Space>, index: u32) -> Option<String> {
        if !uplinks.is_of_kept_lab() {
            return None;
        }
        let link = space.link_at(index).ok().flatten()?;
        let elsewhere = link.link_nsid().is_some() && self.spaces.below(space, &link).is_none();
        let parent = link.link().filter(|_| elsewhere && !kind::has_other_end(&link.kind()))?;
        uplinks.parent_of_earlier(parent).map(str::to_owned)
    }

    fn uplink_children(&self) -> MutexGuard<'_, HashMap<(u64, u32), String>> {
        self.children.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a link of the lab is a child of the host's, where its parent was one.
    pub(super) fn note_child(&self, change: &Change, space: &Space, index: u32) {
        if self.uplinks.is_none() {
            return;
        }
        if let Some(link) = self.reached_uplink(change) {
            self.uplink_children().insert((space.cookie, index), link);
        }
    }

    /// A link that is no longer where it was is still a child of the host's.
    pub(super) fn note_moved_child(&self, from: (u64, u32), to: (u64, u32)) {
        let mut children = self.uplink_children();
        if let Some(link) = children.remove(&from) {
            children.insert(to, link);
        }
    }

    /// Has it made outside, and gives it its other settings here.
    pub(super) fn create_on_uplink(
        &mut self,
        change: &Change,
        target: &Arc<Space>,
        spec: &Spec,
    ) -> Result<Applied, Error> {
        let Some(uplinks) = &self.uplinks else {
            return Err(Error::Unsupported("this lab has no uplink".to_owned()));
        };
        let born_with = |setting: &Setting| matches!(setting, Setting::Mtu(_) | Setting::Mac(_));
        let (now, later): (Vec<_>, Vec<_>) = spec.settings.iter().cloned().partition(born_with);
        let outside = Spec { settings: now, ..spec.clone() };
        let index = uplinks.create(target.descriptor.as_fd(), &outside)?;
        target.used_index(index);
        if let Some(parent) = &spec.parent {
            self.uplink_children().insert((target.cookie, index), parent.name.clone());
        }
        let link = LinkRef {
            namespace: target.reference(),
            name: spec.name.as_str().to_owned(),
            index: Some(index),
        };
        let read = || self.link_at(target, &link, index);
        let mut index_of = |name: &str| Ok(self.link_by_name(target, name)?.index);
        let requests = super::settings::requests(index, &read, &later, &mut index_of);
        let done = requests.and_then(|requests| {
            requests.iter().try_for_each(|request| {
                let answer = target.execute(request);
                answer.map_err(|failure| self.setting_error(change, target, &link, failure))
            })
        });
        if let Err(error) = done {
            // The error counts; the lab takes the link with it.
            let _ = target.execute(&super::change::delete_request(index));
            return Err(error);
        }
        Ok(applied(&link, Vec::new()))
    }
}
