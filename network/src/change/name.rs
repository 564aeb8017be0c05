//! How links, namespaces and stations are named, and told apart when names lie.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The name of something new, by the grammar of labs. On the host the policy asks for more.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

pub use crate::names::shown;

impl Name {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What the names of namespaces begin with that the run did not make: a container's, a process's.
const ATTACHED: [&str; 2] = ["docker:", "pid:"];
/// Docker allows itself longer names than the kernel does.
const LONGEST_CONTAINER: usize = 128;

impl Name {
    /// The name of a namespace that is the run's own.
    pub fn new_namespace(text: &str) -> Result<Self, String> {
        crate::names::namespace(text).map(|()| Self(text.to_owned()))
    }

    /// The name of a namespace, which may be a container's or a process's: `docker:NAME`,
    /// `pid:NUMBER`. Only the operator decides which there are.
    pub fn of_namespace(text: &str) -> Result<Self, String> {
        let Some(prefix) = ATTACHED.into_iter().find(|prefix| text.starts_with(prefix)) else {
            return Self::new_namespace(text);
        };
        let rest = &text[prefix.len()..];
        let plain = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
        let legal = match prefix {
            "pid:" => rest.parse::<u32>().is_ok_and(|number| number > 0),
            _ => {
                rest.starts_with(|c: char| c.is_ascii_alphanumeric())
                    && rest.len() <= LONGEST_CONTAINER
                    && rest.chars().all(plain)
            }
        };
        if legal {
            return Ok(Self(text.to_owned()));
        }
        Err(format!("`{}` names no container or process", shown(text)))
    }
}

impl FromStr for Name {
    type Err = String;

    /// The name of a link.
    fn from_str(text: &str) -> Result<Self, String> {
        crate::names::link(text).map(|()| Self(text.to_owned()))
    }
}

impl TryFrom<String> for Name {
    type Error = String;

    /// Of either grammar: it was checked where it came in.
    fn try_from(text: String) -> Result<Self, String> {
        Self::of_namespace(&text)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A namespace of the run. The name alone may have gone to another one since; the cookie
/// (SO_NETNS_COOKIE) never does. Without a cookie: whichever has the name when it is used, as in
/// a batch that makes it. `name: None` is the run's root namespace.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct NamespaceRef {
    pub name: Option<Name>,
    pub cookie: Option<u64>,
}

impl NamespaceRef {
    pub fn named(name: Option<Name>) -> Self {
        Self { name, cookie: None }
    }

    /// Whether both mean one namespace: by their cookies where both have one, else by name.
    pub fn is_same(&self, other: &Self) -> bool {
        match (self.cookie, other.cookie) {
            (Some(one), Some(other)) => one == other,
            (Some(_), None) | (None, Some(_)) | (None, None) => self.name == other.name,
        }
    }
}

/// A link by name, and once it is known by its index (unique in its namespace while it lives).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LinkRef {
    pub namespace: NamespaceRef,
    /// as the kernel has it, so not always a [`Name`]
    pub name: String,
    pub index: Option<u32>,
}

impl LinkRef {
    /// Whether both mean one link: by their indexes where both have one, else by name.
    pub fn is_same(&self, other: &Self) -> bool {
        self.namespace.is_same(&other.namespace)
            && match (self.index, other.index) {
                (Some(one), Some(other)) => one == other,
                (Some(_), None) | (None, Some(_)) | (None, None) => self.name == other.name,
            }
    }

    /// Leaves the names alone.
    pub(super) fn forget(&mut self) {
        self.namespace.cookie = None;
        self.index = None;
    }
}

/// An Ethernet address, six bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MacAddress(pub [u8; 6]);

impl MacAddress {
    /// The group bit, IEEE 802.3 clause 3.2.3: multicast and broadcast.
    pub fn is_multicast(self) -> bool {
        self.0[0] & 1 == 1
    }
}

impl FromStr for MacAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        crate::text::mac(text).map(Self)
    }
}

impl TryFrom<String> for MacAddress {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<MacAddress> for String {
    fn from(mac: MacAddress) -> Self {
        mac.to_string()
    }
}

impl fmt::Display for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
