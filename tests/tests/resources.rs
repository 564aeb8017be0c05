//! What the kernel lets the process have is too little: the run works, or ends with the remedy before
//! anything is made; it neither panics nor dies.

use std::process::Command;

use netwright_tests::{Output, Session};

const NOTHING: &str =
    "name: n\nsteps:\n  - recipe: builtin:topology\n    params: { namespaces: [n] }\n";

/// A run under a limit of prlimit(1); code for its recipes is compiled anew.
fn limited(session: &Session, limit: &str) -> Output {
    let file = session.file("nothing.yaml", NOTHING);
    let inner = session.command(["run".as_ref(), file.as_os_str()]);
    let mut command = Command::new("prlimit");
    command.arg(limit).arg(inner.get_program()).args(inner.get_args());
    command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.env("XDG_CACHE_HOME", session.folder(&format!("cache{limit}")));
    command.output().expect("util-linux").into()
}

/// Ends with 8, and this remedy.
#[track_caller]
fn lacks(output: Output, begin: &str, help: &str) {
    let output = output.expect_code(8);
    assert!(output.stderr.starts_with(begin), "{output:#?}");
    assert!(output.stderr.contains(&format!("\n  help: {help}")), "{output:#?}");
}

#[test]
fn a_small_stack_grows_as_far_as_it_may() {
    let session = Session::new();
    limited(&session, "--stack=65536:").expect_code(0);
    for bytes in [65_536_u32, 262_144, 524_288] {
        let begin = format!(
            "error: the stack of this process may grow to {} KiB; 1024 are needed\n",
            bytes >> 10
        );
        let output = limited(&session, &format!("--stack={bytes}:{bytes}"));
        lacks(output, &begin, "raise the hard limit, `ulimit -Hs`");
    }
    limited(&session, "--stack=1048576:1048576").expect_code(0);
}

#[test]
fn few_addresses_are_told_to_be_few() {
    let session = Session::new();
    for mebibytes in [500_u64, 1000, 2000, 4000] {
        let output = limited(&session, &format!("--as={}", mebibytes << 20));
        let begin =
            "error: recipe `topology` was not started: it takes more than 4 GiB of addresses, ";
        lacks(output, begin, "raise the limit of addresses (`ulimit -v`), ");
    }
    limited(&session, &format!("--as={}", 8000_u64 << 20)).expect_code(0);
}

#[test]
fn a_user_with_few_processes_gets_the_remedy() {
    let session = Session::as_ordinary_user();
    lacks(limited(&session, "--nproc=1"), "error: can't start ", "the user, or the group ");
    // Other processes of that user may be there: so a run comes as far as it comes.
    for number in 2..12 {
        let output = limited(&session, &format!("--nproc={number}"));
        assert!([0, 8].contains(&output.code), "{number}: {output:#?}");
        assert!(!output.stderr.contains("panicked"), "{number}: {output:#?}");
    }
}

#[test]
fn files_that_may_not_grow_end_no_process() {
    let session = Session::new();
    for bytes in [0, 1, 100, 4096] {
        let output = limited(&session, &format!("--fsize={bytes}"));
        assert!([0, 8].contains(&output.code), "{bytes}: {output:#?}");
    }
}
