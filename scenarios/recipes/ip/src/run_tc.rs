//! Carries out `tc qdisc`.

use netwright_sdk::Result;
use netwright_sdk::host::namespaces::Namespace;
use netwright_sdk::host::qdisc;
use netwright_sdk::wit::qdisc::{Kind as Discipline, Qdisc};

use crate::output::print;
use crate::run::open_link;
use crate::tc::TcCommand;

pub(crate) fn run_tc(namespace: &Namespace, command: &TcCommand) -> Result<()> {
    match command {
        TcCommand::Put { link, qdisc, how } => {
            Ok(qdisc::put(&open_link(namespace, link)?, qdisc, *how)?)
        }
        TcCommand::Remove { link } => Ok(qdisc::remove(&open_link(namespace, link)?)?),
        TcCommand::Show { link: Some(link) } => {
            let found = qdisc::get(&open_link(namespace, link)?)?;
            print(&found.map(|qdisc| qdisc_line(link, &qdisc)).unwrap_or_default());
            Ok(())
        }
        TcCommand::Show { link: None } => {
            let all = qdisc::list_all(namespace)?;
            let lines: Vec<String> =
                all.iter().map(|(link, qdisc)| qdisc_line(link, qdisc)).collect();
            print(&lines.concat());
            Ok(())
        }
    }
}

/// The kind of discipline that a command needs, for a question before anything is done.
pub(crate) fn kind_of(command: &TcCommand) -> Option<&str> {
    let TcCommand::Put { qdisc, .. } = command else { return None };
    match &qdisc.kind {
        Discipline::Netem(_) => Some("netem"),
        Discipline::Tbf(_) => Some("tbf"),
        // Whether others are there is known when they are put.
        Discipline::Other(_) => None,
    }
}

/// As tc(8) prints it, all of it on one line.
fn qdisc_line(link: &str, qdisc: &Qdisc) -> String {
    let words = qdisc.kind.to_string();
    let (kind, options) = words.split_once(' ').unwrap_or((&words, ""));
    let handle = qdisc.handle.unwrap_or(0);
    let line = format!("qdisc {kind} {handle:x}: dev {link} root {options}");
    format!("{}\n", line.trim_end())
}
