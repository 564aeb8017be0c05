//! Guests that try to be taken for the runner, and names that lie.

use crate::guest::Guest;
use crate::row::Row;

/// A function, with the name that a backtrace shows, which traps.
fn named(name: &str) -> Vec<u8> {
    Guest::run("(call $liar) (i32.const 0)")
        .more(format!("(func $liar (@name \"{name}\") (unreachable))"))
        .made()
}

pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::in_rust("lie-everywhere", 0, ""),
        Row::in_rust("lie-everywhere", 0, "").flags(&["-v"]),
        Row::in_rust("lie-everywhere", 0, "").flags(&["-q"]).quiet(),
        Row::in_rust("lie-and-panic", 5, "broke off in `run`: \\u{1b}[2J"),
        Row::in_rust("lie-other", 1, "\\u{1b}[2J"),
        Row::in_rust("lie-kernel", 5, "\\u{1b}[2J"),
        Row::in_rust("lie-denied", 4, "\\u{1b}[2J"),
        Row::in_rust("lie-gone", 5, "\\u{1b}[2J"),
        Row::in_rust("lie-invalid", 5, "\\u{1b}[2J"),
        Row::in_rust("lie-timeout", 5, "nothing came in 18446744073709551615 ms"),
        Row::in_rust("lie-limit", 7, "\\u{1b}[2J"),
        Row::in_rust("lie-unsupported", 8, "\\u{1b}[2J"),
        Row::in_rust("lie-long", 5, "… cut off"),
        Row::in_rust("faults", 2, "FORGED"),
        Row::new(
            "function whose name is a lie",
            named("\\1b[2J\\0aFORGED\\0apassed: 9 checks"),
            5,
            "\\u{1b}[2J",
        ),
    ]
}

pub(crate) fn extremes() -> Vec<Row> {
    let ways = ["names", "mtus", "extreme-addresses", "junk-flags", "sysctls", "extreme-pings"];
    ways.map(|how| Row::in_rust(how, 0, "")).into_iter().collect()
}
