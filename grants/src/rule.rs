//! One line of the grants language: a capability with its limits.

use std::fmt;
use std::ops::Range;

use netwright_network::shell::Quoted;

use super::capability::{Capability, Class, Omitted};
use super::fault::{Broken, Fault, quote, suggest};
use super::key::{Fact, Key, Request};
use super::value::Value;

/// How a line is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// The operator gives: what isn't named isn't given.
    Grant,
    /// A recipe or a scenario's step asks: what isn't named is left to the operator.
    Ask,
    /// A policy forbids: what isn't named is forbidden whatever it is.
    Deny,
}

/// A capability with its limits, and where it stands. Shown as it is written in a flag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    reading: Reading,
    capability: Capability,
    /// in the order of [`Capability::keys`]
    limits: Vec<(Key, Vec<Value>)>,
    max: Option<u32>,
    origin: String,
}

/// A line in its parts, each with its place.
#[derive(Debug, Clone)]
pub struct Written<P> {
    pub capability: (String, P),
    pub keys: Vec<WrittenKey<P>>,
}

#[derive(Debug, Clone)]
pub struct WrittenKey<P> {
    pub name: (String, P),
    /// `None` where there is no `=`
    pub values: Option<Vec<(String, P)>>,
}

/// Why a rule doesn't cover a request: this key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    pub key: Key,
    /// as it is written behind `=`
    pub allowed: Option<String>,
    pub asked: Option<String>,
}

impl Rule {
    /// The operator's: `host.link.create kind=macvlan parent=eth1 name=lab-* max=8`. `origin`
    /// tells a refusal where the rule stands, such as `--grant`.
    pub fn grant(text: &str, origin: &str) -> Result<Self, Vec<Fault<Range<usize>>>> {
        Self::read(&Written::of(text), Reading::Grant, origin)
    }

    /// A recipe's or a scenario's.
    pub fn ask(text: &str, origin: &str) -> Result<Self, Vec<Fault<Range<usize>>>> {
        Self::read(&Written::of(text), Reading::Ask, origin)
    }

    /// A policy's.
    pub fn deny(text: &str, origin: &str) -> Result<Self, Vec<Fault<Range<usize>>>> {
        Self::read(&Written::of(text), Reading::Deny, origin)
    }

    /// All that is wrong with it, each with its place.
    pub fn read<P: Clone>(
        written: &Written<P>,
        reading: Reading,
        origin: &str,
    ) -> Result<Self, Vec<Fault<P>>> {
        let (name, place) = &written.capability;
        let capability: Capability = match name.parse() {
            Ok(capability) => capability,
            Err(_) if name.is_empty() => {
                let broken = Broken::with(
                    "a grant begins with a capability",
                    "such as: host.link.read name=eth1",
                );
                return Err(vec![broken.at(place.clone())]);
            }
            Err(unknown) => {
                let message = format!("unknown capability {}", quote(name));
                return Err(vec![Broken::with(message, unknown.help).at(place.clone())]);
            }
        };
        let mut reader = RuleReader { capability, reading, limits: Vec::new(), faults: Vec::new() };
        written.keys.iter().for_each(|key| reader.key(key));
        reader.complete(place);
        reader.finish(origin)
    }

    pub fn capability(&self) -> Capability {
        self.capability
    }

    pub fn reading(&self) -> Reading {
        self.reading
    }

    /// Whether both say the same, wherever they stand and whoever says it.
    pub fn same(&self, other: &Self) -> bool {
        (self.capability, &self.limits, self.max) == (other.capability, &other.limits, other.max)
    }

    /// How often it may be used, if that is bounded.
    pub fn max(&self) -> Option<u32> {
        self.max
    }

    /// Where it stands.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The exact values of a key, for what has to be opened before it is asked for: the folder of
    /// `artifacts`, the links of `uplink`.
    pub fn values(&self, key: Key) -> Vec<String> {
        self.limit(key).unwrap_or_default().iter().map(ToString::to_string).collect()
    }

    fn limit(&self, key: Key) -> Option<&[Value]> {
        self.limits.iter().find(|(known, _)| *known == key).map(|(_, values)| values.as_slice())
    }

