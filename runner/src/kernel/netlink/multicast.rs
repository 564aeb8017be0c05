//! The multicast groups of bridges' ports that somebody put there: RTM_GETMDB, net/bridge/br_mdb.c,
//! for which netlink-packet-route has no type.

use std::collections::BTreeSet;
use std::io;

use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};

use super::attributes::{find, read, u32_of};
use super::space::Space;

/// linux/rtnetlink.h, linux/if_bridge.h
const RTM_NEWMDB: u16 = 84;
const RTM_GETMDB: u16 = 86;
const REQUEST_DUMP: u16 = 0x301;
const MDBA_MDB: u16 = 1;
const MDBA_MDB_ENTRY: u16 = 1;
const MDBA_MDB_ENTRY_INFO: u16 = 1;
const MDB_PERMANENT: u8 = 1;
/// struct nlmsghdr, struct br_port_msg
const HEADER: usize = 16;
const PORT_MESSAGE: usize = 8;

/// The ports that have such groups; none where the kernel knows nothing of them.
pub(super) fn ports(space: &Space) -> BTreeSet<u32> {
    let parts = space.within(dump).unwrap_or_default();
    parts.iter().flat_map(|part| lasting(part)).collect()
}

fn lasting(body: &[u8]) -> Vec<u32> {
    let attributes = body.get(PORT_MESSAGE..).unwrap_or_default();
    let all = read(find(attributes, MDBA_MDB).unwrap_or_default());
    let entries =
        all.filter(|(kind, _)| *kind == MDBA_MDB_ENTRY).flat_map(|(_, entry)| read(entry));
    // struct br_mdb_entry: the port's index, and whether it lasts
    let infos = entries.filter(|(kind, _)| *kind == MDBA_MDB_ENTRY_INFO).map(|(_, info)| info);
    infos.filter(|info| info.get(4) == Some(&MDB_PERMANENT)).filter_map(u32_of_first).collect()
}

fn u32_of_first(info: &[u8]) -> Option<u32> {
    info.get(..4).and_then(u32_of)
}

/// In the calling thread's namespace.
fn dump() -> io::Result<Vec<Vec<u8>>> {
    let mut message = Vec::new();
    message.extend(((HEADER + PORT_MESSAGE) as u32).to_ne_bytes());
    message.extend(RTM_GETMDB.to_ne_bytes());
    message.extend(REQUEST_DUMP.to_ne_bytes());
    message.extend([0; 8]);
    message.extend([libc::AF_BRIDGE as u8, 0, 0, 0, 0, 0, 0, 0]);
    let socket = Socket::new(NETLINK_ROUTE)?;
    socket.connect(&SocketAddr::new(0, 0))?;
    socket.send(&message, 0)?;
    let mut found = Vec::new();
    loop {
        let (bytes, _) = socket.recv_from_full()?;
        let mut rest = bytes.as_slice();
        while let Some((length, kind)) = head(rest) {
            match kind {
                // Dumps have the type of the question (br_mdb_dump).
                RTM_NEWMDB | RTM_GETMDB => found.push(rest[HEADER..length].to_vec()),
                // NLMSG_DONE and NLMSG_ERROR are numbers below those of rtnetlink's messages.
                _ => return Ok(found),
            }
            // NLMSG_ALIGN
            rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        }
    }
}

/// A message's length and type.
fn head(bytes: &[u8]) -> Option<(usize, u16)> {
    let length = bytes.get(..4).and_then(u32_of)? as usize;
    let kind = u16::from_ne_bytes(bytes.get(4..6)?.try_into().ok()?);
    (HEADER..=bytes.len()).contains(&length).then_some((length, kind))
}
