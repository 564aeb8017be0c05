//! The runner's own sources, for tests of what stands where.

use std::fs;

use crate::workspace;

/// All Rust files of the runner with their texts, by their path below `runner/src`.
pub fn runner_sources() -> Vec<(String, String)> {
    let root = workspace().join("runner/src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the runner's sources are here") {
            let path = entry.expect("a readable folder").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name =
                path.strip_prefix(&root).expect("a path below the root").display().to_string();
            let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
            found.push((name, text));
        }
    }
    assert!(found.len() > 100, "the sources were not found");
    found
}
