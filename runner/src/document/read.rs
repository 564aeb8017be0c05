//! Reads typed values out of the tree and notes what doesn't fit.

use std::collections::BTreeSet;

use super::fault::{Fault, MOST_SHOWN, Span, quote, suggestion};
use super::tree::{Entry, Node, Value};

/// More faults than these are not looked for: who mends them finds the rest.
pub(super) const MOST_FAULTS: usize = 1000;

/// Collects faults while values are read; `None` means that one has been noted.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    pub(crate) faults: Vec<Fault>,
}

/// The keys of one map, each taken once; what nobody took is unknown.
pub(crate) struct Fields<'a> {
    /// such as `a step`
    what: &'static str,
    span: &'a Span,
    entries: &'a [Entry],
    known: BTreeSet<&'static str>,
}

impl Reader {
    /// Whether one more would not be shown, so that its remedy need not be looked for.
    pub(crate) fn has_enough(&self) -> bool {
        self.faults.len() >= MOST_SHOWN
    }

    pub(crate) fn is_full(&self) -> bool {
        self.faults.len() >= MOST_FAULTS
    }

    pub(crate) fn fault(&mut self, span: &Span, message: impl Into<String>) {
        self.fault_with(span, message, None);
    }

    pub(crate) fn fault_with(
        &mut self,
        span: &Span,
        message: impl Into<String>,
        help: Option<String>,
    ) {
        if self.is_full() {
            return;
        }
        self.faults.push(Fault { span: span.clone(), message: message.into(), help });
    }

    pub(crate) fn wrong<T>(&mut self, node: &Node, wanted: &str) -> Option<T> {
        if node.value != Value::Broken {
            let help = matches!(node.value, Value::Null)
                .then(|| "leave the key out, or give it a value".to_owned());
            self.fault_with(
                &node.span,
                format!("{wanted} is expected, this is {}", node.kind()),
                help,
            );
        }
        None
    }

    pub(crate) fn map<'a>(&mut self, node: &'a Node, what: &'static str) -> Option<Fields<'a>> {
        let Value::Map(entries) = &node.value else {
            return self.wrong(node, &format!("a map ({what})"));
        };
        Some(Fields { what, span: &node.span, entries, known: BTreeSet::new() })
    }

    pub(crate) fn list<'a>(&mut self, node: &'a Node) -> Option<&'a [Node]> {
        let Value::List(items) = &node.value else { return self.wrong(node, "a list") };
        Some(items)
    }

    pub(crate) fn text<'a>(&mut self, node: &'a Node) -> Option<&'a str> {
        if let Value::Text(text) = &node.value {
            return Some(&text.value);
        }
        if matches!(node.value, Value::Integer(_) | Value::Float(_) | Value::Bool(_)) {
            let message = format!("text is expected, this is {}", node.kind());
            self.fault_with(&node.span, message, Some("put it in quotes".to_owned()));
            return None;
        }
        self.wrong(node, "text")
    }

    pub(crate) fn boolean(&mut self, node: &Node) -> Option<bool> {
        let Value::Bool(value) = &node.value else { return self.wrong(node, "true or false") };
        Some(*value)
    }

    /// A whole number within a range.
    pub(crate) fn integer<T>(&mut self, node: &Node, lowest: T, highest: T) -> Option<T>
    where
        T: Copy + Into<i64> + TryFrom<i64>,
    {
        let (least, most) = (lowest.into(), highest.into());
        let Value::Integer(value) = node.value else {
            return self.wrong(node, &format!("a whole number from {least} to {most}"));
        };
        if (least..=most).contains(&value) {
            return T::try_from(value).ok();
        }
        self.fault(&node.span, format!("{value} is out of range; {least} to {most} is possible"));
        None
    }

    /// Text that `parse` makes something of; its error is the fault.
    pub(crate) fn parsed<T>(
        &mut self,
        node: &Node,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.text(node)?;
        self.accept(&node.span, parse(text))
    }

    /// Turns an error sentence into a fault; a line beginning with `help: ` becomes its help.
    pub(crate) fn accept<T>(&mut self, span: &Span, result: Result<T, String>) -> Option<T> {
        result
            .map_err(|sentence| {
                let (message, help) = match sentence.split_once("\n  help: ") {
                    Some((message, help)) => (message.to_owned(), Some(help.to_owned())),
                    None => (sentence, None),
                };
                self.fault_with(span, message, help);
            })
            .ok()
    }

    /// One of a few words.
    pub(crate) fn word<T: Copy>(&mut self, node: &Node, words: &[(&'static str, T)]) -> Option<T> {
        let text = self.text(node)?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        let known: Vec<_> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
        let message = format!("{} is none of {}", quote(text), known.join(", "));
        let help = suggestion(text, words.iter().map(|(word, _)| *word));
        self.fault_with(&node.span, message, help);
        None
    }

    /// Notes the keys that nobody asked for.
    pub(crate) fn close(&mut self, fields: Fields<'_>) {
        for entry in fields.entries {
            if fields.known.contains(entry.key.as_str()) {
                continue;
            }
            let near = suggestion(&entry.key, fields.known.iter().copied());
            let keys: Vec<_> = fields.known.iter().copied().collect();
            let help = near.or_else(|| Some(format!("{} has {}", fields.what, keys.join(", "))));
            let message = format!("unknown key {} of {}", quote(&entry.key), fields.what);
            self.fault_with(&entry.key_span, message, help);
        }
    }
}

impl<'a> Fields<'a> {
    pub(crate) fn span(&self) -> &'a Span {
        self.span
    }

    /// A key that may be absent.
    pub(crate) fn get(&mut self, key: &'static str) -> Option<&'a Node> {
        self.known.insert(key);
        self.entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// A key that must be there; a fault where it isn't.
    pub(crate) fn need(&mut self, reader: &mut Reader, key: &'static str) -> Option<&'a Node> {
        let node = self.get(key);
        if node.is_none() {
            let near = self.entries.iter().find(|entry| {
                suggestion(&entry.key, [key]).is_some() && !self.known.contains(entry.key.as_str())
            });
            if near.is_none() {
                reader.fault(self.span, format!("{} needs the key `{key}`", self.what));
            }
        }
        node
    }
}
