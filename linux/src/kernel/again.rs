//! What could not be taken back at its turn: changes build on each other, and what a step needs may
//! come back only with an earlier change. It is tried again once those are taken back, until nothing
//! more succeeds.

use std::mem::{discriminant, take};

use super::{Error, Kernel};
use crate::change::{Change, Options, Route, Setting, Undo};

/// What came of taking a change back that is not wholly back.
#[derive(Debug)]
pub struct Unfinished {
    /// what the kernel said
    pub error: Option<Error>,
    /// what is not as it should be
    pub differences: Vec<String>,
    /// what there is to try again; none where nobody can tell
    rest: Undo,
}

impl Unfinished {
    /// The first reason, for who can tell of one.
    pub fn into_error(self) -> Error {
        self.error.unwrap_or_else(|| Error::Invalid(self.differences.join("; ")))
    }

    /// All of them.
    pub fn shown(&self) -> String {
        let error = self.error.as_ref().map(ToString::to_string);
        let all: Vec<String> = self.differences.iter().cloned().chain(error).collect();
        all.join("; ")
    }
}

/// Takes a change back, and looks whether it is.
pub fn take_back<K: Kernel + ?Sized>(kernel: &mut K, undo: &Undo) -> Result<(), Unfinished> {
    let error = kernel.revert(undo).err();
    let differences = kernel.differences(undo);
    if error.is_none() && differences.is_empty() {
        return Ok(());
    }
    let rest = kernel.unfinished(undo);
    Err(Unfinished { error, differences, rest })
}

/// The changes that are not wholly back, newest first, and the undo of each that had its turn since.
#[derive(Debug)]
pub struct Late<T> {
    left: Vec<Waiting<T>>,
    since: Vec<Undo>,
    /// all that had their turn and put settings back
    settings: Vec<Undo>,
}

#[derive(Debug)]
struct Waiting<T> {
    what: T,
    failed: Unfinished,
    /// how many had their turn before it, of those that are known
    from: usize,
}

impl<T> Default for Late<T> {
    fn default() -> Self {
        Self { left: Vec::new(), since: Vec::new(), settings: Vec::new() }
    }
}

impl<T> Late<T> {
    pub fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    /// Notes a change that had its turn.
    pub fn note(&mut self, undo: &Undo) {
        if !self.left.is_empty() {
            self.since.push(undo.clone());
        }
        let sets = |step: &Change| {
            matches!(step, Change::ChangeLink { .. } | Change::RestoreSysctls { .. })
        };
        if undo.steps.iter().any(sets) {
            self.settings.push(undo.clone());
        }
    }

    /// The undos that had their turn and put settings back.
    pub fn settings(&self) -> &[Undo] {
        &self.settings
    }

    /// One that is not wholly back; it was noted.
    pub fn add(&mut self, what: T, failed: Unfinished) {
        self.left.push(Waiting { what, failed, from: self.since.len() });
    }

    /// Tries all of them again for as long as that brings anything about. Answers with those that are
    /// back.
    pub fn try_again<K: Kernel + ?Sized>(&mut self, kernel: &mut K) -> Vec<T> {
        let mut back = Vec::new();
        loop {
            let before = self.size();
            for mut waiting in take(&mut self.left) {
                let since = self.since[waiting.from..].iter();
                let rest = undecided(&waiting.failed.rest, since);
                // Of one without a rest nobody knows what to try.
                if waiting.failed.rest.steps.is_empty() {
                    self.left.push(waiting);
                    continue;
                }
                match take_back(kernel, &rest) {
                    Ok(()) => back.push(waiting.what),
                    Err(failed) => {
                        waiting.failed = failed;
                        self.left.push(waiting);
                    }
                }
            }
            if self.left.is_empty() || self.size() == before {
                return back;
            }
        }
    }

    /// How much there is to try.
    fn size(&self) -> (usize, usize) {
        let steps = self.left.iter().map(|waiting| waiting.failed.rest.steps.len()).sum();
        (self.left.len(), steps)
    }

    /// Those that can't be taken back, and why.
    pub fn into_left(self) -> impl Iterator<Item = (T, Unfinished)> {
        self.left.into_iter().map(|waiting| (waiting.what, waiting.failed))
    }
}

/// An undo without what the undos of older changes, which had their turn already, have put where it
/// was before: to put it where it was between them would be wrong.
pub fn undecided<'a>(undo: &Undo, older: impl Iterator<Item = &'a Undo> + Clone) -> Undo {
    let steps = undo.steps.iter().filter_map(|step| {
        let mut step = step.clone();
        for other in older.clone().flat_map(|undo| &undo.steps) {
            if decides(other, &mut step) {
                return None;
            }
        }
        Some(step)
    });
    Undo { steps: steps.collect() }
}

