//! A guest as the text of its core module, so that it can break every promise that a compiler keeps.

use netwright_tests::component::{StringEncoding, from_text_in};

/// A module whose functions are these texts. `$n` is a local of `run`, `check` and the realloc.
pub(crate) struct Guest {
    /// imports and whatever else comes before functions
    also: String,
    memory: &'static str,
    realloc: String,
    check: String,
    run: String,
    /// functions after those of the contract
    more: String,
    encoding: StringEncoding,
}

/// A `cabi_realloc` that never frees.
const BUMP: &str = "
    (local.set $n (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
    (global.set $free (i32.add (local.get $n) (local.get 3)))
    (local.get $n)";

/// 0 is the address of an empty list of faults and of a success.
const FINE: &str = "(i32.const 0)";

impl Guest {
    /// Whose `run` is this text, which gives the address of a verdict. 512 is the address of a
    /// namespace's name of 5 bytes, 1024 that of a free kilobyte, 4096 that of what `data` sets.
    pub(crate) fn run(text: impl Into<String>) -> Self {
        Self {
            also: String::new(),
            memory: "8",
            realloc: BUMP.to_owned(),
            check: FINE.to_owned(),
            run: text.into(),
            more: String::new(),
            encoding: StringEncoding::UTF8,
        }
    }

    pub(crate) fn idle() -> Self {
        Self::run(FINE)
    }

    /// Whose `check` is this text, which gives the address of a list.
    pub(crate) fn check(text: impl Into<String>) -> Self {
        Self { check: text.into(), ..Self::idle() }
    }

    pub(crate) fn realloc(self, text: &str) -> Self {
        Self { realloc: text.to_owned(), ..self }
    }

    pub(crate) fn also(self, text: &str) -> Self {
        Self { also: self.also + text, ..self }
    }

    pub(crate) fn more(self, text: impl Into<String>) -> Self {
        Self { more: text.into(), ..self }
    }

    pub(crate) fn memory(self, memory: &'static str) -> Self {
        Self { memory, ..self }
    }

    pub(crate) fn encoding(self, encoding: StringEncoding) -> Self {
        Self { encoding, ..self }
    }

    /// Bytes at 4096.
    pub(crate) fn data(self, bytes: &[u8]) -> Self {
        let text: String = bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
        self.also(&format!("(data (i32.const 4096) \"{text}\")"))
    }

    /// The component.
    #[track_caller]
    pub(crate) fn made(&self) -> Vec<u8> {
        let Self { also, memory, realloc, check, run, more, encoding } = self;
        let text = format!(
            r#"(module
            {IMPORTS}
            {also}
            (memory (export "memory") {memory})
            (global $free (mut i32) (i32.const 65536))
            (data (i32.const 512) "first")
            (func $realloc (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
                (local $n i32) {realloc})
            (func (export "netwright:host/guest@0.2.0#check") (result i32)
                (local $n i32) {check})
            (func $run (export "netwright:host/guest@0.2.0#run") (result i32)
                (local $n i32)
                ;; Something to undo, whatever happens next.
                (call $create (i32.const 512) (i32.const 5) (i32.const 1024))
                {run})
            {more})"#
        );
        from_text_in(&text, *encoding)
    }
}

/// What most guests call, by short names.
const IMPORTS: &str = r#"
    (import "netwright:host/namespaces@0.2.0" "[static]namespace.create"
        (func $create (param i32 i32 i32)))
    (import "netwright:host/namespaces@0.2.0" "[static]namespace.open"
        (func $open (param i32 i32 i32)))
    (import "netwright:host/namespaces@0.2.0" "[static]namespace.root" (func $root (param i32)))
    (import "netwright:host/namespaces@0.2.0" "[method]namespace.name"
        (func $name (param i32 i32)))
    (import "netwright:host/namespaces@0.2.0" "[method]namespace.delete"
        (func $delete (param i32 i32)))
    (import "netwright:host/namespaces@0.2.0" "[resource-drop]namespace" (func $drop (param i32)))
    (import "netwright:host/links@0.2.0" "[static]link.create" (func $link (param i32 i32)))
    (import "netwright:host/links@0.2.0" "[method]link.index"
        (func $index (param i32) (result i32)))
    (import "netwright:host/batch@0.2.0" "[constructor]batch" (func $batch (result i32)))
    (import "netwright:host/batch@0.2.0" "[static]batch.apply" (func $apply (param i32 i32)))
    (import "netwright:host/links@0.2.0" "add-settings"
        (func $settings (param i32 i32 i32 i32 i32 i32 i32 i32)))
    (import "netwright:host/log@0.2.0" "emit" (func $emit (param i32 i32 i32)))
    (import "netwright:host/report@0.2.0" "print" (func $print (param i32 i32)))
    (import "netwright:host/report@0.2.0" "step" (func $step (param i32 i32)))
    (import "netwright:host/report@0.2.0" "check" (func $claim (param i32 i32 i32 i32 i32)))
    (import "netwright:host/report@0.2.0" "metric" (func $metric (param i32 i32 f64 i32 i32)))
    (import "netwright:host/report@0.2.0" "attach"
        (func $attach (param i32 i32 i32 i32 i32 i32)))
    (import "netwright:host/addresses@0.2.0" "put" (func $address (param i32 i32)))
    (import "netwright:host/params@0.2.0" "get" (func $param (param i32 i32 i32)))
"#;
