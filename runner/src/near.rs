//! Guesses what somebody meant.

pub(crate) use netwright_network::text::nearest;

/// What to say to a word that is none of those that are known.
pub(crate) fn help(word: &str, known: &[&str], where_there_is_none: &str) -> String {
    match nearest(word, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => where_there_is_none.to_owned(),
        None => format!("there are: {}", known.join(", ")),
    }
}
