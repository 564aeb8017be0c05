//! Routes and the rules that choose among their tables.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{Attribute, Prefix};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    Ipv4,
    Ipv6,
}

impl Family {
    pub fn of(address: IpAddr) -> Self {
        if address.is_ipv4() { Self::Ipv4 } else { Self::Ipv6 }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RouteKind {
    Unicast,
    Local,
    Broadcast,
    Anycast,
    Multicast,
    Blackhole,
    Unreachable,
    Prohibit,
    Throw,
    Nat,
}

/// What the kernel tells of a route, and netwright has no words for: a netlink attribute as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opaque {
    pub kind: u16,
    pub value: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextHop {
    pub gateway: Option<IpAddr>,
    pub link: Option<String>,
    /// 1 to 256
    pub weight: u16,
    pub onlink: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub opaque: Vec<Opaque>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    pub family: Family,
    pub kind: RouteKind,
    /// `None` is the default route
    pub destination: Option<Prefix>,
    pub next_hops: Vec<NextHop>,
    pub table: Option<u32>,
    pub metric: Option<u32>,
    pub protocol: Option<u8>,
    pub scope: Option<u8>,
    pub source: Option<IpAddr>,
    pub from: Option<Prefix>,
    pub type_of_service: Option<u8>,
    pub metrics: Vec<Attribute>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub opaque: Vec<Opaque>,
}

/// RT_TABLE_MAIN and RT_TABLE_LOCAL of linux/rtnetlink.h: where routes usually are, and where the kernel
/// has those to its own addresses.
pub const TABLE_MAIN: u32 = 254;
pub const TABLE_LOCAL: u32 = 255;
/// RTPROT_KERNEL and RTPROT_RA of linux/rtnetlink.h: what follows from links and addresses, and what a
/// router advertised.
pub const PROTOCOL_KERNEL: u8 = 2;
pub const PROTOCOL_ADVERTISED: u8 = 9;

impl Route {
    /// Whether one of its ways is by a link.
    pub fn leads_by(&self, link: &str) -> bool {
        self.next_hops.iter().any(|hop| hop.link.as_deref() == Some(link))
    }

    /// The table that it is in: where it names none, iproute2's for its kind. 0 is another word for
    /// the main one (fib_new_table, fib6_new_table).
    pub fn table(&self) -> u32 {
        let table = self.table.unwrap_or(match self.kind {
            RouteKind::Local | RouteKind::Broadcast | RouteKind::Anycast | RouteKind::Nat => {
                TABLE_LOCAL
            }
            RouteKind::Unicast
            | RouteKind::Multicast
            | RouteKind::Blackhole
            | RouteKind::Unreachable
            | RouteKind::Prohibit
            | RouteKind::Throw => TABLE_MAIN,
        });
        if table == 0 { TABLE_MAIN } else { table }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RuleAction {
    Table(u32),
    Goto(u32),
    Nop,
    Blackhole,
    Unreachable,
    Prohibit,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    pub family: Family,
    pub priority: Option<u32>,
    pub inverted: bool,
    pub from: Option<Prefix>,
    pub to: Option<Prefix>,
    pub incoming_link: Option<String>,
    pub outgoing_link: Option<String>,
    pub type_of_service: Option<u8>,
    pub mark: Option<(u32, u32)>,
    pub action: RuleAction,
    pub protocol: Option<u8>,
    pub options: Vec<Attribute>,
}

impl Rule {
    /// Whether the kernel may take a rule for the one that is to be removed: what is left open fits
    /// anything.
    pub fn may_mean(&self, there: &Self) -> bool {
        let fits = |asked: Option<&Prefix>, there: Option<&Prefix>| {
            asked.filter(|prefix| prefix.length > 0).is_none_or(|asked| Some(asked) == there)
        };
        let open =
            |asked: &Option<String>, there: &Option<String>| asked.is_none() || asked == there;
        self.family == there.family
            && (self.action == RuleAction::Table(0) || self.action == there.action)
            && (self.priority.is_none() || self.priority == there.priority)
            && (self.mark.is_none() || self.mark == there.mark)
            && (self.protocol.is_none() || self.protocol == there.protocol)
            && (self.type_of_service.unwrap_or(0) == 0
                || self.type_of_service == there.type_of_service)
            && open(&self.incoming_link, &there.incoming_link)
            && open(&self.outgoing_link, &there.outgoing_link)
            && fits(self.from.as_ref(), there.from.as_ref())
            && fits(self.to.as_ref(), there.to.as_ref())
            && self.options.iter().all(|option| there.options.contains(option))
    }

    /// The same rule, at whatever place.
    pub fn is_like(&self, other: &Self) -> bool {
        Self { priority: None, ..self.clone() } == Self { priority: None, ..other.clone() }
    }
}
