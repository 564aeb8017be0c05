//! `notation`: addresses as people write them. It takes nothing but its arguments, so that a recipe's
//! own process answers.

use super::convert;
use crate::change::Prefix;
use crate::host::bindings::netwright::host::types::{IpAddress, IpPrefix, MacAddress};
use netwright_network::units;

pub(crate) fn parse_address(text: &str) -> Result<IpAddress, String> {
    units::address(text).map(convert::ip_out)
}

pub(crate) fn format_address(address: IpAddress) -> String {
    convert::ip(address).to_string()
}

pub(crate) fn parse_prefix(text: &str) -> Result<IpPrefix, String> {
    units::prefix(text).map(convert::prefix_out)
}

pub(crate) fn format_prefix(IpPrefix { address, length }: IpPrefix) -> String {
    Prefix { address: convert::ip(address), length }.to_string()
}

pub(crate) fn parse_mac(text: &str) -> Result<MacAddress, String> {
    units::mac(text).map(convert::mac_out)
}

pub(crate) fn format_mac(mac: MacAddress) -> String {
    convert::mac(mac).to_string()
}
