//! Vlan: a sub-interface that sends and receives tagged frames.

use super::builder::LinkBuilder;
use super::kind::Kind;
use super::options::optioned;
use crate::place::Place;
use crate::wit::links::{Kind as WitKind, Vlan as WitVlan, VlanProtocol};
use crate::wit::types::Attribute;
use crate::{Error, Result};

/// An 802.1Q or 802.1ad sub-interface: net/8021q.
#[derive(Debug, Clone)]
pub struct Vlan {
    id: u16,
    protocol: VlanProtocol,
    options: Vec<Attribute>,
}

impl Vlan {
    pub(crate) fn new(id: u16) -> Self {
        Self { id, protocol: VlanProtocol::Dot1q, options: Vec::new() }
    }
}

optioned!(Vlan);

impl Kind for Vlan {
    fn finish(self) -> Result<WitKind> {
        if !(1..=4094).contains(&self.id) {
            return Err(Error::invalid(format!("VLAN id `{}` is not from 1 to 4094", self.id)));
        }
        let Self { id, protocol, options } = self;
        Ok(WitKind::Vlan(WitVlan { id, protocol, options }))
    }
}

impl<P: Place, R> LinkBuilder<P, Vlan, R> {
    /// Tags by 802.1ad, the outer tag of a stack. As `protocol 802.1ad`.
    pub fn dot1ad(mut self) -> Self {
        self.kind.protocol = VlanProtocol::Dot1ad;
        self
    }
}
