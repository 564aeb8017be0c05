//! Imports that no recipe gets, and exports that are none.

use crate::guest::Guest;
use crate::row::Row;

fn component(name: &'static str, text: &str, says: &'static str) -> Row {
    let component = wat::parse_str(text).unwrap_or_else(|error| panic!("{name}: {error}"));
    Row::new(name, component, 2, says)
}

/// A component that imports an interface of this name, without anything in it.
fn instance(name: &'static str) -> Row {
    let text = format!("(component (import \"{name}\" (instance)))");
    component(name, &text, "which no recipe gets")
}

pub(crate) fn forbidden() -> Vec<Row> {
    let interfaces = [
        "wasi:sockets/tcp@0.2.0",
        "wasi:sockets/udp@0.2.6",
        "wasi:sockets/instance-network@0.2.0",
        "wasi:sockets/ip-name-lookup@0.2.0",
        "wasi:http/outgoing-handler@0.2.0",
        "wasi:http/types@0.2.0",
        "wasi:keyvalue/store@0.2.0-draft",
        "wasi:config/store@0.2.0-draft",
        "wasi:nn/graph@0.2.0",
        "wasi:threads/spawn@0.1.0",
        "acme:environment/variables@1.0.0",
        "netwright:hosts/links@0.1.0",
    ];
    let plain = [
        component(
            "a plain function",
            "(component (import \"getenv\" (func)))",
            "which no recipe gets",
        ),
        component(
            "a module from outside",
            "(component (import \"libc\" (core module)))",
            "which no recipe gets",
        ),
        component(
            "a component from outside",
            "(component (import \"runner\" (component)))",
            "which no recipe gets",
        ),
        component(
            "a contract of the future",
            "(component (import \"netwright:host/links@0.9.0\" (instance)))",
            "is made for host API 0.9.0",
        ),
        component(
            "the contract before this one",
            "(component (import \"netwright:host/links@0.1.0\" (instance)))",
            "is made for host API 0.1.0; this program has 0.2.0",
        ),
        component(
            "a contract without a version",
            "(component (import \"netwright:host/links\" (instance)))",
            "is made for host API none",
        ),
    ];
    interfaces.map(instance).into_iter().chain(plain).collect()
}

const LOG: &str = "netwright:host/log@0.2.0";
const GUEST: &str = "netwright:host/guest@0.2.0";

/// A component whose `guest` has these exports, each a function of these parameters and results.
fn guest(run: &str) -> String {
    format!(
        r#"(component
            (core module $m
                (func (export "f"))
                (func (export "g") (result i32) (i32.const 0))
                (func (export "h") (param i32)))
            (core instance $i (instantiate $m))
            (func $f (canon lift (core func $i "f")))
            (func $g (result u32) (canon lift (core func $i "g")))
            (func $h (param "c" char) (canon lift (core func $i "h")))
            (instance $guest {run})
            (export "{GUEST}" (instance $guest)))"#
    )
}

pub(crate) fn of_the_wrong_shape() -> Vec<Row> {
    let import = |what: &str| format!("(component (import \"{LOG}\" (instance {what})))");
    vec![
        component("nothing is exported", "(component)", "it does not fit the contract: "),
        component(
            "a function is exported",
            &guest("(export \"run\" (func $f))"),
            "it does not fit the contract: ",
        ),
        component(
            "run without a verdict",
            &guest("(export \"check\" (func $f)) (export \"run\" (func $f))"),
            "broke off in `check`: expected",
        )
        .code(5),
        component(
            "run whose verdict is a number",
            &guest("(export \"check\" (func $g)) (export \"run\" (func $g))"),
            "broke off in `check`: expected",
        )
        .code(5),
        component(
            "run that takes a character",
            &guest("(export \"check\" (func $h)) (export \"run\" (func $h))"),
            "broke off in `check`: expected",
        )
        .code(5),
        component(
            "an interface of ours that there isn't",
            "(component (import \"netwright:host/secrets@0.2.0\" (instance)))",
            "it does not fit the contract: ",
        ),
        component(
            "a function of ours that there isn't",
            &import("(export \"erase\" (func))"),
            "it does not fit the contract: ",
        ),
        component(
            "a function of ours with a character for a level",
            &import("(export \"emit\" (func (param \"level\" char) (param \"message\" string)))"),
            "it does not fit the contract: ",
        ),
        component(
            "a resource of ours as a number",
            "(component (import \"netwright:host/namespaces@0.2.0\" (instance
                (export \"[static]namespace.root\" (func (result u32))))))",
            "recipe",
        ),
    ]
}

/// What the adapter of the toolchains makes of it is WASI 0.2.
fn wasi(name: &'static str, signature: &str, run: &str) -> Guest {
    let import = format!("(import \"wasi_snapshot_preview1\" \"{name}\" (func $wasi {signature}))");
    Guest::run(format!("{run} (i32.const 0)")).also(&import)
}

pub(crate) fn of_wasi() -> Vec<Row> {
    let limit = "limit reached: 1 s of time";
    let write = "(i32.store (i32.const 2048) (i32.const 65536))
                 (i32.store (i32.const 2052) (i32.const 10000000))
                 (drop (memory.grow (i32.const 200)))
                 (memory.fill (i32.const 65536) (i32.const 120) (i32.const 10000000))
                 (loop $on (drop (call $wasi (i32.const 1) (i32.const 2048) (i32.const 1)
                    (i32.const 2056))) (br $on))";
    vec![
        Row::new(
            "ends the program as if all were well",
            wasi("proc_exit", "(param i32)", "(call $wasi (i32.const 0))").made(),
            5,
            "broke off in `run`",
        ),
        Row::new(
            "ends the program with a code",
            wasi("proc_exit", "(param i32)", "(call $wasi (i32.const 7))").made(),
            5,
            "broke off in `run`",
        ),
        Row::new(
            "4 GiB of random numbers",
            wasi(
                "random_get",
                "(param i32 i32) (result i32)",
                "(drop (call $wasi (i32.const 65536) (i32.const -65536)))",
            )
            .made(),
            5,
            "broke off in `run`",
        ),
        Row::new(
            "random numbers for ever",
            wasi(
                "random_get",
                "(param i32 i32) (result i32)",
                "(loop $on (drop (call $wasi (i32.const 4096) (i32.const 1000))) (br $on))",
            )
            .made(),
            7,
            limit,
        )
        .takes_a_second(),
        Row::new(
            "sleeps for a hundred years",
            wasi(
                "poll_oneoff",
                "(param i32 i32 i32 i32) (result i32)",
                // A subscription to the monotonic clock, `timeout` at its place 24.
                "(i32.store (i32.const 2064) (i32.const 1))
                 (i64.store (i32.const 2072) (i64.const 3153600000000000000))
                 (drop (call $wasi (i32.const 2048) (i32.const 2560) (i32.const 1) (i32.const 2700)))",
            )
            .made(),
            7,
            limit,
        )
        .takes_a_second(),
        Row::new(
            "lines of 10 MB for ever",
            wasi("fd_write", "(param i32 i32 i32 i32) (result i32)", write).made(),
            7,
            limit,
        )
        .takes_a_second(),
        Row::new(
            "yields for ever",
            wasi("sched_yield", "(result i32)", "(loop $on (drop (call $wasi)) (br $on))").made(),
            7,
            limit,
        )
        .takes_a_second(),
    ]
}
