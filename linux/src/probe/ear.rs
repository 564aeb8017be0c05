//! Whether anything happens in a namespace: the kernel's own words about links, addresses, routes
//! and rules, heard without a task that waits for them. Neighbours are left out, whom every probe
//! stirs.

use std::os::fd::OwnedFd;

use netlink_packet_core::NetlinkBuffer;
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};

use super::socket::{inside, refused};
use crate::kernel::Error;
use crate::kernel::netlink::attributes::{find, text};

/// linux/rtnetlink.h, as bits: RTNLGRP_LINK, IPV4_IFADDR, IPV4_ROUTE, IPV4_RULE, IPV6_IFADDR,
/// IPV6_ROUTE, IPV6_RULE.
const GROUPS: u32 = 1 | 1 << 4 | 1 << 6 | 1 << 7 | 1 << 8 | 1 << 10 | 1 << 18;
/// A message about a link has some 2 KiB.
const BUFFER: usize = 32 << 10;
/// linux/rtnetlink.h
const RTM_NEWLINK: u16 = 16;
const RTM_DELLINK: u16 = 17;
const RTM_NEWADDR: u16 = 20;
const RTM_DELADDR: u16 = 21;
const RTM_NEWRULE: u16 = 32;
const RTM_DELRULE: u16 = 33;
/// Header of a message, and `struct ifinfomsg`.
const BEFORE_ATTRIBUTES: usize = 16 + 16;
const IFLA_IFNAME: u16 = 3;

/// Hears from when it was opened on.
#[derive(Debug)]
pub struct Ear(Socket);

impl Ear {
    pub fn open(namespace: &OwnedFd) -> Result<Self, Error> {
        let socket = inside(namespace, "monitor", || {
            let mut socket = Socket::new(NETLINK_ROUTE)?;
            socket.set_non_blocking(true)?;
            socket.bind(&SocketAddr::new(0, GROUPS))?;
            Ok(socket)
        })?;
        Ok(Self(socket))
    }

    /// The last thing that happened since it was asked before.
    ///
    /// # Errors
    /// Where the socket can be read no more.
    pub fn heard(&self) -> Result<Option<String>, Error> {
        let mut buffer = Vec::with_capacity(BUFFER);
        let mut last = None;
        loop {
            buffer.clear();
            match self.0.recv(&mut buffer, 0) {
                Ok(_) => last = Some(what(&buffer)),
                Err(error) => match error.raw_os_error() {
                    Some(libc::EAGAIN) => return Ok(last),
                    Some(libc::EINTR) => {}
                    // More than it had room for.
                    Some(libc::ENOBUFS) => last = Some("much changed".to_owned()),
                    _ => return Err(refused("monitor", &error)),
                },
            }
        }
    }
}

fn what(message: &[u8]) -> String {
    let kind = NetlinkBuffer::new_checked(message).map(|header| header.message_type());
    match kind {
        Ok(RTM_NEWLINK | RTM_DELLINK) => {
            let attributes = message.get(BEFORE_ATTRIBUTES..).unwrap_or_default();
            match find(attributes, IFLA_IFNAME).map(text) {
                Some(name) => format!("link {} changed", name.escape_debug()),
                None => "a link changed".to_owned(),
            }
        }
        Ok(RTM_NEWADDR | RTM_DELADDR) => "an address changed".to_owned(),
        Ok(RTM_NEWRULE | RTM_DELRULE) => "a rule changed".to_owned(),
        Ok(_) | Err(_) => "a route changed".to_owned(),
    }
}
