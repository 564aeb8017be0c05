//! Time, and addresses as people write them.
#![allow(missing_docs, reason = "the contract documents its functions")]

/// As the interface `clock`: no time passes but what the recipe sleeps, and nobody waits for that.
pub mod clock {
    use crate::testing::state::with;

    pub fn now() -> u64 {
        with(|state| state.slept)
    }

    pub fn sleep(duration: u64) {
        with(|state| state.slept = state.slept.saturating_add(duration));
    }
}

/// As the interface `notation`.
pub mod notation {
    use std::net::IpAddr;

    use netwright_network::change::Prefix;
    use netwright_network::units;

    use crate::MacAddress as Mac;
    use crate::wit::types::{IpAddress, IpPrefix, MacAddress};

    pub fn parse_address(text: &str) -> Result<IpAddress, String> {
        units::address(text).map(IpAddress::from)
    }

    pub fn format_address(address: IpAddress) -> String {
        IpAddr::from(address).to_string()
    }

    pub fn parse_prefix(text: &str) -> Result<IpPrefix, String> {
        let Prefix { address, length } = units::prefix(text)?;
        Ok(IpPrefix { address: address.into(), length })
    }

    pub fn format_prefix(IpPrefix { address, length }: IpPrefix) -> String {
        Prefix { address: address.into(), length }.to_string()
    }

    pub fn parse_mac(text: &str) -> Result<MacAddress, String> {
        units::mac(text).map(|mac| mac.0.into())
    }

    pub fn format_mac(mac: MacAddress) -> String {
        Mac::from(mac).to_string()
    }
}
