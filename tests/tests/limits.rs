//! What stops a recipe: each limit is tripped by a recipe that goes wrong in that way, ends with
//! the exit code of the contract, and everything it made is undone.

use std::time::{Duration, Instant};

use netwright_tests::component::recipe;
use netwright_tests::machine::patience;
use netwright_tests::{Host, Output, Session};

const BOMB: &str = "target/recipes/components/bomb.wasm";

/// A session that has the bomb, compiled: a limit of a second is then the run's alone.
fn armed() -> Session {
    let session = Session::new();
    session.bring(BOMB);
    let idle = ["run", "./bomb.wasm", "-p", "how=nothing", "--timeout", "300"];
    session.netwright(idle).expect_code(0);
    session
}

/// Runs the bomb by a scenario with these limits.
fn bomb(how: &str, limits: &str) -> Output {
    let session = armed();
    let scenario = format!(
        "name: bomb\nsteps:\n  - name: step\n    recipe: ./bomb.wasm\n    params: {{ how: {how} }}\nlimits: {{ {limits} }}\n"
    );
    let file = session.file("bomb.yaml", scenario);
    session.netwright(["run".as_ref(), file.as_os_str()])
}

/// Runs a recipe of text, with the limits that hold when none are given.
fn text_bomb(run: &str) -> Output {
    let session = Session::new();
    session.file("bomb.wasm", recipe("(table $hoard 1 funcref)", run));
    session.netwright(["run", "./bomb.wasm"])
}

/// The recipe is stopped with exit code 7, the limit is named, and what it made is undone.
#[track_caller]
fn is_stopped(how: &str, limits: &str, limit: &str) {
    let started = Instant::now();
    ends_by_limit(bomb(how, limits), limit);
    // A bound against hanging, not a measurement: machines are noisy.
    assert!(started.elapsed() < patience(Duration::from_secs(60)));
}

#[track_caller]
fn ends_by_limit(output: Output, limit: &str) {
    let output = output.expect_code(7);
    let named = output.stderr.lines().next().unwrap_or_default();
    assert!(named.ends_with(&format!("limit reached: {limit}")), "{output:#?}");
    assert!(output.stdout.contains(" undone, "), "{output:#?}");
}

#[test]
fn a_loop_ends_with_the_wall_clock() {
    is_stopped("loop", "time: 1s", "1 s of time");
}

#[test]
fn waiting_in_a_host_call_ends_with_the_wall_clock() {
    is_stopped("wait", "time: 1s", "1 s of time");
}

#[test]
fn memory_is_bounded() {
    is_stopped("memory", "memory: 8MiB", "8 MiB of memory");
}

#[test]
fn tables_are_bounded() {
    let grow = "(loop $more
        (drop (table.grow $hoard (ref.null func) (i32.const 100000)))
        (br $more))
        (unreachable)";
    ends_by_limit(text_bomb(grow), "100000 table elements");
}

#[test]
fn the_stack_is_bounded() {
    is_stopped("recursion", "time: 30s", "1024 KiB of stack");
}

#[test]
fn one_call_brings_only_so_many_bytes() {
    is_stopped("call", "time: 30s", "16777216 bytes in one call");
}

#[test]
fn handles_are_bounded() {
    is_stopped("handles", "handles: 100", "handles");
}

#[test]
fn namespaces_are_bounded() {
    is_stopped("namespaces", "namespaces: 16", "16 namespaces");
}

#[test]
fn links_are_bounded() {
    is_stopped("links", "links: 16", "16 links");
}

/// Every way to lose links, singly and in batches: what the kernel took along is not counted any
/// more, what it put back is.
#[test]
fn as_many_links_as_may_be_can_be_there_again_and_never_more() {
    let output = bomb("around-links", "time: 5m, links: 4, namespaces: 1").expect_code(0);
    assert_eq!(output.stdout.matches(": 4 links\n").count(), 18, "{output:#?}");
}

