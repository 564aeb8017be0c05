//! How two states differ.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Asked, Facts, Object, State};

/// An object that is missing, one too many, or other than it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    #[serde(flatten)]
    pub object: Object,
    /// none where it is not there
    pub is: Option<Facts>,
    /// none where it should not be there
    pub wanted: Option<Facts>,
}

impl Difference {
    /// Each fact that is another: its name, what it is, what is wanted.
    pub fn facts(&self) -> Vec<(&str, Option<&str>, Option<&str>)> {
        let (Some(is), Some(wanted)) = (&self.is, &self.wanted) else { return Vec::new() };
        let names: BTreeSet<&String> = is.keys().chain(wanted.keys()).collect();
        names
            .into_iter()
            .map(|name| {
                let value = |facts: &'_ Facts| facts.get(name).cloned();
                (name.as_str(), value(is), value(wanted))
            })
            .filter(|(_, is, wanted)| is != wanted)
            .map(|(name, _, _)| {
                (name, is.get(name).map(String::as_str), wanted.get(name).map(String::as_str))
            })
            .collect()
    }
}

/// As a line of a diff: `~ link mac1 in ns1: mtu 1500 -> 1400`.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.is, &self.wanted) {
            (None, Some(wanted)) => write!(f, "+ {}{}", self.object, list(wanted)),
            (Some(_), None) => write!(f, "- {}", self.object),
            (_, _) => {
                let facts = self.facts().into_iter().map(|(name, is, wanted)| {
                    format!("{name} {} -> {}", is.unwrap_or("none"), wanted.unwrap_or("none"))
                });
                write!(f, "~ {}: {}", self.object, facts.collect::<Vec<_>>().join(", "))
            }
        }
    }
}

fn list(facts: &Facts) -> String {
    let words: Vec<String> =
        facts.iter().map(|(name, value)| format!("{name} {value}").trim_end().to_owned()).collect();
    if words.is_empty() { String::new() } else { format!(": {}", words.join(", ")) }
}

/// What is to be done to `is` so that it becomes `wanted`.
pub fn compare(is: &State, wanted: &State, asked: &Asked) -> Vec<Difference> {
    let (is, wanted) = (is.facts(asked), wanted.facts(asked));
    let objects: BTreeSet<&Object> = is.keys().chain(wanted.keys()).collect();
    objects
        .into_iter()
        .filter(|object| is.get(object) != wanted.get(object))
        .map(|object| Difference {
            object: object.clone(),
            is: is.get(object).cloned(),
            wanted: wanted.get(object).cloned(),
        })
        .collect()
}
