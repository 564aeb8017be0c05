//! The links that a run has made, as its journal tells of them: what carries the run's mark and is none
//! of these, somebody else has given it.

use std::collections::HashSet;

use super::history::History;
use super::record::Record;
use crate::change::{Change, Kind, NamespaceRef, Setting};

/// By all that the journal says of them, also of those that are gone by its word.
#[derive(Debug, Clone, Default)]
pub struct MadeLinks {
    /// with their kinds, as the kernel calls those
    names: HashSet<(String, String)>,
    /// names that the run gave later
    renamed: HashSet<String>,
    /// by namespace and index
    places: HashSet<(NamespaceRef, u32)>,
}

impl MadeLinks {
    pub(super) fn take(&mut self, record: &Record) {
        match record {
            Record::Intent { change, .. } => self.intended(change),
            Record::Done { undo, .. } => {
                let links = undo.steps.iter().filter_map(Change::link);
                let places = links.filter_map(|link| Some((link.namespace.clone(), link.index?)));
                self.places.extend(places);
            }
            Record::Head(_)
            | Record::Attached(_)
            | Record::Namespace { .. }
            | Record::Failed { .. }
            | Record::Undone { .. }
            | Record::Claim(_)
            | Record::Kept(_)
            | Record::Confirmed
            | Record::Reopened { .. }
            | Record::GivenUp => {}
        }
    }

    fn intended(&mut self, change: &Change) {
        let mut rename = |settings: &[Setting]| {
            let names = settings.iter().filter_map(Setting::name);
            self.renamed.extend(names.map(str::to_owned));
        };
        if let Change::CreateLink { spec, .. } = change {
            rename(&spec.settings);
            let kind = kernels_word(spec.kind.word()).to_owned();
            if let Kind::Veth(veth) = &spec.kind {
                self.names.insert((kind.clone(), veth.peer.name.clone()));
            }
            self.names.insert((kind, spec.name.to_string()));
        } else if let Change::ChangeLink { settings, .. } = change {
            rename(settings);
        }
    }

    /// Whether one of them was to have that name.
    pub fn has_name(&self, name: &str) -> bool {
        self.renamed.contains(name) || self.names.iter().any(|(_, made)| is_called(made, name))
    }

    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Whether a link that carries the run's mark is one of them.
    pub fn has(&self, history: &History, place: u64, index: u32, name: &str, kind: &str) -> bool {
        let named = |(of, made): &(String, String)| of == kind && is_called(made, name);
        let at = |(namespace, made): &(NamespaceRef, u32)| {
            *made == index && history.place(namespace) == Some(place)
        };
        // One that was moved and renamed by somebody may have its index still.
        let moved = |(_, made): &(NamespaceRef, u32)| *made == index;
        let of_kind = || self.names.iter().any(|(of, _)| of == kind);
        self.names.iter().any(named)
            || self.renamed.contains(name)
            || self.places.iter().any(at)
            || (of_kind() && self.places.iter().any(moved))
    }
}

/// A tap is a tun to the kernel (tun_fill_info).
fn kernels_word(kind: &str) -> &str {
    if kind == "tap" { "tun" } else { kind }
}

/// Whether a link has a name, or the kernel put a number into it (dev_alloc_name).
fn is_called(made: &str, name: &str) -> bool {
    match made.split_once("%d") {
        None => made == name,
        Some((before, after)) => {
            let number = name.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
            number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
        }
    }
}
