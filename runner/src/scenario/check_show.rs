//! Checks in the words of the report.

use std::fmt;

use super::check::{
    AddressCheck, ArpCheck, Check, Expect, ExpectTcp, LinkCheck, NeighbourCheck, PingCheck,
    RouteCheck, SysctlCheck, TcpCheck,
};
use crate::change::{LinkName, Name};

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Untimed(self).fmt(f)?;
        if let Some(within) = self.within() {
            write!(f, " within {within:?}")?;
        }
        self.stays().map_or(Ok(()), |stays| write!(f, " for {stays:?}"))
    }
}

pub(super) struct Untimed<'a>(pub(super) &'a Check);

impl fmt::Display for Untimed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Check::Link(check) => check.fmt(f),
            Check::Address(check) => check.fmt(f),
            Check::Ping(check) => check.fmt(f),
            Check::Route(check) => check.fmt(f),
            Check::Neighbour(check) => check.fmt(f),
            Check::Arp(check) => check.fmt(f),
            Check::Tcp(check) => check.fmt(f),
            Check::Sysctl(check) => check.fmt(f),
            Check::Frames(check) => check.fmt(f),
        }?;
        self.0.because().map_or(Ok(()), |because| write!(f, " because {}", because.word()))
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