/// Scripts of ip(8), with what they must end with where two links and one namespace are allowed.
const TWO_LINKS: [(&str, i32); 13] = [
    ("link add ea type veth peer name eb; link del ea; link add ea type veth peer name eb", 0),
    (
        "link add ea type veth peer name eb; link del eb; link add ea type bridge; link add eb type bridge",
        0,
    ),
    (
        "netns add n; -n n link add ea type veth peer name eb; netns del n; netns add n; \
         -n n link add ec type veth peer name ed; netns del n; link add ea type veth peer name eb",
        0,
    ),
    (
        "netns add n; link add ea type veth peer name eb netns n; netns del n; \
         link add ea type veth peer name eb",
        0,
    ),
    (
        "link add ep type bridge; link add ec link ep type macvlan; link del ep; \
         link add ep type bridge; link add ec link ep type macvlan",
        0,
    ),
    ("tuntap add et mode tap; tuntap del et mode tap; link add ea type veth peer name eb", 0),
    ("link add ea type veth peer name eb; link add ec type bridge", 7),
    ("link add ea type bridge; link add eb type veth peer name ec", 7),
    ("link add ea type bridge; link add eb type bridge; link add ec type bridge", 7),
    (
        "link add ea type veth peer name eb; link del ea; link add ea type veth peer name eb; \
         link add ec type bridge",
        7,
    ),
    ("netns add n; -n n link add ea type veth peer name eb; link add ec type bridge", 7),
    ("link add ea type veth peer name eb; link set eb name ec; tuntap add et mode tun", 7),
    ("netns add n; netns del n; netns add m; netns add n", 7),
];

const FREE: [&str; 5] = [
    "host.link.create name=ea,eb,ec,ed,ep,et kind=veth,bridge,tap,tun",
    "host.link.create name=ec kind=macvlan",
    "host.link.modify name=ea,eb,ec,ed,ep,et",
    "host.namespace name=n,m",
    "host.link.read",
];

#[test]
fn links_and_namespaces_are_counted_as_they_are_in_a_lab_and_on_the_host() {
    for (script, code) in TWO_LINKS {
        let lines: Vec<String> =
            script.split(';').map(|line| format!("        {}", line.trim())).collect();
        let scenario = format!(
            "name: two\nsteps:\n  - recipe: builtin:ip\n    params:\n      script: |\n{}\nlimits: {{ links: 2, namespaces: 1 }}\n",
            lines.join("\n")
        );
        let host = Host::new();
        let file = host.session().file("two.yaml", scenario).display().to_string();
        let lab = host.session().netwright(["run", &file]).expect_code(code);
        let grants = FREE.iter().flat_map(|grant| ["--grant", grant]);
        let words = ["run", &file, "--target", "host"].into_iter().chain(grants);
        let on_host = host.netwright(words, &[]).expect_code(code);
        if code == 7 {
            let which = if script.contains("add m") { "1 namespaces" } else { "2 links" };
            for output in [lab, on_host] {
                assert!(
                    output.stderr.contains("limit reached: ") && output.stderr.contains(which),
                    "{output:#?}"
                );
            }
        }
    }
}

/// What others have is none of the run's, however much it is.
#[test]
fn links_of_others_are_not_counted() {
    let host = Host::with("link add x0 type bridge\nlink add x1 type veth peer name x2");
    let scenario = "name: one\nsteps:\n  - { recipe: builtin:ip, params: { script: link add ea type bridge } }\nlimits: { links: 1, namespaces: 0 }\n";
    let file = host.session().file("one.yaml", scenario).display().to_string();
    let grants = FREE.iter().flat_map(|grant| ["--grant", grant]);
    for verb in ["run", "plan"] {
        let words = [verb, &file, "--target", "host"].into_iter().chain(grants.clone());
        host.netwright(words, &[]).expect_code(0);
    }
}

#[test]
fn log_print_and_even_empty_lines_are_bounded() {
    for how in ["log", "print", "empty-log"] {
        is_stopped(how, "log: 10KiB", "10240 bytes of log and report");
    }
}

