//! The kernel's refusals in words, with what the host knows beyond them.

use netwright_network::refusal;

use super::socket::{Failure, Refusal};
use super::space::Space;
use crate::kernel::{Error, KernelError};
use crate::text::{self, shortage};

/// What socket.rs waits for an answer, in milliseconds.
const WAITED: u64 = 5000;

/// A failure of an operation, which is given in ip(8)'s words.
pub(crate) fn explain(failure: Failure, operation: &dyn std::fmt::Display) -> Error {
    explain_with(failure, operation, |_| None)
}

/// The same, with a hint for some refusals.
pub(crate) fn explain_with(
    failure: Failure,
    operation: &dyn std::fmt::Display,
    hint: impl FnOnce(&Refusal) -> Option<String>,
) -> Error {
    match failure {
        Failure::Refused(refusal) => {
            // What the kernel says itself is the reason, and no right would help.
            let general = || general_hint(refusal.errno).filter(|_| refusal.text.is_none());
            let hint = hint(&refusal).or_else(general);
            Error::Kernel(KernelError {
                errno: refusal.errno,
                operation: operation.to_string(),
                text: refusal.text,
                hint,
            })
        }
        Failure::Unknown => Error::Timeout(WAITED),
        Failure::Halted(halted) => halted.into(),
        Failure::Broken(error) => broken(&error, operation),
    }
}

/// A failed system call of ours.
pub fn broken(error: &std::io::Error, operation: &dyn std::fmt::Display) -> Error {
    if let Some(help) = shortage(error) {
        return lacking(error, operation, help);
    }
    match error.raw_os_error() {
        Some(errno) => Error::Kernel(KernelError {
            errno,
            operation: operation.to_string(),
            text: None,
            hint: general_hint(errno),
        }),
        None => Error::Kernel(KernelError {
            errno: libc::EIO,
            operation: operation.to_string(),
            text: Some(error.to_string()),
            hint: None,
        }),
    }
}

/// What the machine has no more of for this process.
pub(super) fn lacking(
    error: &std::io::Error,
    operation: &dyn std::fmt::Display,
    help: &str,
) -> Error {
    Error::Unsupported(format!("`{operation}`: {error}{}", text::help(help)))
}

fn general_hint(errno: i32) -> Option<String> {
    match errno {
        libc::EPERM => Some("this needs CAP_NET_ADMIN over the namespace".to_owned()),
        _ => None,
    }
}

/// For a name that no link has.
pub(crate) fn no_link(space: &Space, name: &str) -> Error {
    let links = space.links().unwrap_or_default();
    let names: Vec<_> = links.iter().map(|link| link.name.as_str()).collect();
    missing(refusal::no_link(&space.shown(), name, &names))
}

/// Nothing has the name.
pub(crate) fn missing(refusal: refusal::Refusal) -> Error {
    Error::Missing(refusal.told(text::help))
}

/// Several faults as one error.
pub(crate) fn refused(faults: Vec<String>) -> Result<(), Error> {
    let Some((first, others)) = faults.split_first() else { return Ok(()) };
    let others: String = others.iter().map(|fault| text::also(fault)).collect();
    Err(Error::Invalid(first.to_owned() + &others))
}
