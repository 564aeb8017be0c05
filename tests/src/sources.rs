//! The program's own sources, for tests of what stands where.

use std::fs;
use std::path::Path;

use crate::workspace;

/// The crates whose rooms the program is made of.
const CRATES: [&str; 2] = ["linux/src", "runner/src"];

/// All Rust files of the program with their texts, by their path below `runner/src` or `linux/src`.
pub fn program_sources() -> Vec<(String, String)> {
    let found: Vec<_> =
        CRATES.iter().flat_map(|folder| sources(&workspace().join(folder))).collect();
    assert!(found.len() > 200, "the sources were not found");
    found
}

fn sources(root: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the sources are here") {
            let path = entry.expect("a readable folder").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name =
                path.strip_prefix(root).expect("a path below the root").display().to_string();
            let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
            found.push((name, text));
        }
    }
    found
}
