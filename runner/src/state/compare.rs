//! How two states differ.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Asked, Facts, Found, Object, State};
use crate::text::escape;

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
                    let [is, wanted] = [is, wanted].map(|value| escape(value.unwrap_or("none")));
                    format!("{} {is} -> {wanted}", escape(name))
                });
                write!(f, "~ {}: {}", self.object, facts.collect::<Vec<_>>().join(", "))
            }
        }
    }
}

fn list(facts: &Facts) -> String {
    let word = |(name, value): (&String, &String)| {
        escape(&format!("{name} {value}")).trim_end().to_owned()
    };
    let words: Vec<String> = facts.iter().map(word).collect();
    if words.is_empty() { String::new() } else { format!(": {}", words.join(", ")) }
}

/// What is to be done to `is` so that it becomes `wanted`.
pub fn compare(is: &State, wanted: &State, asked: &Asked) -> Vec<Difference> {
    differences(&is.facts(asked), &wanted.facts(asked))
}

fn differences(is: &Found, wanted: &Found) -> Vec<Difference> {
    let objects: BTreeSet<&Object> = is.keys().chain(wanted.keys()).collect();
    let extra = |object: &Object| is.contains_key(object) && !wanted.contains_key(object);
    // What goes with something that goes needs no word.
    let goes_along = |object: &Object| extra(object) && object.noun().holders().iter().any(extra);
    objects
        .into_iter()
        .filter(|object| !goes_along(object))
        .map(|object| {
            let [is, wanted] = [is, wanted].map(|all| told(all, object));
            Difference { object: object.clone(), is, wanted }
        })
        .filter(|difference| difference.is != difference.wanted)
        .collect()
}

/// What a state tells of an object, or says by not telling of it.
fn told(all: &Found, object: &Object) -> Option<Facts> {
    all.get(object).cloned().or_else(|| object.noun().untold())
}

/// How a deployment among other things differs from what its scenario makes of the place without
/// it.
#[derive(Debug, Clone, Copy)]
pub struct Within<'a> {
    /// the place as it was found, as far as it could be built again
    pub built: &'a State,
    /// the same with the deployment taken back
    pub before: &'a State,
    /// the same with the scenario carried out
    pub wanted: &'a State,
}

impl Within<'_> {
    /// What is to be done to what was found; of what is others', only what the deployment altered
    /// or the scenario alters.
    pub fn compare(&self, is: &State, asked: &Asked) -> Vec<Difference> {
        let [built, before, wanted] =
            [self.built, self.before, self.wanted].map(|state| state.facts(asked));
        let scope = Scope { built: &built, before: &before, wanted: &wanted };
        let narrowed = |facts: &Found| {
            facts.iter().filter_map(|(object, facts)| scope.of(object, facts)).collect()
        };
        let mut all = differences(&narrowed(&is.facts(asked)), &narrowed(&wanted));
        // What is on the deployment's own links is drift of it, whoever put it there.
        let counts =
            |object: &Object| object.noun().is_touched(asked, is) || scope.is_on_made(object);
        all.retain(|one| one.wanted.is_some() || counts(&one.object));
        all
    }
}

struct Scope<'a> {
    built: &'a Found,
    before: &'a Found,
    wanted: &'a Found,
}

impl Scope<'_> {
    /// Whether an object is on or in what the scenario makes.
    fn is_on_made(&self, object: &Object) -> bool {
        let makes =
            |holder: &Object| self.wanted.contains_key(holder) && !self.before.contains_key(holder);
        object.noun().holders().iter().any(makes)
    }

    /// What of an object counts; none where it is others'.
    fn of(&self, object: &Object, facts: &Facts) -> Option<(Object, Facts)> {
        let known = [self.built, self.before, self.wanted].map(|all| told(all, object));
        let [built, before, wanted] = known;
        let whole = || Some((object.clone(), facts.clone()));
        if object.noun().is_theirs() || self.is_on_made(object) {
            return whole();
        }
        if built == before && before == wanted {
            return None;
        }
        let (Some(built), Some(before), Some(wanted)) = (built, before, wanted) else {
            return whole();
        };
        let altered = |name: &String| {
            built.get(name) != before.get(name) || before.get(name) != wanted.get(name)
        };
        let facts = facts.iter().filter(|(name, _)| altered(name));
        let facts = facts.map(|(name, value)| (name.clone(), value.clone())).collect();
        Some((object.clone(), facts))
    }
}
