//! Hostile components, one for each trick that is known: every one ends with its exit code soon
//! after its limit, the runner's memory stays bounded, a network beside it is byte for byte what it
//! was, and a neighbouring run notices nothing.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod abi;
mod canary;
mod guest;
mod row;

use row::hold;

#[test]
fn strings_that_are_none_trap() {
    hold(&abi::strings());
}

#[test]
fn results_that_are_none_trap() {
    hold(&abi::results());
}

#[test]
fn values_that_there_are_not_trap() {
    hold(&abi::values());
}

#[test]
fn a_realloc_can_not_mislead_the_host() {
    hold(&abi::reallocs());
}

#[test]
fn what_comes_after_a_result_is_limited_too() {
    hold(&abi::afterwards());
}
