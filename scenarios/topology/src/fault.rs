//! What is wrong with a parameter, and where in it.

use std::borrow::Cow;

/// A place in the recipe's parameters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// empty where it is all of them
    pub parameter: Cow<'static, str>,
    /// RFC 6901
    pub pointer: String,
}

impl Place {
    /// All parameters together.
    pub fn everywhere() -> Self {
        Self { parameter: Cow::Borrowed(""), pointer: String::new() }
    }

    /// One step further in.
    pub fn step(&self, step: &str) -> Self {
        if self.parameter.is_empty() {
            return Self { parameter: Cow::Owned(step.to_owned()), pointer: String::new() };
        }
        let step = step.replace('~', "~0").replace('/', "~1");
        Self { parameter: self.parameter.clone(), pointer: format!("{}/{step}", self.pointer) }
    }

    /// As a person would say it: item 3 of `links`.
    pub fn item(&self) -> String {
        let index = self.pointer.split('/').nth(1).and_then(|step| step.parse::<usize>().ok());
        match index {
            Some(index) => format!("item {} of `{}`", index + 1, self.parameter),
            None => format!("`{}`", self.parameter),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub place: Place,
    pub message: String,
    pub help: Option<String>,
}

/// Longer words are cut when they are shown.
const LONGEST_QUOTE: usize = 64;

/// A word of the user's in backticks: escaped, and cut where it is long.
pub fn quote(word: &str) -> String {
    let cut = word.char_indices().map(|(at, _)| at).find(|at| *at >= LONGEST_QUOTE);
    match cut {
        Some(cut) => format!("`{}…`", word[..cut].escape_debug()),
        None => format!("`{}`", word.escape_debug()),
    }
}

/// The known word that was probably meant, as help.
pub fn suggestion<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(word, known).map(|near| format!("did you mean `{near}`?"))
}

/// The known word nearest to a misspelt one, if one is near.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > LONGEST_QUOTE {
        return None;
    }
    let lower = word.to_lowercase();
    known
        .into_iter()
        .filter(|candidate| *candidate != word)
        .map(|candidate| {
            (candidate, strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()))
        })
        .filter(|(candidate, distance)| *distance <= 1 + candidate.chars().count().max(3) / 4)
        .filter(|(candidate, distance)| *distance < candidate.chars().count())
        .min_by_key(|(_, distance)| *distance)
        .map(|(candidate, _)| candidate)
}
