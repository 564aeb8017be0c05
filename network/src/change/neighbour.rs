//! Neighbours, and entries of a bridge's or vxlan's forwarding database.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{MacAddress, Write};

/// rtnetlink(7), ndm_state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NeighbourState {
    None,
    Incomplete,
    Reachable,
    Stale,
    Delay,
    Probe,
    Failed,
    Noarp,
    Permanent,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Neighbour {
    pub address: IpAddr,
    pub mac: Option<MacAddress>,
    pub state: NeighbourState,
    pub proxy: bool,
    pub router: bool,
    pub extern_learn: bool,
    /// who put it there, as whoever did so says (NDA_PROTOCOL)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub mac: MacAddress,
    pub vlan: Option<u16>,
    pub aged: bool,
    pub master: bool,
    pub destination: Option<IpAddr>,
    /// all that the kernel told of one that is to come back
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<Told>,
}

/// An entry in the kernel's own words: struct ndmsg of linux/neighbour.h, and the attributes that
/// stay as they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    pub state: u16,
    pub flags: u8,
    pub attributes: Vec<(u16, Vec<u8>)>,
}

impl Entry {
    /// How it is put where it shall be. A vxlan has several ends for what is nobody's alone, and
    /// replaces none of them (vxlan_fdb_update, drivers/net/vxlan/vxlan_core.c).
    pub fn how(&self) -> Write {
        let MacAddress(octets) = self.mac;
        let for_many = octets == [0; 6] || octets[0] & 1 == 1;
        if for_many && self.destination.is_some() { Write::Append } else { Write::Replace }
    }
}
