//! Hostile components, one for each trick that is known: every one ends with its exit code soon
//! after its limit, the runner's memory stays bounded, a network beside it is byte for byte what it
//! was, and a neighbouring run notices nothing.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod abi;
mod bombs;
mod canary;
mod files;
mod floods;
mod guesses;
mod guest;
mod handles;
mod imports;
mod lies;
mod places;
mod reroutes;
mod row;
mod scenarios;
mod shapes;

use std::collections::BTreeSet;

use row::hold;

#[test]
fn each_trick_has_a_component_of_its_own() {
    let groups = [
        abi::strings,
        abi::results,
        abi::values,
        abi::reallocs,
        abi::afterwards,
        handles::rows,
        bombs::time,
        bombs::space,
        floods::waits,
        floods::of_words,
        floods::of_changes,
        floods::of_handles,
        lies::rows,
        lies::extremes,
        files::broken,
        files::manifests,
        imports::forbidden,
        imports::of_the_wrong_shape,
        imports::of_wasi,
        shapes::rows,
        shapes::compile_bombs,
    ];
    let names: BTreeSet<_> = groups.iter().flat_map(|rows| rows()).map(|row| row.name).collect();
    assert!(names.len() >= 200, "there are {}", names.len());
}

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

#[test]
fn handles_that_are_none_trap() {
    hold(&handles::rows());
}

#[test]
fn time_is_limited_wherever_it_goes() {
    hold(&bombs::time());
}

#[test]
fn memory_tables_and_stack_are_limited() {
    hold(&bombs::space());
}

#[test]
fn waiting_for_ever_ends_with_the_time() {
    hold(&floods::waits());
}

#[test]
fn floods_of_words_are_limited() {
    hold(&floods::of_words());
}

#[test]
fn floods_of_changes_are_limited() {
    hold(&floods::of_changes());
}

#[test]
fn floods_of_handles_are_limited() {
    hold(&floods::of_handles());
}

#[test]
fn no_guest_passes_for_the_runner() {
    hold(&lies::rows());
}

#[test]
fn extreme_arguments_are_answered() {
    hold(&lies::extremes());
}

#[test]
fn what_is_no_recipe_is_refused() {
    hold(&files::broken());
}

#[test]
fn hostile_manifests_are_refused() {
    hold(&files::manifests());
}

#[test]
fn forbidden_imports_are_refused() {
    hold(&imports::forbidden());
}

#[test]
fn components_of_the_wrong_shape_are_refused() {
    hold(&imports::of_the_wrong_shape());
}

#[test]
fn the_wasi_that_there_is_leads_nowhere() {
    hold(&imports::of_wasi());
}

#[test]
fn strange_shapes_are_bounded() {
    hold(&shapes::rows());
}

#[test]
fn large_functions_are_compiled_soon() {
    hold(&shapes::compile_bombs());
}
