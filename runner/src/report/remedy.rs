//! Which remedies are the program's own: a recipe passes on what the host told it, and may write
//! something of the same form itself.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// How a remedy begins, on a line of its own.
const HELP: &str = "  help: ";
/// Others than the first are told as the recipe's.
const MOST: usize = 1000;

static TOLD: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Remembers the remedies of a message that goes to a recipe, or comes from a process of ours.
pub(crate) fn vouch_for(message: &str) {
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    for line in message.lines().filter(|line| line.starts_with(HELP)) {
        if told.len() < MOST {
            told.insert(line.to_owned());
        }
    }
}

/// Whether the program itself said it.
pub(crate) fn is_vouched_for(line: &str) -> bool {
    line.starts_with(HELP) && TOLD.lock().unwrap_or_else(PoisonError::into_inner).contains(line)
}
