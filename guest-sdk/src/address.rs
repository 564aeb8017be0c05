//! Addresses: of links as ip-address(8) has them, and as plain values that can be written as text.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::host;
use crate::pending::Pending;
use crate::wit::addresses::{Address, AddressFlags, Info};
use crate::wit::types::{Family, IpAddress, IpPrefix, MacAddress as WitMac, Write};
use crate::{AnyLink, Error, Link, Result};

/// An address with the length of its network, host bits kept: `192.168.56.122/24`.
pub type Prefix = ipnet::IpNet;

/// An Ethernet address: `02:00:00:00:00:01`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MacAddress(pub [u8; 6]);

impl MacAddress {
    /// Every station of the broadcast domain: `ff:ff:ff:ff:ff:ff`.
    pub const BROADCAST: Self = Self([0xff; 6]);

    /// The group bit is set, IEEE 802.3 clause 3.2.3: multicast or broadcast. No link can have
    /// such an address as its own.
    pub fn is_multicast(self) -> bool {
        self.0[0] & 1 == 1
    }
}

impl FromStr for MacAddress {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        netwright_network::text::mac(text).map(Self).map_err(|_| {
            let shown = text.escape_debug();
            Error::invalid(format!(
                "`{shown}` is not a MAC address; expected is one such as `02:00:00:00:00:01`"
            ))
        })
    }
}

impl fmt::Display for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TryFrom<String> for MacAddress {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<MacAddress> for String {
    fn from(mac: MacAddress) -> Self {
        mac.to_string()
    }
}

impl From<WitMac> for MacAddress {
    fn from((a, b, c, d, e, f): WitMac) -> Self {
        Self([a, b, c, d, e, f])
    }
}

impl From<MacAddress> for WitMac {
    fn from(mac: MacAddress) -> Self {
        mac.0.into()
    }
}

impl From<IpAddr> for IpAddress {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(four) => Self::Ipv4(four.octets().into()),
            IpAddr::V6(six) => Self::Ipv6(six.segments().into()),
        }
    }
}

impl From<IpAddress> for IpAddr {
    fn from(address: IpAddress) -> Self {
        match address {
            IpAddress::Ipv4((a, b, c, d)) => Self::V4(Ipv4Addr::new(a, b, c, d)),
            IpAddress::Ipv6(segments) => Self::V6(Ipv6Addr::from(<[u16; 8]>::from(segments))),
        }
    }
}

impl From<Prefix> for IpPrefix {
    fn from(prefix: Prefix) -> Self {
        Self { address: prefix.addr().into(), length: prefix.prefix_len() }
    }
}

impl From<IpPrefix> for Prefix {
    /// A length beyond the family's is cut to it; the contract's host never sends one.
    fn from(prefix: IpPrefix) -> Self {
        let address = IpAddr::from(prefix.address);
        Self::new(address, prefix.length).unwrap_or_else(|_| address.into())
    }
}

/// The family that an address is of.
pub(crate) fn family(address: IpAddr) -> Family {
    match address {
        IpAddr::V4(_) => Family::Ipv4,
        IpAddr::V6(_) => Family::Ipv6,
    }
}

/// Whatever stands for an address: an [`IpAddr`], or text such as `"192.168.56.1"`.
pub trait IntoAddress {
    /// The address, or [`Error::invalid`] naming the text.
    fn into_address(self) -> Result<IpAddr>;
}

/// Whatever stands for an address and its network: a [`Prefix`], text such as
/// `"192.168.56.122/24"`, or an address alone, which is all of its network (`/32`, `/128`).
pub trait IntoPrefix {
    /// The prefix, or [`Error::invalid`] naming the text.
    fn into_prefix(self) -> Result<Prefix>;
}

/// Whatever stands for an Ethernet address: a [`MacAddress`], six bytes, or text such as
/// `"02:00:00:00:00:01"`.
pub trait IntoMac {
    /// The address, or [`Error::invalid`] naming the text.
    fn into_mac(self) -> Result<MacAddress>;
}

macro_rules! typed_values {
    ($trait:ident, $function:ident, $made:ty: $($from:ty),+) => {
        $(impl $trait for $from {
            fn $function(self) -> Result<$made> {
                Ok(self.into())
            }
        })+
        impl $trait for &String {
            fn $function(self) -> Result<$made> {
                self.as_str().$function()
            }
        }
        impl $trait for String {
            fn $function(self) -> Result<$made> {
                self.as_str().$function()
            }
        }
    };
}

typed_values!(IntoAddress, into_address, IpAddr: IpAddr, Ipv4Addr, Ipv6Addr);
typed_values!(IntoPrefix, into_prefix, Prefix: Prefix, ipnet::Ipv4Net, ipnet::Ipv6Net, IpAddr);
typed_values!(IntoMac, into_mac, MacAddress: MacAddress);

