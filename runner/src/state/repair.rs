//! The changes that make one state of another, where links need not be made anew.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::{Difference, State};
use crate::change::{Change, LinkRef};

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
    if let Some(deletions) = stages.get_mut(&Stage::OldLinks) {
        *deletions = in_order(std::mem::take(deletions), is);
    }
    Ok(stages.into_values().flatten().collect())
}

/// When something is mended, and by what.
pub(super) type Mend = (Stage, Vec<Change>);

/// What depends on what: routes on addresses, addresses on links that are up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// in the place of which another one comes, which the kernel may take for the same (fib_rules.c,
    /// rule_exists: neither `not` nor where `goto` leads to counts)
    ReplacedRules,
    Rules,
    OldRules,
    OldRoutes,
    OldAddresses,
    /// before those of the same station on another port
    OldEntries,
    /// the kernel forgets them by itself when their link is altered
    OldNeighbours,
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
    Neighbours,
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

/// Links before those that they stand on, for these take them along; of a veth one end alone.
fn in_order(deletions: Vec<Change>, is: &State) -> Vec<Change> {
    let mut going: Vec<(usize, LinkRef)> = Vec::new();
    for link in deletions.iter().filter_map(Change::link) {
        let peer = is.link(link).and_then(|info| info.peer.as_ref());
        let other = peer.map(|peer| peer.reference(&link.namespace));
        if !going.iter().any(|(_, gone)| Some(gone) == other.as_ref()) {
            going.push((is.height(link), link.clone()));
        }
    }
    going.sort_by_key(|(height, _)| Reverse(*height));
    going.into_iter().map(|(_, link)| Change::DeleteLink { link }).collect()
}
