//! Paths that lead to what is no file: a recipe's path is a stranger's word.

use std::os::unix::fs::symlink;
use std::process::Command;
use std::time::{Duration, Instant};

use netwright_tests::Session;

#[test]
fn a_recipe_is_an_ordinary_file_or_is_refused() {
    let session = Session::new();
    for device in ["zero", "urandom", "tty", "null"] {
        let there = session.path(&format!("{device}.wasm"));
        symlink(format!("/dev/{device}"), there).expect("the session's folder is writable");
    }
    symlink("loop.wasm", session.path("loop.wasm")).expect("the session's folder is writable");
    session.folder("folder.wasm");
    let pipe = Command::new("mkfifo").arg(session.path("pipe.wasm")).status();
    assert!(pipe.expect("coreutils are installed").success());
    for place in ["zero", "urandom", "tty", "null", "loop", "folder", "pipe"] {
        let started = Instant::now();
        let output = session.netwright(["run", &format!("./{place}.wasm")]).expect_code(2);
        let place = format!("{place}.wasm");
        assert!(
            output.stderr.starts_with("error: ") && output.stderr.contains(&place),
            "{output:#?}"
        );
        // A bound against hanging, not a measurement: machines are noisy.
        assert!(
            started.elapsed() < netwright_tests::machine::patience(Duration::from_secs(20)),
            "{place}"
        );
    }
}
