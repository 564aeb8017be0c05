//! What must hold after the steps: plain data, shown in the words of the report.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use schemars::JsonSchema;

use super::frames::{FramesCheck, FramesFile};
use crate::change::{LinkName, MacAddress, Name, NeighbourState, Prefix};

/// One thing that must hold. The host asks the kernel, whatever the recipe says.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum Check {
    /// a link and what is known of it
    Link(LinkCheck),
    /// an address of a link
    Address(AddressCheck),
    /// ICMP echo
    Ping(PingCheck),
    /// a route
    Route(RouteCheck),
    /// an entry of the neighbour table
    Neighbour(NeighbourCheck),
    /// who answers for an IPv4 address
    Arp(ArpCheck),
    /// a TCP connection
    Tcp(TcpCheck),
    /// a setting of a namespace's network stack
    Sysctl(SysctlCheck),
    /// frames that pass a link: while a probe runs, or since the start of the run
    Frames(#[schemars(with = "FramesFile")] Box<FramesCheck>),
}

impl Check {
    /// How long it may take to hold; at once where there is none.
    pub fn within(&self) -> Option<Duration> {
        match self {
            Self::Link(check) => check.within,
            Self::Address(check) => check.within,
            Self::Ping(check) => check.within,
            Self::Route(check) => check.within,
            Self::Neighbour(check) => check.within,
            Self::Arp(check) => check.within,
            Self::Tcp(check) => check.within,
            Self::Sysctl(check) => check.within,
            Self::Frames(check) => check.within,
        }
    }
}

/// Whether an answer must come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum Expect {
    Reply,
    Unreachable,
}

/// What becomes of a TCP connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum ExpectTcp {
    Open,
    Refused,
    Unreachable,
}

/// Everything but the name may be left out; what is given must be so.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct LinkCheck {
    /// the root namespace where it is left out
    #[schemars(with = "Option<String>")]
    pub namespace: Option<Name>,
    #[schemars(with = "String")]
    pub name: Name,
    /// false: there must be no such link
    #[schemars(with = "Option<bool>")]
    pub exists: bool,
    /// as `ip -d link` names it
    pub kind: Option<String>,
    /// of a macvlan, macvtap, ipvlan or ipvtap
    pub mode: Option<String>,
    pub up: Option<bool>,
    pub carrier: Option<bool>,
    pub mtu: Option<u32>,
    #[schemars(with = "Option<String>")]
    pub mac: Option<MacAddress>,
    /// NAME (same or root namespace), NAMESPACE/NAME, or /NAME for the root namespace
    #[schemars(with = "Option<String>")]
    pub parent: Option<LinkName>,
    #[schemars(with = "Option<String>")]
    pub master: Option<Name>,
    pub promiscuity: Option<u32>,
    #[schemars(with = "Option<String>")]
    pub within: Option<Duration>,
}

#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct AddressCheck {
    /// the root namespace where it is left out
    #[schemars(with = "Option<String>")]
    pub namespace: Option<Name>,
    #[schemars(with = "String")]
    pub link: Name,
    /// address and length: 192.168.56.122/24
    #[schemars(with = "String")]
    pub is: Prefix,
    /// true: the link must not have it
    #[schemars(with = "Option<bool>")]
    pub absent: bool,
    #[schemars(with = "Option<String>")]
    pub within: Option<Duration>,
}

#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PingCheck {
    /// the namespace; root where it is left out
    #[schemars(with = "Option<String>")]
    pub from: Option<Name>,
    #[schemars(with = "String")]
    pub to: IpAddr,
    /// echo requests, 1 to 1000; every one must be answered, or none
    #[schemars(with = "Option<u32>", range(min = 1, max = 1000))]
    pub count: u32,
    #[schemars(with = "Option<Expect>")]
    pub expect: Expect,
    #[schemars(with = "Option<String>")]
    pub within: Option<Duration>,
}

#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct RouteCheck {
    /// the root namespace where it is left out
    #[schemars(with = "Option<String>")]
    pub namespace: Option<Name>,
    /// `default`, or address and length
    #[schemars(with = "String")]
    pub destination: Option<Prefix>,
    #[schemars(with = "Option<String>")]
    pub gateway: Option<IpAddr>,
    #[schemars(with = "Option<String>")]
    pub link: Option<Name>,
    pub metric: Option<u32>,
    pub table: Option<u32>,
    /// true: there must be no such route
    #[schemars(with = "Option<bool>")]
    pub absent: bool,
    #[schemars(with = "Option<String>")]
    pub within: Option<Duration>,
}

#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct NeighbourCheck {
    /// the root namespace where it is left out
    #[schemars(with = "Option<String>")]
    pub namespace: Option<Name>,
    #[schemars(with = "Option<String>")]
    pub link: Option<Name>,
    #[schemars(with = "String")]
    pub address: IpAddr,
    #[schemars(with = "Option<String>")]
    pub mac: Option<MacAddress>,
    /// such as `reachable` or `permanent`
    #[schemars(with = "Option<String>")]
    pub state: Option<NeighbourState>,
    /// true: there must be no such neighbour
    #[schemars(with = "Option<bool>")]
    pub absent: bool,
    #[schemars(with = "Option<String>")]
    pub within: Option<Duration>,
}

#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ArpCheck {
    /// the namespace; root where it is left out
    #[schemars(with = "Option<String>")]
    pub from: Option<Name>,
    #[schemars(with = "String")]
    pub link: Name,
    #[schemars(with = "String")]
    pub to: std::net::Ipv4Addr,
    #[schemars(with = "Option<Expect>")]
    pub expect: Expect,
    /// the station that must answer
    #[schemars(with = "Option<String>")]
    pub mac: Option<MacAddress>,
    #[schemars(with = "Option<String>")]
    pub within: Option<Duration>,
}

