//! Links in the run's own namespaces that the run did not make: programs that it starts there make some,
//! which are its own then; what somebody else moved there is theirs, and does not go with the namespace.

use std::net::IpAddr;

use netlink_packet_route::RouteNetlinkMessage;
use netwright_network::kind::is_immovable;
use rtnetlink::LinkUnspec;

use super::Netlink;
use super::raw_link::{IFF_LOOPBACK, RawLink};
use super::socket::Request;
use super::space::Space;
use crate::change::{Attribute, NamespaceRef};
use crate::kernel::{Error, kind};
use crate::text::help;

/// Links that the kernel makes in each namespace once it knows their kind (the `fb_tunnel_dev` of
/// net/ipv4 and net/ipv6), with that kind.
const KERNELS: [(&str, &str); 9] = [
    ("tunl0", "ipip"),
    ("gre0", "gre"),
    ("gretap0", "gretap"),
    ("erspan0", "erspan"),
    ("sit0", "sit"),
    ("ip6tnl0", "ip6tnl"),
    ("ip6gre0", "ip6gre"),
    ("ip_vti0", "vti"),
    ("ip6_vti0", "vti6"),
];

impl Netlink {
    /// The links of one of the run's own namespaces that don't carry its mark, by index.
    pub(super) fn unmarked_in(&self, namespace: &NamespaceRef) -> Vec<u32> {
        let Ok(space) = self.spaces.find(namespace) else { return Vec::new() };
        if self.host.is_none() || !space.own {
            return Vec::new();
        }
        let links = space.links().unwrap_or_default();
        let unmarked = links.iter().filter(|link| self.is_unmarked(&space, link));
        unmarked.map(|link| link.index).collect()
    }

    /// Gives those that have come since the mark.
    pub(super) fn adopt_all_but(&self, namespace: &NamespaceRef, before: &[u32]) {
        let Some(host) = &self.host else { return };
        let Ok(space) = self.spaces.find(namespace) else { return };
        let new = self.unmarked_in(namespace).into_iter().filter(|index| !before.contains(index));
        for index in new {
            let marked = LinkUnspec::new_with_index(index).link_group(host.mark.group()).build();
            let request = Request { message: RouteNetlinkMessage::SetLink(marked), flags: 0 };
            // One that is gone by now needs none.
            let _ = space.execute(&request);
        }
    }

    /// Refuses to let a namespace go that holds a link of somebody's who moved it there.
    pub(super) fn check_nobodys(&self, space: &Space, links: &[RawLink]) -> Result<(), Error> {
        let unmarked = links.iter().filter(|link| self.is_unmarked(space, link));
        let other_ends = |link: &RawLink| {
            let own = |other: &RawLink| {
                Some(other.index) == link.link() && !self.is_unmarked(space, other)
            };
            kind::has_other_end(&link.kind()) && link.link_nsid().is_none() && links.iter().any(own)
        };
        // Whoever made one made it there, and knew whose it is.
        let born = |link: &RawLink| is_immovable(&link.kind());
        match unmarked.into_iter().find(|link| !other_ends(link) && !born(link)) {
            None => Ok(()),
            Some(link) => Err(Error::Invalid(format!(
                "{} stays, for it holds link `{}`, which this run did not make{}",
                space.shown(),
                link.name.escape_debug(),
                help("move it out or delete it, then take this back again")
            ))),
        }
    }

    fn is_unmarked(&self, space: &Space, link: &RawLink) -> bool {
        let Some(host) = &self.host else { return false };
        let told = || host.told.as_ref().is_some_and(|links| links.has_name(&link.name));
        space.own
            && link.group() != host.mark.group()
            && !link.has(IFF_LOOPBACK)
            && !is_kernels(link)
            && !self.is_lent(space, link.index)
            // A run that was killed may not have come to the mark of what it made.
            && !told()
    }
}

/// Whether the kernel has put a link into its namespace by itself: those tunnels have no ends, and
/// somebody's of that name has.
pub(super) fn is_kernels(link: &RawLink) -> bool {
    let ends = |option: &Attribute| matches!(option.name.as_str(), "local" | "remote");
    let has_ends = || {
        let told = kind::read(&link.kind(), link.data(), &mut |_| None);
        let is_one = |text: &str| text.parse().is_ok_and(|end: IpAddr| !end.is_unspecified());
        told.iter().any(|option| ends(option) && is_one(&option.value))
    };
    KERNELS.contains(&(link.name.as_str(), link.kind().as_str())) && !has_ends()
}

#[cfg(test)]
mod tests {
    use netlink_packet_core::{DefaultNla, Emitable as _};
    use netlink_packet_route::link::{InfoData, InfoKind, LinkAttribute, LinkInfo, LinkMessage};

    use super::is_kernels;
    use crate::kernel::netlink::raw_link::RawLink;

    /// A tunnel with its own address, IFLA_IPTUN_LOCAL of linux/if_tunnel.h.
    fn tunnel(name: &str, local: [u8; 4]) -> RawLink {
        let mut data = vec![0; 8];
        DefaultNla::new(2, local.to_vec()).emit(&mut data);
        let info = [LinkInfo::Kind(InfoKind::IpIp), LinkInfo::Data(InfoData::Other(data))];
        let mut message = LinkMessage::default();
        message.attributes.push(LinkAttribute::IfName(name.to_owned()));
        message.attributes.push(LinkAttribute::LinkInfo(info.to_vec()));
        let mut bytes = vec![0; message.buffer_len()];
        message.emit(&mut bytes);
        RawLink::parse(&(16, bytes)).expect("a link")
    }

    #[test]
    fn a_tunnel_with_ends_is_somebodys_whatever_it_is_called() {
        assert!(is_kernels(&tunnel("tunl0", [0; 4])));
        assert!(!is_kernels(&tunnel("tunl0", [192, 0, 2, 1])));
        assert!(!is_kernels(&tunnel("tunl7", [0; 4])));
    }
}
