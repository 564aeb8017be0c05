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
        if !self.guards(space) || mtu >= LEAST_IPV6 {
            return Ok(());
        }
        let asked = settings.iter().rev().find_map(|setting| match setting {
            Setting::Master(master) => Some(master.as_deref()),
            _ => None,
        });
        let master = match asked {
            Some(None) => None,
            Some(Some(name)) => space.link(name).ok().flatten(),
            None => port.and_then(|port| space.master_of(port)),
        };
        let narrowed = master.filter(|master| {
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
        self.check_bridge(target, None, parent.map_or(LEAST_IPV6, RawLink::mtu), &spec.settings)?;
        let Kind::Veth(veth) = &spec.kind else { return Ok(()) };
        let there = self.space_of(target, &veth.peer)?;
        self.check_bridge(&there, None, LEAST_IPV6, &veth.peer_settings)
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
