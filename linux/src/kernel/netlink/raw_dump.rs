//! Dumps of what netlink-packet-route has no types for.

use std::io;

use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};

use super::attributes::{u16_of, u32_of};
use super::space::Space;

/// NLM_F_REQUEST | NLM_F_DUMP
const REQUEST_DUMP: u16 = 0x301;
/// struct nlmsghdr
const HEADER: usize = 16;

/// All that a request of a type tells, from the header of its own on; `answers` are the types of what
/// is told. Nothing where the kernel knows nothing of it.
pub(super) fn all(space: &Space, request: u16, header: &[u8], answers: &[u16]) -> Vec<Vec<u8>> {
    space.within(|| dump(request, header, answers)).unwrap_or_default()
}

/// In the calling thread's namespace.
fn dump(request: u16, header: &[u8], answers: &[u16]) -> io::Result<Vec<Vec<u8>>> {
    let mut message = Vec::new();
    message.extend(((HEADER + header.len()) as u32).to_ne_bytes());
    message.extend(request.to_ne_bytes());
    message.extend(REQUEST_DUMP.to_ne_bytes());
    message.extend([0; 8]);
    message.extend(header);
    let socket = Socket::new(NETLINK_ROUTE)?;
    socket.connect(&SocketAddr::new(0, 0))?;
    socket.send(&message, 0)?;
    let mut found = Vec::new();
    loop {
        let (bytes, _) = socket.recv_from_full()?;
        let mut rest = bytes.as_slice();
        while let Some((length, kind)) = head(rest) {
            // NLMSG_DONE and NLMSG_ERROR are numbers below those of rtnetlink's messages.
            if !answers.contains(&kind) {
                return Ok(found);
            }
            found.push(rest[HEADER..length].to_vec());
            // NLMSG_ALIGN
            rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        }
    }
}

/// A message's length and type.
fn head(bytes: &[u8]) -> Option<(usize, u16)> {
    let length = bytes.get(..4).and_then(u32_of)? as usize;
    let kind = bytes.get(4..6).and_then(u16_of)?;
    (HEADER..=bytes.len()).contains(&length).then_some((length, kind))
}