    /// Why a grant or ask doesn't cover the request; `None` where it does. Of the same capability.
    pub(crate) fn mismatch(&self, request: &Request) -> Option<Mismatch> {
        self.capability.keys().iter().find_map(|(key, omitted)| {
            let (limit, fact) = (self.limit(*key), request.facts.get(self.capability, *key));
            let covered = match (limit, fact) {
                (_, _) if *key == Key::Max => true,
                (Some(values), Some(fact)) => values.iter().any(|value| value.covers(*key, fact)),
                (Some(_), None) => false,
                (None, Some(_)) => self.reading == Reading::Ask || *omitted == Omitted::Any,
                (None, None) => true,
            };
            (!covered).then(|| Mismatch {
                key: *key,
                allowed: limit.map(joined),
                asked: fact.map(written_fact),
            })
        })
    }

    /// Whether a deny forbids the request.
    pub(crate) fn forbids(&self, request: &Request) -> bool {
        self.capability == request.capability
            && self.limits.iter().all(|(key, values)| {
                let fact = request.facts.get(self.capability, *key);
                fact.is_some_and(|fact| values.iter().any(|value| value.touches(*key, fact)))
            })
    }

    /// Whether any request is covered. A grant for children of other links that names no parent
    /// allows only those without one, and there are none.
    pub fn covers_something(&self) -> bool {
        if self.capability != Capability::HostLinkCreate {
            return true;
        }
        let named = |key| self.limit(key).is_some();
        self.values(Key::Kind).iter().any(|kind| match kind.as_str() {
            "macvlan" | "macvtap" | "ipvlan" | "ipvtap" => named(Key::Parent),
            "vlan" => named(Key::Parent) && named(Key::Vlan),
            _ => true,
        })
    }

    /// The grant that allows this request and nothing more; `None` where none can: what the
    /// request is about has a name outside the grammar, or the request is about nothing.
    pub fn least(request: &Request) -> Option<Self> {
        let capability = request.capability;
        let mut text = capability.to_string();
        for (key, _) in capability.keys() {
            if let Some(fact) = request.facts.get(capability, *key) {
                text += &format!(" {key}={}", written_fact(fact));
            }
        }
        let least = Self::grant(&text, "").ok()?;
        least.mismatch(request).is_none().then_some(least)
    }
}

impl Rule {
    /// The flag that gives it, for a shell.
    pub fn flag(&self) -> String {
        format!("--grant {}", Quoted(&self.to_string()))
    }
}

/// As it stands in a grant that covers exactly it.
fn written_fact(fact: Fact<'_>) -> String {
    match fact {
        Fact::Text(text) => text.to_owned(),
        Fact::Number(number) => number.to_string(),
        Fact::Network(network) => network.trunc().to_string(),
    }
}

fn joined(values: &[Value]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.capability)?;
        for (key, values) in &self.limits {
            write!(f, " {key}={}", joined(values))?;
        }
        self.max.map_or(Ok(()), |max| write!(f, " max={max}"))
    }
}

impl Written<Range<usize>> {
    /// The flag form in its words; places are bytes of the text.
    pub fn of(text: &str) -> Self {
        let mut words = words(text);
        let capability = words.next().unwrap_or((String::new(), 0..text.len()));
        let keys = words.map(|(word, place)| match word.split_once('=') {
            None => WrittenKey { name: (word, place), values: None },
            Some((name, values)) => {
                let mut start = place.start + name.len() + 1;
                let values = values.split(',').map(|value| {
                    let place = start..start + value.len();
                    start = place.end + 1;
                    (value.to_owned(), place)
                });
                let values = Some(values.collect());
                let name_place = place.start..place.start + name.len();
                WrittenKey { name: (name.to_owned(), name_place), values }
            }
        });
        let keys = keys.collect();
        Self { capability, keys }
    }
}

fn words(text: &str) -> impl Iterator<Item = (String, Range<usize>)> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = &text[at..];
        let start = at + rest.find(|c: char| !c.is_whitespace())?;
        let length = text[start..].find(char::is_whitespace).unwrap_or(text.len() - start);
        at = start + length;
        Some((text[start..at].to_owned(), start..at))
    })
}

/// Collects a rule's limits and all that is wrong with them.
struct RuleReader<P> {
    capability: Capability,
    reading: Reading,
    limits: Vec<(Key, Vec<Value>)>,
    faults: Vec<Fault<P>>,
}

