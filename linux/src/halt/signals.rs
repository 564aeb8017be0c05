//! The signals that end a run: counted as they come, each answered once.
//!
//! While there is nothing to take back a signal ends the process at once, with its code, even where
//! the process is the first one of its process namespace, which no signal would end by default.

#![allow(unsafe_code, reason = "handlers of signals may do little, which nobody checks")]

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook_registry::register;

use super::Halted;

/// Whether there is something to take back, so that signals wait to be answered.
static HELD: AtomicBool = AtomicBool::new(false);

/// One of them.
struct Known {
    number: libc::c_int,
    halted: Halted,
    came: AtomicUsize,
    answered: AtomicUsize,
}

const fn known(number: libc::c_int, halted: Halted) -> Known {
    Known { number, halted, came: AtomicUsize::new(0), answered: AtomicUsize::new(0) }
}

static KNOWN: [Known; 3] = [
    known(libc::SIGINT, Halted::Interrupted),
    known(libc::SIGTERM, Halted::Terminated),
    known(libc::SIGHUP, Halted::HungUp),
];

/// From now on they come here.
/// A process with nothing to take back ends by one with the code that is said of it.
pub fn listen(code_of: fn(&Halted) -> u8) -> io::Result<()> {
    for signal in KNOWN.iter().filter(|signal| !is_ignored(signal.number)) {
        let code = libc::c_int::from(code_of(&signal.halted));
        let came = move || {
            if HELD.load(Ordering::SeqCst) {
                signal.came.fetch_add(1, Ordering::SeqCst);
            } else {
                // SAFETY: _exit(2) may be called anywhere.
                unsafe { libc::_exit(code) }
            }
        };
        // SAFETY: what is registered does nothing that a handler of signals may not do.
        unsafe { register(signal.number, came) }?;
    }
    unblock();
    Ok(())
}

/// nohup(1) has the end of the terminal ignored from the start: that stays. The others are heard always,
/// also where a shell without job control has an interrupt ignored by what it put behind (`&`): whoever
/// sends one then means this process.
fn is_ignored(number: libc::c_int) -> bool {
    // SAFETY: plain data, for which zeros are a value.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: asks only; both pointers are good for it.
    let asked = unsafe { libc::sigaction(number, std::ptr::null(), &raw mut action) };
    number == libc::SIGHUP && asked == 0 && action.sa_sigaction == libc::SIG_IGN
}

/// What blocks them is inherited, too: nobody would ever hear them.
fn unblock() {
    // SAFETY: a set of signals is plain data; it is made and then read.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        for signal in &KNOWN {
            let _ = libc::sigaddset(&raw mut set, signal.number);
        }
        libc::pthread_sigmask(libc::SIG_UNBLOCK, &raw const set, std::ptr::null_mut());
    }
}

/// From now on there is something to take back.
pub fn hold() {
    HELD.store(true, Ordering::SeqCst);
}

/// Nothing is left to take back.
pub fn release() {
    HELD.store(false, Ordering::SeqCst);
}

/// The same, until what is returned is dropped.
pub fn held() -> Held {
    Held { before: HELD.swap(true, Ordering::SeqCst) }
}

/// Signals wait to be answered.
pub struct Held {
    before: bool,
}

impl Drop for Held {
    fn drop(&mut self) {
        HELD.store(self.before, Ordering::SeqCst);
    }
}

/// One that came and was not answered yet.
pub fn pending() -> Option<Halted> {
    let waits = |signal: &&Known| {
        signal.answered.load(Ordering::SeqCst) < signal.came.load(Ordering::SeqCst)
    };
    KNOWN.iter().find(waits).map(|signal| signal.halted.clone())
}

/// The same, which is answered by that.
pub fn answer() -> Option<Halted> {
    KNOWN.iter().find_map(|signal| {
        let came = signal.came.load(Ordering::SeqCst);
        let next = |answered| (answered < came).then_some(answered + 1);
        let answered = signal.answered.fetch_update(Ordering::SeqCst, Ordering::SeqCst, next);
        answered.is_ok().then(|| signal.halted.clone())
    })
}

/// One that came at any time, answered or not.
pub fn ever() -> Option<Halted> {
    let came = |signal: &&Known| signal.came.load(Ordering::SeqCst) > 0;
    KNOWN.iter().find(came).map(|signal| signal.halted.clone())
}
