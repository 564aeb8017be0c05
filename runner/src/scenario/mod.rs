//! Stage 1: the scenario file, read whole and checked before anything else happens; every fault
//! with its place.

mod check;
mod check_read;
mod check_show;
mod frames;
mod limits;
mod link_words;
mod reach;
pub mod schema;
mod step;
mod variables;

#[cfg(test)]
mod tests;

use crate::document;
use crate::document::{Entry, Node, Reader, Sources, Span, Value, quote};
use std::path::Path;

pub use crate::document::{Fault, Faults, Location, Override};
pub use crate::records::Remembered;
pub use check::{
    AddressCheck, ArpCheck, Because, Check, Expect, ExpectTcp, LinkCheck, NeighbourCheck,
    PingCheck, RouteCheck, SysctlCheck, TcpCheck,
};
pub use frames::{Capture, FramesCheck};
pub use limits::Limits;
pub use netwright_network::units::{duration, size};
pub use reach::reaches;
pub(crate) use step::recipe_named;
pub use step::{Recipe, Step};

pub use crate::policy::Target;
use variables::Variables;

/// A scenario file may be this long, bytes.
pub const LONGEST: u64 = 1 << 20;

/// What is to run, and what must hold afterwards.
#[derive(Debug, Clone)]
pub struct Scenario {
    pub name: String,
    pub description: Option<String>,
    /// what the file says; a flag may say otherwise
    pub target: Option<Target>,
    /// what is captured from the start
    pub captures: Vec<Capture>,
    pub steps: Vec<Step>,
    pub checks: Vec<PlacedCheck>,
    pub limits: Limits,
    /// none of a recipe alone, which has no checks
    pub remembered: Option<Remembered>,
    sources: Sources,
}

/// A check, and where it stands in the file.
#[derive(Debug, Clone, PartialEq)]
pub struct PlacedCheck {
    pub check: Check,
    pub location: Location,
}

/// What a recipe's own `check` says of its parameters: the contract's `guest.fault`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecipeFault {
    pub parameter: String,
    /// RFC 6901, into a structured parameter; otherwise empty
    pub pointer: String,
    /// from 1, into a text parameter; 0 where there is none
    pub line: u32,
    /// characters from 1
    pub column: u32,
    pub message: String,
    pub help: Option<String>,
}

impl Scenario {
    /// What was remembered, with the parameters that it had; files of recipes are not looked for.
    pub fn again(remembered: &Remembered) -> Result<Self, Faults> {
        let given: Vec<_> = remembered.parameters.iter().map(Override::again).collect();
        Self::parse(&remembered.text, &remembered.name, &given)
    }

    /// Reads and checks a file, or standard input where it is `-`. Paths of recipes are looked for
    /// in the file's folder.
    pub fn load(path: &Path, overrides: &[Override]) -> Result<Self, Faults> {
        let name = document::text::name(path);
        let text = document::text::read(path, LONGEST).map_err(Faults::unread)?;
        Self::read(&text, &name, Some(path.parent().unwrap_or(Path::new(""))), overrides)
    }

    /// Checks a text under the name that its faults shall show; files of recipes are not looked
    /// for.
    pub fn parse(text: &str, name: &str, overrides: &[Override]) -> Result<Self, Faults> {
        Self::read(text, name, None, overrides)
    }

    /// One recipe with parameters from the command line, as `netwright run builtin:ip -p …` has it.
    pub fn of_recipe(recipe: &str, overrides: &[Override]) -> Result<Self, Faults> {
        let (mut sources, mut reader) = (Sources::default(), Reader::default());
        let source = sources.add("command line", recipe);
        let span = Span::new(source, 0..recipe.len());
        let named = step::recipe_named(recipe, Some(Path::new("")));
        let named = reader.accept(&span, named);
        let mut params: Vec<Entry> = Vec::new();
        for given in overrides {
            let value = given.node(&mut sources, &mut reader);
            if params.iter().any(|entry| entry.key == given.parameter.key) {
                reader.fault(
                    &value.span,
                    format!("parameter {} is given twice", quote(&given.parameter.key)),
                );
            }
            params.push(Entry {
                key: given.parameter.key.clone(),
                key_span: value.span.clone(),
                value,
            });
        }
        match named {
            Some(recipe) if reader.faults.is_empty() => {
                let name = step::default_name(&recipe);
                let step = Step { name: name.clone(), recipe, grants: None, span, params };
                Ok(Self {
                    name,
                    description: None,
                    target: None,
                    captures: Vec::new(),
                    steps: vec![step],
                    checks: Vec::new(),
                    limits: Limits::default(),
                    remembered: None,
                    sources,
                })
            }
            Some(_) | None => Err(Faults::new(sources, reader.faults)),
        }
    }

