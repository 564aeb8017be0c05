//! The one noun: what a recipe asks for, the policy permits, the kernel applies, the journal
//! remembers and the report shows. Plain data, shown in ip(8)'s words.

mod address;
mod commands;
mod display;
mod link;
mod name;
mod neighbour;
mod own_vlans;
mod qdisc;
mod query;
mod route;
mod sysctl;

pub use address::{Address, AddressFlags, AddressInfo, Prefix};
pub use display::Word;
pub use link::{
    Attribute, Ipvlan, IpvlanFlag, IpvlanMode, Kind, LinkInfo, LinkName, Macvlan, MacvlanChange,
    MacvlanMode, Options, Setting, Spec, Statistics, Tuntap, Veth, Vlan, VlanProtocol,
};
pub use name::shown;
pub use name::{LinkRef, MacAddress, Name, NamespaceRef};
pub use neighbour::{Entry, Neighbour, NeighbourState, Told};
pub use own_vlans::commands;
pub use qdisc::{Backlog, Chance, Discipline, Distribution, Netem, PortVlan, Qdisc, Reorder, Tbf};
pub use query::{Answer, Feature, Query};
pub use route::{
    Family, NextHop, Opaque, PROTOCOL_ADVERTISED, PROTOCOL_KERNEL, Route, RouteKind, Rule,
    RuleAction, TABLE_LOCAL, TABLE_MAIN,
};
pub use sysctl::Sysctl;

use serde::{Deserialize, Serialize};

/// What a write does with something that is there already, as ip(8)'s verbs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Write {
    Add,
    Change,
    Replace,
    Append,
    Prepend,
}

/// One operation on the network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    CreateNamespace {
        name: Name,
    },
    DeleteNamespace {
        namespace: NamespaceRef,
    },
    SetNamespaceId {
        namespace: NamespaceRef,
        peer: NamespaceRef,
        id: i32,
    },
    CreateLink {
        namespace: NamespaceRef,
        spec: Spec,
    },
    ChangeLink {
        link: LinkRef,
        settings: Vec<Setting>,
    },
    MoveLink {
        link: LinkRef,
        to: NamespaceRef,
    },
    DeleteLink {
        link: LinkRef,
    },
    PutAddress {
        link: LinkRef,
        address: Address,
        how: Write,
    },
    RemoveAddress {
        link: LinkRef,
        prefix: Prefix,
        peer: Option<Prefix>,
    },
    PutRoute {
        namespace: NamespaceRef,
        route: Route,
        how: Write,
    },
    RemoveRoute {
        namespace: NamespaceRef,
        route: Route,
    },
    AddRule {
        namespace: NamespaceRef,
        rule: Rule,
    },
    RemoveRule {
        namespace: NamespaceRef,
        rule: Rule,
    },
    PutNeighbour {
        link: LinkRef,
        neighbour: Neighbour,
        how: Write,
    },
    RemoveNeighbour {
        link: LinkRef,
        address: std::net::IpAddr,
        proxy: bool,
        /// what the run has put there, in a step of an undo: anything else stays
        #[serde(default, skip_serializing_if = "Option::is_none")]
        put: Option<Neighbour>,
    },
    PutEntry {
        link: LinkRef,
        entry: Entry,
        how: Write,
    },
    RemoveEntry {
        link: LinkRef,
        entry: Entry,
    },
    SetSysctl {
        namespace: NamespaceRef,
        key: String,
        value: String,
    },
    /// Each that is not as it was, in this order. Only an undo asks for it.
    RestoreSysctls {
        namespace: NamespaceRef,
        settings: Vec<Sysctl>,
    },
    /// The link's IPv4 addresses in this order, under these labels. Only an undo asks for it.
    OrderAddresses {
        link: LinkRef,
        addresses: Vec<Address>,
    },
    PutQdisc {
        link: LinkRef,
        qdisc: Qdisc,
        how: Write,
    },
    RemoveQdisc {
        link: LinkRef,
    },
    PutVlan {
        link: LinkRef,
        vlan: PortVlan,
    },
    RemoveVlan {
        link: LinkRef,
        first: u16,
        last: u16,
    },
    /// Just these on a port.
    SetVlans {
        link: LinkRef,
        vlans: Vec<PortVlan>,
    },
}

