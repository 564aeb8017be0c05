//! The pages for contributors: every file and test that they name is there, each kind of change has its
//! checklist, and each decision is in the list of them.

use std::fs;
use std::path::{Path, PathBuf};

use netwright_tests::workspace;

/// The checklists of docs/adding.md.
const CHECKLISTS: [&str; 9] = [
    "A noun",
    "A link kind",
    "A host function",
    "A check",
    "A scenario key or limit",
    "A subcommand",
    "A fuzzer",
    "A test for the second kernel",
    "A target",
];

/// What a path may begin with where it doesn't begin with the repository.
const FOLDERS: [&str; 3] = ["", "runner/src", "linux/src"];

/// Lines that fit on a screen, and a few.
const ONE_SCREEN: usize = 90;

struct Page {
    /// below the workspace
    name: String,
    text: String,
}

fn page(name: &str) -> Page {
    let path = workspace().join(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
    Page { name: name.to_owned(), text }
}

fn decisions() -> Vec<Page> {
    let folder = fs::read_dir(workspace().join("docs/decisions")).expect("it is there");
    let mut names: Vec<String> = folder
        .map(|entry| entry.expect("a readable folder").file_name().into_string().expect("ASCII"))
        .filter(|name| name != "README.md")
        .collect();
    names.sort();
    assert!(names.len() > 40, "{names:?}");
    names.iter().map(|name| page(&format!("docs/decisions/{name}"))).collect()
}

fn pages() -> Vec<Page> {
    let named = [
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "docs/adding.md",
        "docs/tested.md",
        "docs/decisions/README.md",
    ];
    named.into_iter().map(page).chain(decisions()).collect()
}

/// What stands between backquotes, outside of blocks of code.
fn spans(text: &str) -> impl Iterator<Item = &str> {
    let prose = text.split("```").step_by(2);
    prose.flat_map(|prose| prose.split('`').skip(1).step_by(2))
}

/// Whether a word in backquotes is a path of the repository.
fn is_path(span: &str) -> bool {
    const ENDS: [&str; 8] = [".rs", ".md", ".wit", ".yaml", ".toml", ".txt", ".json", "/"];
    let elsewhere = ["/", "target/", "~"];
    let plain = |character: char| character.is_ascii_alphanumeric() || "-_./".contains(character);
    span.chars().all(plain)
        && ENDS.iter().any(|end| span.ends_with(end))
        && !elsewhere.iter().any(|start| span.starts_with(start))
}

fn file(span: &str) -> Option<PathBuf> {
    FOLDERS.iter().map(|folder| workspace().join(folder).join(span)).find(|path| path.exists())
}

/// `NAME` in `FILE`, `NAME` of `FILE` and `FILE` (`NAME`): the name, and the file that must have it.
fn named_within(text: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    for prose in text.split("```").step_by(2) {
        let parts: Vec<&str> = prose.split('`').collect();
        for (place, between) in parts.iter().enumerate().skip(2).step_by(2) {
            let Some(after) = parts.get(place + 1) else { continue };
            let before = parts[place - 1];
            match *between {
                " in " | " of " if is_path(after) => found.push((before, *after)),
                " (" if is_path(before) => found.push((*after, before)),
                _ => {}
            }
        }
    }
    found
}

/// The targets of links that lead to files: the file, which may be left out, and the heading.
fn links(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let targets = text.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0));
    let within = targets.filter(|target| !target.contains("://"));
    within.map(|target| target.split_once('#').unwrap_or((target, "")))
}

/// A heading as links have it.
fn anchor(heading: &str) -> String {
    let kept = |character: &char| character.is_alphanumeric() || " -_".contains(*character);
    heading
        .trim_start_matches('#')
        .trim()
        .to_lowercase()
        .chars()
        .filter(kept)
        .collect::<String>()
        .replace(' ', "-")
}

fn has_heading(text: &str, wanted: &str) -> bool {
    text.lines().any(|line| line.starts_with('#') && anchor(line) == wanted)
}

