//! Links that exist: altered in place, moved, deleted.

use std::sync::Arc;

use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::LinkMessage;

use netwright_network::refusal;

use super::Netlink;
use super::bundle::{entered_back, ports_of};
use super::explain::{explain, explain_with, refused};
use super::find::{on_link, reference};
use super::lent::move_request;
use super::port;
use super::queueing::Loss;
use super::raw_link::RawLink;
use super::restore::arriving;
use super::settings;
use super::socket::{Failure, Request};
use super::space::Space;
use crate::change::{Applied, Change, LinkRef, MacAddress, Made, NamespaceRef, Setting, Undo};
use crate::kernel::Error;
use crate::kernel::kind;
use crate::kernel::kind::in_place::{self, Present};

/// A link of the run's own that was moved, by cookies and indexes.
#[derive(Debug)]
pub(super) struct Move {
    pub(super) at: (u64, u32),
    pub(super) from: (u64, u32),
}

impl Netlink {
    pub(super) fn change_link(
        &mut self,
        change: &Change,
        link: &LinkRef,
        settings: &[Setting],
        undoing: bool,
    ) -> Result<Applied, Error> {
        refused(kind::validate_settings(settings))?;
        let (space, before) = self.resolve(link)?;
        match replacement(&space, &before, settings) {
            Some(sentence) => return Err(Error::Invalid(sentence)),
            None => check_mtu(self, &space, &before, settings)?,
        }
        self.check_objects(&space, &before, settings)?;
        let leaves = port::leaves(&before, settings);
        if !undoing {
            self.check_deaf(&space, &before, settings)?;
            if leaves {
                self.check_leaving(&space, &before)?;
            }
            self.check_bridge(&space, Some(&before), before.mtu(), settings)?;
        }
        let mut ports = self.ports_back(&space, &before, settings);
        ports.extend(leaves.then(|| self.port_back(&space, &before)).into_iter().flatten());
        ports.extend(self.bundles_back(&space, &before, settings));
        let full = reference(&space, &before);
        let mut name_of = |index| space.name_at(index);
        let inverse = settings::inverse(&before, settings, &mut name_of);
        let lowered = self.lowered_with(&space, &before, settings);
        let mut losers = Vec::new();
        // One that joins or leaves a VRF is set down for a moment, and its table is another.
        let joins = port::changes_master(settings) && !self.is_own(&space, &before);
        if joins || settings::loses_routes(&before, settings) {
            losers.push(Arc::clone(&space));
        }
        if self.host.is_some() && settings::loses_neighbours(settings) {
            losers.push(Arc::clone(&space));
        }
        if settings::loses_ipv6(&before, settings) {
            let others = lowered.iter().map(|(there, _)| Arc::clone(there));
            losers.extend(others.chain([Arc::clone(&space)]));
        }
        losers.sort_by_key(|space| space.cookie);
        losers.dedup_by_key(|space| space.cookie);
        let losses: Vec<_> =
            losers.into_iter().map(|space| (self.holdings(&space), space)).collect();
        let kept = if undoing { Vec::new() } else { self.kept_below(&space, &before, settings) };
        let labels = self.labels_back(&space, &before, settings);
        let mut back = self.settings_lost(&space, &before, settings);
        for (there, child) in &lowered {
            back.extend(self.settings_lost(there, child, settings));
        }
        match undoing {
            true => self.carry_out_undoing(change, (&space, &before), settings, &inverse)?,
            false => self.carry_out_deaf(change, &space, &full, settings, &inverse)?,
        }
        self.note_mtu(&space, before.index, settings);
        let mut steps = Vec::new();
        if !inverse.is_empty() {
            let link = settings::renamed(&full, settings);
            steps.push(Change::ChangeLink { link, settings: inverse });
        }
        // After its own, for no child may be above its parent.
        steps.extend(lowered.iter().map(|(there, child)| Change::ChangeLink {
            link: reference(there, child),
            settings: vec![Setting::Mtu(child.mtu())],
        }));
        steps.extend(back);
        steps.extend(ports);
        for (had, space) in losses {
            steps.extend(self.lost(&space, had, before.index));
        }
        steps.extend(kept);
        steps.extend(labels);
        Ok(Applied { made: Made::Nothing, undo: Undo { steps } })
    }

