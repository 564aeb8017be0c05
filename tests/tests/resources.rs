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
    let few = limited(&session, "--nproc=1");
    if is_started(&few) {
        lacks(few, "error: can't start ", "the user, or the group ");
    }
    // Other processes of that user may be there: so a run comes as far as it comes.
    for number in 2..12 {
        let output = limited(&session, &format!("--nproc={number}"));
        if !is_started(&output) {
            continue;
        }
        assert!([0, 8].contains(&output.code), "{number}: {output:#?}");
        assert!(!output.stderr.contains("panicked"), "{number}: {output:#?}");
    }
    let text = "name: n\nsteps: [{ recipe: builtin:ip, params: { script: 'ip netns add n' } }]\n";
    let file = session.file("few.yaml", text).display().to_string();
    for words in [&["run", &file, "--keep", "n"][..], &["apply", &file], &["plan", &file]] {
        let codes = std::cell::RefCell::new(Vec::new());
        for number in (2..200).take_while(|_| !codes.borrow().ends_with(&[0, 0])) {
            let output = limited_to(&session, &[&format!("--nproc={number}")], words);
            if !is_started(&output) {
                continue;
            }
            assert!([0, 8].contains(&output.code), "{number} {words:?}: {output:#?}");
            let kept = session.netwright(["ls"]).expect_code(0).stdout;
            let stays = output.code == 0 && words[0] != "plan";
            assert_eq!(!kept.is_empty(), stays, "{number} {words:?}: {output:#?}");
            if stays {
                session.netwright(["destroy", "n"]).expect_code(0);
            }
            codes.borrow_mut().push(output.code);
        }
        let codes = codes.into_inner();
        assert!(codes.contains(&0) && codes.contains(&8), "{words:?}: {codes:?}");
    }
}

/// Wherever the kernel gives no more of something, that is the machine's lack, and no refusal.
#[test]
fn what_the_machine_has_no_more_of_is_its_lack() {
    let session = Session::new();
    let many: String = (0..400).map(|number| format!("n{number}, ")).collect();
    let text = format!(
        "name: n\nlimits: {{ namespaces: 1000 }}\nsteps:\n  - recipe: builtin:topology\n    params: {{ namespaces: [{many}] }}\n"
    );
    let few = "name: n\nsteps: [{ recipe: builtin:ip, params: { script: 'ip netns add n' } }]\n";
    let many = session.file("many.yaml", text).display().to_string();
    let few = session.file("few.yaml", few).display().to_string();
    session.netwright(["run", &few]).expect_code(0);
    for words in [&["run", &many][..], &["run", &many, "--keep", "n"], &["plan", &many]] {
        let output = limited_to(&session, &["--nofile=400:400"], words).expect_code(8);
        let help = "\n  help: this process may have no more files open: raise the hard limit, ";
        assert!(output.stderr.contains(help), "{words:?}: {output:#?}");
    }
    let spaces = "echo 2 > /proc/sys/user/max_net_namespaces && exec \"$@\"";
    let inner = session.command(["run", &many]);
    let mut command = Command::new("unshare");
    command.args(["-Ur", "sh", "-c", spaces, "sh"]).arg(inner.get_program());
    command.args(inner.get_args());
    command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = Output::from(command.output().expect("util-linux")).expect_code(8);
    assert!(output.stderr.contains("raise `sysctl user.max_net_namespaces`"), "{output:#?}");
}

/// Else the user has so many processes elsewhere that not even the program came to run.
fn is_started(output: &Output) -> bool {
    !output.stderr.starts_with("setpriv: failed to execute")
}

/// `netwright` under limits of prlimit(1).
fn limited_to(session: &Session, limits: &[&str], words: &[&str]) -> Output {
    let inner = session.command(words);
    let mut command = Command::new("prlimit");
    command.args(limits).arg(inner.get_program()).args(inner.get_args());
    command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.output().expect("util-linux").into()
}

#[test]
fn files_that_may_not_grow_end_no_process() {
    let session = Session::new();
    for bytes in [0, 1, 100, 4096] {
        let output = limited(&session, &format!("--fsize={bytes}"));
        assert!([0, 8].contains(&output.code), "{bytes}: {output:#?}");
    }
}
