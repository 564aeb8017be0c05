//! How many namespaces and links of the run's there are now, whoever took some away meanwhile: the
//! kernel deletes links with their namespace, with what they stand on and with their other end.

use super::Netlink;
use super::adopted::is_kernels;
use super::explain::explain;
use super::raw_link::{IFF_LOOPBACK, RawLink};
use super::space::Space;
use crate::kernel::{Census, Error};

impl Netlink {
    pub(super) fn counted(&self) -> Result<Census, Error> {
        let mut census = Census::default();
        for space in self.spaces.all() {
            census.namespaces += usize::from(space.own && space.name.is_some());
            let links = space.links().map_err(|failure| explain(failure, &"link show"))?;
            census.links += links.iter().filter(|link| self.is_counted(space, link)).count();
        }
        Ok(census)
    }

    fn is_counted(&self, space: &Space, link: &RawLink) -> bool {
        if self.is_lent(space, link.index) {
            return false;
        }
        if !space.own {
            return self.is_own(space, link);
        }
        // What programs made there carries the mark; what strangers moved there doesn't.
        let marked = self.group().is_none_or(|group| group == link.group());
        let from_the_start = link.has(IFF_LOOPBACK) || is_kernels(link);
        (marked || self.is_own(space, link)) && !from_the_start
    }
}
