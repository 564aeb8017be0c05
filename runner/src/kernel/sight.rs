//! What the policy is shown before it decides: objects as they are now, not as they are called.

use crate::change::{LinkRef, NamespaceRef};

/// A namespace that a change is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpaceSight {
    /// with its cookie
    pub reference: NamespaceRef,
    /// this run made it, and so all that is in it
    pub own: bool,
}

/// A link that a change is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkSight {
    /// in full: the namespace's cookie, the name that the link has now, its index
    pub reference: LinkRef,
    /// this run made its namespace
    pub in_own_space: bool,
    /// this run made it, and it still carries the run's mark
    pub own: bool,
    pub kind: String,
    pub alias: Option<String>,
    pub group: u32,
    pub loopback: bool,
    /// name and kind of the link that it is a port of
    pub master: Option<(String, String)>,
    /// what it stands on, where that is somebody else's
    pub parent: Option<LinkRef>,
    /// the first link of somebody else's below it, whatever of the run's own is between
    pub below: Option<LinkRef>,
    /// of a vlan
    pub vlan: Option<u16>,
    /// that this run has chosen
    pub mtu: Option<u32>,
    /// that it would have if nobody had chosen one, where that is known
    pub usual_mtu: Option<u32>,
}

/// A link of somebody else's that stands on another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upper {
    pub reference: LinkRef,
    pub kind: String,
}
