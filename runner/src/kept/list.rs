//! `netwright ls`: all that was kept.

use std::io::{self, IsTerminal as _, Write as _};

use serde::Serialize;
use tabwriter::TabWriter;

use crate::clock;
use crate::exit::{Exit, Failure};
use crate::journal::{self, History, Strange};
use crate::lab::{self, Record};
use crate::report::{print_json, print_lines};
use crate::text::{counted, escape};

/// What stays on the host.
#[derive(Debug, Serialize)]
struct Deployment {
    name: String,
    /// what was typed
    what: String,
    /// changes that stand
    changes: usize,
    /// seconds since 1970
    created: u64,
    /// taken back in so many seconds, unless it is confirmed
    #[serde(skip_serializing_if = "Option::is_none")]
    confirm_within: Option<f64>,
}

impl Deployment {
    fn of(history: History) -> Option<Self> {
        // One that is damaged is told of as that.
        if history.flaw.is_some() {
            return None;
        }
        let confirmed = history.confirmed;
        let kept = history.kept?;
        let until = kept.until.filter(|_| !confirmed);
        Some(Self {
            name: kept.name,
            what: history.head.what,
            changes: history.entries.len(),
            created: history.head.created,
            confirm_within: until.map(|moment| moment.saturating_sub(clock::now()) as f64 / 1000.0),
        })
    }

    fn line(&self) -> [String; 4] {
        let Self { name, what, changes, confirm_within, .. } = self;
        let changes = counted(*changes, "change");
        let waits = confirm_within.map(|seconds| {
            format!("goes in {seconds:.0} s unless `netwright confirm {name}` comes")
        });
        [name.clone(), format!("{changes} on the host"), what.clone(), waits.unwrap_or_default()]
    }
}

/// A journal, or a lab's record, that nobody here can go by.
#[derive(Debug, Serialize)]
struct Unread {
    name: String,
    /// the run, by its link group; none of a lab
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<String>,
    why: String,
}

impl Unread {
    fn of(strange: &Strange) -> Self {
        Self { name: strange.shown(), run: Some(strange.run.clone()), why: strange.why() }
    }

    fn of_lab((name, failure): (String, Failure)) -> Self {
        let why = failure.message.lines().next().unwrap_or_default().to_owned();
        Self { name: name.escape_debug().to_string(), run: None, why }
    }

    fn line(&self) -> [String; 4] {
        let Self { name, run, why } = self;
        let run = run.as_ref().map_or("a lab".to_owned(), |run| format!("run {run} on the host"));
        [name.clone(), run, format!("not to be read: {why}"), String::new()]
    }
}

/// Shows all of it, as lines or as JSON.
pub fn list(json: bool) -> Result<Exit, Failure> {
    let records = lab::Folder::open()?;
    let (labs, strange_labs) = (records.all(), records.strange());
    let folder = journal::Folder::open()?;
    let (deployments, strange) = (folder.deployments(), folder.strange());
    let strange_labs = strange_labs.into_iter().map(Unread::of_lab);
    let unread: Vec<Unread> = strange_labs.chain(strange.iter().map(Unread::of)).collect();
    let deployments: Vec<Deployment> =
        deployments.into_iter().filter_map(|(_, history)| Deployment::of(history)).collect();
    if json {
        let all = serde_json::json!({
            "schema": 1, "labs": labs, "deployments": deployments, "unread": unread
        });
        let text = serde_json::to_string_pretty(&all)
            .map_err(|error| Failure::new(Exit::Broken, error.to_string()))?;
        return print_json(&(text + "\n"));
    }
    let lines = labs.iter().map(line).chain(deployments.iter().map(Deployment::line));
    let lines = lines.chain(unread.iter().map(Unread::line));
    // What was typed may hold anything; columns are made of tabs, lines of new lines.
    let lines: String = lines
        .map(|words| words.map(|word| escape(&word)).join("\t").trim_end().to_owned() + "\n")
        .collect();
    print_lines(shown(lines).lines())
}

/// For people in columns; for programs with a tab between them.
fn shown(lines: String) -> String {
    if !io::stdout().is_terminal() {
        return lines;
    }
    let mut columns = TabWriter::new(Vec::new());
    // Writing to memory can't fail.
    let _ = columns.write_all(lines.as_bytes()).and_then(|()| columns.flush());
    columns.into_inner().ok().and_then(|text| String::from_utf8(text).ok()).unwrap_or(lines)
}

fn line(lab: &Record) -> [String; 4] {
    let Record { name, namespaces, scenario, pid, .. } = lab;
    let namespaces = counted(*namespaces, "namespace");
    [name.clone(), namespaces, format!("process {pid}"), scenario.clone()]
}
