//! Components and modules that are valid, and whose shape alone is an attack.

use crate::files::leb128;
use crate::guest::Guest;
use crate::row::Row;

/// A component of text; whether it is refused or stopped is said by its code.
fn component(name: &'static str, text: &str, code: i32, says: &'static str) -> Row {
    let component = wat::parse_str(text).unwrap_or_else(|error| panic!("{name}: {error}"));
    Row::new(name, component, code, says)
}

/// A component in a component in a component.
fn nested(depth: usize) -> Vec<u8> {
    const HEAD: [u8; 8] = *b"\0asm\x0d\0\x01\0";
    let mut bytes = HEAD.to_vec();
    for _ in 1..depth {
        // A section of a component's, Component Model's Binary.md, is number 4.
        bytes = [&HEAD[..], &[4], &leb128(bytes.len()), &bytes].concat();
    }
    bytes
}

pub(crate) fn rows() -> Vec<Row> {
    let invalid = "can't be run";
    let instances = |many: usize| {
        format!("(component (core module $m){})", "(core instance (instantiate $m))".repeat(many))
    };
    let memories = "(core module (memory 1))(core instance (instantiate 0))";
    vec![
        Row::new("components 5,000 deep", nested(5_000), 2, "recipe"),
        Row::new("components 90 deep", nested(90), 2, invalid),
        component("a thousand instances", &instances(1_000), 2, "recipe"),
        component("20,000 instances", &instances(20_000), 2, "recipe"),
        component(
            "20 memories",
            &format!(
                "(component (core module $m (memory 1)){})",
                "(core instance (instantiate $m))".repeat(20)
            ),
            2,
            "recipe",
        ),
        component("a memory", &format!("(component {memories})"), 2, "recipe"),
        Row::new(
            "a thousand globals",
            Guest::idle().also(&"(global i64 (i64.const 7))".repeat(1_000)).made(),
            0,
            "",
        ),
        Row::new(
            "an export beside those of the contract",
            Guest::idle().more("(func (export \"cabi_start\"))").made(),
            0,
            "",
        ),
    ]
}

/// Modules with large parts, none of which makes the compiler slow.
pub(crate) fn compile_bombs() -> Vec<Row> {
    let locals = format!("(local {})", "i64 ".repeat(49_000));
    let blocks = |depth: usize| "(block ".repeat(depth) + &")".repeat(depth);
    let sums = |many: usize| {
        format!(
            "(local i64) {} (drop (local.get 0))",
            "(local.set 0 (i64.mul (i64.add (local.get 0) (i64.const 7)) (local.get 0)))"
                .repeat(many)
        )
    };
    let table = |many| format!("(func (block (br_table {} (i32.const 7))))", "0 ".repeat(many));
    let functions = |many| "(func (nop))".repeat(many);
    let calls = format!("(func $c {})", "(call $c)".repeat(20_000));
    let row = |name, more: String| Row::new(name, Guest::idle().more(more).made(), 0, "");
    vec![
        row("49,000 locals in each of 20 functions", format!("(func {locals})").repeat(20)),
        row("blocks 2,000 deep", format!("(func {})", blocks(2_000))),
        row("a function of 20,000 sums", format!("(func {})", sums(20_000))),
        row("a jump to one of 60,000 places", table(60_000)),
        Row::new(
            "a jump to one of 100,000 places",
            Guest::idle().more(table(100_000)).made(),
            2,
            "can't be compiled",
        ),
        row("10,000 functions", functions(10_000)),
        Row::new("20,000 functions", Guest::idle().more(functions(20_000)).made(), 0, "")
            .memory("memory: 256MiB", 256)
            .works_for(2),
        Row::new(
            "100,000 functions",
            Guest::idle().also(&functions(100_000)).made(),
            7,
            "MiB of memory to compile it",
        )
        .works_for(60),
        Row::new(
            "1,000 functions of 4,000 sums",
            Guest::idle().also(&format!("(func {})", sums(4_000)).repeat(1_000)).made(),
            7,
            "2 s of time to compile it",
        )
        .limits("time: 2s")
        .works_for(2),
        row("a function of 20,000 calls", calls),
    ]
}