    fn read(
        text: &str,
        name: &str,
        folder: Option<&Path>,
        overrides: &[Override],
    ) -> Result<Self, Faults> {
        let (mut sources, mut reader) = (Sources::default(), Reader::default());
        if text.len() as u64 > LONGEST {
            let shown = quote(name);
            let message = format!("{shown} has {} bytes; {LONGEST} are possible", text.len());
            return Err(Faults::unread(message));
        }
        let source = sources.add(name, text);
        let root = match document::yaml(text, source, &mut reader.faults) {
            Some(node) if node.value != Value::Null => node,
            Some(_) | None => {
                if reader.faults.is_empty() {
                    reader.fault(&Span::new(source, 0..0), "the file holds no scenario");
                }
                return Err(Faults::new(sources, reader.faults));
            }
        };
        match Draft::read(&root, folder, overrides, &mut sources, &mut reader) {
            Some(draft) if reader.faults.is_empty() => {
                let (name, text) = (name.to_owned(), text.to_owned());
                let parameters = overrides.iter().map(|given| given.parameter.clone()).collect();
                let remembered = Remembered { name, text, parameters };
                Ok(Scenario { remembered: Some(remembered), ..draft.finish(sources) })
            }
            Some(_) | None => Err(Faults::new(sources, reader.faults)),
        }
    }

    /// Where the thing stands that a recipe complains of.
    pub fn locate(&self, step: usize, fault: &RecipeFault) -> Location {
        self.sources.locate(&self.span_of(step, fault))
    }

    /// A recipe's complaints as faults of the scenario.
    pub fn recipe_faults(&self, step: usize, faults: &[RecipeFault]) -> Faults {
        let place = |fault: &RecipeFault| Fault {
            span: self.span_of(step, fault),
            message: fault.message.clone(),
            help: fault.help.clone(),
        };
        Faults::new(self.sources.clone(), faults.iter().map(place).collect())
    }

    fn span_of(&self, step: usize, fault: &RecipeFault) -> Span {
        let Some(step) = self.steps.get(step) else { return Span::new(0, 0..0) };
        let Some(entry) = step.param(&fault.parameter) else { return step.span.clone() };
        let node = entry.value.follow(&fault.pointer);
        let Value::Text(text) = &node.value else { return node.span.clone() };
        if fault.line == 0 {
            return node.span.clone();
        }
        let at = text.offset_of(fault.line as usize, fault.column.max(1) as usize);
        let (source, start) = text.place(at);
        let behind = self.sources.source(source).get(start..).unwrap_or_default();
        let word = behind.find(|c: char| c.is_whitespace() || c == '"').unwrap_or(behind.len());
        Span::new(source, start..start + word.max(1))
    }
}

/// A scenario whose parts may be missing.
struct Draft {
    name: Option<String>,
    description: Option<String>,
    target: Option<Target>,
    captures: Vec<Capture>,
    steps: Vec<Step>,
    checks: Vec<(Check, Span)>,
    limits: Limits,
}

impl Draft {
    fn read(
        root: &Node,
        folder: Option<&Path>,
        overrides: &[Override],
        sources: &mut Sources,
        reader: &mut Reader,
    ) -> Option<Self> {
        let mut fields = reader.map(root, "a scenario")?;
        let variables = Variables::new(fields.get("params"), overrides, sources, reader);
        let draft = Self {
            name: fields
                .need(reader, "name")
                .and_then(|node| reader.parsed(node, crate::naming::title)),
            description: fields
                .get("description")
                .and_then(|node| reader.text(node).map(str::to_owned)),
            target: fields.get("target").and_then(|node| {
                reader.word(node, &[("lab", Target::Lab), ("host", Target::Host)])
            }),
            captures: fields
                .get("captures")
                .map(|node| frames::captures(&variables.substitute(node, reader), reader))
                .unwrap_or_default(),
            steps: fields
                .need(reader, "steps")
                .map(|node| step::read(node, folder, &variables, reader))
                .unwrap_or_default(),
            checks: fields
                .get("checks")
                .map(|node| checks(node, &variables, reader))
                .unwrap_or_default(),
            limits: fields
                .get("limits")
                .map(|node| Limits::read(&variables.substitute(node, reader), reader))
                .unwrap_or_default(),
        };
        reader.close(fields);
        Some(draft)
    }

    fn finish(self, sources: Sources) -> Scenario {
        let place =
            |(check, span): (Check, Span)| PlacedCheck { check, location: sources.locate(&span) };
        Scenario {
            name: self.name.unwrap_or_default(),
            description: self.description,
            target: self.target,
            captures: frames::all_captures(self.captures, &self.checks),
            steps: self.steps,
            checks: self.checks.into_iter().map(place).collect(),
            limits: self.limits,
            remembered: None,
            sources,
        }
    }
}

fn checks(node: &Node, variables: &Variables, reader: &mut Reader) -> Vec<(Check, Span)> {
    let node = variables.substitute(node, reader);
    let items = reader.list(&node).unwrap_or_default();
    items
        .iter()
        .filter_map(|item| check_read::read(item, reader).map(|check| (check, item.span.clone())))
        .collect()
}
