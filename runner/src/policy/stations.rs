//! No child of a link of others' is known by an address of somebody else's on that link's network:
//! it would get the frames that are for him, and keep those that come from him.

use std::net::IpAddr;

use super::HostPolicy;
use super::floor::routers;
use super::host::{forbidden, forbidden_untold};
use crate::change::{LinkRef, MacAddress, NamespaceRef, Setting};
use crate::kernel::{Claimed, Error, Holder, Kernel, LinkSight, Stations, kind};

impl HostPolicy {
    /// Refuses addresses that others have. `itself` has what it has: a link that is altered, or the
    /// one that a new link takes over.
    pub(super) fn floor_of_a_claim(
        &self,
        parent: &LinkSight,
        itself: Option<&LinkRef>,
        claimed: &Claimed,
        stations: &Stations,
        kernel: &dyn Kernel,
    ) -> Result<(), Error> {
        let others = |holder: &Holder| match holder {
            Holder::Link(link) => Some(link) != itself,
            Holder::Neighbour { .. } | Holder::Entry { .. } => true,
        };
        let link = parent.reference.name.escape_debug();
        let is_its = |mac: &MacAddress| {
            stations.macs.iter().any(|(known, holder)| {
                known == mac && matches!(holder, Holder::Link(link) if Some(link) == itself)
            })
        };
        let taken = stations.macs.iter().find(|(mac, holder)| match holder {
            // Children's addresses are in their parent's filter, which is told as entries.
            Holder::Entry { .. } if is_its(mac) => false,
            Holder::Entry { .. } | Holder::Link(_) | Holder::Neighbour { .. } => {
                claimed.macs.contains(mac) && others(holder)
            }
        });
        if let Some((mac, holder)) = taken {
            let why = format!(
                "{} has it, and a child of `{link}` would get its frames{}",
                shown(holder),
                forgotten(*mac, holder)
            );
            return Err(forbidden_untold("a MAC address", &mac.to_string(), &why));
        }
        let has = |claimed: &[IpAddr], (address, holder): &&(IpAddr, Holder)| {
            claimed.contains(address) && !address.is_loopback() && others(holder)
        };
        let taken = stations.addresses.iter().find(|one| has(&claimed.addresses, one));
        let answered = || stations.near.iter().find(|one| has(&claimed.answered, one));
        if let Some((address, holder)) = taken.or_else(answered) {
            let why = format!(
                "{} has it, and a child of `{link}` would get what is for it",
                shown(holder)
            );
            return Err(forbidden_untold("an address", &address.to_string(), &why));
        }
        let all = [&claimed.addresses[..], &claimed.answered].concat();
        self.floor_of_a_sessions_station(parent, &all, kernel)
    }

    /// Refuses the addresses of those whom the machine speaks to for the operator's session, on a
    /// link that carries it.
    fn floor_of_a_sessions_station(
        &self,
        parent: &LinkSight,
        addresses: &[IpAddr],
        kernel: &dyn Kernel,
    ) -> Result<(), Error> {
        if addresses.is_empty() {
            return Ok(());
        }
        for connection in &self.operator {
            if !self.carries(parent, connection, kernel)? {
                continue;
            }
            let mut stations = routers(connection, kernel)?;
            stations.extend([connection.peer, connection.local]);
            if let Some(taken) = addresses.iter().find(|address| stations.contains(address)) {
                let why = format!(
                    "the operator's session from {} goes to it by `{}`",
                    connection.peer,
                    parent.reference.name.escape_debug()
                );
                return Err(forbidden_untold("an address", &taken.to_string(), &why));
            }
        }
        Ok(())
    }
}

/// Refuses that a macvlan on others' link becomes the port of a bond or team, which is there or which
/// the same batch `makes`.
pub(super) fn becomes_no_port<'a>(
    namespace: &NamespaceRef,
    settings: impl IntoIterator<Item = &'a Setting>,
    makes: impl Fn(&str) -> bool,
    kernel: &dyn Kernel,
) -> Result<(), Error> {
    let why = "a bond or team gives its ports its own MAC address, which may be another station's on the network of what they stand on";
    for master in settings.into_iter().filter_map(kind::new_master) {
        let name = master.to_owned();
        let link = LinkRef { namespace: namespace.clone(), name, index: None };
        if makes(master) || kernel.see_link(&link).is_ok_and(|seen| kind::is_bundle(&seen.kind)) {
            return Err(forbidden("a port", &master.escape_debug().to_string(), why));
        }
    }
    Ok(())
}

/// What makes the machine forget a station that is gone.
fn forgotten(mac: MacAddress, holder: &Holder) -> String {
    let command = match holder {
        Holder::Link(_) => return String::new(),
        Holder::Neighbour { address, link } => {
            format!("ip neighbour delete {address} dev {}", link.escape_debug())
        }
        Holder::Entry { heard: false, .. } => return String::new(),
        Holder::Entry { link, vlan, heard: true } => {
            let vlan = vlan.map(|vlan| format!(" vlan {vlan}")).unwrap_or_default();
            format!("bridge fdb delete {mac} dev {} master{vlan}", link.escape_debug())
        }
    };
    format!("; if that station is gone: `{command}`")
}

fn shown(holder: &Holder) -> String {
    match holder {
        Holder::Link(link) => format!("`{}`", link.name.escape_debug()),
        Holder::Neighbour { address, link } => {
            format!("the neighbour {address} of `{}`", link.escape_debug())
        }
        Holder::Entry { link, .. } => {
            format!("a station that has a forwarding entry on `{}`", link.escape_debug())
        }
    }
}
