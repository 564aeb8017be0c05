//! `recipe build`: one file that can be shared, of a crate, or of what another language's tools made.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use netwright_building::{
    Compiled, REMEDY, TARGET, Toolchain, compile_by, encode, is_module, with_manifest,
};

use super::Recipe;
use super::manifest::Manifest;
use crate::cli::BuildArguments;
use crate::exit::{Exit, Failure};
use crate::file::{Refused, bounded, ordinary, whole};
use crate::halt::Halt;
use crate::process::{self, Stopped};
use crate::report::print;
use crate::scenario::Limits;
use crate::text;
use crate::text::escape;

/// Bytes of a manifest's text.
const LONGEST_MANIFEST: u64 = 1 << 20;

/// A component before it has its place.
struct Built {
    component: Vec<u8>,
    /// where it goes when nothing is said
    place: PathBuf,
}

/// Builds, looks at what came of it as at a stranger's, and only then writes the file.
pub fn build(arguments: &BuildArguments) -> Result<Exit, Failure> {
    let what = &arguments.what;
    let manifest = arguments.manifest.as_deref().map(manifest).transpose()?;
    let mut built = if what.is_dir() { of_crate(what)? } else { of_file(what)? };
    if let Some(manifest) = manifest {
        built.component = with_manifest(built.component, &manifest);
    }
    let place = arguments.out.clone().unwrap_or(built.place);
    let source = text::path(&place);
    let recipe = Recipe::parse(&source, built.component).map_err(Failure::usage)?;
    if !recipe.is_guest() {
        return Err(Failure::usage(format!(
            "`{}` exports no recipe: it has no `netwright:host/guest`\n  help: its world is `recipe` of the package netwright:host",
            text::path(what)
        )));
    }
    write(&place, recipe.bytes())?;
    print(&told(&recipe))
}

fn told(recipe: &Recipe) -> String {
    let size = format!("{} KiB", recipe.bytes().len().div_ceil(1024));
    let mut lines = match &recipe.manifest {
        Some(manifest) => {
            let (name, version) = (escape(&manifest.name), escape(&manifest.version));
            format!("{}: {name} {version}, {size}\n", recipe.source)
        }
        None => format!(
            "{}: {size}, without a manifest: it asks for nothing beyond its lab, and its parameters are not checked before it starts\n  help: `--manifest FILE` gives it one\n",
            recipe.source
        ),
    };
    for mismatch in recipe.useless_requests() {
        lines.push_str(&format!("  {}\n", escape(&mismatch)));
    }
    lines
}

/// The text of a manifest, held to the rules that a run holds it to.
fn manifest(file: &Path) -> Result<Vec<u8>, Failure> {
    let shown = text::path(file);
    let bytes = File::open(file).map_err(Refused::System);
    let bytes = bytes
        .and_then(|file| bounded(file, LONGEST_MANIFEST))
        .map_err(|error| Failure::usage(format!("can't read manifest `{shown}`: {error}")))?;
    Manifest::read(&bytes)
        .map_err(|rule| Failure::usage(format!("manifest `{shown}` is broken: {rule}")))?;
    Ok(bytes)
}

fn of_crate(folder: &Path) -> Result<Built, Failure> {
    let shown = text::path(folder);
    let place = |package: &str| folder.join(format!("{package}.wasm"));
    let folder = folder
        .canonicalize()
        .map_err(|error| Failure::usage(format!("can't open `{shown}`: {error}")))?;
    let cargo_toml = folder.join("Cargo.toml");
    if !cargo_toml.is_file() {
        return Err(Failure::usage(format!(
            "`{shown}` is no crate: it has no Cargo.toml\n  help: `netwright recipe new NAME` makes one"
        )));
    }
    let toolchain = Toolchain::find(&folder).ok_or_else(|| {
        Failure::new(
            Exit::Lacking,
            format!("there is no Rust that compiles for {TARGET}\n  help: {REMEDY}"),
        )
    })?;
    let mut command = toolchain.cargo_build(&folder);
    command.args(["--lib", "--release"]);
    let compiled = compile(command)?;
    let own = |one: &Compiled| one.manifest == cargo_toml;
    let compiled = compiled.into_iter().find(own).ok_or_else(|| {
        Failure::usage(format!(
            "`{shown}` makes no WebAssembly module\n  help: `crate-type = [\"cdylib\", \"rlib\"]` under `[lib]` in its Cargo.toml"
        ))
    })?;
    let module = read(&compiled.module)?;
    let component = encode(&compiled.package, &module).map_err(Failure::usage)?;
    Ok(Built { component, place: place(&compiled.package) })
}

/// By cargo, which ends with this process, and what it has started with it.
fn compile(command: Command) -> Result<Vec<Compiled>, Failure> {
    let mut halted = None;
    let compiled = compile_by(command, |command| {
        process::output_of_group(command, &Halt::default()).map_err(|stop| match stop {
            Stopped::Failed(error) => error.to_string(),
            Stopped::Halted(why) => {
                let told = why.to_string();
                halted = Some(why);
                told
            }
        })
    });
    match halted {
        Some(why) => Err(why.into()),
        None => compiled.map_err(|error| Failure::new(Exit::Failed, error)),
    }
}

fn of_file(file: &Path) -> Result<Built, Failure> {
    let bytes = read(file)?;
    let shown = text::path(file);
    let component =
        if is_module(&bytes) { encode(&shown, &bytes).map_err(Failure::usage)? } else { bytes };
    Ok(Built { component, place: file.to_owned() })
}

/// A pipe would be waited for, and a device may have no end.
fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let longest = Limits::default().recipe_bytes as u64;
    let read = ordinary(file).and_then(|file| bounded(file, longest));
    read.map_err(|error| Failure::usage(format!("can't read `{}`: {error}", text::path(file))))
}

/// Whoever reads the old file meanwhile reads all of it.
fn write(place: &Path, component: &[u8]) -> Result<(), Failure> {
    whole(place, component)
        .map_err(|error| Failure::usage(format!("can't write `{}`: {error}", text::path(place))))
}
