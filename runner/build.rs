//! Tells the compiler where the components of the built-in recipes are, or its user how to get them;
//! and which files are the SDK, which the program carries for `recipe new`.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// As in src/builtin.rs.
const NAMES: [&str; 3] = ["ip", "topology", "macvlan-network"];

/// The SDK's crates, by their folders.
const SDK: [&str; 5] = ["guest-sdk", "guest-sdk/macros", "grants", "frames", "names"];
/// What of such a folder a crate that uses it is compiled from.
const SOURCES: [&str; 3] = ["Cargo.toml", "src", "wit"];
const LICENSES: [&str; 2] = ["LICENSE-APACHE", "LICENSE-MIT"];

fn main() {
    let runner = Path::new(env!("CARGO_MANIFEST_DIR"));
    let workspace = runner.parent().expect("the runner is a folder of the workspace");
    name_recipes(workspace);
    let target = std::env::var("TARGET").expect("cargo sets it");
    println!("cargo::rustc-env=NETWRIGHT_TARGET={target}");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    let manifest = out.join("sdk.toml");
    fs::write(&manifest, sdk_manifest(workspace)).expect("cargo's folder is writable");
    fs::write(out.join("sdk.rs"), sdk_files(workspace, &manifest)).expect("as above");
}

fn name_recipes(workspace: &Path) {
    let folder = workspace.join("target/recipes/components");
    let files = NAMES.map(|name| folder.join(format!("{name}.wasm")));
    for file in &files {
        println!("cargo::rerun-if-changed={}", file.display());
    }
    if files.iter().all(|file| file.is_file()) {
        println!("cargo::rustc-env=NETWRIGHT_RECIPES={}", folder.display());
    } else {
        println!(
            "cargo::error=the built-in recipes are not built: run `cargo xtask recipes` first"
        );
    }
}

/// The workspace's own, with no more in it than the SDK's crates take from it.
fn sdk_manifest(workspace: &Path) -> String {
    let read = |file: &Path| {
        println!("cargo::rerun-if-changed={}", file.display());
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
    println!("cargo::rerun-if-changed={}", source.display());
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
