//! The scenario as a tree in which every node knows where it was written.

use serde_json::Value as Json;

use super::fault::Span;

/// A node and its place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) span: Span,
    pub(crate) value: Value,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(Text),
    List(Vec<Node>),
    Map(Vec<Entry>),
    /// reported already; whoever meets it says nothing more
    Broken,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_span: Span,
    pub(crate) value: Node,
}

/// Text, with the way back from each of its bytes to the source.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Text {
    pub(crate) value: String,
    /// in the order of `at`; the first one begins at 0
    pub(crate) pieces: Vec<Piece>,
}

/// A stretch of a text, up to the next one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Piece {
    /// where it begins in the text, bytes
    pub(crate) at: usize,
    pub(crate) source: usize,
    /// where it begins in the source, bytes
    pub(crate) offset: usize,
    /// byte follows byte; otherwise all of the piece is at `offset`, as an escape or a variable is
    pub(crate) literal: bool,
}

impl Text {
    /// The place in the source of a byte of the text.
    pub(crate) fn place(&self, at: usize) -> (usize, usize) {
        let index = self.pieces.partition_point(|piece| piece.at <= at).saturating_sub(1);
        self.pieces.get(index).map_or((0, 0), |piece| {
            let further = if piece.literal { at.saturating_sub(piece.at) } else { 0 };
            (piece.source, piece.offset + further)
        })
    }

    /// The byte at a line and column, both from 1 and the column in characters.
    pub(crate) fn offset_of(&self, line: usize, column: usize) -> usize {
        let mut start = 0;
        for _ in 1..line {
            match self.value[start..].find('\n') {
                Some(newline) => start += newline + 1,
                None => return self.value.len(),
            }
        }
        let rest = self.value[start..].split('\n').next().unwrap_or_default();
        let within = rest.char_indices().nth(column.saturating_sub(1));
        start + within.map_or(rest.len(), |(at, _)| at)
    }
}

impl Node {
    /// The node that an RFC 6901 pointer leads to, or the nearest one on the way.
    ///
    /// A last step to a key that is there ends at the key's value.
    pub(crate) fn follow(&self, pointer: &str) -> &Self {
        let mut node = self;
        for step in pointer.split('/').skip(1) {
            let step = step.replace("~1", "/").replace("~0", "~");
            let next = match &node.value {
                Value::List(items) => step.parse().ok().and_then(|index: usize| items.get(index)),
                Value::Map(entries) => {
                    entries.iter().find(|entry| entry.key == step).map(|entry| &entry.value)
                }
                Value::Null
                | Value::Bool(_)
                | Value::Integer(_)
                | Value::Float(_)
                | Value::Text(_)
                | Value::Broken => None,
            };
            match next {
                Some(next) => node = next,
                None => break,
            }
        }
        node
    }

    /// As JSON.
    pub(crate) fn to_json(&self) -> Json {
        match &self.value {
            Value::Null | Value::Broken => Json::Null,
            Value::Bool(value) => Json::Bool(*value),
            Value::Integer(value) => Json::from(*value),
            Value::Float(value) => Json::from(*value),
            Value::Text(text) => Json::String(text.value.clone()),
            Value::List(items) => Json::Array(items.iter().map(Self::to_json).collect()),
            Value::Map(entries) => Json::Object(
                entries.iter().map(|entry| (entry.key.clone(), entry.value.to_json())).collect(),
            ),
        }
    }

    /// What a recipe gets: text as it is, everything else as JSON.
    pub(crate) fn to_parameter(&self) -> String {
        match &self.value {
            Value::Text(text) => text.value.clone(),
            Value::Null
            | Value::Bool(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::List(_)
            | Value::Map(_)
            | Value::Broken => self.to_json().to_string(),
        }
    }

    /// What it is, for messages: `a list`.
    pub(crate) fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "true or false",
            Value::Integer(_) | Value::Float(_) => "a number",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
            Value::Broken => "broken",
        }
    }
}