    /// The links above one, whose MTU the kernel lowers with its own (NETDEV_CHANGEMTU in
    /// drivers/net/macvlan.c and net/8021q/vlan.c): a parent before its children.
    pub(super) fn lowered_with(
        &self,
        space: &Arc<Space>,
        link: &RawLink,
        settings: &[Setting],
    ) -> Vec<(Arc<Space>, RawLink)> {
        let Some(mtu) = settings::mtu(settings).filter(|mtu| *mtu < link.mtu()) else {
            return Vec::new();
        };
        let mut lowered = vec![(Arc::clone(space), link.clone())];
        let mut next = 0;
        while let Some((space, link)) = lowered.get(next).cloned() {
            let children = self.children(&space, link.index);
            // A bond's or team's ports have its MTU.
            let bundled = kind::is_bundle(&link.kind()).then(|| ports_of(&space, &link));
            let ports = bundled.into_iter().flatten().map(|port| (Arc::clone(&space), port));
            let all = children.into_iter().chain(ports);
            lowered.extend(all.filter(|(_, child)| child.mtu() > mtu));
            next += 1;
        }
        lowered.split_off(1)
    }

    /// Settings of a link that the same batch made and would remove again: nothing is read.
    pub(super) fn change_new(
        &self,
        change: &Change,
        link: &LinkRef,
        settings: &[Setting],
    ) -> Result<Applied, Error> {
        let (space, index) = self.index_of(link)?;
        let link = LinkRef { index: Some(index), ..link.clone() };
        if self.guards(&space) {
            let now = self.link_at(&space, &link, index)?;
            self.check_bridge(&space, Some(&now), now.mtu(), settings)?;
        }
        let back = entered_back(&space, settings);
        self.carry_out_deaf(change, &space, &link, settings, &[])?;
        self.note_mtu(&space, index, settings);
        let leaving = Change::ChangeLink { link, settings: vec![Setting::Master(None)] };
        let first = (!back.is_empty()).then_some(leaving);
        let steps = first.into_iter().chain(back).collect();
        Ok(Applied { made: Made::Nothing, undo: Undo { steps } })
    }

    /// A link of the run's own in a namespace of others' goes up last, and deaf: what it is given
    /// before may be its IPv6.
    pub(super) fn carry_out_deaf(
        &self,
        change: &Change,
        space: &Arc<Space>,
        link: &LinkRef,
        settings: &[Setting],
        inverse: &[Setting],
    ) -> Result<(), Error> {
        let raises = |setting: &Setting| *setting == Setting::Up(true);
        let wakes = |setting: &Setting| raises(setting) || matches!(setting, Setting::Mtu(_));
        let index = link.index.unwrap_or(0);
        let own = || self.link_at(space, link, index).map(|now| self.is_own(space, &now));
        if !self.guards(space) || !settings.iter().any(wakes) || !own()? {
            return self.carry_out(change, space, link, settings, inverse);
        }
        let (last, first): (Vec<_>, Vec<_>) = settings.iter().cloned().partition(raises);
        self.carry_out(change, space, link, &first, inverse)?;
        let guarded = self.guard(space, index);
        guarded.and_then(|()| self.carry_out(change, space, link, &last, &[])).inspect_err(|_| {
            // As below.
            self.put_back(space, link, inverse);
        })
    }

