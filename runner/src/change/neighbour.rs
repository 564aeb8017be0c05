//! Neighbours, and entries of a bridge's or vxlan's forwarding database.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::MacAddress;

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
}
