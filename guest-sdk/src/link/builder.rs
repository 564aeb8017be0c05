//! A link in the making: what every kind can be told, and what must be said before it is made.

use std::fmt::Display;
use std::marker::PhantomData;

use super::bridge::hairpin;
use super::kind::{Kind, attribute};
use super::reference::LinkReference;
use crate::place::Place;
use crate::port::PortVlans;
use crate::wit::links::{LinkName, Setting, Spec};
use crate::{Error, IntoMac, IntoPrefix, Prefix, Result};

/// Everything that the kind needs has been said: the link can be made.
#[derive(Debug, Clone, Copy)]
pub struct Ready;

/// The kind lies on another link, which has not been named yet: `.parent(…)` does.
#[derive(Debug, Clone, Copy)]
pub struct NeedsParent;

/// The other end has not been named yet: `.peer(…)` does.
#[derive(Debug, Clone, Copy)]
pub struct NeedsPeer;

/// A link in the making. It comes up when it is made, unless `.down()` says otherwise.
///
/// `create` is there once all that the kind needs has been said, so that a macvlan without a
/// parent doesn't compile:
///
/// ```compile_fail,E0599
/// # use netwright_sdk::prelude::*;
/// # fn lab(lab: &Lab) -> Result<()> {
/// lab.macvlan("mac1").create()?;
/// # Ok(())
/// # }
/// ```
///
/// A wrong text, such as an address that isn't one, is kept and answered by `create`.
#[derive(Debug, Clone)]
#[must_use = "a link is made by `create`"]
pub struct LinkBuilder<P: Place, K, R = Ready> {
    pub(crate) place: P,
    pub(crate) kind: K,
    pub(crate) ports: Vec<(String, Plug)>,
    pub(crate) peer_addresses: Vec<Prefix>,
    vlans: Option<PortVlans>,
    name: String,
    parent: Option<LinkName>,
    settings: Vec<Setting>,
    up: bool,
    addresses: Vec<Prefix>,
    fault: Option<Error>,
    state: PhantomData<R>,
}

/// How a link becomes a port of a master.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Plug {
    Port,
    /// as a bridge's port, which sends frames back out of where they came in
    Hairpin,
    /// as a bond's port, which a link that is up can't become (bond_enslave)
    Bonded,
}

impl Plug {
    /// One change after the other.
    pub(crate) fn changes(self, master: &str) -> Vec<Vec<Setting>> {
        let mut settings = vec![Setting::Master(Some(master.to_owned()))];
        match self {
            Self::Port => vec![settings],
            Self::Hairpin => {
                settings.push(hairpin(true));
                vec![settings]
            }
            Self::Bonded => vec![vec![Setting::Up(false)], settings],
        }
    }
}

/// All that a builder collected, checked.
#[derive(Debug)]
pub struct Draft {
    pub(crate) spec: Spec,
    pub(crate) addresses: Vec<Prefix>,
    pub(crate) peer_addresses: Vec<Prefix>,
    /// links to plug in
    pub(crate) ports: Vec<(String, Plug)>,
    /// of a bridge's port
    pub(crate) vlans: Option<PortVlans>,
}

impl<P: Place, K, R> LinkBuilder<P, K, R> {
    pub(crate) fn new(place: P, name: String, kind: K) -> Self {
        Self {
            place,
            kind,
            ports: Vec::new(),
            peer_addresses: Vec::new(),
            vlans: None,
            name,
            parent: None,
            settings: Vec::new(),
            up: true,
            addresses: Vec::new(),
            fault: None,
            state: PhantomData,
        }
    }

