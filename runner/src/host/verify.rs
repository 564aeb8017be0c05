//! What was asked for, read back: the kernel accepts more than it does.

use std::mem::{Discriminant, discriminant};

use super::Session;
use crate::change::{Change, NamespaceRef, Setting};
use crate::kernel::Error;
use crate::kernel::Permitted;
use crate::policy::Policy;
use crate::report::{CheckResult, Verdict};

impl Session {
    /// Reports as a failed check what did not come about on the host, of changes just made. A lab
    /// is compared as a whole, where it is deployed.
    pub(super) fn read_back(&mut self, changes: &[Permitted<Change>]) {
        if !matches!(self.policy, Policy::Host(_)) {
            return;
        }
        for (place, permitted) in changes.iter().enumerate() {
            if self.halt.may_go_on().is_err() {
                return;
            }
            let later = &changes[place + 1..];
            let Some(change) = still_asked(permitted.get(), later) else { continue };
            let words = match self.kernel.lacking(&change) {
                Ok(lacking) => lacking.words(),
                // It went again meanwhile.
                Err(Error::Gone(_)) => continue,
                Err(error) => vec![format!("it can't be read back: {error}")],
            };
            if !words.is_empty() {
                let name = format!("{} came about", permitted.get());
                let words = words.join("; ");
                self.report.check(CheckResult::of_scenario(name, Verdict::Fail, words, None));
            }
        }
    }
}

/// A change without what later ones of the same batch ask otherwise; none where it asks for the
/// absence of something, which its undo knows, or where nothing is left of it.
fn still_asked(change: &Change, later: &[Permitted<Change>]) -> Option<Change> {
    let mut change = change.clone();
    match &mut change {
        Change::CreateLink { namespace, spec } => {
            let altered = altered(namespace, spec.name.as_str(), later);
            spec.settings.retain(|setting| !altered.contains(&discriminant(setting)));
        }
        Change::ChangeLink { link, settings } => {
            let altered = altered(&link.namespace, &link.name, later);
            settings.retain(|setting| !altered.contains(&discriminant(setting)));
        }
        Change::DeleteNamespace { .. }
        | Change::DeleteLink { .. }
        | Change::RemoveAddress { .. }
        | Change::RemoveRoute { .. }
        | Change::RemoveRule { .. }
        | Change::RemoveNeighbour { .. }
        | Change::RemoveEntry { .. }
        | Change::RemoveQdisc { .. }
        | Change::RemoveVlan { .. } => return None,
        Change::CreateNamespace { .. }
        | Change::SetNamespaceId { .. }
        | Change::MoveLink { .. }
        | Change::PutAddress { .. }
        | Change::PutRoute { .. }
        | Change::AddRule { .. }
        | Change::PutNeighbour { .. }
        | Change::PutEntry { .. }
        | Change::SetSysctl { .. }
        | Change::RestoreSysctls { .. }
        | Change::OrderAddresses { .. }
        | Change::PutQdisc { .. }
        | Change::PutVlan { .. }
        | Change::SetVlans { .. } => {}
    }
    Some(change)
}

fn altered(
    namespace: &NamespaceRef,
    name: &str,
    later: &[Permitted<Change>],
) -> Vec<Discriminant<Setting>> {
    let of = |change: &Permitted<Change>| match change.get() {
        Change::ChangeLink { link, settings }
            if link.name == name && link.namespace.name == namespace.name =>
        {
            settings.iter().map(discriminant).collect()
        }
        _ => Vec::new(),
    };
    later.iter().flat_map(of).collect()
}
