//! The changes that make one state of another, where links need not be made anew.

use std::collections::BTreeMap;

use super::{Difference, State, order};
use crate::change::Change;

/// All changes, in an order that their needs allow; or the difference that no change can mend,
/// for a link or namespace has to be made.
pub fn repair<'a>(
    differences: &'a [Difference],
    is: &State,
    wanted: &State,
) -> Result<Vec<Change>, &'a Difference> {
    let mut stages: BTreeMap<Stage, Vec<Change>> = BTreeMap::new();
    for difference in differences {
        let mending = Mending { difference, is, wanted };
        let mend = difference.object.noun().mend(&mending);
        let (stage, changes) = mend.ok_or(difference)?;
        stages.entry(stage).or_default().extend(changes);
    }
    Ok(stages.into_iter().flat_map(|(stage, all)| stage.in_order(all, is, wanted)).collect())
}

/// When something is mended, and by what.
pub(super) type Mend = (Stage, Vec<Change>);

/// What depends on what: routes on addresses, addresses on links that are up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// in the place of which another one comes, which the kernel may take for the same (fib_rules.c,
    /// rule_exists: neither `not` nor where `goto` leads to counts)
    ReplacedRules,
    OldRoutes,
    /// the kernel forgets them by itself when their link is altered, or has no address any more
    OldNeighbours,
    OldAddresses,
    /// before those of the same station on another port
    OldEntries,
    OldLinks,
    Links,
    /// which entries may be of
    PortVlans,
    Entries,
    /// of a namespace or of every link, which the kernel writes to each
    Settings,
    /// of one link
    LinkSettings,
    Disciplines,
    Addresses,
    Routes,
    /// that may hide what the gateways of routes are reached by
    Rules,
    OldRules,
    Neighbours,
}

impl Stage {
    /// What depends on what within one.
    fn in_order(self, changes: Vec<Change>, is: &State, wanted: &State) -> Vec<Change> {
        match self {
            Self::OldRoutes => order::of_old_routes(changes, is),
            Self::OldAddresses => order::of_old_addresses(changes, is),
            Self::OldLinks => order::of_deletions(changes, is),
            Self::Links => order::of_links(changes, is, wanted),
            Self::Routes => order::of_routes(changes, is, wanted),
            Self::ReplacedRules
            | Self::Rules
            | Self::OldRules
            | Self::OldEntries
            | Self::OldNeighbours
            | Self::PortVlans
            | Self::Entries
            | Self::Settings
            | Self::LinkSettings
            | Self::Disciplines
            | Self::Addresses
            | Self::Neighbours => changes,
        }
    }
}

/// A difference between two states that is to be mended.
pub(super) struct Mending<'a> {
    pub(super) difference: &'a Difference,
    pub(super) is: &'a State,
    pub(super) wanted: &'a State,
}

impl<'a> Mending<'a> {
    pub(super) fn is_missing(&self) -> bool {
        self.difference.is.is_none()
    }

    pub(super) fn is_extra(&self) -> bool {
        self.difference.wanted.is_none()
    }

    /// The state that tells of what is to be put or to be taken away.
    pub(super) fn side(&self) -> &'a State {
        if self.is_extra() { self.is } else { self.wanted }
    }
}
