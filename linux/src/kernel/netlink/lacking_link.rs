//! What of a link is not as it was asked for: its kind, what it stands on, its settings.

use std::sync::Arc;

use super::change::replacement;
use super::create::{UNDERLAY_TUNNEL, UNDERLAY_VXLAN};
use super::find::reference;
use super::raw_link::RawLink;
use super::settings::inverse;
use super::space::Space;
use super::{Netlink, attributes};
use crate::change::{
    Attribute, Change, Kind, LinkName, LinkRef, Macvlan, MacvlanChange, NamespaceRef, Options,
    Setting, Spec, Tuntap, Veth,
};
use crate::kernel::kind::{self, Parent, options};
use crate::kernel::{Error, Lacking};

impl Netlink {
    /// Of a link that shall be made.
    pub(super) fn link_lacking(
        &self,
        change: &Change,
        namespace: &NamespaceRef,
        spec: &Spec,
    ) -> Result<Lacking, Error> {
        let Ok(space) = self.spaces.find(namespace) else { return Ok(Lacking::Everything) };
        let Ok(Some(now)) = space.link(spec.name.as_str()) else { return Ok(Lacking::Everything) };
        let outside = self.asked_uplink(change).is_some();
        let wanted = settings_of(spec);
        let mut other = self.identity_words(&space, &now, spec, outside);
        other.extend(replacement(&space, &now, &wanted));
        if !other.is_empty() {
            let removal = Box::new(Change::DeleteLink { link: reference(&space, &now) });
            return Ok(Lacking::Replacement { removal, words: other });
        }
        let (mut mends, mut words) = self.mend(&space, &now, &wanted);
        if let Kind::Veth(veth) = &spec.kind
            && let Some((there, peer)) = self.peer(&space, veth)
        {
            let (more, said) = self.mend(&there, &peer, &veth.peer_settings);
            mends.extend(more);
            words.extend(said);
        }
        if mends.is_empty() {
            return Ok(Lacking::Nothing);
        }
        Ok(Lacking::Mendable { mends, words })
    }

    /// Of a link that is there.
    pub(super) fn settings_lacking(
        &self,
        link: &LinkRef,
        settings: &[Setting],
    ) -> Result<Lacking, Error> {
        let Ok((space, now)) = self.resolve(link) else { return Ok(Lacking::Everything) };
        let (mends, words) = self.mend(&space, &now, settings);
        if mends.is_empty() {
            return Ok(Lacking::Nothing);
        }
        Ok(Lacking::Mendable { mends, words })
    }

    fn mend(
        &self,
        space: &Arc<Space>,
        now: &RawLink,
        wanted: &[Setting],
    ) -> (Vec<Change>, Vec<String>) {
        let mut settings = self.unmet(space, now, wanted);
        let words = settings.iter().map(|setting| self.shown(space, now, setting)).collect();
        // A link that is up takes less.
        settings.sort_by_key(|setting| matches!(setting, Setting::Up(true)));
        let link = reference(space, now);
        let change = (!settings.is_empty()).then_some(Change::ChangeLink { link, settings });
        (change.into_iter().collect(), words)
    }

    fn shown(&self, space: &Arc<Space>, now: &RawLink, wanted: &Setting) -> String {
        let mut name_of = |index| space.name_at(index);
        let is = inverse(now, std::slice::from_ref(wanted), &mut name_of);
        let is: Vec<String> = is.iter().map(ToString::to_string).collect();
        let is = if is.is_empty() { "none".to_owned() } else { is.join(" ") };
        format!("`{}` has `{is}`, not `{wanted}`", now.name)
    }

    /// Kind, parent and peer: what a link has for life.
    fn identity_words(
        &self,
        space: &Arc<Space>,
        now: &RawLink,
        spec: &Spec,
        outside: bool,
    ) -> Vec<String> {
        let name = &now.name;
        let (is, wanted) = (now.kind(), spec.kind.word());
        if !is_kind(now, &spec.kind) {
            return vec![format!("`{name}` is of kind {is}, not {wanted}")];
        }
        let mut words = Vec::new();
        if let Some(parent) = spec.parent.as_ref().filter(|_| !outside)
            && !self.stands_on(space, now, spec, parent)
        {
            words.push(format!("`{name}` does not stand on `{}`", parent.name));
        }
        if let Kind::Veth(veth) = &spec.kind
            && !outside
        {
            let is_peer = self.peer(space, veth).is_some_and(|(there, peer)| {
                now.link() == Some(peer.index) && self.below_in(space, now) == Some(there.cookie)
            });
            words.extend(
                (!is_peer).then(|| format!("`{}` is not the peer of `{name}`", veth.peer.name)),
            );
        }
        words
    }

