//! The messages of a recipe's process, which somebody can have taken over, and the functions of the
//! contract behind them, in front of a kernel that makes whatever it is asked for.
#![no_main]

use libfuzzer_sys::fuzz_target;
use netwright::guest::fuzzing::serve;

// The first byte says how: a stream with the length before each message, or one message without it.
fuzz_target!(|bytes: &[u8]| {
    let Some((how, said)) = bytes.split_first() else { return };
    if how % 2 == 0 {
        serve(said);
    } else if let Ok(length) = u32::try_from(said.len()) {
        serve(&[&length.to_ne_bytes(), said].concat());
    }
});