    /// The value, or none and the first fault remembered.
    pub(crate) fn keep_fault<T>(&mut self, result: Result<T>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(fault) => {
                self.fault.get_or_insert(fault);
                None
            }
        }
    }

    /// The same link, all that its kind needs having been said.
    pub(crate) fn ready(self) -> LinkBuilder<P, K, Ready> {
        LinkBuilder {
            place: self.place,
            kind: self.kind,
            ports: self.ports,
            peer_addresses: self.peer_addresses,
            vlans: self.vlans,
            name: self.name,
            parent: self.parent,
            settings: self.settings,
            up: self.up,
            addresses: self.addresses,
            fault: self.fault,
            state: PhantomData,
        }
    }

    pub(crate) fn on_parent(mut self, link: impl LinkReference) -> Self {
        if let Some(path) = self.keep_fault(link.path()) {
            self.parent = Some(path.seen_from(self.place.name()));
        }
        self
    }

    /// Makes a link of the same namespace a port of this one.
    pub(crate) fn plug(mut self, link: impl LinkReference, how: Plug) -> Self {
        let inside = link.path().and_then(|path| path.name_in(self.place.name(), "port"));
        if let Some(name) = self.keep_fault(inside) {
            self.ports.push((name, how));
        }
        self
    }

    /// One more thing to set when the link is made.
    pub fn setting(mut self, setting: Setting) -> Self {
        self.settings.push(setting);
        self
    }

    /// The longest packet, in bytes. As `mtu BYTES`.
    pub fn mtu(self, bytes: u32) -> Self {
        self.setting(Setting::Mtu(bytes))
    }

    /// The link's own Ethernet address: `"02:00:00:00:00:01"`. As `address MAC`.
    pub fn mac(mut self, mac: impl IntoMac) -> Self {
        if let Some(mac) = self.keep_fault(mac.into_mac()) {
            self.settings.push(Setting::Mac(mac.into()));
        }
        self
    }

    /// An address with its prefix length: `"192.168.56.122/24"`. As `ip address add`. May be said
    /// several times.
    pub fn address(mut self, address: impl IntoPrefix) -> Self {
        if let Some(prefix) = self.keep_fault(address.into_prefix()) {
            self.addresses.push(prefix);
        }
        self
    }

    /// Several addresses. As `ip address add`, once for each.
    pub fn addresses<A: IntoPrefix>(self, addresses: impl IntoIterator<Item = A>) -> Self {
        addresses.into_iter().fold(self, Self::address)
    }

    /// The link comes up when it is made; so it does without a word. As `up`.
    pub fn up(mut self) -> Self {
        self.up = true;
        self
    }

    /// Leaves the link down.
    pub fn down(mut self) -> Self {
        self.up = false;
        self
    }

    /// Makes the link a port of a bridge, or puts it into a vrf or bond. As `master LINK`.
    pub fn master(mut self, link: impl LinkReference) -> Self {
        let inside = link.path().and_then(|path| path.name_in(self.place.name(), "master"));
        if let Some(name) = self.keep_fault(inside) {
            self.settings.push(Setting::Master(Some(name)));
        }
        self
    }

    /// As a bridge's port, it carries one VLAN, without tags. As
    /// `bridge vlan add vid ID pvid untagged`.
    pub fn access(self, id: u16) -> Self {
        self.vlans(PortVlans::access(id))
    }

    /// As a bridge's port, it carries several VLANs, with tags. As `bridge vlan add vid ID` for
    /// each.
    pub fn trunk(self, ids: impl IntoIterator<Item = u16>) -> Self {
        self.vlans(PortVlans::trunk(ids))
    }

    /// As a bridge's port, it carries just these VLANs. As `bridge vlan`.
    pub fn vlans(mut self, vlans: PortVlans) -> Self {
        self.vlans = Some(vlans);
        self
    }

    /// Receives every frame on the wire, whomever it is for. As `promisc on`.
    pub fn promiscuous(self) -> Self {
        self.setting(Setting::Promiscuous(true))
    }

    /// Receives all multicast frames. As `allmulticast on`.
    pub fn all_multicast(self) -> Self {
        self.setting(Setting::AllMulticast(true))
    }

    /// A note for people. As `alias TEXT`.
    pub fn alias(self, text: impl Into<String>) -> Self {
        self.setting(Setting::Alias(text.into()))
    }

    /// How many packets may wait to be sent. As `txqueuelen PACKETS`.
    pub fn transmit_queue_length(self, packets: u32) -> Self {
        self.setting(Setting::TransmitQueueLength(packets))
    }

    /// Any other setting in ip(8)'s words: `other_setting("numtxqueues", 4)`.
    pub fn other_setting(self, name: impl Into<String>, value: impl Display) -> Self {
        self.setting(Setting::Other(attribute(name, value)))
    }
}

impl<P: Place, K> LinkBuilder<P, K, NeedsParent> {
    /// The lower link: a handle, `"eth0"` in the same namespace, `"ns1/eth0"` or `(&ns1, "eth0")`
    /// in another. As `link PARENT`.
    pub fn parent(self, link: impl LinkReference) -> LinkBuilder<P, K, Ready> {
        self.on_parent(link).ready()
    }
}

impl<P: Place, K: Kind> LinkBuilder<P, K, Ready> {
    /// Makes the link with all that was said of it, or nothing. As `ip link add`,
    /// `ip address add` and `ip link set … up`.
    pub fn create(self) -> Result<P::Link> {
        let place = self.place.clone();
        let draft = self.finish()?;
        place.make_link(draft)
    }

    pub(crate) fn finish(self) -> Result<Draft> {
        if let Some(fault) = self.fault {
            return Err(fault.context(format!("link `{}`", self.name)));
        }
        let kind = match self.kind.finish() {
            Ok(kind) => kind,
            Err(fault) => return Err(fault.context(format!("link `{}`", self.name))),
        };
        let mut settings = self.settings;
        settings.extend(self.up.then_some(Setting::Up(true)));
        Ok(Draft {
            spec: Spec { name: self.name, kind, parent: self.parent, settings },
            addresses: self.addresses,
            peer_addresses: self.peer_addresses,
            ports: self.ports,
            vlans: self.vlans,
        })
    }
}