/// The link of a change that is of one, borrowed as the change is.
macro_rules! on_link {
    ($change:expr) => {
        match $change {
            Change::ChangeLink { link, .. }
            | Change::MoveLink { link, .. }
            | Change::DeleteLink { link }
            | Change::PutAddress { link, .. }
            | Change::RemoveAddress { link, .. }
            | Change::PutNeighbour { link, .. }
            | Change::RemoveNeighbour { link, .. }
            | Change::PutEntry { link, .. }
            | Change::RemoveEntry { link, .. }
            | Change::OrderAddresses { link, .. }
            | Change::PutQdisc { link, .. }
            | Change::RemoveQdisc { link }
            | Change::PutVlan { link, .. }
            | Change::RemoveVlan { link, .. }
            | Change::SetVlans { link, .. } => Some(link),
            Change::CreateNamespace { .. }
            | Change::DeleteNamespace { .. }
            | Change::SetNamespaceId { .. }
            | Change::CreateLink { .. }
            | Change::PutRoute { .. }
            | Change::RemoveRoute { .. }
            | Change::AddRule { .. }
            | Change::RemoveRule { .. }
            | Change::SetSysctl { .. }
            | Change::RestoreSysctls { .. } => None,
        }
    };
}

impl Change {
    /// The link that it acts on; a new link has no identity yet.
    pub fn link(&self) -> Option<&LinkRef> {
        on_link!(self)
    }

    /// Whether it takes away something that is there.
    pub fn takes_away(&self) -> bool {
        match self {
            Self::DeleteNamespace { .. }
            | Self::DeleteLink { .. }
            | Self::RemoveAddress { .. }
            | Self::RemoveRoute { .. }
            | Self::RemoveRule { .. }
            | Self::RemoveNeighbour { .. }
            | Self::RemoveEntry { .. }
            | Self::RemoveQdisc { .. }
            | Self::RemoveVlan { .. } => true,
            Self::CreateNamespace { .. }
            | Self::SetNamespaceId { .. }
            | Self::CreateLink { .. }
            | Self::ChangeLink { .. }
            | Self::MoveLink { .. }
            | Self::PutAddress { .. }
            | Self::PutRoute { .. }
            | Self::AddRule { .. }
            | Self::PutNeighbour { .. }
            | Self::PutEntry { .. }
            | Self::SetSysctl { .. }
            | Self::RestoreSysctls { .. }
            | Self::OrderAddresses { .. }
            | Self::PutQdisc { .. }
            | Self::PutVlan { .. }
            | Self::SetVlans { .. } => false,
        }
    }

    /// The same to be altered.
    pub fn link_mut(&mut self) -> Option<&mut LinkRef> {
        on_link!(self)
    }

    /// The namespace that it happens in; a new namespace has none yet.
    pub fn namespace(&self) -> Option<&NamespaceRef> {
        match self {
            Self::DeleteNamespace { namespace }
            | Self::SetNamespaceId { namespace, .. }
            | Self::CreateLink { namespace, .. }
            | Self::PutRoute { namespace, .. }
            | Self::RemoveRoute { namespace, .. }
            | Self::AddRule { namespace, .. }
            | Self::RemoveRule { namespace, .. }
            | Self::SetSysctl { namespace, .. }
            | Self::RestoreSysctls { namespace, .. } => Some(namespace),
            _ => self.link().map(|link| &link.namespace),
        }
    }

    /// The same change for another time and place: by names, without cookies and indexes.
    pub fn by_name(&self) -> Self {
        let mut change = self.clone();
        if let Some(link) = change.link_mut() {
            link.forget();
        }
        match &mut change {
            Self::CreateNamespace { .. } => {}
            Self::DeleteNamespace { namespace }
            | Self::CreateLink { namespace, .. }
            | Self::PutRoute { namespace, .. }
            | Self::RemoveRoute { namespace, .. }
            | Self::AddRule { namespace, .. }
            | Self::RemoveRule { namespace, .. }
            | Self::SetSysctl { namespace, .. } => namespace.cookie = None,
            Self::RestoreSysctls { namespace, settings } => {
                namespace.cookie = None;
                settings.iter_mut().for_each(|setting| setting.link = None);
            }
            Self::SetNamespaceId { namespace, peer, .. } => {
                namespace.cookie = None;
                peer.cookie = None;
            }
            Self::MoveLink { to, .. } => to.cookie = None,
            Self::ChangeLink { .. }
            | Self::DeleteLink { .. }
            | Self::PutAddress { .. }
            | Self::RemoveAddress { .. }
            | Self::PutNeighbour { .. }
            | Self::RemoveNeighbour { .. }
            | Self::PutEntry { .. }
            | Self::RemoveEntry { .. }
            | Self::OrderAddresses { .. }
            | Self::PutQdisc { .. }
            | Self::RemoveQdisc { .. }
            | Self::PutVlan { .. }
            | Self::RemoveVlan { .. }
            | Self::SetVlans { .. } => {}
        }
        change
    }
}

/// What takes a change back: changes again, to be made in this order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Undo {
    pub steps: Vec<Change>,
}

/// What the kernel made of a change.
#[derive(Debug, Clone, PartialEq)]
pub struct Applied {
    pub made: Made,
    pub undo: Undo,
}

/// The identity of what a change made.
#[derive(Debug, Clone, PartialEq)]
pub enum Made {
    Nothing,
    Namespace(NamespaceRef),
    Link(LinkRef),
}
