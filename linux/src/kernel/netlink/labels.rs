//! Routes for MPLS labels: the kernel drops those by a link that leaves its namespace
//! (mpls_dev_notify, net/mpls/af_mpls.c), and no run can put them back, so none is lost.

use super::Netlink;
use super::attributes::{find, u16_of, u32_of};
use super::raw_dump;
use super::raw_link::RawLink;
use super::space::Space;
use crate::kernel::Error;
use crate::text::help;

/// linux/rtnetlink.h, linux/socket.h
const RTM_NEWROUTE: u16 = 24;
const RTM_GETROUTE: u16 = 26;
const AF_MPLS: u8 = 28;
/// struct rtmsg
const HEADER: usize = 12;
const RTA_OIF: u16 = 4;
const RTA_MULTIPATH: u16 = 9;
/// struct rtnexthop
const NEXT_HOP: usize = 8;
const NEXT_HOP_INDEX: usize = 4;

impl Netlink {
    /// Refuses to take a link out of a namespace of others where labels are sent by it.
    pub(super) fn check_labels(&self, space: &Space, link: &RawLink) -> Result<(), Error> {
        if self.host.is_none() || space.own || self.is_own(space, link) {
            return Ok(());
        }
        let mut header = [0; HEADER];
        header[0] = AF_MPLS;
        let routes = raw_dump::all(space, RTM_GETROUTE, &header, &[RTM_NEWROUTE]);
        if !routes.iter().any(|route| leads_by(route, link.index)) {
            return Ok(());
        }
        let name = link.name.escape_debug();
        Err(Error::Invalid(format!(
            "routes for MPLS labels by `{name}` would be lost, and can't be put back{}",
            help(format_args!("delete them with the tool that made them: `ip -f mpls route`"))
        )))
    }
}

fn leads_by(route: &[u8], index: u32) -> bool {
    if route.first() != Some(&AF_MPLS) {
        return false;
    }
    let Some(attributes) = route.get(HEADER..) else { return false };
    let alone = find(attributes, RTA_OIF).and_then(u32_of) == Some(index);
    alone || find(attributes, RTA_MULTIPATH).is_some_and(|hops| is_among(hops, index))
}

/// Among several next hops, each of which says how long it is.
fn is_among(mut hops: &[u8], index: u32) -> bool {
    while let Some(length) = hops.get(..NEXT_HOP).and_then(u16_of).map(usize::from) {
        if hops.get(NEXT_HOP_INDEX..).and_then(u32_of) == Some(index) {
            return true;
        }
        // RTNH_ALIGN
        let next = length.next_multiple_of(4);
        if next < NEXT_HOP {
            return false;
        }
        hops = hops.get(next..).unwrap_or_default();
    }
    false
}
