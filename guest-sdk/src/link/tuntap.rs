//! Tun and tap: links whose frames a program reads and writes.

use super::builder::LinkBuilder;
use super::kind::Kind;
use crate::Result;
use crate::place::Place;
use crate::wit::links::{Kind as WitKind, Tuntap as WitTuntap};

/// A tun or tap, frames of which a program reads and writes: drivers/net/tun.c.
#[derive(Debug, Clone, Copy)]
pub struct Tuntap {
    data: WitTuntap,
    tap: bool,
}

impl Tuntap {
    pub(crate) fn new(tap: bool) -> Self {
        let data = WitTuntap {
            packet_information: false,
            vnet_header: false,
            multi_queue: false,
            one_queue: false,
            user: None,
            group: None,
        };
        Self { data, tap }
    }
}

impl Kind for Tuntap {
    fn finish(self) -> Result<WitKind> {
        Ok(if self.tap { WitKind::Tap(self.data) } else { WitKind::Tun(self.data) })
    }
}

impl<P: Place, R> LinkBuilder<P, Tuntap, R> {
    /// Each packet begins with four bytes of flags and protocol. As `pi`.
    pub fn packet_information(mut self) -> Self {
        self.kind.data.packet_information = true;
        self
    }

    /// Each frame begins with a virtio_net_hdr. As `vnet_hdr`.
    pub fn vnet_header(mut self) -> Self {
        self.kind.data.vnet_header = true;
        self
    }

    /// More than one program may read and write. As `multi_queue`.
    pub fn multi_queue(mut self) -> Self {
        self.kind.data.multi_queue = true;
        self
    }

    /// The user who may open it, by number. As `user UID`.
    pub fn user(mut self, user: u32) -> Self {
        self.kind.data.user = Some(user);
        self
    }

    /// The group whose members may open it, by number. As `group GID`.
    pub fn user_group(mut self, group: u32) -> Self {
        self.kind.data.group = Some(group);
        self
    }
}
