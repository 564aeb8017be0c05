//! A policy file: what the operator gives and forbids, written as a scenario is.

use super::{Reading, Rule, rules};
use crate::document;
use crate::document::{Fault, Faults, Reader, Sources, Span, Value};

/// A policy file's two lists.
#[derive(Debug, Clone, Default)]
pub struct PolicyLists {
    pub allow: Vec<Rule>,
    pub deny: Vec<Rule>,
}

impl PolicyLists {
    /// All faults at once. A file without a word in it gives and forbids nothing.
    pub fn parse(text: &str, name: &str) -> Result<Self, Faults> {
        let (mut sources, mut reader) = (Sources::default(), Reader::default());
        let source = sources.add(name, text);
        let root = document::yaml(text, source, &mut reader.faults);
        let mut lists = Self::default();
        if let Some(root) = root.filter(|node| node.value != Value::Null)
            && let Some(mut fields) = reader.map(&root, "a policy")
        {
            let origin = |span: &Span| sources.locate(span).to_string();
            if let Some(node) = fields.get("allow") {
                lists.allow = rules(node, Reading::Grant, &origin, &mut reader);
            }
            if let Some(node) = fields.get("deny") {
                lists.deny = rules(node, Reading::Deny, &origin, &mut reader);
            }
            reader.close(fields);
        }
        if reader.faults.is_empty() { Ok(lists) } else { Err(Faults::new(sources, reader.faults)) }
    }
}

/// The operator's flags, each with its faults in its place.
pub(crate) fn flags(given: &[String]) -> Result<Vec<Rule>, Faults> {
    let (mut sources, mut faults) = (Sources::default(), Vec::new());
    let mut rules = Vec::new();
    let head = "--grant '";
    for text in given {
        let source = sources.add("command line", format!("{head}{text}'"));
        match Rule::grant(text, "--grant") {
            Ok(rule) => rules.push(rule),
            Err(wrong) => faults.extend(wrong.into_iter().map(|fault| Fault {
                span: Span::new(
                    source,
                    fault.place.start + head.len()..fault.place.end + head.len(),
                ),
                message: fault.message,
                help: fault.help,
            })),
        }
    }
    if faults.is_empty() { Ok(rules) } else { Err(Faults::new(sources, faults)) }
}
