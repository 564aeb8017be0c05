//! Why something could not be done, in words for whoever runs the recipe.

use std::convert::Infallible;
use std::fmt;

use netwright_network::refusal::MISSING;

use crate::wit::types::{Attribute, Denial, Detail, Error as Cause, KernelError};

/// What every call of this crate that can fail answers.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The name of the attribute that marks an expectation of the recipe that did not hold.
const EXPECTATION: &str = "expectation";
/// The name of the attribute that carries what the recipe was doing.
const CONTEXT: &str = "context";

/// A refusal or failure, with what the recipe was doing when it came.
///
/// [`Error::cause`] is the host's answer as data; the text is for people.
#[derive(Debug, Clone, PartialEq)]
pub struct Error {
    /// what was being done, outermost last
    contexts: Vec<String>,
    /// boxed, for the kernel's answer is large and results are passed often
    cause: Box<Cause>,
}

impl Error {
    /// A wrong value, found before anybody was asked.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::from(Cause::Invalid(message.into()))
    }

    /// A failure in the recipe's own words; takes any error or text.
    pub fn failed(message: impl fmt::Display) -> Self {
        Self::from(Cause::Other(Detail { message: message.to_string(), extra: Vec::new() }))
    }

    /// Something that had to hold and does not; the run counts as failed, not as broken.
    pub fn unmet(message: impl fmt::Display) -> Self {
        let mark = Attribute { name: EXPECTATION.to_owned(), value: "unmet".to_owned() };
        Self::from(Cause::Other(Detail { message: message.to_string(), extra: vec![mark] }))
    }

    /// The same error, saying what was being done: `wire up ns1: kernel refused …`.
    #[must_use]
    pub fn context(mut self, doing: impl Into<String>) -> Self {
        self.contexts.push(doing.into());
        self
    }

    /// The host's answer as data.
    pub fn cause(&self) -> &Cause {
        &self.cause
    }

    /// The kernel's errno, positive, where it was the kernel that refused: errno(3).
    pub fn errno(&self) -> Option<i32> {
        match &*self.cause {
            Cause::Kernel(kernel) => Some(kernel.errno),
            Cause::Denied(_)
            | Cause::Gone(_)
            | Cause::Invalid(_)
            | Cause::Timeout(_)
            | Cause::Limit(_)
            | Cause::Unsupported(_)
            | Cause::Other(_) => None,
        }
    }

    /// The thing is there already: the kernel's EEXIST.
    pub fn is_already_there(&self) -> bool {
        matches!(&*self.cause, Cause::Kernel(kernel) if kernel.name == "EEXIST")
    }

    /// There is no such link, namespace, address or route: no such name, the kernel's ENODEV, ENOENT
    /// or ESRCH, its EADDRNOTAVAIL for an address, or a handle whose object is gone.
    pub fn is_missing(&self) -> bool {
        match &*self.cause {
            Cause::Gone(_) => true,
            Cause::Kernel(kernel) => {
                ["ENODEV", "ENOENT", "ESRCH"].contains(&kernel.name.as_str())
                    || (kernel.name == "EADDRNOTAVAIL" && kernel.operation.starts_with("address"))
            }
            Cause::Other(detail) => detail.extra.iter().any(|one| one.name == MISSING),
            Cause::Denied(_)
            | Cause::Invalid(_)
            | Cause::Timeout(_)
            | Cause::Limit(_)
            | Cause::Unsupported(_) => false,
        }
    }

    /// The capability is not granted.
    pub fn is_denied(&self) -> bool {
        matches!(&*self.cause, Cause::Denied(_))
    }

    /// This kernel or machine can't do it.
    pub fn is_unsupported(&self) -> bool {
        matches!(&*self.cause, Cause::Unsupported(_))
    }

    /// It did not happen in time.
    pub fn is_timeout(&self) -> bool {
        matches!(&*self.cause, Cause::Timeout(_))
    }

    /// The error as the contract carries it, with its context where the case has room for it.
    pub fn into_wit(self) -> Cause {
        let doing = self.contexts.iter().rev().cloned().collect::<Vec<_>>().join(": ");
        if doing.is_empty() {
            return *self.cause;
        }
        let attribute = Attribute { name: CONTEXT.to_owned(), value: doing.clone() };
        match *self.cause {
            Cause::Kernel(mut kernel) => {
                kernel.extra.push(attribute);
                Cause::Kernel(kernel)
            }
            Cause::Other(detail) => Cause::Other(Detail {
                message: format!("{doing}: {}", detail.message),
                extra: detail.extra,
            }),
            Cause::Gone(text) => Cause::Gone(format!("{doing}: {text}")),
            Cause::Invalid(text) => Cause::Invalid(format!("{doing}: {text}")),
            Cause::Limit(text) => Cause::Limit(format!("{doing}: {text}")),
            Cause::Unsupported(text) => Cause::Unsupported(format!("{doing}: {text}")),
            // These two have their own fields, and what they name says enough.
            denied @ Cause::Denied(_) => denied,
            timeout @ Cause::Timeout(_) => timeout,
        }
    }
}

impl From<Cause> for Error {
    fn from(cause: Cause) -> Self {
        Self { contexts: Vec::new(), cause: Box::new(cause) }
    }
}

impl From<Infallible> for Error {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::failed(error)
    }
}

impl std::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for doing in self.contexts.iter().rev() {
            write!(f, "{doing}: ")?;
        }
        match &*self.cause {
            Cause::Denied(denial) => show_denial(f, denial),
            Cause::Kernel(kernel) => show_kernel(f, kernel),
            Cause::Gone(what) => write!(f, "{what} no longer exists"),
            Cause::Invalid(message) => f.write_str(message),
            Cause::Timeout(milliseconds) => {
                write!(f, "nothing happened for {milliseconds} ms")
            }
            Cause::Limit(what) => write!(f, "a limit of this run is reached: {what}"),
            Cause::Unsupported(what) => write!(f, "not possible on this machine: {what}"),
            Cause::Other(detail) => f.write_str(&detail.message),
        }
    }
}

fn show_denial(f: &mut fmt::Formatter<'_>, denial: &Denial) -> fmt::Result {
    write!(f, "`{}` is not granted for {}", denial.capability, denial.target)?;
    if denial.hint.is_empty() { Ok(()) } else { write!(f, "\n  help: {}", denial.hint) }
}

fn show_kernel(f: &mut fmt::Formatter<'_>, kernel: &KernelError) -> fmt::Result {
    write!(f, "kernel refused `{}`: ", kernel.operation)?;
    match &kernel.text {
        Some(text) => write!(f, "{text} ({})", kernel.name)?,
        None => f.write_str(&kernel.name)?,
    }
    match &kernel.hint {
        Some(hint) => write!(f, "\n  help: {hint}"),
        None => Ok(()),
    }
}

/// Says what was being done, on any result: as `.context("wire up ns1")?`.
pub trait Context<T> {
    /// The same result, its error saying what was being done.
    fn context(self, doing: impl Into<String>) -> Result<T>;
}

impl<T, E: Into<Error>> Context<T> for Result<T, E> {
    fn context(self, doing: impl Into<String>) -> Result<T> {
        self.map_err(|error| error.into().context(doing))
    }
}

/// A value that is not there, with the text as the error.
impl<T> Context<T> for Option<T> {
    fn context(self, doing: impl Into<String>) -> Result<T> {
        self.ok_or_else(|| Error::failed(doing.into()))
    }
}