#[test]
fn every_file_that_is_named_is_there() {
    let mut missing = Vec::new();
    let mut named = 0;
    for Page { name, text } in pages() {
        for span in spans(&text).filter(|span| is_path(span)) {
            named += 1;
            if file(span).is_none() {
                missing.push(format!("{name}: `{span}`"));
            }
        }
        let here = workspace().join(&name);
        for (target, heading) in links(&text) {
            named += 1;
            let there = here.parent().unwrap_or(Path::new("/")).join(target);
            let there = if target.is_empty() { here.clone() } else { there };
            let leads = there.exists()
                && (heading.is_empty()
                    || fs::read_to_string(&there).is_ok_and(|text| has_heading(&text, heading)));
            if !leads {
                missing.push(format!("{name}: ({target}#{heading})"));
            }
        }
    }
    assert!(named > 300, "only {named} files are named");
    assert_eq!(missing, [""; 0]);
}

#[test]
fn what_is_named_within_a_file_is_in_it() {
    let mut missing = Vec::new();
    let mut named = 0;
    for Page { name, text } in pages() {
        for (what, within) in named_within(&text) {
            let Some(path) = file(within).filter(|path| path.is_file()) else { continue };
            named += 1;
            let last = what.rsplit(['.', ':']).next().unwrap_or(what);
            if !fs::read_to_string(path).expect("a text").contains(last) {
                missing.push(format!("{name}: `{what}` in `{within}`"));
            }
        }
    }
    assert!(named > 40, "only {named} names");
    assert_eq!(missing, [""; 0]);
}

/// Rows of the tables: step, files, and what holds it.
fn steps(checklist: &str) -> Vec<[&str; 3]> {
    let rows =
        checklist.lines().filter(|line| line.starts_with("| ") && !line.contains("held by |"));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        <[&str; 3]>::try_from(cells).unwrap_or_else(|_| panic!("three columns: {row}"))
    })
    .collect()
}

#[test]
fn each_kind_of_change_has_a_checklist_whose_steps_name_files() {
    let adding = page("docs/adding.md").text;
    let chapters: Vec<(&str, &str)> =
        adding.split("\n## ").skip(1).filter_map(|chapter| chapter.split_once('\n')).collect();
    let titles: Vec<&str> = chapters.iter().map(|(title, _)| *title).collect();
    assert_eq!(titles, CHECKLISTS);
    for (title, chapter) in chapters {
        let steps = steps(chapter);
        assert!(steps.len() > 5, "{title} has {} steps", steps.len());
        for [step, files, held] in steps {
            let row = format!("{title}: {step}");
            assert!(spans(files).chain(spans(held)).any(is_path), "{row}: no file is named");
            assert!(!held.is_empty(), "{row}: nothing is said of what holds it");
        }
    }
}

/// `FILE`: `TEST`, `TEST` in the last column.
#[test]
fn every_test_that_holds_a_step_is_there() {
    let adding = page("docs/adding.md").text;
    let mut tests = 0;
    for [step, _, held] in steps(&adding) {
        let mut holder: Option<&str> = None;
        for span in spans(held) {
            if is_path(span) {
                holder = Some(span);
            } else if let Some(path) = holder.and_then(file).filter(|_| span.contains('_')) {
                let text = fs::read_to_string(&path).expect("a file of the repository");
                let declared = format!("fn {span}() {{");
                assert!(text.contains(&declared), "{step}: no test `{span}` in {holder:?}");
                tests += 1;
            }
        }
    }
    assert!(tests >= 25, "only {tests} tests");
}

#[test]
fn the_architecture_is_on_one_screen() {
    let text = page("ARCHITECTURE.md").text;
    assert!(text.lines().count() <= ONE_SCREEN, "{} lines", text.lines().count());
    assert!(text.contains("(docs/decisions/README.md)") && text.contains("(docs/adding.md)"));
}

#[test]
fn every_decision_is_listed_with_its_title_and_says_what_was_the_problem() {
    let list = page("docs/decisions/README.md").text;
    for (place, Page { name, text }) in decisions().iter().enumerate() {
        let number = place + 1;
        let file = name.rsplit('/').next().unwrap_or_default();
        assert!(file.starts_with(&format!("{number:02}-")), "{name} has not number {number}");
        let title = text.lines().next().unwrap_or_default().trim_start_matches("# ");
        assert!(title.starts_with(&format!("{number}. ")), "{name}: {title}");
        assert!(list.contains(&format!("- [{title}]({file})\n")), "{name} is not in the list");
        for part in ["\n## Context\n", "\n## Decision\n", "\n## Where\n"] {
            assert!(text.contains(part), "{name} has no part{part}");
        }
    }
}
