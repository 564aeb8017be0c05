//! Grants taken together: what one run or step may do.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::capability::Capability;
use super::key::{Key, Request};
use super::refusal::{Reason, Refusal};
use super::rule::{Reading, Rule};
use super::uses::Uses;

/// What may be done: what every layer allows and no `deny` forbids. An empty set allows nothing.
///
/// The layers stay apart, so that an intersection is their conjunction: it can't be wider than
/// any of them, uses that are counted included. Clones and intersections share their counts, for
/// a `max` is given once, however many steps a scenario has.
#[derive(Debug, Clone)]
pub struct Grants {
    /// never empty
    layers: Vec<Arc<Layer>>,
    denied: Vec<Rule>,
    /// where every answer is noted
    uses: Option<Uses>,
}

/// Who a layer comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// the recipe's manifest, which only asks
    Recipe,
    /// a scenario's step, which narrows what its recipe asks for
    Step,
    /// flags and policy files, which give
    Operator,
}

#[derive(Debug)]
struct Layer {
    whose: Whose,
    rules: Vec<Rule>,
    /// of each rule, how often
    used: Vec<Arc<AtomicU32>>,
}

impl Default for Grants {
    /// Nothing at all.
    fn default() -> Self {
        Self::given(Vec::new(), Vec::new())
    }
}

impl Grants {
    /// What the operator gives, less what a policy forbids.
    pub fn given(allowed: Vec<Rule>, denied: Vec<Rule>) -> Self {
        let layers = vec![Arc::new(Layer::new(Whose::Operator, allowed, Reading::Grant))];
        let denied = denied.into_iter().filter(|rule| rule.reading() == Reading::Deny).collect();
        Self { layers, denied, uses: None }
    }

    /// What a recipe or step asks for. Gives nothing unless the operator gives it, too: see
    /// [`Grants::intersect`].
    pub fn asked(whose: Whose, asked: Vec<Rule>) -> Self {
        let layers = vec![Arc::new(Layer::new(whose, asked, Reading::Ask))];
        Self { layers, denied: Vec::new(), uses: None }
    }

    /// What both allow.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        let mut both = self.clone();
        for layer in &other.layers {
            // The same layer twice would count each use twice.
            if !both.layers.iter().any(|known| Arc::ptr_eq(known, layer)) {
                both.layers.push(Arc::clone(layer));
            }
        }
        both.denied.extend(other.denied.iter().cloned());
        both.uses = both.uses.or_else(|| other.uses.clone());
        both
    }

    /// The same with more that the operator gives. What was given before keeps its count.
    #[must_use]
    pub fn with(&self, more: Vec<Rule>) -> Self {
        let added = Layer::new(Whose::Operator, more, Reading::Grant);
        let widen = |layer: &Arc<Layer>| match layer.whose {
            Whose::Operator if !added.rules.is_empty() => Arc::new(Layer {
                whose: layer.whose,
                rules: layer.rules.iter().chain(&added.rules).cloned().collect(),
                used: layer.used.iter().chain(&added.used).cloned().collect(),
            }),
            Whose::Operator | Whose::Recipe | Whose::Step => Arc::clone(layer),
        };
        Self { layers: self.layers.iter().map(widen).collect(), ..self.clone() }
    }

    /// Notes every answer, those of its intersections too.
    #[must_use]
    pub fn noted_in(self, uses: Uses) -> Self {
        Self { uses: Some(uses), ..self }
    }

    /// Whether something is allowed, without using it up: for reads.
    pub fn allows(&self, request: &Request) -> Result<(), Refusal> {
        self.answer(request).map(drop)
    }

    /// Whether a rule allows something, used up or not: for what was charged to one already.
    pub fn covers(&self, request: &Request) -> Result<(), Refusal> {
        let answer = self.find(request, Count::Passed);
        if let Some(uses) = &self.uses {
            match answer {
                Ok(_) => uses.mentioned(request),
                Err(_) => uses.note(request, false),
            }
        }
        answer.map(drop)
    }

    /// The `deny` that forbids something, whatever else is said of it; no use, and noted nowhere.
    pub fn denies(&self, request: &Request) -> Option<Refusal> {
        let rule = self.denied.iter().find(|rule| rule.forbids(request))?;
        Some(Refusal::new(request, Reason::Denied(rule.clone())))
    }

    /// Whether something is allowed, for a choice between two that would do: noted nowhere.
    pub fn would_allow(&self, request: &Request) -> bool {
        self.find(request, Count::Heeded).is_ok()
    }

    /// Whether something is allowed; it counts as used then.
    pub fn permit(&self, request: &Request) -> Result<(), Refusal> {
        for (layer, rule) in self.answer(request)? {
            layer.used[rule].fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Whether the operator says anything of a capability, good or bad.
    pub fn gives(&self, capability: Capability) -> bool {
        let layers = self.layers.iter().filter(|layer| layer.whose == Whose::Operator);
        let allowed = layers.flat_map(|layer| &layer.rules);
        allowed.chain(&self.denied).any(|rule| rule.capability() == capability)
    }

    /// What the operator gives of a capability and the other layers don't rule out as a whole:
    /// for what has to be prepared before the first request.
    pub fn given_of(&self, capability: Capability) -> impl Iterator<Item = &Rule> {
        let asked = self
            .layers
            .iter()
            .all(|layer| layer.rules.iter().any(|rule| rule.capability() == capability));
        self.layers
            .iter()
            .filter(move |layer| asked && layer.whose == Whose::Operator)
            .flat_map(|layer| &layer.rules)
            .filter(move |rule| rule.capability() == capability)
    }

    /// What is forbidden, whatever anybody gives.
    pub fn denied(&self) -> impl Iterator<Item = &Rule> {
        self.denied.iter()
    }

    /// The values that the operator names for a key of a capability, exact ones and patterns.
    pub fn named(&self, capability: Capability, key: Key) -> Vec<String> {
        self.given_of(capability).flat_map(|rule| rule.values(key)).collect()
    }

    fn answer(&self, request: &Request) -> Result<Vec<(&Layer, usize)>, Refusal> {
        let answer = self.find(request, Count::Heeded);
        if let Some(uses) = &self.uses {
            uses.note(request, answer.is_ok());
        }
        answer
    }

    /// The rule of each layer that a request is charged to.
    fn find(&self, request: &Request, count: Count) -> Result<Vec<(&Layer, usize)>, Refusal> {
        let refuse = |reason| Refusal::new(request, reason);
        if let Some(rule) = self.denied.iter().find(|rule| rule.forbids(request)) {
            return Err(refuse(Reason::Denied(rule.clone())));
        }
        let find =
            |layer| Layer::find(layer, request, count).map(|rule| (layer, rule)).map_err(refuse);
        // Who has not asked is told so first: no flag would help.
        let (given, asked): (Vec<&Layer>, Vec<&Layer>) =
            self.layers.iter().map(Arc::as_ref).partition(|layer| layer.whose == Whose::Operator);
        asked.into_iter().chain(given).map(find).collect()
    }
}

/// Whether a rule that is used up allows nothing more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Count {
    Heeded,
    Passed,
}

