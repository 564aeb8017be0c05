//! What a link can be; the kinds with much to say about them have files of their own.

use std::fmt::Display;

use super::builder::{LinkBuilder, Ready};
use super::options::optioned;
use super::reference::LinkReference;
use crate::Result;
use crate::place::Place;
use crate::wit::links::{
    Ipvlan as WitIpvlan, IpvlanFlag, IpvlanMode, Kind as WitKind, Other as WitOther,
};
use crate::wit::types::Attribute;

/// An option in ip(8)'s words.
pub(crate) fn attribute(name: impl Into<String>, value: impl Display) -> Attribute {
    Attribute { name: name.into(), value: value.to_string() }
}

/// A kind of link, with all that is asked of it.
pub trait Kind: Sized {
    /// The kind as the contract carries it, or the rule that it breaks.
    #[doc(hidden)]
    fn finish(self) -> Result<WitKind>;
}

/// A link that leads nowhere: drivers/net/dummy.c.
#[derive(Debug, Clone, Copy, Default)]
pub struct Dummy;

impl Kind for Dummy {
    fn finish(self) -> Result<WitKind> {
        Ok(WitKind::Dummy)
    }
}

/// A link to redirect received packets to, so that they can be shaped: drivers/net/ifb.c.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ifb;

impl Kind for Ifb {
    fn finish(self) -> Result<WitKind> {
        Ok(WitKind::Ifb)
    }
}

/// An ipvlan or ipvtap: children with their parent's Ethernet address, drivers/net/ipvlan.
#[derive(Debug, Clone, Copy)]
pub struct Ipvlan {
    data: WitIpvlan,
    tap: bool,
}

impl Ipvlan {
    pub(crate) fn new(tap: bool) -> Self {
        Self { data: WitIpvlan { mode: None, flag: None }, tap }
    }
}

impl Kind for Ipvlan {
    fn finish(self) -> Result<WitKind> {
        Ok(if self.tap { WitKind::Ipvtap(self.data) } else { WitKind::Ipvlan(self.data) })
    }
}

impl<P: Place, R> LinkBuilder<P, Ipvlan, R> {
    /// On which layer frames are handed to the children. As `mode MODE`; l3 where it is left out.
    pub fn mode(mut self, mode: IpvlanMode) -> Self {
        self.kind.data.mode = Some(mode);
        self
    }

    /// How the children see each other. As `bridge`, `private` or `vepa` after the mode.
    pub fn flag(mut self, flag: IpvlanFlag) -> Self {
        self.kind.data.flag = Some(flag);
        self
    }
}

/// A group of links with a routing table of its own: drivers/net/vrf.c.
#[derive(Debug, Clone, Copy)]
pub struct Vrf {
    table: u32,
}

impl Vrf {
    pub(crate) fn new(table: u32) -> Self {
        Self { table }
    }
}

impl Kind for Vrf {
    fn finish(self) -> Result<WitKind> {
        Ok(WitKind::Vrf(self.table))
    }
}

/// The end of a WireGuard tunnel, drivers/net/wireguard. Its keys and peers are not ip(8)'s to set.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wireguard;

impl Kind for Wireguard {
    fn finish(self) -> Result<WitKind> {
        Ok(WitKind::Other(WitOther { kind: "wireguard".to_owned(), options: Vec::new() }))
    }
}

/// Any other kind that the kernel has, by its name and options in ip(8)'s words.
#[derive(Debug, Clone)]
pub struct Other {
    kind: String,
    options: Vec<Attribute>,
}

impl Other {
    pub(crate) fn new(kind: String) -> Self {
        Self { kind, options: Vec::new() }
    }
}

optioned!(Other);

impl Kind for Other {
    fn finish(self) -> Result<WitKind> {
        Ok(WitKind::Other(WitOther { kind: self.kind, options: self.options }))
    }
}

impl<P: Place> LinkBuilder<P, Other, Ready> {
    /// The lower link, for kinds that have one. As `link PARENT`.
    pub fn parent(self, link: impl LinkReference) -> Self {
        self.on_parent(link)
    }
}