    /// All requests, or as near to none as the kernel allows.
    fn carry_out(
        &self,
        change: &Change,
        space: &Arc<Space>,
        link: &LinkRef,
        settings: &[Setting],
        inverse: &[Setting],
    ) -> Result<(), Error> {
        for request in self.requests(space, link, settings)? {
            let Err(failure) = space.execute(&request) else { continue };
            let error = self.setting_error(change, space, link, failure);
            self.put_back(space, link, inverse);
            return Err(error);
        }
        Ok(())
    }

    fn requests(
        &self,
        space: &Arc<Space>,
        link: &LinkRef,
        settings: &[Setting],
    ) -> Result<Vec<Request>, Error> {
        let index = link.index.unwrap_or(0);
        let read = || self.link_at(space, link, index);
        let mut index_of = |name: &str| Ok(self.link_by_name(space, name)?.index);
        settings::requests(index, &read, settings, &mut index_of)
    }

    /// The kernel may have done part of a request; what it won't take back it never took.
    pub(super) fn put_back(&self, space: &Arc<Space>, link: &LinkRef, inverse: &[Setting]) {
        for setting in inverse {
            let back = self.requests(space, link, std::slice::from_ref(setting));
            for request in back.unwrap_or_default() {
                let _ = space.execute(&request);
            }
        }
    }

    /// What a refused setting means.
    pub(super) fn setting_error(
        &self,
        change: &Change,
        space: &Arc<Space>,
        link: &LinkRef,
        failure: Failure,
    ) -> Error {
        if let Failure::Refused(refusal) = &failure
            && refusal.errno == libc::ENODEV
        {
            return on_link(failure, space, link, change);
        }
        explain_with(failure, change, |refusal| {
            let now = link.index.and_then(|index| space.link_at(index).ok().flatten())?;
            match refusal.errno {
                libc::EADDRINUSE => {
                    let siblings = self.siblings_of(space, &now);
                    self.same_address(now.mac()?, &siblings)
                }
                libc::ENETDOWN if now.link().is_some() => {
                    Some(format!("the link that `{}` stands on is down", now.name))
                }
                libc::ENOTCONN => Some(format!("`{}` has no other end", now.name)),
                libc::EBUSY if asks(change, |setting| matches!(setting, Setting::Name(_))) => {
                    Some(format!("`{}` is up; set it down first", now.name))
                }
                libc::EBUSY if asks(change, |setting| matches!(setting, Setting::Master(_))) => {
                    let children = self.children(space, now.index);
                    let (there, child) = children.first()?;
                    Some(format!(
                        "`{}` is the parent of `{}` in {}; it can't be a port too",
                        now.name,
                        child.name,
                        there.shown()
                    ))
                }
                libc::EEXIST => Some(format!("{} has a link of that name already", space.shown())),
                libc::EINVAL => replacement(space, &now, settings_of(change)),
                libc::EOPNOTSUPP if asks(change, |one| matches!(one, Setting::Options(_))) => {
                    let name = &now.name;
                    Some(format!("it needs a replacement: delete `{name}` and make it anew"))
                }
                libc::ELOOP => Some("a master can't be below its own port".to_owned()),
                _ => None,
            }
        })
    }

    /// The other children of a link's parent.
    fn siblings_of(&self, space: &Arc<Space>, link: &RawLink) -> Vec<(Arc<Space>, RawLink)> {
        let parent = self.spaces.below(space, link).zip(link.link());
        let Some((below, parent)) = parent else { return Vec::new() };
        let mut all = self.children(&below, parent);
        all.retain(|(there, other)| there.cookie != space.cookie || other.index != link.index);
        all
    }

    /// All links of the run that stand on one.
    pub(super) fn children(&self, below: &Arc<Space>, parent: u32) -> Vec<(Arc<Space>, RawLink)> {
        let mut found = Vec::new();
        for space in self.spaces.all() {
            for link in space.links().unwrap_or_default() {
                let stands = link.link() == Some(parent)
                    && !matches!(link.kind().as_str(), "veth")
                    && self
                        .spaces
                        .below(space, &link)
                        .is_some_and(|other| other.cookie == below.cookie);
                if stands {
                    found.push((Arc::clone(space), link));
                }
            }
        }
        found
    }

