//! Handles that were never given, given back, or given too often.

use crate::guest::Guest;
use crate::row::Row;

/// The handle that `create` gave, as it stands in its answer.
const OWN: &str = "(i32.load (i32.const 1032))";

fn trap(name: &'static str, run: &str, says: &'static str) -> Row {
    Row::new(name, Guest::run(format!("{run} (i32.const 0)")).made(), 5, says)
}

pub(crate) fn rows() -> Vec<Row> {
    let drop = format!("(call $drop {OWN})");
    let name = |handle: &str| format!("(call $name {handle} (i32.const 2048))");
    vec![
        trap("use after drop", &format!("{drop} {}", name(OWN)), "unknown handle index"),
        trap("double drop", &format!("{drop} {drop}"), "unknown handle index"),
        trap("handle 0", &name("(i32.const 0)"), "unknown handle index 0"),
        trap("made-up handle", &name("(i32.const 77)"), "unknown handle index 77"),
        trap("handle below nothing", &name("(i32.const -1)"), "unknown handle index"),
        trap(
            "drop of a handle below nothing",
            "(call $drop (i32.const -1))",
            "unknown handle index",
        ),
        trap(
            "namespace taken for a link",
            &format!("(drop (call $index {OWN}))"),
            "used with the wrong type",
        ),
        trap(
            "handle that was given anew",
            // The slot is used again, so the old number means another namespace: a confusion of
            // the guest's own, and none of the host's.
            &format!(
                "{drop} (call $root (i32.const 2048)) {} (call $drop (i32.load (i32.const 2056))) {}",
                name(OWN),
                name(OWN)
            ),
            "unknown handle index",
        ),
        Row::new(
            "namespace that is gone",
            Guest::run(format!(
                "(call $delete {OWN} (i32.const 2048)) (call $delete {OWN} (i32.const 2048))
                 (i32.const 2048)"
            ))
            .made(),
            5,
            "is gone",
        ),
        Row::new(
            "handles until there are no more",
            Guest::run(
                "(loop $more (call $root (i32.const 2048))
                    (br_if $more (i32.eqz (i32.load8_u (i32.const 2048)))))
                 (i32.const 2048)",
            )
            .made(),
            7,
            "limit reached: handles",
        )
        .limits("time: 20s, handles: 100"),
    ]
}
