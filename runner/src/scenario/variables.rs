//! A scenario's own parameters: defaults from the file, values from `-p`, and `${name}` where
//! they are used.

use std::cell::Cell;
use std::collections::HashMap;

use crate::document::{
    Entry, Node, Override, Piece, Reader, Sources, Span, Text, Value, quote, suggestion,
};

/// What parameters make of one scenario may take so much memory, bytes: each of them may be used
/// thousands of times.
const MOST_MADE: usize = 32 << 20;

/// The parameters with their values.
#[derive(Debug)]
pub(crate) struct Variables {
    entries: Vec<Entry>,
    /// the place of each in `entries`
    places: HashMap<String, usize>,
    /// the memory that each value takes once more wherever it is used
    costs: Vec<usize>,
    /// how much memory may still be taken
    left: Cell<usize>,
}

impl Variables {
    /// Defaults of the file, replaced by what the command line says.
    pub(crate) fn new(
        defaults: Option<&Node>,
        overrides: &[Override],
        sources: &mut Sources,
        reader: &mut Reader,
    ) -> Self {
        let mut entries = match defaults {
            Some(Node { value: Value::Map(entries), .. }) => entries.clone(),
            Some(other) => reader.wrong(other, "a map (the parameters)").unwrap_or_default(),
            None => Vec::new(),
        };
        for entry in &entries {
            if !is_name(&entry.key) {
                let message = format!(
                    "{} is no parameter name; a letter, then letters, digits, `_` and `-`",
                    quote(&entry.key)
                );
                reader.fault(&entry.key_span, message);
            }
        }
        let names: Vec<_> = entries.iter().map(|entry| entry.key.clone()).collect();
        let places: HashMap<_, _> = names.iter().cloned().zip(0..).collect();
        for given in overrides {
            match places.get(&given.parameter.key).and_then(|place| entries.get_mut(*place)) {
                Some(entry) => entry.value = given.replace(&entry.value, sources, reader),
                None => unknown(given, &names, sources, reader),
            }
        }
        let places = entries.iter().enumerate();
        let places = places.map(|(place, entry)| (entry.key.clone(), place)).collect();
        let costs = entries.iter().map(|entry| cost(&entry.value)).collect();
        Self { entries, places, costs, left: Cell::new(MOST_MADE) }
    }

    /// The node with every `${name}` in it replaced.
    pub(crate) fn substitute(&self, node: &Node, reader: &mut Reader) -> Node {
        let value = match &node.value {
            Value::Text(text) => return self.substitute_text(node, text, reader),
            Value::List(items) => {
                Value::List(items.iter().map(|item| self.substitute(item, reader)).collect())
            }
            Value::Map(entries) => Value::Map(
                entries
                    .iter()
                    .map(|entry| Entry {
                        key: entry.key.clone(),
                        key_span: entry.key_span.clone(),
                        value: self.substitute(&entry.value, reader),
                    })
                    .collect(),
            ),
            Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::Broken => {
                node.value.clone()
            }
        };
        Node { span: node.span.clone(), value }
    }

    fn substitute_text(&self, node: &Node, text: &Text, reader: &mut Reader) -> Node {
        if !text.value.contains("${") {
            return node.clone();
        }
        let mut made = Text { value: String::new(), pieces: Vec::new() };
        let mut broken = false;
        for part in parts(&text.value) {
            match part {
                Part::Text(range) => made.append(text, range),
                Part::Variable { range, name } => {
                    let (source, start) = text.place(range.start);
                    let (_, last) = text.place(range.end - 1);
                    let span = Span::new(source, start..last + 1);
                    match self.taken(name, &span, reader) {
                        Some(value) if range == (0..text.value.len()) => return value.clone(),
                        Some(value) => broken |= !insert(&mut made, name, value, &span, reader),
                        None => broken = true,
                    }
                }
                Part::Open(at) => {
                    let (source, start) = text.place(at);
                    let help = Some("write `$${` where `${` itself is meant".to_owned());
                    reader.fault_with(
                        &Span::new(source, start..start + 2),
                        "`${` has no `}`",
                        help,
                    );
                    broken = true;
                }
            }
        }
        let value = if broken { Value::Broken } else { Value::Text(made) };
        Node { span: node.span.clone(), value }
    }

    /// A value that is used once more, for which there must be room.
    fn taken(&self, name: &str, span: &Span, reader: &mut Reader) -> Option<&Node> {
        // Where so much is wrong already, nothing is made of it.
        if reader.is_full() {
            return None;
        }
        let left = self.left.get();
        let value = self.value(name, span, reader)?;
        let cost = self.places.get(name).and_then(|place| self.costs.get(*place));
        let rest = cost.and_then(|cost| left.checked_sub(*cost));
        self.left.set(rest.unwrap_or(0));
        if rest.is_none() && left > 0 {
            let most = MOST_MADE >> 20;
            let message = format!(
                "parameters make more than {most} MiB of this scenario, from this {} on",
                quote(&format!("${{{name}}}"))
            );
            let help = "use long parameters less often, or shorten them";
            reader.fault_with(span, message, Some(help.to_owned()));
        }
        rest.map(|_| value)
    }

