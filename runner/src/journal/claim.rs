//! What runs share: a link that one of them alters is nobody else's meanwhile.

use std::fmt;

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
    },
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
            (Self::Link { .. } | Self::Route { .. } | Self::Sysctl { .. }, _) => self == other,
        }
    }
}

impl fmt::Display for Claimed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Link { name, .. } => write!(f, "link `{}`", name.escape_debug()),
            Self::Route { destination, .. } => write!(f, "the route to {destination}"),
            Self::Sysctl { key, .. } => write!(f, "{}", key.escape_debug()),
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

    #[test]
    fn parents_are_shared_and_altered_links_are_not() {
        assert!(!link(2, false).excludes(&link(2, false)));
        assert!(link(2, false).excludes(&link(2, true)));
        assert!(link(2, true).excludes(&link(2, true)));
        assert!(!link(2, true).excludes(&link(3, true)));
    }
}
