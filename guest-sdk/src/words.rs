//! The contract's enumerations in ip(8)'s words, both ways.

use std::fmt;
use std::str::FromStr;

use crate::wit::links::{IpvlanFlag, IpvlanMode, MacvlanMode};
use crate::wit::neighbours::NeighbourState;
use crate::wit::qdisc::Distribution;
use crate::wit::routes::RouteKind;
use crate::{Error, Result};

/// Gives an enumeration its words in ip(8), both ways.
macro_rules! words {
    ($type:ty, $what:literal: $($variant:ident = $word:literal),+) => {
        impl $type {
            /// Every value, in the order of the contract.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word for it in ip(8).
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.word())
            }
        }

        impl FromStr for $type {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self> {
                let found = Self::ALL.iter().find(|value| value.word() == text);
                found.copied().ok_or_else(|| {
                    let words = [$(concat!("`", $word, "`")),+].join(", ");
                    let shown = text.escape_debug();
                    Error::invalid(format!(concat!("`{}` is not ", $what, "; there are {}"), shown, words))
                })
            }
        }
    };
}

words!(MacvlanMode, "a macvlan mode": Private = "private", Vepa = "vepa", Bridge = "bridge",
    Passthru = "passthru", Source = "source");
words!(IpvlanMode, "an ipvlan mode": L2 = "l2", L3 = "l3", L3s = "l3s");
words!(IpvlanFlag, "an ipvlan flag": Private = "private", Vepa = "vepa", Bridge = "bridge");
words!(Distribution, "a distribution": Uniform = "uniform", Normal = "normal",
    Pareto = "pareto", Paretonormal = "paretonormal");
words!(RouteKind, "a type of route": Unicast = "unicast", Local = "local",
    Broadcast = "broadcast", Anycast = "anycast", Multicast = "multicast",
    Blackhole = "blackhole", Unreachable = "unreachable", Prohibit = "prohibit",
    Throw = "throw", Nat = "nat");
words!(NeighbourState, "a state of a neighbour": None = "none", Incomplete = "incomplete",
    Reachable = "reachable", Stale = "stale", Delay = "delay", Probe = "probe",
    Failed = "failed", Noarp = "noarp", Permanent = "permanent");
