//! Links that a run makes in namespaces of others learn nothing by themselves.
//!
//! Whoever sends into a link is heard by the namespace that the link is in: a router advertisement
//! gives it a default route, an address and a prefix, a redirect another way to a station. So what
//! a run makes in a namespace that isn't its own stays down until such things are off; a grant of
//! addresses or routes is the only way to them. A lab hears whom it likes.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::Netlink;
use super::explain::explain;
use super::narrow::LEAST_IPV6;
use super::raw_link::{IFF_UP, RawLink};
use super::space::Space;
use crate::change::{Change, Setting};
use crate::kernel::Error;
use crate::text::help;

/// A setting of a link that lets others tell its namespace something.
struct Learning {
    family: &'static str,
    name: &'static str,
    /// its place in what a link says of itself: DEVCONF_ of linux/ipv6.h, IPV4_DEVCONF_ of
    /// linux/ip.h less one
    place: usize,
}

const fn learning(family: &'static str, name: &'static str, place: usize) -> Learning {
    Learning { family, name, place }
}

/// All are off by 0, on a host that forwards as well (accept_ra=2).
const LEARNED: [Learning; 5] = [
    learning("ipv6", "accept_ra", 3),
    learning("ipv6", "accept_redirects", 4),
    learning("ipv6", "autoconf", 5),
    learning("ipv4", "accept_redirects", 3),
    learning("ipv4", "accept_source_route", 8),
];

/// Settings that the operator let somebody choose, by namespace's cookie and file: those stay.
pub(super) type Chosen = Mutex<HashSet<(u64, PathBuf)>>;

impl Learning {
    fn file(&self, link: &str) -> PathBuf {
        Path::new("/proc/sys/net").join(self.family).join("conf").join(link).join(self.name)
    }

    /// Whether a link would heed it; a link without the family has nothing to heed.
    fn is_on(&self, link: &RawLink) -> bool {
        let value = match self.family {
            "ipv6" => link.inet6_setting(self.place),
            _ => link.inet_setting(self.place),
        };
        value.is_some_and(|value| value != 0)
    }
}

impl Netlink {
    /// Whether what this run makes in a namespace has to be deaf there.
    pub(super) fn guards(&self, space: &Space) -> bool {
        self.host.is_some() && !space.own
    }

    /// Turns off what a link of the run's own would learn. Before it is up.
    pub(super) fn guard(&self, space: &Arc<Space>, index: u32) -> Result<(), Error> {
        if !self.guards(space) {
            return Ok(());
        }
        let link = self.seen_at(space, index)?;
        let open = |link: &RawLink| -> Vec<PathBuf> {
            let on = LEARNED.iter().filter(|setting| setting.is_on(link));
            on.map(|setting| setting.file(&link.name))
                .filter(|file| !self.was_chosen(space, file))
                .collect()
        };
        let files = open(&link);
        if files.is_empty() {
            return Ok(());
        }
        let shown = link.name.escape_debug().to_string();
        let written = space.within(|| files.iter().try_for_each(|file| write_off(file)));
        written.map_err(|error| unguarded(&shown, space, &error))?;
        // By index this time, for a name may have gone to another link meanwhile.
        match open(&self.seen_at(space, index)?).first() {
            None => Ok(()),
            Some(file) => {
                let error = io::Error::other(format!("{} keeps its value", file.display()));
                Err(unguarded(&shown, space, &error))
            }
        }
    }

    fn seen_at(&self, space: &Arc<Space>, index: u32) -> Result<RawLink, Error> {
        let found = space.link_at(index).map_err(|failure| explain(failure, &"link show"))?;
        found.ok_or_else(|| Error::Gone(format!("link {index} of {}", space.shown())))
    }

    /// The same for all that the run has made, after changes that may reach other links: the kernel
    /// gives a link its IPv6 anew when its MTU grows, and a bridge's grows with its ports.
    pub(super) fn guard_after(&self, changes: &[&Change]) -> Result<(), Error> {
        if self.host.is_none() || !changes.iter().any(|change| reaches_others(change)) {
            return Ok(());
        }
        for space in self.foreign_spaces() {
            let links = space.links().map_err(|failure| explain(failure, &"link show"))?;
            let own = links.iter().filter(|link| self.is_own(space, link));
            let heeds = |link: &&RawLink| LEARNED.iter().any(|setting| setting.is_on(link));
            own.filter(heeds).try_for_each(|link| self.guard(space, link.index))?;
        }
        Ok(())
    }

    /// Refuses to give IPv6 to a link that is up: there would be a moment in which it learns.
    pub(super) fn check_deaf(
        &self,
        space: &Arc<Space>,
        link: &RawLink,
        settings: &[Setting],
    ) -> Result<(), Error> {
        let grows = link.mtu() < LEAST_IPV6
            && super::settings::mtu(settings).is_some_and(|mtu| mtu >= LEAST_IPV6);
        if !grows || !link.has(IFF_UP) || !self.guards(space) || !self.is_own(space, link) {
            return Ok(());
        }
        let name = link.name.escape_debug();
        Err(Error::Invalid(format!(
            "mtu of `{name}` is {}, below the {LEAST_IPV6} of IPv6: in {} it can't get IPv6 while it is up, for it would heed router advertisements until that is off{}",
            link.mtu(),
            space.shown(),
            help(format!("set `{name}` down first, and up again afterwards")),
        )))
    }

    /// Notes a setting that a grant let somebody choose.
    pub(super) fn note_chosen(&self, space: &Space, file: PathBuf) {
        if let Some(host) = &self.host {
            let mut chosen = host.chosen.lock().unwrap_or_else(PoisonError::into_inner);
            chosen.insert((space.cookie, file));
        }
    }

    fn was_chosen(&self, space: &Space, file: &Path) -> bool {
        let Some(host) = &self.host else { return false };
        let chosen = host.chosen.lock().unwrap_or_else(PoisonError::into_inner);
        chosen.contains(&(space.cookie, file.to_owned()))
    }
}

/// Whether a change can alter the MTU of links that it doesn't name.
fn reaches_others(change: &Change) -> bool {
    if let Change::ChangeLink { settings, .. } = change {
        let reaches = |one: &Setting| matches!(one, Setting::Mtu(_) | Setting::Master(_));
        return settings.iter().any(reaches);
    }
    matches!(
        change,
        Change::DeleteLink { .. } | Change::MoveLink { .. } | Change::DeleteNamespace { .. }
    )
}

/// A file that isn't there is of a link that lost the family since it was looked at.
fn write_off(file: &Path) -> io::Result<()> {
    match fs::write(file, "0") {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(io::Error::new(error.kind(), format!("{}: {error}", file.display()))),
        Ok(()) => Ok(()),
    }
}

fn unguarded(link: &str, space: &Space, error: &io::Error) -> Error {
    Error::Unsupported(format!(
        "`{link}` can't be kept from heeding router advertisements and redirects in {}: {error}{}",
        space.shown(),
        help("/proc/sys/net must be writable where netwright runs")
    ))
}
