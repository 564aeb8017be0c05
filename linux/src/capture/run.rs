//! The captures of one run: those that its scenario wants from the start, and those of its recipes
//! and checks.

use std::fmt;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use netwright_frames::Filter;

use super::{Capture, Counted, Of, Room};
use crate::change::Name;
use crate::kernel::{Error, NamespaceWatcher};

/// Each has a thread of its own.
const MOST_AT_A_TIME: usize = 64;

/// A link by name, which may not be there yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// none is the run's root namespace
    pub namespace: Option<Name>,
    pub link: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.link)?;
        self.namespace.as_ref().map_or(Ok(()), |namespace| write!(f, " in {namespace}"))
    }
}

/// A capture that nobody else will end.
pub type Taken = (Place, Arc<Capture>);

/// A capture, and which link's it is.
#[derive(Debug)]
struct Labelled {
    place: Place,
    capture: Capture,
}

/// What the scenario wants captured, and what of it has begun.
#[derive(Debug, Default)]
struct OfScenario {
    wanted: Vec<(Place, Option<u32>)>,
    begun: Vec<Labelled>,
    failed: Vec<(Place, Error)>,
}

impl OfScenario {
    /// Begins with all that is wanted in a namespace.
    fn begin(&mut self, namespace: Option<&Name>, descriptor: &OwnedFd, room: &Arc<Room>) {
        for (place, snap_length) in &self.wanted {
            if place.namespace.as_ref() != namespace {
                continue;
            }
            let of = Of::Name(place.link.clone());
            match Capture::start(descriptor, of, *snap_length, room) {
                Ok(capture) => self.begun.push(Labelled { place: place.clone(), capture }),
                Err(error) => self.failed.push((place.clone(), error)),
            }
        }
    }
}

/// All captures of a run, and the memory that they share.
#[derive(Debug)]
pub struct Captures {
    room: Arc<Room>,
    of_scenario: Arc<Mutex<OfScenario>>,
    others: Vec<Option<Taken>>,
    /// the one of the check that is being made, among the others
    of_check: Option<usize>,
}

impl Captures {
    /// None yet; frames may take so many bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            room: Room::new(limit),
            of_scenario: Arc::default(),
            others: Vec::new(),
            of_check: None,
        }
    }

    fn of_scenario(&self) -> MutexGuard<'_, OfScenario> {
        self.of_scenario.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Captures these links, each with its snap length, from before their first frame on: in the
    /// root namespace now, in others when they are made, as the watcher hears.
    pub fn want(&mut self, wanted: Vec<(Place, Option<u32>)>, root: &OwnedFd) -> NamespaceWatcher {
        let shared = Arc::clone(&self.of_scenario);
        let room = Arc::clone(&self.room);
        let mut of_scenario = self.of_scenario();
        of_scenario.wanted = wanted;
        of_scenario.begin(None, root, &room);
        NamespaceWatcher(Box::new(move |name, descriptor| {
            let mut of_scenario = shared.lock().unwrap_or_else(PoisonError::into_inner);
            of_scenario.begin(Some(name), descriptor, &room);
        }))
    }

    /// Ends what is captured in a namespace that is deleted: it would hold the namespace.
    pub fn end_in(&mut self, namespace: &Name) {
        for each in &mut self.of_scenario().begun {
            if each.place.namespace.as_ref() == Some(namespace) {
                each.capture.end();
            }
        }
    }

    /// Of the frames of a link since the start of the run: how many the filter means, how many of
    /// them `every` doesn't mean, and what isn't known. None where nothing of it is captured.
    ///
    /// # Errors
    /// That of a capture which could not begin.
    pub fn count(
        &self,
        place: &Place,
        filter: &Filter,
        every: &Filter,
    ) -> Result<Option<Counted>, Error> {
        let of_scenario = self.of_scenario();
        if let Some((_, error)) = of_scenario.failed.iter().find(|(failed, _)| failed == place) {
            return Err(error.clone());
        }
        let of_link = of_scenario.begun.iter().filter(|each| each.place == *place);
        Ok(of_link
            .map(|Labelled { capture, .. }| capture.count(filter, every))
            .reduce(Counted::plus))
    }

    /// Starts one for a recipe or check; it is known by its number until it is saved.
    ///
    /// # Errors
    /// As those of [`Capture::start`]; Limit where too many go on already.
    pub fn start(
        &mut self,
        namespace: &OwnedFd,
        place: Place,
        index: u32,
        snap_length: Option<u32>,
    ) -> Result<(usize, Arc<Capture>), Error> {
        if self.others.iter().flatten().count() >= MOST_AT_A_TIME {
            return Err(Error::Limit(format!("{MOST_AT_A_TIME} captures at a time")));
        }
        let capture = Capture::start(namespace, Of::Index(index), snap_length, &self.room)?;
        let capture = Arc::new(capture);
        self.others.push(Some((place, Arc::clone(&capture))));
        Ok((self.others.len() - 1, capture))
    }

    /// Starts the one of a check; its last attempt's is forgotten.
    ///
    /// # Errors
    /// As those of [`Captures::start`].
    pub fn start_of_check(
        &mut self,
        namespace: &OwnedFd,
        place: Place,
        index: u32,
    ) -> Result<usize, Error> {
        self.take_of_check();
        let (number, _) = self.start(namespace, place, index, None)?;
        self.of_check = Some(number);
        Ok(number)
    }

    /// The capture of the check that is being made.
    pub fn of_check(&self, number: usize) -> Option<&Capture> {
        self.others.get(number)?.as_ref().map(|(_, capture)| &**capture)
    }

    /// Gives it away.
    pub fn take_of_check(&mut self) -> Option<Taken> {
        self.of_check.take().and_then(|number| self.take(number))
    }

    /// Gives one away, to be looked at for the last time.
    pub fn take(&mut self, number: usize) -> Option<Taken> {
        self.others.get_mut(number).and_then(Option::take)
    }

    /// Gives all away: the scenario's that have begun, then the others; and those that could not
    /// begin.
    pub fn take_all(&mut self) -> (Vec<Taken>, Vec<(Place, Error)>) {
        let OfScenario { begun, failed, .. } = std::mem::take(&mut *self.of_scenario());
        let mut all: Vec<_> =
            begun.into_iter().map(|each| (each.place, Arc::new(each.capture))).collect();
        all.extend(self.others.drain(..).flatten());
        (all, failed)
    }
}
