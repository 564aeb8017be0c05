//! Grants in a file: as text in the flag's form, or as a map of one capability to its keys.

use super::{Fault, Reading, Rule, Written, WrittenKey};
use crate::document::{Entry, Node, Reader, Span, Text, Value};

/// The rules of a list; `origin` tells where one stands.
pub(crate) fn rules(
    node: &Node,
    reading: Reading,
    origin: &dyn Fn(&Span) -> String,
    reader: &mut Reader,
) -> Vec<Rule> {
    let items = reader.list(node).unwrap_or_default();
    items.iter().filter_map(|item| rule(item, reading, &origin(&item.span), reader)).collect()
}

fn rule(node: &Node, reading: Reading, origin: &str, reader: &mut Reader) -> Option<Rule> {
    let read = match &node.value {
        Value::Text(text) => Rule::read(&Written::of(&text.value), reading, origin)
            .map_err(|faults| faults.into_iter().map(|fault| in_text(fault, text)).collect()),
        Value::Map(entries) => match entries.as_slice() {
            [entry] => Rule::read(&written(entry, reader)?, reading, origin),
            _ => {
                let help = "such as: { host.link.create: { kind: macvlan, name: lab-* } }";
                let message = "one capability with its keys is expected";
                reader.fault_with(&node.span, message, Some(help.to_owned()));
                return None;
            }
        },
        Value::Null
        | Value::Bool(_)
        | Value::Integer(_)
        | Value::Float(_)
        | Value::List(_)
        | Value::Broken => {
            return reader.wrong(node, "a grant: `CAPABILITY KEY=VALUE …`, or a map of it");
        }
    };
    let note = |faults: Vec<Fault<Span>>| {
        for Fault { place, message, help } in faults {
            reader.fault_with(&place, message, help);
        }
    };
    read.map_err(note).ok()
}

/// From bytes of the text to where they stand in the file.
fn in_text(fault: Fault<std::ops::Range<usize>>, text: &Text) -> Fault<Span> {
    let Fault { place, message, help } = fault;
    let (source, start) = text.place(place.start);
    let end = text.place(place.end.max(place.start + 1) - 1).1 + 1;
    Fault { place: Span::new(source, start..end), message, help }
}

fn written(entry: &Entry, reader: &mut Reader) -> Option<Written<Span>> {
    let capability = (entry.key.clone(), entry.key_span.clone());
    let keys = match &entry.value.value {
        Value::Null => Vec::new(),
        Value::Map(keys) => {
            keys.iter().map(|key| written_key(key, reader)).collect::<Option<_>>()?
        }
        Value::Bool(_)
        | Value::Integer(_)
        | Value::Float(_)
        | Value::Text(_)
        | Value::List(_)
        | Value::Broken => return reader.wrong(&entry.value, "a map (the capability's keys)"),
    };
    Some(Written { capability, keys })
}

fn written_key(entry: &Entry, reader: &mut Reader) -> Option<WrittenKey<Span>> {
    let values = match &entry.value.value {
        Value::List(items) => {
            items.iter().map(|item| written_value(item, reader)).collect::<Option<_>>()?
        }
        Value::Null
        | Value::Bool(_)
        | Value::Integer(_)
        | Value::Float(_)
        | Value::Text(_)
        | Value::Map(_)
        | Value::Broken => vec![written_value(&entry.value, reader)?],
    };
    Some(WrittenKey { name: (entry.key.clone(), entry.key_span.clone()), values: Some(values) })
}

fn written_value(node: &Node, reader: &mut Reader) -> Option<(String, Span)> {
    match &node.value {
        Value::Text(text) => Some((text.value.clone(), node.span.clone())),
        Value::Integer(number) => Some((number.to_string(), node.span.clone())),
        Value::Null
        | Value::Bool(_)
        | Value::Float(_)
        | Value::List(_)
        | Value::Map(_)
        | Value::Broken => reader.wrong(node, "a word or a number"),
    }
}
