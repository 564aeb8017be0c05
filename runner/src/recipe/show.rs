//! `recipe inspect`: what a recipe is, shown without running it.

use std::path::Path;

use super::Recipe;
use super::manifest::Parameter;
use crate::exit::{Exit, Failure};
use crate::report::{self};
use crate::scenario;
use crate::scenario::Limits;
use crate::text::escape;

/// Prints what a recipe is and says of itself, without running it.
pub fn show(place: &str, json: bool) -> Result<Exit, Failure> {
    let named = scenario::recipe_named(place, Some(Path::new(""))).map_err(Failure::usage)?;
    let recipe = Recipe::load(&named, Limits::default().recipe_bytes).map_err(Failure::usage)?;
    let text = if json { recipe.json() } else { recipe.text() };
    report::answer(json, &text)
}

impl Recipe {
    fn json(&self) -> String {
        let document = serde_json::json!({
            "schema": 1,
            "source": self.source,
            "digest": format!("sha256:{}", self.digest()),
            "bytes": self.bytes.len(),
            "imports": self.imports,
            "exports": self.exports,
            "manifest": self.manifest,
            "mismatches": self.mismatches(),
        });
        format!("{document:#}\n")
    }

    fn text(&self) -> String {
        let mut lines = Vec::new();
        match &self.manifest {
            Some(manifest) => {
                lines.push(format!("{} {}", escape(&manifest.name), escape(&manifest.version)));
                lines
                    .extend(manifest.description.lines().map(|line| format!("  {}", escape(line))));
                lines.push(format!("host API     {}", escape(&manifest.api)));
            }
            None => lines.push(format!("{} (without a manifest)", escape(&self.source))),
        }
        lines.push(format!("digest       sha256:{}", self.digest()));
        lines.push(format!("size         {} bytes", self.bytes.len()));
        lines.push("imports".to_owned());
        lines.extend(self.imports.iter().map(|import| format!("  {}", escape(import))));
        if let Some(manifest) = &self.manifest {
            lines.push("parameters".to_owned());
            lines.extend(manifest.parameters.iter().map(Parameter::line));
            lines.push("asks for, beyond the lab".to_owned());
            lines.extend(manifest.capabilities.iter().map(|request| {
                format!("  {}: {}", escape(&request.capability), escape(&request.reason))
            }));
            if manifest.capabilities.is_empty() {
                lines.push("  nothing".to_owned());
            }
        }
        let mismatches = self.mismatches();
        if !mismatches.is_empty() {
            lines.push("does not fit together".to_owned());
            lines.extend(mismatches.iter().map(|mismatch| format!("  {mismatch}")));
        }
        lines.join("\n") + "\n"
    }
}

impl Parameter {
    fn line(&self) -> String {
        let mut words = vec![format!("  {}: {}", escape(&self.name), escape(&self.kind))];
        words.extend(
            self.choices.as_ref().map(|choices| format!("({})", escape(&choices.join(", ")))),
        );
        words.extend(self.range.map(|(least, most)| format!("({least} to {most})")));
        match &self.default {
            Some(default) => words.push(format!("= {}", escape(&default.to_string()))),
            None if self.required => words.push("(required)".to_owned()),
            None => {}
        }
        if !self.description.is_empty() {
            words.push(format!("- {}", escape(&self.description)));
        }
        words.join(" ")
    }
}
