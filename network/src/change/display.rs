//! Changes in ip(8)'s words: for errors, reports and the trace.

mod link;
mod network;
mod qdisc;

use std::fmt::{self, Formatter, Result};

use self::link::link_add;
use self::network::entry_words;
use super::{Change, Family, LinkRef, Name, NamespaceRef, PortVlan, Write};
pub use crate::shell::Word;

impl fmt::Display for Change {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::CreateNamespace { name } => write!(f, "netns add {name}"),
            Self::DeleteNamespace { namespace } => write!(f, "netns delete {}", shown(namespace)),
            Self::SetNamespaceId { namespace, peer, id } => {
                inside(f, namespace)?;
                match id {
                    -1 => write!(f, "netns set {} auto", shown(peer)),
                    id => write!(f, "netns set {} {id}", shown(peer)),
                }
            }
            Self::CreateLink { namespace, spec } => {
                inside(f, namespace)?;
                link_add(f, spec)
            }
            Self::ChangeLink { link, settings } => {
                on(f, link, "link set")?;
                settings.iter().try_for_each(|setting| write!(f, " {setting}"))
            }
            Self::MoveLink { link, to } => {
                on(f, link, "link set")?;
                write!(f, " netns {}", shown(to))
            }
            Self::DeleteLink { link } => on(f, link, "link delete"),
            Self::PutAddress { link, address, how } => {
                inside(f, &link.namespace)?;
                write!(f, "address {} {address} dev {}", how.verb(), plain(&link.name))
            }
            Self::RemoveAddress { link, prefix, peer } => {
                inside(f, &link.namespace)?;
                write!(f, "address delete {prefix}")?;
                peer.iter().try_for_each(|peer| write!(f, " peer {peer}"))?;
                write!(f, " dev {}", plain(&link.name))
            }
            Self::PutRoute { namespace, route, how } => {
                inside(f, namespace)?;
                family(f, route.family)?;
                write!(f, "route {} {route}", how.verb())
            }
            Self::RemoveRoute { namespace, route } => {
                inside(f, namespace)?;
                family(f, route.family)?;
                write!(f, "route delete {route}")
            }
            Self::AddRule { namespace, rule } => {
                inside(f, namespace)?;
                family(f, rule.family)?;
                write!(f, "rule add {rule}")
            }
            Self::RemoveRule { namespace, rule } => {
                inside(f, namespace)?;
                family(f, rule.family)?;
                write!(f, "rule delete {rule}")
            }
            Self::PutNeighbour { link, neighbour, how } => {
                inside(f, &link.namespace)?;
                write!(f, "neighbour {} {neighbour} dev {}", how.verb(), plain(&link.name))
            }
            Self::RemoveNeighbour { link, address, proxy, put: _ } => {
                inside(f, &link.namespace)?;
                let proxy = if *proxy { "proxy " } else { "" };
                write!(f, "neighbour delete {proxy}{address} dev {}", plain(&link.name))
            }
            Self::PutEntry { link, entry, how } => {
                inside(f, &link.namespace)?;
                entry_words(f, how.verb(), link, entry)
            }
            Self::RemoveEntry { link, entry } => {
                inside(f, &link.namespace)?;
                entry_words(f, "delete", link, entry)
            }
            Self::SetSysctl { namespace, key, value } => {
                inside(f, namespace)?;
                // The kernel puts tabs between several values, and takes spaces.
                let value = value.replace('\t', " ");
                write!(f, "sysctl {}={}", plain(key), plain(&value))
            }
            Self::OrderAddresses { link, addresses } => {
                inside(f, &link.namespace)?;
                write!(f, "address order")?;
                addresses.iter().try_for_each(|one| write!(f, " {}", one.prefix))?;
                write!(f, " dev {}", plain(&link.name))
            }
            Self::RestoreSysctls { namespace, settings } => {
                inside(f, namespace)?;
                write!(f, "sysctl")?;
                match settings.as_slice() {
                    [] => Ok(()),
                    [one] => write!(f, " {one}"),
                    [first, rest @ ..] => write!(f, " {first} and {} more", rest.len()),
                }
            }
            Self::PutQdisc { link, qdisc, how } => {
                inside(f, &link.namespace)?;
                write!(f, "qdisc {} dev {} root {qdisc}", how.verb(), plain(&link.name))
            }
            Self::RemoveQdisc { link } => {
                inside(f, &link.namespace)?;
                write!(f, "qdisc delete dev {} root", plain(&link.name))
            }
            Self::PutVlan { link, vlan } => {
                inside(f, &link.namespace)?;
                write!(f, "vlan add dev {} {vlan}", plain(&link.name))
            }
            Self::RemoveVlan { link, first, last } => {
                inside(f, &link.namespace)?;
                let gone = PortVlan { first: *first, last: *last, pvid: false, untagged: false };
                write!(f, "vlan delete dev {} {gone}", plain(&link.name))
            }
            Self::SetVlans { link, vlans } => {
                inside(f, &link.namespace)?;
                write!(f, "vlan set dev {}", plain(&link.name))?;
                vlans.iter().try_for_each(|vlan| write!(f, " {vlan}"))
            }
        }
    }
}

/// What a guest or the kernel named.
fn plain(text: &str) -> Word<'_> {
    Word(text)
}

fn shown(namespace: &NamespaceRef) -> &str {
    namespace.name.as_ref().map_or("root", Name::as_str)
}

/// `-n ns1 `, or nothing in the root namespace.
fn inside(f: &mut Formatter<'_>, namespace: &NamespaceRef) -> Result {
    match &namespace.name {
        Some(name) => write!(f, "-n {name} "),
        None => Ok(()),
    }
}

fn on(f: &mut Formatter<'_>, link: &LinkRef, verb: &str) -> Result {
    inside(f, &link.namespace)?;
    write!(f, "{verb} {}", plain(&link.name))
}

fn family(f: &mut Formatter<'_>, family: Family) -> Result {
    match family {
        Family::Ipv4 => Ok(()),
        Family::Ipv6 => f.write_str("-6 "),
    }
}

impl Write {
    /// ip(8)'s.
    pub fn verb(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Change => "change",
            Self::Replace => "replace",
            Self::Append => "append",
            Self::Prepend => "prepend",
        }
    }
}
