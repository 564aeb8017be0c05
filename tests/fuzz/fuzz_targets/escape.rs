//! What a guest says, as it is shown.
#![no_main]

use libfuzzer_sys::fuzz_target;
use netwright_fuzz::{harmless, is_harmful};
use netwright_linux::text::escape;

fuzz_target!(|bytes: &[u8]| {
    let said = String::from_utf8_lossy(bytes);
    let shown = escape(&said);
    harmless(&shown);
    assert!(!shown.contains('\n'), "one text is one line");
    // 2000 characters, ten for each that is escaped, and that it was cut off.
    assert!(shown.len() <= 2000 * 10 + 20);
    let plain = said.is_ascii() && !said.contains(is_harmful) && said.len() <= 2000;
    assert!(!plain || shown == said, "ordinary text is left alone");
});
