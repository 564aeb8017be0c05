//! What the kernel answers: datagrams, acknowledgements, dumps, and the objects in them. Names and
//! texts in them are other people's.
#![no_main]

use libfuzzer_sys::fuzz_target;
use netwright_fuzz::harmless;
use netwright_linux::kernel::netlink::fuzzing;

// The first byte says whether datagrams follow, each behind its length, or one part of a dump.
fuzz_target!(|bytes: &[u8]| {
    let [how, rest @ ..] = bytes else { return };
    if how % 2 == 0 {
        fuzzing::converse(rest);
    } else {
        fuzzing::decode(rest, &mut |line| harmless(&line.to_string()));
    }
});
