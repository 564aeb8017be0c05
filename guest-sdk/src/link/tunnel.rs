//! Tunnels: frames or packets inside packets from one address to another.

use std::fmt::Display;

use super::builder::{LinkBuilder, Ready};
use super::kind::{Kind, attribute};
use super::reference::LinkReference;
use crate::place::Place;
use crate::wit::links::{Kind as WitKind, Other};
use crate::wit::types::Attribute;
use crate::{IntoAddress, Result};

/// Gre, gretap, ipip, sit, their like over IPv6, and geneve: net/ipv4/ip_gre.c and its neighbours,
/// drivers/net/geneve.c.
#[derive(Debug, Clone)]
pub struct Tunnel {
    kind: &'static str,
    options: Vec<Attribute>,
}

impl Tunnel {
    pub(crate) fn new(kind: &'static str) -> Self {
        Self { kind, options: Vec::new() }
    }

    pub(crate) fn geneve(id: u32) -> Self {
        Self { kind: "geneve", options: vec![attribute("id", id)] }
    }
}

impl Kind for Tunnel {
    fn finish(self) -> Result<WitKind> {
        Ok(WitKind::Other(Other { kind: self.kind.to_owned(), options: self.options }))
    }
}

impl<P: Place> LinkBuilder<P, Tunnel, Ready> {
    /// The link that the packets leave by. As `dev LINK`.
    pub fn parent(self, link: impl LinkReference) -> Self {
        self.on_parent(link)
    }

    /// The other end. As `remote ADDRESS`.
    pub fn remote(self, address: impl IntoAddress) -> Self {
        self.endpoint("remote", address)
    }

    /// The address that the packets come from. As `local ADDRESS`; geneve has none.
    pub fn local(self, address: impl IntoAddress) -> Self {
        self.endpoint("local", address)
    }

    fn endpoint(mut self, option: &str, address: impl IntoAddress) -> Self {
        if let Some(address) = self.keep_fault(address.into_address()) {
            self.kind.options.push(attribute(option, address));
        }
        self
    }

    /// What tells tunnels between the same ends apart, for gre and gretap. As `key NUMBER`.
    pub fn key(self, key: u32) -> Self {
        self.option("key", key)
    }

    /// An option in ip(8)'s words: `option("ttl", 64)`. See ip-link(8), under the kind's name.
    pub fn option(mut self, name: impl Into<String>, value: impl Display) -> Self {
        self.kind.options.push(attribute(name, value));
        self
    }
}
