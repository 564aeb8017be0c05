//! What runs put beside what others have: it has no identity of its own but what it is.

use crate::change::{Address, LinkRef, NamespaceRef, Route, Rule};

/// As it is in the kernel, or as it was asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Put {
    Address { link: LinkRef, address: Address },
    Route { place: NamespaceRef, route: Route },
    Rule { place: NamespaceRef, rule: Rule },
}
