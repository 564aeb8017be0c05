//! Components written as text, for what no compiler would make: they show what a recipe in another
//! language looks like to the runner, and go wrong in ways that Rust prevents.

use crate::workspace;
pub use wit_component::StringEncoding;
use wit_component::{ComponentEncoder, embed_component_metadata};
use wit_parser::Resolve;

/// The component of a core module in WebAssembly's text format, whose imports and exports have the
/// names of the canonical ABI, such as `netwright:host/guest@0.2.0#run`. What it imports of
/// `wasi_snapshot_preview1` becomes imports of WASI 0.2, as the toolchains of other languages do it.
#[track_caller]
pub fn from_text(text: &str) -> Vec<u8> {
    from_text_in(text, StringEncoding::UTF8)
}

/// The same, with its strings in another encoding of the canonical ABI.
#[track_caller]
pub fn from_text_in(text: &str, encoding: StringEncoding) -> Vec<u8> {
    ComponentEncoder::default()
        .module(&module_from_text(text, encoding))
        .and_then(|encoder| {
            encoder.adapter(
                "wasi_snapshot_preview1",
                wasi_preview1_component_adapter_provider::WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
            )
        })
        .and_then(|encoder| encoder.validate(true).encode())
        .unwrap_or_else(|error| panic!("it is no component: {error:#}"))
}

/// The core module alone, as a compiler leaves it that knows the contract.
#[track_caller]
pub fn module_from_text(text: &str, encoding: StringEncoding) -> Vec<u8> {
    let mut module = wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"));
    let mut contract = Resolve::default();
    let folder = workspace().join("guest-sdk/wit");
    let (package, _) = contract.push_dir(folder).expect("the contract can be read");
    let world = contract.select_world(&[package], Some("recipe")).expect("there is one");
    embed_component_metadata(&mut module, &contract, world, encoding)
        .expect("a module takes another section");
    module
}

/// A recipe that has no faults to tell and whose `run` is this text: a function without
/// parameters that returns the address of its verdict. 0 is the address of a success, 1024 that of
/// a free kilobyte. `also` holds imports and whatever else comes before functions.
#[track_caller]
pub fn recipe(also: &str, run: &str) -> Vec<u8> {
    from_text(&format!(
        r#"(module
            (import "netwright:host/namespaces@0.2.0" "[static]namespace.create"
                (func $create-namespace (param i32 i32 i32)))
            {also}
            (memory (export "memory") 8)
            (global $free (mut i32) (i32.const 65536))
            (data (i32.const 512) "first")
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
                (local $at i32)
                (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
                (global.set $free (i32.add (local.get $at) (local.get 3)))
                (local.get $at))
            (func (export "netwright:host/guest@0.2.0#check") (result i32) (i32.const 0))
            (func (export "netwright:host/guest@0.2.0#run") (result i32)
                ;; Something to undo, whatever happens next.
                (call $create-namespace (i32.const 512) (i32.const 5) (i32.const 1024))
                {run}))"#
    ))
}
