//! What can be granted, and which keys narrow each of them.

use std::fmt;
use std::str::FromStr;

use super::fault::suggest;
use super::key::Key;
use netwright_network::setting::SettingKey;

/// Something beyond the run's own lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Capability {
    HostLinkRead,
    HostLinkCreate,
    HostAddressAdd,
    HostRouteAdd,
    HostNamespace,
    HostProbe,
    Uplink,
    Artifacts,
    Exec,
    HostRouteDefault,
    HostForwarding,
    HostSysctl,
    HostLinkModify,
    UplinkPassthru,
    HostLinkMove,
}

/// How dangerous a capability is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Named things of the host.
    Attach,
    /// Leaves the sandbox or endangers the host: exact values only, and a typed word.
    Special,
}

/// What a grant allows that doesn't have a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Omitted {
    /// It would allow nothing, so that it is an error.
    Refused,
    /// Only requests that are about no such thing: a link without a parent, the main table.
    Absent,
    /// Everything. Only where a value can do no harm that the other keys don't bound.
    Any,
}

impl Capability {
    pub const ALL: [Self; 15] = [
        Self::HostLinkRead,
        Self::HostLinkCreate,
        Self::HostAddressAdd,
        Self::HostRouteAdd,
        Self::HostNamespace,
        Self::HostProbe,
        Self::Uplink,
        Self::Artifacts,
        Self::Exec,
        Self::HostRouteDefault,
        Self::HostForwarding,
        Self::HostSysctl,
        Self::HostLinkModify,
        Self::UplinkPassthru,
        Self::HostLinkMove,
    ];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::HostLinkRead => "host.link.read",
            Self::HostLinkCreate => "host.link.create",
            Self::HostAddressAdd => "host.address.add",
            Self::HostRouteAdd => "host.route.add",
            Self::HostNamespace => "host.namespace",
            Self::HostProbe => "host.probe",
            Self::Uplink => "uplink",
            Self::Artifacts => "artifacts",
            Self::Exec => "exec",
            Self::HostRouteDefault => "host.route.default",
            Self::HostForwarding => "host.forwarding",
            Self::HostSysctl => "host.sysctl",
            Self::HostLinkModify => "host.link.modify",
            Self::UplinkPassthru => "uplink.passthru",
            Self::HostLinkMove => "host.link.move",
        }
    }

    pub fn class(self) -> Class {
        match self {
            Self::HostLinkRead
            | Self::HostLinkCreate
            | Self::HostAddressAdd
            | Self::HostRouteAdd
            | Self::HostNamespace
            | Self::HostProbe
            | Self::Uplink
            | Self::Artifacts => Class::Attach,
            Self::Exec
            | Self::HostRouteDefault
            | Self::HostForwarding
            | Self::HostSysctl
            | Self::HostLinkModify
            | Self::UplinkPassthru
            | Self::HostLinkMove => Class::Special,
        }
    }

    /// What it lets a recipe do, for the operator's eyes.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::HostLinkRead => "see links of this machine, with their addresses and routes",
            Self::HostLinkCreate => "make links on this machine",
            Self::HostAddressAdd => "give links of this machine addresses",
            Self::HostRouteAdd => "add routes to this machine",
            Self::HostNamespace => "make, or enter, named network namespaces of this machine",
            Self::HostProbe => "check from this machine's own network: ask stations, watch links",
            Self::Uplink => "join the lab to a network that this machine is on",
            Self::Artifacts => "write files into one folder",
            Self::Exec => "run a program outside the sandbox",
            Self::HostRouteDefault => "redirect all of this machine's traffic",
            Self::HostForwarding => "make this machine a router",
            Self::HostSysctl => "alter a setting of this machine's network stack",
            Self::HostLinkModify => "alter a link of this machine that it did not make",
            Self::UplinkPassthru => "take a link of this machine over, all of its traffic included",
            Self::HostLinkMove => "take a link of this machine away, into another namespace",
        }
    }

    /// The keys that narrow it, and what each allows when it is left out.
    pub fn keys(self) -> &'static [(Key, Omitted)] {
        use Omitted::{Absent, Any, Refused};
        match self {
            Self::HostLinkRead => &[(Key::Name, Any)],
            Self::HostLinkCreate => &[
                (Key::Kind, Refused),
                (Key::Name, Refused),
                (Key::Parent, Absent),
                (Key::Vlan, Absent),
                (Key::Mtu, Absent),
                (Key::Max, Any),
            ],
            Self::HostAddressAdd => &[(Key::Cidr, Refused), (Key::Link, Refused)],
            Self::HostRouteAdd => {
                &[(Key::Cidr, Refused), (Key::Link, Absent), (Key::Table, Absent)]
            }
            Self::HostNamespace => {
                &[(Key::Name, Absent), (Key::Pid, Absent), (Key::Docker, Absent)]
            }
            Self::HostProbe => &[(Key::Cidr, Absent), (Key::Link, Absent)],
            Self::Uplink => &[(Key::Link, Refused), (Key::Mode, Refused)],
            Self::Artifacts => &[(Key::Path, Refused)],
            Self::Exec => &[(Key::Program, Refused)],
            Self::HostRouteDefault => &[(Key::Link, Refused), (Key::Table, Refused)],
            Self::HostForwarding | Self::HostSysctl => &[(Key::Setting, Refused)],
            Self::HostLinkModify | Self::HostLinkMove => &[(Key::Name, Refused)],
            Self::UplinkPassthru => &[(Key::Link, Refused)],
        }
    }

    /// Which of the two a setting of /proc/sys/net needs, in either spelling.
    pub fn of_sysctl(key: &str) -> Self {
        match SettingKey::of(key) {
            Ok(key) if key.forwards() => Self::HostForwarding,
            Ok(_) | Err(_) => Self::HostSysctl,
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No capability has this name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownCapability {
    pub help: String,
}

impl FromStr for Capability {
    type Err = UnknownCapability;

    fn from_str(text: &str) -> Result<Self, UnknownCapability> {
        let known = Self::ALL.into_iter().find(|capability| capability.name() == text);
        known.ok_or_else(|| {
            let help = suggest(text, Self::ALL.iter().map(|each| each.name()), "there are");
            UnknownCapability { help }
        })
    }
}