impl IntoAddress for &str {
    fn into_address(self) -> Result<IpAddr> {
        self.parse().map_err(|_| {
            let shown = self.escape_debug();
            let help = if self.contains('/') { "; no prefix length belongs here" } else { "" };
            Error::invalid(format!("`{shown}` is not an IP address{help}"))
        })
    }
}

impl IntoPrefix for &str {
    fn into_prefix(self) -> Result<Prefix> {
        if let Ok(address) = self.parse::<IpAddr>() {
            return Ok(address.into());
        }
        self.parse().map_err(|_| {
            let shown = self.escape_debug();
            Error::invalid(format!(
                "`{shown}` is not an address with its prefix length; expected is one such as `192.168.56.122/24`"
            ))
        })
    }
}

impl IntoMac for &str {
    fn into_mac(self) -> Result<MacAddress> {
        self.parse()
    }
}

impl IntoMac for [u8; 6] {
    fn into_mac(self) -> Result<MacAddress> {
        Ok(MacAddress(self))
    }
}

/// An address of a link, to be added, replaced or removed.
#[derive(Debug, Clone)]
#[must_use = "an address is made by `add`"]
pub struct AddressBuilder<L> {
    link: L,
    address: Pending<Address>,
}

impl<L> AddressBuilder<L> {
    pub(crate) fn new(link: L, prefix: impl IntoPrefix) -> Self {
        Self { link, address: Pending::new(prefix.into_prefix().map(Address::from)) }
    }

    /// The other end of a point-to-point link. As `peer ADDRESS`.
    pub fn peer(mut self, peer: impl IntoPrefix) -> Self {
        self.address.put(peer.into_prefix(), |address, peer| address.peer = Some(peer.into()));
        self
    }

    /// The broadcast address, where it is not to be left out. As `broadcast ADDRESS`.
    pub fn broadcast(mut self, broadcast: impl IntoAddress) -> Self {
        let broadcast = broadcast.into_address();
        self.address.put(broadcast, |address, broadcast| {
            address.broadcast = Some(broadcast.into());
        });
        self
    }

    /// A name for the address, beginning with the link's. As `label TEXT`.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.address.set(|address| address.label = Some(label.into()));
        self
    }

    /// How far it is valid, rtnetlink(7): 0 global, 200 site, 253 link, 254 host. As `scope SCOPE`.
    pub fn scope(mut self, scope: u8) -> Self {
        self.address.set(|address| address.scope = Some(scope));
        self
    }

    /// The metric of the network's route. As `metric NUMBER`.
    pub fn metric(mut self, metric: u32) -> Self {
        self.address.set(|address| address.metric = Some(metric));
        self
    }

    /// How long it is valid and preferred, in seconds. As `valid_lft` and `preferred_lft`.
    pub fn lifetimes(mut self, valid: u32, preferred: u32) -> Self {
        self.address.set(|address| {
            address.valid_lifetime = Some(valid);
            address.preferred_lifetime = Some(preferred);
        });
        self
    }

    /// One more of the kernel's flags, such as [`AddressFlags::NODAD`]. As `nodad`, `home` …
    pub fn flag(mut self, flag: AddressFlags) -> Self {
        self.address.set(|address| address.flags = address.flags | flag);
        self
    }
}

impl<L: AnyLink> AddressBuilder<L> {
    pub(crate) fn finish(self) -> Result<(L, Address)> {
        Ok((self.link, self.address.finish()?))
    }

    fn put(self, how: Write) -> Result<()> {
        self.link.put_address(&self.address.finish()?, how)
    }

    /// Adds it; an error if it is there already. As `ip address add`.
    pub fn add(self) -> Result<()> {
        self.put(Write::Add)
    }

    /// Adds it, or alters the one that is there. As `ip address replace`.
    pub fn replace(self) -> Result<()> {
        self.put(Write::Replace)
    }
}

impl AddressBuilder<Link> {
    /// Alters the one that is there. As `ip address change`.
    pub fn change(self) -> Result<()> {
        self.put(Write::Change)
    }

    /// Removes it. As `ip address delete`.
    pub fn remove(self) -> Result<()> {
        let address = self.address.finish()?;
        Ok(host::addresses::remove(self.link.handle(), address.prefix, address.peer)?)
    }
}

impl From<Prefix> for Address {
    fn from(prefix: Prefix) -> Self {
        Self {
            prefix: prefix.into(),
            peer: None,
            broadcast: None,
            anycast: None,
            label: None,
            scope: None,
            flags: AddressFlags::empty(),
            valid_lifetime: None,
            preferred_lifetime: None,
            metric: None,
            protocol: None,
        }
    }
}

impl Info {
    /// The address with its prefix length.
    pub fn prefix(&self) -> Prefix {
        self.address.prefix.into()
    }
}
