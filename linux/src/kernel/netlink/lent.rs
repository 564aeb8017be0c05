//! Links of others' that the run has moved: known by their index wherever they are and whatever they
//! are called meanwhile, brought home under their old name, and never deleted.

use std::sync::Arc;

use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::LinkAttribute;
use rtnetlink::LinkUnspec;

use super::Netlink;
use super::find::reference;
use super::raw_link::RawLink;
use super::recover::others;
use super::socket::{Failure, Refusal, Request};
use super::space::{Opened, Space};
use crate::change::{Change, LinkRef, NamespaceRef, Setting};
use crate::kernel::{Error, netns};
use crate::records::{History, borrowed_by};
use crate::text::help;

/// The least index of a link away from home: links that are made there don't come near.
const FIRST: u32 = 1 << 24;

/// A link that is away from home, by cookies and indexes.
#[derive(Debug, Clone)]
pub(super) struct Lent {
    /// where it was before the run moved it
    home: (u64, u32),
    /// what it was called there
    name: String,
    /// as it was there, where this run has moved it
    before: Option<RawLink>,
    at: (u64, u32),
}

/// The index that a link has away from home, known before it is moved: so that whoever finds it
/// there knows it by that.
pub(super) fn identity(home: (u64, u32)) -> u32 {
    let mixed = home.0.wrapping_mul(0x9e37_79b9).wrapping_add(u64::from(home.1));
    FIRST + (mixed % u64::from(FIRST)) as u32
}

/// Whether a link that was moved is one of others', by the index that it got there.
pub(super) fn is_of_lent(moved: &LinkRef) -> bool {
    moved.index.is_some_and(|index| index >= FIRST)
}

/// What a link is called on its way home, where its name is taken on the way.
fn passing(home: (u64, u32)) -> String {
    format!("nw{:x}", identity(home))
}

/// Moves a link, under an index if one is asked for.
pub(super) fn move_request(index: u32, target: &Space, new: Option<u32>) -> Request {
    let mut builder = LinkUnspec::new_with_index(index).setns_by_fd(target.raw_descriptor());
    if let Some(new) = new {
        builder = builder.append_extra_attribute(LinkAttribute::NewIfIndex(new as i32));
    }
    Request { message: RouteNetlinkMessage::SetLink(builder.build()), flags: 0 }
}

/// Moves a link home under its index, or under the one that it is known by away from home where
/// somebody has given its own to another link meanwhile.
fn execute_return(
    space: &Space,
    index: u32,
    target: &Space,
    home: (u64, u32),
) -> Result<(), Failure> {
    match space.execute(&move_request(index, target, Some(home.1))) {
        Err(Failure::Refused(Refusal { errno: libc::EBUSY, .. })) => {
            space.execute(&move_request(index, target, Some(identity(home))))
        }
        answer => answer,
    }
}

/// The index of a link that may have come home under another one than it had.
fn came_home(home: &Space, index: u32) -> u32 {
    let away = identity((home.cookie, index));
    if matches!(home.link_at(away), Ok(Some(_))) { away } else { index }
}

impl Netlink {
    /// The index that a link of others' gets in another namespace.
    pub(super) fn index_away(&self, at: (u64, u32), target: u64) -> u32 {
        let home = self.lent_at(at).map_or(at, |place| self.lent[place].home);
        if home.0 == target { home.1 } else { identity(home) }
    }

    /// Notes where a link of others' is now, and what it was called before the first move.
    pub(super) fn note_lent(&mut self, from: (u64, u32), before: RawLink, at: (u64, u32)) {
        match self.lent_at(from) {
            Some(place) if self.lent[place].home.0 == at.0 => drop(self.lent.remove(place)),
            Some(place) => self.lent[place].at = at,
            None => {
                let name = before.name.clone();
                self.lent.push(Lent { home: from, name, before: Some(before), at });
            }
        }
    }

    /// Whether a lent link is not what it was before the run moved it, or nobody knows.
    pub(super) fn is_altered(&self, link: &LinkRef) -> bool {
        let Ok((space, now)) = self.resolve(link) else { return false };
        let Some(place) = self.lent_at((space.cookie, now.index)) else { return false };
        self.lent[place].before.as_ref().is_none_or(|before| !before.is_set_like(&now))
    }

    /// Whether the link that had an index is away from there.
    pub(super) fn is_from(&self, space: &Space, index: u32) -> bool {
        self.lent.iter().any(|lent| lent.home == (space.cookie, index) && lent.at != lent.home)
    }

    fn lent_at(&self, at: (u64, u32)) -> Option<usize> {
        self.lent.iter().position(|lent| lent.at == at)
    }

    /// Whether a link was moved to where it is, and is somebody's still.
    pub(super) fn is_lent(&self, space: &Space, index: u32) -> bool {
        self.lent_at((space.cookie, index)).is_some()
    }

