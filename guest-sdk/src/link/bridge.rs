//! Bridge: a switch made of links.

use super::builder::{LinkBuilder, Plug};
use super::kind::{Kind, attribute};
use super::options::optioned;
use super::reference::LinkReference;
use crate::Result;
use crate::place::Place;
use crate::wit::links::{Kind as WitKind, Other, Setting};
use crate::wit::types::Attribute;

/// A switch made of links: net/bridge.
#[derive(Debug, Clone, Default)]
pub struct Bridge {
    options: Vec<Attribute>,
}

optioned!(Bridge);

impl Kind for Bridge {
    fn finish(self) -> Result<WitKind> {
        Ok(WitKind::Bridge(self.options))
    }
}

impl<P: Place, R> LinkBuilder<P, Bridge, R> {
    /// Plugs a link in. As `ip link set LINK master BRIDGE`.
    pub fn port(self, link: impl LinkReference) -> Self {
        self.plug(link, Plug::Port)
    }

    /// Plugs a link in whose frames may leave where they came in, as vepa needs it (reflective
    /// relay). As `ip link set LINK master BRIDGE` and `ip link set LINK type bridge_slave hairpin on`.
    pub fn hairpin_port(self, link: impl LinkReference) -> Self {
        self.plug(link, Plug::Hairpin)
    }

    /// Heeds which VLANs its ports carry. As `type bridge vlan_filtering 1`.
    pub fn vlan_filtering(self) -> Self {
        self.option("vlan_filtering", 1)
    }
}

/// Whether a bridge's port sends frames back out of where they came in.
pub(crate) fn hairpin(on: bool) -> Setting {
    let options = vec![attribute("hairpin", if on { "on" } else { "off" })];
    Setting::Options(Other { kind: "bridge_slave".to_owned(), options })
}
