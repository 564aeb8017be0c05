//! Why something is not allowed, and what would allow it.

use std::fmt;

use super::capability::Capability;
use super::key::Request;
use super::rule::{Mismatch, Rule};
use super::set::Whose;

/// A request that was not allowed. `Display` tells which rule said no, [`Refusal::hint`] what
/// would allow it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub capability: Capability,
    pub reason: Reason,
    /// the grant that would allow this and nothing more; none where no grant can
    pub least: Option<Rule>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// a `deny` of a policy
    Denied(Rule),
    /// nothing of theirs allows it; the rule that came nearest, with what it is short of
    Missing(Whose, Option<(Rule, Mismatch)>),
    /// the rule's `max` is reached
    UsedUp(Whose, Rule),
}

impl Refusal {
    pub(super) fn new(request: &Request, reason: Reason) -> Self {
        Self { capability: request.capability, reason, least: Rule::least(request) }
    }

    /// What the operator can do about it.
    pub fn hint(&self) -> String {
        let least = self.least.as_ref();
        match &self.reason {
            Reason::Denied(rule) => {
                format!("a `deny` wins over every grant; it is in {}", rule.origin())
            }
            Reason::Missing(Whose::Operator, _) | Reason::UsedUp(Whose::Operator, _) => match least
            {
                Some(least) => least.flag(),
                None => "no grant can name it".to_owned(),
            },
            Reason::Missing(Whose::Recipe, _) | Reason::UsedUp(Whose::Recipe, _) => {
                "no flag gives what a recipe's manifest does not ask for".to_owned()
            }
            Reason::Missing(Whose::Step, _) | Reason::UsedUp(Whose::Step, _) => match least {
                Some(least) => {
                    format!("add it to `grants` of the step: {}", written(&least.to_string()))
                }
                None => "no grant can name it".to_owned(),
            },
        }
    }
}

/// As it stands in a list of YAML: the quoted form's escapes, where it needs any.
fn written(rule: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || " ._/@%+=,*-:".contains(c);
    if rule.chars().all(plain) && !rule.contains(": ") && !rule.ends_with(':') {
        return rule.to_owned();
    }
    let escape = |c: char| match c {
        '"' | '\\' => format!("\\{c}"),
        c if c == ' ' || c.is_alphanumeric() || c.is_ascii_punctuation() => c.to_string(),
        c => format!("\\U{:08x}", u32::from(c)),
    };
    format!("\"{}\"", rule.chars().map(escape).collect::<String>())
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            Reason::Denied(rule) => write!(f, "`deny {rule}` forbids it"),
            Reason::UsedUp(whose, rule) => {
                let max = rule.max().unwrap_or_default();
                write!(f, "`{rule}` of {whose} has been used {max} times")
            }
            Reason::Missing(whose, None) => match whose {
                Whose::Recipe => f.write_str("the recipe's manifest does not ask for it"),
                Whose::Step => f.write_str("the step's `grants` leave it out"),
                Whose::Operator => f.write_str("nothing grants it"),
            },
            Reason::Missing(whose, Some((rule, mismatch))) => {
                write!(f, "`{rule}` of {whose} ")?;
                match (&mismatch.allowed, &mismatch.asked) {
                    (Some(_), Some(asked)) => {
                        write!(f, "does not cover {}={}", mismatch.key, asked.escape_debug())
                    }
                    (Some(_), None) => write!(f, "is about a `{}`, this has none", mismatch.key),
                    (None, asked) => {
                        let asked = asked.as_deref().unwrap_or_default().escape_debug();
                        write!(f, "names no `{}`, this has {asked}", mismatch.key)
                    }
                }
            }
        }
    }
}

impl fmt::Display for Whose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Recipe => "the recipe's manifest",
            Self::Step => "the step's `grants`",
            Self::Operator => "the operator",
        })
    }
}

impl std::error::Error for Refusal {}
