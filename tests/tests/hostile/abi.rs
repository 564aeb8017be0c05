//! Values that the canonical ABI does not allow: pointers, lengths, encodings, discriminants.

use netwright_tests::component::StringEncoding::{CompactUTF16, UTF16};

use crate::guest::Guest;
use crate::row::Row;

/// A string of the guest's, by address and length, given to the host.
fn says(pointer: &str, length: &str) -> Guest {
    Guest::run(format!("(call $print (i32.const {pointer}) (i32.const {length})) (i32.const 0)"))
}

/// A trap, told with these words.
fn trap(name: &'static str, guest: &Guest, says: &'static str) -> Row {
    Row::new(name, guest.made(), 5, says)
}

pub(crate) fn strings() -> Vec<Row> {
    let text = |bytes: &[u8], length: &str| says("4096", length).data(bytes);
    let utf16 = |bytes: &[u8], length: &str| text(bytes, length).encoding(UTF16);
    vec![
        trap("string beyond memory", &says("0xfffffff0", "32"), "out of bounds"),
        trap("string across the end of memory", &says("0x7fffe", "4"), "out of bounds"),
        trap("string of 4 GiB", &says("0", "0xffffffff"), "out of bounds"),
        trap("bytes that are no UTF-8", &text(b"\xff\xfe", "2"), "invalid utf-8"),
        trap("overlong UTF-8", &text(b"\xc0\x80", "2"), "invalid utf-8"),
        trap("half a surrogate in UTF-8", &text(b"\xed\xa0\x80", "3"), "invalid utf-8"),
        trap("UTF-8 cut off", &text("é".as_bytes(), "1"), "incomplete utf-8"),
        trap("half a surrogate in UTF-16", &utf16(b"\x00\xd8", "1"), "unpaired surrogate"),
        trap("UTF-16 at an odd address", &says("4097", "1").encoding(UTF16), "not aligned"),
        trap(
            "UTF-16 whose bytes overflow",
            &says("0", "0x80000001").encoding(UTF16),
            "out of bounds",
        ),
        trap(
            "latin1 that says it is UTF-16 of 4 GiB",
            &says("0", "0xffffffff").encoding(CompactUTF16),
            "out of bounds",
        ),
    ]
}

/// The address of an error with this case and, from its payload on, these words.
fn verdict(case: u8, words: &[u32]) -> Guest {
    let mut bytes = vec![1, 0, 0, 0, 0, 0, 0, 0, case, 0, 0, 0, 0, 0, 0, 0];
    words.iter().for_each(|word| bytes.extend(word.to_le_bytes()));
    bytes.resize(128, 0);
    Guest::run("(i32.const 4096)").data(&bytes)
}

pub(crate) fn results() -> Vec<Row> {
    let many_faults = [0, 0, 0, 0, 0xff, 0xff, 0xff, 0x0f];
    let list = |bytes: &[u8]| Guest::check("(i32.const 4096)").data(bytes);
    vec![
        trap("verdict beyond memory", &Guest::run("(i32.const 0xfffffff8)"), "out of bounds"),
        trap("verdict at an odd address", &Guest::run("(i32.const 4097)"), "not aligned"),
        trap("verdict that is neither", &Guest::run("(i32.const 4096)").data(&[2]), "discriminant"),
        trap("verdict of an unknown kind", &verdict(200, &[]), "discriminant"),
        trap("verdict with words beyond memory", &verdict(3, &[0xffff_0000, 99]), "out of bounds"),
        trap("verdict with 4 GiB of words", &verdict(3, &[0, u32::MAX]), "out of bounds"),
        trap("verdict with an unaligned list", &verdict(7, &[0, 0, 3, 1]), "not aligned"),
        trap(
            "verdict with a list that overflows",
            &verdict(7, &[0, 0, 0, u32::MAX]),
            "out of bounds",
        ),
        trap("faults at an odd address", &Guest::check("(i32.const 4098)"), "not aligned"),
        trap("a quarter of a milliard of faults", &list(&many_faults), "out of bounds"),
        trap("faults beyond memory", &list(&[0, 0, 0xff, 0xff, 1]), "out of bounds"),
    ]
}

