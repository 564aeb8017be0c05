//! Files that are no recipes, and sections that lie about one.

use crate::guest::Guest;
use crate::row::Row;

/// An idle recipe that nothing is wrong with.
fn good() -> Vec<u8> {
    Guest::idle().made()
}

fn refused(name: &'static str, component: Vec<u8>, says: &'static str) -> Row {
    Row::new(name, component, 2, says)
}

/// A component of text, which nobody has looked at.
fn text(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn broken() -> Vec<Row> {
    let cut = |kept: usize| good()[..kept].to_vec();
    let length = good().len();
    let noise: Vec<u8> =
        (0..100_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let mut flipped = good();
    flipped.iter_mut().skip(100).step_by(97).for_each(|byte| *byte ^= 0x40);
    let mut elf = b"\x7fELF\x02\x01\x01\xc8\0\0\0\0\0\0\0\0\x01\0\x3e\0\x01\0\0\0".to_vec();
    elf.resize(64, 0);
    elf[48] = 2;
    let zeroes = vec![0; 1 << 20];
    let invalid = "is not valid WebAssembly";
    vec![
        refused("nothing", Vec::new(), invalid),
        refused("half a magic number", cut(2), invalid),
        refused("a head alone", cut(6), invalid),
        refused("half a recipe", cut(length / 2), invalid),
        refused("a recipe less its last byte", cut(length - 1), invalid),
        refused("zeroes", zeroes, invalid),
        refused("noise", noise, invalid),
        refused("noise behind a head", [&cut(8)[..], &[0xff; 4096]].concat(), invalid),
        refused("flipped bits", flipped, "recipe"),
        refused("text", b"(component)".to_vec(), invalid),
        refused("a script", b"#!/bin/sh\nid\n".to_vec(), invalid),
        refused("native code of wasmtime's", elf, invalid),
        refused("a core module", text("(module)"), "is a core module, not a component"),
        refused("another version", b"\0asm\x0e\0\x01\0".to_vec(), invalid),
        refused("two recipes in a row", [good(), good()].concat(), invalid),
        refused(
            "a section longer than the file",
            [&good()[..], &[0, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, b'x']].concat(),
            invalid,
        ),
        refused(
            "a word of an error that moves the cursor",
            text(
                r#"(component (core module
                    (func $f) (export "\1b[2J\nFORGED" (func $f)) (export "\1b[2J\nFORGED" (func $f)))
                    (instance $i) (export "netwright:host/guest@0.2.0" (instance $i)))"#,
            ),
            "\\u{1b}[2J",
        ),
        refused(
            "an import whose name moves the cursor",
            text(r#"(component (import "a" (func)) (import "A\1b[2J\nFORGED" (func)))"#),
            "recipe",
        ),
    ]
}

/// A recipe with one more section, or several, of this name.
fn with(name: &str, contents: &[&[u8]]) -> Vec<u8> {
    contents.iter().fold(good(), |component, content| with_section(component, name, content))
}

/// A custom section at the end.
pub(crate) fn with_section(mut component: Vec<u8>, name: &str, content: &[u8]) -> Vec<u8> {
    component.push(0);
    component.extend(leb128(1 + name.len() + content.len()));
    component.push(u8::try_from(name.len()).unwrap());
    component.extend(name.as_bytes());
    component.extend(content);
    component
}

pub(crate) fn leb128(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

fn manifest(json: &str) -> Vec<u8> {
    with("netwright:manifest", &[json.as_bytes()])
}

/// A whole manifest but for one field.
fn but(field: &str) -> Vec<u8> {
    let all = ["\"name\":\"x\"", "\"version\":\"1.0.0\"", "\"api\":\"0.2.0\""];
    let key = field.split(':').next().unwrap();
    let others = all.into_iter().filter(|other| !other.starts_with(key));
    manifest(&format!("{{{}}}", others.chain([field]).collect::<Vec<_>>().join(",")))
}

pub(crate) fn manifests() -> Vec<Row> {
    let fine = "{\"name\":\"x\",\"version\":\"1.0.0\",\"api\":\"0.2.0\"}";
    let deep = format!(
        "{{\"parameters\":[{{\"name\":\"x\",\"type\":\"map\",\"default\":{}",
        "[".repeat(60_000)
    );
    let long = format!("{{\"name\":\"{}\"}}", "x".repeat(70_000));
    let broken = "is broken: ";
    let twice = with("netwright:manifest", &[fine.as_bytes(), fine.as_bytes()]);
    vec![
        refused("two manifests", twice, "has two manifests"),
        refused("a manifest that is nothing", manifest(""), broken),
        refused("a manifest that is no JSON", manifest("name: x"), broken),
        refused("a manifest cut off", manifest("{\"name\":"), broken),
        refused("a manifest that is a list", manifest("[]"), broken),
        refused("a manifest that is no UTF-8", with("netwright:manifest", &[b"\"\xff\""]), broken),
        refused("a manifest with a NUL", manifest("{\"name\":\"\0\"}"), broken),
        refused("a manifest 60,000 levels deep", manifest(&deep), "recursion limit"),
        refused("a manifest of 70,000 bytes", manifest(&long), "65536 are allowed"),
        refused("a manifest with a number that is none", but("\"parameters\":1e999999"), broken),
        refused(
            "a manifest whose name lies",
            but("\"name\":\"\\u001b[2J\\nFORGED\""),
            "\\u{1b}[2J",
        ),
        refused("a manifest whose name is a path", but("\"name\":\"../../etc\""), broken),
        refused(
            "a manifest with two names",
            but("\"name\":\"x\",\"name\":\"y\""),
            "duplicate field",
        ),
        refused("a manifest of the future", but("\"api\":\"9.9.9\""), "is made for host API 9.9.9"),
        refused(
            "a manifest that asks for everything",
            but("\"capabilities\":[{\"capability\":\"everything\\u001b[2J\"}]"),
            "asks for what there isn't",
        ),
        refused(
            "a manifest whose description hides something",
            but("\"description\":\"fine\\u202eesle gnihtemos\""),
            "holds what can't be shown",
        ),
        Row::new("a manifest of another's", with("netwright:manifest2", &[b"\xff"]), 0, ""),
        Row::new("a section of 8 MiB", with("big", &[&vec![7; 8 << 20]]), 0, ""),
        Row::new("10,000 sections", with("many", &vec![&b"x"[..]; 10_000]), 0, ""),
    ]
}
