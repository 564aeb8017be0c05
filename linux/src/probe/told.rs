//! What kernel and routers say of packets that nobody answers: RFC 792, RFC 4443, ip(7).

use std::fmt;
use std::net::IpAddr;

/// Who said it, and what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// the kernel here, when the packet was to be sent: its errno
    Kernel(i32),
    /// an ICMP error, and who sent it, where that is known
    Icmp(Complaint, Option<IpAddr>),
}

/// What an ICMP error says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Complaint {
    NoRoute,
    NoHost,
    NoPort,
    Prohibited,
    TooBig,
    Expired,
    Other,
}

impl Complaint {
    /// By type and code of ICMP.
    pub(super) fn of_icmp(kind: u8, code: u8) -> Self {
        match (kind, code) {
            (3, 0 | 5 | 6 | 11) => Self::NoRoute,
            (3, 1 | 7 | 8 | 12) => Self::NoHost,
            (3, 2 | 3) => Self::NoPort,
            (3, 4) => Self::TooBig,
            (3, 9 | 10 | 13 | 14 | 15) => Self::Prohibited,
            (11, _) => Self::Expired,
            _ => Self::Other,
        }
    }

    /// By type and code of ICMPv6.
    pub(super) fn of_icmp6(kind: u8, code: u8) -> Self {
        match (kind, code) {
            (1, 0 | 2) => Self::NoRoute,
            (1, 3) => Self::NoHost,
            (1, 4) => Self::NoPort,
            (1, 1 | 5 | 6) => Self::Prohibited,
            (2, _) => Self::TooBig,
            (3, _) => Self::Expired,
            _ => Self::Other,
        }
    }
}

/// As ping(8) calls it.
impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoRoute => "no route",
            Self::NoHost => "host unreachable",
            Self::NoPort => "port unreachable",
            Self::Prohibited => "prohibited",
            Self::TooBig => "packet too big",
            Self::Expired => "time to live exceeded",
            Self::Other => "refused",
        })
    }
}
