//! What must hold after the steps: plain data, shown in the words of the report.

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
    /// How long it may take to hold.
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

    /// How long it must go on to hold.
    pub fn stays(&self) -> Option<Duration> {
        match self {
            Self::Link(check) => check.stays,
            Self::Address(check) => check.stays,
            Self::Ping(check) => check.stays,
            Self::Route(check) => check.stays,
            Self::Neighbour(check) => check.stays,
            Self::Arp(check) => check.stays,
            Self::Tcp(check) => check.stays,
            Self::Sysctl(check) => check.stays,
            Self::Frames(check) => check.stays,
        }
    }

    /// Why nothing may answer, where it asks for that.
    pub fn because(&self) -> Option<Because> {
        match self {
            Self::Ping(check) => check.because,
            Self::Arp(check) => check.because,
            Self::Tcp(check) => check.because,
            Self::Link(_)
            | Self::Address(_)
            | Self::Route(_)
            | Self::Neighbour(_)
            | Self::Sysctl(_)
            | Self::Frames(_) => None,
        }
    }

    /// It without its times, for a result that they would be untrue of.
    pub fn untimed(&self) -> String {
        super::check_show::Untimed(self).to_string()
    }
}

/// Why nothing answers, as a check can ask for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "kebab-case")]
pub enum Because {
    /// it was sent, and nobody answered
    NoReply,
    /// the kernel or a router has no way to it
    NoRoute,
    /// the kernel or a router forbids it
    Prohibited,
    /// the link that leads there is down, or has no carrier
    NoCarrier,
}

impl Because {
    pub const WORDS: &'static [(&'static str, Self)] = &[
        ("no-reply", Self::NoReply),
        ("no-route", Self::NoRoute),
        ("prohibited", Self::Prohibited),
        ("no-carrier", Self::NoCarrier),
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::NoReply => "no-reply",
            Self::NoRoute => "no-route",
            Self::Prohibited => "prohibited",
            Self::NoCarrier => "no-carrier",
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
    /// once it holds, it must go on to hold for so long
    #[schemars(with = "Option<String>")]
    pub stays: Option<Duration>,
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
    /// true: the link must not have the address, with whatever length
    #[schemars(with = "Option<bool>")]
    pub absent: bool,
    #[schemars(with = "Option<String>")]
    pub within: Option<Duration>,
    /// once it holds, it must go on to hold for so long
    #[schemars(with = "Option<String>")]
    pub stays: Option<Duration>,
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
    /// why nothing may answer; whatever the reason where it is left out
    #[schemars(with = "Option<Because>")]
    pub because: Option<Because>,
    #[schemars(with = "Option<String>")]
    pub within: Option<Duration>,
    /// once it holds, it must go on to hold for so long
    #[schemars(with = "Option<String>")]
    pub stays: Option<Duration>,
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
    /// the main table where it is left out; for `absent` any
    pub table: Option<u32>,
    /// true: there must be no such route
    #[schemars(with = "Option<bool>")]
    pub absent: bool,
    #[schemars(with = "Option<String>")]
    pub within: Option<Duration>,
    /// once it holds, it must go on to hold for so long
    #[schemars(with = "Option<String>")]
    pub stays: Option<Duration>,
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
    /// once it holds, it must go on to hold for so long
    #[schemars(with = "Option<String>")]
    pub stays: Option<Duration>,
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
    /// why nothing may answer; whatever the reason where it is left out
    #[schemars(with = "Option<Because>")]
    pub because: Option<Because>,
    /// the station that must answer, and no other
    #[schemars(with = "Option<String>")]
    pub mac: Option<MacAddress>,
    #[schemars(with = "Option<String>")]
    pub within: Option<Duration>,
    /// once it holds, it must go on to hold for so long
    #[schemars(with = "Option<String>")]
    pub stays: Option<Duration>,
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
    /// why nothing may answer; whatever the reason where it is left out
    #[schemars(with = "Option<Because>")]
    pub because: Option<Because>,
    #[schemars(with = "Option<String>")]
    pub within: Option<Duration>,
    /// once it holds, it must go on to hold for so long
    #[schemars(with = "Option<String>")]
    pub stays: Option<Duration>,
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
    /// once it holds, it must go on to hold for so long
    #[schemars(with = "Option<String>")]
    pub stays: Option<Duration>,
}
