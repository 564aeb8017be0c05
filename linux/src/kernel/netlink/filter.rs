//! What a link's own filter lets in, beside what is for itself.

use std::net::IpAddr;

use super::Netlink;
use super::entry::entries_put;
use super::raw_link::RawLink;
use super::space::Space;
use crate::change::{Change, LinkRef, MacAddress, Write};

/// Groups that every link is in: 224.0.0.1, ff02::1 and ff01::1 are one address each.
const EVERYBODYS: [MacAddress; 2] =
    [MacAddress([0x01, 0, 0x5e, 0, 0, 1]), MacAddress([0x33, 0x33, 0, 0, 0, 1])];

impl Netlink {
    /// Steps that put back what a link's own filter lets in, which it loses on its way to another
    /// namespace (dev_uc_flush): stations and groups of others, such as those of its children. Those
    /// of its own addresses it has again with them.
    pub(super) fn filter_back(&self, space: &Space, link: &RawLink) -> Vec<Change> {
        let Ok(mut put) = entries_put(space, link.index) else { return Vec::new() };
        let links = std::slice::from_ref(link);
        let addresses = super::address::list(space, links, None).unwrap_or_default();
        let own: Vec<MacAddress> = addresses
            .iter()
            .filter(|(on, _)| *on == link.index)
            .filter_map(|(_, info)| solicited(info.address.prefix.address))
            .chain(EVERYBODYS)
            .collect();
        put.retain(|entry| {
            !entry.master && entry.destination.is_none() && !own.contains(&entry.mac)
        });
        let name = link.name.clone();
        let link = LinkRef { namespace: space.reference(), name, index: Some(link.index) };
        let back = |entry| Change::PutEntry { link: link.clone(), entry, how: Write::Replace };
        put.into_iter().map(back).collect()
    }
}

/// The group by which neighbours ask for an address (RFC 4291, section 2.7.1).
fn solicited(address: IpAddr) -> Option<MacAddress> {
    let IpAddr::V6(six) = address else { return None };
    let [.., a, b, c] = six.octets();
    Some(MacAddress([0x33, 0x33, 0xff, a, b, c]))
}
