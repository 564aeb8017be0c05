//! Makes a component of a compiled recipe: the one portable file that netwright runs.

use crate::guest::Toolchain;
use crate::program::build_messages;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::path::{Path, PathBuf};
use wit_component::{ComponentEncoder, DecodedWasm};

/// What the contract's world `recipe` exports.
const RECIPE_EXPORT: &str = "netwright:host/guest@";

/// What to build, and where cargo shall put what it makes on the way.
pub(crate) struct Crates<'a> {
    /// a package of the workspace, or a pattern such as `recipe-*`
    pub(crate) packages: &'a str,
    pub(crate) profile: &'a str,
    pub(crate) target_folder: &'a Path,
}

/// A recipe crate after its compilation.
pub(crate) struct Compiled {
    /// the cargo package
    pub(crate) package: String,
    /// the core module
    pub(crate) module: PathBuf,
}

/// Compiles recipe crates to core modules; cargo decides what has to be compiled anew.
pub(crate) fn compile(toolchain: Toolchain, crates: &Crates<'_>) -> Result<Vec<Compiled>> {
    let mut command = toolchain.cargo_build();
    command.args(["--lib", "--package", crates.packages, "--profile", crates.profile]);
    command.arg("--target-dir").arg(crates.target_folder);
    let artifacts = build_messages(&mut command)?;
    let compiled = artifacts.iter().map(read_artifact).collect::<Result<Vec<_>>>()?;
    Ok(compiled.into_iter().flatten().collect())
}

/// None where cargo built anything but a core module, such as a dependency.
fn read_artifact(artifact: &Value) -> Result<Option<Compiled>> {
    let files = artifact["filenames"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let is_module = |file: &PathBuf| file.extension() == Some("wasm".as_ref());
    let Some(module) = files.map(PathBuf::from).find(is_module) else { return Ok(None) };
    let manifest =
        artifact["manifest_path"].as_str().context("cargo's message has no `manifest_path`")?;
    Ok(Some(Compiled { package: package_name(Path::new(manifest))?, module }))
}

/// An artifact's message names the library, whose name has lost its hyphens, and an identifier of
/// the package that is not for reading; the manifest has the name as written.
fn package_name(manifest: &Path) -> Result<String> {
    let text = std::fs::read_to_string(manifest)
        .with_context(|| format!("`{}` can't be read", manifest.display()))?;
    let name = text.lines().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        (key.trim() == "name").then(|| value.trim().trim_matches('"').to_owned())
    });
    name.with_context(|| format!("`{}` names no package", manifest.display()))
}

/// The component of a core module. Custom sections such as `netwright:manifest` stay in the module
/// inside, where a reader finds them one level down.
pub(crate) fn encode(compiled: &Compiled) -> Result<Vec<u8>> {
    let name = &compiled.package;
    let module = std::fs::read(&compiled.module)
        .with_context(|| format!("`{}` can't be read", compiled.module.display()))?;
    let component = ComponentEncoder::default()
        .validate(true)
        .module(&module)
        .and_then(|encoder| encoder.encode())
        .map_err(|error| error.context(format!("`{name}` can't be made a component")))?;
    if exports(&component)?.iter().any(|export| export.starts_with(RECIPE_EXPORT)) {
        return Ok(component);
    }
    bail!("`{name}` exports no recipe\n  help: mark its function with `#[recipe]`")
}

/// The names of what a component exports, with their versions.
fn exports(component: &[u8]) -> Result<Vec<String>> {
    let decoded = wit_component::decode(component).context("our own component can't be read")?;
    let (resolve, world) = match decoded {
        DecodedWasm::Component(resolve, world) => (resolve, world),
        DecodedWasm::WitPackage(_, _) => return Ok(Vec::new()),
    };
    let exports = resolve.worlds[world].exports.keys();
    Ok(exports.map(|export| resolve.name_world_key(export)).collect())
}
