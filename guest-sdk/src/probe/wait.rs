//! What can be waited for.

use crate::wit::probes::Condition as WitCondition;
use crate::{IntoAddress, Result};

/// Something that comes to hold by itself after a while.
#[derive(Debug, Clone)]
pub struct Condition(Result<WitCondition>);

impl Condition {
    fn of_address(
        address: impl IntoAddress,
        condition: impl FnOnce(crate::wit::types::IpAddress) -> WitCondition,
    ) -> Self {
        Self(address.into_address().map(|address| condition(address.into())))
    }

    /// The link has a carrier: it and its parent or peer are up.
    pub fn carrier(link: impl Into<String>) -> Self {
        Self(Ok(WitCondition::LinkCarrier(link.into())))
    }

    /// The link has no carrier.
    pub fn no_carrier(link: impl Into<String>) -> Self {
        Self(Ok(WitCondition::LinkNoCarrier(link.into())))
    }

    /// There is no such link any more.
    pub fn link_gone(link: impl Into<String>) -> Self {
        Self(Ok(WitCondition::LinkGone(link.into())))
    }

    /// The address can be used: duplicate address detection, RFC 4862, is over.
    pub fn address_ready(link: impl Into<String>, address: impl IntoAddress) -> Self {
        let link = link.into();
        Self::of_address(address, |address| WitCondition::AddressReady((link, address)))
    }

    /// There is a route to the address.
    pub fn route_to(address: impl IntoAddress) -> Self {
        Self::of_address(address, WitCondition::RouteTo)
    }

    /// The station's Ethernet address is known on the link.
    pub fn neighbour(link: impl Into<String>, address: impl IntoAddress) -> Self {
        let link = link.into();
        Self::of_address(address, |address| WitCondition::Neighbour((link, address)))
    }

    /// The address answers an echo request.
    pub fn answers(address: impl IntoAddress) -> Self {
        Self::of_address(address, WitCondition::Answers)
    }

    /// The address answers no echo request.
    pub fn silent(address: impl IntoAddress) -> Self {
        Self::of_address(address, WitCondition::Silent)
    }

    pub(crate) fn finish(self) -> Result<WitCondition> {
        self.0
    }
}
