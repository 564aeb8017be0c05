//! Rules.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::route::counts;
use super::{Facts, Found, Noun, Object, Reader, holder_of, inside, place, reference};
use crate::change::{Answer, Change, Family, PROTOCOL_KERNEL, Query, Rule as Held};
use crate::kernel::Error;
use crate::state::repair::{Mend, Mending, Stage};
use crate::state::{Asked, Mentions, NamespaceState, State};

/// FIB rules of every new namespace: local, main and default (net/ipv4/fib_rules.c).
const OWN: [u32; 3] = [0, 32766, 32767];

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Rule {
    pub namespace: String,
    pub rule: String,
}

pub(in crate::state) fn added(mentions: &mut Mentions, rule: &Held) {
    mentions.protocols.extend(rule.protocol);
    mentions.rules.push(rule.clone());
}

impl Rule {
    fn of(namespace: &NamespaceState, rule: &Held) -> Self {
        Self { namespace: place(namespace.name.as_ref()), rule: rule.to_string() }
    }

    fn found_in<'a>(&self, state: &'a State) -> Option<&'a Held> {
        let there = state.namespace(&self.namespace)?;
        there.rules.iter().find(|rule| Self::of(there, rule) == *self)
    }
}

/// Those of a VRF are the kernel's, and come with the first one in any case.
fn is_asked(rule: &Held, asked: &Asked) -> bool {
    let Some(protocol) = rule.protocol.filter(|one| *one != PROTOCOL_KERNEL) else { return true };
    let put = |one: &Held| {
        // The kernel chooses a priority where none is named.
        let priority = one.priority.or(rule.priority);
        Held { priority, ..one.clone() } == *rule
    };
    counts(protocol, asked) || asked.deployment.rules.iter().any(put)
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rule {}", self.rule)?;
        inside(f, &self.namespace)
    }
}

impl Noun for Rule {
    fn read(from: &Reader<'_>, into: &mut NamespaceState) -> Result<(), Error> {
        for family in [Family::Ipv4, Family::Ipv6] {
            let query = Query::Rules { namespace: from.namespace.clone(), family };
            if let Answer::Rules(found) = from.ask(query)? {
                into.rules.extend(found);
            }
        }
        Ok(())
    }

    fn find(of: &NamespaceState, asked: &Asked, _: &State, found: &mut Found) {
        let own = |rule: &Held| OWN.contains(&rule.priority.unwrap_or(0));
        let counting = of.rules.iter().filter(|rule| !own(rule) && is_asked(rule, asked));
        found.extend(counting.map(|one| (Object::Rule(Self::of(of, one)), Facts::new())));
    }

    fn holders(&self) -> Vec<Object> {
        vec![holder_of(&self.namespace)]
    }

    fn untold(&self) -> Option<Facts> {
        None
    }

    fn mend(&self, mending: &Mending<'_>) -> Option<Mend> {
        let rule = self.found_in(mending.side())?.clone();
        let namespace = reference(&self.namespace);
        if !mending.is_extra() {
            return Some((Stage::Rules, vec![Change::AddRule { namespace, rule }]));
        }
        let wanted = mending.wanted.namespace(&self.namespace);
        let mut wanted = wanted.into_iter().flat_map(|there| &there.rules);
        let replaced = wanted.any(|other| other.priority == rule.priority);
        let stage = if replaced { Stage::ReplacedRules } else { Stage::OldRules };
        Some((stage, vec![Change::RemoveRule { namespace, rule }]))
    }

    /// It goes with nothing else's going.
    fn is_touched(&self, _: &Asked, _: &State) -> bool {
        true
    }

    fn is_theirs(&self) -> bool {
        false
    }
}