/// Whether an older change's step has the last word about what another one is about, or about the
/// rest of it.
fn decides(older: &Change, step: &mut Change) -> bool {
    match (older, step) {
        (
            Change::ChangeLink { link: other, settings: decided },
            Change::ChangeLink { link, settings },
        ) if other.is_same(link) => {
            let some = !settings.is_empty();
            decided.iter().for_each(|decided| forget(settings, decided));
            some && settings.is_empty()
        }
        (
            Change::RestoreSysctls { namespace: other, settings: decided },
            Change::RestoreSysctls { namespace, settings },
        ) if other.is_same(namespace) => {
            let some = !settings.is_empty();
            settings.retain(|one| {
                !decided.iter().any(|other| (&other.key, other.link) == (&one.key, one.link))
            });
            some && settings.is_empty()
        }
        (
            Change::SetSysctl { namespace: other, key: decided, .. },
            Change::SetSysctl { namespace, key, .. },
        ) => other.is_same(namespace) && decided == key,
        (
            Change::RemoveAddress { link: other, prefix: removed, .. },
            Change::PutAddress { link, address, .. },
        ) => other.is_same(link) && *removed == address.prefix,
        (Change::OrderAddresses { link: other, .. }, Change::OrderAddresses { link, .. })
        | (
            Change::PutQdisc { link: other, .. } | Change::RemoveQdisc { link: other },
            Change::PutQdisc { link, .. } | Change::RemoveQdisc { link },
        )
        | (Change::SetVlans { link: other, .. }, Change::SetVlans { link, .. }) => {
            other.is_same(link)
        }
        // A link that is home is where it was before all moves.
        (Change::MoveLink { link: other, .. }, Change::MoveLink { link, .. }) => {
            other.index.is_some() && other.index == link.index
        }
        (
            Change::RemoveRoute { namespace: other, route: removed },
            Change::PutRoute { namespace, route, .. },
        ) => other.is_same(namespace) && is_same_route(removed, route),
        (
            Change::RemoveRule { namespace: other, rule: removed },
            Change::AddRule { namespace, rule },
        ) => other.is_same(namespace) && removed == rule,
        (
            Change::RemoveNeighbour { link: other, address, proxy, .. },
            Change::PutNeighbour { link, neighbour, .. },
        ) => other.is_same(link) && (*address, *proxy) == (neighbour.address, neighbour.proxy),
        (
            Change::RemoveEntry { link: other, entry: removed },
            Change::PutEntry { link, entry, .. },
        ) => other.is_same(link) && removed == entry,
        _ => false,
    }
}

/// Takes out of settings what another one sets.
fn forget(settings: &mut Vec<Setting>, decided: &Setting) {
    let named = |given: &Options, name: &str| given.options.iter().any(|one| one.name == name);
    for setting in settings.iter_mut() {
        if let (Setting::Options(given), Setting::Options(decided)) = (setting, decided)
            && given.kind == decided.kind
        {
            given.options.retain(|one| !named(decided, &one.name));
        }
    }
    settings.retain(|setting| match (setting, decided) {
        (Setting::Options(given), _) => !given.options.is_empty(),
        (Setting::Other(one), Setting::Other(decided)) => one.name != decided.name,
        (Setting::Macvlan(_), _) => true,
        _ => discriminant(setting) != discriminant(decided),
    });
}

/// By what the kernel knows it.
fn is_same_route(one: &Route, other: &Route) -> bool {
    let hops = |route: &Route| {
        let hops = route.next_hops.iter().map(|hop| (hop.gateway, hop.link.clone()));
        hops.collect::<Vec<_>>()
    };
    let key = |route: &Route| {
        let destination = route.destination.filter(|prefix| prefix.length > 0);
        (route.family, route.kind, destination, route.table(), route.metric, route.type_of_service)
    };
    key(one) == key(other) && hops(one) == hops(other)
}

#[cfg(test)]
mod tests {
    use super::undecided;
    use crate::change::{Change, LinkRef, NamespaceRef, Setting, Undo};

    fn set(index: u32, settings: Vec<Setting>) -> Undo {
        let namespace = NamespaceRef::named(None);
        let link = LinkRef { namespace, name: format!("eth{index}"), index: Some(index) };
        Undo { steps: vec![Change::ChangeLink { link, settings }] }
    }

    #[test]
    fn what_an_older_change_has_put_back_stays_so() {
        let newer = set(1, vec![Setting::Mtu(1400), Setting::Up(true)]);
        let older = [set(1, vec![Setting::Mtu(1500)]), set(2, vec![Setting::Up(false)])];
        assert_eq!(undecided(&newer, older.iter()), set(1, vec![Setting::Up(true)]));
        assert_eq!(undecided(&newer, older[1..].iter()), newer);
        let all = [set(1, vec![Setting::Mtu(1500), Setting::Up(false)])];
        assert!(undecided(&newer, all.iter()).steps.is_empty());
    }
}
