//! The nouns of [`crate::change::Change`], each in a room of its own: how it is read, what is known
//! of it in ip(8)'s words, what mends it, and whether it was touched.

pub(super) mod address;
pub(super) mod fdb;
pub(super) mod link;
pub(super) mod namespace;
pub(super) mod neighbour;
pub(super) mod port_vlan;
pub(super) mod qdisc;
pub(super) mod route;
pub(super) mod rule;
pub(super) mod sysctl;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use self::address::Address;
use self::fdb::Fdb;
use self::link::Link;
use self::namespace::Namespace;
use self::neighbour::Neighbour;
use self::port_vlan::PortVlans;
use self::qdisc::Qdisc;
use self::route::Route;
use self::rule::Rule;
use self::sysctl::Sysctl;
use super::repair::{Mend, Mending};
use super::{Asked, NamespaceState, State};
use crate::change::{Answer, LinkRef, Name, NamespaceRef, Query};
use crate::kernel::{Error, Kernel};
use crate::policy::Policy;

/// What is known of an object, in ip(8)'s words.
pub type Facts = BTreeMap<String, String>;

/// All that is known of a state.
pub type Found = BTreeMap<Object, Facts>;

/// What every noun is asked. Nothing has a default that could be wrong for a new one.
pub(super) trait Noun: fmt::Display {
    /// Reads all of a namespace's.
    fn read(from: &Reader<'_>, into: &mut NamespaceState) -> Result<(), Error>
    where
        Self: Sized;

    /// What somebody asked for of what a namespace holds, or what the kernel answers the same each
    /// time. Not what it counts, times or draws by lot.
    fn find(of: &NamespaceState, asked: &Asked, all: &State, found: &mut Found)
    where
        Self: Sized;

    /// What goes with all that is in or on it, and this is.
    fn holders(&self) -> Vec<Object>;

    /// What it is where a state does not tell of it; none where it is not there then.
    fn untold(&self) -> Option<Facts>;

    /// The changes that make it as it is wanted; none where no change can.
    fn mend(&self, mending: &Mending<'_>) -> Option<Mend>;

    /// Whether it may be too much on a host, where others put things, too; `is` has it.
    fn is_touched(&self, asked: &Asked, is: &State) -> bool;

    /// Whether all of it that a state tells is the scenario's or its deployment's.
    fn is_theirs(&self) -> bool;
}

macro_rules! nouns {
    ($($noun:ident),+ $(,)?) => {
        /// Each noun, in the order in which it is read.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Kind {
            $($noun),+
        }

        impl Kind {
            pub const ALL: &[Self] = &[$(Self::$noun),+];

            pub(super) fn read(
                self,
                from: &Reader<'_>,
                into: &mut NamespaceState,
            ) -> Result<(), Error> {
                match self {
                    $(Self::$noun => <$noun as Noun>::read(from, into)),+
                }
            }

            pub(super) fn find(
                self,
                of: &NamespaceState,
                asked: &Asked,
                all: &State,
                found: &mut Found,
            ) {
                match self {
                    $(Self::$noun => <$noun as Noun>::find(of, asked, all, found)),+
                }
            }
        }

        /// One thing that a network holds.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case", tag = "object")]
        pub enum Object {
            $($noun($noun)),+
        }

        impl Object {
            pub(super) fn noun(&self) -> &dyn Noun {
                match self {
                    $(Self::$noun(noun) => noun),+
                }
            }
        }
    };
}

nouns! { Namespace, Link, Address, Route, Rule, Neighbour, Fdb, Sysctl, Qdisc, PortVlans }

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.noun().fmt(f)
    }
}

/// A namespace that is read.
pub(super) struct Reader<'a> {
    pub(super) kernel: &'a dyn Kernel,
    pub(super) namespace: NamespaceRef,
    pub(super) settings: &'a sysctl::Settings,
}

impl Reader<'_> {
    pub(super) fn ask(&self, query: Query) -> Result<Answer, Error> {
        ask(self.kernel, query)
    }
}

pub(super) fn ask(kernel: &dyn Kernel, query: Query) -> Result<Answer, Error> {
    kernel.query(&Policy::Lab.permit_query(query)?)
}

/// A namespace by its name; the root has the empty one.
pub(super) fn place(name: Option<&Name>) -> String {
    name.map(ToString::to_string).unwrap_or_default()
}

pub(super) fn reference(namespace: &str) -> NamespaceRef {
    // The root has the empty name, which is none.
    NamespaceRef::named(Name::of_namespace(namespace).ok())
}

pub(super) fn link_reference(namespace: &str, name: &str) -> LinkRef {
    LinkRef { namespace: reference(namespace), name: name.to_owned(), index: None }
}

fn holder_of(namespace: &str) -> Object {
    Object::Namespace(Namespace { namespace: namespace.to_owned() })
}

/// A link, and the namespace that it is in.
fn holders_of(namespace: &str, link: &str) -> Vec<Object> {
    let on = Link { namespace: namespace.to_owned(), name: link.to_owned() };
    vec![Object::Link(on), holder_of(namespace)]
}

/// Where something is, unless that is the root namespace.
fn inside(f: &mut fmt::Formatter<'_>, namespace: &str) -> fmt::Result {
    if namespace.is_empty() {
        return Ok(());
    }
    write!(f, " in {}", crate::change::Word(namespace))
}
