//! The steps of a scenario: which recipe runs with which parameters.

use std::path::{Path, PathBuf};

use super::variables::Variables;
use crate::builtin;
use crate::document::{Entry, Node, Reader, Span, Value, quote, suggestion};
use crate::grant::{self, Reading, Rule};

/// Where a recipe comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipe {
    /// the name behind `builtin:`
    Builtin(String),
    File(PathBuf),
}

/// One recipe run.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    pub name: String,
    pub recipe: Recipe,
    /// what its recipe's requests are narrowed to, where the step says so
    pub grants: Option<Vec<Rule>>,
    /// where the recipe is named; faults of absent parameters are shown here
    pub(crate) span: Span,
    pub(crate) params: Vec<Entry>,
}

impl Step {
    /// What the recipe gets, in the order of the file: text as it is, everything else as JSON.
    pub fn params(&self) -> Vec<(String, String)> {
        let pair = |entry: &Entry| (entry.key.clone(), entry.value.to_parameter());
        self.params.iter().map(pair).collect()
    }

    pub(crate) fn param(&self, name: &str) -> Option<&Entry> {
        self.params.iter().find(|entry| entry.key == name)
    }
}

/// Reads the steps; a recipe's file is looked for in `folder` where there is one.
pub(crate) fn read(
    node: &Node,
    folder: Option<&Path>,
    variables: &Variables,
    reader: &mut Reader,
) -> Vec<Step> {
    let Some(items) = reader.list(node) else { return Vec::new() };
    if items.is_empty() {
        reader.fault(&node.span, "a scenario has at least one step");
    }
    let mut steps: Vec<Step> = Vec::new();
    for item in items {
        let Some((step, name_span)) = read_one(item, folder, variables, reader) else { continue };
        if let Some(place) = steps.iter().position(|other| other.name == step.name) {
            let message =
                format!("step name {} is already that of step {}", quote(&step.name), place + 1);
            reader.fault(&name_span, message);
        }
        steps.push(step);
    }
    steps
}

fn read_one(
    node: &Node,
    folder: Option<&Path>,
    variables: &Variables,
    reader: &mut Reader,
) -> Option<(Step, Span)> {
    let mut fields = reader.map(node, "a step")?;
    let name = fields.get("name").map(|node| (node, reader.parsed(node, crate::naming::title)));
    let recipe = fields.need(reader, "recipe");
    let params = fields.get("params").map(|node| params(node, variables, reader));
    let grants = fields.get("grants").map(|node| grants(node, reader));
    reader.close(fields);
    let recipe_node = recipe?;
    let recipe = reader.parsed(recipe_node, |text| recipe_named(text, folder))?;
    let (name, name_span) = match name {
        Some((node, name)) => (name?, node.span.clone()),
        None => (default_name(&recipe), recipe_node.span.clone()),
    };
    let params = params.unwrap_or_default();
    let span = recipe_node.span.clone();
    Some((Step { name, recipe, grants, span, params }, name_span))
}

/// The builtin's name, or the file's without its ending.
pub(crate) fn default_name(recipe: &Recipe) -> String {
    match recipe {
        Recipe::Builtin(name) => name.clone(),
        Recipe::File(path) => path
            .file_stem()
            .map_or_else(|| "recipe".to_owned(), |stem| stem.to_string_lossy().into_owned()),
    }
}

fn params(node: &Node, variables: &Variables, reader: &mut Reader) -> Vec<Entry> {
    let node = variables.substitute(node, reader);
    let Value::Map(entries) = node.value else {
        return reader.wrong(&node, "a map (the recipe's parameters)").unwrap_or_default();
    };
    entries
}

fn grants(node: &Node, reader: &mut Reader) -> Vec<Rule> {
    grant::rules(node, Reading::Ask, &|_| "the step's `grants`".to_owned(), reader)
}

/// `builtin:NAME`, or a path to a component.
pub(crate) fn recipe_named(text: &str, folder: Option<&Path>) -> Result<Recipe, String> {
    if let Some(name) = text.strip_prefix("builtin:") {
        if builtin::names().any(|known| known == name) {
            return Ok(Recipe::Builtin(name.to_owned()));
        }
        if builtin::are_missing() {
            return Err(builtin::MISSING.to_owned());
        }
        let help = suggestion(name, builtin::names()).unwrap_or_else(|| {
            format!("there are {}", builtin::names().collect::<Vec<_>>().join(", "))
        });
        return Err(format!("unknown built-in recipe {}\n  help: {help}", quote(name)));
    }
    if builtin::names().any(|known| known == text) {
        return Err(format!(
            "{} is not a path\n  help: did you mean `builtin:{text}`?",
            quote(text)
        ));
    }
    if !text.ends_with(".wasm") {
        return Err(format!(
            "{} is neither `builtin:NAME` nor a path to a `.wasm` file",
            quote(text)
        ));
    }
    let path = folder.map_or_else(|| PathBuf::from(text), |folder| folder.join(text));
    if folder.is_some() && !path.is_file() {
        let mut message = format!("no recipe at {}", quote(&path.to_string_lossy()));
        if path.is_relative() {
            let named = folder.is_some_and(|folder| folder != Path::new(""));
            let folder = if named { "the scenario's folder" } else { "the current folder" };
            message += &format!("\n  help: the path is relative to {folder}");
        }
        return Err(message);
    }
    Ok(Recipe::File(path))
}