impl Layer {
    fn new(whose: Whose, rules: Vec<Rule>, reading: Reading) -> Self {
        // A rule that was read otherwise would mean something else here.
        let rules: Vec<_> = rules.into_iter().filter(|rule| rule.reading() == reading).collect();
        let used = rules.iter().map(|_| Arc::default()).collect();
        Self { whose, rules, used }
    }

    /// The rule that a use is charged to: one without `max` before the others, else the first
    /// that isn't used up.
    fn find(&self, request: &Request, count: Count) -> Result<usize, Reason> {
        let same = |(_, rule): &(usize, &Rule)| rule.capability() == request.capability;
        let candidates: Vec<_> = self.rules.iter().enumerate().filter(same).collect();
        let fitting: Vec<_> =
            candidates.iter().filter(|(_, rule)| rule.mismatch(request).is_none()).collect();
        let unbounded = fitting.iter().find(|(_, rule)| rule.max().is_none());
        let unused = || {
            let left = |(place, rule): &&&(usize, &Rule)| {
                count == Count::Passed
                    || rule.max().is_some_and(|max| self.used[*place].load(Ordering::Relaxed) < max)
            };
            fitting.iter().find(left)
        };
        match (unbounded.or_else(unused), fitting.first()) {
            (Some((place, _)), _) => Ok(*place),
            (None, Some((_, rule))) => Err(Reason::UsedUp(self.whose, (*rule).clone())),
            (None, None) => Err(Reason::Missing(self.whose, nearest(&candidates, request))),
        }
    }
}

/// The rule that comes nearest, and what it is short of: the one whose first wrong key comes last.
fn nearest(
    candidates: &[(usize, &Rule)],
    request: &Request,
) -> Option<(Rule, super::rule::Mismatch)> {
    let place = |key: Key| {
        request.capability.keys().iter().position(|(known, _)| *known == key).unwrap_or_default()
    };
    candidates
        .iter()
        .filter_map(|(_, rule)| rule.mismatch(request).map(|mismatch| (*rule, mismatch)))
        .max_by_key(|(_, mismatch)| place(mismatch.key))
        .map(|(rule, mismatch)| (rule.clone(), mismatch))
}
