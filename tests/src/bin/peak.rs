//! Runs a program, ends with its exit code, and writes the most memory that it ever held, in KiB,
//! into the file that is named first: `peak FILE PROGRAM ARGUMENT…`.
//!
//! A process of its own, for a child begins with the peak of whoever starts it (fs/exec.c,
//! `setmax_mm_hiwater_rss`), and this one is small.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    let mut words = std::env::args_os().skip(1);
    let (Some(file), Some(program)) = (words.next(), words.next()) else {
        eprintln!("usage: peak FILE PROGRAM ARGUMENT…");
        return ExitCode::from(99);
    };
    let ended = match Command::new(program).args(words).status() {
        Ok(ended) => ended,
        Err(error) => {
            eprintln!("peak: the program can't be started: {error}");
            return ExitCode::from(99);
        }
    };
    if let Err(error) = std::fs::write(file, children_peak().to_string()) {
        eprintln!("peak: {error}");
        return ExitCode::from(99);
    }
    let code = ended.code().unwrap_or_else(|| 128 + ended.signal().unwrap_or_default());
    ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX))
}

/// Of the children that were waited for, and of those that they waited for: getrusage(2).
#[allow(unsafe_code, reason = "nothing safe in our libraries asks for children's usage")]
fn children_peak() -> i64 {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the pointer is to a whole rusage of our own; all zeroes are a valid one.
    unsafe {
        libc::getrusage(libc::RUSAGE_CHILDREN, usage.as_mut_ptr());
        usage.assume_init().ru_maxrss
    }
}
