//! Makes a component of a compiled recipe: the one portable file that netwright runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wasm_encoder::{ComponentSection as _, CustomSection};
use wit_component::{ComponentEncoder, DecodedWasm};

/// What the contract's world `recipe` exports.
const RECIPE_EXPORT: &str = "netwright:host/guest@";
/// Where a recipe has its manifest.
const MANIFEST_SECTION: &str = "netwright:manifest";
/// What a core module begins with, and no component: the specification's binary format, 5.5.16.
const MODULE: &[u8] = b"\0asm\x01\0\0\0";

/// A recipe crate after its compilation.
#[derive(Debug)]
pub struct Compiled {
    /// the cargo package
    pub package: String,
    /// its Cargo.toml
    pub manifest: PathBuf,
    /// the core module
    pub module: PathBuf,
}

/// Runs a `cargo build` and gives the core modules that it made; progress and diagnostics are shown
/// as ever. <https://doc.rust-lang.org/cargo/reference/external-tools.html#artifact-messages>
pub fn compile(command: Command) -> Result<Vec<Compiled>, String> {
    compile_by(command, |command| command.output().map_err(|error| error.to_string()))
}

/// The same by whoever starts it and waits for its output.
pub fn compile_by(
    mut command: Command,
    run: impl FnOnce(&mut Command) -> Result<Output, String>,
) -> Result<Vec<Compiled>, String> {
    command.arg("--message-format=json-render-diagnostics");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    let output = run(&mut command).map_err(|error| format!("cargo did not start: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo failed: {}", output.status));
    }
    let mut compiled = Vec::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let message: Value = serde_json::from_str(line)
            .map_err(|error| format!("cargo's messages are not JSON: {error}"))?;
        if message["reason"] == "compiler-artifact" {
            compiled.extend(artifact(&message)?);
        }
    }
    Ok(compiled)
}

/// None where cargo built anything but a core module, such as a dependency.
fn artifact(message: &Value) -> Result<Option<Compiled>, String> {
    let files = message["filenames"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let is_module = |file: &PathBuf| file.extension() == Some("wasm".as_ref());
    let Some(module) = files.map(PathBuf::from).find(is_module) else { return Ok(None) };
    let manifest = message["manifest_path"].as_str().ok_or("cargo names no Cargo.toml")?;
    let manifest = PathBuf::from(manifest);
    Ok(Some(Compiled { package: package_name(&manifest)?, manifest, module }))
}

/// A message names the library, whose name has lost its hyphens, and an identifier of the package
/// that is not for reading; the manifest has the name as written.
fn package_name(manifest: &Path) -> Result<String, String> {
    let shown = manifest.display();
    let text =
        fs::read_to_string(manifest).map_err(|error| format!("can't read `{shown}`: {error}"))?;
    let name = text.lines().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        (key.trim() == "name").then(|| value.trim().trim_matches('"').to_owned())
    });
    name.ok_or_else(|| format!("`{shown}` names no package"))
}

/// Whether bytes are a core module, which becomes a component, and not one already.
pub fn is_module(bytes: &[u8]) -> bool {
    bytes.starts_with(MODULE)
}

/// The component of a core module; what it imports of WASI's first preview, as many languages'
/// toolchains have it, becomes imports of the second. Custom sections such as the manifest stay in the module inside,
/// where a reader finds them one level down.
pub fn encode(name: &str, module: &[u8]) -> Result<Vec<u8>, String> {
    let component = ComponentEncoder::default()
        .validate(true)
        .module(module)
        .and_then(|encoder| {
            encoder.adapter(
                WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME,
                WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
            )
        })
        .and_then(|encoder| encoder.encode())
        .map_err(|error| format!("`{name}` can't be made a component: {error:#}"))?;
    if exports(&component)?.iter().any(|export| export.starts_with(RECIPE_EXPORT)) {
        return Ok(component);
    }
    Err(format!("`{name}` exports no recipe\n  help: mark its function with `#[recipe]`"))
}

/// The names of what a component exports, with their versions.
fn exports(component: &[u8]) -> Result<Vec<String>, String> {
    let decoded = wit_component::decode(component)
        .map_err(|error| format!("our own component can't be read: {error:#}"))?;
    let (resolve, world) = match decoded {
        DecodedWasm::Component(resolve, world) => (resolve, world),
        DecodedWasm::WitPackage(_, _) => return Ok(Vec::new()),
    };
    let exports = resolve.worlds[world].exports.keys();
    Ok(exports.map(|export| resolve.name_world_key(export)).collect())
}

/// The component with a manifest, for what no macro of ours wrote one into.
pub fn with_manifest(mut component: Vec<u8>, manifest: &[u8]) -> Vec<u8> {
    let section = CustomSection { name: MANIFEST_SECTION.into(), data: manifest.into() };
    section.append_to_component(&mut component);
    component
}
