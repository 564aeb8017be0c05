//! What else a link's MTU reaches: the bridge that it is a port of, and routes that have one.

use std::sync::Arc;

use super::Netlink;
use super::raw_link::RawLink;
use super::route::restored;
use super::settings;
use super::space::Space;
use crate::change::{Change, Family, Kind, Setting, Spec, Write};
use crate::kernel::Error;
use crate::text::help;

/// RFC 8200 section 5: below it a link has no IPv6, and no settings of it.
pub(super) const LEAST_IPV6: u32 = 1280;

/// Of an Ethernet link, and of a bridge without ports.
const USUAL: u32 = 1500;

impl Netlink {
    /// Refuses a port that a bridge of others' would become too narrow for IPv6 by
    /// (br_mtu_auto_adjust): its addresses, routes and settings would be gone for good, for it grows
    /// again once the port is gone, and by then nobody may be there to put them back.
    ///
    /// `port` is what it is so far, `mtu` what it has where nobody chooses another one.
    pub(super) fn check_bridge(
        &self,
        space: &Arc<Space>,
        port: Option<&RawLink>,
        mtu: u32,
        settings: &[Setting],
    ) -> Result<(), Error> {
        let mtu = settings::mtu(settings).unwrap_or(mtu);
        if !self.guards(space) {
            return Ok(());
        }
        self.check_bridges_mtu(space, port, mtu, settings)?;
        if mtu >= LEAST_IPV6 {
            return Ok(());
        }
        let narrowed = master_after(space, port, settings).filter(|master| {
            master.kind() == "bridge" && master.mtu() >= LEAST_IPV6 && !self.is_own(space, master)
        });
        let Some(bridge) = narrowed else { return Ok(()) };
        Err(Error::Invalid(format!(
            "a port with mtu {mtu} would make bridge `{}` of {} too narrow for IPv6, which loses its addresses, routes and settings then{}",
            bridge.name.escape_debug(),
            space.shown(),
            help(format_args!("give the port an mtu of {LEAST_IPV6} or more"))
        )))
    }

    /// The same of a link that is about to be made, and of its other end.
    pub(super) fn check_bridges(
        &self,
        target: &Arc<Space>,
        spec: &Spec,
        parent: Option<&RawLink>,
    ) -> Result<(), Error> {
        self.check_bridge(target, None, parent.map_or(USUAL, RawLink::mtu), &spec.settings)?;
        let Kind::Veth(veth) = &spec.kind else { return Ok(()) };
        let there = self.space_of(target, &veth.peer)?;
        self.check_bridge(&there, None, USUAL, &veth.peer_settings)
    }

    /// Refuses to alter the MTU of a bridge of others' that follows its ports' (br_mtu_auto_adjust),
    /// where more follows it that would not come back when the ports are as before: the MTU that
    /// somebody chose for its IPv6, those of routes, and those of links that stand on it.
    fn check_bridges_mtu(
        &self,
        space: &Arc<Space>,
        port: Option<&RawLink>,
        mtu: u32,
        settings: &[Setting],
    ) -> Result<(), Error> {
        let before = port.and_then(|port| space.master_of(port));
        let after = master_after(space, port, settings);
        let bridges = before.into_iter().chain(after.clone());
        for bridge in bridges.filter(|one| one.kind() == "bridge" && !self.is_own(space, one)) {
            let links = space.links().unwrap_or_default();
            let ports = links.iter().filter(|one| one.master() == Some(bridge.index));
            let is = |one: &&RawLink| port.is_some_and(|port| port.index == one.index);
            let follows = ports.clone().map(RawLink::mtu).min().unwrap_or(USUAL);
            let stays = after.as_ref().is_some_and(|after| after.index == bridge.index);
            let others = ports.filter(|one| !is(one)).map(RawLink::mtu);
            let new = others.chain(stays.then_some(mtu)).min().unwrap_or(USUAL);
            // One that somebody chose follows nothing.
            if bridge.mtu() == follows && new != follows {
                self.check_followers(space, &bridge, new)?;
            }
        }
        Ok(())
    }

    fn check_followers(&self, space: &Arc<Space>, bridge: &RawLink, mtu: u32) -> Result<(), Error> {
        let child = self.children(space, bridge.index).into_iter().find(|(_, one)| one.mtu() > mtu);
        let what = if !self.own_mtu(space, bridge).is_empty() {
            format!("net.ipv6.conf.{}.mtu", bridge.name.escape_debug())
        } else if !self.routes_with_mtu(space, bridge).is_empty() {
            "the mtu of a route by it".to_owned()
        } else if let Some((_, child)) = child {
            format!("the mtu of `{}`, which stands on it,", child.name.escape_debug())
        } else {
            return Ok(());
        };
        Err(Error::Invalid(format!(
            "bridge `{}` of {} would have mtu {mtu}, as the least of its ports, and {what} would not come back{}",
            bridge.name.escape_debug(),
            space.shown(),
            help(format_args!("leave the least mtu of its ports at {}", bridge.mtu()))
        )))
    }

    /// Routes by a link that have an MTU of their own, to be put back: with the link's the kernel
    /// alters those, too (rt6_mtu_change_route).
    pub(super) fn routes_with_mtu(&self, space: &Space, link: &RawLink) -> Vec<Change> {
        let routes = self.routes(space, Family::Ipv6).unwrap_or_default();
        let altered = routes.into_iter().filter(|route| {
            route.leads_by(&link.name) && route.metrics.iter().any(|metric| metric.name == "mtu")
        });
        altered.flat_map(|route| restored(space, route, Write::Replace).undo.steps).collect()
    }
}

/// The master that a link has once these settings are made.
fn master_after(space: &Space, port: Option<&RawLink>, settings: &[Setting]) -> Option<RawLink> {
    let asked = settings.iter().rev().find_map(|setting| match setting {
        Setting::Master(master) => Some(master.as_deref()),
        _ => None,
    });
    match asked {
        None => port.and_then(|port| space.master_of(port)),
        Some(master) => master.and_then(|name| space.link(name).ok().flatten()),
    }
}
