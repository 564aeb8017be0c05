//! YAML 1.2 (so JSON too) made into a tree with places. Anchors, aliases, tags, several documents
//! and keys that come twice are refused: what is shown is what is used.

use std::collections::HashMap;
use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle, ScanError};

use super::fault::{Fault, Span, quote};
use super::read::MOST_FAULTS;
use super::scalar;
use super::tree::{Entry, Node, Value};

/// Lists and maps inside each other.
const DEEPEST: usize = 32;

/// Lists, maps and scalars in one file.
const MOST_NODES: usize = 200_000;

/// Reads one document; whatever is wrong is added to `faults`.
pub(crate) fn read(text: &str, source: usize, faults: &mut Vec<Fault>) -> Option<Node> {
    let mut builder =
        Builder { text, source, faults, open: Vec::new(), root: None, nodes: 0, lines: Vec::new() };
    let options = granit_parser::options! {
        emit_unresolved_aliases: true,
        emit_anchor_events: true,
        emit_comments: false,
        disallow_directives: true,
        flow_nesting_limit: DEEPEST,
        block_nesting_limit: DEEPEST,
    };
    let mut documents = 0;
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, span) = match event {
            Ok(event) => event,
            Err(error) => {
                builder.syntax(&error);
                return None;
            }
        };
        let place = span.byte_range().unwrap_or(0..0);
        if matches!(event, Event::DocumentStart(..)) {
            documents += 1;
            if documents == 2 {
                builder.fault(place, "a scenario is one YAML document; this begins another", None);
                return None;
            }
        }
        if !builder.take(event, place, span.tag_span().and_then(|tag| tag.byte_range())) {
            return None;
        }
    }
    builder.root
}

struct Builder<'a> {
    text: &'a str,
    source: usize,
    faults: &'a mut Vec<Fault>,
    open: Vec<Open>,
    root: Option<Node>,
    nodes: usize,
    /// where each line starts, once that was asked for
    lines: Vec<usize>,
}

/// A list or map whose end hasn't come yet.
enum Open {
    List { start: usize, items: Vec<Node> },
    Map { start: usize, entries: Vec<Entry>, seen: HashMap<String, usize>, key: Option<Key> },
}

/// `name: None` where the key can't be used; its value is dropped.
struct Key {
    name: Option<String>,
    span: Span,
}

impl Builder<'_> {
    fn span(&self, range: Range<usize>) -> Span {
        Span::new(self.source, range)
    }

    fn fault(&mut self, range: Range<usize>, message: impl Into<String>, help: Option<&str>) {
        let span = self.span(range);
        self.faults.push(Fault { span, message: message.into(), help: help.map(str::to_owned) });
    }

    fn syntax(&mut self, error: &ScanError) {
        let at = error.marker().byte_offset().unwrap_or(self.text.len());
        self.fault(
            at..at + 1,
            format!("not YAML: {}", scalar::explain(error.kind())),
            scalar::advice(error.kind()),
        );
    }

    /// False where reading can't go on.
    fn take(&mut self, event: Event<'_>, place: Range<usize>, tag: Option<Range<usize>>) -> bool {
        if let Some(tag) = tag {
            let help = "leave it out; a value's type follows from how it is written";
            self.fault(tag, "tags are not allowed", Some(help));
        }
        match event {
            Event::Scalar(value, style, ..) => self.scalar(&value, style, place),
            Event::SequenceStart(..) => {
                self.open.push(Open::List { start: place.start, items: Vec::new() });
            }
            Event::MappingStart(..) => {
                let start = place.start;
                let (entries, seen) = (Vec::new(), HashMap::new());
                self.open.push(Open::Map { start, entries, seen, key: None });
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(place.end),
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                let help = "write the value out, or use a parameter: `${name}`";
                self.fault(place.clone(), "aliases are not allowed", Some(help));
                let span = self.span(place);
                self.place_node(Node { span, value: Value::Broken });
            }
            Event::Anchor(..) => {
                let help = "write the value out where it is needed, or use a parameter: `${name}`";
                self.fault(place, "anchors are not allowed", Some(help));
                return self.faults.len() < MOST_FAULTS;
            }
            // The parser's own enum grows; what is no value doesn't matter here.
            _ => return true,
        }
        self.nodes += 1;
        if self.nodes == MOST_NODES {
            self.fault(0..0, format!("more than {MOST_NODES} values in one file"), None);
        }
        self.nodes < MOST_NODES && self.faults.len() < MOST_FAULTS
    }

    fn scalar(&mut self, value: &str, style: ScalarStyle, place: Range<usize>) {
        let span = self.span(place);
        if let Some(Open::Map { key: key @ None, seen, .. }) = self.open.last_mut() {
            let first = seen.get(value).copied();
            let name = first.is_none().then(|| value.to_owned());
            seen.entry(value.to_owned()).or_insert(span.start);
            *key = Some(Key { name, span: span.clone() });
            if let Some(first) = first {
                let line = self.line_of(first);
                let message = format!("key {} comes twice; first in line {line}", quote(value));
                self.fault(span.start..span.end, message, None);
            }
            return;
        }
        let value = scalar::resolve(value, style, self.text, &span);
        self.place_node(Node { span, value });
    }

    /// The number of the line that a place is in.
    fn line_of(&mut self, place: usize) -> usize {
        if self.lines.is_empty() {
            self.lines.push(0);
            self.lines.extend(self.text.match_indices('\n').map(|(newline, _)| newline + 1));
        }
        self.lines.partition_point(|start| *start <= place)
    }

    fn close(&mut self, end: usize) {
        let Some(open) = self.open.pop() else { return };
        let (start, value) = match open {
            Open::List { start, items } => (start, Value::List(items)),
            Open::Map { start, entries, .. } => (start, Value::Map(entries)),
        };
        let end = self.text[..end.min(self.text.len())].trim_end().len();
        let span = self.span(start..end);
        self.place_node(Node { span, value });
    }

    /// Puts a finished node where it belongs: into the innermost open list or map.
    fn place_node(&mut self, node: Node) {
        let refused = match self.open.last_mut() {
            None => {
                self.root = Some(node);
                return;
            }
            Some(Open::List { items, .. }) => {
                items.push(node);
                return;
            }
            Some(Open::Map { entries, key, .. }) => match key.take() {
                Some(Key { name: Some(name), span }) => {
                    entries.push(Entry { key: name, key_span: span, value: node });
                    return;
                }
                Some(Key { name: None, .. }) => return,
                None => {
                    *key = Some(Key { name: None, span: node.span.clone() });
                    node
                }
            },
        };
        if refused.value != Value::Broken {
            self.fault(refused.span.start..refused.span.end, "a key must be text", None);
        }
    }
}
