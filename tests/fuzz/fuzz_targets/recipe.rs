//! A recipe's file: a component that anybody can have written, read without running it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use netwright::recipe::Recipe;
use netwright_fuzz::harmless;

fuzz_target!(|bytes: &[u8]| {
    match Recipe::parse("recipe.wasm", bytes.to_vec()) {
        Ok(recipe) => {
            harmless(recipe.name());
            recipe.asks().iter().for_each(|rule| harmless(&rule.to_string()));
            assert_eq!(recipe.digest().len(), 64);
            assert_eq!(recipe.bytes(), bytes);
            // It imports nothing that the host would have to refuse later on.
            let known =
                |name: &String| name.starts_with("netwright:host/") || name.starts_with("wasi:");
            assert!(recipe.imports.iter().all(known));
        }
        Err(message) => harmless(&message),
    }
});
