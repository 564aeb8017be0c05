//! What kinds that take options in ip(8)'s words have in common.

use std::fmt::Display;

use super::builder::{LinkBuilder, Ready};
use super::kind::attribute;
use super::reference::LinkReference;
use crate::IntoAddress;
use crate::place::Place;
use crate::wit::types::Attribute;

/// A kind with options of its own.
pub trait Optioned {
    #[doc(hidden)]
    fn options(&mut self) -> &mut Vec<Attribute>;
}

/// A kind whose frames or packets travel inside packets, between two addresses.
pub trait Tunnelling: Optioned {}

macro_rules! optioned {
    ($($kind:ty),*) => {
        $(impl crate::link::options::Optioned for $kind {
            fn options(&mut self) -> &mut Vec<Attribute> {
                &mut self.options
            }
        })*
    };
}
pub(crate) use optioned;

impl<P: Place, K: Optioned, R> LinkBuilder<P, K, R> {
    /// An option in ip(8)'s words: `option("stp_state", 0)`. See ip-link(8), under the kind's name.
    pub fn option(mut self, name: impl Into<String>, value: impl Display) -> Self {
        self.kind.options().push(attribute(name, value));
        self
    }
}

impl<P: Place, K: Tunnelling> LinkBuilder<P, K, Ready> {
    /// The link that the packets leave by. As `dev LINK`.
    pub fn parent(self, link: impl LinkReference) -> Self {
        self.on_parent(link)
    }

    /// The one other end. As `remote ADDRESS`.
    pub fn remote(self, address: impl IntoAddress) -> Self {
        self.endpoint("remote", address)
    }

    /// The address that the packets come from. As `local ADDRESS`; geneve has none.
    pub fn local(self, address: impl IntoAddress) -> Self {
        self.endpoint("local", address)
    }

    pub(crate) fn endpoint(mut self, option: &str, address: impl IntoAddress) -> Self {
        match self.keep_fault(address.into_address()) {
            Some(address) => self.option(option, address),
            None => self,
        }
    }
}
