//! Guesses what somebody meant.

pub(crate) use netwright_grants::nearest;
