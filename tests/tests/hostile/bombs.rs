//! Time, memory, tables and stack without an end, from the first instruction on.

use crate::guest::Guest;
use crate::row::Row;

const FOR_EVER: &str = "(loop $on (br $on))";
const TIME: &str = "limit reached: 1 s of time";
const STACK: &str = "1024 KiB of stack";

fn stopped(name: &'static str, guest: &Guest, says: &'static str) -> Row {
    Row::new(name, guest.made(), 7, says)
}

pub(crate) fn time() -> Vec<Row> {
    let run = |text: &str| Guest::run(format!("{text} (i32.const 0)"));
    vec![
        stopped("loop", &run(FOR_EVER), TIME).takes_a_second(),
        stopped("loop in the check", &Guest::check(format!("{FOR_EVER} (i32.const 0)")), TIME)
            .takes_a_second(),
        stopped(
            "loop before the check",
            &Guest::idle().more(format!("(func $first {FOR_EVER}) (start $first)")),
            TIME,
        )
        .takes_a_second(),
        stopped(
            "loop of bulk copies",
            &run("(loop $on
                (memory.copy (i32.const 65536) (i32.const 131072) (i32.const 262144)) (br $on))"),
            TIME,
        )
        .takes_a_second(),
        stopped(
            "loop of calls that do nothing",
            &run(
                "(loop $on (call $param (i32.const 512) (i32.const 5) (i32.const 2048)) (br $on))",
            ),
            TIME,
        )
        .takes_a_second(),
        stopped(
            "loop of handles taken and dropped",
            &run("(loop $on (call $root (i32.const 2048))
                (call $drop (i32.load (i32.const 2056))) (br $on))"),
            TIME,
        )
        .takes_a_second(),
    ]
}

pub(crate) fn space() -> Vec<Row> {
    let run = |text: &str| Guest::run(format!("{text} (i32.const 0)"));
    let grow = "(loop $on (drop (table.grow $hoard (ref.null func) (i32.const 1000))) (br $on))";
    vec![
        stopped(
            "recursion",
            &run("(call $again)").more("(func $again (call $again) (call $again))"),
            STACK,
        ),
        stopped(
            "recursion through a table",
            &run("(call_indirect $hoard (type $plain) (i32.const 0))")
                .also(
                    "(type $plain (func)) (table $hoard 1 funcref)
                 (elem (table $hoard) (i32.const 0) func $again)",
                )
                .more("(func $again (call_indirect $hoard (type $plain) (i32.const 0)))"),
            STACK,
        ),
        stopped(
            "recursion before the check",
            &Guest::idle().more("(func $first (call $first)) (start $first)"),
            STACK,
        ),
        stopped(
            "memory page by page",
            &run("(loop $on (drop (memory.grow (i32.const 1))) (br $on))"),
            "64 MiB of memory",
        ),
        stopped(
            "memory all at once",
            &run("(drop (memory.grow (i32.const 65527)))"),
            "64 MiB of memory",
        ),
        stopped("memory from the beginning", &Guest::idle().memory("65536"), "64 MiB of memory"),
        stopped(
            "as much memory as is allowed, all of it used, and a page more",
            &run("(drop (memory.grow (i32.const 1000)))
                (memory.fill (i32.const 65536) (i32.const 7) (i32.const 65536000))
                (drop (memory.grow (i32.const 100)))"),
            "64 MiB of memory",
        ),
        stopped(
            "more than a narrow limit",
            &run("(drop (memory.grow (i32.const 121)))"),
            "8 MiB of memory",
        )
        .memory("memory: 8MiB", 8),
        stopped("table", &run(grow).also("(table $hoard 1 funcref)"), "100000 table elements"),
        stopped(
            "table from the beginning",
            &Guest::idle().also("(table $hoard 9000000 funcref)"),
            "100000 table elements",
        ),
        stopped(
            "many tables",
            &Guest::idle().also(&"(table 9000 funcref)".repeat(20)),
            "100000 table elements",
        ),
    ]
}
