//! The guest's process: confined first, then it loads one recipe and calls its exports, until the
//! broker closes the line.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};

use super::confine::{close_others, confine};
use super::engine::{Loaded, compile};
use super::message::{Load, Order, Unfit, Word, Work};
use super::proxy::{Line, Shared, lock};
use crate::exit::{Exit, Failure};

/// What `netwright __guest` does. Whom it could tell of a failure is on the other end of the line.
pub fn serve() -> Result<Exit, Failure> {
    let failed = |error: io::Error| Failure::new(Exit::Broken, error.to_string());
    close_others().map_err(failed)?;
    let (line, file) = inherited().map_err(failed)?;
    let line = Arc::new(Mutex::new(Line::new(line)));
    match answer(&line, file) {
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(failed(error)),
        Ok(()) | Err(_) => Ok(Exit::Done),
    }
}

/// The socket to the broker, and the file with the recipe.
fn inherited() -> io::Result<(UnixStream, File)> {
    let line: OwnedFd = io::stdin().as_fd().try_clone_to_owned()?;
    let file: OwnedFd = io::stdout().as_fd().try_clone_to_owned()?;
    Ok((line.into(), file.into()))
}

fn answer(line: &Shared, mut file: File) -> io::Result<()> {
    // The broker's own, before there is a recipe.
    let load: Load = lock(line).receive()?;
    let confined = confine(&load).map_err(Unfit::Machine);
    let (imports_wasi, bounds) = match load.work {
        Work::Compile => {
            let compiled = confined.and_then(|()| compile(&mut file));
            return lock(line).send(&Word::Loaded(compiled));
        }
        Work::Run { imports_wasi, bounds } => (imports_wasi, bounds),
    };
    let loaded = confined.and_then(|()| Loaded::load(&mut file, imports_wasi, bounds));
    drop(file);
    let loaded = match loaded {
        Ok(loaded) => loaded,
        Err(unfit) => return lock(line).send(&Word::Loaded(Err(unfit))),
    };
    lock(line).send(&Word::Loaded(Ok(())))?;
    // Calls of the recipe's don't wait in it; the clocks of WASI do.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    loop {
        let order: Order = lock(line).receive()?;
        #[cfg(debug_assertions)]
        if super::stand_in::took_over(line, &order)? {
            continue;
        }
        let ended = runtime.block_on(loaded.call(line, order));
        lock(line).send(&Word::Ended(ended))?;
    }
}
