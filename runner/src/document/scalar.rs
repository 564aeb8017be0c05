//! What a YAML scalar means (the core schema of YAML 1.2, chapter 10.3), and where each of its
//! bytes was written.

use granit_parser::{ErrorKind, ScalarStyle};

use super::fault::Span;
use super::tree::{Piece, Text, Value};

/// The value that a scalar stands for.
pub(crate) fn resolve(value: &str, style: ScalarStyle, source: &str, span: &Span) -> Value {
    let plain = matches!(style, ScalarStyle::Plain).then(|| plain(value)).flatten();
    plain.unwrap_or_else(|| {
        Value::Text(Text { value: value.to_owned(), pieces: pieces(value, style, source, span) })
    })
}

/// `None` where a plain scalar is text.
pub(crate) fn plain(value: &str) -> Option<Value> {
    match value {
        "" | "~" | "null" | "Null" | "NULL" => return Some(Value::Null),
        "true" | "True" | "TRUE" => return Some(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Some(Value::Bool(false)),
        _ => {}
    }
    integer(value).map(Value::Integer).or_else(|| float(value).map(Value::Float))
}

fn integer(value: &str) -> Option<i64> {
    if let Some(digits) = value.strip_prefix("0x") {
        return (!digits.starts_with(['+', '-'])).then(|| i64::from_str_radix(digits, 16).ok())?;
    }
    if let Some(digits) = value.strip_prefix("0o") {
        return (!digits.starts_with(['+', '-'])).then(|| i64::from_str_radix(digits, 8).ok())?;
    }
    value.parse().ok()
}

/// Infinity and not-a-number stay text, for JSON has neither.
fn float(value: &str) -> Option<f64> {
    let digits = value.bytes().any(|byte| byte.is_ascii_digit());
    let only = value.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    let number: f64 = (digits && only).then(|| value.parse().ok())??;
    number.is_finite().then_some(number)
}

fn pieces(value: &str, style: ScalarStyle, source: &str, span: &Span) -> Vec<Piece> {
    let written = source.get(span.start..span.end).unwrap_or_default();
    let found = match style {
        ScalarStyle::Plain => (written.trim_end() == value).then(|| vec![at(0, span, 0, true)]),
        ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => quoted(value, written, span),
        ScalarStyle::Literal => literal(value, source, span),
        ScalarStyle::Folded => None,
    };
    found.unwrap_or_else(|| vec![at(0, span, 0, false)])
}

fn at(at: usize, span: &Span, further: usize, literal: bool) -> Piece {
    Piece { at, source: span.source, offset: span.start + further, literal }
}

/// Escapes are a piece each. `None` where a line break was folded.
fn quoted(value: &str, written: &str, span: &Span) -> Option<Vec<Piece>> {
    let quote = written.chars().next()?;
    let inner = written.get(1..written.len().checked_sub(1)?)?;
    let mut pieces = vec![at(0, span, 1, true)];
    let mut rest = value.char_indices();
    let mut written = inner.char_indices().peekable();
    while let Some((offset, character)) = written.next() {
        if character == '\n' {
            return None;
        }
        let (place, decoded) = rest.next()?;
        let escaped = match (quote, character) {
            ('\'', '\'') => Some(1),
            ('"', '\\') => Some(match written.peek()?.1 {
                'x' => 3,
                'u' => 5,
                'U' => 9,
                _ => 1,
            }),
            _ => None,
        };
        match escaped {
            Some(length) => {
                written.nth(length - 1)?;
                let next = written.peek().map_or(inner.len(), |(next, _)| *next);
                pieces.push(at(place, span, 1 + offset, false));
                pieces.push(at(place + decoded.len_utf8(), span, 1 + next, true));
            }
            None if character != decoded => return None,
            None => {}
        }
    }
    rest.next().is_none().then_some(pieces)
}

/// A block scalar (`|`): a piece for each line, behind its indentation. Its span begins with the
/// first line that isn't empty.
fn literal(value: &str, source: &str, span: &Span) -> Option<Vec<Piece>> {
    let mut offset = source.get(..span.start)?.rfind('\n')? + 1;
    let indentation = span.start - offset;
    let empty = value.len() - value.trim_start_matches('\n').len();
    let mut pieces = vec![at(0, span, 0, empty == 0)];
    let mut place = empty;
    for line in value[empty..].split_inclusive('\n') {
        let written = source.get(offset..)?.split_inclusive('\n').next().unwrap_or_default();
        let bare = written.trim_end_matches(['\n', '\r']);
        let behind = bare.get(indentation..).unwrap_or_default();
        if behind != line.trim_end_matches('\n') {
            return None;
        }
        let begins = offset + indentation.min(bare.len());
        pieces.push(Piece { at: place, source: span.source, offset: begins, literal: true });
        place += line.len();
        offset += written.len();
    }
    Some(pieces)
}

/// What is wrong, where the parser's own words need the YAML specification beside them.
pub(crate) fn explain(kind: &ErrorKind) -> String {
    match kind {
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabAtBlockScalarStart
        | ErrorKind::TabInPlainScalar => "a tab can't indent".to_owned(),
        ErrorKind::UnclosedFlowCollection { open } => format!("`{open}` is never closed"),
        ErrorKind::MismatchedFlowCollectionEnd { open, close } => {
            format!("`{open}` is closed by `{close}`")
        }
        ErrorKind::MisplacedFlowCollectionEnd => "this bracket closes nothing".to_owned(),
        ErrorKind::UnclosedQuotedScalar => "the quote is never closed".to_owned(),
        ErrorKind::MappingValueNotAllowed => "`: ` can't stand here".to_owned(),
        ErrorKind::DirectiveDisallowed => "directives are not allowed".to_owned(),
        ErrorKind::RecursionLimitExceeded => "lists and maps are nested too deep".to_owned(),
        ErrorKind::SimpleKeyExpected | ErrorKind::ExpectedBlockMappingKey => {
            "a key followed by `:` is expected here".to_owned()
        }
        ErrorKind::UnexpectedCharacter { character } => {
            format!("no value can begin with `{}`", character.escape_debug())
        }
        other => other.to_string(),
    }
}

/// What mends it.
pub(crate) fn advice(kind: &ErrorKind) -> Option<&'static str> {
    match kind {
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabAtBlockScalarStart
        | ErrorKind::TabInPlainScalar => Some("indent with spaces"),
        ErrorKind::MappingValueNotAllowed => {
            Some("put text that holds `: ` in quotes, and each key in a line of its own")
        }
        ErrorKind::UnexpectedCharacter { .. } => Some("put it in quotes"),
        ErrorKind::DirectiveDisallowed => Some("leave the line with `%` out"),
        _ => None,
    }
}
