//! Macvlan and macvtap: children of a link with Ethernet addresses of their own.

use super::builder::LinkBuilder;
use super::kind::Kind;
use crate::place::Place;
use crate::wit::links::{Kind as WitKind, Macvlan as WitMacvlan, MacvlanMode};
use crate::{Error, IntoMac, Result};

/// A macvlan or macvtap: drivers/net/macvlan.c.
#[derive(Debug, Clone)]
pub struct Macvlan {
    pub(crate) data: WitMacvlan,
    /// frames go to a character device instead of the network stack
    pub(crate) tap: bool,
}

impl Macvlan {
    pub(crate) fn new(tap: bool) -> Self {
        let data = WitMacvlan {
            mode: None,
            nopromisc: false,
            nodst: false,
            sources: Vec::new(),
            broadcast_queue_length: None,
        };
        Self { data, tap }
    }

    /// ip(8)'s name of the kind.
    fn name(&self) -> &'static str {
        if self.tap { "macvtap" } else { "macvlan" }
    }

    fn demand(&self, option: &str, mode: MacvlanMode) -> Result<()> {
        if self.data.mode == Some(mode) {
            return Ok(());
        }
        Err(Error::invalid(format!("`{option}` of a {} needs mode `{mode}`", self.name())))
    }
}

impl Kind for Macvlan {
    fn finish(self) -> Result<WitKind> {
        if self.data.nopromisc {
            self.demand("nopromisc", MacvlanMode::Passthru)?;
        }
        if self.data.nodst {
            self.demand("nodst", MacvlanMode::Source)?;
        }
        if !self.data.sources.is_empty() {
            self.demand("sources", MacvlanMode::Source)?;
        }
        Ok(if self.tap { WitKind::Macvtap(self.data) } else { WitKind::Macvlan(self.data) })
    }
}

impl<P: Place, R> LinkBuilder<P, Macvlan, R> {
    /// How the children of one parent see each other. As `mode MODE`; vepa where it is left out.
    pub fn mode(mut self, mode: MacvlanMode) -> Self {
        self.kind.data.mode = Some(mode);
        self
    }

    /// Leaves the parent of a passthru child out of promiscuous mode. As `mode passthru nopromisc`.
    pub fn nopromisc(mut self) -> Self {
        self.kind.data.nopromisc = true;
        self
    }

    /// Source mode: frames are never looked up by their destination. As `mode source nodst`.
    pub fn nodst(mut self) -> Self {
        self.kind.data.nodst = true;
        self
    }

    /// Source mode: the stations that are let in. As `ip link set … macaddr set`.
    pub fn sources<M: IntoMac>(mut self, stations: impl IntoIterator<Item = M>) -> Self {
        for station in stations {
            if let Some(mac) = self.keep_fault(station.into_mac()) {
                self.kind.data.sources.push(mac.into());
            }
        }
        self
    }

    /// How many broadcast frames may wait for the children. As `bcqueuelen LENGTH`.
    pub fn bcqueuelen(mut self, length: u32) -> Self {
        self.kind.data.broadcast_queue_length = Some(length);
        self
    }
}
