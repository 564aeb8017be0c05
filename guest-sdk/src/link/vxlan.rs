//! Vxlan: an Ethernet segment over UDP.

use super::builder::{LinkBuilder, Ready};
use super::kind::{Kind, attribute};
use super::options::{Tunnelling, optioned};
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

optioned!(Vxlan);

impl Tunnelling for Vxlan {}

impl Kind for Vxlan {
    fn finish(self) -> Result<WitKind> {
        Ok(WitKind::Vxlan(self.options))
    }
}

impl<P: Place> LinkBuilder<P, Vxlan, Ready> {
    /// The multicast group that joins all ends. As `group ADDRESS`.
    pub fn multicast_group(self, address: impl IntoAddress) -> Self {
        self.endpoint("group", address)
    }

    /// The UDP port of the other ends. As `dstport PORT`; 4789 is the assigned one.
    pub fn destination_port(self, port: u16) -> Self {
        self.option("dstport", port)
    }
}
