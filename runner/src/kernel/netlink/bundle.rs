//! Masters that take a port only while it is down, and set it up themselves: bonds and teams.

use std::sync::Arc;

use super::Netlink;
use super::explain::explain;
use super::find::reference;
use super::raw_link::{IFF_UP, RawLink};
use super::space::Space;
use crate::change::{Change, Setting};
use crate::kernel::Error;

impl Netlink {
    /// A port goes back into a bond or a team while it is down, before anything else of it.
    pub(super) fn carry_out_undoing(
        &self,
        change: &Change,
        (space, before): (&Arc<Space>, &RawLink),
        settings: &[Setting],
        inverse: &[Setting],
    ) -> Result<(), Error> {
        let full = reference(space, before);
        let lowered = self.lower_for_master(space, before, settings)?;
        let enslaves = |setting: &Setting| matches!(setting, Setting::Master(Some(_)));
        let (first, last): (Vec<_>, Vec<_>) = settings.iter().cloned().partition(enslaves);
        let parts = [first, last].into_iter().filter(|part| !part.is_empty());
        let done = parts
            .into_iter()
            .try_for_each(|part| self.carry_out_deaf(change, space, &full, &part, inverse));
        done.inspect_err(|_| {
            if lowered {
                self.put_back(space, &full, &[Setting::Up(true)]);
            }
        })
    }

    /// A link that is put back into a bond or a team has to be down for that; it goes up as their
    /// port, or as it was.
    fn lower_for_master(
        &self,
        space: &Space,
        link: &RawLink,
        settings: &[Setting],
    ) -> Result<bool, Error> {
        let master = settings.iter().find_map(|setting| match setting {
            Setting::Master(Some(master)) => space.link(master).ok().flatten(),
            _ => None,
        });
        let lowers = master.is_some_and(|master| {
            matches!(master.kind().as_str(), "bond" | "team") && link.master() != Some(master.index)
        });
        if !lowers || !link.has(IFF_UP) {
            return Ok(false);
        }
        let down = super::settings::requests(
            link.index,
            &|| Ok(link.clone()),
            &[Setting::Up(false)],
            &mut |_| Ok(0),
        )?;
        for request in down {
            space.execute(&request).map_err(|failure| explain(failure, &"link set down"))?;
        }
        Ok(true)
    }
}