impl<P: Clone> RuleReader<P> {
    fn fault(&mut self, broken: Broken, place: &P) {
        self.faults.push(broken.at(place.clone()));
    }

    fn key(&mut self, written: &WrittenKey<P>) {
        let (name, place) = &written.name;
        let Some(values) = &written.values else {
            let broken = Broken::rule(format!("{} is not KEY=VALUE", quote(name)));
            return self.fault(broken, place);
        };
        let Some(key) = Key::of(self.capability, name) else {
            let known = self.capability.keys().iter().map(|(key, _)| key.name());
            let message = format!("`{}` has no key {}", self.capability, quote(name));
            let help = suggest(name, known, "it has");
            return self.fault(Broken::with(message, help), place);
        };
        if self.limits.iter().any(|(known, _)| *known == key) {
            let help = format!("several values stand in one: {key}=A,B");
            return self.fault(Broken::with(format!("`{key}` comes twice"), help), place);
        }
        if values.is_empty() {
            let help = "leave the key out, or give it a value";
            return self.fault(Broken::with(format!("`{key}` has no value"), help), place);
        }
        let read = self.values(key, values);
        self.limits.push((key, read));
    }

    fn values(&mut self, key: Key, written: &[(String, P)]) -> Vec<Value> {
        let mut values = Vec::new();
        for (text, place) in written {
            match Value::read(self.capability, key, self.reading, text) {
                Ok(value) if values.contains(&value) => {
                    let broken = Broken::rule(format!("value {} comes twice", quote(text)));
                    self.fault(broken, place);
                }
                Ok(value) => values.push(value),
                Err(broken) => self.fault(broken, place),
            }
        }
        if let (Key::Max, [_, (_, second), ..]) = (key, written) {
            self.fault(Broken::rule("`max` is one number"), second);
        }
        values
    }

    /// What a rule of its reading must and must not have.
    fn complete(&mut self, place: &P) {
        let has = |key: Key| self.limits.iter().any(|(known, _)| *known == key);
        let capability = self.capability;
        let keys = capability.keys().iter();
        let missing: Vec<_> = keys
            .filter(|(key, omitted)| *omitted == Omitted::Refused && !has(*key))
            .map(|(key, _)| format!("{key}=…"))
            .collect();
        match self.reading {
            Reading::Ask => {}
            Reading::Deny => {
                if has(Key::Max) {
                    self.fault(Broken::rule("a `deny` has no `max`: it allows nothing"), place);
                }
            }
            Reading::Grant if !missing.is_empty() => {
                let why = match capability.class() {
                    Class::Special => "a special right names all of its keys",
                    Class::Attach => "what a grant leaves out is not granted",
                };
                let message = format!("`{capability}` needs {}", missing.join(" and "));
                self.fault(Broken::with(message, why), place);
            }
            Reading::Grant => {
                let one_of = match capability {
                    Capability::HostNamespace => Some("name=…, pid=… or docker=…"),
                    Capability::HostProbe => Some("cidr=…, link=… or both"),
                    _ => None,
                };
                if let Some(keys) = one_of.filter(|_| self.limits.is_empty()) {
                    let message = format!("`{capability}` needs {keys}");
                    let why = "what a grant leaves out is not granted";
                    self.fault(Broken::with(message, why), place);
                }
            }
        }
    }

    fn finish(mut self, origin: &str) -> Result<Rule, Vec<Fault<P>>> {
        if !self.faults.is_empty() {
            return Err(self.faults);
        }
        let place = |key: &Key| self.capability.keys().iter().position(|(known, _)| known == key);
        self.limits.sort_by_key(|(key, _)| place(key));
        let max = self.limits.iter().position(|(key, _)| *key == Key::Max);
        let max = max.map(|at| self.limits.remove(at).1).and_then(|values| match values.first() {
            Some(Value::Range(max, _)) => Some(*max),
            Some(Value::Exact(_) | Value::Prefix(_) | Value::Network(_)) | None => None,
        });
        let Self { capability, reading, limits, .. } = self;
        Ok(Rule { reading, capability, limits, max, origin: origin.to_owned() })
    }
}