    fn stands_on(&self, space: &Arc<Space>, now: &RawLink, spec: &Spec, parent: &LinkName) -> bool {
        let Ok(there) = self.space_of(space, parent) else { return false };
        let Ok(Some(found)) = there.link(&parent.name) else { return false };
        match kind::parent(&spec.kind) {
            // Its own data have it, by an index of the namespace that it was made in.
            Parent::Underlay => underlay(now) == Some(found.index),
            Parent::Needed | Parent::Uplink | Parent::Unknown | Parent::None => {
                let itself = now.link() == Some(found.index)
                    && self.below_in(space, now) == Some(there.cookie);
                itself || self.stand_together(space, now, &there, &found)
            }
        }
    }

    /// Whether two stand on the same link. One that is asked for on a link of its like gets that
    /// one's parent (macvlan_common_newlink, drivers/net/macvlan.c; ipvlan_link_new likewise).
    fn stand_together(
        &self,
        space: &Arc<Space>,
        now: &RawLink,
        there: &Arc<Space>,
        other: &RawLink,
    ) -> bool {
        let family =
            |link: &RawLink| link.kind().trim_end_matches("lan").trim_end_matches("tap").to_owned();
        matches!(family(now).as_str(), "macv" | "ipv")
            && family(now) == family(other)
            && now.link() == other.link()
            && self.below_in(space, now) == self.below_in(there, other)
    }

    /// The namespace that has what a link stands on.
    fn below_in(&self, space: &Arc<Space>, now: &RawLink) -> Option<u64> {
        self.spaces.below(space, now).map(|found| found.cookie)
    }

    fn peer(&self, space: &Arc<Space>, veth: &Veth) -> Option<(Arc<Space>, RawLink)> {
        let there = self.space_of(space, &veth.peer).ok()?;
        let peer = there.link(&veth.peer.name).ok()??;
        Some((there, peer))
    }

    /// The settings that are not so.
    fn unmet(&self, space: &Arc<Space>, now: &RawLink, wanted: &[Setting]) -> Vec<Setting> {
        wanted.iter().filter_map(|setting| self.rest(space, now, setting)).collect()
    }

    /// What is left of a setting without what is so already.
    fn rest(&self, space: &Arc<Space>, now: &RawLink, wanted: &Setting) -> Option<Setting> {
        let mut name_of = |index| space.name_at(index);
        match wanted {
            // It was found by it.
            Setting::Name(_) => None,
            Setting::Macvlan(change) => {
                let met = match change {
                    MacvlanChange::AddSource(mac) => now.macvlan().sources.contains(mac),
                    MacvlanChange::RemoveSource(mac) => !now.macvlan().sources.contains(mac),
                    MacvlanChange::SetSources(all) => same_stations(&now.macvlan().sources, all),
                    MacvlanChange::FlushSources => now.macvlan().sources.is_empty(),
                    MacvlanChange::Mode(_)
                    | MacvlanChange::Nopromisc(_)
                    | MacvlanChange::Nodst(_)
                    | MacvlanChange::BroadcastQueueLength(_) => {
                        inverse(now, std::slice::from_ref(wanted), &mut name_of).contains(wanted)
                    }
                };
                (!met).then(|| wanted.clone())
            }
            Setting::Options(given) => {
                let mut left = given.options.clone();
                left.retain(|option| !has_option(space, now, &given.kind, option));
                let kind = given.kind.clone();
                (!left.is_empty()).then_some(Setting::Options(Options { kind, options: left }))
            }
            Setting::Other(asked) => {
                let old = inverse(now, std::slice::from_ref(wanted), &mut name_of);
                let met = old
                    .iter()
                    .any(|old| matches!(old, Setting::Other(old) if same_attribute(old, asked)));
                (!met).then(|| wanted.clone())
            }
            _ => {
                let old = inverse(now, std::slice::from_ref(wanted), &mut name_of);
                (!old.contains(wanted)).then(|| wanted.clone())
            }
        }
    }
}

fn underlay(link: &RawLink) -> Option<u32> {
    let place = if link.kind() == "vxlan" { UNDERLAY_VXLAN } else { UNDERLAY_TUNNEL };
    attributes::find(link.data(), place).and_then(attributes::u32_of)
}

