//! What keeps the network from being as a change asks for.

use crate::change::Change;

/// How what is there differs from what a change asks for. Only what the change names is compared.
#[derive(Debug, Clone, PartialEq)]
pub enum Lacking {
    /// it is so already
    Nothing,
    /// what it would make is not there, or what it would remove is
    Everything,
    /// what is there differs, and these changes mend it in place
    Mendable { mends: Vec<Change>, words: Vec<String> },
    /// what is there differs and can't be changed: it has to be removed first
    Replacement { removal: Box<Change>, words: Vec<String> },
}

impl Lacking {
    /// What differs, in words; empty where it is as asked for.
    pub fn words(&self) -> Vec<String> {
        match self {
            Self::Nothing => Vec::new(),
            Self::Everything => vec!["nothing of it came about".to_owned()],
            Self::Mendable { words, .. } | Self::Replacement { words, .. } => words.clone(),
        }
    }

    pub(crate) fn unless(there: bool) -> Self {
        if there { Self::Nothing } else { Self::Everything }
    }
}
