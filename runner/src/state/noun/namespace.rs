//! Namespaces: a name is all that there is of one.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Facts, Found, Noun, Object, Reader, place};
use crate::change::Word;
use crate::kernel::Error;
use crate::state::repair::{Mend, Mending};
use crate::state::{Asked, NamespaceState, State};

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Namespace {
    pub namespace: String,
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "namespace {}", Word(&self.namespace))
    }
}

impl Noun for Namespace {
    /// Whoever reads it has its name.
    fn read(_: &Reader<'_>, _: &mut NamespaceState) -> Result<(), Error> {
        Ok(())
    }

    fn find(of: &NamespaceState, _: &Asked, _: &State, found: &mut Found) {
        let namespace = place(of.name.as_ref());
        if !namespace.is_empty() {
            found.insert(Object::Namespace(Self { namespace }), Facts::new());
        }
    }

    fn holders(&self) -> Vec<Object> {
        Vec::new()
    }

    fn untold(&self) -> Option<Facts> {
        None
    }

    /// It has to be made, with all that is in it.
    fn mend(&self, _: &Mending<'_>) -> Option<Mend> {
        None
    }

    /// It goes with nothing else's going.
    fn is_touched(&self, _: &Asked, _: &State) -> bool {
        true
    }

    fn is_theirs(&self) -> bool {
        false
    }
}