#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct TcpCheck {
    /// the namespace; root where it is left out
    #[schemars(with = "Option<String>")]
    pub from: Option<Name>,
    #[schemars(with = "String")]
    pub to: IpAddr,
    #[schemars(range(min = 1))]
    pub port: u16,
    /// `open` where it is left out
    #[schemars(with = "Option<ExpectTcp>")]
    pub expect: ExpectTcp,
    #[schemars(with = "Option<String>")]
    pub within: Option<Duration>,
}

#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct SysctlCheck {
    /// the root namespace where it is left out
    #[schemars(with = "Option<String>")]
    pub namespace: Option<Name>,
    /// as `net.ipv4.ip_forward`
    pub key: String,
    /// the value as text, without blanks around it
    pub is: String,
    #[schemars(with = "Option<String>")]
    pub within: Option<Duration>,
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Link(check) => check.fmt(f)?,
            Self::Address(check) => check.fmt(f)?,
            Self::Ping(check) => check.fmt(f)?,
            Self::Route(check) => check.fmt(f)?,
            Self::Neighbour(check) => check.fmt(f)?,
            Self::Arp(check) => check.fmt(f)?,
            Self::Tcp(check) => check.fmt(f)?,
            Self::Sysctl(check) => check.fmt(f)?,
            Self::Frames(check) => check.fmt(f)?,
        }
        match self.within() {
            Some(within) => write!(f, " within {within:?}"),
            None => Ok(()),
        }
    }
}

/// ` in ns1`, or nothing for the root namespace.
pub(super) struct In<'a>(pub(super) &'a Option<Name>);

impl fmt::Display for In<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |namespace| write!(f, " in {namespace}"))
    }
}

/// ` from ns1`, or nothing for the root namespace.
struct From<'a>(&'a Option<Name>);

impl fmt::Display for From<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |namespace| write!(f, " from {namespace}"))
    }
}

impl fmt::Display for LinkCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "link {}{}", self.name, In(&self.namespace))?;
        if !self.exists {
            return f.write_str(" does not exist");
        }
        let on = |value: &bool, yes: &'static str, no: &'static str| if *value { yes } else { no };
        let words = [
            self.kind.as_ref().map(|kind| format!("is a {kind}")),
            self.mode.as_ref().map(|mode| format!("is in mode {mode}")),
            self.up.map(|up| format!("is {}", on(&up, "up", "down"))),
            self.carrier.map(|carrier| format!("has {}carrier", on(&carrier, "", "no "))),
            self.mtu.map(|mtu| format!("has mtu {mtu}")),
            self.mac.map(|mac| format!("has mac {mac}")),
            self.parent.as_ref().map(|parent| format!("has parent {}", Shown(parent))),
            self.master.as_ref().map(|master| format!("has master {master}")),
            self.promiscuity.map(|count| format!("has promiscuity {count}")),
        ];
        let words: Vec<_> = words.into_iter().flatten().collect();
        if words.is_empty() {
            return f.write_str(" exists");
        }
        write!(f, " {}", words.join(", "))
    }
}

/// A link's name as a scenario writes it.
struct Shown<'a>(&'a LinkName);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.namespace {
            None => f.write_str(&self.0.name),
            Some(None) => write!(f, "/{}", self.0.name),
            Some(Some(namespace)) => write!(f, "{namespace}/{}", self.0.name),
        }
    }
}

impl fmt::Display for AddressCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.absent { "has no" } else { "has" };
        write!(f, "link {}{} {verb} address {}", self.link, In(&self.namespace), self.is)
    }
}

impl fmt::Display for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reply => "is answered",
            Self::Unreachable => "is not answered",
        })
    }
}

impl fmt::Display for PingCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ping {}{} {}", self.to, From(&self.from), self.expect)
    }
}

impl fmt::Display for RouteCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.absent { "no route " } else { "route " })?;
        match &self.destination {
            Some(destination) => write!(f, "{destination}")?,
            None => f.write_str("default")?,
        }
        let words = [
            self.gateway.map(|gateway| format!(" via {gateway}")),
            self.link.as_ref().map(|link| format!(" dev {link}")),
            self.metric.map(|metric| format!(" metric {metric}")),
            self.table.map(|table| format!(" table {table}")),
        ];
        write!(f, "{}{}", words.into_iter().flatten().collect::<String>(), In(&self.namespace))
    }
}

impl fmt::Display for NeighbourCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let none = if self.absent { "no " } else { "" };
        write!(f, "{none}neighbour {}", self.address)?;
        let words = [
            self.link.as_ref().map(|link| format!(" dev {link}")),
            self.mac.map(|mac| format!(" lladdr {mac}")),
            self.state.map(|state| format!(" {}", format!("{state:?}").to_lowercase())),
        ];
        write!(f, "{}{}", words.into_iter().flatten().collect::<String>(), In(&self.namespace))
    }
}

impl fmt::Display for ArpCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "arp {}{} on {} {}", self.to, From(&self.from), self.link, self.expect)?;
        self.mac.map_or(Ok(()), |mac| write!(f, " by {mac}"))
    }
}

impl fmt::Display for TcpCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let expect = match self.expect {
            ExpectTcp::Open => "connects",
            ExpectTcp::Refused => "is refused",
            ExpectTcp::Unreachable => "is not answered",
        };
        write!(f, "tcp {} port {}{} {expect}", self.to, self.port, From(&self.from))
    }
}

impl fmt::Display for SysctlCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sysctl {}{} is {}", self.key, In(&self.namespace), self.is)
    }
}
