//! Links: what is asked for when one is made or altered, and what the kernel says of it.

use serde::{Deserialize, Serialize};

use super::{LinkRef, MacAddress, Name, NamespaceRef};

/// An option in ip(8)'s words; the value is empty where the option takes none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribute {
    pub name: String,
    pub value: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MacvlanMode {
    Private,
    Vepa,
    Bridge,
    Passthru,
    Source,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Macvlan {
    /// `None` is the kernel's own choice, vepa
    pub mode: Option<MacvlanMode>,
    pub nopromisc: bool,
    pub nodst: bool,
    pub sources: Vec<MacAddress>,
    pub broadcast_queue_length: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MacvlanChange {
    Mode(MacvlanMode),
    Nopromisc(bool),
    Nodst(bool),
    BroadcastQueueLength(u32),
    AddSource(MacAddress),
    RemoveSource(MacAddress),
    SetSources(Vec<MacAddress>),
    FlushSources,
}

/// A link by name; without a namespace it is in that of the link that speaks of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkName {
    /// `Some(None)` is the run's root namespace; written, the root is the empty text
    #[serde(with = "elsewhere")]
    pub namespace: Option<Option<Name>>,
    pub name: String,
}

impl LinkName {
    /// For who is in this namespace.
    pub fn reference(&self, here: &NamespaceRef) -> LinkRef {
        let there = self.namespace.clone();
        LinkRef {
            namespace: there.map_or_else(|| here.clone(), NamespaceRef::named),
            name: self.name.clone(),
            index: None,
        }
    }
}

/// JSON has one `null`, and this has two kinds of nothing.
mod elsewhere {
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Name;

    pub(super) fn serialize<S: Serializer>(
        namespace: &Option<Option<Name>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let text = namespace.as_ref().map(|name| name.as_ref().map_or("", Name::as_str));
        text.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Option<Name>>, D::Error> {
        match Option::<String>::deserialize(deserializer)? {
            None => Ok(None),
            Some(root) if root.is_empty() => Ok(Some(None)),
            Some(name) => name.parse().map(|name| Some(Some(name))).map_err(D::Error::custom),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Veth {
    pub peer: LinkName,
    pub peer_settings: Vec<Setting>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum VlanProtocol {
    #[serde(rename = "802.1Q")]
    Dot1q,
    #[serde(rename = "802.1ad")]
    Dot1ad,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vlan {
    /// 1 to 4094
    pub id: u16,
    pub protocol: VlanProtocol,
    pub options: Vec<Attribute>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IpvlanMode {
    L2,
    L3,
    L3s,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IpvlanFlag {
    Private,
    Vepa,
    Bridge,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ipvlan {
    pub mode: Option<IpvlanMode>,
    pub flag: Option<IpvlanFlag>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tuntap {
    pub packet_information: bool,
    pub vnet_header: bool,
    pub multi_queue: bool,
    pub one_queue: bool,
    pub user: Option<u32>,
    pub group: Option<u32>,
}

/// A kind by its name in ip(8), with options in its words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    pub kind: String,
    pub options: Vec<Attribute>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Macvlan(Macvlan),
    Macvtap(Macvlan),
    Veth(Veth),
    Bridge(Vec<Attribute>),
    Vlan(Vlan),
    Vxlan(Vec<Attribute>),
    Dummy,
    Ifb,
    Ipvlan(Ipvlan),
    Ipvtap(Ipvlan),
    Tun(Tuntap),
    Tap(Tuntap),
    Vrf(u32),
    Other(Options),
}

impl Kind {
    /// Its name in ip(8) and in IFLA_INFO_KIND.
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

/// One thing to set on a link, when it is made or later.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Setting {
    Up(bool),
    Mtu(u32),
    Mac(MacAddress),
    Broadcast(MacAddress),
    Name(Name),
    Alias(String),
    Group(u32),
    TransmitQueueLength(u32),
    Promiscuous(bool),
    AllMulticast(bool),
    Multicast(bool),
    Arp(bool),
    Dynamic(bool),
    Trailers(bool),
    Carrier(bool),
    ProtocolDown(bool),
    /// `None` takes it out of its master
    Master(Option<String>),
    Macvlan(MacvlanChange),
    Options(Options),
    Other(Attribute),
}

impl Setting {
    /// The new name, of a renaming.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Name(name) => Some(name.as_str()),
            _ => None,
        }
    }
}

/// A link to be made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Spec {
    pub name: Name,
    pub kind: Kind,
    pub parent: Option<LinkName>,
    pub settings: Vec<Setting>,
}

/// A link as the kernel describes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinkInfo {
    pub index: u32,
    pub name: String,
    /// as `ip -d link` names it; `loopback` and `device` where the kernel names none
    pub kind: String,
    pub up: bool,
    pub carrier: bool,
    pub operational_state: String,
    pub flags: Vec<String>,
    pub mtu: u32,
    pub mac: Option<MacAddress>,
    pub promiscuity: u32,
    pub transmit_queue_length: u32,
    pub group: u32,
    pub parent: Option<LinkName>,
    pub master: Option<String>,
    pub peer: Option<LinkName>,
    pub alias: Option<String>,
    /// the kind's own data in ip(8)'s words
    pub data: Vec<Attribute>,
    pub extra: Vec<Attribute>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statistics {
    pub received_packets: u64,
    pub received_bytes: u64,
    pub received_errors: u64,
    pub received_dropped: u64,
    pub sent_packets: u64,
    pub sent_bytes: u64,
    pub sent_errors: u64,
    pub sent_dropped: u64,
}
