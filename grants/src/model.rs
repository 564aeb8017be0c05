//! A naive model of sets of grants: rules as plain data, tried one by one. The properties hold the
//! sets to it, and so does the fuzzer of intersections.

use super::{Capability, Facts, Grants, Request, Rule, Whose};

pub const KINDS: [&str; 3] = ["macvlan", "bridge", "vlan"];
pub const PATTERNS: [&str; 5] = ["lab-a", "lab-b", "lab-*", "lab", "l*"];
pub const NAMES: [&str; 6] = ["lab-a", "lab-b", "lab", "lib", "lab-a%d", "lab-../x"];
pub const PARENTS: [&str; 3] = ["eth1", "eth10", "eth"];

/// A rule of `host.link.create` as the model has it.
#[derive(Debug, Clone)]
pub struct Line {
    pub kinds: Option<Vec<&'static str>>,
    pub names: Option<Vec<&'static str>>,
    pub parents: Option<Vec<&'static str>>,
    pub vlans: Option<(u16, u16)>,
    pub max: Option<u32>,
}

impl Line {
    fn text(&self) -> String {
        let mut text = "host.link.create".to_owned();
        let list = |key: &str, values: &Option<Vec<&str>>| {
            values.as_ref().map(|values| format!(" {key}={}", values.join(","))).unwrap_or_default()
        };
        text += &list("kind", &self.kinds);
        text += &list("name", &self.names);
        text += &list("parent", &self.parents);
        text += &self.vlans.map(|(from, to)| format!(" vlan={from}-{to}")).unwrap_or_default();
        text + &self.max.map(|max| format!(" max={max}")).unwrap_or_default()
    }

    /// `omitted`: what a key that isn't there does to a fact that is.
    fn covers(&self, asked: &Asked, omitted: bool) -> bool {
        let kind = self.kinds.as_ref().map_or(omitted, |kinds| kinds.contains(&asked.kind));
        let name = self.names.as_ref().map_or(omitted, |names| {
            names.iter().any(|pattern| match pattern.strip_suffix('*') {
                None => *pattern == asked.name,
                Some(start) => {
                    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
                    asked.name.starts_with(start) && asked.name.chars().all(plain)
                }
            })
        });
        let parent = match (&self.parents, asked.parent) {
            (Some(parents), Some(parent)) => parents.contains(&parent),
            (Some(_), None) => false,
            (None, Some(_)) => omitted,
            (None, None) => true,
        };
        let vlan = match (self.vlans, asked.vlan) {
            (Some((from, to)), Some(vlan)) => from <= vlan && vlan <= to,
            (Some(_), None) => false,
            (None, Some(_)) => omitted,
            (None, None) => true,
        };
        kind && name && parent && vlan
    }

    /// A deny forbids what has all that it names.
    pub fn forbids(&self, asked: &Asked) -> bool {
        let start = |pattern: &str| match pattern.strip_suffix('*') {
            None => pattern == asked.name,
            Some(start) => asked.name.starts_with(start),
        };
        self.kinds.as_ref().is_none_or(|kinds| kinds.contains(&asked.kind))
            && self.names.as_ref().is_none_or(|names| names.iter().any(|name| start(name)))
            && self
                .parents
                .as_ref()
                .is_none_or(|parents| asked.parent.is_some_and(|parent| parents.contains(&parent)))
            && self
                .vlans
                .is_none_or(|(from, to)| asked.vlan.is_some_and(|vlan| from <= vlan && vlan <= to))
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    pub kind: &'static str,
    pub name: &'static str,
    pub parent: Option<&'static str>,
    pub vlan: Option<u16>,
}

impl Asked {
    pub fn request(&self) -> Request {
        let facts = Facts {
            kind: Some(self.kind.to_owned()),
            name: Some(self.name.to_owned()),
            parent: self.parent.map(str::to_owned),
            vlan: self.vlan,
            ..Facts::default()
        };
        Request::new(Capability::HostLinkCreate, facts)
    }
}

/// One side: an operator with grants and denies, or a recipe that asks.
#[derive(Debug, Clone)]
pub struct Side {
    pub gives: bool,
    pub rules: Vec<Line>,
    pub denied: Vec<Line>,
}

impl Side {
    pub fn grants(&self) -> Grants {
        let read = |read: fn(&str, &str) -> Result<Rule, _>, lines: &[Line]| -> Vec<Rule> {
            lines.iter().map(|line| read(&line.text(), "test").expect("a rule")).collect()
        };
        if self.gives {
            Grants::given(read(Rule::grant, &self.rules), read(Rule::deny, &self.denied))
        } else {
            Grants::asked(Whose::Recipe, read(Rule::ask, &self.rules))
        }
    }

    /// The rule that the model charges, were this side alone.
    fn finds(&self, asked: &Asked, used: &[u32]) -> Option<usize> {
        if self.gives && self.denied.iter().any(|line| line.forbids(asked)) {
            return None;
        }
        let fits = |place: &usize| self.rules[*place].covers(asked, !self.gives);
        let fitting: Vec<usize> = (0..self.rules.len()).filter(fits).collect();
        let unbounded = fitting.iter().find(|place| self.rules[**place].max.is_none());
        let left = |place: &&usize| self.rules[**place].max.is_some_and(|max| used[**place] < max);
        unbounded.or_else(|| fitting.iter().find(left)).copied()
    }
}

/// What the model says to one request after the other, when all sides must agree.
pub fn model(sides: &[&Side], asked: &[Asked]) -> Vec<bool> {
    let mut used: Vec<Vec<u32>> = sides.iter().map(|side| vec![0; side.rules.len()]).collect();
    let answer = |asked: &Asked| {
        let found: Option<Vec<usize>> =
            sides.iter().zip(&used).map(|(side, used)| side.finds(asked, used)).collect();
        let found = found?;
        used.iter_mut().zip(&found).for_each(|(used, place)| used[*place] += 1);
        Some(())
    };
    let mut answer = answer;
    asked.iter().map(|asked| answer(asked).is_some()).collect()
}

pub fn answers(grants: &Grants, asked: &[Asked]) -> Vec<bool> {
    asked.iter().map(|asked| grants.permit(&asked.request()).is_ok()).collect()
}