    fn value(&self, name: &str, span: &Span, reader: &mut Reader) -> Option<&Node> {
        let Some(entry) = self.places.get(name).and_then(|place| self.entries.get(*place)) else {
            let names = || self.entries.iter().map(|entry| entry.key.as_str());
            let help = || match self.entries.is_empty() {
                true => format!("add it: `params: {{ {}: … }}`", unquoted(name)),
                false => suggestion(name, names()).unwrap_or_else(|| there_are(names())),
            };
            let help = (!reader.has_enough()).then(help);
            reader.fault_with(span, format!("unknown parameter {}", quote(name)), help);
            return None;
        };
        if entry.value.value == Value::Null {
            let help = Some(format!("give it one: -p {name}=VALUE"));
            reader.fault_with(
                &entry.key_span,
                format!("parameter {} has no value", quote(name)),
                help,
            );
            return None;
        }
        (entry.value.value != Value::Broken).then_some(&entry.value)
    }
}

fn unknown(given: &Override, names: &[String], sources: &mut Sources, reader: &mut Reader) {
    let source = sources.add(
        "command line",
        format!("-p {}={}", given.parameter.key, shorten(&given.parameter.value)),
    );
    let help = suggestion(&given.parameter.key, names.iter().map(String::as_str)).or_else(|| {
        Some(if names.is_empty() {
            "the scenario has no parameters".to_owned()
        } else {
            there_are(names.iter().map(String::as_str))
        })
    });
    let span = Span::new(source, 3..3 + given.parameter.key.len());
    reader.fault_with(&span, format!("unknown parameter {}", quote(&given.parameter.key)), help);
}

/// Cut where it is long.
fn unquoted(name: &str) -> String {
    quote(name).trim_matches('`').to_owned()
}

/// The first of them, where there are many.
fn there_are<'a>(names: impl Iterator<Item = &'a str>) -> String {
    const MOST: usize = 20;
    let mut names = names.map(unquoted).peekable();
    let first: Vec<_> = names.by_ref().take(MOST).collect();
    let more = if names.peek().is_some() { ", …" } else { "" };
    format!("there are {}{more}", first.join(", "))
}

/// The memory that a copy of a value takes, about.
fn cost(node: &Node) -> usize {
    let inside = match &node.value {
        Value::Text(text) => text.value.len() + size_of_val(text.pieces.as_slice()),
        Value::List(items) => items.iter().map(cost).sum(),
        Value::Map(entries) => {
            let of = |entry: &Entry| size_of::<Entry>() + entry.key.len() + cost(&entry.value);
            entries.iter().map(of).sum()
        }
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::Broken => 0,
    };
    // A piece of a text around it begins anew behind it.
    size_of::<Node>() + 2 * size_of::<Piece>() + inside
}

fn shorten(value: &str) -> String {
    value.chars().take(60).take_while(|c| *c != '\n').collect()
}

pub(crate) fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

/// Adds a value to a text; false where it can't stand in one.
fn insert(made: &mut Text, name: &str, value: &Node, span: &Span, reader: &mut Reader) -> bool {
    match &value.value {
        Value::Text(text) => made.append(text, 0..text.value.len()),
        Value::List(_) | Value::Map(_) => {
            let message = format!(
                "parameter {} is {} and can't stand inside text",
                quote(name),
                value.kind()
            );
            reader.fault(span, message);
            return false;
        }
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::Broken => {
            let (source, offset) = (value.span.source, value.span.start);
            made.pieces.push(Piece { at: made.value.len(), source, offset, literal: false });
            made.value += &value.to_parameter();
        }
    }
    true
}

impl Text {
    /// Adds a part of another text, which keeps its places.
    fn append(&mut self, from: &Self, range: std::ops::Range<usize>) {
        let (source, offset) = from.place(range.start);
        let begins = self.value.len();
        let first = from.pieces.partition_point(|piece| piece.at <= range.start);
        let literal = first.checked_sub(1).and_then(|at| from.pieces.get(at));
        let literal = literal.is_none_or(|piece| piece.literal);
        self.pieces.push(Piece { at: begins, source, offset, literal });
        let within = from.pieces[first..].iter().take_while(|piece| piece.at < range.end);
        self.pieces.extend(
            within.map(|piece| Piece { at: begins + piece.at - range.start, ..piece.clone() }),
        );
        self.value += &from.value[range];
    }
}

enum Part<'a> {
    Text(std::ops::Range<usize>),
    Variable {
        range: std::ops::Range<usize>,
        name: &'a str,
    },
    /// `${` without its end
    Open(usize),
}

/// Takes a text with variables apart; `$${` stands for `${`.
fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut done = 0;
    while let Some(at) = text[done..].find("${").map(|at| at + done) {
        if text[done..at].ends_with('$') {
            parts.push(Part::Text(done..at - 1));
            parts.push(Part::Text(at..at + 2));
            done = at + 2;
            continue;
        }
        if at > done {
            parts.push(Part::Text(done..at));
        }
        let Some(end) =
            text[at..].find(['}', '\n']).filter(|end| text[at + end..].starts_with('}'))
        else {
            parts.push(Part::Open(at));
            return parts;
        };
        let end = at + end + 1;
        parts.push(Part::Variable { range: at..end, name: &text[at + 2..end - 1] });
        done = end;
    }
    if done < text.len() {
        parts.push(Part::Text(done..text.len()));
    }
    parts
}
