//! The multicast groups of bridges' ports that somebody put there: RTM_GETMDB, net/bridge/br_mdb.c,
//! for which netlink-packet-route has no type.

use std::collections::BTreeSet;

use super::attributes::{find, read, u32_of};
use super::raw_dump;
use super::space::Space;

/// linux/rtnetlink.h, linux/if_bridge.h
const RTM_NEWMDB: u16 = 84;
const RTM_GETMDB: u16 = 86;
const MDBA_MDB: u16 = 1;
const MDBA_MDB_ENTRY: u16 = 1;
const MDBA_MDB_ENTRY_INFO: u16 = 1;
const MDB_PERMANENT: u8 = 1;
/// struct br_port_msg
const PORT_MESSAGE: usize = 8;

/// The ports that have such groups; none where the kernel knows nothing of them.
pub(super) fn ports(space: &Space) -> BTreeSet<u32> {
    let mut header = [0; PORT_MESSAGE];
    header[0] = libc::AF_BRIDGE as u8;
    // Dumps have the type of the question (br_mdb_dump).
    let parts = raw_dump::all(space, RTM_GETMDB, &header, &[RTM_NEWMDB, RTM_GETMDB]);
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
