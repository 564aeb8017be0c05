//! What runs share: a link that one of them alters is nobody else's meanwhile.

use std::fmt;

use netwright_network::setting::{Reach, SettingKey};
use serde::{Deserialize, Serialize};

use crate::change::MacAddress;

/// Something of others' that a run uses, or has altered until it puts it back.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Claim {
    pub what: Claimed,
    /// it is altered, and put back in the end: nobody else may use it, or rely on it
    pub alone: bool,
}

/// By identity: cookie of the namespace, and index.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Claimed {
    Link {
        cookie: u64,
        index: u32,
        name: String,
        /// what else it is known by
        #[serde(default, skip_serializing_if = "Option::is_none")]
        nature: Option<Nature>,
    },
    /// routes to one destination in one table, of one metric
    Route {
        cookie: u64,
        table: u32,
        destination: String,
        #[serde(default)]
        metric: u32,
    },
    Sysctl {
        cookie: u64,
        key: String,
        /// the index of the link that it is a setting of
        #[serde(default, skip_serializing_if = "Option::is_none")]
        link: Option<u32>,
    },
    /// all settings of a link
    Settings { cookie: u64, index: u32, name: String },
}

/// What a link keeps while its name and settings change; another one that got its index has not all
/// of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Nature {
    /// as the kernel calls it
    pub kind: String,
    /// of the hardware
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permanent: Option<MacAddress>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<MacAddress>,
}

impl Claim {
    /// Whether two runs can't have both. A link's name is for people.
    pub fn excludes(&self, other: &Self) -> bool {
        (self.alone || other.alone) && self.what.is_same(&other.what)
    }
}

impl Claimed {
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Link { cookie, index, .. }, Self::Link { cookie: there, index: other, .. }) => {
                (cookie, index) == (there, other)
            }
            (
                Self::Sysctl { cookie, key, link },
                Self::Sysctl { cookie: there, key: theirs, link: other },
            ) => cookie == there && go_together((key, *link), (theirs, *other)),
            (
                Self::Settings { cookie, index, .. },
                Self::Settings { cookie: there, index: other, .. },
            ) => (cookie, index) == (there, other),
            (Self::Settings { cookie, index, name }, Self::Sysctl { cookie: there, key, link })
            | (Self::Sysctl { cookie: there, key, link }, Self::Settings { cookie, index, name }) => {
                cookie == there && is_of_link(key, *link, (*index, name))
            }
            (
                Self::Link { .. }
                | Self::Route { .. }
                | Self::Sysctl { .. }
                | Self::Settings { .. },
                _,
            ) => self == other,
        }
    }
}

/// Whether the kernel may alter one of two settings when the other one is written. Where both links
/// are known the names that they had count for nothing.
fn go_together(one: (&str, Option<u32>), other: (&str, Option<u32>)) -> bool {
    let (Ok(first), Ok(second)) = (SettingKey::of(one.0), SettingKey::of(other.0)) else {
        return one == other;
    };
    let by_index = |key: SettingKey, link: Option<u32>| match (link, one.1.and(other.1)) {
        (Some(index), Some(_)) => key.of_link(&format!("#{index}")),
        (_, _) => key,
    };
    let (first, second) = (by_index(first, one.1), by_index(second, other.1));
    first.alters(&second) || second.alters(&first)
}

/// Whether a setting is one of a link's, or of all links.
fn is_of_link(key: &str, link: Option<u32>, (index, name): (u32, &str)) -> bool {
    match (SettingKey::of(key).map(|key| key.finest()), link) {
        (_, Some(link)) => link == index,
        (Ok(key), None) => match key.reach() {
            Reach::EveryLink => true,
            Reach::Link(there) => there == name,
            Reach::Stack => false,
        },
        (Err(_), None) => false,
    }
}

impl fmt::Display for Claimed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Link { name, .. } => write!(f, "link `{}`", name.escape_debug()),
            Self::Route { destination, .. } => write!(f, "the route to {destination}"),
            Self::Sysctl { key, .. } => write!(f, "{}", key.escape_debug()),
            Self::Settings { name, .. } => {
                write!(f, "the settings of link `{}`", name.escape_debug())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Claim, Claimed};

    fn link(index: u32, alone: bool) -> Claim {
        let name = format!("eth{index}");
        Claim { what: Claimed::Link { cookie: 1, index, name, nature: None }, alone }
    }

    fn sysctl(key: &str, link: Option<u32>) -> Claim {
        Claim { what: Claimed::Sysctl { cookie: 1, key: key.to_owned(), link }, alone: true }
    }

    #[test]
    fn settings_that_the_kernel_alters_together_are_one_runs() {
        let every = || sysctl("net.ipv4.ip_forward", None);
        let of_link = |index| sysctl("net/ipv4/conf/eth1/forwarding", Some(index));
        let renamed = |index| sysctl("net.ipv4.conf.eth7.forwarding", Some(index));
        let all = |index| {
            let name = "eth1".to_owned();
            Claim { what: Claimed::Settings { cookie: 1, index, name }, alone: true }
        };
        for (one, other, excluded) in [
            (every(), sysctl("net/ipv4/conf/all/forwarding", None), true),
            (every(), of_link(2), true),
            (every(), sysctl("net/ipv4/conf/eth1/forwarding", None), true),
            (every(), sysctl("net/ipv4/conf/all/accept_redirects", None), true),
            (every(), sysctl("net/ipv6/conf/all/forwarding", None), false),
            (every(), sysctl("net/ipv4/conf/eth1/arp_ignore", Some(2)), false),
            (of_link(2), renamed(2), true),
            (of_link(2), of_link(3), false),
            (all(2), renamed(2), true),
            (all(2), renamed(3), false),
            (all(2), every(), true),
            (all(2), sysctl("net.core.somaxconn", None), false),
        ] {
            assert_eq!(one.excludes(&other), excluded, "{one:?}, {other:?}");
            assert_eq!(other.excludes(&one), excluded, "{other:?}, {one:?}");
        }
    }

    #[test]
    fn parents_are_shared_and_altered_links_are_not() {
        assert!(!link(2, false).excludes(&link(2, false)));
        assert!(link(2, false).excludes(&link(2, true)));
        assert!(link(2, true).excludes(&link(2, true)));
        assert!(!link(2, true).excludes(&link(3, true)));
    }
}
