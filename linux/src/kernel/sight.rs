//! What the policy is shown before it decides: objects as they are now, not as they are called.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::change::{Address, LinkRef, MacAddress, NamespaceRef, Setting};

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

/// Whose the addresses are that others have on the network that a link is on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stations {
    pub macs: Vec<(MacAddress, Holder)>,
    /// those of the namespace itself
    pub addresses: Vec<(IpAddr, Holder)>,
    /// of those, the ones that are on links which are joined to this one
    pub near: Vec<(IpAddr, Holder)>,
}

/// Who has an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    Link(LinkRef),
    /// a station that the namespace knows, on a link of it
    Neighbour {
        address: IpAddr,
        link: String,
    },
    /// one that a link has an entry for in a forwarding database
    Entry {
        link: String,
        vlan: Option<u16>,
        /// by a bridge, which forgets it in time
        heard: bool,
    },
}

/// What a child of a link of others' is to be known by on the network of that: by this the kernel
/// hands it frames.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claimed {
    pub macs: Vec<MacAddress>,
    pub addresses: Vec<IpAddr>,
    /// for which it answers whoever asks on that network: by a MAC address of its own
    pub answered: Vec<IpAddr>,
}

impl Claimed {
    /// By settings of a link; `kind` is missing where it isn't known.
    pub fn by_settings(kind: Option<&str>, settings: &[Setting]) -> Self {
        let mac = |setting: &Setting| match setting {
            Setting::Mac(mac) => Some(*mac),
            _ => None,
        };
        let takes = kind.is_none_or(super::kind::takes_by_mac);
        let macs = settings.iter().filter(|_| takes).filter_map(mac).collect();
        Self { macs, ..Self::default() }
    }

    /// By an address: of one with a peer the kernel takes the peer's (ipvlan_addr4_event).
    pub fn by_address(kind: Option<&str>, address: &Address) -> Self {
        let all = [Some(address.prefix), address.peer].into_iter().flatten();
        let takes = kind.is_none_or(super::kind::takes_by_address);
        let addresses = all.filter(|_| takes).map(|prefix| prefix.address);
        let answers = kind.is_none_or(super::kind::takes_by_mac);
        let answered = answers.then_some(address.prefix.address);
        Self {
            addresses: addresses.collect(),
            answered: answered.into_iter().collect(),
            ..Self::default()
        }
    }

    pub fn is_nothing(&self) -> bool {
        self.macs.is_empty() && self.addresses.is_empty() && self.answered.is_empty()
    }
}