    /// Who has a MAC address among the children of one parent.
    pub(super) fn same_address(
        &self,
        mac: MacAddress,
        siblings: &[(Arc<Space>, RawLink)],
    ) -> Option<String> {
        let (space, link) = siblings.iter().find(|(_, link)| link.mac() == Some(mac))?;
        Some(format!(
            "`{}` in {} has address {mac} on the same parent already",
            link.name,
            space.shown()
        ))
    }

    pub(super) fn move_link(
        &mut self,
        change: &Change,
        link: &LinkRef,
        to: &NamespaceRef,
        undoing: bool,
    ) -> Result<Applied, Error> {
        let (space, before) = self.resolve(link)?;
        let target = self.spaces.find(to)?;
        let full = reference(&space, &before);
        let own = self.is_own(&space, &before);
        if target.cookie == space.cookie {
            return Ok(Applied { made: Made::Link(full), undo: Undo::default() });
        }
        let at = (space.cookie, before.index);
        let back = self.moves.iter().position(|moved| moved.at == at);
        let back = back.filter(|place| self.moves[*place].from.0 == target.cookie);
        // Its earlier undo steps know it by the index that it had there.
        let old = back.map(|place| self.moves[place].from.1);
        if !undoing {
            self.check_leaving(&space, &before)?;
            self.check_labels(&space, &before)?;
            let leaving = [Setting::Master(None)];
            self.check_bridge(&space, Some(&before), before.mtu(), &leaving)?;
        }
        self.check_objects_of(&space, &before)?;
        let mut port = self.port_back(&space, &before);
        port.extend(self.left_bundle_back(&space, &before));
        let (mut queueing, mut filter) = (None, Vec::new());
        if self.is_of_others(&space, &before) {
            self.may_lose(&space, &before, Loss::All, undoing)?;
            queueing = self.queueing_back(&space, &before, full.clone())?;
            filter = self.filter_back(&space, &before);
        }
        let losses = self.holdings(&space);
        // What a run makes goes with it, unless it is a deployment's.
        let stays = !own || !self.lives.is_empty();
        let had = stays.then(|| (self.settings_of(&space, &before), self.own_mtu(&space, &before)));
        let (had, own_mtu) = had.unwrap_or_default();
        let moved = match own {
            true => space.execute(&move_request(before.index, &target, old)),
            false => {
                let new = self.index_away(at, target.cookie);
                space.execute(&move_request(before.index, &target, Some(new)))
            }
        };
        moved.map_err(|failure| move_error(failure, change, &target, &full))?;
        // It isn't noted as the run's own there yet.
        let now = target.link(&before.name).map_err(|failure| explain(failure, change))?;
        let now = now.ok_or_else(|| super::find::gone(&target, &full))?;
        if own {
            target.used_index(now.index);
            self.note_made(&target, now.index);
            self.note_moved(at, (target.cookie, now.index));
            if let Err(error) = self.guard(&target, now.index) {
                // The error counts; a link that can't go back is listed by the check for leaks.
                let _ = target.execute(&move_request(now.index, &space, None));
                return Err(error);
            }
            match back {
                Some(place) => drop(self.moves.swap_remove(place)),
                None => self.moves.push(Move { at: (target.cookie, now.index), from: at }),
            }
        } else {
            self.note_lent(at, before.clone(), (target.cookie, now.index));
        }
        self.note_moved_child(at, (target.cookie, now.index));
        let moved = reference(&target, &now);
        let mut steps = vec![Change::MoveLink { link: moved.clone(), to: space.reference() }];
        steps.extend(queueing);
        steps.extend(arriving(&space, &before, own, had));
        steps.extend(port);
        steps.extend(own_mtu);
        steps.extend(self.lost(&space, losses, before.index));
        steps.extend(filter);
        Ok(Applied { made: Made::Link(moved), undo: Undo { steps } })
    }

