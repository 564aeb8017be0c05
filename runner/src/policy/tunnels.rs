//! No tunnel of a run's gets what is for one that is there: the kernel gives a packet to the tunnel
//! whose ends say most of it (ip_tunnel_lookup in net/ipv4/ip_tunnel.c, ip6_tnl_lookup in
//! net/ipv6/ip6_tunnel.c), whosever that is.

use std::net::IpAddr;

use super::HostPolicy;
use super::host::{forbidden_untold, links};
use crate::change::{Attribute, LinkInfo, NamespaceRef};
use crate::kernel::{Error, Kernel};

/// What is looked for among tunnels of the same protocol.
#[derive(Debug, PartialEq, Eq)]
enum Protocol {
    Gre,
    Ip,
    Gre6,
    Ip6,
}

impl Protocol {
    /// None of what is no tunnel by its ends alone.
    fn of(kind: &str) -> Option<Self> {
        match kind {
            "gre" | "gretap" | "erspan" => Some(Self::Gre),
            // All of them take what is IP in IP (tunnel4_rcv).
            "ipip" | "sit" | "vti" => Some(Self::Ip),
            "ip6gre" | "ip6gretap" | "ip6erspan" => Some(Self::Gre6),
            "ip6tnl" | "vti6" => Some(Self::Ip6),
            _ => None,
        }
    }

    fn has_keys(&self) -> bool {
        matches!(self, Self::Gre | Self::Gre6)
    }
}

impl HostPolicy {
    /// Refuses the ends of a tunnel that others' in the same namespace may get packets by.
    pub(super) fn floor_of_ends(
        &self,
        namespace: &NamespaceRef,
        kind: &str,
        options: &[Attribute],
        kernel: &dyn Kernel,
    ) -> Result<(), Error> {
        let Some(protocol) = Protocol::of(kind) else { return Ok(()) };
        let all = links(namespace, kernel)?;
        let theirs = |link: &&LinkInfo| {
            link.group != self.mark.group() && Protocol::of(&link.kind).as_ref() == Some(&protocol)
        };
        let meets = |link: &&LinkInfo| {
            ["local", "remote"]
                .iter()
                .all(|name| may_be_one(end(options, name), end(&link.data, name)))
                && (!protocol.has_keys() || key(options) == key(&link.data))
                && !is_for_the_rest(&link.data)
        };
        let Some(taken) = all.iter().filter(theirs).find(meets) else { return Ok(()) };
        let why = format!(
            "`{}` has the same ends, or such as fit them, and would lose its packets",
            taken.name.escape_debug()
        );
        Err(forbidden_untold("a tunnel", kind, &why))
    }
}

/// One of a tunnel's ends; none where it is for any.
fn end(options: &[Attribute], name: &str) -> Option<IpAddr> {
    let value = options.iter().rev().find(|option| option.name == name)?;
    value.value.parse().ok().filter(|address: &IpAddr| !address.is_unspecified())
}

/// Whether a tunnel is such as the kernel makes by itself (`gre0`, `tunl0`), for what no other one takes.
fn is_for_the_rest(data: &[Attribute]) -> bool {
    let ends = end(data, "local").or(end(data, "remote"));
    ends.is_none() && !data.iter().any(|option| option.name == "external")
}

fn may_be_one(one: Option<IpAddr>, other: Option<IpAddr>) -> bool {
    one.is_none() || other.is_none() || one == other
}

/// Of packets that come in.
fn key(options: &[Attribute]) -> Option<&str> {
    let is_key = |option: &&Attribute| matches!(option.name.as_str(), "ikey" | "key");
    options.iter().rev().find(is_key).map(|option| option.value.as_str())
}
