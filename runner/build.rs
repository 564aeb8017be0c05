//! Builds the built-in recipes, which the program carries, and lists the files of the SDK, which it
//! carries for `recipe new`.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use netwright_building::{REMEDY, TARGET, Toolchain, build_recipes};

/// What can follow `builtin:`.
const BUILT_IN: [&str; 3] = ["ip", "topology", "macvlan-network"];
/// What these are compiled from besides their own crates, the SDK's and the workspace's manifest.
const SHARED_BY_RECIPES: [&str; 2] = ["options", "scenarios/topology"];

/// The SDK's crates, by their folders.
const SDK: [&str; 5] = ["guest-sdk", "guest-sdk/macros", "grants", "frames", "network"];
/// What of such a folder a crate that uses it is compiled from.
const SOURCES: [&str; 3] = ["Cargo.toml", "src", "wit"];
const LICENSES: [&str; 2] = ["LICENSE-APACHE", "LICENSE-MIT"];

fn main() {
    let runner = Path::new(env!("CARGO_MANIFEST_DIR"));
    let workspace = runner.parent().expect("the runner is a folder of the workspace");
    let target = std::env::var("TARGET").expect("cargo sets it");
    println!("cargo::rustc-env=NETWRIGHT_TARGET={target}");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    fs::write(out.join("builtin.rs"), built_in(workspace, &out))
        .expect("cargo's folder is writable");
    let manifest = out.join("sdk.toml");
    fs::write(&manifest, sdk_manifest(workspace)).expect("as above");
    fs::write(out.join("sdk.rs"), sdk_files(workspace, &manifest)).expect("as above");
}

/// The table of built-in recipes, for `include!`: names and components. It is empty where there is no
/// compiler for them, which a program to be used must not be.
fn built_in(workspace: &Path, out: &Path) -> String {
    watch(&workspace.join("Cargo.lock"));
    let own = BUILT_IN.map(|name| format!("scenarios/recipes/{name}"));
    for member in own.iter().map(String::as_str).chain(SHARED_BY_RECIPES) {
        // Not their tests, which no recipe is compiled from.
        for source in ["Cargo.toml", "src"] {
            watch(&workspace.join(member).join(source));
        }
    }
    // Fuzzers run no recipe, and their instrumentation is not to be met here.
    if std::env::var_os("CARGO_CFG_FUZZING").is_some() {
        return "[]".to_owned();
    }
    let Some(toolchain) = Toolchain::find(workspace) else {
        let release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
        let kind = if release { "error" } else { "warning" };
        println!(
            "cargo::{kind}=the built-in recipes can't be built: this toolchain has no standard \
             library for {TARGET}; {REMEDY}, and build again"
        );
        watch_toolchain();
        return "[]".to_owned();
    };
    match build_recipes(workspace, toolchain, &BUILT_IN, |_| {}) {
        Ok(recipes) => {
            let mut table = String::from("[\n");
            for name in BUILT_IN {
                let recipe = recipes.iter().find(|recipe| recipe.name == name);
                let file = out.join(format!("{name}.wasm"));
                let component = &recipe.expect("cargo built what it was asked for").component;
                fs::write(&file, component).expect("cargo's folder is writable");
                // Writing to a string can't fail.
                let _ = writeln!(table, "({name:?}, include_bytes!({file:?})),");
            }
            table + "]\n"
        }
        Err(error) => {
            println!("cargo::error=the built-in recipes can't be built: {error}");
            "[]".to_owned()
        }
    }
}

fn watch(source: &Path) {
    println!("cargo::rerun-if-changed={}", source.display());
}

/// So that this script runs again once the toolchain has another target.
fn watch_toolchain() {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = std::process::Command::new(rustc).args(["--print", "sysroot"]).output();
    let sysroot = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    let folder = sysroot.map(|sysroot| Path::new(&sysroot).join("lib/rustlib"));
    if let Some(folder) = folder.ok().filter(|folder| folder.is_dir()) {
        watch(&folder);
    }
}

/// The workspace's own, with no more in it than the SDK's crates take from it.
fn sdk_manifest(workspace: &Path) -> String {
    let read = |file: &Path| {
        watch(file);
        fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    };
    let mut whole: toml::Table =
        read(&workspace.join("Cargo.toml")).parse().expect("cargo has read it");
    whole.retain(|key, _| key == "workspace");
    let used = SDK.map(|member| read(&workspace.join(member).join("Cargo.toml"))).concat();
    let about = whole["workspace"].as_table_mut().expect("cargo has read it");
    about.remove("default-members");
    about["members"] = SDK.map(str::to_owned).to_vec().into();
    let dependencies = about["dependencies"].as_table_mut().expect("cargo has read it");
    dependencies.retain(|name, _| used.contains(&format!("\n{name}.workspace")));
    whole.to_string()
}

/// A list of paths and texts, for `include!`.
fn sdk_files(workspace: &Path, manifest: &Path) -> String {
    let mut files = vec![(PathBuf::from("Cargo.toml"), manifest.to_owned())];
    files.extend(LICENSES.map(|name| (name.into(), workspace.join(name))));
    for member in SDK {
        for source in SOURCES {
            add(&mut files, &Path::new(member).join(source), &workspace.join(member).join(source));
        }
    }
    let mut list = String::from("[\n");
    for (path, file) in files {
        // Writing to a string can't fail.
        let _ = writeln!(list, "({path:?}, include_str!({file:?})),");
    }
    list + "]\n"
}

/// A file, or a folder with all that is in it.
fn add(files: &mut Vec<(PathBuf, PathBuf)>, path: &Path, source: &Path) {
    if !source.exists() {
        // Cargo would take it for changed each time.
        return;
    }
    watch(source);
    if source.is_file() {
        files.push((path.to_owned(), source.to_owned()));
        return;
    }
    let Ok(entries) = fs::read_dir(source) else { return };
    let mut names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
    names.sort();
    for name in names {
        add(files, &path.join(&name), &source.join(&name));
    }
}
