//! Bond: several links as one.

use super::builder::{LinkBuilder, Plug};
use super::kind::{Kind, attribute};
use super::options::optioned;
use super::reference::LinkReference;
use crate::Result;
use crate::place::Place;
use crate::wit::links::{Kind as WitKind, Other};
use crate::wit::types::Attribute;

/// How a bond uses its ports: Documentation/networking/bonding.rst, `mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BondMode {
    /// One port after the other.
    BalanceRr,
    /// One port at a time; another one where it fails.
    ActiveBackup,
    /// A port by the addresses of a frame.
    BalanceXor,
    /// Every frame by every port.
    Broadcast,
    /// Link aggregation, IEEE 802.3ad: the other end has to join in by LACP.
    Lacp,
    /// A port by the load; what comes in comes by one.
    BalanceTlb,
    /// A port by the load, both ways.
    BalanceAlb,
}

impl BondMode {
    /// As ip-link(8) has it.
    fn word(self) -> &'static str {
        match self {
            Self::BalanceRr => "balance-rr",
            Self::ActiveBackup => "active-backup",
            Self::BalanceXor => "balance-xor",
            Self::Broadcast => "broadcast",
            Self::Lacp => "802.3ad",
            Self::BalanceTlb => "balance-tlb",
            Self::BalanceAlb => "balance-alb",
        }
    }
}

/// Several links as one: drivers/net/bonding.
#[derive(Debug, Clone)]
pub struct Bond {
    options: Vec<Attribute>,
}

impl Bond {
    pub(crate) fn new(mode: BondMode) -> Self {
        Self { options: vec![attribute("mode", mode.word())] }
    }
}

optioned!(Bond);

impl Kind for Bond {
    fn finish(self) -> Result<WitKind> {
        Ok(WitKind::Other(Other { kind: "bond".to_owned(), options: self.options }))
    }
}

impl<P: Place, R> LinkBuilder<P, Bond, R> {
    /// Puts a link in, which goes down for that and comes up with the bond. As `ip link set LINK
    /// down` and `ip link set LINK master BOND`.
    pub fn port(self, link: impl LinkReference) -> Self {
        self.plug(link, Plug::Bonded)
    }

    /// How often the ports are looked at for a carrier, in milliseconds. As `miimon MILLISECONDS`;
    /// never without it.
    pub fn link_monitoring(self, milliseconds: u32) -> Self {
        self.option("miimon", milliseconds)
    }
}
