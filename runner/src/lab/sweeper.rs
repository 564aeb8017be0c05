//! The process that takes a lab apart whose place another one takes. The run itself is in the new lab
//! by then, from where nothing of the old one can be seen.

use std::io::{self, Read as _, Write as _};
use std::process::Stdio;

use rustix::process::setsid;

use super::folder::Folder;
use crate::exit::{Exit, Failure};
use crate::naming::Taken;
use crate::process::{self, Owned};
use crate::store;

/// It ends with this value, without having done anything.
pub(super) struct Sweeper(Owned);

impl Sweeper {
    /// Before the new lab is entered.
    pub(super) fn start(name: &str) -> Result<Self, Failure> {
        let mut command = process::itself("__sweep");
        command
            .arg(name)
            .current_dir("/")
            .env(store::VARIABLE, store::path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null());
        Owned::start(&mut command).map(Self).map_err(|error| {
            process::not_started("the process that takes the old lab apart", &error)
        })
    }

    /// Has it done now.
    pub(super) fn sweep(mut self, name: &str) -> Result<(), Failure> {
        let told = self.0.stdin().map_or(Ok(()), |mut stdin| stdin.write_all(b"!"));
        match told.and_then(|()| self.0.wait()) {
            Ok(status) if status.success() => Ok(()),
            // It has said why.
            Ok(_) | Err(_) => Err(Failure::new(
                Exit::UndoIncomplete,
                format!(
                    "the lab that was kept as `{name}` before is not gone\n  help: `netwright gc` tries again"
                ),
            )),
        }
    }
}

/// What `netwright __sweep NAME` does: waits until it is told to, or the run is over.
pub fn sweep_when_told(name: &str) -> Result<Exit, Failure> {
    // A terminal's signals are for the run.
    let _ = setsid();
    let told = io::stdin().read(&mut [0]).unwrap_or(0) > 0;
    let folder = Folder::open()?;
    if told {
        // The run has the name.
        folder.sweep_for(name)?;
    } else if let Ok(Some(taken)) = Taken::at_once(name) {
        folder.sweep(&taken)?;
    }
    Ok(Exit::Done)
}
