//! Which VLANs a bridge's port carries: bridge(8) vlan.

use crate::host;
use crate::wit::vlans::Vlan;
use crate::{Link, Result};

/// The VLANs of a bridge's port. The bridge heeds them once it filters:
/// [`vlan_filtering`](crate::link::LinkBuilder::vlan_filtering).
///
/// ```
/// use netwright_sdk::prelude::*;
/// use netwright_sdk::testing::MemoryHost;
///
/// # fn main() -> Result<()> {
/// let host = MemoryHost::new();
/// let lab = Lab::open()?;
/// let switch = lab.bridge("br0").vlan_filtering().create()?;
/// let desk = lab.namespace("desk")?;
/// lab.veth("p1").peer((&desk, "eth0")).master(&switch).access(100).create()?;
/// let uplink = lab.veth("p2").peer("uplink").master(&switch).create()?;
/// uplink.set_vlans(PortVlans::trunk([100, 200]).native(1))?;
/// assert!(host.changes().contains(&"vlan set dev p1 vid 100 pvid untagged".to_owned()));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PortVlans {
    all: Vec<Vlan>,
}

impl PortVlans {
    /// One VLAN, whose frames have no tag outside of the bridge. As
    /// `bridge vlan add vid ID pvid untagged`.
    pub fn access(id: u16) -> Self {
        Self::default().native(id)
    }

    /// Several, each frame with its tag. As `bridge vlan add vid ID`, once for each.
    pub fn trunk(ids: impl IntoIterator<Item = u16>) -> Self {
        let tagged = |id| Vlan { first: id, last: id, pvid: false, untagged: false };
        Self { all: ids.into_iter().map(tagged).collect() }
    }

    /// The VLAN of frames without a tag. As `bridge vlan add vid ID pvid untagged`.
    pub fn native(mut self, id: u16) -> Self {
        self.all.retain(|vlan| vlan.first != id);
        self.all.push(Vlan { first: id, last: id, pvid: true, untagged: true });
        self
    }

    pub(crate) fn into_list(self) -> Vec<Vlan> {
        self.all
    }
}

impl Link {
    /// One more VLAN, or a range of them. As `bridge vlan add`.
    pub fn add_vlan(&self, vlan: Vlan) -> Result<()> {
        Ok(host::vlans::put(self.handle(), vlan)?)
    }

    /// As `bridge vlan delete vid ID`.
    pub fn remove_vlan(&self, id: u16) -> Result<()> {
        Ok(host::vlans::remove(self.handle(), id, id)?)
    }

    /// The VLANs of this port, by id. As `bridge vlan show dev LINK`.
    pub fn vlans(&self) -> Result<Vec<Vlan>> {
        Ok(host::vlans::get(self.handle())?)
    }
}
