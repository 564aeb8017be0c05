//! What the kernel says of a link.

use crate::MacAddress;
use crate::wit::links::{Info, Kind};

impl Info {
    /// The Ethernet address, for kinds that have one.
    pub fn mac_address(&self) -> Option<MacAddress> {
        self.mac.map(MacAddress::from)
    }

    /// The kind's own data by its name in ip(8): `detail("mode")`, `detail("id")`.
    pub fn detail(&self, name: &str) -> Option<&str> {
        let found = self.data.iter().find(|attribute| attribute.name == name);
        found.map(|attribute| attribute.value.as_str())
    }
}

impl Kind {
    /// The kind's name in ip(8).
    pub fn word(&self) -> &str {
        match self {
            Self::Macvlan(_) => "macvlan",
            Self::Macvtap(_) => "macvtap",
            Self::Veth(_) => "veth",
            Self::Bridge(_) => "bridge",
            Self::Vlan(_) => "vlan",
            Self::Vxlan(_) => "vxlan",
            Self::Dummy => "dummy",
            Self::Ifb => "ifb",
            Self::Ipvlan(_) => "ipvlan",
            Self::Ipvtap(_) => "ipvtap",
            Self::Tun(_) => "tun",
            Self::Tap(_) => "tap",
            Self::Vrf(_) => "vrf",
            Self::Other(other) => &other.kind,
        }
    }
}