    /// The lent link that a reference means, wherever it is by now.
    pub(super) fn lent_by(&self, link: &LinkRef) -> Option<usize> {
        let place = |lent: &Lent| link.namespace.cookie.is_none_or(|cookie| cookie == lent.at.0);
        self.lent.iter().position(|lent| match link.index {
            Some(index) => index == identity(lent.home) || (place(lent) && index == lent.at.1),
            None => lent.name == link.name && link.namespace.cookie != Some(lent.home.0),
        })
    }

    /// Whether a lent link is elsewhere.
    pub(super) fn is_away(&self, place: usize, from: &Space) -> bool {
        self.lent[place].at.0 != from.cookie
    }

    /// Where a lent link is now.
    fn locate(&mut self, place: usize) -> Option<(Arc<Space>, RawLink)> {
        let lent = self.lent[place].clone();
        let found = self.search(&lent).or_else(|| self.search_elsewhere(&lent))?;
        self.lent[place].at = (found.0.cookie, found.1.index);
        Some(found)
    }

    fn search(&self, lent: &Lent) -> Option<(Arc<Space>, RawLink)> {
        let at = |space: &Arc<Space>, index| {
            let there = space.link_at(index).ok().flatten()?;
            let lent = !self.is_own(space, &there) || self.is_lent(space, index);
            lent.then(|| (Arc::clone(space), there))
        };
        let known = self.spaces.all().find(|space| space.cookie == lent.at.0);
        let known = known.and_then(|space| at(space, lent.at.1));
        known.or_else(|| self.spaces.all().find_map(|space| at(space, identity(lent.home))))
    }

    /// One that somebody has moved on to a namespace that the run doesn't know.
    fn search_elsewhere(&self, lent: &Lent) -> Option<(Arc<Space>, RawLink)> {
        let known = self.spaces.all().map(|space| space.cookie).collect();
        let index = identity(lent.home);
        let holds = |opened: Opened| {
            let ours = netns::is_ours(&opened.0).is_ok_and(|ours| ours);
            let space = ours.then(|| Space::foreign(None, opened))?;
            let there = space.link_at(index).ok().flatten()?;
            Some((Arc::new(space), there))
        };
        others(&known).find_map(|(_, opened)| holds(opened))
    }

    /// Where the links of others are that a run has moved which has ended.
    pub(super) fn know_lent(&mut self, history: &History) {
        for one in borrowed_by(history) {
            let index = one.index.unwrap_or_else(|| identity(one.home));
            let (name, at) = (one.name, (one.place, index));
            let lent = Lent { home: one.home, name, before: None, at };
            let found = self.search(&lent).or_else(|| self.search_at_home(&lent));
            // The journals of earlier versions don't say which index a link gets.
            let found = match one.index {
                Some(_) => found,
                None => found.or_else(|| self.search_by_name(&lent)),
            };
            if let Some((space, now)) = found.or_else(|| self.search_elsewhere(&lent)) {
                self.lent.push(Lent { at: (space.cookie, now.index), ..lent });
            }
        }
    }

    /// One that whoever brought it home could not give its name any more.
    fn search_at_home(&self, lent: &Lent) -> Option<(Arc<Space>, RawLink)> {
        let home = self.spaces.all().find(|home| home.cookie == lent.home.0)?;
        let there = home.link_at(lent.home.1).ok().flatten()?;
        (there.name == passing(lent.home)).then(|| (Arc::clone(home), there))
    }

    /// One whose index there nobody chose.
    fn search_by_name(&self, lent: &Lent) -> Option<(Arc<Space>, RawLink)> {
        let home = self.spaces.all().find(|home| home.cookie == lent.home.0);
        let there = home.and_then(|home| home.link_at(lent.home.1).ok().flatten());
        if there.is_some_and(|there| there.name == lent.name) {
            return None;
        }
        let space = self.spaces.all().find(|space| space.cookie == lent.at.0)?;
        let now = space.link(&lent.name).ok().flatten()?;
        (space.own && !self.is_own(space, &now)).then(|| (Arc::clone(space), now))
    }

    /// A step of an undo, where the lent link that it is about is by now. Its name comes back when
    /// it goes home.
    pub(super) fn as_it_is(&self, step: &Change) -> Change {
        let mut step = step.clone();
        if let Change::ChangeLink { link, settings } = &mut step
            && let Some(place) = self.lent_by(link)
        {
            let at = self.lent[place].at;
            settings.retain(|setting| !matches!(setting, Setting::Name(_)));
            if let Some(space) = self.spaces.all().find(|space| space.cookie == at.0) {
                link.namespace = space.reference();
                link.index = Some(at.1);
            }
        }
        step
    }

