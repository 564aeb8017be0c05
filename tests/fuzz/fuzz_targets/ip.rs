//! The parser of ip(8), tc(8) and bridge(8) scripts.
#![no_main]

use libfuzzer_sys::fuzz_target;
use netwright_fuzz::text;

fuzz_target!(|bytes: &[u8]| {
    let Some(script) = text(bytes) else { return };
    let lines = script.matches('\n').count() as u32 + 1;
    match recipe_ip::parse(script) {
        Ok(statements) => {
            let places = statements.iter().map(|statement| statement.line);
            assert!(places.clone().is_sorted(), "commands stay in their order");
            assert!(places.clone().all(|line| (1..=lines).contains(&line)));
        }
        Err(faults) => {
            assert!(!faults.is_empty());
            for fault in faults {
                assert!((1..=lines).contains(&fault.line), "{fault}");
                assert!(fault.column >= 1 && !fault.message.is_empty(), "{fault}");
            }
        }
    }
});
