//! What a change does to links beside the one that it names: the port that loses an entry of a
//! bridge's forwarding database, and the link of others' that comes home.

use super::{Decision, Subject, named};
use crate::change::{Change, Entry, LinkRef, Write};
use crate::grant::Capability;
use crate::kernel::{Error, LinkSight};

impl Decision<'_> {
    /// A bridge has one entry for a station of a VLAN: put on another port, it is taken from the
    /// port that had it. One that is only added never takes the place of another.
    pub(super) fn put_entry(
        &mut self,
        link: LinkRef,
        entry: Entry,
        how: Write,
        shown: &str,
    ) -> Result<Change, Error> {
        let settled = self.is_settled(&link);
        let link = self.alters(link, shown)?;
        let losers = match (how, settled) {
            (Write::Add, _) => Vec::new(),
            (_, true) => self.kernel.losers_of(&link.namespace, Some(&link), &entry)?,
            // Whose port it will be is not known: any bridge's there.
            (_, false) => self.kernel.losers_of(&link.namespace, None, &entry)?,
        };
        for loser in losers {
            let own = matches!(
                self.subject(&loser.reference, Capability::HostLinkModify, shown)?,
                Subject::Own(_)
            );
            if !own {
                self.modifies(&loser, shown)?;
            }
        }
        Ok(Change::PutEntry { link, entry, how })
    }

    /// Whether a link is there, and no other change of the batch makes it another's port.
    fn is_settled(&self, link: &LinkRef) -> bool {
        let key = (link.namespace.name.clone(), link.name.clone());
        !self.together.links.contains(&key)
            && !self.together.masters.iter().any(|(port, _)| *port == key)
    }

    /// A link of others' that goes from a namespace of the run's to one of others takes along what
    /// the run has set on it.
    pub(super) fn goes_home(&self, seen: &LinkSight, shown: &str) -> Result<(), Error> {
        let LinkRef { namespace, name, .. } = &seen.reference;
        let key = (namespace.name.clone(), name.clone());
        let altered =
            self.together.altered.contains(&key) || self.kernel.is_altered(&seen.reference);
        match altered {
            true => self.policy.need(Capability::HostLinkModify, named(name), &shown),
            false => Ok(()),
        }
    }
}