    /// A step of an undo, for the index that its link has by now: one that came home under that of
    /// its time away, by this or by somebody's hand, is still the link that the step means.
    pub(super) fn followed(&self, step: &Change) -> Change {
        let mut step = step.clone();
        if self.host.is_none() {
            return step;
        }
        if let Change::RestoreSysctls { namespace, settings } = &mut step
            && let Ok(space) = self.spaces.find(namespace)
        {
            for link in settings.iter_mut().filter_map(|setting| setting.link.as_mut()) {
                *link = came_home(&space, *link);
            }
        }
        if let Some(link) = step.link_mut()
            && let Some(index) = &mut link.index
            && let Ok(space) = self.spaces.find(&link.namespace)
        {
            *index = came_home(&space, *index);
        }
        step
    }

    /// Whether the link that a namespace has by the name of one that went home is that one.
    pub(super) fn is_returned(&self, link: &LinkRef, home: &Space) -> bool {
        let Ok(Some(there)) = home.link(&link.name) else { return false };
        link.index.is_some_and(|index| {
            there.index == index || identity((home.cookie, there.index)) == index
        })
    }

    /// Takes the move of a lent link back.
    pub(super) fn move_lent_back(
        &mut self,
        step: &Change,
        place: usize,
        to: &NamespaceRef,
    ) -> Result<(), Error> {
        let target = self.spaces.find(to)?;
        if self.lent[place].home.0 == target.cookie {
            return self.bring_home(place);
        }
        let Some((space, now)) = self.locate(place) else { return Ok(()) };
        if space.cookie == target.cookie {
            return Ok(());
        }
        self.move_link(step, &reference(&space, &now), &target.reference(), true).map(drop)
    }

    /// Brings all of a namespace home.
    pub(super) fn bring_all_home(&mut self, space: &Space) -> Result<(), Error> {
        while let Some(place) = self.lent.iter().position(|lent| lent.at.0 == space.cookie) {
            self.bring_home(place).map_err(|error| {
                Error::Invalid(format!(
                    "{} stays, for it holds a link of others': {error}",
                    space.shown()
                ))
            })?;
        }
        Ok(())
    }

    /// Brings a lent link home, under its old name and index, whatever it is called by now.
    fn bring_home(&mut self, place: usize) -> Result<(), Error> {
        let Lent { home, name, .. } = self.lent[place].clone();
        let Some((space, now)) = self.locate(place) else {
            // Whether it is home already is read back.
            self.lent.remove(place);
            return Ok(());
        };
        let shown = name.escape_debug();
        let Some(target) = self.spaces.all().find(|space| space.cookie == home.0).cloned() else {
            return Err(Error::Invalid(format!(
                "link `{shown}` can't go back: the namespace that it came from isn't found"
            )));
        };
        let taken = target.link(&name).ok().flatten();
        if taken.is_some_and(|there| target.cookie != space.cookie || there.index != now.index) {
            return Err(Error::Invalid(format!(
                "link `{shown}` can't go back: {} has another link of that name by now{}",
                target.shown(),
                help("rename that one, and take this back again")
            )));
        }
        let refused = |failure: Failure| {
            super::explain::explain(
                failure,
                &format_args!("link set {shown} netns {}", target.shown()),
            )
        };
        let passing = passing(home);
        if target.cookie != space.cookie {
            self.check_objects_of(&space, &now)?;
            // What has its name there must not be in its way here.
            self.rename(&space, &now, &name)
                .or_else(|_| self.rename(&space, &now, &passing))
                .map_err(refused)?;
            execute_return(&space, now.index, &target, home).map_err(refused)?;
        }
        let arrived = |name: &str| target.link(name).ok().flatten();
        if let Some(there) =
            arrived(&name).or_else(|| arrived(&passing)).or_else(|| arrived(&now.name))
        {
            self.rename(&target, &there, &name).map_err(refused)?;
        }
        self.lent.remove(place);
        Ok(())
    }

    fn rename(&self, space: &Space, link: &RawLink, name: &str) -> Result<(), Failure> {
        let now = space.link_at(link.index)?;
        if now.is_none_or(|now| now.name == name) {
            return Ok(());
        }
        // Not all kernels rename what is up.
        let down = LinkUnspec::new_with_index(link.index).down().build();
        let named = LinkUnspec::new_with_index(link.index).name(name.to_owned()).build();
        [down, named].into_iter().try_for_each(|message| {
            space.execute(&Request { message: RouteNetlinkMessage::SetLink(message), flags: 0 })
        })
    }

    /// Whether this run may delete a link: it has made it, and the link carries its mark. In a lab
    /// all are the run's.
    pub(super) fn may_delete(&self, space: &Space, link: &RawLink) -> bool {
        let Some(host) = &self.host else { return true };
        self.is_own(space, link)
            && link.group() == host.mark.group()
            && !self.is_lent(space, link.index)
    }
}
