//! Whichever change fails, the state after is the state before.

use netwright_tests::host::wide_grants;
use netwright_tests::{Host, Session, scenarios_of_this_kernel};
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Mutex;
use std::thread;

/// Heeded by builds with debug assertions.
const VARIABLE: &str = "NETWRIGHT_FAIL_AT";
/// Runs side by side: the machines that this is made for have two cores.
const WORKERS: usize = 2;

/// Does the work for each scenario, several at a time.
fn for_each_scenario(work: impl Fn(&PathBuf) + Sync) {
    let waiting = Mutex::new(scenarios_of_this_kernel());
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                loop {
                    let next = waiting.lock().expect("no worker panics with it").pop();
                    let Some(next) = next else { break };
                    work(&next);
                }
            });
        }
    });
}

/// How many changes a run made.
fn changes(result: &Value) -> usize {
    let steps = result["steps"].as_array().expect("a list of steps");
    steps.iter().map(|step| step["changes"].as_array().map_or(0, Vec::len)).sum()
}

/// The run ended because of change k, and took everything back.
#[track_caller]
fn undone(result: &Value, place: &str) {
    assert_eq!(result["exit_code"], 5, "{place}: {result:#}");
    assert_eq!(result["left"], serde_json::json!([]), "{place}: {result:#}");
    let error = result["error"].as_str().unwrap_or_default();
    assert!(error.contains("kernel refused"), "{place}: {error}");
}

#[test]
fn a_lab_is_undone_whichever_change_fails() {
    for_each_scenario(|scenario| {
        let session = Session::new();
        let run = |k: usize| {
            let mut command = session.command(["run", "--json"]);
            command.arg(scenario).env(VARIABLE, k.to_string());
            let output: netwright_tests::Output = command.output().expect("the program").into();
            output.json()
        };
        let whole = run(0);
        assert_eq!(whole["exit_code"], 0, "{whole:#}");
        for k in 1..=changes(&whole) {
            undone(&run(k), &format!("{} change {k}", scenario.display()));
        }
    });
}

#[test]
fn a_host_is_as_before_whichever_change_fails() {
    let grants = wide_grants();
    for_each_scenario(|scenario| {
        let host = Host::new();
        let before = host.state();
        let run = |k: usize| {
            let mut words = vec!["run", "--json", "--target", "host"];
            words.extend(grants.iter().flat_map(|grant| ["--grant", grant]));
            let path = scenario.display().to_string();
            words.push(&path);
            host.netwright(words, &[(VARIABLE, &k.to_string())]).json()
        };
        let whole = run(0);
        if whole["denials"].to_string().contains("the recipe's manifest does not ask for it") {
            // Made for labs: on a host it has to change nothing.
            assert_eq!(host.differences(&before), [""; 0], "{} denied", scenario.display());
            return;
        }
        assert_eq!(whole["exit_code"], 0, "{}: {whole:#}", scenario.display());
        assert_eq!(host.differences(&before), [""; 0], "{} in whole", scenario.display());
        for k in 1..=changes(&whole) {
            let place = format!("{} change {k}", scenario.display());
            undone(&run(k), &place);
            assert_eq!(host.differences(&before), [""; 0], "{place}");
        }
    });
}
