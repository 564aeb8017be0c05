//! Tells the compiler where the components of the built-in recipes are, or its user how to get them.

use std::path::Path;

/// As in src/builtin.rs.
const NAMES: [&str; 3] = ["ip", "topology", "macvlan-network"];

fn main() {
    let runner = Path::new(env!("CARGO_MANIFEST_DIR"));
    let workspace = runner.parent().expect("the runner is a folder of the workspace");
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
