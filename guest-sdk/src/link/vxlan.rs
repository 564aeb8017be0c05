//! Vxlan: an Ethernet segment over UDP.

use std::fmt::Display;

use super::builder::{LinkBuilder, Ready};
use super::kind::{Kind, attribute};
use super::reference::LinkReference;
use crate::place::Place;
use crate::wit::links::Kind as WitKind;
use crate::wit::types::Attribute;
use crate::{IntoAddress, Result};

/// Ethernet in UDP, RFC 7348: drivers/net/vxlan.
#[derive(Debug, Clone)]
pub struct Vxlan {
    options: Vec<Attribute>,
}

impl Vxlan {
    pub(crate) fn new(id: u32) -> Self {
        Self { options: vec![attribute("id", id)] }
    }
}

impl Kind for Vxlan {
    fn finish(self) -> Result<WitKind> {
        Ok(WitKind::Vxlan(self.options))
    }
}

impl<P: Place> LinkBuilder<P, Vxlan, Ready> {
    /// The link that the packets leave by. As `dev LINK`.
    pub fn parent(self, link: impl LinkReference) -> Self {
        self.on_parent(link)
    }

    /// The one other end. As `remote ADDRESS`.
    pub fn remote(self, address: impl IntoAddress) -> Self {
        self.endpoint("remote", address)
    }

    /// The address that the packets come from. As `local ADDRESS`.
    pub fn local(self, address: impl IntoAddress) -> Self {
        self.endpoint("local", address)
    }

    /// The multicast group that joins all ends. As `group ADDRESS`.
    pub fn multicast_group(self, address: impl IntoAddress) -> Self {
        self.endpoint("group", address)
    }

    fn endpoint(mut self, option: &str, address: impl IntoAddress) -> Self {
        if let Some(address) = self.keep_fault(address.into_address()) {
            self.kind.options.push(attribute(option, address));
        }
        self
    }

    /// The UDP port of the other ends. As `dstport PORT`; 4789 is the assigned one.
    pub fn destination_port(self, port: u16) -> Self {
        self.option("dstport", port)
    }

    /// An option in ip(8)'s words: `option("ttl", 64)`. See ip-link(8), VXLAN Type Support.
    pub fn option(mut self, name: impl Into<String>, value: impl Display) -> Self {
        self.kind.options.push(attribute(name, value));
        self
    }
}
