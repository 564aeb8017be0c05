//! A link of others' that the run uses is known by its index; one that got the index after it was
//! deleted is another, told by what a link keeps.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::Netlink;
use super::raw_link::RawLink;
use super::space::Space;
use crate::change::{Change, MacAddress, Setting};
use crate::records::{Claimed, History, Nature};

/// By the namespace's cookie and the index, all that a link was called and was.
#[derive(Debug, Default)]
pub(super) struct Borrowed(Mutex<HashMap<(u64, u32), Known>>);

#[derive(Debug, Default)]
struct Known {
    names: Vec<String>,
    natures: Vec<Nature>,
    /// that the run has given it
    macs: Vec<MacAddress>,
}

impl Known {
    fn seen(&mut self, name: &str, nature: Nature) {
        if !self.names.iter().any(|known| known == name) {
            self.names.push(name.to_owned());
        }
        if !self.natures.contains(&nature) {
            self.natures.push(nature);
        }
    }

    /// What the run gives it.
    fn given(&mut self, settings: &[Setting]) {
        for setting in settings {
            if let Setting::Mac(mac) = setting {
                self.macs.push(*mac);
            }
            self.names.extend(setting.name().map(str::to_owned));
        }
    }

    fn is(&self, link: &RawLink) -> bool {
        let now = nature(link);
        self.natures.iter().any(|known| {
            let mac = || {
                self.names.contains(&link.name)
                    || known.mac == now.mac
                    || now.mac.is_some_and(|mac| self.macs.contains(&mac))
            };
            known.kind == now.kind
                && match (known.permanent, now.permanent) {
                    (Some(known), Some(now)) => known == now,
                    (None, _) | (_, None) => mac(),
                }
        })
    }
}

/// What a link keeps.
pub(super) fn nature(link: &RawLink) -> Nature {
    Nature { kind: link.kind(), permanent: link.permanent_mac(), mac: link.mac() }
}

impl Netlink {
    /// Notes a link of others' as it is before the run uses it.
    pub(super) fn note_borrowed(&self, space: &Space, link: &RawLink, change: &Change) {
        self.know(|known| {
            let known = known.entry((space.cookie, link.index)).or_default();
            known.seen(&link.name, nature(link));
            if let Change::ChangeLink { settings, .. } = change {
                known.given(settings);
            }
        });
    }

    /// The same of a run that has ended.
    pub(super) fn know_borrowed(&self, history: &History) {
        self.know(|all| {
            for claim in &history.claims {
                if let Claimed::Link { cookie, index, name, nature: Some(nature) } = &claim.what {
                    let known = all.entry((*cookie, *index)).or_default();
                    known.seen(name, nature.clone());
                }
            }
            for entry in &history.entries {
                let Change::ChangeLink { link, settings } = &entry.change else { continue };
                let place = history.place(&link.namespace).zip(link.index);
                let Some(known) = place.and_then(|place| all.get_mut(&place)) else { continue };
                known.given(settings);
            }
        });
    }

    /// Whether a link has the index of one of others' that the run used, and is another.
    pub(super) fn is_lookalike(&self, space: &Space, link: &RawLink) -> bool {
        let mut is = false;
        self.know(|known| {
            let there = known.get(&(space.cookie, link.index));
            is = there.is_some_and(|known| !known.is(link));
        });
        is
    }

    fn know(&self, work: impl FnOnce(&mut HashMap<(u64, u32), Known>)) {
        if let Some(host) = &self.host {
            work(&mut host.borrowed.0.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }
}