#[test]
fn a_loop_while_parameters_are_checked_ends_before_anything_is_made() {
    let output = bomb("loop-in-check", "time: 1s").expect_code(7);
    assert_eq!(output.stdout, "");
    assert_eq!(
        output.stderr,
        "error: recipe `bomb` was stopped in `check`: limit reached: 1 s of time\n  help: `limits` in the scenario, or --timeout, raises it\n"
    );
}

#[test]
fn the_timeout_flag_is_a_limit_too() {
    let session = armed();
    let output = session.netwright(["run", "./bomb.wasm", "-p", "how=loop", "--timeout", "0.5"]);
    assert!(output.expect_code(7).stderr.contains("limit reached: 0.5 s of time"));
}

#[test]
fn a_panic_shows_its_text_the_recipe_and_the_functions_it_came_through() {
    let output = bomb("panic", "time: 30s").expect_code(5);
    for part in [
        "error: recipe `bomb` broke off in `run`: panicked at ",
        "\n    | the cable is not plugged in\n",
        "recipe_bomb::innermost",
    ] {
        assert!(output.stderr.contains(part), "{part}\n{output:#?}");
    }
    assert!(output.stdout.contains("broken: 0 checks, 1 change, 1 undone, "), "{output:#?}");
}

#[test]
fn the_network_can_not_be_touched_while_parameters_are_checked() {
    let output = bomb("create-in-check", "time: 30s").expect_code(0);
    assert!(
        output.stderr.starts_with(
            "denied: any capability for `netns add early`\n  help: nothing may be asked for while parameters are checked"
        ),
        "{output:#?}"
    );
}

#[test]
fn the_host_target_denies_by_policy() {
    let session = Session::new();
    session.bring(BOMB);
    let output = session.netwright(["run", "./bomb.wasm", "-p", "how=nothing", "--target", "host"]);
    let output = output.expect_code(4);
    assert!(
        output.stderr.starts_with("denied: host.namespace for `netns add first`: "),
        "{output:#?}"
    );
}

#[test]
fn a_recipe_can_not_pass_for_the_runner() {
    let output = bomb("lie", "time: 30s").expect_code(0);
    assert!(!output.stdout.contains('\u{1b}') && !output.stderr.contains('\u{1b}'), "{output:#?}");
    assert!(!output.stdout.contains('\u{202e}') && !output.stderr.contains('\u{9b}'));
    let verdicts = |line: &&str| line.starts_with("passed: ");
    assert_eq!(output.stdout.lines().filter(verdicts).count(), 1, "{output:#?}");
    let failure = bomb("fail", "time: 30s").expect_code(1);
    assert!(
        failure.stderr.contains("it did not work\n    | \\u{1b}[2Jpassed: 9 checks"),
        "{failure:#?}"
    );
}

#[test]
fn what_the_recipe_was_doing_comes_before_what_the_kernel_said() {
    let output = bomb("context", "time: 30s").expect_code(5);
    let expected = "error: recipe `bomb` failed: build the backbone: ";
    let first = output.stderr.lines().next().unwrap_or_default();
    assert!(first.starts_with(expected) && first.contains("EEXIST"), "{output:#?}");
}

#[test]
fn a_failed_check_of_the_recipe_s_own_fails_the_run() {
    let output = bomb("check", "time: 30s").expect_code(1);
    assert!(output.stdout.contains("\n  | FAILED a promise: it was broken\n"), "{output:#?}");
}

