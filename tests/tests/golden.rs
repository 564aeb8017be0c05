//! Recipes as they were compiled when their contract was published. Nobody compiles them anew, so each
//! of them must run for ever: a run that refuses one refuses recipes of others.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::process::Command;

use netwright_tests::{Session, workspace};

/// A file in tests/golden, and its SHA-256.
const KEPT: [(&str, &str); 1] =
    [("0.2.0.wasm", "381e1cdc22c590a6868cdafbf3b88e5f67dc409faef6c92ee3409094427e2fc6")];

#[test]
fn a_recipe_of_a_published_contract_runs_for_ever() {
    for (name, _) in KEPT {
        let session = Session::new();
        let file = session.bring(&format!("tests/golden/{name}")).display().to_string();
        let arguments =
            ["run", &file, "--json", "-p", "told=word", "--grant", "exec program=/bin/true"];
        let output = session.netwright(arguments).expect_code(0);
        let result = output.json();
        let checks = result["checks"].as_array().unwrap().iter();
        let called: BTreeSet<&str> = checks.map(|check| check["name"].as_str().unwrap()).collect();
        assert!(called.len() > 70, "{name}: {called:?}");
    }
}

/// One that was compiled anew shows nothing of what others have.
#[test]
fn a_kept_recipe_is_as_it_was_compiled() {
    for (name, digest) in KEPT {
        let file = workspace().join("tests/golden").join(name);
        let output = Command::new("sha256sum").arg(&file).output().unwrap();
        let told = String::from_utf8_lossy(&output.stdout);
        assert_eq!(told.split(' ').next(), Some(digest), "{name}");
    }
}
