//! Veth: two links joined by a virtual cable.

use super::builder::{LinkBuilder, NeedsPeer, Ready};
use super::kind::Kind;
use super::reference::LinkReference;
use crate::place::Place;
use crate::wit::links::{Kind as WitKind, LinkName, Setting, Veth as WitVeth};
use crate::{IntoMac, IntoPrefix, Namespace, Result};

/// A pair of virtual Ethernet links: drivers/net/veth.c.
#[derive(Debug, Clone)]
pub struct Veth {
    pub(crate) peer: LinkName,
    pub(crate) settings: Vec<Setting>,
    pub(crate) up: bool,
}

impl Veth {
    pub(crate) fn new() -> Self {
        let peer = LinkName { namespace: None, name: String::new() };
        Self { peer, settings: Vec::new(), up: true }
    }
}

impl Kind for Veth {
    fn finish(self) -> Result<WitKind> {
        let mut settings = self.settings;
        settings.extend(self.up.then_some(Setting::Up(true)));
        Ok(WitKind::Veth(WitVeth { peer: self.peer, peer_settings: settings }))
    }
}

impl<P: Place> LinkBuilder<P, Veth, NeedsPeer> {
    /// The other end: `"switch0"` in the same namespace, `"ns1/eth0"` or `(&ns1, "eth0")` in
    /// another. It comes up, too. As `peer name NAME`.
    pub fn peer(mut self, peer: impl LinkReference) -> LinkBuilder<P, Veth, Ready> {
        if let Some(path) = self.keep_fault(peer.path()) {
            self.kind.peer = path.seen_from(self.place.name());
        }
        self.ready()
    }

    /// Instead of a peer: a port of a bridge of the machine that a lab is on, by its name, where the
    /// operator grants `uplink link=BRIDGE mode=port`. The machine names the other end. As
    /// `ip link add link BRIDGE name NAME type veth`.
    pub fn port_of(self, bridge: impl LinkReference) -> LinkBuilder<P, Veth, Ready> {
        self.on_parent(bridge).ready()
    }
}

impl<P: Place, R> LinkBuilder<P, Veth, R> {
    /// Leaves the other end down.
    pub fn peer_down(mut self) -> Self {
        self.kind.up = false;
        self
    }

    /// The other end's Ethernet address. As `peer address MAC`.
    pub fn peer_mac(mut self, mac: impl IntoMac) -> Self {
        if let Some(mac) = self.keep_fault(mac.into_mac()) {
            self.kind.settings.push(Setting::Mac(mac.into()));
        }
        self
    }

    /// The other end's MTU, in bytes. As `peer mtu BYTES`.
    pub fn peer_mtu(mut self, bytes: u32) -> Self {
        self.kind.settings.push(Setting::Mtu(bytes));
        self
    }

    /// An address of the other end: `"10.0.0.2/24"`. As `ip address add … dev PEER`.
    pub fn peer_address(mut self, address: impl IntoPrefix) -> Self {
        if let Some(prefix) = self.keep_fault(address.into_prefix()) {
            self.peer_addresses.push(prefix);
        }
        self
    }
}

impl LinkBuilder<Namespace, Veth, Ready> {
    /// Makes the pair and gives both ends, this one first. As `ip link add … type veth`.
    pub fn create_pair(self) -> Result<(crate::Link, crate::Link)> {
        let link = self.create()?;
        let peer = link.peer()?;
        Ok((link, peer))
    }
}