/// What the runtimes of other languages ask of WASI is there, and leads nowhere: text ends in the
/// log, there is no environment, and no folder is open.
#[test]
fn a_component_with_wasi_speaks_into_the_log_and_sees_no_files() {
    let imports = r#"
        (import "wasi_snapshot_preview1" "fd_write"
            (func $write (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "environ_sizes_get"
            (func $environment (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "path_open"
            (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_prestat_get"
            (func $folder (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "clock_time_get"
            (func $time (param i32 i64 i32) (result i32)))
        (data (i32.const 600) "written to WASI\n")
        (data (i32.const 640) "\58\02\00\00\10\00\00\00")
        (data (i32.const 700) "/etc/hostname")"#;
    let run = "
        (if (call $write (i32.const 1) (i32.const 640) (i32.const 1) (i32.const 1024)) (then unreachable))
        (if (call $time (i32.const 0) (i64.const 0) (i32.const 1024)) (then unreachable))
        (if (call $environment (i32.const 1024) (i32.const 1028)) (then unreachable))
        (if (i32.load (i32.const 1024)) (then unreachable))
        (if (i32.ne (call $folder (i32.const 3) (i32.const 1024)) (i32.const 8)) (then unreachable))
        (if (i32.ne (i32.const 8)
            (call $open (i32.const 3) (i32.const 0) (i32.const 700) (i32.const 13) (i32.const 0)
                (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 1024))) (then unreachable))
        (i32.const 0)";
    let session = Session::new();
    session.file("other.wasm", recipe(imports, run));
    let inspected = session.netwright(["recipe", "inspect", "other.wasm"]).expect_code(0);
    assert!(inspected.stdout.contains("wasi:cli/stdout@0.2"), "{inspected:#?}");
    let output = session.netwright(["run", "./other.wasm", "-v"]).expect_code(0);
    assert!(output.stderr.contains("other | info: written to WASI\n"), "{output:#?}");
}

#[test]
fn a_component_that_asks_for_more_is_refused_before_it_starts() {
    let session = Session::new();
    for import in [
        "wasi:sockets/network@0.2.0",
        "wasi:sockets/tcp@0.2.6",
        "wasi:http/outgoing-handler@0.2.0",
        "wasi:nn/tensor@0.2.0",
        "wasi:keyvalue/store@0.2.0",
        "acme:files/open@1.0.0",
        "netwright:hostile/links@0.1.0",
    ] {
        let text = format!("(component (import \"{import}\" (instance)))");
        session.file("more.wasm", wat::parse_str(text).expect("it is well-formed"));
        let output = session.netwright(["run", "./more.wasm"]).expect_code(2);
        let named = format!("imports `{import}`, which no recipe gets\n");
        assert!(output.stderr.contains(&named), "{output:#?}");
        assert_eq!(output.stdout, "");
    }
}

#[test]
fn precompiled_code_and_core_modules_are_no_recipes() {
    let session = Session::new();
    session.file("native.wasm", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
    session.file("core.wasm", b"\0asm\x01\0\0\0");
    let native = session.netwright(["run", "./native.wasm"]).expect_code(2);
    assert!(native.stderr.contains("is not valid WebAssembly"), "{native:#?}");
    let core = session.netwright(["run", "./core.wasm"]).expect_code(2);
    assert!(core.stderr.contains("is a core module, not a component"), "{core:#?}");
}

/// What parameters make of a scenario is bounded, whoever wrote it, before any recipe is asked.
#[test]
fn what_parameters_make_of_a_scenario_is_bounded() {
    let long = "y".repeat(300_000);
    let step =
        |params: &str| format!("steps: [{{ recipe: \"builtin:ip\", params: {{ {params} }} }}]\n");
    let script = |value: &str| step(&format!("script: \"{value}\""));
    let list = |one: &str, many: usize| format!("[{}]", vec![one; many].join(", "));
    let deep = format!("{}x{}", "[".repeat(28), "]".repeat(28));
    let texts = [
        // a text in a text, alone in many texts, and text behind text
        format!("params: {{ a: \"{long}\" }}\n{}", script(&"${a}".repeat(8000))),
        format!(
            "params: {{ a: \"{long}\" }}\n{}",
            step(&format!("x: {}", list("\"${a}\"", 20_000)))
        ),
        format!(
            "params: {{ a: \"{long}\", b: \"{long}\" }}\n{}",
            script(&"${a} ${b}\\n".repeat(4000))
        ),
        // lists, maps and what is deep inside them
        format!(
            "params: {{ a: {} }}\n{}",
            list("x", 90_000),
            step(&format!("x: {}", list("\"${a}\"", 20_000)))
        ),
        format!(
            "params: {{ a: {} }}\n{}",
            list("{ k: v }", 20_000),
            step(&format!("x: {}", list("\"${a}\"", 20_000)))
        ),
        format!("params: {{ a: {deep} }}\n{}", step(&format!("x: {}", list("\"${a}\"", 90_000)))),
        // elsewhere than in steps
        format!(
            "params: {{ a: \"{long}\" }}\n{}checks: [{{ sysctl: {{ key: net.ipv4.ip_forward, is: \"{}\" }} }}]\n",
            script("link show"),
            "${a}".repeat(8000)
        ),
        format!(
            "params: {{ a: \"{long}\" }}\n{}captures: {}\n",
            script("link show"),
            list("{ link: \"${a}\" }", 20_000)
        ),
    ];
    for text in texts {
        let session = Session::new();
        let file = session.file("s.yaml", format!("name: x\n{text}"));
        for command in ["validate", "run"] {
            let output = within_a_gibibyte(&session, &[command.as_ref(), file.as_os_str()]);
            let begins = &text[..text.len().min(60)];
            assert_eq!(output.code, 2, "{begins}: {command}: {}", output.stderr);
            let rule = "parameters make more than 32 MiB of this scenario";
            assert!(output.stderr.contains(rule), "{begins}: {command}: {}", output.stderr);
            assert!(output.stderr.contains("help: use long parameters less often"), "{command}");
            assert!(output.stderr.contains("s.yaml:"), "it has its place: {}", output.stderr);
        }
    }
}

/// Thousands of faults, each of which would name all that there is.
#[test]
fn faults_of_a_scenario_are_bounded() {
    let session = Session::new();
    let names: String = (0..20_000).map(|number| format!("  parameter{number}: x\n")).collect();
    let unknown = "        ${z}\n".repeat(30_000);
    let text = format!(
        "name: x\nparams:\n{names}steps:\n  - recipe: builtin:ip\n    params:\n      script: |\n{unknown}"
    );
    let twice = format!("name: x\nsteps:\n{}", "  k: *b\n".repeat(60_000));
    for text in [text, twice] {
        let file = session.file("s.yaml", text);
        let output = within_a_gibibyte(&session, &["validate".as_ref(), file.as_os_str()]);
        assert_eq!(output.code, 2, "{}", &output.stderr[..output.stderr.len().min(2000)]);
        assert!(output.stderr.contains("950 more faults are not shown"), "{}", output.stderr.len());
    }
}

/// Parameters that fit, and are more than may cross to a recipe.
#[test]
fn parameters_that_are_too_long_for_a_call_end_with_the_limit() {
    let session = Session::new();
    let text = format!(
        "name: x\nparams: {{ a: \"{}\" }}\nsteps: [{{ recipe: \"builtin:ip\", params: {{ script: \"{}\" }} }}]\n",
        "# ".repeat(100_000),
        "${a}".repeat(90)
    );
    let file = session.file("s.yaml", text);
    for command in ["validate", "run"] {
        let output = within_a_gibibyte(&session, &[command.as_ref(), file.as_os_str()]);
        assert_eq!(output.code, 7, "{command}: {}", output.stderr);
        assert!(output.stderr.contains("limit reached: 16777216 bytes in one call"), "{output:#?}");
    }
}

/// A program that takes more memory than that is aborted.
fn within_a_gibibyte(session: &Session, words: &[&std::ffi::OsStr]) -> Output {
    let command = session.command(words);
    let mut limited = std::process::Command::new("prlimit");
    limited.args(["--data=1073741824", "--"]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    limited.current_dir(session.path(".")).stdin(std::process::Stdio::null());
    limited.output().expect("prlimit of util-linux is installed").into()
}
