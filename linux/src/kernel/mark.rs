//! The mark that everything of a run carries on the host: kernel state is told apart by it, never
//! by a name.

use std::fs::File;
use std::io::{self, Read as _};

use crate::change::{Change, Kind, Setting};

/// The first byte of every run's link group; `n`.
const FAMILY: u32 = 0x6e00_0000;
const FAMILY_MASK: u32 = 0xff00_0000;

/// The protocol number of routes, rules and addresses (RTA_PROTOCOL, FRA_PROTOCOL, IFA_PROTO) that
/// netwright made. /etc/iproute2/rt_protos gives it to nobody.
pub const PROTOCOL: u8 = 110;

/// A run's own mark: the group of its links (IFLA_GROUP), theirs from the message on that makes
/// them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    group: u32,
}

impl Mark {
    /// A random one.
    pub fn new() -> io::Result<Self> {
        let mut bytes = [0; 4];
        File::open("/dev/urandom")?.read_exact(&mut bytes)?;
        Ok(Self::of_run(u32::from_ne_bytes(bytes)))
    }

    /// Of a run whose id is known; the lower 24 bits count.
    pub fn of_run(id: u32) -> Self {
        Self { group: FAMILY | id & !FAMILY_MASK }
    }

    /// A change without this mark, for a run with another one.
    #[must_use]
    pub fn taken_off(self, mut change: Change) -> Change {
        if let Change::CreateLink { spec, .. } = &mut change {
            let others = |setting: &Setting| *setting != Setting::Group(self.group);
            spec.settings.retain(others);
            if let Kind::Veth(veth) = &mut spec.kind {
                veth.peer_settings.retain(others);
            }
        }
        change
    }

    pub fn group(self) -> u32 {
        self.group
    }

    /// Whether a link's group is that of some run, this or another.
    pub fn is_of_any_run(group: u32) -> bool {
        group & FAMILY_MASK == FAMILY
    }
}

#[cfg(test)]
mod tests {
    use super::Mark;

    #[test]
    fn runs_differ_and_are_known_as_runs() {
        let (one, other) = (Mark::of_run(1), Mark::of_run(2));
        assert_ne!(one.group(), other.group());
        assert!(Mark::is_of_any_run(one.group()));
        assert!(!Mark::is_of_any_run(0));
        assert!(Mark::is_of_any_run(Mark::new().expect("random numbers").group()));
    }
}
