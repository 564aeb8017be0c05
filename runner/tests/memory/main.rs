//! The SDK's host in memory beside the program: the same recipes with the same parameters make the
//! same changes in the same words and order, and fail by the same words.

mod scripts;

use netwright::scenario::{Recipe, Scenario};
use netwright_sdk::Recipe as Compiled;
use netwright_sdk::testing::MemoryHost;
use netwright_tests::{Session, workspace};
use serde_json::Value;

/// What a run changed, in words, and why it ended, if it failed.
#[derive(Debug, PartialEq)]
struct Told {
    changes: Vec<String>,
    error: Option<String>,
}

/// Whether a change is about an address that the kernel has made up, which memory has none of.
fn is_made_up(change: &Value) -> bool {
    change["change"].as_str().is_some_and(|words| words.contains(" fe80::"))
}

/// What the real program tells of a run.
fn by_the_program(session: &Session, words: &[&str]) -> Told {
    let output = session.netwright(["run", "--json"].iter().chain(words));
    if output.code == 2 {
        return Told { changes: Vec::new(), error: Some(output.stderr) };
    }
    let report: Value = serde_json::from_str(&output.stdout)
        .unwrap_or_else(|error| panic!("{words:?}: {error}: {output:#?}"));
    let steps = report["steps"].as_array().into_iter().flatten();
    let changes = steps.flat_map(|step| step["changes"].as_array().into_iter().flatten());
    let made = changes.filter(|change| change["error"].is_null() && !is_made_up(change));
    let text = |value: &Value| value.as_str().map(str::to_owned);
    Told {
        changes: made.filter_map(|change| text(&change["change"])).collect(),
        error: text(&report["error"]),
    }
}

/// An error without what only this kernel or this machine says: of a refusal the operation and the
/// name of its number, of everything else the sentence, and of a fault not its place, which is shown
/// in two ways.
fn sentence(error: &str) -> String {
    let line = error.lines().next().unwrap_or_default();
    let fault = line.strip_prefix("error: ").or_else(|| {
        let (_, place) = line.split_once(" failed: script:")?;
        place.splitn(3, ':').nth(2)
    });
    if let Some(fault) = fault {
        return fault.trim().to_owned();
    }
    let number =
        |word: &&str| word.len() > 3 && word.starts_with('E') && *word == word.to_uppercase();
    let refused = line.split_once("kernel refused `").and_then(|(_, rest)| rest.rsplit_once("`: "));
    let Some((operation, why)) = refused else { return line.to_owned() };
    let mut words = why.split(|letter: char| !letter.is_ascii_alphanumeric());
    format!("`{operation}`: {}", words.find(number).unwrap_or(why))
}

/// The recipes that scenarios here use, compiled for this machine.
fn compiled(recipe: &Recipe) -> (&'static str, &'static Compiled) {
    let name = match recipe {
        Recipe::Builtin(name) => name.clone(),
        Recipe::File(path) => {
            path.file_stem().map(|stem| stem.display().to_string()).unwrap_or_default()
        }
    };
    match name.as_str() {
        "ip" => ("ip", &recipe_ip::RECIPE),
        "topology" => ("topology", &recipe_topology::RECIPE),
        "macvlan-network" => ("macvlan-network", &recipe_macvlan_network::RECIPE),
        "macvlan-lan" => ("macvlan-lan", &recipe_macvlan_lan::RECIPE),
        "macvtap-answer" => ("macvtap-answer", &recipe_macvtap_answer::RECIPE),
        other => panic!("no recipe `{other}` is known here"),
    }
}

/// What the same steps come to in memory, where every address that is named answers.
fn in_memory(scenario: &Scenario, answering: &str) -> Told {
    let host = MemoryHost::new();
    let ends = |letter: char| !letter.is_ascii_hexdigit() && !".:".contains(letter);
    for address in answering.split(ends).filter_map(|word| word.parse::<std::net::IpAddr>().ok()) {
        host.answer_ping(address);
    }
    for step in &scenario.steps {
        let (name, recipe) = compiled(&step.recipe);
        host.set_params(step.params());
        if let Err(error) = host.run(recipe) {
            let error = Some(format!("recipe `{name}` failed: {error}"));
            return Told { changes: host.changes(), error };
        }
    }
    Told { changes: host.changes(), error: None }
}

#[test]
fn every_scenario_changes_in_memory_what_it_changes_in_a_lab() {
    let session = Session::new();
    let mut entries: Vec<_> =
        workspace().join("scenarios").read_dir().expect("scenarios").flatten().collect();
    entries.sort_by_key(std::fs::DirEntry::file_name);
    let mut wrong: Vec<String> = Vec::new();
    let mut compared = 0;
    for path in entries.iter().map(std::fs::DirEntry::path) {
        if path.extension().is_none_or(|end| end != "yaml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a scenario");
        let scenario = Scenario::load(&path, &[]).expect("a scenario that is shipped");
        let real = by_the_program(&session, &[&path.display().to_string()]);
        let memory = in_memory(&scenario, &text);
        // What this kernel lacks, another one has, on which this runs too.
        if real.error.as_ref().is_some_and(|error| error.contains("can't run here")) {
            continue;
        }
        compared += 1;
        if real.changes != memory.changes {
            wrong.push(format!("{}\n{real:#?}\n{memory:#?}", path.display()));
        }
    }
    assert!(compared > 20, "{compared}");
    assert!(wrong.is_empty(), "{} of {compared}: {}", wrong.len(), wrong.join("\n"));
}

/// A script of `builtin:ip` behind the one that all begin with, in both.
fn of_script(session: &Session, lines: &str) -> (Told, Told) {
    let script = format!("{}{lines}\n", scripts::BASE);
    let real = by_the_program(session, &["builtin:ip", "-p", &format!("script={script}")]);
    let host = MemoryHost::new();
    host.set_param("script", &script);
    let error = host.run(&recipe_ip::RECIPE).err();
    let error = error.map(|error| format!("recipe `ip` failed: {error}"));
    (real, Told { changes: host.changes(), error })
}

#[test]
fn changes_have_the_same_words_in_memory_and_in_a_lab() {
    let session = Session::new();
    let mut wrong: Vec<String> = Vec::new();
    for lines in scripts::MADE {
        let (real, memory) = of_script(&session, lines);
        if real != memory || real.error.is_some() {
            wrong.push(format!("{lines}\n{real:#?}\n{memory:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}: {}", wrong.len(), scripts::MADE.len(), wrong.join("\n"));
}

#[test]
fn what_fails_in_a_lab_fails_in_memory_by_the_same_words() {
    assert!(scripts::FAULTS.len() >= 100, "{}", scripts::FAULTS.len());
    let session = Session::new();
    let said = |told: &Told| told.error.as_deref().map(sentence);
    let mut wrong: Vec<String> = Vec::new();
    for lines in scripts::FAULTS {
        let (real, memory) = of_script(&session, lines);
        assert!(real.error.is_some(), "{lines}: {real:#?}");
        // What is refused before anything is made tells of no change.
        let alike = real.changes == memory.changes || real.changes.is_empty();
        if !alike || said(&real) != said(&memory) {
            wrong.push(format!("{lines}\n{real:#?}\n{memory:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}: {}", wrong.len(), scripts::FAULTS.len(), wrong.join("\n"));
}
