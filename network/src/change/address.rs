//! Addresses of links.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// An address with the length of its network, host bits kept: `192.168.56.122/24`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Prefix {
    pub address: IpAddr,
    /// 0 to 32, or 0 to 128
    pub length: u8,
}

impl Prefix {
    /// The same without host bits: `192.168.56.0/24`.
    #[must_use]
    pub fn network(self) -> Self {
        let network = ipnet::IpNet::new(self.address, self.length).map(|net| net.network());
        Self { address: network.unwrap_or(self.address), ..self }
    }

    /// Whether an address is of the network, of the same family that is.
    pub fn contains(self, address: IpAddr) -> bool {
        address.is_ipv4() == self.address.is_ipv4()
            && Self { address, ..self }.network() == self.network()
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

/// The IFA_F_ flags that can be asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressFlags {
    pub nodad: bool,
    pub home: bool,
    pub mngtmpaddr: bool,
    pub noprefixroute: bool,
    pub autojoin: bool,
    pub optimistic: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    pub prefix: Prefix,
    pub peer: Option<Prefix>,
    pub broadcast: Option<IpAddr>,
    pub anycast: Option<IpAddr>,
    pub label: Option<String>,
    pub scope: Option<u8>,
    pub flags: AddressFlags,
    /// seconds; `None` is for ever
    pub valid_lifetime: Option<u32>,
    pub preferred_lifetime: Option<u32>,
    /// The moment of CLOCK_BOOTTIME, in milliseconds, that its lifetimes run from: of one that was
    /// there, and is put back; others run from when they are put.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted_from: Option<u64>,
    pub metric: Option<u32>,
    pub protocol: Option<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressInfo {
    pub link: String,
    pub address: Address,
    pub tentative: bool,
    pub duplicate: bool,
    pub dynamic: bool,
    /// made by the kernel for privacy, of another one (RFC 8981)
    #[serde(default)]
    pub temporary: bool,
    pub secondary: bool,
    pub deprecated: bool,
}
