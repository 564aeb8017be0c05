//! Addresses, routes and rules that are asked for under grants, on a machine with some already: what
//! was permitted sends nothing elsewhere that was not granted, by a naive model of how the kernel
//! looks routes up, and the operator's session and the loopback never.
#![no_main]

use libfuzzer_sys::fuzz_target;
use netwright::policy::model;

fuzz_target!(|bytes: &[u8]| {
    model::run(bytes);
});
