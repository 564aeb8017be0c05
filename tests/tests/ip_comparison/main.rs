//! Scripts of ip(8) leave the same network behind, whether iproute2 carries them out or
//! `builtin:ip` does.

mod cases;
mod failures;
mod normal;
mod observe;

use std::sync::Arc;
use std::thread;

use libtest_mimic::{Arguments, Failed, Trial};
use netwright_tests::Session;
use serde_json::{Map, Value};

use cases::CASES;
use normal::normalise;
use observe::{by_iproute2, by_netwright, by_planned_commands};

/// The cases wait much more than they work.
const AT_ONCE: usize = 8;

fn main() {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(AT_ONCE);
    // One session, so that the recipe is compiled once.
    let session = Arc::new(Session::new());
    let cases = CASES.split("\n== ").skip(1).enumerate();
    let mut trials = failures::trials(&session);
    trials.extend(cases.map(|(place, case)| trial(&session, place, case)));
    let conclusion = libtest_mimic::run(&arguments, trials);
    drop(session);
    conclusion.exit();
}

fn trial(session: &Arc<Session>, place: usize, case: &'static str) -> Trial {
    let (title, script) = case.split_once('\n').expect("a script under each title");
    let session = session.clone();
    let lab = format!("compared{place}");
    Trial::test(title.replace(' ', "_"), move || compare(&session, &lab, script))
}

fn compare(session: &Session, lab: &str, script: &str) -> Result<(), Failed> {
    let (expected, planned, found) = thread::scope(|scope| {
        let expected = scope.spawn(|| by_iproute2(script));
        let planned = scope.spawn(|| by_planned_commands(session, lab, script));
        let found = by_netwright(session, lab, script);
        (expected.join(), planned.join(), found)
    });
    let expected = expected.map_err(|_| "iproute2 did not carry the script out")?;
    let planned = planned.map_err(|_| "iproute2 did not carry the planned commands out")?;
    let expected = normalise(expected, script);
    let mut all = differences(&expected, &normalise(found, script));
    let planned = differences(&expected, &normalise(planned, script));
    all.extend(planned.into_iter().map(|line| format!("plan --as ip: {line}")));
    if all.is_empty() { Ok(()) } else { Err(all.join("\n").into()) }
}

/// For each question the members of one answer that the other one lacks.
fn differences(expected: &Map<String, Value>, found: &Map<String, Value>) -> Vec<String> {
    let mut differences = Vec::new();
    let mut questions: Vec<&String> = expected.keys().chain(found.keys()).collect();
    questions.sort();
    questions.dedup();
    for question in questions {
        let members = |answers: &Map<String, Value>| -> Vec<String> {
            let answer = answers.get(question).and_then(Value::as_array).cloned();
            answer.unwrap_or_default().iter().map(ToString::to_string).collect()
        };
        let (expected, found) = (members(expected), members(found));
        let missing = expected.iter().filter(|member| !found.contains(member));
        differences.extend(missing.map(|member| format!("{question}\n  iproute2: {member}")));
        let added = found.iter().filter(|member| !expected.contains(member));
        differences.extend(added.map(|member| format!("{question}\n  netwright: {member}")));
    }
    differences
}
