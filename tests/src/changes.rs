//! The changes that a plan lists and a run made, so that they can be compared.

use serde_json::Value;

/// Of `plan --json`.
pub fn planned_changes(plan: &Value) -> Vec<String> {
    let changes = plan["changes"].as_array().expect("a list");
    changes.iter().filter_map(Value::as_str).map(alike).collect()
}

/// Of `run --json`: those that were made, of all steps.
pub fn made_changes(run: &Value) -> Vec<String> {
    let steps = run["steps"].as_array().expect("a list");
    let made = steps.iter().flat_map(|step| step["changes"].as_array().expect("a list"));
    let made = made.filter(|each| each["error"].is_null());
    made.filter_map(|each| each["change"].as_str()).map(alike).collect()
}

/// Without what follows from Ethernet addresses, which the kernel draws by lot, and without the
/// mark, which each run draws.
fn alike(change: &str) -> String {
    let mut words: Vec<&str> = Vec::new();
    for word in change.split(' ') {
        let marked = words.last() == Some(&"group")
            && word.parse::<u32>().is_ok_and(|group| group >> 24 == 0x6e);
        if marked {
            words.pop();
        } else {
            words.push(if word.starts_with("fe80:") { "LINK-LOCAL" } else { word });
        }
    }
    words.join(" ")
}