/// All settings that a new link was given, those of its kind among them.
fn settings_of(spec: &Spec) -> Vec<Setting> {
    let mut settings = match &spec.kind {
        Kind::Macvlan(macvlan) | Kind::Macvtap(macvlan) => macvlan_settings(macvlan),
        kind => {
            let (name, options) = (kind.word().to_owned(), kind::kind_options(kind));
            let given = Setting::Options(Options { kind: name, options: options.clone() });
            (!options.is_empty()).then_some(given).into_iter().collect()
        }
    };
    settings.extend(spec.settings.iter().cloned());
    settings
}

fn macvlan_settings(macvlan: &Macvlan) -> Vec<Setting> {
    let Macvlan { mode, nopromisc, nodst, sources, broadcast_queue_length } = macvlan;
    let mut changes = Vec::new();
    changes.extend(mode.map(MacvlanChange::Mode));
    changes.extend(nopromisc.then_some(MacvlanChange::Nopromisc(true)));
    changes.extend(nodst.then_some(MacvlanChange::Nodst(true)));
    changes.extend((!sources.is_empty()).then(|| MacvlanChange::SetSources(sources.clone())));
    changes.extend(broadcast_queue_length.map(MacvlanChange::BroadcastQueueLength));
    changes.into_iter().map(Setting::Macvlan).collect()
}

/// Whether a link is of a kind; a tun and a tap are both `tun` to the kernel, and what they belong
/// to and how they frame was settled when they were made.
fn is_kind(now: &RawLink, wanted: &Kind) -> bool {
    let (Kind::Tun(tuntap) | Kind::Tap(tuntap)) = wanted else {
        return now.kind() == wanted.word();
    };
    let Tuntap { packet_information, vnet_header, multi_queue, one_queue: _, user, group } = tuntap;
    let data = options::read("tun", now.data(), &mut |_| None);
    let has = |name: &str, value: &str| {
        data.iter().any(|option| option.name == name && option.value == value)
    };
    let flagged = |name: &str, on: bool| has(name, if on { "on" } else { "off" });
    now.kind() == "tun"
        && has("type", wanted.word())
        && flagged("pi", *packet_information)
        && flagged("vnet_hdr", *vnet_header)
        && flagged("multi_queue", *multi_queue)
        && user.is_none_or(|user| has("user", &user.to_string()))
        && group.is_none_or(|group| has("group", &group.to_string()))
}

fn same_stations(now: &[crate::change::MacAddress], wanted: &[crate::change::MacAddress]) -> bool {
    now.iter().all(|mac| wanted.contains(mac)) && wanted.iter().all(|mac| now.contains(mac))
}

/// Whether an option has its value: both are compared as what is sent for them, so that two ways
/// to write one value are the same.
fn has_option(space: &Space, now: &RawLink, kind: &str, asked: &Attribute) -> bool {
    let single =
        |option: &Attribute| Options { kind: kind.to_owned(), options: vec![option.clone()] };
    let mut name_of = |index| space.name_at(index);
    let wanted = Setting::Options(single(asked));
    let old = inverse(now, std::slice::from_ref(&wanted), &mut name_of);
    let mut index_of = |name: &str| {
        let found = space.link(name).ok().flatten();
        Ok::<u32, Error>(found.map_or(0, |link| link.index))
    };
    let mut bytes = |options: &[Attribute]| {
        options::encode(kind, options, &mut index_of).ok().map(|nest| nest.bytes())
    };
    if options::is_tunnel_flag(kind, asked) {
        // Met where saying it alters nothing.
        let present = options::tunnel_flags(kind, now.data());
        let with = [present.clone(), vec![asked.clone()]].concat();
        return bytes(&present) == bytes(&with);
    }
    let asked = bytes(std::slice::from_ref(asked));
    asked.is_some()
        && old.iter().any(|old| {
            let Setting::Options(old) = old else { return false };
            bytes(&old.options) == asked
        })
}

fn same_attribute(old: &Attribute, asked: &Attribute) -> bool {
    let sent = |attribute: &Attribute| match attribute.name.as_str() {
        name if options::is_inet6(name) => options::inet6_attribute(attribute),
        _ => options::link_attribute(attribute),
    };
    matches!((sent(old), sent(asked)), (Ok(old), Ok(asked)) if old == asked)
}
