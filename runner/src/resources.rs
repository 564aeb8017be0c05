//! The process's own limits.
#![expect(unsafe_code, reason = "rustix has nothing for handlers of signals")]

use rustix::process::{Resource, getrlimit, setrlimit};

use crate::exit::{Exit, Failure};
use crate::halt::signals;

/// Descriptors that a run needs beside two for each namespace.
const LEAST_OPEN_FILES: u64 = 256;

/// What Linux gives by default, and what is enough for all that was tried.
const STACK: u64 = 8 << 20;
const LEAST_STACK: u64 = 1 << 20;

extern "C" fn nothing(_: libc::c_int) {}

/// A file that may not grow further (RLIMIT_FSIZE) is an error of whoever writes it, as a full disk
/// is: not the end of the process. A program that is run instead of this one has the default again,
/// for that is what becomes of handlers.
pub fn survive_small_files() {
    let handler = nothing as extern "C" fn(libc::c_int) as libc::sighandler_t;
    // SAFETY: the handler does nothing, which may be done at any moment. It can't fail for a signal
    // that there is.
    unsafe { libc::signal(libc::SIGXFSZ, handler) };
}

/// Whoever started this one may have ignored the ends of their own children, as some daemons do, and
/// that is inherited (signal(7)): the kernel would keep no child's end for who waits for it.
pub fn hear_of_children() {
    // SAFETY: the default is no handler. It can't fail for a signal that there is.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) };
}

/// From now on those that end a run are heard.
pub fn hear_signals() -> Result<(), Failure> {
    signals::listen(|halted| Exit::of_halted(halted) as u8)
        .map_err(|error| Failure::new(Exit::Lacking, format!("can't listen for signals: {error}")))
}

/// Raises what the stack may grow to: the kernel asks for the limit whenever it grows (setrlimit(2)).
pub fn raise_stack() -> Result<(), Failure> {
    let mut limit = getrlimit(Resource::Stack);
    if limit.current.is_none_or(|bytes| bytes >= STACK) {
        return Ok(());
    }
    if limit.maximum.is_some_and(|most| most < LEAST_STACK) {
        let message = format!(
            "the stack of this process may grow to {} KiB; {} are needed\n  help: raise the hard limit, `ulimit -Hs`",
            limit.maximum.unwrap_or_default() >> 10,
            LEAST_STACK >> 10
        );
        return Err(Failure::new(Exit::Lacking, message));
    }
    limit.current = Some(limit.maximum.map_or(STACK, |most| most.min(STACK)));
    // Where it may not be raised the old one holds.
    let _ = setrlimit(Resource::Stack, limit);
    Ok(())
}

/// Raises the number of descriptors to what the machine allows: each namespace takes two.
pub fn raise_open_files() -> Result<(), Failure> {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.maximum.is_some_and(|most| most < LEAST_OPEN_FILES) {
        let message = format!(
            "this process may open {} files; {LEAST_OPEN_FILES} are needed\n  help: raise the hard limit, `ulimit -Hn`",
            limit.maximum.unwrap_or_default()
        );
        return Err(Failure::new(Exit::Lacking, message));
    }
    limit.current = limit.maximum;
    // Where it may not be raised the old one holds; running out is told when it happens.
    let _ = setrlimit(Resource::Nofile, limit);
    Ok(())
}
