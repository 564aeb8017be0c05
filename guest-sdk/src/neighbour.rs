//! Neighbours, ip-neighbour(8), and the forwarding databases of bridges and vxlans, bridge(8).

use crate::host;
use crate::pending::Pending;
use crate::wit::fdb::Entry;
use crate::wit::neighbours::{Neighbour, NeighbourState};
use crate::wit::types::Write;
use crate::{AnyLink, IntoAddress, IntoMac, Link, Result};

/// A station by its address, to be added, replaced or removed. It stays until it is removed,
/// unless a state says otherwise.
#[derive(Debug, Clone)]
#[must_use = "a neighbour is made by `add`"]
pub struct NeighbourBuilder<L> {
    link: L,
    neighbour: Pending<Neighbour>,
}

impl<L> NeighbourBuilder<L> {
    pub(crate) fn new(link: L, address: impl IntoAddress) -> Self {
        let neighbour = address.into_address().map(|address| Neighbour {
            address: address.into(),
            mac: None,
            state: NeighbourState::Permanent,
            proxy: false,
            router: false,
            extern_learn: false,
        });
        Self { link, neighbour: Pending::new(neighbour) }
    }

    /// The station's Ethernet address. As `lladdr MAC`.
    pub fn mac(mut self, mac: impl IntoMac) -> Self {
        self.neighbour.put(mac.into_mac(), |neighbour, mac| neighbour.mac = Some(mac.into()));
        self
    }

    /// How far the address is to be trusted. As `nud STATE`.
    pub fn state(mut self, state: NeighbourState) -> Self {
        self.neighbour.set(|neighbour| neighbour.state = state);
        self
    }

    /// This machine answers for the address itself. As `ip neighbour add proxy ADDRESS`.
    pub fn proxy(mut self) -> Self {
        self.neighbour.set(|neighbour| neighbour.proxy = true);
        self
    }

    /// The station is a router, IPv6. As `router`.
    pub fn router(mut self) -> Self {
        self.neighbour.set(|neighbour| neighbour.router = true);
        self
    }
}

impl<L: AnyLink> NeighbourBuilder<L> {
    pub(crate) fn finish(self) -> Result<(L, Neighbour)> {
        Ok((self.link, self.neighbour.finish()?))
    }

    /// Adds it; an error if it is there already. As `ip neighbour add`.
    pub fn add(self) -> Result<()> {
        self.link.put_neighbour(self.neighbour.finish()?, Write::Add)
    }

    /// Adds it, or alters the one that is there. As `ip neighbour replace`.
    pub fn replace(self) -> Result<()> {
        self.link.put_neighbour(self.neighbour.finish()?, Write::Replace)
    }
}

impl NeighbourBuilder<Link> {
    /// Alters the one that is there. As `ip neighbour change`.
    pub fn change(self) -> Result<()> {
        self.link.put_neighbour(self.neighbour.finish()?, Write::Change)
    }

    /// As `ip neighbour delete`.
    pub fn remove(self) -> Result<()> {
        let neighbour = self.neighbour.finish()?;
        let handle = self.link.handle();
        Ok(host::neighbours::remove(handle, neighbour.address, neighbour.proxy)?)
    }
}

/// An entry of a forwarding database: behind which port or remote end a station is.
#[derive(Debug, Clone)]
#[must_use = "an entry is made by `add`"]
pub struct EntryBuilder {
    link: Link,
    entry: Pending<Entry>,
}

impl EntryBuilder {
    pub(crate) fn new(link: Link, station: impl IntoMac) -> Self {
        let entry = station.into_mac().map(|mac| Entry {
            mac: mac.into(),
            vlan: None,
            aged: false,
            master: false,
            destination: None,
        });
        Self { link, entry: Pending::new(entry) }
    }

    /// Only for frames with this tag. As `vlan ID`.
    pub fn vlan(mut self, id: u16) -> Self {
        self.entry.set(|entry| entry.vlan = Some(id));
        self
    }

    /// In the bridge's database rather than the port's own. As `master`.
    pub fn master(mut self) -> Self {
        self.entry.set(|entry| entry.master = true);
        self
    }

    /// May be forgotten or learnt anew. As `static`; without it, `permanent`.
    pub fn aged(mut self) -> Self {
        self.entry.set(|entry| entry.aged = true);
        self
    }

    /// The remote end of a vxlan. As `dst ADDRESS`.
    pub fn destination(mut self, address: impl IntoAddress) -> Self {
        let address = address.into_address();
        self.entry.put(address, |entry, address| entry.destination = Some(address.into()));
        self
    }

    fn put(self, how: Write) -> Result<()> {
        Ok(host::fdb::put(self.link.handle(), self.entry.finish()?, how)?)
    }

    /// As `bridge fdb add`.
    pub fn add(self) -> Result<()> {
        self.put(Write::Add)
    }

    /// As `bridge fdb replace`.
    pub fn replace(self) -> Result<()> {
        self.put(Write::Replace)
    }

    /// One more remote end for the same station. As `bridge fdb append`.
    pub fn append(self) -> Result<()> {
        self.put(Write::Append)
    }

    /// As `bridge fdb delete`.
    pub fn remove(self) -> Result<()> {
        Ok(host::fdb::remove(self.link.handle(), self.entry.finish()?)?)
    }
}
