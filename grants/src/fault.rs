//! What is wrong with a grant, and where.

/// One thing that is wrong; `P` is how its source names places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault<P> {
    pub place: P,
    pub message: String,
    pub help: Option<String>,
}

/// The rule that a value breaks, before anybody knows where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Broken {
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

impl Broken {
    pub(crate) fn rule(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    pub(crate) fn with(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: Some(help.into()) }
    }

    pub(crate) fn at<P>(self, place: P) -> Fault<P> {
        Fault { place, message: self.message, help: self.help }
    }
}

/// What was probably meant, or else all that there is behind `otherwise`.
pub(crate) fn suggest<'a>(
    written: &str,
    known: impl Iterator<Item = &'a str> + Clone,
    otherwise: &str,
) -> String {
    match nearest(written, known.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("{otherwise} {}", known.collect::<Vec<_>>().join(", ")),
    }
}

/// The candidate nearest to what was written, if any is near enough to be a slip.
pub fn nearest<'a>(
    written: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    // Comparing costs the product of both lengths, and no known word is nearly as long.
    if written.len() > LONGEST_QUOTE {
        return None;
    }
    let allowed = 1 + written.chars().count() / 4;
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(written, candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Longer words are cut when they are shown.
const LONGEST_QUOTE: usize = 64;

/// Somebody's word in backticks: what could alter a terminal is escaped, and it is cut where it
/// is long.
pub(crate) fn quote(word: &str) -> String {
    let rest = if word.chars().count() > LONGEST_QUOTE { "…" } else { "" };
    let start: String = word.chars().take(LONGEST_QUOTE).collect();
    format!("`{}{rest}`", start.escape_debug())
}
