//! A recipe as a file: what it is and says of itself, read without running it.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use wasmparser::{Encoding, Parser, Payload};

use crate::exit::{Exit, Failure};
use crate::host::Limits;
use crate::report::escape;
use crate::{builtin, report, scenario};

/// The section that holds a recipe's manifest.
const MANIFEST_SECTION: &str = "netwright:manifest";

/// Interfaces outside our own that a recipe may import.
const WASI: [&str; 5] =
    ["wasi:cli/", "wasi:io/", "wasi:clocks/", "wasi:random/", "wasi:filesystem/"];
/// Our own.
const OURS: &str = "netwright:host/";

/// A component's bytes with what they say.
#[derive(Debug)]
pub struct Recipe {
    /// As it was asked for: `builtin:ip` or a path.
    pub source: String,
    bytes: Vec<u8>,
    pub imports: Vec<String>,
    pub exports: Vec<String>,
    pub manifest: Option<Manifest>,
}

/// What a recipe says of itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Manifest {
    pub name: String,
    pub version: String,
    /// The contract that it was written for, such as `0.1.0`.
    pub api: String,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub parameters: Vec<Parameter>,
    #[serde(default)]
    pub capabilities: Vec<Request>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Parameter {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<serde_json::Value>,
    #[serde(default)]
    pub required: bool,
    #[serde(default)]
    pub description: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<serde_json::Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choices: Option<Vec<String>>,
}

/// A capability that a recipe would like, beyond the lab.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Request {
    pub capability: String,
    #[serde(default)]
    pub reason: String,
}

impl Recipe {
    /// Loads a built-in recipe or a file. The error is a sentence.
    pub fn load(place: &scenario::Recipe, longest: usize) -> Result<Self, String> {
        let (source, bytes) = match place {
            scenario::Recipe::Builtin(name) => {
                let unknown = || format!("there is no built-in recipe `{name}`");
                (format!("builtin:{name}"), builtin::find(name).ok_or_else(unknown)?.to_vec())
            }
            scenario::Recipe::File(path) => (path.display().to_string(), read(path, longest)?),
        };
        Self::parse(&source, bytes)
    }

    fn parse(source: &str, bytes: Vec<u8>) -> Result<Self, String> {
        let mut recipe = Self {
            source: source.to_owned(),
            bytes: Vec::new(),
            imports: Vec::new(),
            exports: Vec::new(),
            manifest: None,
        };
        let broken = |error: wasmparser::BinaryReaderError| {
            format!("recipe `{source}` is not valid WebAssembly: {error}")
        };
        // Sections of the modules and components inside come in between.
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(&bytes) {
            let payload = payload.map_err(broken)?;
            match payload {
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                other => recipe.note(other, depth)?,
            }
        }
        recipe.bytes = bytes;
        recipe.refuse_foreign_imports()?;
        Ok(recipe)
    }

    fn note(&mut self, payload: Payload<'_>, depth: usize) -> Result<(), String> {
        let broken = |error: wasmparser::BinaryReaderError| error.to_string();
        match payload {
            Payload::Version { encoding: Encoding::Module, .. } if depth == 0 => Err(format!(
                "recipe `{}` is a core module, not a component\n  help: `wasm-tools component new` turns it into one",
                self.source
            )),
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    self.imports.push(import.map_err(broken)?.name.name.to_owned());
                }
                Ok(())
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    self.exports.push(export.map_err(broken)?.name.name.to_owned());
                }
                Ok(())
            }
            Payload::CustomSection(section) if section.name() == MANIFEST_SECTION => {
                let manifest = serde_json::from_slice(section.data()).map_err(|error| {
                    format!("the manifest of recipe `{}` is broken: {error}", self.source)
                })?;
                self.manifest = Some(manifest);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn refuse_foreign_imports(&self) -> Result<(), String> {
        let allowed = |import: &&String| {
            import.starts_with(OURS) || WASI.iter().any(|prefix| import.starts_with(prefix))
        };
        match self.imports.iter().find(|import| !allowed(import)) {
            None => Ok(()),
            Some(import) => Err(format!(
                "recipe `{}` imports `{import}`, which no recipe gets\n  help: recipes may import `netwright:host` and, of WASI, cli, io, clocks, random and filesystem (without any files)",
                self.source
            )),
        }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn imports_wasi(&self) -> bool {
        self.imports.iter().any(|import| import.starts_with("wasi:"))
    }

    /// SHA-256 of the file, in hexadecimal digits.
    pub fn digest(&self) -> String {
        Sha256::digest(&self.bytes).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The name that its log lines bear.
    pub fn name(&self) -> &str {
        let file = || Path::new(&self.source).file_stem().and_then(|stem| stem.to_str());
        match &self.manifest {
            Some(manifest) => &manifest.name,
            None => file().unwrap_or(&self.source),
        }
    }
}

fn read(path: &Path, longest: usize) -> Result<Vec<u8>, String> {
    let shown = path.display();
    let unreadable = |error| format!("can't read recipe `{shown}`: {error}");
    let size = fs::metadata(path).map_err(unreadable)?.len();
    if size > longest as u64 {
        return Err(format!("recipe `{shown}` has {size} bytes; {longest} are allowed"));
    }
    fs::read(path).map_err(unreadable)
}

/// Prints what a recipe is and says of itself, without running it.
pub fn show(place: &str, json: bool) -> Result<Exit, Failure> {
    let named = scenario::recipe_named(place, Some(Path::new(""))).map_err(Failure::usage)?;
    let recipe = Recipe::load(&named, Limits::default().recipe_bytes).map_err(Failure::usage)?;
    let text = if json { recipe.json() } else { recipe.text() };
    report::print(&text)
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
        lines.join("\n") + "\n"
    }
}

impl Parameter {
    fn line(&self) -> String {
        let mut words = vec![format!("  {}: {}", escape(&self.name), escape(&self.kind))];
        words.extend(
            self.choices.as_ref().map(|choices| format!("({})", escape(&choices.join(", ")))),
        );
        words.extend(self.range.as_ref().map(|range| format!("({})", escape(&range.to_string()))));
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