    pub(super) fn delete_link(
        &mut self,
        change: &Change,
        link: &LinkRef,
    ) -> Result<Applied, Error> {
        let (space, index) = self.index_of(link)?;
        self.check_deletion(&space, link, index)?;
        let undo = self.remaking(&space, &link.name);
        let answer = space.execute(&delete_request(index));
        answer.map_err(|failure| on_link(failure, &space, link, change))?;
        Ok(Applied { made: Made::Nothing, undo })
    }
}

impl Netlink {
    /// Whoever asks for it, and however the link came where it is: on the host no link is deleted
    /// but the run's own.
    fn check_deletion(&self, space: &Arc<Space>, link: &LinkRef, index: u32) -> Result<(), Error> {
        if self.host.is_none() {
            return Ok(());
        }
        let there = self.link_at(space, link, index)?;
        if self.may_delete(space, &there) {
            return self.check_stood_on(space, &there);
        }
        Err(Error::Invalid(format!(
            "`{}` of {} is not deleted: this run did not make it",
            there.name.escape_debug(),
            space.shown()
        )))
    }
}

/// Why a link as it is can't have the settings without being made anew.
pub(super) fn replacement(space: &Space, link: &RawLink, settings: &[Setting]) -> Option<String> {
    let kind = link.kind();
    let mut name_of = |index| space.name_at(index);
    let present = Present {
        name: &link.name,
        kind: &kind,
        macvlan: link.is_macvlan().then(|| link.macvlan().mode).flatten(),
        data: &kind::read(&kind, link.data(), &mut name_of),
    };
    in_place::refusal(&present, settings)
}

/// Whether a change asks for a setting.
fn asks(change: &Change, wanted: fn(&Setting) -> bool) -> bool {
    settings_of(change).iter().any(wanted)
}

fn settings_of(change: &Change) -> &[Setting] {
    if let Change::ChangeLink { settings, .. } = change {
        settings
    } else if let Change::CreateLink { spec, .. } = change {
        &spec.settings
    } else {
        &[]
    }
}

pub(super) fn delete_request(index: u32) -> Request {
    let mut message = LinkMessage::default();
    message.header.index = index;
    Request { message: RouteNetlinkMessage::DelLink(message), flags: 0 }
}

fn move_error(failure: Failure, change: &Change, target: &Space, link: &LinkRef) -> Error {
    if matches!(&failure, Failure::Refused(refusal) if refusal.errno == libc::ENODEV) {
        return explain(failure, change);
    }
    explain_with(failure, change, |refusal| match refusal.errno {
        libc::EEXIST => Some(format!("{} has a link `{}` already", target.shown(), link.name)),
        libc::EBUSY => Some(format!(
            "{} has another link with the index by which `{}` would be known there",
            target.shown(),
            link.name
        )),
        libc::EINVAL => Some("links of this kind can't leave their namespace".to_owned()),
        _ => None,
    })
}

/// A child's MTU must not be above its parent's.
fn check_mtu(
    kernel: &Netlink,
    space: &Arc<Space>,
    link: &RawLink,
    settings: &[Setting],
) -> Result<(), Error> {
    let asked = settings::mtu(settings);
    let kind = link.kind();
    let (Some(asked), "macvlan" | "macvtap" | "vlan" | "ipvlan" | "ipvtap") =
        (asked, kind.as_str())
    else {
        return Ok(());
    };
    let below = kernel.spaces.below(space, link);
    let parent = below.zip(link.link()).and_then(|(below, parent)| below.link_at(parent).ok()?);
    match parent {
        Some(parent) if asked > parent.mtu() => {
            let (most, parent) = (parent.mtu(), &parent.name);
            Err(Error::Invalid(refusal::mtu_above_parent(&link.name, asked, parent, most)))
        }
        _ => Ok(()),
    }
}
