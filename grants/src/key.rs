//! The keys of grants, and the facts of a request that they are held against.

use std::fmt;

use ipnet::IpNet;

use netwright_network::change::TABLE_MAIN;

use super::capability::Capability;

/// What narrows a capability.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    Kind,
    Name,
    Parent,
    Vlan,
    Mtu,
    Max,
    Cidr,
    Link,
    Table,
    Pid,
    Docker,
    Mode,
    Path,
    Program,
    /// `key=`: a setting of /proc/sys
    Setting,
}

/// One use of a capability.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub capability: Capability,
    pub facts: Facts,
}

/// What a use of a capability is about: as the host found it out, never as a recipe says it is. A
/// link given by an altname has its real name here, a `%d` has become a number.
///
/// What is `None` isn't so: a link without a parent, an MTU that nobody chose, the main table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// of the link to be made, as `ip link add … type` has it
    pub kind: Option<String>,
    /// of the link, or of the namespace
    pub name: Option<String>,
    /// the lower link
    pub parent: Option<String>,
    pub vlan: Option<u16>,
    /// where the recipe chooses one
    pub mtu: Option<u32>,
    /// an address with its length, or a destination
    pub cidr: Option<IpNet>,
    /// that the address is for, or that the route leaves by
    pub link: Option<String>,
    /// where it is another than the main one
    pub table: Option<u32>,
    /// whose namespace it is
    pub pid: Option<u32>,
    /// the container whose namespace it is, by name
    pub docker: Option<String>,
    /// how the lab is joined to the link: `macvlan`, `macvtap`, `ipvlan`, `vlan` or `port`
    pub mode: Option<String>,
    /// the folder, absolute
    pub path: Option<String>,
    /// absolute
    pub program: Option<String>,
    /// below /proc/sys, with `.` or `/`
    pub key: Option<String>,
}

/// One fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fact<'a> {
    Text(&'a str),
    Number(u32),
    Network(IpNet),
}

impl Request {
    pub fn new(capability: Capability, facts: Facts) -> Self {
        Self { capability, facts }
    }
}

impl Facts {
    /// `None` where the request is about no such thing. For [`Key::Max`] there is no fact.
    pub(crate) fn get(&self, capability: Capability, key: Key) -> Option<Fact<'_>> {
        match key {
            Key::Kind => self.kind.as_deref().map(Fact::Text),
            Key::Name => self.name.as_deref().map(Fact::Text),
            Key::Parent => self.parent.as_deref().map(Fact::Text),
            Key::Vlan => self.vlan.map(|vlan| Fact::Number(vlan.into())),
            Key::Mtu => self.mtu.map(Fact::Number),
            Key::Max => None,
            Key::Cidr => self.cidr.map(Fact::Network),
            Key::Link => self.link.as_deref().map(Fact::Text),
            Key::Table => self.table(capability).map(Fact::Number),
            Key::Pid => self.pid.map(Fact::Number),
            Key::Docker => self.docker.as_deref().map(Fact::Text),
            Key::Mode => self.mode.as_deref().map(Fact::Text),
            Key::Path => self.path.as_deref().map(Fact::Text),
            Key::Program => self.program.as_deref().map(Fact::Text),
            Key::Setting => self.key.as_deref().map(Fact::Text),
        }
    }

    /// The default route's grant has to name its table, the main one too; to others the main one
    /// is no table in particular.
    fn table(&self, capability: Capability) -> Option<u32> {
        if capability == Capability::HostRouteDefault {
            return Some(self.table.unwrap_or(TABLE_MAIN));
        }
        self.table.filter(|table| *table != TABLE_MAIN)
    }
}

impl Key {
    pub fn name(self) -> &'static str {
        match self {
            Self::Kind => "kind",
            Self::Name => "name",
            Self::Parent => "parent",
            Self::Vlan => "vlan",
            Self::Mtu => "mtu",
            Self::Max => "max",
            Self::Cidr => "cidr",
            Self::Link => "link",
            Self::Table => "table",
            Self::Pid => "pid",
            Self::Docker => "docker",
            Self::Mode => "mode",
            Self::Path => "path",
            Self::Program => "program",
            Self::Setting => "key",
        }
    }

    /// The key of this name among those of a capability.
    pub(crate) fn of(capability: Capability, name: &str) -> Option<Self> {
        capability.keys().iter().map(|(key, _)| *key).find(|key| key.name() == name)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
