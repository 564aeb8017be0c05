//! `netwright gc`, `confirm` and `destroy`: what people ask for by hand.

use std::io::ErrorKind;

use netwright_network::shell::Word;

use super::{Recovered, need_rights, recover, unfinished};
use crate::exit::{Exit, Failure};
use crate::journal::{Folder, Kept, Record, Told};
use crate::lab;
use crate::naming::{self, Taken, patiently};
use crate::records::Remembered;
use crate::report::{answer, print};

const NO_RIGHTS: &str =
    "taking back what was made on the host needs CAP_NET_ADMIN\n  help: run it as root";

/// Takes back what runs left behind on the host.
pub fn gc(json: bool) -> Result<Exit, Failure> {
    let folder = Folder::open()?;
    if !folder.files().is_empty() {
        need_rights(NO_RIGHTS)?;
    }
    let mut recovered = unfinished(&folder);
    lab::sweep()?;
    let strange = lab::Folder::open()?.strange();
    let alone = |(name, why): (String, Failure)| Recovered::lab_left_alone(&name, why.message);
    recovered.extend(strange.into_iter().map(alone));
    let text = if json {
        let document = serde_json::json!({ "schema": 1, "recovered": recovered });
        serde_json::to_string_pretty(&document)
            .map_err(|error| Failure::new(Exit::Broken, error.to_string()))?
    } else if recovered.is_empty() {
        "nothing was left behind".to_owned()
    } else {
        recovered.iter().map(Recovered::shown).collect::<Vec<_>>().join("\n")
    };
    answer(json, &(text + "\n"))?;
    Ok(Recovered::exit(&recovered))
}

/// Takes a deployment on the host back; none where there is none of that name.
pub fn destroy(name: &str) -> Option<Result<Exit, Failure>> {
    // Who may not look there has none.
    let folder = Folder::open().ok()?;
    if let Some(strange) = folder.strange_by(name) {
        return Some(match strange.has_history {
            true => take_back(&folder, name, &strange.file),
            false => Err(strange.failure(Exit::UndoIncomplete)),
        });
    }
    let (file, _) = folder.deployment(name)?;
    Some(take_back(&folder, name, &file))
}

/// Removes the journals of that name, and touches nothing that they tell of.
pub fn forget(name: &str) -> Result<Exit, Failure> {
    let folder = Folder::open()?;
    let mut forgotten = Vec::new();
    for file in folder.files() {
        let known = match folder.told(&file) {
            Told::Strange(strange) => strange.is_called(name),
            Told::History(history, _) => {
                history.name() == name || file == format!("{name}.journal")
            }
            Told::Nothing => false,
        };
        if known {
            // Who reads it holds its lock for a moment, too.
            let gone = patiently(|| match folder.forget(&file) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => None,
                outcome => Some(outcome),
            });
            gone.ok_or_else(|| busy(name))?.map_err(|error| {
                Failure::new(Exit::Broken, format!("`{file}` can't be removed: {error}"))
            })?;
            forgotten.push(file.trim_end_matches(".journal").to_owned());
        }
    }
    let shown = name.escape_debug();
    if forgotten.is_empty() {
        return Err(Failure::usage(format!(
            "there is no journal of `{shown}`\n  help: `netwright gc` and `netwright ls` tell what there is"
        )));
    }
    let runs = forgotten.join(", ");
    print(&format!("forgot run {runs} of `{shown}`; what it made and altered stays as it is\n"))
}

fn take_back(folder: &Folder, name: &str, file: &str) -> Result<Exit, Failure> {
    need_rights(NO_RIGHTS)?;
    let owned = folder.take_patiently(file).ok_or_else(|| busy(name))?;
    let mut recovered = recover(folder, owned);
    // What was altered and not confirmed went first.
    if recovered.left.is_empty() && folder.deployment(name).is_some() {
        let owned = folder.take_patiently(file).ok_or_else(|| busy(name))?;
        recovered = recover(folder, owned);
    }
    if recovered.left.is_empty() {
        return Ok(Exit::Done);
    }
    let shown = recovered.shown();
    // Where something else has to be done first, that is told with it.
    let message = match shown.contains("\n  help: ") {
        true => shown,
        // Once somebody has stopped it, it is no deployment any more.
        false if recovered.stopped => format!("{shown}\n  help: `netwright gc` tries again"),
        false => format!("{shown}\n  help: `netwright destroy {}` tries again", Word(name)),
    };
    Err(Failure::new(Exit::UndoIncomplete, message))
}

/// The same where it has to be gone.
pub(crate) fn destroy_or_fail(name: &str) -> Result<(), Failure> {
    destroy(name).unwrap_or(Ok(Exit::Done)).map(drop)
}

pub(crate) fn busy(name: &str) -> Failure {
    naming::busy("deployment ", name)
}

/// A deployment that would be taken back stays.
pub fn confirm(name: &str) -> Result<Exit, Failure> {
    let folder = Folder::open()?;
    if let Some(strange) = folder.strange_by(name) {
        return Err(strange.failure(Exit::Lacking));
    }
    let Some((file, history)) = folder.deployment(name) else {
        let known: Vec<String> = folder
            .deployments()
            .into_iter()
            .filter_map(|(_, history)| history.kept.map(|kept| kept.name))
            .collect();
        let help = match crate::near::nearest(name, known.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                "it may have been taken back already; `netwright ls` lists what is there".to_owned()
            }
        };
        let name = name.escape_debug();
        return Err(Failure::usage(format!("no deployment `{name}` waits\n  help: {help}")));
    };
    if history.kept.as_ref().is_none_or(|kept| kept.until.is_none()) || history.confirmed {
        return Ok(Exit::Done);
    }
    let owned = folder.take_patiently(&file).ok_or_else(|| busy(name))?;
    let written = owned.into_log().and_then(|(_, mut log)| log.write(&Record::Confirmed));
    written.map_err(|error| {
        let message = format!("deployment `{name}` can't be confirmed: {error}");
        Failure::new(Exit::Broken, message)
    })?;
    Ok(Exit::Done)
}

/// What the checks of a deployment are read from, from now on. One that waits to be confirmed stays
/// as it is.
pub(crate) fn remember(taken: &Taken, scenario: Remembered) -> Result<(), Failure> {
    let (folder, name) = (Folder::open()?, taken.name());
    let Some((file, history)) = folder.deployment(name) else { return Ok(()) };
    let known = |kept: &Kept| kept.scenario.as_ref() == Some(&scenario);
    if history.waits() || history.kept.as_ref().is_none_or(known) {
        return Ok(());
    }
    let owned = folder.take_patiently(&file).ok_or_else(|| busy(name))?;
    let record = Kept { name: name.to_owned(), until: None, scenario: Some(scenario) };
    let written = owned.into_log().and_then(|(_, mut log)| log.write(&Record::Kept(record)));
    written.map_err(|error| {
        let message = format!("the checks of deployment `{name}` can't be noted: {error}");
        Failure::new(Exit::Broken, message)
    })
}
