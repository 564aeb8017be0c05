//! No kernel at all: for while parameters are checked.

use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};

use super::{BatchError, Census, Error, Kernel, Lacking, LinkSight, NamespaceWatcher, SpaceSight};
use crate::change::{
    Answer, Applied, Change, Feature, LinkRef, Name, NamespaceRef, Query, Route, Undo,
};
use crate::kernel::Permitted;
use crate::records::Claim;

/// Answers everything with an error and opens nothing; but what a kernel may be built without is
/// noted, to be asked when there is one.
#[derive(Debug, Default)]
pub struct Absent {
    asked: Asked,
}

/// What was asked for, each once.
pub type Asked = Arc<Mutex<Vec<Feature>>>;

/// Kernels have no more that netwright knows; a recipe may ask for anything.
const MOST_FEATURES: usize = 64;

impl Absent {
    pub fn noting(asked: &Asked) -> Self {
        Self { asked: Arc::clone(asked) }
    }

    fn note(&self, feature: &Feature) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if asked.len() < MOST_FEATURES && !asked.contains(feature) {
            asked.push(feature.clone());
        }
    }
}

fn refusal() -> Error {
    Error::Unsupported("there is no network here to ask".to_owned())
}

impl Kernel for Absent {
    fn apply(&mut self, _: &Permitted<Change>) -> Result<Applied, Error> {
        Err(refusal())
    }

    fn apply_all(&mut self, _: &[Permitted<Change>]) -> Result<Vec<Applied>, BatchError> {
        Err(BatchError::new(0, refusal()))
    }

    fn foresee(&self, _: &[Permitted<Change>]) -> Vec<Undo> {
        Vec::new()
    }

    fn lacking(&self, _: &Change) -> Result<Lacking, Error> {
        Err(refusal())
    }

    fn claims(&self, _: &Permitted<Change>) -> Vec<Claim> {
        Vec::new()
    }

    fn revert(&mut self, _: &Undo) -> Result<(), Error> {
        Err(refusal())
    }

    fn query(&self, query: &Permitted<Query>) -> Result<Answer, Error> {
        match query.get() {
            Query::Offered(feature) => {
                self.note(feature);
                Ok(Answer::Offered)
            }
            _ => Err(refusal()),
        }
    }

    fn namespaces(&self) -> Vec<(Name, Arc<OwnedFd>)> {
        Vec::new()
    }

    fn watch_namespaces(&mut self, _: NamespaceWatcher) {}

    fn namespace_descriptor(&self, _: &NamespaceRef) -> Result<Arc<OwnedFd>, Error> {
        Err(refusal())
    }

    fn see_space(&self, _: &NamespaceRef) -> Result<SpaceSight, Error> {
        Err(refusal())
    }

    fn see_link(&self, _: &LinkRef) -> Result<LinkSight, Error> {
        Err(refusal())
    }

    fn hands_on(&self, _: &LinkRef) -> Result<bool, Error> {
        Ok(false)
    }

    fn carriers(&self, _: IpAddr, _: IpAddr) -> Result<Vec<LinkRef>, Error> {
        Ok(Vec::new())
    }

    fn ways(&self, _: IpAddr, _: IpAddr) -> Result<Vec<Route>, Error> {
        Ok(Vec::new())
    }

    fn differences(&self, _: &Undo) -> Vec<String> {
        Vec::new()
    }

    fn census(&self) -> Result<Census, Error> {
        Ok(Census::default())
    }

    fn remains(&self) -> Vec<String> {
        Vec::new()
    }
}
