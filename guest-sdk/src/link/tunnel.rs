//! Tunnels: frames or packets inside packets from one address to another.

use super::builder::{LinkBuilder, Ready};
use super::kind::{Kind, attribute};
use super::options::{Tunnelling, optioned};
use crate::Result;
use crate::place::Place;
use crate::wit::links::{Kind as WitKind, Other};
use crate::wit::types::Attribute;

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

optioned!(Tunnel);

impl Tunnelling for Tunnel {}

impl Kind for Tunnel {
    fn finish(self) -> Result<WitKind> {
        Ok(WitKind::Other(Other { kind: self.kind.to_owned(), options: self.options }))
    }
}

impl<P: Place> LinkBuilder<P, Tunnel, Ready> {
    /// What tells tunnels between the same ends apart, for gre and gretap. As `key NUMBER`.
    pub fn key(self, key: u32) -> Self {
        self.option("key", key)
    }
}
