//! Why a change or query was not carried out; the recipe gets the same facts.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::halt::Halted;
use crate::text::{help, own_lines};

/// Facts of a failure; `Display` holds the sentence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Error {
    Denied(Denial),
    Kernel(KernelError),
    /// names what is gone
    Gone(String),
    /// the sentence that no link or namespace has the name
    Missing(String),
    /// the sentence with the rule
    Invalid(String),
    /// milliseconds waited
    Timeout(u64),
    /// names the limit
    Limit(String),
    /// names the kernel option or right
    Unsupported(String),
    /// The run's time is over, or a signal came.
    Halted(Halted),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Denial {
    pub capability: String,
    pub target: String,
    pub hint: String,
    /// what the recipe is told, where the rest says what the machine has and it may not read
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<Told>,
}

/// Of a denial, what follows from the question alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Told {
    pub capability: String,
    pub target: String,
    pub hint: String,
}

impl Denial {
    /// As the recipe is told of it.
    #[must_use]
    pub fn as_told(self) -> Self {
        match self.told {
            None => self,
            Some(Told { capability, target, hint }) => {
                Self { capability, target, hint, told: None }
            }
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KernelError {
    /// positive
    pub errno: i32,
    /// in ip(8)'s words
    pub operation: String,
    /// the kernel's extended acknowledgement
    pub text: Option<String>,
    /// what is known of this answer to this request
    pub hint: Option<String>,
}

impl KernelError {
    /// Such as `EEXIST`.
    pub fn name(&self) -> String {
        rustix_name(self.errno)
    }

    /// Whether what was asked for is not there.
    pub(crate) fn means_gone(&self) -> bool {
        matches!(self.errno, libc::ENODEV | libc::ESRCH | libc::ENOENT | libc::EADDRNOTAVAIL)
    }
}

/// rustix shows an errno by its name in `Debug` nowhere; the standard library's text follows it.
fn rustix_name(errno: i32) -> String {
    errno_name(errno).map_or_else(|| format!("E{errno}"), str::to_owned)
}

fn errno_name(errno: i32) -> Option<&'static str> {
    Some(match errno {
        libc::EPERM => "EPERM",
        libc::ENOENT => "ENOENT",
        libc::ESRCH => "ESRCH",
        libc::EINTR => "EINTR",
        libc::EIO => "EIO",
        libc::ENXIO => "ENXIO",
        libc::E2BIG => "E2BIG",
        libc::EBADF => "EBADF",
        libc::EAGAIN => "EAGAIN",
        libc::ENOMEM => "ENOMEM",
        libc::EACCES => "EACCES",
        libc::EBUSY => "EBUSY",
        libc::EEXIST => "EEXIST",
        libc::EXDEV => "EXDEV",
        libc::ENODEV => "ENODEV",
        libc::EINVAL => "EINVAL",
        libc::ENFILE => "ENFILE",
        libc::EMFILE => "EMFILE",
        libc::ENOSPC => "ENOSPC",
        libc::ERANGE => "ERANGE",
        libc::ELOOP => "ELOOP",
        libc::EMSGSIZE => "EMSGSIZE",
        libc::EOPNOTSUPP => "EOPNOTSUPP",
        libc::EPFNOSUPPORT => "EPFNOSUPPORT",
        libc::EAFNOSUPPORT => "EAFNOSUPPORT",
        libc::EADDRINUSE => "EADDRINUSE",
        libc::EADDRNOTAVAIL => "EADDRNOTAVAIL",
        libc::ENETDOWN => "ENETDOWN",
        libc::ENETUNREACH => "ENETUNREACH",
        libc::ENOBUFS => "ENOBUFS",
        libc::ENOTCONN => "ENOTCONN",
        libc::ETIMEDOUT => "ETIMEDOUT",
        libc::ECONNREFUSED => "ECONNREFUSED",
        libc::EHOSTUNREACH => "EHOSTUNREACH",
        libc::EUSERS => "EUSERS",
        libc::EPROTONOSUPPORT => "EPROTONOSUPPORT",
        libc::EPROTO => "EPROTO",
        _ => return None,
    })
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(denial) => {
                let Denial { capability, target, hint, told: _ } = denial;
                let text = own_lines(&format!("denied: {capability} for {target}"));
                write!(f, "{text}{}", help(hint))
            }
            Self::Kernel(error) => error.fmt(f),
            Self::Gone(what) => write!(f, "{} is gone", own_lines(what)),
            Self::Invalid(rule) | Self::Missing(rule) => f.write_str(&own_lines(rule)),
            Self::Timeout(milliseconds) => write!(f, "nothing came in {milliseconds} ms"),
            Self::Limit(which) => write!(f, "limit reached: {}", own_lines(which)),
            Self::Unsupported(what) => write!(f, "not supported here: {}", own_lines(what)),
            Self::Halted(halted) => halted.fmt(f),
        }
    }
}

impl fmt::Display for KernelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = std::io::Error::from_raw_os_error(self.errno).to_string();
        let words = words.split(" (os error").next().unwrap_or_default();
        let mut text = format!("kernel refused `{}`: {} ({words})", self.operation, self.name());
        if let Some(more) = &self.text {
            text = text + ": " + more;
        }
        f.write_str(&own_lines(&text))?;
        self.hint.iter().try_for_each(|hint| f.write_str(&help(hint)))
    }
}

impl Error {
    /// Whether what was asked for is not there.
    pub fn means_gone(&self) -> bool {
        match self {
            Self::Gone(_) | Self::Missing(_) => true,
            Self::Kernel(error) => error.means_gone(),
            Self::Denied(_)
            | Self::Invalid(_)
            | Self::Timeout(_)
            | Self::Limit(_)
            | Self::Unsupported(_)
            | Self::Halted(_) => false,
        }
    }

    /// Whether the same may be done once something else is.
    pub fn may_pass(&self) -> bool {
        let lasting = [
            libc::EPERM,
            libc::EACCES,
            libc::EIO,
            libc::ENOMEM,
            libc::EMFILE,
            libc::ENFILE,
            libc::ENOSPC,
            libc::EOPNOTSUPP,
        ];
        match self {
            Self::Gone(_) | Self::Missing(_) | Self::Invalid(_) => true,
            Self::Kernel(error) => !lasting.contains(&error.errno),
            Self::Denied(_)
            | Self::Timeout(_)
            | Self::Limit(_)
            | Self::Unsupported(_)
            | Self::Halted(_) => false,
        }
    }
}

impl From<Halted> for Error {
    fn from(halted: Halted) -> Self {
        Self::Halted(halted)
    }
}

impl std::error::Error for Error {}
