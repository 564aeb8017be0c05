//! Bonds and teams: what alters one alters its ports, and a port that comes or goes alters it and the
//! others. So all of them have to be granted.

use super::Decision;
use crate::change::{LinkRef, Setting};
use crate::grant::Capability;
use crate::kernel::{Error, LinkSight, kind};

impl Decision<'_> {
    /// What settings of a link alter by its master, or of its ports.
    pub(super) fn alters_bundle(
        &mut self,
        seen: &LinkSight,
        settings: &[Setting],
        shown: &str,
    ) -> Result<(), Error> {
        if kind::is_bundle(&seen.kind) && settings.iter().any(kind::reaches_ports) {
            let all = self.all_of_bundle(&seen.reference, shown)?;
            self.links.extend(all);
        }
        match settings.iter().any(|setting| matches!(setting, Setting::Master(_))) {
            true => self.leaves_bundle(seen, shown),
            false => Ok(()),
        }
    }

    /// What goes on in the master that a link leaves.
    pub(super) fn leaves_bundle(&mut self, seen: &LinkSight, shown: &str) -> Result<(), Error> {
        if seen.master.as_ref().is_some_and(|(_, kind)| kind::is_bundle(kind)) {
            let all = self.all_of_bundle(&seen.reference, shown)?;
            self.links.extend(all);
        }
        Ok(())
    }

    /// Others' links of one bundle with a link; which these are is for the operator.
    pub(super) fn all_of_bundle(&self, link: &LinkRef, shown: &str) -> Result<Vec<LinkRef>, Error> {
        let mut all = Vec::new();
        for seen in self.kernel.bundle_of(link)? {
            self.modifies(&seen, shown)
                .map_err(|error| self.discreet(error, Capability::HostLinkModify, shown))?;
            all.push(seen.reference);
        }
        Ok(all)
    }

    /// The same of a link that a child of it alters, or a port that comes.
    pub(super) fn modifies_bundle(
        &self,
        seen: &LinkSight,
        shown: &str,
    ) -> Result<Vec<LinkRef>, Error> {
        self.modifies(seen, shown)?;
        match kind::is_bundle(&seen.kind) {
            true => self.all_of_bundle(&seen.reference, shown),
            false => Ok(Vec::new()),
        }
    }
}
