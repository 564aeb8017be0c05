//! A recipe as a file: what it is and says of itself, read without running it.

#[cfg(not(fuzzing))]
mod build;
mod imports;
mod manifest;
mod new;
mod parameters;
mod sdk;
mod show;

use std::path::Path;

use sha2::{Digest, Sha256};
use wasmparser::{Encoding, Parser, Payload};

use crate::file::{Refused, bounded, ordinary};
use crate::grant::Rule;
use crate::text;
use crate::text::escape;
use crate::{builtin, scenario};

#[cfg(not(fuzzing))]
pub use build::build;
pub use manifest::{Asked, HOST_API, Manifest, Parameter};
pub use new::create;
pub use sdk::sdk;
pub use show::show;

/// A component's bytes with what they say.
#[derive(Debug)]
pub struct Recipe {
    /// As it was asked for, and as it is shown: `builtin:ip` or a path.
    pub source: String,
    bytes: Vec<u8>,
    pub imports: Vec<String>,
    pub exports: Vec<String>,
    pub manifest: Option<Manifest>,
    /// what the manifest asks for
    asks: Vec<Rule>,
}

impl Recipe {
    /// Loads a built-in recipe or a file. The error is a sentence.
    pub fn load(place: &scenario::Recipe, longest: usize) -> Result<Self, String> {
        let (source, bytes) = match place {
            scenario::Recipe::Builtin(name) => {
                let unknown = || format!("there is no built-in recipe `{name}`");
                (format!("builtin:{name}"), builtin::find(name).ok_or_else(unknown)?.to_vec())
            }
            scenario::Recipe::File(path) => (text::path(path), read(path, longest)?),
        };
        Self::parse(&source, bytes)
    }

    /// The same from its bytes.
    pub fn parse(source: &str, bytes: Vec<u8>) -> Result<Self, String> {
        let mut recipe = Self {
            source: source.to_owned(),
            bytes: Vec::new(),
            imports: Vec::new(),
            exports: Vec::new(),
            manifest: None,
            asks: Vec::new(),
        };
        let broken = |error: wasmparser::BinaryReaderError| {
            // Names of the file's own are in its words.
            let error = escape(&error.to_string());
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
        recipe.refuse_other_contracts()?;
        if let Some(manifest) = &recipe.manifest {
            recipe.asks = manifest.asks().map_err(|rule| {
                format!("the manifest of recipe `{source}` asks for what there isn't: {rule}")
            })?;
        }
        Ok(recipe)
    }

    fn note(&mut self, payload: Payload<'_>, depth: usize) -> Result<(), String> {
        let broken = |error: wasmparser::BinaryReaderError| escape(&error.to_string());
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
            // The compiler leaves it in the module inside.
            Payload::CustomSection(section)
                if section.name() == manifest::SECTION && depth <= 1 =>
            {
                if self.manifest.is_some() {
                    return Err(format!("recipe `{}` has two manifests", self.source));
                }
                let manifest = Manifest::read(section.data()).map_err(|rule| {
                    format!("the manifest of recipe `{}` is broken: {rule}", self.source)
                })?;
                self.manifest = Some(manifest);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// What its manifest asks for, beyond the lab.
    pub fn asks(&self) -> &[Rule] {
        &self.asks
    }

    /// Whether it came with this program.
    pub fn is_builtin(&self) -> bool {
        self.source.starts_with("builtin:")
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
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
    let shown = text::path(path);
    let unreadable = |error: Refused| match error {
        Refused::Special(_) => format!("can't read recipe `{shown}`: it is no ordinary file"),
        other => format!("can't read recipe `{shown}`: {other}"),
    };
    let file = ordinary(path).map_err(unreadable)?;
    let size = file.metadata().map_err(|error| unreadable(error.into()))?.len();
    if size > longest as u64 {
        return Err(format!("recipe `{shown}` has {size} bytes; {longest} are allowed"));
    }
    // It may grow meanwhile.
    bounded(file, longest as u64).map_err(unreadable)
}
