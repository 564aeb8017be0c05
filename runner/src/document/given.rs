//! What was typed and written, as it is kept: the text of a file and the parameters that it had.

use std::path::Path;

use super::fault::{Fault, Faults, Sources, Span, quote};
use super::read::Reader;
use super::tree::{Node, Piece, Text, Value};
use super::{scalar, text, yaml};
use crate::records::Parameter;

/// A file given by `KEY=@FILE` may be this long, bytes.
const LONGEST_FILE: u64 = 16 << 20;

/// One `-p KEY=VALUE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    pub(crate) parameter: Parameter,
}

impl Override {
    pub fn new(key: &str, value: &str) -> Self {
        Self::again(&Parameter { key: key.to_owned(), value: value.to_owned(), file: None })
    }

    /// As it was given before.
    pub fn again(parameter: &Parameter) -> Self {
        Self { parameter: parameter.clone() }
    }

    /// Takes `KEY=VALUE` apart; `KEY=@FILE` reads the file.
    pub fn read(argument: &str) -> Result<Self, Faults> {
        let refused = |message: String, help: &str| {
            let mut sources = Sources::default();
            let source = sources.add("command line", format!("-p {argument}"));
            let span = Span::new(source, 3..3 + argument.len());
            Faults::new(sources, vec![Fault { span, message, help: Some(help.to_owned()) }])
        };
        let Some((key, value)) = argument.split_once('=') else {
            let message = format!("{} has no `=`", quote(argument));
            return Err(refused(message, "write -p KEY=VALUE or -p KEY=@FILE"));
        };
        let Some(file) = value.strip_prefix('@') else { return Ok(Self::new(key, value)) };
        let value = text::read(Path::new(file), LONGEST_FILE).map_err(|message| {
            refused(message, "KEY=@FILE reads the value from a file, KEY=@- from standard input")
        })?;
        let file = Some(text::name(Path::new(file)));
        Ok(Self { parameter: Parameter { key: key.to_owned(), value, file } })
    }

    /// The source it is shown as in faults, and where its value begins in it.
    fn source(&self, sources: &mut Sources) -> (usize, usize) {
        match &self.parameter.file {
            Some(file) => (sources.add(file, self.parameter.value.clone()), 0),
            None => {
                let before = format!("-p {}=", self.parameter.key);
                let source =
                    sources.add("command line", format!("{before}{}", self.parameter.value));
                (source, before.len())
            }
        }
    }

    /// As data where it is meant so, else as text.
    pub(crate) fn node(&self, sources: &mut Sources, reader: &mut Reader) -> Node {
        let (source, begins) = self.source(sources);
        let data = self.parameter.value.trim_start().starts_with(['[', '{'])
            || self.parameter.file.as_deref().is_some_and(|file| {
                [".yaml", ".yml", ".json"].iter().any(|ending| file.ends_with(ending))
            });
        let node = data.then(|| self.data(source, begins, reader));
        node.unwrap_or_else(|| self.text(source, begins))
    }

    fn text(&self, source: usize, begins: usize) -> Node {
        let span = Span::new(source, begins..begins + self.parameter.value.len());
        let piece = Piece { at: 0, source, offset: begins, literal: true };
        let text = Text { value: self.parameter.value.clone(), pieces: vec![piece] };
        Node { span, value: Value::Text(text) }
    }

    /// Read as YAML; blanks stand for what comes before it in its source.
    fn data(&self, source: usize, begins: usize, reader: &mut Reader) -> Node {
        let padded = " ".repeat(begins) + &self.parameter.value;
        let text = if begins == 0 { &self.parameter.value } else { &padded };
        let broken = Span::new(source, begins..begins + self.parameter.value.len());
        yaml::read(text, source, &mut reader.faults)
            .unwrap_or(Node { span: broken, value: Value::Broken })
    }

    /// In the type of the default that it replaces.
    pub(crate) fn replace(
        &self,
        default: &Node,
        sources: &mut Sources,
        reader: &mut Reader,
    ) -> Node {
        match default.value {
            Value::Text(_) => {
                let (source, begins) = self.source(sources);
                return self.text(source, begins);
            }
            Value::Null | Value::Broken => return self.loose(sources, reader),
            Value::Bool(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::List(_)
            | Value::Map(_) => {}
        }
        let node = self.loose(sources, reader);
        if node.value != Value::Broken && node.kind() != default.kind() {
            let message = format!(
                "parameter {} is {}, as its default is; this is {}",
                quote(&self.parameter.key),
                default.kind(),
                node.kind()
            );
            reader.fault(&node.span, message);
            return Node { span: node.span, value: Value::Broken };
        }
        node
    }

    /// By the looks of it: data, a number, true or false, else text.
    fn loose(&self, sources: &mut Sources, reader: &mut Reader) -> Node {
        let mut node = self.node(sources, reader);
        if matches!(node.value, Value::Text(_))
            && let Some(value) = scalar::plain(&self.parameter.value)
        {
            node.value = value;
        }
        node
    }
}