pub(crate) fn values() -> Vec<Row> {
    let then_fine = |text: &str| Guest::run(format!("{text} (i32.const 0)"));
    // Of link `first` in the root namespace.
    let settings = |batch: &str, list: &str| {
        let link = "(i32.const 0) (i32.const 0) (i32.const 0) (i32.const 512) (i32.const 5)";
        format!("(call $settings {batch} {link} {list})")
    };
    // A list of links' specs: the name of 0 bytes, then the kind's discriminant.
    let mut kind = vec![0; 512];
    kind[12] = 200;
    // An IPv4 address with every flag that an address can't have.
    let mut flags = vec![0; 256];
    flags[4..12].fill(0xff);
    vec![
        trap(
            "level of a log that there isn't",
            &then_fine("(call $emit (i32.const 99) (i32.const 512) (i32.const 5))"),
            "discriminant",
        ),
        trap(
            "check whose verdict there isn't",
            &then_fine(
                "(call $claim (i32.const 512) (i32.const 5) (i32.const -1) (i32.const 0) (i32.const 0))",
            ),
            "discriminant",
        ),
        trap(
            "kind of link that there isn't",
            &then_fine(
                "(i32.store (i32.const 4096) (i32.load (i32.const 1032)))
                 (call $link (i32.const 4096) (i32.const 1024))",
            )
            .data(&kind),
            "discriminant",
        ),
        trap(
            "arguments at an odd address",
            &then_fine("(call $link (i32.const 4097) (i32.const 1024))"),
            "not aligned",
        ),
        trap(
            "arguments beyond memory",
            &then_fine("(call $link (i32.const 0x7fff8) (i32.const 1024))"),
            "out of bounds",
        ),
        trap(
            "address for the answer beyond memory",
            &then_fine("(call $root (i32.const 0xfffffff8))"),
            "out of bounds",
        ),
        trap(
            "odd address for the answer",
            &then_fine("(call $root (i32.const 1025))"),
            "not aligned",
        ),
        trap(
            "unaligned list of settings",
            &then_fine(&settings("(call $batch)", "(i32.const 4097) (i32.const 1)")),
            "not aligned",
        ),
        trap(
            "list of settings that overflows",
            &then_fine(&settings("(call $batch)", "(i32.const 0) (i32.const 0x20000000)")),
            "out of bounds",
        ),
        trap(
            "setting that there isn't",
            &then_fine(&settings("(call $batch)", "(i32.const 4096) (i32.const 1)")).data(&[99]),
            "discriminant",
        ),
        trap(
            "batch that there isn't",
            &then_fine(&settings("(i32.const 4711)", "(i32.const 4096) (i32.const 0)")),
            "unknown handle",
        ),
        trap(
            "batch that was applied",
            &then_fine(&format!(
                "(i32.store (i32.const 4096) (call $batch))
                 (call $apply (i32.load (i32.const 4096)) (i32.const 1024))
                 {}",
                settings("(i32.load (i32.const 4096))", "(i32.const 4100) (i32.const 0)")
            )),
            "unknown handle",
        ),
        trap(
            "flags that there aren't, for no link",
            &then_fine("(call $address (i32.const 4096) (i32.const 1024))").data(&flags),
            "unknown handle",
        ),
        Row::new(
            "a number that is none",
            then_fine(
                "(call $metric (i32.const 512) (i32.const 5) (f64.const nan:0x4000000000001) (i32.const 0) (i32.const 0))
                 (call $metric (i32.const 512) (i32.const 5) (f64.const -inf) (i32.const 0) (i32.const 0))",
            )
            .made(),
            0,
            "",
        ),
    ]
}

pub(crate) fn reallocs() -> Vec<Row> {
    // Its own name, given back as a string, needs memory of the guest's.
    let asks =
        || Guest::run("(call $name (i32.load (i32.const 1032)) (i32.const 2048)) (i32.const 0)");
    vec![
        trap(
            "realloc far beyond memory",
            &asks().realloc("(i32.const 0xfffffff0)"),
            "beyond end of memory",
        ),
        trap(
            "realloc at the end of memory",
            &asks().realloc("(i32.const 0x7fffe)"),
            "beyond end of memory",
        ),
        trap(
            "realloc at an odd address for UTF-16",
            &asks().encoding(UTF16).realloc("(i32.const 4097)"),
            "aligned",
        ),
        trap("realloc that traps", &asks().realloc("(unreachable)"), "unreachable"),
        trap(
            "realloc that calls the host",
            &asks().realloc("(call $print (i32.const 512) (i32.const 5)) (i32.const 2048)"),
            "cannot leave component instance",
        ),
        Row::new(
            "realloc without an end",
            asks().realloc("(loop $on (br $on)) (unreachable)").made(),
            7,
            "limit reached: 1 s of time",
        )
        .takes_a_second(),
        Row::new(
            "realloc that takes all memory",
            asks()
                .realloc("(loop $on (drop (memory.grow (i32.const 16))) (br $on)) (unreachable)")
                .made(),
            7,
            "MiB of memory",
        ),
    ]
}

pub(crate) fn afterwards() -> Vec<Row> {
    let post = |text: &str| {
        Guest::idle().more(format!(
            "(func (export \"cabi_post_netwright:host/guest@0.2.0#run\") (param i32) {text})"
        ))
    };
    vec![
        trap("post-return that traps", &post("(unreachable)"), "unreachable"),
        trap(
            "post-return that calls the host",
            &post("(call $root (i32.const 1024))"),
            "cannot leave component instance",
        ),
        Row::new(
            "post-return without an end",
            post("(loop $on (br $on))").made(),
            7,
            "limit reached: 1 s of time",
        )
        .takes_a_second(),
    ]
}
